package yaratest

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra/yara/module"
)

// The vectors use the modules that libyara and YARA-X have for their own
// tests: tests, test_proto2 and test_proto3. Here they are, made of literals.

// fields is a struct as a literal: names and values in turn.
type fields []any

// values are literals: a list, a map with its pairs in turn, and the
// undefined value of a type that sample has.
type (
	list   []any
	dict   []any
	absent struct{ sample any }
	// sparse is a list of a length with some items.
	sparse struct {
		length int
		items  map[int]any
	}
	method struct {
		result module.Kind
		params []module.Kind
		call   func(c *module.Call, args []module.Value) module.Value
	}
	overloads []method
)

// literal returns the type and the value of a literal.
func literal(v any) (*module.Type, module.Value) {
	switch v := v.(type) {
	case int:
		return &module.Type{Kind: module.Integer}, module.Int(int64(v))
	case int64:
		return &module.Type{Kind: module.Integer}, module.Int(v)
	case float64:
		return &module.Type{Kind: module.Float}, module.Float64(v)
	case bool:
		return &module.Type{Kind: module.Bool}, module.Boolean(v)
	case string:
		return &module.Type{Kind: module.String}, module.Text(v)
	case absent:
		t, _ := literal(v.sample)
		return t, module.Value{}
	case fields:
		return structLiteral(v)
	case list:
		t := &module.Type{Kind: module.Array}
		var items module.Items
		for _, x := range v {
			elem, item := literal(x)
			t.Elem, items = elem, append(items, item)
		}
		return t, module.ArrayOf(items)
	case sparse:
		t := &module.Type{Kind: module.Array}
		items := make(module.Items, v.length)
		for i, x := range v.items {
			t.Elem, items[i] = literal(x)
		}
		return t, module.ArrayOf(items)
	case dict:
		return dictLiteral(v)
	}
	panic("no literal")
}

func structLiteral(v fields) (*module.Type, module.Value) {
	t := &module.Type{Kind: module.Struct}
	var values []module.Value
	for i := 0; i < len(v); i += 2 {
		f := &module.Field{Name: v[i].(string)}
		value := module.Value{}
		if methods, ok := v[i+1].(overloads); ok {
			for _, m := range methods {
				f.Funcs = append(f.Funcs, &module.Func{Params: m.params, Result: &module.Type{Kind: m.result}, Call: m.call})
			}
		} else {
			f.Type, value = literal(v[i+1])
		}
		t.Fields = append(t.Fields, f)
		values = append(values, value)
	}
	r := module.NewRecord(t)
	for i, value := range values {
		r.Set(i, value)
	}
	return t, module.StructOf(r)
}

// pairs is a map with any keys.
type pairs []struct{ key, value module.Value }

func (p pairs) Len() int                                 { return len(p) }
func (p pairs) Entry(i int) (module.Value, module.Value) { return p[i].key, p[i].value }
func (p pairs) Get(key module.Value) module.Value {
	for _, e := range p {
		if e.key == key {
			return e.value
		}
	}
	return module.Value{}
}

func dictLiteral(v dict) (*module.Type, module.Value) {
	t := &module.Type{Kind: module.Map}
	var p pairs
	for i := 0; i < len(v); i += 2 {
		kt, key := literal(v[i])
		et, value := literal(v[i+1])
		t.Key, t.Elem = kt.Kind, et
		p = append(p, struct{ key, value module.Value }{key, value})
	}
	if len(p) == 1 && !p[0].value.Defined() {
		p = nil // a map of the type, without an entry
	}
	return t, module.MapOf(p)
}

// constant gives a module its root from a literal; patch adds what depends on
// the target.
func constant(name string, root fields, patch func(in *module.Input, set func(field string, v module.Value))) *module.Module {
	schema, _ := literal(root)
	return &module.Module{Name: name, Schema: schema, Load: func(in *module.Input) module.Value {
		r := module.NewRecord(schema)
		_, base := literal(root)
		for i := range schema.Fields {
			r.Set(i, base.Field(i))
		}
		patch(in, func(field string, v module.Value) {
			for i, f := range schema.Fields {
				if f.Name == field {
					r.Set(i, v)
				}
			}
		})
		return module.StructOf(r)
	}}
}

func testModules() []*module.Module {
	return []*module.Module{testsModule(), testProto2(), testProto3()}
}

