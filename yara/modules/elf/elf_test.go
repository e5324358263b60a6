package elf

import (
	"bytes"
	stdelf "debug/elf"
	"encoding/binary"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/yaratest"
)

// built is an ELF file to be made.
type built struct {
	wide     bool
	order    binary.ByteOrder
	typ      uint16
	entry    uint64
	names    string // the string table of sections and symbols
	sections []stdelf.Section64
	segments []stdelf.Prog64
	symbols  []stdelf.Sym64
	dynamic  []stdelf.Dyn64
}

// The offsets of parts, the same in all files that are made.
const (
	atSegments = 0x80
	atNames    = 0x400
	atSymbols  = 0x1000
	atDynamic  = 0x2000
	atSections = 0x3000
)

// sample is a program with three sections and four symbols.
func sample(wide bool, order binary.ByteOrder) *built {
	b := &built{
		wide: wide, order: order, typ: 2, entry: 0x401234,
		names: "\x00.text\x00.symtab\x00.strtab\x00open\x00Close\x00memcpy\x00caf\xe9\x00",
		sections: []stdelf.Section64{
			{},
			{Name: 1, Type: 1, Flags: 6, Addr: 0x401000, Off: 0x1000, Size: 0x500},
			{Name: 7, Type: sectionDynsym, Off: atSymbols, Link: 3},
			{Name: 15, Type: sectionStrtab, Off: atNames},
		},
		segments: []stdelf.Prog64{
			{Type: 1, Flags: 5, Off: 0x1000, Vaddr: 0x401000, Paddr: 0x1, Filesz: 0x500, Memsz: 0x600, Align: 0x1000},
			{Type: segmentDynamic, Flags: 6, Off: atDynamic},
		},
		dynamic: []stdelf.Dyn64{{Tag: 1, Val: 23}, {Tag: 0x6ffffffb, Val: 1}, {}, {Tag: 5, Val: 5}},
		symbols: []stdelf.Sym64{
			{},
			{Name: 23, Info: 0x12, Other: 4},
			{Name: 28, Info: 0x12, Value: 0x401234, Size: 9, Shndx: 1},
			{Name: 34, Info: 0x22, Other: 2},
			{Name: 41, Info: 0x11},
		},
	}
	b.sections[2].Size = uint64(len(b.symbols)) * b.size(16, 24)
	b.sections[3].Size = uint64(len(b.names))
	b.segments[1].Filesz = uint64(len(b.dynamic)) * b.size(8, 16)
	return b
}

func (b *built) size(narrow, wide uint64) uint64 {
	if b.wide {
		return wide
	}
	return narrow
}

// bytes lays the file out, with the section table at its end.
func (b *built) bytes() []byte {
	data := make([]byte, atSections)
	put := func(at int, v any) {
		var out bytes.Buffer
		_ = binary.Write(&out, b.order, v)
		if end := at + out.Len(); end > len(data) {
			data = append(data, make([]byte, end-len(data))...)
		}
		copy(data[at:], out.Bytes())
	}
	put(0, b.header())
	put(atNames, []byte(b.names))
	for i, s := range b.segments {
		put(atSegments+i*int(b.size(32, 56)), b.segment(s))
	}
	for i, s := range b.symbols {
		put(atSymbols+i*int(b.size(16, 24)), b.symbol(s))
	}
	for i, d := range b.dynamic {
		if b.wide {
			put(atDynamic+i*16, d)
		} else {
			put(atDynamic+i*8, stdelf.Dyn32{Tag: int32(d.Tag), Val: uint32(d.Val)})
		}
	}
	for i, s := range b.sections {
		put(atSections+i*int(b.size(40, 64)), b.section(s))
	}
	return data
}

func (b *built) header() any {
	h := stdelf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 3}, Type: b.typ, Machine: 62, Entry: b.entry, Phoff: atSegments, Shoff: atSections,
		Phentsize: 56, Phnum: uint16(len(b.segments)), Shentsize: 64, Shnum: uint16(len(b.sections)), Shstrndx: 3,
	}
	if b.order == binary.BigEndian {
		h.Ident[5] = 2
	}
	if b.wide {
		return h
	}
	h.Ident[4] = 1
	return stdelf.Header32{
		Ident: h.Ident, Type: h.Type, Machine: h.Machine, Entry: uint32(h.Entry), Phoff: atSegments, Shoff: atSections,
		Phentsize: 32, Phnum: h.Phnum, Shentsize: 40, Shnum: h.Shnum, Shstrndx: h.Shstrndx,
	}
}

func (b *built) segment(s stdelf.Prog64) any {
	if b.wide {
		return s
	}
	return stdelf.Prog32{
		Type: s.Type, Flags: s.Flags, Off: uint32(s.Off), Vaddr: uint32(s.Vaddr), Paddr: uint32(s.Paddr),
		Filesz: uint32(s.Filesz), Memsz: uint32(s.Memsz), Align: uint32(s.Align),
	}
}

func (b *built) section(s stdelf.Section64) any {
	if b.wide {
		return s
	}
	return stdelf.Section32{
		Name: s.Name, Type: s.Type, Flags: uint32(s.Flags), Addr: uint32(s.Addr), Off: uint32(s.Off), Size: uint32(s.Size), Link: s.Link,
	}
}

