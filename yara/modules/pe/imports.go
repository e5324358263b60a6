package pe

import (
	"math"
	"unicode/utf8"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Limits of imports, of each of both tables.
const (
	maxImports      = 16384   // libraries, functions of a library, functions in all
	maxThunks       = 1 << 18 // looked at, whether or not they are functions
	maxLibraryName  = 512
	maxFunctionName = 1024
)

// library is a library and what is imported from it.
type library struct {
	name      string
	functions []*importedFunction
}

// importedFunction is a function that is imported.
type importedFunction struct {
	// name is made from the ordinal where there is no other.
	name      string
	ordinal   uint16
	byOrdinal bool
	// rva is the address of the function's slot in the import address table.
	rva uint32
}

var functionFields = []column.Column[*importedFunction]{
	column.Text("name", "The name; for an import by ordinal the name that is known for it, or ordN.", func(fn *importedFunction) string { return fn.name }),
	column.OptInt("ordinal", "The ordinal, undefined for an import by name.", func(fn *importedFunction) (uint16, bool) { return fn.ordinal, fn.byOrdinal }),
	column.Int("rva", "Where the loader puts the function's address, relative to the image base.", func(fn *importedFunction) uint32 { return fn.rva }),
}

var functionType = column.Type("Function", functionFields)

// libraryValue keeps the list of the functions for loops over it.
type libraryValue struct {
	library
	list lazy[module.Value]
}

var libraryColumns = []column.Column[*libraryValue]{
	column.Text("library_name", "The file name of the library.", func(l *libraryValue) string { return l.name }),
	column.Int("number_of_functions", "The number of functions imported from it.", func(l *libraryValue) int { return len(l.functions) }),
	{Name: "functions", Doc: "The functions imported from it.", Type: column.ArrayOf(functionType), Get: func(l *libraryValue) module.Value {
		return l.list.get(func() module.Value { return column.List(functionFields, l.functions) })
	}},
}

var libraryType = column.Type("Import", libraryColumns)

func libraryList(libraries []library) module.Value {
	values := make([]*libraryValue, len(libraries))
	for i, l := range libraries {
		values[i] = &libraryValue{library: l}
	}
	return column.List(libraryColumns, values)
}

func functionCount(libraries []library) (n int) {
	for _, l := range libraries {
		n += len(l.functions)
	}
	return n
}

func (f *file) importedLibraries() []library {
	return f.imports.get(func() []library {
		return f.readImports(directoryImport, importDescriptor)
	})
}

func (f *file) delayedLibraries() []library {
	return f.delayed.get(func() []library {
		return f.readImports(directoryDelayImport, delayDescriptor)
	})
}

// descriptor says where what is imported from a library is found.
type descriptor struct {
	name         uint32 // of the library
	names        uint32 // the import name table
	addresses    uint32 // the import address table
	absolute     bool   // addresses are not relative to the image base
	attributes   uint32
	terminatesIn bool // libyara takes it for the end of the table
}

// importDescriptor reads an IMAGE_IMPORT_DESCRIPTOR.
func importDescriptor(r *binfmt.Reader) (d descriptor) {
	d.names = r.U32()
	r.Skip(8) // timestamp, forwarder chain
	d.name = r.U32()
	d.addresses = r.U32()
	d.terminatesIn = d.name == 0
	return d
}

// delayDescriptor reads an IMAGE_DELAYLOAD_DESCRIPTOR. Visual C++ 6 wrote
// absolute addresses, and no flag.
func delayDescriptor(r *binfmt.Reader) (d descriptor) {
	d.attributes = r.U32()
	d.name = r.U32()
	module := r.U32()
	d.addresses = r.U32()
	d.names = r.U32()
	bound, unload, stamp := r.U32(), r.U32(), r.U32()
	d.absolute = d.attributes&1 == 0
	d.terminatesIn = d.attributes|d.name|module|d.addresses|d.names|bound|unload|stamp == 0
	return d
}

func (d descriptor) ends(libyara bool) bool {
	if libyara {
		return d.terminatesIn
	}
	return d.name == 0 || d.names == 0 && d.addresses == 0
}

// importReader reads one import table.
type importReader struct {
	*file
	delayed   bool
	functions int // found so far
	thunks    int // that may still be looked at
}

func (f *file) readImports(entry int, read func(*binfmt.Reader) descriptor) []library {
	d, data, ok := f.directory(entry, entry == directoryDelayImport && !f.libyara)
	if !ok || d.Address == 0 {
		return nil
	}
	t := importReader{file: f, delayed: entry == directoryDelayImport, thunks: maxThunks}
	var libraries []library
	r := binfmt.NewReader(data, binfmt.Little)
	for range maxImports {
		d := read(r)
		if !r.OK() || d.ends(f.libyara) || t.functions >= maxImports || t.thunks <= 0 {
			break
		}
		l, more := t.library(d)
		if !more {
			break
		}
		if len(l.functions) > 0 || t.delayed && f.libyara && l.name != "" {
			libraries = append(libraries, l)
		}
	}
	return libraries
}

// library reads what a descriptor describes; more is false where the table
// ends with it.
func (t *importReader) library(d descriptor) (l library, more bool) {
	if t.libyara {
		if t.delayed {
			return t.delayedLibYARA(d)
		}
		return t.libraryLibYARA(d), true
	}
	if d.absolute && t.Optional.ImageBase > math.MaxUint32 {
		return l, true
	}
	if d.absolute {
		base := uint32(t.Optional.ImageBase)
		d.name, d.names, d.addresses = sub(d.name, base), sub(d.names, base), sub(d.addresses, base)
	}
	name, ok := t.libraryName(d.name)
	if !ok {
		return l, true
	}
	thunks, ok := t.at(d.names)
	if d.names == 0 || !ok {
		if thunks, ok = t.at(d.addresses); !ok {
			return l, true
		}
	}
	return library{name, t.readThunks(d, thunks, ordinalsOf(name))}, true
}

// sub is a - b, or zero.
func sub(a, b uint32) uint32 { return a - min(a, b) }

// The flag and the largest value of a thunk that imports by ordinal.
const (
	ordinalFlag32, ordinalFlag64 = 1 << 31, 1 << 63
	maxOrdinal                   = math.MaxUint16
)

func (f *file) ordinalFlag() uint64 {
	if f.Is64() {
		return ordinalFlag64
	}
	return ordinalFlag32
}

func (f *file) thunkSize() uint32 {
	if f.Is64() {
		return 8
	}
	return 4
}

// readThunks reads the functions of a library from its import name table,
// which ends with a zero.
func (t *importReader) readThunks(d descriptor, data []byte, names ordinalNames) (functions []*importedFunction) {
	r := binfmt.NewReader(data, binfmt.Little)
	flag := t.ordinalFlag()
	for i := range uint64(maxImports) {
		thunk := r.Word(t.Is64())
		if t.thunks--; thunk == 0 || t.thunks < 0 {
			break
		}
		fn := &importedFunction{rva: uint32(min(uint64(d.addresses)+i*uint64(t.thunkSize()), math.MaxUint32))}
		ok := false
		if thunk > flag+maxOrdinal {
			continue
		} else if thunk&flag != 0 {
			fn.ordinal, fn.byOrdinal, ok = uint16(thunk), true, true
			fn.name = names.of(fn.ordinal)
		} else {
			if d.absolute {
				thunk -= min(thunk, t.Optional.ImageBase)
			}
			fn.name, ok = t.functionName(thunk)
		}
		if ok {
			functions = append(functions, fn)
			t.functions++
		}
	}
	return functions
}

// functionName reads the name that follows the hint at an address. It is of
// printable ASCII.
func (f *file) functionName(rva uint64) (string, bool) {
	if rva > math.MaxUint32 {
		return "", false
	}
	data, _ := f.at(uint32(rva))
	data, ok := binfmt.From(data, 2)
	if !ok {
		return "", false
	}
	name := binfmt.Text(data, maxFunctionName)
	for _, c := range name {
		if c <= ' ' || c > '~' {
			return "", false
		}
	}
	return string(name), len(name) > 0
}

// libraryName reads a library's name. It is UTF-8, without characters that no
// file name has.
func (f *file) libraryName(rva uint32) (string, bool) {
	s, ok := f.textAt(rva, maxLibraryName)
	if !ok {
		return "", false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ', c == 0x7f, c == '"', c == '*', c == '<', c == '>', c == '?', c == '|':
			return "", false
		}
	}
	return s, true
}

// textAt reads UTF-8 up to a NUL, at most limit bytes.
func (f *file) textAt(rva uint32, limit int) (string, bool) {
	data, ok := f.at(rva)
	if !ok {
		return "", false
	}
	s := binfmt.Text(data, limit)
	if !utf8.Valid(s) {
		return "", false
	}
	return string(s), true
}
