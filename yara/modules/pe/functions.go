package pe

import (
	"math"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Short names for the parameters of functions.
const (
	intArg    = module.Integer
	textArg   = module.String
	regexpArg = module.Regexp
)

// call is what an overload does with a PE file.
type call func(f *file, args []module.Value) module.Value

// overload is a function of PE files. Of a target that is none it gives other,
// and undefined under the LibYARA dialect.
func overload(result module.Kind, other module.Value, do call, params ...module.Kind) *module.Func {
	return &module.Func{Params: params, Result: column.Scalar(result), Call: func(c *module.Call, args []module.Value) module.Value {
		switch f := fileOf(c.Input); {
		case f != nil:
			return do(f, args)
		case c.Input.LibYARA:
			return module.Value{}
		}
		return other
	}}
}

func function(name, doc string, overloads ...*module.Func) column.Column[*file] {
	return column.Column[*file]{Name: name, Doc: doc, Funcs: overloads}
}

var (
	undefined = module.Value{}
	no        = module.Boolean(false)
	none      = module.Int(0)
)

func functionColumns() []column.Column[*file] {
	return append(importFunctions(),
		function("is_dll", "Whether the file is a library.",
			overload(module.Bool, undefined, func(f *file, _ []module.Value) module.Value { return module.Boolean(f.Characteristics&0x2000 != 0) })),
		function("is_32bit", "Whether the optional header is that of 32-bit files.",
			overload(module.Bool, undefined, func(f *file, _ []module.Value) module.Value { return module.Boolean(f.is32()) })),
		function("is_64bit", "Whether the optional header is that of 64-bit files.",
			overload(module.Bool, undefined, func(f *file, _ []module.Value) module.Value { return module.Boolean(f.Is64()) })),
		function("rva_to_offset", "The offset in the file of an address relative to the image base; undefined where it has no bytes in the file.",
			overload(module.Integer, undefined, rvaToOffset, intArg)),
		function("offset_to_rva", "The address, relative to the image base, of an offset in the file; undefined where the byte is not loaded.",
			overload(module.Integer, undefined, offsetToRVA, intArg)),
		function("calculate_checksum", "The checksum that the header should give.",
			overload(module.Integer, undefined, func(f *file, _ []module.Value) module.Value { return f.checksum.get(f.sum) })),
		function("imphash", "The import hash: MD5 of the names of the imports, lower-case hex.",
			overload(module.String, undefined, func(f *file, _ []module.Value) module.Value { return f.imphash.get(f.importHash) })),
		function("section_index", "The index of the first section with a name, or with a byte at an offset of the file.",
			overload(module.Integer, undefined, sectionIndexName, textArg),
			overload(module.Integer, undefined, sectionIndexOffset, intArg)),
		function("exports", "Whether the file exports a function, by its name, its ordinal, or a name that a regexp matches.",
			overload(module.Bool, no, exports, textArg), overload(module.Bool, no, exports, regexpArg), overload(module.Bool, no, exports, intArg)),
		function("exports_index", "The index in export_details of an exported function, by its name, its ordinal, or a name that a regexp matches.",
			overload(module.Integer, undefined, exportsIndex, textArg), overload(module.Integer, undefined, exportsIndex, intArg),
			overload(module.Integer, undefined, exportsIndex, regexpArg)),
		function("locale", "Whether a resource has a locale: a language and a country.",
			overload(module.Bool, no, func(f *file, args []module.Value) module.Value {
				return module.Boolean(f.hasLanguage(integers(args)[0], 0xffff))
			}, intArg)),
		function("language", "Whether a resource has a language: the low 8 bits of a locale.",
			overload(module.Bool, no, func(f *file, args []module.Value) module.Value {
				return module.Boolean(f.hasLanguage(integers(args)[0], 0xff))
			}, intArg)),
	)
}

// is32 asks for the magic number, where libyara takes all files for 32-bit
// that are not 64-bit.
func (f *file) is32() bool { return f.Optional.Magic == 0x10b || f.libyara && !f.Is64() }

func rvaToOffset(f *file, args []module.Value) module.Value {
	rva := integers(args)[0]
	if rva < 0 || rva > math.MaxUint32 {
		return undefined
	}
	off, ok := f.offset(uint32(rva))
	return index(int(off), ok)
}

func offsetToRVA(f *file, args []module.Value) module.Value {
	off := integers(args)[0]
	if off < 0 || off > math.MaxUint32 {
		return undefined
	}
	rva, ok := f.RVA(uint32(off))
	return index(int(rva), ok)
}

// index is a number, undefined where ok is false.
func index(i int, ok bool) module.Value {
	if !ok {
		return undefined
	}
	return module.Int(int64(i))
}

func sectionIndexName(f *file, args []module.Value) module.Value {
	name, _ := args[0].Text()
	return index(f.sectionByName(name))
}

func sectionIndexOffset(f *file, args []module.Value) module.Value {
	return index(f.sectionByOffset(integers(args)[0]))
}

func exports(f *file, args []module.Value) module.Value {
	_, ok := f.findExport(args[0])
	return module.Boolean(ok)
}

func exportsIndex(f *file, args []module.Value) module.Value {
	return index(f.findExport(args[0]))
}

// findExport returns the index of the first export that an argument names.
// libyara does not look for ordinals above the number of exports.
func (f *file) findExport(arg module.Value) (int, bool) {
	if ordinal, ok := arg.Int(); ok && f.libyara && ordinal > int64(len(f.exportTable().functions)) {
		return 0, false
	}
	m := matcher(arg)
	for i, e := range f.exportTable().functions {
		if m(e.name, some(int64(e.ordinal))) {
			return i, true
		}
	}
	return 0, false
}

// match reports whether a function has the name or ordinal that is asked for.
type match func(name maybe[string], ordinal maybe[int64]) bool

func anything(maybe[string], maybe[int64]) bool { return true }

// matcher makes a match of an argument: a name whose case does not count, a
// regexp or an ordinal.
func matcher(arg module.Value) match {
	switch arg.Kind() {
	case module.String:
		want, _ := arg.Text()
		return func(name maybe[string], _ maybe[int64]) bool { return name.ok && equalFold(name.value, want) }
	case module.Regexp:
		re := arg.Regexp()
		return func(name maybe[string], _ maybe[int64]) bool { return name.ok && re.MatchString(name.value) }
	}
	want, _ := arg.Int()
	return func(_ maybe[string], ordinal maybe[int64]) bool { return ordinal.ok && ordinal.value == want }
}

// Flags of imports.
const (
	importStandard = 1
	importDelayed  = 2
)

func importFunctions() []column.Column[*file] {
	const count, found = module.Integer, module.Bool
	return []column.Column[*file]{
		function("imports", "How many functions are imported from a library, or whether one is: by its name, its ordinal, or regexps that match the names of both. The first argument may be of IMPORT_STANDARD, IMPORT_DELAYED and IMPORT_ANY.",
			overload(found, no, isImported(false), textArg, textArg),
			overload(count, none, countImports(false), textArg, intArg),
			overload(count, none, countImports(false), textArg),
			overload(count, none, countImports(false), regexpArg, regexpArg),
			overload(found, no, isImported(true), intArg, textArg, textArg),
			overload(found, no, isImported(true), intArg, textArg, intArg),
			overload(count, none, countImports(true), intArg, textArg),
			overload(count, none, countImports(true), intArg, regexpArg, regexpArg)),
		function("import_rva", "Where the loader puts the address of a function, by its library and its name or ordinal, relative to the image base.",
			overload(count, undefined, importRVA((*file).importedLibraries), textArg, textArg),
			overload(count, undefined, importRVA((*file).importedLibraries), textArg, intArg)),
		function("delayed_import_rva", "Where the address of a delayed import is put, by its library and its name or ordinal, relative to the image base.",
			overload(count, undefined, importRVA((*file).delayedLibraries), textArg, textArg),
			overload(count, undefined, importRVA((*file).delayedLibraries), textArg, intArg)),
	}
}

func isImported(flags bool) call {
	return func(f *file, args []module.Value) module.Value {
		return module.Boolean(f.imported(flags, args) > 0)
	}
}

func countImports(flags bool) call {
	return func(f *file, args []module.Value) module.Value {
		return module.Int(int64(f.imported(flags, args)))
	}
}

// imported counts the imports that the arguments of imports() name.
func (f *file) imported(flags bool, args []module.Value) (n int) {
	which := int64(importStandard)
	if flags {
		which, _ = args[0].Int()
		args = args[1:]
	}
	library, fn := matcher(args[0]), match(anything)
	if len(args) > 1 {
		fn = matcher(args[1])
	}
	if which&importStandard != 0 {
		n += countMatches(f.importedLibraries(), library, fn)
	}
	if which&importDelayed != 0 {
		n += countMatches(f.delayedLibraries(), library, fn)
	}
	return n
}

func countMatches(libraries []library, library, fn match) (n int) {
	for _, l := range libraries {
		if !library(some(l.name), maybe[int64]{}) {
			continue
		}
		for _, f := range l.functions {
			if fn(some(f.name), f.maybeOrdinal()) {
				n++
			}
		}
	}
	return n
}

func (fn *importedFunction) maybeOrdinal() maybe[int64] {
	return maybe[int64]{int64(fn.ordinal), fn.byOrdinal}
}

func importRVA(table func(*file) []library) call {
	return func(f *file, args []module.Value) module.Value {
		library, fn := matcher(args[0]), matcher(args[1])
		for _, l := range table(f) {
			if !library(some(l.name), maybe[int64]{}) {
				continue
			}
			for _, x := range l.functions {
				if fn(some(x.name), x.maybeOrdinal()) {
					return module.Int(int64(x.rva))
				}
			}
		}
		return undefined
	}
}
