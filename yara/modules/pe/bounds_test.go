package pe_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/pe"
	"github.com/besra-hunt/besra/yara/yaratest"
)

// walk asks for every field of a value, and calls every function of structs
// that takes no more than integers and strings.
func walk(in *module.Input, root module.Value, t *module.Type, v module.Value) {
	switch t.Kind {
	case module.Struct:
		for i, f := range t.Fields {
			if f.Type != nil {
				walk(in, root, f.Type, v.Field(i))
			}
			for _, fn := range f.Funcs {
				call(in, root, v, fn)
			}
		}
	case module.Array:
		if list := v.List(); list != nil {
			for i := range list.Len() {
				walk(in, root, t.Elem, list.At(i))
			}
		}
	case module.Map:
		if dict := v.Dict(); dict != nil {
			for i := range dict.Len() {
				dict.Entry(i)
			}
		}
	case module.String:
		v.Text()
	}
}

func call(in *module.Input, root, self module.Value, fn *module.Func) {
	args := make([]module.Value, len(fn.Params))
	for i, p := range fn.Params {
		switch p {
		case module.Integer:
			args[i] = module.Int(3)
		case module.String:
			args[i] = module.Text("kernel32.dll")
		case module.Regexp:
			args[i] = module.Regex(contains("k"))
		}
	}
	fn.Call(&module.Call{Input: in, Root: root, Self: self}, args)
}

// contains is a regexp that is a literal.
type contains string

func (c contains) MatchString(s string) bool { return strings.Contains(s, string(c)) }

// visit asks for everything of a file.
func visit(data []byte, libyara bool) {
	m := pe.Module()
	in := &module.Input{Data: data, LibYARA: libyara}
	root := m.Load(in)
	walk(in, root, m.Schema, root)
}

// filled adds n bytes made by fill to a file.
func filled(b *builder, n int, fill func(p []byte)) *builder {
	at := b.add(make([]byte, n)...)
	fill(b.data[at-base:])
	return b
}

// repeat fills p with copies of q.
func repeat(q []byte) func(p []byte) {
	return func(p []byte) { copy(p, bytes.Repeat(q, len(p)/len(q)+1)) }
}

// hostile are files that claim as much as they can.
func hostile(t testing.TB) map[string][]byte {
	files := make(map[string][]byte)

	// Every descriptor has all thunks, none of which is a function.
	b := &builder{}
	thunks := b.add(bytes.Repeat([]byte{0xff, 0xff, 0xff, 0xfe}, 65536)...)
	name := b.text("a.dll")
	b = filled(b, 1<<20, repeat(u32s(thunks, 0, 0, name, thunks)))
	b.dir(1, base+uint32(len(b.data)-1<<20), 1<<20)
	files["imports without functions"] = b.bytes()
	b.dir(13, base+uint32(len(b.data)-1<<20), 1<<20)
	files["delayed imports of the same"] = b.bytes()

	// Every thunk is the same long name.
	b = &builder{}
	long := b.add(append([]byte{0, 0}, bytes.Repeat([]byte("n"), 2000)...)...)
	thunks = b.add(bytes.Repeat(u32s(long), 65536)...)
	name = b.text("a.dll")
	b = filled(b, 1<<20, repeat(u32s(thunks, 0, 0, name, thunks)))
	b.dir(1, base+uint32(len(b.data)-1<<20), 1<<20)
	files["imports of one long name"] = b.bytes()

	// Four billion exports, whose addresses are all of the same forwarder.
	b = &builder{}
	forward := b.add(bytes.Repeat([]byte("f"), 5000)...)
	table := b.add(bytes.Repeat(u32s(forward), 1<<17)...)
	all := uint32(1<<32 - 1)
	dir := b.add(u32s(0, 1, 0, forward, 0xfffffff0, all, all, table, table, table)...)
	b.dirs[0] = [2]uint32{dir, 1 << 31}
	files["exports"] = b.bytes()
	le.PutUint32(b.data[dir-base+16:], 0)
	b.dir(0, dir, 40)
	files["exports by name"] = b.bytes()

	files["resources in a circle"] = resourceCircle()
	files["resources without end"] = resourceFlood(65000, 65000, 65000)
	files["many resources"] = resourceFlood(2, 1, 65000)
	files["version information of many resources"] = versionFlood()

	b = &builder{}
	b = filled(b, 1<<20, repeat(u32s(0, 0, 0, 2, 1, 0, 1)))
	b.dir(6, base, 1<<20)
	files["debug entries"] = b.bytes()

	files["rich header"] = richFlood()
	files["sections over each other"] = sectionFlood()
	files["long section names"] = nameFlood()
	for name, data := range signatureFloods(t) {
		files[name] = data
	}
	return files
}

