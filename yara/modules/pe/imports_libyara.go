package pe

import (
	"math"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// libyara reads the same tables with other checks: names are shorter and of
// fewer characters, functions of both tables are counted in all, and delayed
// imports must have both tables.

// Limits of libyara's names.
const (
	maxLibraryNameLibYARA  = 256
	maxFunctionNameLibYARA = 512
)

func (t *importReader) libraryLibYARA(d descriptor) library {
	name, ok := t.libraryNameLibYARA(d.name, maxLibraryNameLibYARA)
	if !ok {
		return library{}
	}
	off, ok := t.offset(d.names)
	if !ok || off == 0 {
		if off, ok = t.offset(d.addresses); !ok {
			return library{}
		}
	}
	return library{name, t.readThunksLibYARA(d, t.Data[off:], ordinalsOf(name))}
}

func (t *importReader) readThunksLibYARA(d descriptor, data []byte, names ordinalNames) (functions []*importedFunction) {
	r := binfmt.NewReader(data, binfmt.Little)
	flag := t.ordinalFlag()
	for i := uint32(0); i < maxImports && t.functions < maxImports; i++ {
		thunk := r.Word(t.Is64())
		if t.thunks--; thunk == 0 || t.thunks < 0 {
			break
		}
		fn := &importedFunction{rva: d.addresses + i*t.thunkSize()}
		ok := false
		switch {
		case thunk > flag+maxOrdinal:
		case thunk&flag != 0:
			fn.ordinal, fn.byOrdinal, ok = uint16(thunk), true, true
			fn.name = names.of(fn.ordinal)
		default:
			fn.name, ok = t.functionNameLibYARA(thunk, 2)
			ok = ok && validFunctionName(fn.name)
		}
		if ok {
			functions = append(functions, fn)
			t.functions++
		}
	}
	return functions
}

// functionNameLibYARA reads a name that begins skip bytes after an address.
func (f *file) functionNameLibYARA(rva uint64, skip uint64) (string, bool) {
	off, ok := f.offsetLibYARA(rva)
	if !ok {
		return "", false
	}
	data, ok := binfmt.From(f.Data, uint64(off)+skip)
	return string(binfmt.Text(data, maxFunctionNameLibYARA)), ok && len(data) > 0
}

// validFunctionName is the check of pefile, which libyara follows.
func validFunctionName(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == '_', c == '?', c == '@', c == '$', c == '(', c == ')', c == '<', c == '>':
		default:
			return false
		}
	}
	return name != ""
}

// libraryNameLibYARA reads a name of printable ASCII that ends before limit.
func (f *file) libraryNameLibYARA(rva uint32, limit int) (string, bool) {
	data, ok := f.at(rva)
	if !ok {
		return "", false
	}
	limit = min(limit, len(data))
	s := binfmt.Text(data, limit)
	for _, c := range s {
		if c < ' ' || c > '~' || c == '"' || c == '*' || c == '<' || c == '>' || c == '?' || c == '|' {
			return "", false
		}
	}
	return string(s), len(s) > 0 && len(s) < limit
}

// delayedLibYARA stops at the first descriptor that cannot be right.
func (t *importReader) delayedLibYARA(d descriptor) (l library, more bool) {
	const dosHeader = 64
	if d.attributes > 1 {
		return l, false
	}
	relative := func(rva uint64) uint64 {
		if base := t.Optional.ImageBase; d.attributes == 0 && rva > base {
			return rva - base
		}
		return rva
	}
	if !t.Is64() {
		d.name, d.names, d.addresses = uint32(relative(uint64(d.name))), uint32(relative(uint64(d.names))), uint32(relative(uint64(d.addresses)))
	}
	image := t.Optional.SizeOfImage
	if d.names >= image || d.addresses >= image || d.name < dosHeader || d.names < dosHeader {
		return l, false
	}
	if l.name, more = t.libraryNameLibYARA(d.name, math.MaxInt); !more {
		return library{}, true
	}
	names := ordinalsOf(l.name)
	size, flag := t.thunkSize(), t.ordinalFlag()
	for i := uint32(0); t.functions < maxImports && t.thunks > 0; i++ {
		t.thunks--
		fn := &importedFunction{rva: d.addresses + i*size}
		name, ok1 := t.pointer(uint64(d.names) + uint64(i*size))
		address, ok2 := t.pointer(uint64(fn.rva))
		if !ok1 || !ok2 || name == 0 || address == 0 {
			break
		}
		if name&flag != 0 {
			fn.ordinal, fn.byOrdinal = uint16(name), true
			fn.name = names.of(fn.ordinal)
		} else if fn.name, ok1 = t.functionNameLibYARA(relative(name)+2, 0); !ok1 {
			continue
		}
		l.functions = append(l.functions, fn)
		t.functions++
	}
	return l, true
}

// pointer reads an entry of a table of addresses.
func (f *file) pointer(rva uint64) (uint64, bool) {
	off, ok := f.offsetLibYARA(rva)
	if !ok {
		return 0, false
	}
	r := binfmt.NewReader(f.Data[off:], binfmt.Little)
	p := r.Word(f.Is64())
	return p, r.OK()
}
