package elf

import (
	"crypto/md5"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

type fileKey struct{}

// scanned returns the target as an ELF file, nil where it is none, and reads
// it once a scan.
func scanned(in *module.Input) *file {
	if len(in.Data) < identSize || string(in.Data[:4]) != magic {
		return nil
	}
	return in.Memo(fileKey{}, func() any { return fileOf(in) }).(*file)
}

// hashColumn is a function without arguments; in a target that is no ELF file
// it gives the hash of no symbols, as in YARA-X.
func hashColumn(name, doc string, of func(*file) module.Value) column.Column[*file] {
	call := func(c *module.Call, _ []module.Value) module.Value {
		f := scanned(c.Input)
		if f == nil {
			return notELF(c.Input, of)
		}
		return of(f)
	}
	return column.Func[*file](name, doc, module.String, column.Overload{Call: call})
}

func notELF(in *module.Input, of func(*file) module.Value) module.Value {
	if in.LibYARA {
		return module.Value{}
	}
	none := func() []symbol { return nil }
	f := &file{dynsym: none, symtab: none}
	f.importDigest, f.telfDigest = f.hashImports, f.hashFunctions
	return of(f)
}

// hashed are the symbols that the hashes are about.
func (f *file) hashed() []symbol {
	if symbols := f.dynsym(); len(symbols) > 0 {
		return symbols
	}
	return f.symtab()
}

// joined are the names of the symbols that are wanted, in lower case, sorted
// and separated by commas. libyara has none where no symbol is wanted.
func (f *file) joined(wanted func(symbol, string) bool) (string, bool) {
	var names []string
	for _, s := range f.hashed() {
		n, ok := f.hashName(s)
		if ok && wanted(s, n) {
			names = append(names, f.lower(n))
		}
	}
	slices.Sort(names)
	return strings.Join(names, ","), len(names) > 0 || !f.libyara
}

func (f *file) hashName(s symbol) (string, bool) {
	if f.libyara {
		return string(s.name), s.name != nil
	}
	return s.name.text()
}

// lower folds letters: of ASCII only for libyara.
func (f *file) lower(s string) string {
	if !f.libyara {
		return strings.ToLower(s)
	}
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func (f *file) hashImports() module.Value {
	names, ok := f.joined(func(s symbol, n string) bool { return s.section == 0 && n != "" })
	if !ok {
		return module.Value{}
	}
	sum := md5.Sum([]byte(names))
	return module.Text(hex.EncodeToString(sum[:]))
}

// hashFunctions is Trend Micro's telfhash, github.com/trendmicro/telfhash.
func (f *file) hashFunctions() module.Value {
	names, ok := f.joined(func(s symbol, n string) bool {
		return s.typ() == typeFunc && s.bind() == bindGlobal && s.visibility() == visibleDefault && telling(n)
	})
	if !ok {
		return module.Value{}
	}
	digest, ok := tlsh([]byte(names))
	if !ok {
		return module.Value{}
	}
	return module.Text(digest)
}

// commonplace are functions that every program has.
var commonplace = []string{
	"__libc_start_main", "main", "abort", "cachectl", "cacheflush", "puts", "atol", "malloc_trim",
}

// telling reports whether a function's name tells programs apart: compilers
// choose those of memory, of strings and of 64-bit variants.
func telling(n string) bool {
	for _, prefix := range []string{".", "_", "mem", "str"} {
		if strings.HasPrefix(n, prefix) {
			return false
		}
	}
	return !strings.HasSuffix(n, "64") && !slices.Contains(commonplace, n)
}