func (b *built) symbol(s stdelf.Sym64) any {
	if b.wide {
		return s
	}
	return stdelf.Sym32{Name: s.Name, Info: s.Info, Other: s.Other, Shndx: s.Shndx, Value: uint32(s.Value), Size: uint32(s.Size)}
}

func input(data []byte) *module.Input { return &module.Input{Data: data} }

// show is the value at a path as text.
func show(t testing.TB, in *module.Input, path string) string {
	t.Helper()
	m := Module()
	if name, ok := strings.CutSuffix(path, "()"); ok {
		return yaratest.Show(yaratest.Call(t, m, in, name))
	}
	if name, ok := strings.CutSuffix(path, ".len"); ok {
		return yaratest.Show(module.Int(int64(yaratest.Get(t, m, in, name).List().Len())))
	}
	return yaratest.Show(yaratest.Get(t, m, in, path))
}

func TestFields(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, wide := range []bool{false, true} {
			in := input(sample(wide, order).bytes())
			for path, want := range map[string]string{
				"type": "2", "machine": "62", "osabi": "3", "entry_point": "4660", // 0x1234
				"number_of_sections": "4", "number_of_segments": "2", "sections.len": "4", "segments.len": "2",
				"sh_offset": "12288", "ph_offset": "128",
				"sections.1.name": `".text"`, "sections.1.flags": "6", "sections.1.address": "4198400", "sections.1.size": "1280",
				"sections.0.name": `""`, "sections.4.name": "undefined",
				"segments.0.flags": "5", "segments.0.memory_size": "1536", "segments.0.file_size": "1280",
				"segments.0.physical_address": "1", "segments.0.alignment": "4096", "segments.0.virtual_address": "4198400",
				"dynamic_section_entries": "2", "dynamic.1.type": "1879048187", "dynamic.0.val": "23", "dynamic.2.val": "undefined",
				"symtab_entries": "0", "dynsym_entries": "5", "dynsym.2.name": `"Close"`, "dynsym.2.value": "4198964",
				"dynsym.2.size": "9", "dynsym.2.shndx": "1", "dynsym.3.bind": "2", "dynsym.3.visibility": "2", "dynsym.1.visibility": "0",
				"dynsym.1.type": "2", "dynsym.4.name": "\"caf\uFFFD\"",
				// md5 of "caf\uFFFD,memcpy,open"
				"import_md5()": `"` + md5Text("caf\uFFFD,memcpy,open") + `"`,
				"telfhash()":   "undefined", // too short
			} {
				if got := show(t, in, path); got != want {
					t.Errorf("%v wide=%v %s: got %s, want %s", order, wide, path, got, want)
				}
			}
		}
	}
}

func TestDamaged(t *testing.T) {
	whole := sample(true, binary.LittleEndian)
	change := func(f func(b *built)) []byte {
		b := sample(true, binary.LittleEndian)
		f(b)
		return b.bytes()
	}
	empty := `"` + md5Text("") + `"`
	for _, test := range []struct {
		name, path, want string
		data             []byte
	}{
		{"nothing", "type", "undefined", nil},
		{"nothing", "sections.len", "0", nil},
		{"nothing", "import_md5()", empty, nil},
		{"header cut short", "osabi", "undefined", whole.bytes()[:0x3f]},
		{"header only", "osabi", "3", whole.bytes()[:0x40]},
		{"header only", "sections.len", "0", whole.bytes()[:0x40]},
		{"header only", "symtab_entries", "undefined", whole.bytes()[:0x40]},
		{"header only", "dynamic_section_entries", "0", whole.bytes()[:0x40]},
		{"no section table", "entry_point", "4660", whole.bytes()[:atSections+10]},
		{"class 3", "type", "undefined", append([]byte("\x7fELF\x03\x01"), whole.bytes()[6:]...)},
		{"order 3", "type", "undefined", append([]byte("\x7fELF\x02\x03"), whole.bytes()[6:]...)},
		{"entry in no segment", "entry_point", "undefined", change(func(b *built) { b.entry = 0x500000 })},
		{"no entry", "entry_point", "undefined", change(func(b *built) { b.entry = 0 })},
		{"segment wraps", "entry_point", "undefined", change(func(b *built) { b.segments[0].Memsz = 1<<64 - 1 })},
		{"object", "entry_point", "4660", change(func(b *built) { b.typ = 1 })},
		{"object, no bits", "entry_point", "undefined", change(func(b *built) { b.typ, b.sections[1].Type = 1, 8 })},
		{"symbols beyond the end", "dynsym_entries", "0", change(func(b *built) { b.sections[2].Size = 1 << 40 })},
		{"symbols wrap", "dynsym_entries", "0", change(func(b *built) { b.sections[2].Off = 1<<64 - 8 })},
		{"link to nothing", "dynsym.1.name", "undefined", change(func(b *built) { b.sections[2].Link = 77 })},
		{"name beyond the end", "sections.1.name", "undefined", change(func(b *built) { b.sections[1].Name = 1 << 31 })},
		{"type with the top bit", "sections.1.type", "-2147483647", change(func(b *built) { b.sections[1].Type = 1<<31 + 1 })},
	} {
		if got := show(t, input(test.data), test.path); got != test.want {
			t.Errorf("%s: %s: got %s, want %s", test.name, test.path, got, test.want)
		}
	}
}

