package vba_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/besra-hunt/besra/yara/internal/container/containertest"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/vba"
	"github.com/besra-hunt/besra/yara/yaratest"
)

// le joins little-endian numbers and bytes; sized is bytes after their length.
type sized []byte

func le(v ...any) []byte {
	var b bytes.Buffer
	for _, v := range v {
		switch v := v.(type) {
		case string:
			b.WriteString(v)
		case []byte:
			b.Write(v)
		case sized:
			binary.Write(&b, binary.LittleEndian, uint32(len(v)))
			b.Write(v)
		default:
			binary.Write(&b, binary.LittleEndian, v)
		}
	}
	return b.Bytes()
}

type u16 = uint16
type u32 = uint32

func wide(s string) []byte { return le(utf16.Encode([]rune(s))) }

// compress makes a container of chunks of literals.
func compress(text []byte) []byte {
	out := []byte{1}
	for len(text) > 0 {
		part := text[:min(len(text), 3000)]
		text = text[len(part):]
		var chunk []byte
		for i := 0; i < len(part); i += 8 {
			chunk = append(append(chunk, 0), part[i:min(i+8, len(part))]...)
		}
		out = append(le(out, u16(0xb000|len(chunk)-1)), chunk...)
	}
	return out
}

// document says what of a sample differs from a sound one.
type document struct {
	codePage uint16
	locale   uint32
	offset   uint32
	code     []byte
}

func sound() document {
	return document{codePage: 1252, locale: 0x409, offset: 5, code: le("12345", compress([]byte("Sub \xc4\r\nEnd Sub")))}
}

func (d document) directory() []byte {
	module := func(name, stream string, kind uint16) []byte {
		return le(u16(0x19), sized(name), u16(0x47), sized(wide("Modül"+name)), u16(0x1a), sized(stream), u16(0x32), sized(wide(stream)),
			u16(0x1c), sized(nil), u16(0x48), sized(nil), u16(0x31), u32(4), d.offset, u16(0x1e), u32(4), u32(0),
			u16(0x2c), u32(2), u16(0xffff), kind, u32(0), u16(0x25), u32(0), u16(0x2b), u32(0))
	}
	return le(u16(1), u32(4), u32(1), u16(0x4a), u32(4), u32(0), u16(2), u32(4), d.locale, u16(0x14), u32(4), d.locale,
		u16(3), u32(2), d.codePage, u16(4), sized("Pr\xf6jekt"), u16(5), sized("doc"), u16(0x40), sized(wide("doc")),
		u16(6), sized("help"), u16(0x3d), sized("help"), u16(7), u32(4), u32(0), u16(8), u32(4), u32(0),
		u16(9), u32(4), u32(1234), u16(5), u16(0xc), sized(nil), u16(0x3c), sized(nil),
		u16(0x16), sized("stdole"), u16(0x3e), sized(wide("stdole")), u16(0xd), u32(0), sized("lib"), u32(0), u16(0),
		u16(0x16), sized("Office"), u16(0x3e), sized(wide("Office")), u16(0x33), sized("original"),
		u16(0x2f), sized("twiddled"), u16(0x16), sized("x"), u16(0x3e), sized(nil), u16(0x30), u32(0), sized("ext"), make([]byte, 26),
		u16(0xe), u32(0), sized("abs"), sized("rel"), u32(1), u16(2),
		u16(0xf), u32(2), u16(3), u16(0x13), u32(2), u16(0),
		module("A", "ModA", 0x21), module("B", "modb", 0x22), module("C", "missing", 0x22), u16(0x10), u32(0))
}

func (d document) bytes() []byte {
	return containertest.Compound(
		containertest.Stream{Name: "dir", Data: compress(d.directory())},
		containertest.Stream{Name: "MODA", Data: d.code},
		containertest.Stream{Name: "ModB", Data: le("not at the offset", compress([]byte("' B")))})
}

func zipped(name string, data []byte) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, _ := w.Create(name)
	f.Write(data)
	w.Close()
	return b.Bytes()
}

func show(t *testing.T, data []byte, path string) string {
	t.Helper()
	return yaratest.Show(yaratest.Get(t, vba.Module(), &module.Input{Data: data}, path))
}

func TestFields(t *testing.T) {
	tests := []struct{ path, want string }{
		{"has_macros", "true"},
		{"modules.0.name", `"ModülA"`},
		{"modules.0.type", "1"},
		{"modules.0.code", `"Sub Ä\r\nEnd Sub"`},
		{"modules.1.name", `"ModülB"`},
		{"modules.1.type", "2"},
		{"modules.1.code", `"' B"`},
		{"modules.2.name", "undefined"}, // it has no stream
		{"project_info.name", `"Pröjekt"`},
		{"project_info.version", `"1234.5"`},
		{"project_info.references.0", `"stdole"`},
		{"project_info.references.1", `"Office"`},
		{"project_info.references.2", "undefined"},
		{"project_info.module_count", "3"},
	}
	for _, data := range [][]byte{sound().bytes(), zipped("xl/vbaProject.bin", sound().bytes())} {
		for _, test := range tests {
			if got := show(t, data, test.path); got != test.want {
				t.Errorf("%.2s: %s: got %s, want %s", data, test.path, got, test.want)
			}
		}
	}
}

