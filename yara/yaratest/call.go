package yaratest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/module"
)

// Call calls the function at the dotted path below a module's root, such as
// "md5" or "rich_signature.version", with the overload that takes args. It
// loads the module as a scan of in would, so a test of a module needs no rules.
// Arguments are int, int64, float64, bool or string, or module values. An
// argument or a self that is undefined gives undefined without a call.
func Call(t testing.TB, m *module.Module, in *module.Input, path string, args ...any) module.Value {
	t.Helper()
	root := module.Value{}
	if m.Load != nil {
		root = m.Load(in)
	}
	self, typ := root, m.Schema
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		i := fieldIndex(t, typ, name)
		self, typ = self.Field(i), typ.Fields[i].Type
	}
	field := typ.Fields[fieldIndex(t, typ, names[len(names)-1])]
	values := make([]module.Value, len(args))
	kinds := make([]module.Kind, len(args))
	for i, a := range args {
		values[i] = valueOf(t, a)
		kinds[i] = values[i].Kind()
		if !values[i].Defined() {
			return module.Value{}
		}
	}
	for _, f := range field.Funcs {
		if slices.Equal(f.Params, kinds) {
			return f.Call(&module.Call{Input: in, Root: root, Self: self}, values)
		}
	}
	t.Fatalf("%s.%s has no overload for %v", m.Name, path, args)
	return module.Value{}
}

// Get returns the value of the field at the dotted path below a module's root.
// An element of an array or a map is a name of its own: "sections.0.name".
func Get(t testing.TB, m *module.Module, in *module.Input, path string) module.Value {
	t.Helper()
	v, typ := m.Load(in), m.Schema
	for name := range strings.SplitSeq(path, ".") {
		switch typ.Kind {
		case module.Array:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil {
				t.Fatalf("%s in %s: not an index", name, path)
			}
			if list := v.List(); list != nil {
				v = list.At(i)
			}
			typ = typ.Elem
		case module.Map:
			if dict := v.Dict(); dict != nil {
				v = dict.Get(module.Text(name))
			}
			typ = typ.Elem
		default:
			i := fieldIndex(t, typ, name)
			v, typ = v.Field(i), typ.Fields[i].Type
		}
	}
	return v
}

func fieldIndex(t testing.TB, typ *module.Type, name string) int {
	t.Helper()
	i := slices.IndexFunc(typ.Fields, func(f *module.Field) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("%s has no field %q", typ.Name, name)
	}
	return i
}

func valueOf(t testing.TB, a any) module.Value {
	t.Helper()
	switch a := a.(type) {
	case int:
		return module.Int(int64(a))
	case int64:
		return module.Int(a)
	case float64:
		return module.Float64(a)
	case bool:
		return module.Boolean(a)
	case string:
		return module.Text(a)
	case module.Value:
		return a
	}
	t.Fatalf("%T is no argument of a function", a)
	return module.Value{}
}

// Show prints a value for a test's message: undefined, a number, true, false
// or a quoted string; composite values by their kind.
func Show(v module.Value) string {
	switch v.Kind() {
	case module.Undefined:
		return "undefined"
	case module.Integer:
		i, _ := v.Int()
		return fmt.Sprint(i)
	case module.Float:
		f, _ := v.Float()
		return fmt.Sprintf("%gf", f)
	case module.Bool:
		b, _ := v.Bool()
		return fmt.Sprint(b)
	case module.String:
		s, _ := v.Text()
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("kind %d", v.Kind())
}