// TestLibYARA is about answers that differ under libyara's dialect.
func TestLibYARA(t *testing.T) {
	b := sample(true, binary.LittleEndian)
	b.typ = typeDyn
	b.sections[1].Off = 0x2000
	in := input(b.bytes())
	in.LibYARA = true
	for path, want := range map[string]string{
		"entry_point":             "8756", // by sections
		"dynamic_section_entries": "3",    // with the end mark
		"symtab_entries":          "undefined",
		"import_md5()":            `"` + md5Text("caf\xe9,memcpy,open") + `"`,
	} {
		if got := show(t, in, path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	in = &module.Input{LibYARA: true}
	if got := show(t, in, "import_md5()"); got != "undefined" {
		t.Errorf("import_md5 of nothing: got %s", got)
	}
}

// TestOwnProgram compares with the standard library on this test's program.
func TestOwnProgram(t *testing.T) {
	path, err := os.Executable()
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("the test's program is no ELF file")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := stdelf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	f := fileOf(input(data))
	sections := f.listedSections()
	if len(sections) != len(want.Sections) || len(f.segments()) != len(want.Progs) {
		t.Fatalf("got %d sections and %d segments, want %d and %d", len(sections), len(f.segments()), len(want.Sections), len(want.Progs))
	}
	for i, s := range want.Sections {
		if got, _ := sections[i].name.text(); got != s.Name || sections[i].offset != s.Offset || sections[i].size != s.Size {
			t.Errorf("section %d: got %s %#x %#x, want %+v", i, got, sections[i].offset, sections[i].size, s.SectionHeader)
		}
	}
	symbols, _ := want.Symbols() // leaves out the first
	for i, s := range symbols {
		if got, _ := f.symtab()[i+1].name.text(); got != s.Name {
			t.Fatalf("symbol %d: got %s, want %s", i, got, s.Name)
		}
	}
}

// TestBounds asks for everything in files made to cost as much as they can.
func TestBounds(t *testing.T) {
	long := sample(true, binary.LittleEndian)
	long.names = "\x00" + strings.Repeat("a", 1<<20)
	hostile := bytes.Repeat([]byte{1, 0, 0, 0, 0x12, 0, 0, 0}, 1<<17)
	data := append(long.bytes(), hostile...)
	set := func(off uint64, v uint64) { binary.LittleEndian.PutUint64(data[off:], v) }
	set(atSections+2*64+0x18, uint64(len(data)-len(hostile)))
	set(atSections+2*64+0x20, uint64(len(hostile)))
	start := time.Now()
	drain(t, data)
	many := sample(true, binary.LittleEndian)
	for range 300 {
		many.segments = append(many.segments, stdelf.Prog64{Type: segmentDynamic, Off: atSections, Filesz: 1 << 20})
	}
	many.entry = 1
	table := append(many.bytes(), bytes.Repeat([]byte{1}, 1<<20)...)
	if got := len(fileOf(input(table)).dynamic()); got > maxDynamic {
		t.Errorf("%d dynamic entries, the limit is %d", got, maxDynamic)
	}
	drain(t, table)
	binary.LittleEndian.PutUint16(table[0x38:], 30000) // segments, all dynamic
	for i := 0; i < 30000; i++ {
		binary.LittleEndian.PutUint32(table[(atSegments+i*56)%(len(table)-4):], segmentDynamic)
	}
	for _, libyara := range []bool{false, true} {
		in := &module.Input{Data: table, LibYARA: libyara}
		walk(Module().Load(in), Module().Schema)
	}
	if d := time.Since(start); d > 60*time.Second {
		t.Errorf("took %v", d)
	}
}

// drain asks for every value of a target.
func drain(t testing.TB, data []byte) {
	m := Module()
	in := input(data)
	walk(m.Load(in), m.Schema)
	for _, name := range []string{"telfhash", "import_md5"} {
		yaratest.Call(t, m, in, name)
	}
}

func walk(v module.Value, typ *module.Type) {
	switch {
	case typ == nil:
	case typ.Kind == module.Struct:
		for i, f := range typ.Fields {
			walk(v.Field(i), f.Type)
		}
	case typ.Kind == module.Array && v.List() != nil:
		for i := range v.List().Len() {
			walk(v.List().At(i), typ.Elem)
		}
	}
}

func FuzzELF(f *testing.F) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, wide := range []bool{false, true} {
			f.Add(sample(wide, order).bytes(), false)
			f.Add(sample(wide, order).bytes(), true)
		}
	}
	m := Module()
	f.Fuzz(func(t *testing.T, data []byte, libyara bool) {
		in := &module.Input{Data: data, LibYARA: libyara}
		walk(m.Load(in), m.Schema)
		yaratest.Call(t, m, in, "telfhash")
		yaratest.Call(t, m, in, "import_md5")
	})
}
