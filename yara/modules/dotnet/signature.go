package dotnet

import (
	"strconv"
	"strings"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// Types in signatures, II.23.1.16.
const (
	typString       = 0x0e
	typPtr          = 0x0f
	typByRef        = 0x10
	typValue        = 0x11
	typClass        = 0x12
	typVar          = 0x13
	typArray        = 0x14
	typGeneric      = 0x15
	typFunction     = 0x1b
	typVector       = 0x1d
	typMethodVar    = 0x1e
	typRequired     = 0x1f
	typOptional     = 0x20
	typInternal     = 0x21
	typModifier     = 0x40
	typSentinel     = 0x41
	typPinned       = 0x45
	typLastOrdinary = typInternal
)

// basicTypes are C#'s names of types that need no more than a byte.
var basicTypes = map[uint8]string{
	0x01: "void", 0x02: "bool", 0x03: "char", 0x04: "sbyte", 0x05: "byte", 0x06: "short", 0x07: "ushort", 0x08: "int",
	0x09: "uint", 0x0a: "long", 0x0b: "ulong", 0x0c: "float", 0x0d: "double", typString: "string", 0x16: "TypedReference",
	0x18: "IntPtr", 0x19: "UintPtr", 0x1c: "object",
}

// elementType reports whether a number is a type at all.
func elementType(v uint32) bool {
	switch v {
	case 0x17, 0x1a:
		return false
	case typModifier, typSentinel, typPinned:
		return true
	}
	return v <= typLastOrdinary
}

// signature writes the types of signatures as text.
type signature struct {
	file                          *file
	classGenerics, methodGenerics []string
	depth                         int
	out                           strings.Builder
}

func newPacked(b []byte) *packed { return &packed{binfmt.NewReader(b, binfmt.Little), true} }

// next reads a type and returns it as text.
func (s *signature) next(r *packed) (string, bool) {
	s.out.Reset()
	ok := s.read(r)
	return s.out.String(), ok
}

// write writes text as long as there may be more of it.
func (s *signature) write(text string) bool {
	s.file.text -= len(text)
	s.out.WriteString(text)
	return s.file.text >= 0
}

// read writes the type that comes next, II.23.2.12.
func (s *signature) read(r *packed) bool {
	s.file.steps--
	if s.depth == maxDepth || s.file.steps < 0 {
		return false
	}
	s.depth++
	ok := s.readType(r, r.U8()) && r.whole()
	s.depth--
	return ok
}

func (s *signature) readType(r *packed, typ uint8) bool {
	if !r.whole() {
		return false
	}
	switch typ {
	case typPtr:
		return s.write("Ptr<") && s.read(r) && s.write(">")
	case typByRef:
		return s.write("ref ") && s.read(r)
	case typValue, typClass:
		ref := r.unsigned()
		return r.whole() && s.reference(ref)
	case typVar:
		return s.variable(r, s.classGenerics)
	case typMethodVar:
		return s.variable(r, s.methodGenerics)
	case typArray:
		return s.read(r) && s.dimensions(r)
	case typVector:
		return s.read(r) && s.write("[]")
	case typGeneric:
		return s.read(r) && s.list(r, r.unsigned(), "<", ",", ">")
	case typFunction:
		r.Skip(1) // calling convention
		count := r.unsigned()
		return s.write("FnPtr<") && s.read(r) && s.list(r, count, "(", ", ", ")>")
	case typRequired, typOptional:
		r.unsigned()
		return s.read(r)
	}
	name, ok := basicTypes[typ]
	if s.file.libyara && name == "UintPtr" {
		name = "UIntPtr" // as it is called
	}
	return ok && s.write(name)
}

// list writes count types.
func (s *signature) list(r *packed, count uint32, open, between, end string) bool {
	if count >= maxParameters || !r.whole() || !s.write(open) {
		return false
	}
	for i := range count {
		if i > 0 && !s.write(between) || !s.read(r) {
			return false
		}
	}
	return s.write(end)
}

// variable writes the name of a generic parameter.
func (s *signature) variable(r *packed, names []string) bool {
	i := r.unsigned()
	return r.whole() && uint64(i) < uint64(len(names)) && s.write(names[i])
}

// reference writes the name of a type that is defined, referred to or made up
// elsewhere.
func (s *signature) reference(ref uint32) bool {
	t := s.file.tables()
	if ref&3 == 3 || ref>>2 == 0 && s.file.libyara {
		return false // no table, or no type
	}
	switch table, i := split(typeDefOrRef, ref); {
	case table == tabTypeDef:
		name, ok := s.file.fullName(i).get()
		return ok && s.write(name)
	case table == tabTypeRef && t.has(tabTypeRef, i):
		r := t.at(tabTypeRef, i)
		return s.foreign(s.file.string(r[2]), s.file.string(r[1]))
	case table == tabTypeSpec && t.has(tabTypeSpec, i):
		b, ok := s.file.blob(t.at(tabTypeSpec, i)[0])
		return ok && s.read(newPacked(b))
	}
	return false
}

// foreign writes the name of a type that is defined elsewhere. One without
// namespace begins with a point, as in YARA-X, but not for libyara.
func (s *signature) foreign(namespace, name optional[string]) bool {
	if !name.ok {
		return false
	}
	namespace.ok = namespace.ok && !(s.file.libyara && namespace.value == "")
	return (!namespace.ok || s.write(namespace.value) && s.write(".")) && s.write(plain(name.value))
}

// dimensions writes the shape of an array, II.23.2.13.
func (s *signature) dimensions(r *packed) bool {
	count := r.unsigned()
	var sizes, bounds []int32
	for n := s.upTo(r); n > 0; n-- {
		sizes = append(sizes, int32(r.unsigned()))
	}
	for n := s.upTo(r); n > 0; n-- {
		bounds = append(bounds, r.signed())
	}
	if !r.whole() || count > maxDimensions {
		return false
	}
	parts := make([]string, count)
	for i := range parts {
		if parts[i] = dimension(i, sizes, bounds); s.file.libyara && parts[i] == "0..." {
			parts[i] = ""
		}
	}
	return s.write("[" + strings.Join(parts, ",") + "]")
}

// upTo reads how many numbers follow; too many are an error.
func (s *signature) upTo(r *packed) uint32 {
	n := r.unsigned()
	if n > maxDimensions {
		r.sound = false
		return 0
	}
	return n
}

func dimension(i int, sizes, bounds []int32) string {
	switch sized, bounded := i < len(sizes), i < len(bounds); {
	case sized && (!bounded || bounds[i] == 0):
		return strconv.Itoa(int(sizes[i]))
	case sized && sizes[i] >= 1:
		return strconv.Itoa(int(bounds[i])) + "..." + strconv.Itoa(int(bounds[i]+sizes[i]-1))
	case bounded && !sized:
		return strconv.Itoa(int(bounds[i])) + "..."
	}
	return ""
}
