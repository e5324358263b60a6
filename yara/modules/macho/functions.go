package macho

import (
	"crypto/md5"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

func functionColumns() []column.Column[*target] {
	names := func(get func(*image) []string) func(*image) []string { return get }
	entitlements := names(func(m *image) []string { return m.signature().entitlements })
	dylibs := names(func(m *image) []string { return dylibNames(m.dylibs) })
	rpaths := names(func(m *image) []string { return m.rpaths })
	imports := names(func(m *image) []string { return m.imports() })
	exports := names(func(m *image) []string { return m.exports() })
	return []column.Column[*target]{
		archFunction("file_index_for_arch", "The index in fat_arch of the first entry for a processor.", (*target).fileIndex),
		archFunction("entry_point_for_arch", "The offset in the universal file where the program for a processor starts.", (*target).entryPoint),
		hasFunction("has_entitlement", "Whether the file claims an entitlement, in any case of letters.", entitlements),
		hasFunction("has_dylib", "Whether the file needs a library, in any case of letters.", dylibs),
		hasFunction("has_rpath", "Whether libraries are looked for at a path, in any case of letters.", rpaths),
		hasFunction("has_import", "Whether the file imports a symbol, in any case of letters.", imports),
		hasFunction("has_export", "Whether the file exports a symbol, in any case of letters.", exports),
		hashFunction("dylib_hash", "The MD5 of the sorted names of libraries, lower-case hex.", dylibs, folded),
		hashFunction("entitlement_hash", "The MD5 of the sorted entitlements, lower-case hex.", entitlements, folded),
		hashFunction("export_hash", "The MD5 of the sorted names of exports, lower-case hex.", exports, folded),
		hashFunction("import_hash", "The MD5 of the sorted names of imports, lower-case hex.", imports, folded),
		symhashFunction(),
	}
}

func dylibNames(dylibs []dylib) []string {
	names := make([]string, len(dylibs))
	for i, d := range dylibs {
		names[i] = d.name
	}
	return names
}

// archFunction takes a cputype, and a cpusubtype too if the rule cares.
func archFunction(name, doc string, of func(*target, int) (int64, bool)) column.Column[*target] {
	call := func(c *module.Call, args []module.Value) module.Value {
		t := scanned(c.Input)
		if t == nil {
			return module.Value{}
		}
		i := slices.IndexFunc(t.universal(), func(a arch) bool {
			return is(args[0], a.cpu) && (len(args) == 1 || is(args[1], a.cpuSub))
		})
		if i < 0 {
			return module.Value{}
		}
		v, ok := of(t, i)
		if !ok {
			return module.Value{}
		}
		return module.Int(v)
	}
	one := []module.Kind{module.Integer}
	return column.Func[*target](name, doc, module.Integer,
		column.Overload{Params: one, Call: call}, column.Overload{Params: append(one, module.Integer), Call: call})
}

func is(v module.Value, n uint32) bool {
	i, _ := v.Int()
	return i == int64(n)
}

func (t *target) fileIndex(i int) (int64, bool) { return int64(i), true }

func (t *target) entryPoint(i int) (int64, bool) {
	if i >= len(t.images) {
		return 0, false
	}
	entry, ok := t.images[i].entry.get()
	offset := t.archs[i].offset + entry
	return int64(offset), ok && offset >= entry
}

// all are the files of the target, none where it is not Mach-O.
func all(t *target) []*image {
	switch {
	case t == nil:
		return nil
	case t.single != nil:
		return []*image{t.single}
	}
	return t.images
}

// hasFunction asks for a name in any of the files.
func hasFunction(name, doc string, of func(*image) []string) column.Column[*target] {
	call := func(c *module.Call, args []module.Value) module.Value {
		want, _ := args[0].Text()
		for _, m := range all(scanned(c.Input)) {
			if slices.ContainsFunc(of(m), func(n string) bool { return equalFold(n, want) }) {
				return module.Boolean(true)
			}
		}
		return module.Boolean(false)
	}
	return column.Func[*target](name, doc, module.Bool,
		column.Overload{Params: []module.Kind{module.String}, Call: call})
}

// equalFold compares without regard to the case of ASCII letters.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// hashFunction hashes names of the target or, in a universal file, of its
// first file.
func hashFunction(name, doc string, of func(*image) []string, tidy func(string) string) column.Column[*target] {
	type key struct{ name string }
	call := func(c *module.Call, _ []module.Value) module.Value {
		return c.Input.Memo(key{name}, func() any {
			images := all(scanned(c.Input))
			if len(images) == 0 {
				return module.Value{}
			}
			return hashNames(of(images[0]), tidy)
		}).(module.Value)
	}
	return column.Func[*target](name, doc, module.String, column.Overload{Call: call})
}

// folded is how names are compared for a hash.
func folded(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// hashNames is the MD5 of the different names, sorted and separated by
// commas; undefined where there are none.
func hashNames(names []string, tidy func(string) string) module.Value {
	if len(names) == 0 {
		return module.Value{}
	}
	tidied := make([]string, len(names))
	for i, n := range names {
		tidied[i] = tidy(n)
	}
	slices.Sort(tidied)
	sum := md5.Sum([]byte(strings.Join(slices.Compact(tidied), ",")))
	return module.Text(hex.EncodeToString(sum[:]))
}

// symhashFunction is Anomali's symhash, github.com/threatstream/symhash: over
// the external symbols that are not defined here, as they are written. A file
// with symbols but none of those has the hash of nothing.
func symhashFunction() column.Column[*target] {
	type key struct{}
	call := func(c *module.Call, _ []module.Value) module.Value {
		return c.Input.Memo(key{}, func() any {
			images := all(scanned(c.Input))
			if len(images) == 0 || len(images[0].symbols()) == 0 {
				return module.Value{}
			}
			var names []string
			for _, s := range images[0].symbols() {
				if s.imported() && s.typ&external != 0 {
					names = append(names, s.name)
				}
			}
			if len(names) == 0 {
				names = []string{""}
			}
			return hashNames(names, strings.TrimSpace)
		}).(module.Value)
	}
	return column.Func[*target]("symhash", "The MD5 of the sorted names of undefined external symbols, lower-case hex.",
		module.String, column.Overload{Call: call})
}