func TestCodePages(t *testing.T) {
	for _, test := range []struct {
		page       uint16
		text, want string
	}{
		{1251, "\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"},
		{1252, "\x80\x81", "€\u0081"},
		{1253, "\xe1\xaa", "α\ufffd"},
		{1254, "\xfd\xfe", "ış"},
		{866, "\x8f\xe0", "Пр"},
		{10000, "\x8a", "ä"},
		{28592, "\xb1", "ą"},
		{932, "\x93\xfa\x96\x7b\xb1", "日本ｱ"},
		{936, "\xc4\xa3\xbf\xe9\x31\x80", "模块1€"},
		{949, "\xc7\xd1\xb1\xdb", "한글"},
		{950, "\xa4\xa4\xa4\xe5", "中文"},
		{936, "\xff\x81", "\ufffd\ufffd"},
		{950, "\xa4\x20", "\ufffd "},
		{65001, "ü\xff", "ü\ufffd"},
		{437, "ü", "ü"}, // not known: UTF-8
	} {
		d := sound()
		d.codePage, d.offset, d.code = test.page, 0, compress([]byte(test.text))
		in := &module.Input{Data: d.bytes()}
		if got, _ := yaratest.Get(t, vba.Module(), in, "modules.0.code").Text(); got != test.want {
			t.Errorf("code page %d: %q: got %q, want %q", test.page, test.text, got, test.want)
		}
	}
}

// The example of MS-OVBA 3.2.2.
func TestDecompress(t *testing.T) {
	d := sound()
	d.offset = 0
	d.code = []byte("\x01\x2f\xb0\x00\x23\x61\x61\x61\x62\x63\x64\x65\x82\x66\x00\x70\x61\x67\x68\x69\x6a\x01\x38\x08\x61\x6b\x6c\x00\x30\x6d\x6e\x6f\x70\x06\x71\x02\x70\x04\x10\x72\x73\x74\x75\x76\x10\x77\x78\x79\x7a\x00\x3c")
	if got, want := show(t, d.bytes(), "modules.0.code"), `"#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	raw := le("\x01", u16(0x3fff), bytes.Repeat([]byte("r"), 4096), u16(0xb001), "\x00z", u16(0))
	d.code = raw
	if got, want := show(t, d.bytes(), "modules.0.code"), `"`+strings.Repeat("r", 4096)+`z"`; got != want {
		t.Errorf("raw chunk: got %.20s… of %d, want %d", got, len(got), len(want))
	}
	d.code = []byte("\x01\x02\xb0\x01\x00\x00") // refers to what is before the text
	if got := show(t, d.bytes(), "modules.0.name"); got != `"ModülB"` {
		t.Errorf("a token without source: first module is %s", got)
	}
}

func TestOther(t *testing.T) {
	wrongLocale := sound()
	wrongLocale.locale = 0x407
	for name, data := range map[string][]byte{
		"empty":        nil,
		"no directory": containertest.Compound(containertest.Stream{Name: "WordDocument", Data: []byte("text")}),
		"wrong locale": wrongLocale.bytes(),
		"cut":          sound().bytes()[:1500],
		"zip":          zipped("word/document.xml", sound().bytes()),
		"zip in zip":   zipped("word/vbaProject.bin", zipped("vbaProject.bin", sound().bytes())),
	} {
		if got := show(t, data, "has_macros"); got != "false" {
			t.Errorf("%s: has_macros is %s", name, got)
		}
		if got := show(t, data, "project_info.name"); got != "undefined" {
			t.Errorf("%s: project_info.name is %s", name, got)
		}
	}
}

// Streams full of beginnings of code that lead nowhere take linear time, and
// what expands stays within the limit.
func TestBounds(t *testing.T) {
	d := sound()
	d.offset = 1 << 20
	d.code = bytes.Repeat([]byte("\x01\x00\xb0"), 1<<20)
	expanding := append([]byte{1}, bytes.Repeat(le(u16(0xb003), "\x02a\xff\x0f"), 1<<16)...)
	start := time.Now()
	show(t, d.bytes(), "has_macros")
	d.offset, d.code = 0, expanding
	in := &module.Input{Data: d.bytes()}
	code, _ := yaratest.Get(t, vba.Module(), in, "modules.0.code").Text()
	if len(code) > 64<<20 {
		t.Errorf("%d bytes of code", len(code))
	}
	if took := time.Since(start); took > 60*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzVBA(f *testing.F) {
	f.Add(sound().bytes())
	f.Add(zipped("word/vbaProject.bin", sound().bytes()))
	f.Fuzz(func(t *testing.T, data []byte) { ask(t, data) })
}

// FuzzDirectory damages what is behind the compression.
func FuzzDirectory(f *testing.F) {
	f.Add(sound().directory(), sound().code)
	f.Fuzz(func(t *testing.T, directory, code []byte) {
		if len(directory)+len(code) < 1<<20 {
			ask(t, containertest.Compound(
				containertest.Stream{Name: "dir", Data: compress(directory)},
				containertest.Stream{Name: "ModA", Data: code}))
		}
	})
}

func ask(t *testing.T, data []byte) {
	in := &module.Input{Data: data}
	list := yaratest.Get(t, vba.Module(), in, "modules").List()
	for i := range list.Len() {
		list.At(i).Field(2)
	}
}
