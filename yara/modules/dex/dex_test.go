package dex_test

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"testing"
	"time"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/dex"
	"github.com/besra-hunt/besra/yara/yaratest"
)

func TestFields(t *testing.T) {
	tests := []struct{ path, want, libyara string }{
		{"is_dex", "true", "true"},
		{"header.magic", "1684371466", "7234320361594238208"},
		{"header.version", "35", "35"},
		{"header.signature", `"0000000000000000000000000000000000000000"`, `"` + string(bytes.Repeat([]byte(`\x00`), 20)) + `"`},
		{"header.endian_tag", "305419896", "305419896"},
		{"header.container_size", "undefined", "undefined"},
		{"strings.4", `"f\x00😀"`, `"f\x00😀"`},
		{"strings.6", "undefined", "undefined"},
		{"types.1", `"LB;"`, `"LB;"`},
		{"protos.0.shorty", `"V"`, `"V"`},
		{"protos.0.return_type", `"V"`, `"V"`},
		{"protos.0.parameters_count", "1", "1"},
		{"protos.0.parameters.0", `"LB;"`, `"LB;"`},
		{"fields.0.class", `"LA;"`, `"LA;"`},
		{"fields.0.type", `"LB;"`, `"LB;"`},
		{"methods.0.name", `"run"`, `"run"`},
		{"methods.0.proto.shorty", `"V"`, `"V"`},
		{"class_defs.0.class", `"LA;"`, `"LA;"`},
		{"class_defs.0.superclass", `"LB;"`, `"LB;"`},
		{"class_defs.0.source_file", `"a.java"`, `"a.java"`},
		{"class_defs.0.access_flags", "1", "1"},
		{"map_list.size", "2", "2"},
		{"map_list.items.1.size", "6", "6"},
		{"map_list.map_item.1.offset", "112", "112"},
		{"string_ids.5.value", `"run"`, `"run"`},
		{"string_ids.5.size", "3", "3"},
		{"type_ids.2.descriptor_idx", "2", "2"},
		{"proto_ids.0.return_type_idx", "2", "2"},
		{"field_ids.0.type_idx", "1", "1"},
		{"method_ids.0.name_idx", "5", "5"},
		{"class_data_item.0.direct_methods_size", "1", "1"},
		{"number_of_fields", "1", "1"},
		{"number_of_methods", "1", "1"},
		{"field.0.proto", `"LB;"`, `"LB;"`},
		{"field.0.static", "1", "1"},
		{"field.0.access_flags", "9", "9"},
		{"method.0.class_name", `"LA;"`, `"LA;"`},
		{"method.0.virtual", "0", "0"},
		{"method.0.code_item.registers_size", "2", "2"},
		{"method.0.code_item.insns", `"\x0e\x00"`, `"\x0e\x00"`},
	}
	data := sample()
	for _, libyara := range []bool{false, true} {
		in := &module.Input{Data: data, LibYARA: libyara}
		for _, test := range tests {
			want := test.want
			if libyara {
				want = test.libyara
			}
			if got := yaratest.Show(yaratest.Get(t, dex.Module(), in, test.path)); got != want {
				t.Errorf("%s, libyara %v: got %s, want %s", test.path, libyara, got, want)
			}
		}
	}
}

func regex(s string) module.Value { return module.Regex(regexp.MustCompile(s)) }

func TestFunctions(t *testing.T) {
	data := sample()
	tests := []struct {
		name string
		args []any
		want string
	}{
		{"contains_string", []any{"run"}, "true"},
		{"contains_string", []any{"ru"}, "false"},
		{"contains_string", []any{"\xff"}, "undefined"},
		{"contains_class", []any{"LA;"}, "true"},
		{"contains_class", []any{"LB;"}, "false"},
		{"contains_method", []any{"run"}, "true"},
		{"contains_method", []any{"f"}, "false"},
		{"has_method", []any{"run"}, "1"},
		{"has_method", []any{"run\x00x"}, "1"}, // strings of C end at a NUL
		{"has_method", []any{"Run"}, "0"},
		{"has_method", []any{"LA;", "run"}, "1"},
		{"has_method", []any{"LB;", "run"}, "0"},
		{"has_method", []any{regex("^r")}, "1"},
		{"has_method", []any{regex("A"), regex("n$")}, "1"},
		{"has_method", []any{regex("B"), regex("n$")}, "0"},
		{"has_class", []any{"LA;"}, "1"},
		{"has_class", []any{regex("C")}, "0"},
		{"signature", nil, `"5e33c0caa7d87c292da3a6a61bef4b8d542d85bf"`},
		{"checksum", nil, "583145461"},
	}
	for _, test := range tests {
		in := &module.Input{Data: data}
		if got := yaratest.Show(yaratest.Call(t, dex.Module(), in, test.name, test.args...)); got != test.want {
			t.Errorf("%s(%v): got %s, want %s", test.name, test.args, got, test.want)
		}
	}
}

