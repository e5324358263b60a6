package dotnet

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/yaratest"
)

func show(t testing.TB, in *module.Input, path string) string {
	t.Helper()
	if name, ok := strings.CutSuffix(path, ".len"); ok {
		return fmt.Sprint(yaratest.Get(t, Module(), in, name).List().Len())
	}
	return yaratest.Show(yaratest.Get(t, Module(), in, path))
}

func TestFields(t *testing.T) {
	for heaps := range uint8(8) {
		in := &module.Input{Data: sample(heaps).bytes()}
		for path, want := range sampleFields {
			if got := show(t, in, path); got != want {
				t.Errorf("heaps %d: %s: got %s, want %s", heaps, path, got, want)
			}
		}
	}
}

var sampleFields = map[string]string{
	"is_dotnet": "true", "module_name": `"sample.exe"`, "version": `"v4.0.30319"`, "number_of_generic_parameters": "undefined",
	"number_of_streams": "5", "streams.0.name": `"#~"`, "streams.4.name": `"#Blob"`, "streams.5.name": "undefined",
	"guids.0": `"00010203-0405-0607-0809-0a0b0c0d0e0f"`, "number_of_guids": "1",
	"typelib": `"abcd"`, "constants.len": "1", "constants.0": `"c\x00o\x00n\x00s\x00t\x00"`,
	"user_strings.len": "2", "user_strings.1": fmt.Sprintf("%q", "\xe9\x00"), "modulerefs.0": `"kernel32.dll"`, "number_of_modulerefs": "1",
	"assembly.name": `"sample"`, "assembly.culture": `"en-US"`, "assembly.version.major": "1", "assembly.version.revision_number": "4",
	"assembly_refs.0.name": `"mscorlib"`, "assembly_refs.0.public_key_or_token": `"\xb7z"`, "assembly_refs.0.version.revision_number": "9",
	"resources.len": "2", "resources.0.name": `"here"`, "resources.0.length": "5", "resources.1.length": "undefined", "resources.1.offset": "undefined",
	"field_offsets.len": "1", "field_offsets.0": "528",
	"number_of_classes": "3", "classes.0.fullname": `"My.Space.Box"`, "classes.0.namespace": `"My.Space"`, "classes.0.name": `"Box"`,
	"classes.0.visibility": `"public"`, "classes.0.type": `"class"`, "classes.0.abstract": "true", "classes.0.sealed": "true",
	"classes.0.base_types.len": "3", "classes.0.base_types.0": `"System.Object"`, "classes.0.base_types.1": `"Face"`, "classes.0.base_types.2": `".Bare"`,
	"classes.0.generic_parameters.0": `"T"`, "classes.0.number_of_generic_parameters": "1", "classes.0.methods.len": "2",
	"classes.0.methods.0.name": `".ctor"`, "classes.0.methods.0.return_type": "undefined", "classes.0.methods.0.visibility": `"public"`,
	"classes.0.methods.1.name": `"Get"`, "classes.0.methods.1.return_type": `"U"`, "classes.0.methods.1.static": "true",
	"classes.0.methods.1.virtual": "true", "classes.0.methods.1.final": "false", "classes.0.methods.1.number_of_parameters": "6",
	"classes.0.methods.1.generic_parameters.0": `"U"`,
	"classes.0.methods.1.parameters.0.name":    `"first"`, "classes.0.methods.1.parameters.0.type": `"System.Collections.List<T>"`,
	"classes.0.methods.1.parameters.1.name": `"second"`, "classes.0.methods.1.parameters.1.type": `"ref int"`,
	"classes.0.methods.1.parameters.2.name": `"P_2"`, "classes.0.methods.1.parameters.2.type": `"string[]"`,
	"classes.0.methods.1.parameters.3.type": `"int[3,1...4]"`, "classes.0.methods.1.parameters.4.type": `"Ptr<void>"`,
	"classes.0.methods.1.parameters.5.type": `"FnPtr<void(bool, char)>"`,
	"classes.1.fullname":                    `"My.Space.Box.Inner"`, "classes.1.visibility": `"private"`, "classes.1.base_types.0": `"System.Collections.List<int>"`,
	"classes.1.methods.0.name": `"Sum"`, "classes.1.methods.0.parameters.0.type": `"My.Space.Box.Inner"`,
	"classes.1.methods.0.abstract": "true", "classes.1.methods.0.visibility": `"protected internal"`,
	"classes.2.name": `"Face"`, "classes.2.type": `"interface"`, "classes.2.namespace": "undefined", "classes.2.base_types.0": `"<Module>"`,
}

