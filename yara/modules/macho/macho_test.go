package macho

import (
	"bytes"
	"crypto/md5"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/yaratest"
)

// builder makes a Mach-O file: load commands, and after them what they point
// to.
type builder struct {
	order    binary.ByteOrder
	wide     bool
	cpu      uint32
	commands [][]byte
	data     []byte // at dataAt
}

// dataAt is where the data of files begins that are made.
const dataAt = 0x1000

// pack writes numbers in the file's order and strings as they are.
func (b *builder) pack(values ...any) []byte {
	var out bytes.Buffer
	for _, v := range values {
		switch v := v.(type) {
		case string:
			out.WriteString(v)
		case []byte:
			out.Write(v)
		case int:
			_ = binary.Write(&out, b.order, uint32(v))
		default:
			_ = binary.Write(&out, b.order, v)
		}
	}
	return out.Bytes()
}

func (b *builder) command(id uint32, values ...any) {
	body := b.pack(values...)
	b.commands = append(b.commands, b.pack(id, len(body)+8, body))
}

// put appends data and returns its offset and size.
func (b *builder) put(data []byte) (offset, size uint32) {
	offset = dataAt + uint32(len(b.data))
	b.data = append(b.data, data...)
	return offset, uint32(len(data))
}

// word is an address or size, of the file's width.
func (b *builder) word(v uint64) any {
	if b.wide {
		return v
	}
	return uint32(v)
}

func name16(s string) []byte { return append([]byte(s), make([]byte, 16-len(s))...) }

func (b *builder) bytes() []byte {
	magic := uint32(magic32)
	if b.wide {
		magic = magic64
	}
	commands := bytes.Join(b.commands, nil)
	out := b.pack(magic, b.cpu, 3, 2, len(b.commands), len(commands), 0x85)
	if b.wide {
		out = append(out, 0, 0, 0, 0)
	}
	out = append(out, commands...)
	out = append(out, make([]byte, max(dataAt-len(out), 0))...)
	return append(out, b.data...)
}

func (b *builder) segment(name string, address, size, offset uint64, sections ...string) {
	values := []any{name16(name), b.word(address), b.word(size), b.word(offset), b.word(size), 7, 5, len(sections), 0}
	for i, s := range sections {
		values = append(values, name16(s), name16(name), b.word(address+uint64(i)), b.word(16), 0x20, 4, 1, 2, 3, 4, 5)
		if b.wide {
			values = append(values, 6)
		}
	}
	b.command(cmdSegment64, values...)
}

// symbolTable makes symbols of pairs of a name and a type.
func (b *builder) symbolTable(pairs ...any) {
	names, table := "\x00", []byte(nil)
	for i := 0; i < len(pairs); i += 2 {
		table = append(table, b.pack(len(names), uint8(pairs[i+1].(int)), uint8(1), uint16(7), b.word(0x1234))...)
		names += pairs[i].(string) + "\x00"
	}
	symoff, _ := b.put(table)
	stroff, strsize := b.put([]byte(names))
	b.command(cmdSymtab, symoff, len(pairs)/2, stroff, strsize)
}

const entitlements = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
	<key>com.apple.security.app-sandbox</key><true/>
	<key>groups</key>
	<array>
		<string>One</string><string>two &amp; three</string><string>One</string>
	</array>
	<key>dense</key><array><string>not listed</string></array>