func testsModule() *module.Module {
	const (
		I = module.Integer
		F = module.Float
		S = module.String
		R = module.Regexp
	)
	isum := func(_ *module.Call, args []module.Value) module.Value {
		sum := int64(0)
		for _, a := range args {
			i, _ := a.Int()
			sum += i
		}
		return module.Int(sum)
	}
	fsum := func(_ *module.Call, args []module.Value) module.Value {
		sum := 0.0
		for _, a := range args {
			f, _ := a.Float()
			sum += f
		}
		return module.Float64(sum)
	}
	match := func(_ *module.Call, args []module.Value) module.Value {
		s, _ := args[1].Text()
		for end := range len(s) + 1 { // the length of the match, or -1
			if args[0].Regexp().MatchString(s[:end]) {
				return module.Int(int64(end))
			}
		}
		return module.Int(-1)
	}
	length := func(_ *module.Call, args []module.Value) module.Value {
		s, _ := args[0].Text()
		s, _, _ = strings.Cut(s, "\x00")
		return module.Int(int64(len(s)))
	}
	foobar := func(_ *module.Call, args []module.Value) module.Value {
		switch i, _ := args[0].Int(); i {
		case 1:
			return module.Text("foo")
		case 2:
			return module.Text("bar")
		}
		return module.Text("oops")
	}
	item := func(i, s any) fields { return fields{"i", i, "s", s} }
	nothing := item(absent{0}, absent{""})
	return constant("tests", fields{
		"constants", fields{"one", 1, "two", 2, "foo", "foo", "empty", ""},
		"undefined", fields{"i", absent{0}, "f", absent{0.0}},
		"module_data", absent{""},
		"integer_array", sparse{257, map[int]any{0: 0, 1: 1, 2: 2, 256: 256}},
		"string_array", list{"foo", "bar", "baz", "foo\x00bar"},
		"integer_dict", dict{"", absent{0}},
		"string_dict", dict{"foo", "foo", "bar", "bar"},
		"struct_array", list{absent{nothing}, item(1, absent{""})},
		"struct_dict", dict{"foo", item(1, "foo")},
		"empty_struct_dict", dict{"", absent{fields{"unused", 0}}},
		"empty_struct_array", absent{list{fields{"struct_array", list{fields{"unused", ""}}, "struct_dict", dict{"", fields{"unused", ""}}}}},
		"match", overloads{{I, []module.Kind{R, S}, match}},
		"isum", overloads{{I, []module.Kind{I, I}, isum}, {I, []module.Kind{I, I, I}, isum}},
		"fsum", overloads{{F, []module.Kind{F, F}, fsum}, {F, []module.Kind{F, F, F}, fsum}},
		"length", overloads{{I, []module.Kind{S}, length}},
		"empty", overloads{{S, nil, func(*module.Call, []module.Value) module.Value { return module.Text("") }}},
		"foobar", overloads{{S, []module.Kind{I}, foobar}},
	}, func(in *module.Input, set func(string, module.Value)) {
		if data := in.Meta["tests"]; len(data) > 0 {
			set("module_data", module.Bytes(data))
		}
	})
}

// numbers are the fields that YARA-X's test modules have for each of
// protobuf's number types.
func numbers(suffix string, integer, float any) fields {
	var f fields
	for _, name := range []string{"int32", "int64", "sint32", "sint64", "uint32", "uint64", "fixed32", "fixed64", "sfixed32", "sfixed64"} {
		f = append(f, name+suffix, integer)
	}
	return append(f, "float"+suffix, float, "double"+suffix, float)
}