// resourceCircle has a directory of entries that all lead back to it.
func resourceCircle() []byte {
	b := &builder{}
	const n = 65536
	root := b.add(make([]byte, 16+8*n)...)
	p := b.data[root-base:]
	copy(p[12:], u16s(n/2, n/2))
	// The root must not be at offset 0 of the tree: entries lead to a copy.
	at := b.add(append([]byte{}, p[:16]...)...)
	b.data = append(b.data, make([]byte, 8*n)...)
	back := b.data[at-base:]
	for i := range n {
		copy(back[16+8*i:], u32s(uint32(i), 1<<31|(at-root)))
		copy(b.data[int(root-base)+16+8*i:], u32s(uint32(i), 1<<31|(at-root)))
	}
	b.dir(2, root, 16+8*n)
	return b.bytes()
}

// resourceFlood has three levels of entries, as many as counts says, of which
// all of a level lead to the same.
func resourceFlood(counts ...int) []byte {
	var tree []byte
	for level, n := range counts {
		child := uint32(len(tree) + 16 + 8*n)
		if level < 2 {
			child |= 1 << 31
		}
		tree = append(tree, append(make([]byte, 12), u16s(uint16(n/2), uint16(n-n/2))...)...)
		tree = append(tree, bytes.Repeat(u32s(7, child), n)...)
	}
	tree = append(tree, u32s(base, 1, 0, 0)...)
	b := &builder{}
	b.dir(2, b.add(tree...), len(tree))
	return b.bytes()
}

// versionFlood has the same large version information as many times.
func versionFlood() []byte {
	var pairs []string
	for i := range 400 {
		pairs = append(pairs, fmt.Sprint(i), "")
	}
	info := versionInfo(pairs...)
	var languages []node
	for i := range 2000 {
		languages = append(languages, node{id: uint32(i), data: []byte("x")})
	}
	b := &builder{}
	b.resources(node{id: 16, children: []node{{id: 1, children: languages}}})
	at := b.add(info...)
	tree := b.data[b.dirs[2][0]-base:]
	for i := 0; i+16 <= len(tree); i += 4 {
		if le.Uint32(tree[i+4:]) == 1 && le.Uint32(tree[i+8:]) == 0 && le.Uint32(tree[i:]) > base {
			copy(tree[i:], u32s(at, uint32(len(info))))
		}
	}
	return b.bytes()
}

func richFlood() []byte {
	words := make([]uint32, 1<<20)
	words[0] = 0x536e6144
	b := &builder{stub: append(u32s(words...), "Rich\x00\x00\x00\x00"...)}
	file := make([]byte, 64)
	copy(file, "MZ")
	file = append(file, b.stub...)
	le.PutUint32(file[60:], uint32(len(file)))
	small := (&builder{}).bytes()
	return append(file, small[64:]...)
}

// manySections gives a file 96 sections of the same header.
func manySections(f, header []byte) []byte {
	nt := int(le.Uint32(f[60:]))
	le.PutUint16(f[nt+6:], 65535)
	table := nt + 24 + int(le.Uint16(f[nt+20:]))
	out := append([]byte{}, f[:table]...)
	out = append(out, bytes.Repeat(header, 200)...)
	return append(out, f[min(len(out), len(f)):]...)
}

func sectionFlood() []byte {
	b := &builder{}
	b.imports(imported{"a.dll", []string{"b"}})
	b = filled(b, 4<<20, repeat([]byte("x")))
	header := append([]byte("s\x00\x00\x00\x00\x00\x00\x00"), u32s(1<<31, 1, 1<<22, 0, 0, 0, 0, 0)...)
	return manySections(b.bytes(), header)
}

func nameFlood() []byte {
	b := filled(&builder{}, 4<<20, repeat([]byte("x")))
	header := append([]byte("/4\x00\x00\x00\x00\x00\x00"), u32s(1, 1, 1, 1, 0, 0, 0, 0)...)
	f := manySections(b.bytes(), header)
	le.PutUint32(f[le.Uint32(f[60:])+12:], 0x4000) // symbol table
	return f
}