</dict></plist>`

// sample is a program with a bit of everything.
func sample(wide bool, order binary.ByteOrder) *builder {
	b := &builder{order: order, wide: wide, cpu: 0x01000007}
	b.segment("__TEXT", 0x100000, 0x2000, 0x40, "__text", "__const")
	b.segment("__LINKEDIT", 0x200000, 0x1000, dataAt)
	b.command(cmdIDDylib, 24, 1700000000, 0x10203, 0x10000, "/usr/lib/me.dylib\x00\x00\x00")
	b.command(cmdLoadDylib, 24, 2, 0x4050607, 0x10000, "/usr/lib/libSystem.B.dylib\x00")
	b.command(cmdRpath, 12, "@loader_path/..\x00")
	b.command(cmdLoadDylinker, 12, "/usr/lib/dyld\x00")
	b.command(cmdMain, uint64(0x1234), uint64(0x8000))
	b.command(cmdSourceVersion, uint64(1<<40|2<<30|3<<20|4<<10|5))
	b.command(cmdUUID, "0123456789ABCDEF")
	b.command(cmdMinMacOS, 0xa0f01, 0xb0000)
	b.command(cmdBuildVersion, 1, 0xc0000, 0xd0102, 2, 3, 0x3a0100, 4, 0x10203)
	b.command(cmdLinkerOption, 2, "-lz\x00-framework\x00")
	b.symbolTable("_main", typeSection|external, "_puts", external, "_debug", stabMask, "_local", typeSection)
	b.command(cmdDysymtab, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
	xml := []byte(entitlements)
	big := func(values ...any) []byte { return (&builder{order: binary.BigEndian}).pack(values...) }
	cms := signedMessage()
	super := big(uint32(0xfade0cc0), 0, 2, 5, 28, 0x10000, 28+8+len(xml))
	super = append(super, big(uint32(blobEntitlements), 8+len(xml), xml, uint32(blobCMS), 8+len(cms), cms)...)
	offset, size := b.put(super)
	b.command(cmdCodeSignature, offset, size)
	return b
}

// signedMessage is the outline of a signed message with one certificate.
func signedMessage() []byte {
	seq := func(parts ...[]byte) []byte { return element1(0x30, parts...) }
	attribute := func(oid asn1.ObjectIdentifier, value string) []byte {
		id, _ := asn1.Marshal(oid)
		return element1(0x31, seq(id, element1(0x0c, []byte(value))))
	}
	issuer := seq(attribute(asn1.ObjectIdentifier{2, 5, 4, 6}, "ES"), attribute(asn1.ObjectIdentifier{2, 5, 4, 3}, "Root"))
	subject := seq(attribute(asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}, "ID7"), attribute(asn1.ObjectIdentifier{1, 2, 3}, "x"))
	one := element1(2, []byte{1})
	certificate := seq(seq(element1(0xa0, one), one, seq(), issuer, seq(), subject, seq()), seq(), element1(3, []byte{0}))
	oid, _ := asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2})
	return seq(oid, element1(0xa0, seq(one, element1(0x31), seq(oid), element1(0xa0, certificate))))
}

func element1(tag byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	if len(body) < 0x80 {
		return append([]byte{tag, byte(len(body))}, body...)
	}
	return append([]byte{tag, 0x82, byte(len(body) >> 8), byte(len(body))}, body...)
}

func fat(files ...[]byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, fatMagic32)
	out = binary.BigEndian.AppendUint32(out, uint32(len(files)))
	at := 0x100
	for i, f := range files {
		for _, v := range []int{0x01000007 + i, 3, at, len(f), 12} {
			out = binary.BigEndian.AppendUint32(out, uint32(v))
		}
		at += len(f)
	}
	out = append(out, make([]byte, 0x100-len(out))...)
	return append(out, bytes.Join(files, nil)...)
}

func show(t testing.TB, data []byte, path string, args ...any) string {
	t.Helper()
	m, in := Module(), &module.Input{Data: data}
	if name, ok := strings.CutSuffix(path, "()"); ok {
		return yaratest.Show(yaratest.Call(t, m, in, name, args...))
	}
	if name, ok := strings.CutSuffix(path, ".len"); ok {
		return fmt.Sprint(yaratest.Get(t, m, in, name).List().Len())
	}
	return yaratest.Show(yaratest.Get(t, m, in, path))
}

func sum(s string) string {
	h := md5.Sum([]byte(s))
	return `"` + hex.EncodeToString(h[:]) + `"`
}

func TestFields(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, wide := range []bool{false, true} {
			data := sample(wide, order).bytes()
			for path, want := range sampleFields {
				if got := show(t, data, path); got != want {
					t.Errorf("%v wide=%v %s: got %s, want %s", order, wide, path, got, want)
				}
			}
		}
	}
	if got := show(t, sample(true, binary.LittleEndian).bytes(), "magic"); got != fmt.Sprint(uint32(magic64Little)) {
		t.Errorf("magic: got %s", got)
	}
	if got := show(t, sample(false, binary.LittleEndian).bytes(), "reserved"); got != "undefined" {
		t.Errorf("reserved in a 32-bit file: got %s", got)
	}
}

var sampleFields = map[string]string{
	"cputype": "16777223", "cpusubtype": "3", "filetype": "2", "ncmds": "15", "flags": "133",
	"number_of_segments": "2", "segments.len": "2", "segments.0.segname": `"__TEXT"`, "segments.0.filesize": "8192", "segments.0.fsize": "8192",
	"segments.0.sections.1.sectname": `"__const"`, "segments.0.sections.1.segname": `"__TEXT"`, "segments.0.sections.0.reserved2": "5",
	"segments.0.sections.0.nreloc": "2", "segments.0.maxprot": "7", "segments.0.initprot": "5", "segments.1.fileoff": "4096",
	"dylibs.len": "2", "dylibs.0.name": `"/usr/lib/me.dylib"`, "dylibs.0.current_version": `"1.2.3"`, "dylibs.1.timestamp": "2",
	"rpaths.0": `"@loader_path/.."`, "dynamic_linker": `"/usr/lib/dyld"`, "entry_point": "4660", "stack_size": "32768",
	"source_version": `"1.2.3.4.5"`, "uuid": `"30313233-3435-3637-3839-414243444546"`,
	"min_version.device": "36", "min_version.version": `"10.15.1"`, "min_version.sdk": `"11.0.0"`,
	"build_version.platform": "1", "build_version.minos": `"12.0.0"`, "build_version.sdk": `"13.1.2"`, "build_version.ntools": "2",
	"build_version.tools.1.tool": "4", "build_version.tools.1.version": `"1.2"`,
	"linker_options.len": "2", "linker_options.1": `"-framework"`,
	"symtab.nsyms": "4", "symtab.entries.2": `"_debug"`, "symtab.nlists.0.n_desc": "7", "symtab.nlists.1.n_type": "1", "symtab.nlists.0.n_value": "4660",
	"dysymtab.nlocrel": "15", "dysymtab.tocoff": "4", "dysymtab.iundefsym": "undefined", "dyld_info.bind_off": "undefined",
	"entitlements.len": "5", "entitlements.0": `"com.apple.security.app-sandbox"`, "entitlements.2": `"One"`, "entitlements.3": `"two & three"`,
	"entitlements.4":   `"dense"`,
	"certificates.len": "1", "certificates.0.issuer": `"C=ES, CN=Root"`, "certificates.0.subject": `"uid=ID7, OID(1.2.3)=x"`,
	"certificates.0.is_self_signed": "false",
	"exports.len":                   "1", "exports.0": `"_main"`, "imports.len": "1", "imports.0": `"_puts"`,
	"fat_magic": "undefined", "nfat_arch": "undefined", "file.len": "0", "fat_arch.len": "0",
	"dylib_hash()": sum("/usr/lib/libsystem.b.dylib,/usr/lib/me.dylib"), "export_hash()": sum("_main"), "import_hash()": sum("_puts"),
	"symhash()": sum("_puts"),
}

func TestFunctions(t *testing.T) {
	one, arm := sample(true, binary.LittleEndian).bytes(), sample(true, binary.BigEndian)
	arm.cpu = 0x01000008
	data := fat(one, arm.bytes())
	for _, test := range []struct {
		path string
		args []any
		want string
	}{
		{"has_dylib()", []any{"/USR/lib/libSystem.b.dylib"}, "true"},
		{"has_dylib()", []any{"libSystem.B.dylib"}, "false"},
		{"has_rpath()", []any{"@LOADER_path/.."}, "true"},
		{"has_entitlement()", []any{"COM.apple.security.app-sandbox"}, "true"},
		{"has_import()", []any{"_PUTS"}, "true"},
		{"has_export()", []any{"_puts"}, "false"},
		{"file_index_for_arch()", []any{0x01000008}, "1"},
		{"file_index_for_arch()", []any{0x01000008, 3}, "1"},
		{"file_index_for_arch()", []any{0x01000008, 4}, "undefined"},
		{"entry_point_for_arch()", []any{0x01000007}, fmt.Sprint(0x100 + 0x1234)},
		{"entry_point_for_arch()", []any{0x01000008, 3}, fmt.Sprint(0x100 + len(one) + 0x1234)},
		{"entry_point_for_arch()", []any{9}, "undefined"},
		{"dylib_hash()", nil, sum("/usr/lib/libsystem.b.dylib,/usr/lib/me.dylib")},
		{"fat_magic", nil, fmt.Sprint(uint32(fatMagic32))},
		{"file.1.dylibs.1.name", nil, `"/usr/lib/libSystem.B.dylib"`},
		{"fat_arch.1.align", nil, "12"},
		{"magic", nil, "undefined"},
		{"segments.len", nil, "0"},
	} {
		if got := show(t, data, test.path, test.args...); got != test.want {
			t.Errorf("%s %v: got %s, want %s", test.path, test.args, got, test.want)
		}
	}
}

// TestFatOfOne: a universal file of one file counts as that file, but not for
// libyara.
func TestFatOfOne(t *testing.T) {
	data := fat(sample(true, binary.LittleEndian).bytes(), []byte("not Mach-O"))
	if got := show(t, data, "ncmds"); got != "15" {
		t.Errorf("ncmds: got %s", got)
	}
	if got := show(t, data, "file_index_for_arch()", 0x01000007); got != "undefined" {
		t.Errorf("file_index_for_arch: got %s", got)
	}
	in := &module.Input{Data: data, LibYARA: true}
	if got := yaratest.Show(yaratest.Get(t, Module(), in, "nfat_arch")); got != "2" {
		t.Errorf("nfat_arch under libyara's dialect: got %s", got)
	}
}

func TestDamaged(t *testing.T) {
	whole := sample(true, binary.LittleEndian).bytes()
	with := func(command uint32, values ...any) []byte {
		b := &builder{order: binary.LittleEndian, wide: true, cpu: 7}
		b.command(command, values...)
		return b.bytes()
	}
	for _, test := range []struct {
		name, path, want string
		data             []byte
	}{
		{"nothing", "magic", "undefined", nil},
		{"nothing", "has_dylib()", "false", nil},
		{"nothing", "dylib_hash()", "undefined", nil},
		{"header cut short", "magic", "undefined", whole[:31]},
		{"header only", "ncmds", "15", whole[:32]},
		{"header only", "segments.len", "0", whole[:32]},
		{"command cut short", "segments.len", "1", whole[:0x110]},
		{"too many sections", "segments.len", "0", with(cmdSegment64, name16("a"), uint64(1), uint64(1), uint64(1), uint64(1), 7, 7, 2, 0)},
		{"too many tools", "build_version.platform", "undefined", with(cmdBuildVersion, 1, 2, 3, 1<<30)},
		{"short path", "rpaths.len", "0", with(cmdRpath, "abc")},
		{"no NUL", "rpaths.0", `"abc"`, with(cmdRpath, 12, "abc")},
		{"options without end", "linker_options.len", "0", with(cmdLinkerOption, 2, "-lz\x00-x")},
		{"short identity", "uuid", `"30313233-3435-"`, with(cmdUUID, "012345", make([]byte, 10))},
		{"thread at no address", "entry_point", "undefined", with(cmdUnixThread, 1, 16, make([]byte, 64))},
		{"signature beyond the end", "entitlements.len", "0", with(cmdCodeSignature, 0x1000, 1<<30)},
	} {
		args := []any{"x"}
		if test.path != "has_dylib()" {
			args = nil
		}
		if got := show(t, test.data, test.path, args...); got != test.want {
			t.Errorf("%s: %s: got %s, want %s", test.name, test.path, got, test.want)
		}
	}
}

// TestThread: the address in a thread's state, through the segments.
func TestThread(t *testing.T) {
	for cpu, reg := range registers {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			b := &builder{order: order, wide: true, cpu: cpu}
			b.segment("__TEXT", 0x4000, 0x1000, 0x300)
			state := make([]byte, reg.size)
			if reg.wide {
				order.PutUint64(state[reg.at:], 0x4010)
			} else {
				order.PutUint32(state[reg.at:], 0x4010)
			}
			b.command(cmdUnixThread, 1, 2, state)
			if got := show(t, b.bytes(), "entry_point"); got != fmt.Sprint(0x310) {
				t.Errorf("processor %#x, %v: got %s", cpu, order, got)
			}
		}
	}
}

// TestDynamicLinker reads names from what the dynamic linker is told.
func TestDynamicLinker(t *testing.T) {
	b := &builder{order: binary.LittleEndian, wide: true}
	trie, size := b.put([]byte("\x00\x02_a\x00\x0a_b\x00\x11\x02\x00\x05\x01c\x00\x15\x02\x00\x07\x00\x02\x00\x01\x00"))
	bind, bindSize := b.put([]byte("\x11\x40_one\x00\x72\x81\x01\x90\x40_two\x00\x60\x7f\x40_one\x00\x40\xff\x00\xc0\x01\x02"))
	b.command(cmdDyldInfoOnly, 0, 0, bind, bindSize, bind, bindSize, 0, 0, trie, size)
	data := b.bytes()
	for path, want := range map[string]string{
		"exports.len": "3", "imports.len": "2", "imports.0": `"_one"`, "imports.1": `"_two"`, "exports.0": `"_b"`, "exports.2": `"_ac"`,
	} {
		if got := show(t, data, path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestChainedFixups(t *testing.T) {
	for format, entry := range map[int][]any{
		1: {uint32(1<<9 | 1), uint32(6<<9 | 1)},
		2: {uint32(1 << 9), uint32(0), uint32(6 << 9), uint32(0)},
		3: {uint64(1 << 32), uint64(0), uint64(6 << 32), uint64(0)},
	} {
		b := &builder{order: binary.LittleEndian, wide: true}
		table := b.pack(entry...)
		data := b.pack(0, 0, 28, 28+len(table), 2, format, 0, table, "\x00_one\x00_two\x00")
		offset, size := b.put(data)
		b.command(cmdChainedFixups, offset, size)
		if got := show(t, b.bytes(), "imports.1"); got != `"_two"` {
			t.Errorf("format %d: got %s", format, got)
		}
	}
}

func TestEntitlements(t *testing.T) {
	for _, test := range []struct {
		in   string
		want int
	}{
		{"<a><key>x</key></a>", 1},
		{"<a><key></key></a>", 0},
		{"<a><key>x</key></a>\x00", 0},
		{"<a><key>x</key></a><b/>", 0},
		{"<a><key>x</key>", 0},
		{"<a><key>x</key></a> trailing", 0},
		{"<a xmlns='u'><key>x</key></a>", 0},
		{"<a><!-- c --><key><![CDATA[x]]></key></a>", 1},
		{strings.Repeat("<a>", 1000) + strings.Repeat("</a>", 1000), 0},
	} {
		if got := len(entitlementsIn([]byte(test.in))); got != test.want {
			t.Errorf("%.40q: got %d, want %d", test.in, got, test.want)
		}
	}
}

// TestBounds asks for everything in files made to cost as much as they can.
func TestBounds(t *testing.T) {
	start := time.Now()
	b := &builder{order: binary.LittleEndian, wide: true}
	deep := bytes.Repeat([]byte("\x00\x01a\x00"), 1<<16) // a chain of nodes
	for i := 0; i+8 < len(deep); i += 8 {
		copy(deep[i:], []byte{1, 0, 1, 'a', 0, byte(i+8)&0x7f | 0x80, byte((i+8)>>7)&0x7f | 0x80, byte((i + 8) >> 14)})
	}
	offset, size := b.put(deep)
	b.command(cmdExportsTrie, offset, size)
	names, count := b.put(append(bytes.Repeat([]byte{'a'}, 1<<18), 0))
	b.command(cmdSymtab, offset, uint32(1<<31), names, count)
	b.command(cmdChainedFixups, offset, size)
	one := b.bytes()
	drain(t, Module(), one)
	wide := binary.BigEndian.AppendUint32(nil, fatMagic32)
	wide = binary.BigEndian.AppendUint32(wide, 5000)
	for range 5000 {
		for _, v := range []uint32{7, 3, 5000*20 + 8, uint32(len(one)), 0} {
			wide = binary.BigEndian.AppendUint32(wide, v)
		}
	}
	whole := append(wide, one...)
	if got := len(parse(whole, false).images); got != maxFiles {
		t.Errorf("%d files, the limit is %d", got, maxFiles)
	}
	drain(t, Module(), whole)
	if d := time.Since(start); d > 60*time.Second {
		t.Errorf("took %v", d)
	}
}

// drain asks for every value of a target.
func drain(t testing.TB, m *module.Module, data []byte) {
	in := &module.Input{Data: data}
	walk(m.Load(in), m.Schema)
	for _, name := range []string{"dylib_hash", "entitlement_hash", "export_hash", "import_hash", "symhash"} {
		yaratest.Call(t, m, in, name)
	}
	yaratest.Call(t, m, in, "has_export", "x")
	yaratest.Call(t, m, in, "entry_point_for_arch", 7)
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

func FuzzMachO(f *testing.F) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		f.Add(sample(true, order).bytes())
		f.Add(sample(false, order).bytes())
	}
	f.Add(fat(sample(true, binary.LittleEndian).bytes(), sample(false, binary.BigEndian).bytes()))
	m := Module()
	f.Fuzz(func(t *testing.T, data []byte) { drain(t, m, data) })
}

func FuzzEntitlements(f *testing.F) {
	f.Add([]byte(entitlements))
	f.Fuzz(func(t *testing.T, data []byte) { entitlementsIn(data) })
}

func FuzzCertificates(f *testing.F) {
	f.Add(signedMessage())
	f.Fuzz(func(t *testing.T, data []byte) { certificatesIn(data) })
}