func testProto2() *module.Module {
	const (
		I = module.Integer
		F = module.Float
		B = module.Bool
		S = module.String
	)
	type values = []module.Value
	nestedMethod := func(c *module.Call, _ values) module.Value { return c.Self.Field(4) }
	nestedWithArg := func(c *module.Call, args values) module.Value {
		want, _ := c.Self.Field(5).Text()
		got, _ := args[0].Text()
		return module.Boolean(got == want)
	}
	yes := func(*module.Call, values) module.Value { return module.Boolean(true) }
	nested := func(b bool) fields {
		return fields{
			"nested_int32_zero", 0, "nested_int64_zero", 0, "nested_int32_one", 1, "nested_int64_one", 1,
			"nested_bool", b, "nested_string", "foo", "nested_array_int64", list{1, 10, 100},
			"nested_method", overloads{{B, nil, nestedMethod}},
			"nested_method_with_arg", overloads{{B, []module.Kind{S}, nestedWithArg}},
			"nested_func", overloads{{B, nil, yes}},
		}
	}
	addInts := func(_ *module.Call, args values) module.Value {
		a, _ := args[0].Int()
		b, _ := args[1].Int()
		return module.Int(a + b)
	}
	addFloats := func(_ *module.Call, args values) module.Value {
		a, _ := args[0].Float()
		b, _ := args[1].Float()
		return module.Float64(a + b)
	}
	upper := func(_ *module.Call, args values) module.Value {
		s, _ := args[0].Text()
		return module.Text(strings.ToUpper(s))
	}
	head := func(c *module.Call, args values) module.Value {
		n, _ := args[0].Int()
		if n < 0 || n > int64(len(c.Input.Data)) {
			return module.Value{}
		}
		return module.Bytes(c.Input.Data[:n])
	}
	toInt := func(_ *module.Call, args values) module.Value {
		s, _ := args[0].Text()
		i, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return module.Value{}
		}
		return module.Int(i)
	}
	root := append(numbers("_zero", 0, 0.0), numbers("_one", 1, 1.0)...)
	root = append(root, numbers("_undef", absent{0}, absent{0.0})...)
	root = append(root, fields{
		"string_foo", "foo", "string_bar", "bar", "string_undef", absent{""},
		"bytes_foo", "foo", "bytes_bar", "bar", "bytes_undef", absent{""},
		"bytes_raw", "\xfc\x48\x83\xe4\xf0\xeb\x33\x5d\x8b\x45\x00\x48",
		"enumeration", absent{0},
		"nested", nested(false),
		"array_int64", list{1, 10, 100}, "array_float", list{1.0, 10.0, 100.0}, "array_bool", list{false, true},
		"array_string", list{"foo", "bar", "baz"}, "array_struct", list{nested(false), nested(true)},
		"map_string_struct", dict{"foo", nested(false)}, "map_string_int64", dict{"one", 1},
		"map_string_string", dict{"foo", "FOO"}, "map_string_bool", dict{"foo", true}, "map_string_float", dict{"one", 1.0},
		"map_int64_struct", dict{100, nested(false)}, "map_int64_int64", dict{100, 1000},
		"map_int64_string", dict{100, "one thousand"}, "map_int64_bool", dict{100, true}, "map_int64_float", dict{100, 1000.0},
		"timestamp", 1748591440, "bool_yara", true, "file_size", 0, "metadata", absent{""}, "deprecated", absent{""},
		"Enumeration", fields{"ITEM_0", 0, "ITEM_1", 1, "ITEM_2", int64(0x7fffffffffff), "ITEM_3", -1},
		"items", fields{"ITEM_4", 0, "ITEM_5", 1},
		"TopLevelEnumeration", fields{"ITEM_0x1000", 0x1000, "ITEM_0x2000", 0x2000},
		"NestedProto2", fields{"NestedEnumeration", fields{"ITEM_0", 0, "ITEM_1", 1}},
		"INLINE_0x1000", 0x1000, "INLINE_0x2000", 0x2000,
		"add", overloads{{I, []module.Kind{I, I}, addInts}, {F, []module.Kind{F, F}, addFloats}},
		"uppercase", overloads{{S, []module.Kind{S}, upper}},
		"undef_i64", overloads{{I, nil, func(*module.Call, values) module.Value { return module.Value{} }}},
		"head", overloads{{S, []module.Kind{I}, head}},
		"get_foo", overloads{{S, nil, func(*module.Call, values) module.Value { return module.Text("foo") }}},
		"to_int", overloads{{I, []module.Kind{S}, toInt}},
	}...)
	return constant("test_proto2", root, func(in *module.Input, set func(string, module.Value)) {
		set("file_size", module.Int(int64(len(in.Data))))
		if data := in.Meta["test_proto2"]; data != nil {
			set("metadata", module.Bytes(bytes.Clone(data)))
		}
	})
}

// testProto3 has the default value where nothing is set.
func testProto3() *module.Module {
	root := append(numbers("_zero", 0, 0.0), numbers("_one", 1, 1.0)...)
	root = append(root, numbers("_undef", 0, 0.0)...)
	root = append(root, "bool_undef", false, "string_foo", "foo", "string_bar", "bar", "string_undef", "",
		"bytes_foo", "foo", "bytes_bar", "bar", "bytes_undef", "")
	return constant("test_proto3", root, func(*module.Input, func(string, module.Value)) {})
}