func signatureFloods(t testing.TB) map[string][]byte {
	files := make(map[string][]byte)
	c := newCast(t)
	file := unsignedFile(false)

	s := c.signing()
	for range 3000 {
		s.certificates = append(s.certificates, c.issuer)
	}
	files["certificates"] = sign(unsignedFile(false), s.contentInfo(file))

	nested := c.signing().contentInfo(file)
	for range 40 {
		s := c.signing()
		s.unsigned = nest(nested)
		nested = s.contentInfo(file)
	}
	files["nested signatures"] = sign(unsignedFile(false), nested)

	s = c.signing()
	one := c.signing().contentInfo(file)
	s.unsigned = func([]byte) [][]byte {
		return [][]byte{attr(oid(1, 3, 6, 1, 4, 1, 311, 2, 4, 1), bytes.Repeat(one, 200))}
	}
	files["nested signatures side by side"] = sign(unsignedFile(false), s.contentInfo(file))

	stamp := &signing{by: c.stamper, certificates: []*identity{c.stamper}}
	s = c.signing()
	s.unsigned = func(signature []byte) (list [][]byte) {
		counter := countersign(stamp)(signature)[0]
		for range 200 {
			list = append(list, counter)
		}
		return list
	}
	files["countersignatures"] = sign(unsignedFile(false), s.contentInfo(file))

	var entries [][]byte
	for range 300 {
		entries = append(entries, one)
	}
	files["entries"] = sign(unsignedFile(false), entries...)
	files["unended elements"] = sign(unsignedFile(false), bytes.Repeat([]byte{0x30, 0x80}, 1<<20))
	return files
}

// TestBounds asks for everything of hostile files. The times are far above
// what is needed, and far below what a missing bound takes.
func TestBounds(t *testing.T) {
	const (
		maxTime   = 60 * time.Second
		maxMemory = 400 << 20
	)
	for name, data := range hostile(t) {
		for _, libyara := range []bool{false, true} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			visit(data, libyara)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			allocated := after.TotalAlloc - before.TotalAlloc
			t.Logf("%s (libyara %v): %v, %d MB", name, libyara, took.Round(time.Millisecond), allocated>>20)
			if took > maxTime {
				t.Errorf("%s (libyara %v): took %v", name, libyara, took)
			}
			if allocated > maxMemory {
				t.Errorf("%s (libyara %v): allocated %d MB", name, libyara, allocated>>20)
			}
		}
	}
}

// TestLimits: each bound holds to the letter.
func TestLimits(t *testing.T) {
	files := hostile(t)
	tests := []struct{ name, path, want string }{
		{"imports without functions", "number_of_imports", "0"},
		{"imports of one long name", "number_of_imports", "1"},
		{"imports of one long name", "number_of_imported_functions", "16384"},
		{"exports", "number_of_exports", "16"}, // then ordinals overflow
		{"exports by name", "number_of_exports", "16384"},
		{"resources in a circle", "number_of_resources", "0"},
		{"many resources", "number_of_resources", "65536"},
		{"version information of many resources", "number_of_version_infos", "65536"},
		{"rich header", "rich_signature.length", "65536"},
		{"sections over each other", "number_of_sections", "96"},
		{"certificates", "signatures.0.number_of_certificates", "256"},
		{"nested signatures", "number_of_signatures", "9"},
		{"nested signatures side by side", "number_of_signatures", "64"},
		{"countersignatures", "signatures.0.number_of_countersignatures", "32"},
		{"entries", "number_of_signatures", "64"},
		{"unended elements", "number_of_signatures", "0"},
	}
	for _, tt := range tests {
		in := &module.Input{Data: files[tt.name]}
		if got := fields(t, in, tt.path); got != tt.want {
			t.Errorf("%s: %s is %s, want %s", tt.name, tt.path, got, tt.want)
		}
	}
	full, _ := yaratest.Get(t, pe.Module(), &module.Input{Data: files["long section names"]}, "sections.0.full_name").Text()
	if len(full) != 65536 {
		t.Errorf("the full name of a section has %d bytes, want 65536", len(full))
	}
}