// TestLibYARA is about answers that differ under libyara's dialect.
func TestLibYARA(t *testing.T) {
	in := &module.Input{Data: sample(0).bytes(), LibYARA: true}
	for path, want := range map[string]string{
		"classes.2.namespace": `""`, "classes.2.base_types.len": "0", "classes.0.base_types.2": `"Bare"`,
		"number_of_resources": "2",
	} {
		if got := show(t, in, path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	bare := sample(0)
	bare.rows[tabConstant] = nil
	if got := show(t, &module.Input{Data: bare.bytes(), LibYARA: true}, "number_of_constants"); got != "undefined" {
		t.Errorf("no table of constants: got %s of them", got)
	}
	cut := sample(0)
	cut.user = append(cut.user, 9, 'a')
	if got := show(t, &module.Input{Data: cut.bytes(), LibYARA: true}, "user_strings.len"); got != "2" {
		t.Errorf("a user string that is cut: got %s before it, want 2", got)
	}
	if got := show(t, &module.Input{LibYARA: true}, "is_dotnet"); got != "undefined" {
		t.Errorf("is_dotnet of nothing: got %s", got)
	}
}

func TestDamaged(t *testing.T) {
	change := func(f func(b *builder)) []byte {
		b := sample(0)
		f(b)
		return b.bytes()
	}
	patch := func(at int, v byte) []byte {
		data := sample(0).bytes()
		data[at] = v
		return data
	}
	root := sectionOffset + metadataAt
	for _, test := range []struct {
		name, path, want string
		data             []byte
	}{
		{"nothing", "is_dotnet", "false", nil},
		{"nothing", "number_of_streams", "undefined", nil},
		{"nothing", "classes.len", "0", nil},
		{"header's size", "is_dotnet", "false", patch(sectionOffset, 71)},
		{"magic", "is_dotnet", "false", patch(root, 'X')},
		{"version not UTF-8", "is_dotnet", "false", patch(root+16, 0xff)},
		{"version too long", "is_dotnet", "false", patch(root+13, 1)},
		{"too many streams", "is_dotnet", "false", patch(root+31, 2)},
		{"no directory", "is_dotnet", "false", patch(0x40+24+96+14*8+3, 0x7f)},
		{"cut in the streams", "is_dotnet", "false", sample(0).bytes()[:root+40]},
		{"cut after the streams", "number_of_streams", "5", sample(0).bytes()[:root+110]},
		{"cut after the streams", "classes.len", "0", sample(0).bytes()[:root+110]},
		{"name without end", "module_name", "undefined", change(func(b *builder) { b.rows[tabModule][0][1] = 0xffff })},
		{"no such table", "number_of_constants", "0", change(func(b *builder) { b.rows[tabConstant][1][2] = 3 })},
		{"tables after the damage", "number_of_assembly_refs", "0", change(func(b *builder) { b.rows[tabConstant][1][2] = 3 })},
		{"tables before the damage", "module_name", `"sample.exe"`, change(func(b *builder) { b.rows[tabConstant][1][2] = 3 })},
		{"user string cut", "user_strings.len", "0", change(func(b *builder) { b.user = append(b.user, 9, 'a') })},
		{"length of a user string", "user_strings.len", "2", change(func(b *builder) { b.user = append(b.user, 0xff, 'a') })},
		{"no such type", "number_of_constants", "0", change(func(b *builder) { b.rows[tabConstant][1][0] = 0x17 })},
		{"in itself", "classes.1.fullname", `"Inner"`, change(func(b *builder) { b.rows[tabNestedClass][0][1] = 3 })},
		{"in each other", "classes.1.fullname", "undefined", change(func(b *builder) {
			b.rows[tabTypeDef][1][0] |= 3
			b.add(tabNestedClass, 2, 3)
		})},
		{"methods backwards", "classes.0.methods.len", "0", change(func(b *builder) { b.rows[tabTypeDef][1][5] = 9 })},
		{"resource beyond the end", "resources.0.length", "undefined", change(func(b *builder) { b.resource[4] = 6 })},
		{"resource's number beyond the end", "resources.0.offset", "undefined", change(func(b *builder) { b.rows[tabResource][0][0] = 11 })},
	} {
		if got := show(t, &module.Input{Data: test.data}, test.path); got != test.want {
			t.Errorf("%s: %s: got %s, want %s", test.name, test.path, got, test.want)
		}
	}
}

// TestSignatures reads the type of one parameter.
func TestSignatures(t *testing.T) {
	deep := bytes.Repeat([]byte{typPtr}, maxDepth-1)
	for _, test := range []struct {
		sig  []byte
		want string
	}{
		{[]byte{0x18}, "IntPtr"},
		{[]byte{0x19}, "UintPtr"},
		{append(bytes.Clone(deep), 0x08), strings.Repeat("Ptr<", 15) + "int" + strings.Repeat(">", 15)},
		{append(bytes.Clone(deep), typPtr, 0x08), ""},
		{[]byte{typRequired, 5, 0x1c}, "object"},
		{[]byte{typClass, 3}, ""},
		{[]byte{typClass, 0xe0}, ""},
		{[]byte{typVar, 7}, ""},
		{[]byte{typArray, 8, 3, 0, 2, 0x7b, 2}, "int[-3...,1...,]"},
		{[]byte{typArray, 8, 51, 0, 0}, ""},
		{[]byte{typArray, 8, 1, 51}, ""},
		{[]byte{typArray, 8, 0, 0, 0}, "int[]"},
		{[]byte{typArray, 8, 2, 1, 0, 1, 2}, "int[,]"},
		{[]byte{typGeneric, 8, 0}, "int<>"},
		{[]byte{typGeneric, 8, 0x83, 0xe8}, ""}, // 1,000 types
		{[]byte{typGeneric, 8, 2, 8}, ""},
		{[]byte{typPinned, 8}, ""},
		{nil, ""},
	} {
		b := newBuilder()
		b.add(tabTypeDef, 0, b.str("C"), 0, 0, 1, 1)
		b.add(tabMethodDef, 0, 0, 0, b.str("m"), b.blob(append([]byte{0, 1, 1}, test.sig...)...), 1)
		want := "undefined"
		if test.want != "" {
			want = fmt.Sprintf("%q", test.want)
		}
		if got := show(t, &module.Input{Data: b.bytes()}, "classes.0.methods.0.parameters.0.type"); got != want {
			t.Errorf("% x: got %s, want %s", test.sig, got, want)
		}
	}
}

func TestPacked(t *testing.T) {
	for _, test := range []struct {
		in       []byte
		unsigned uint32
		signed   int32
		whole    bool
	}{
		{[]byte{0x06}, 6, 3, true},
		{[]byte{0x7b}, 0x7b, -3, true},
		{[]byte{0x80, 0x80}, 0x80, 64, true},
		{[]byte{0x01}, 1, -64, true},
		{[]byte{0xc0, 0x00, 0x40, 0x00}, 0x4000, 8192, true},
		{[]byte{0x80, 0x01}, 1, -8192, true},
		{[]byte{0xdf, 0xff, 0xff, 0xfe}, 0x1ffffffe, 268435455, true},
		{[]byte{0xc0, 0, 0, 1}, 1, -268435456, true},
		{[]byte{0xe0, 0, 0, 0}, 0, 0, false},
		{[]byte{0xc0, 0}, 0, 0, false},
	} {
		u, s := newPacked(test.in), newPacked(test.in)
		if got := u.unsigned(); u.whole() != test.whole || test.whole && got != test.unsigned {
			t.Errorf("% x: got %d, want %d", test.in, got, test.unsigned)
		}
		if got := s.signed(); s.whole() != test.whole || test.whole && got != test.signed {
			t.Errorf("% x: got %d, want %d", test.in, got, test.signed)
		}
	}
}

// TestBounds asks for everything in files made to cost as much as they can.
func TestBounds(t *testing.T) {
	start := time.Now()
	b := newBuilder()
	b.wide = 7
	bomb := b.bomb()
	for i := range maxRows {
		// Every other type has all methods.
		b.add(tabTypeDef, 2, b.str("N"), 0, ref(typeDefOrRef, tabTypeSpec, 1), 1, uint32(i%2*maxRows+1))
		b.add(tabMethodDef, 0, 0, 0, 1, bomb, 1)
		b.add(tabNestedClass, uint32(i+1), uint32(i+2))
		b.add(tabConstant, typString, 0, 0, bomb)
	}
	data := b.bytes()
	in := &module.Input{Data: data}
	f, _ := scanned(in)
	methods := 0
	for _, c := range f.classes() {
		methods += len(c.methods)
	}
	if methods > maxRows {
		t.Errorf("%d methods, there are %d", methods, maxRows)
	}
	drain(Module(), data, false)
	if d := time.Since(start); d > 60*time.Second {
		t.Errorf("took %v", d)
	}
}

// bomb adds made-up types of which each has 900 of the next, and returns a
// signature with the first.
func (b *builder) bomb() uint32 {
	for i := range uint32(12) {
		args := bytes.Repeat([]byte{typClass, byte(ref(typeDefOrRef, tabTypeSpec, i+2))}, 900)
		b.add(tabTypeSpec, b.blob(append([]byte{typGeneric, 0x08, 0x83, 0x84}, args...)...))
	}
	b.add(tabTypeSpec, b.blob(0x08))
	return b.blob(0, 0, typClass, byte(ref(typeDefOrRef, tabTypeSpec, 1)))
}

// drain asks for every value of a target.
func drain(m *module.Module, data []byte, libyara bool) {
	walk(m.Load(&module.Input{Data: data, LibYARA: libyara}), m.Schema)
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

func FuzzDotNet(f *testing.F) {
	f.Add(sample(0).bytes(), false)
	f.Add(sample(7).bytes(), true)
	m := Module()
	f.Fuzz(func(t *testing.T, data []byte, libyara bool) { drain(m, data, libyara) })
}

// FuzzTables puts the input where tables and signatures are, so that the
// fuzzer need not find the way there.
func FuzzTables(f *testing.F) {
	f.Add(sample(0).tables(), sample(0).blobs)
	m := Module()
	f.Fuzz(func(t *testing.T, tables, blobs []byte) {
		b := sample(0)
		metadata := b.metadata()
		at := uint32(len(metadata) + 24 + 2*16)
		b.streams = []stream{
			{[]byte("#~"), at, uint32(len(tables))}, {[]byte("#Blob"), at + uint32(len(tables)), uint32(len(blobs))},
		}
		b.resource = append(make([]byte, int(at)-len(b.metadata())), append(bytes.Clone(tables), blobs...)...)
		drain(m, b.bytes(), false)
	})
}