// A target of another format has no fields, and functions say so as in the
// engine that they are from.
func TestOther(t *testing.T) {
	for _, data := range []string{"", "dex\n", "dex\n0350", "dex\n035\x00", "PK\x03\x04 and more"} {
		in := &module.Input{Data: []byte(data)}
		for path, want := range map[string]string{"is_dex": "false", "header.magic": "undefined", "strings.0": "undefined"} {
			if got := yaratest.Show(yaratest.Get(t, dex.Module(), in, path)); got != want {
				t.Errorf("%q: %s: got %s, want %s", data, path, got, want)
			}
		}
		for name, want := range map[string]string{"contains_string": "false", "has_method": "undefined", "has_class": "undefined"} {
			if got := yaratest.Show(yaratest.Call(t, dex.Module(), in, name, "x")); got != want {
				t.Errorf("%q: %s: got %s, want %s", data, name, got, want)
			}
		}
	}
}

// A table that the file has not whole ends libyara's tables, and leaves the
// numbers undefined; entries that refer to nothing are left out of YARA-X's.
func TestDamage(t *testing.T) {
	tests := []struct {
		at   int
		word uint32
		path string
		want string
	}{
		{0x58, 1 << 20, "number_of_methods", "undefined"}, // more methods than fit
		{0x58, 1 << 20, "method_ids.0.name_idx", "undefined"},
		{0x58, 1 << 20, "field_ids.0.name_idx", "4"},
		{mapTable, 1 << 30, "number_of_methods", "undefined"},
		{stringTable, 5, "strings.0", `"LB;"`}, // within the header
		{typeTable, 99, "types.0", `"LB;"`},
		{typeTable, 99, "class_defs.0.class", `"LB;"`},
		{protoTable + 8, 0, "protos.0.parameters_count", "0"},
		{protoTable + 8, 0x20, "protos.0.parameters_count", "0"}, // more than 255
		{classTable, 99, "class_defs.0.access_flags", "undefined"},
		{classTable + 24, 0xfffffff0, "number_of_fields", "undefined"},
		{0x34, 0, "map_list.size", "175662436"}, // YARA-X reads the magic
		{0x28, 1, "is_dex", "false"},
		{0x40, 0x10000, "is_dex", "false"},
	}
	for _, test := range tests {
		data := sample()
		binary.LittleEndian.PutUint32(data[test.at:], test.word)
		in := &module.Input{Data: data}
		if got := yaratest.Show(yaratest.Get(t, dex.Module(), in, test.path)); got != test.want {
			t.Errorf("%#x = %#x: %s: got %s, want %s", test.at, test.word, test.path, got, test.want)
		}
	}
}

// Tables whose entries all refer to the same long string or to the same class
// data stay within the package's bounds.
func TestBounds(t *testing.T) {
	const n = 1 << 16
	m := &image{sample()}
	long := m.add(append([]byte{0xff, 0xff, 3}, bytes.Repeat([]byte{'a'}, 0xffff)...)...)
	ids := len(m.b)
	for range n {
		m.b = binary.LittleEndian.AppendUint32(m.b, long)
	}
	m.put(0x38, n, uint32(ids))
	classes := len(m.b)
	data := m.add(append([]byte{0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0}, make([]byte, n)...)...)
	for range n {
		m.b = binary.LittleEndian.AppendUint32(m.b, 0)
		m.b = append(m.b, make([]byte, 20)...)
		m.b = binary.LittleEndian.AppendUint32(m.b, data)
		m.b = append(m.b, make([]byte, 4)...)
	}
	classes += n + 8
	m.put(0x60, n, uint32(classes))
	start := time.Now()
	in := &module.Input{Data: m.b}
	list := yaratest.Get(t, dex.Module(), in, "strings").List()
	total := 0
	for i := range list.Len() {
		s, _ := list.At(i).Text()
		total += len(s)
	}
	if most := 4*len(m.b) + 2<<16; total > most || total == 0 {
		t.Errorf("strings have %d bytes, at most %d are allowed", total, most)
	}
	if got := yaratest.Get(t, dex.Module(), in, "method").List().Len(); got > 1<<20 {
		t.Errorf("%d methods", got)
	}
	yaratest.Call(t, dex.Module(), in, "has_method", regex("b"))
	if d := time.Since(start); d > 60*time.Second {
		t.Errorf("took %v", d)
	}
}

func FuzzDex(f *testing.F) {
	f.Add(sample())
	m := dex.Module()
	f.Fuzz(func(t *testing.T, data []byte) {
		copy(data, "dex\n035\x00")
		for _, libyara := range []bool{false, true} {
			in := &module.Input{Data: data, LibYARA: libyara}
			visit(m.Schema, m.Load(in), 0)
			yaratest.Call(t, m, in, "has_method", "a", "b")
			yaratest.Call(t, m, in, "has_class", regex("a"))
			yaratest.Call(t, m, in, "contains_class", "a")
			yaratest.Call(t, m, in, "contains_method", "a")
		}
	})
}

// visit asks for every value.
func visit(typ *module.Type, v module.Value, depth int) {
	switch {
	case typ == nil:
	case typ.Kind == module.Struct:
		for i, f := range typ.Fields {
			visit(f.Type, v.Field(i), depth+1)
		}
	case typ.Kind == module.Array && v.List() != nil:
		for i := range min(v.List().Len(), 64) {
			visit(typ.Elem, v.List().At(i), depth+1)
		}
	}
}
