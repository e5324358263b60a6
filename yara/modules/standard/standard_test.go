package standard_test

import (
	"slices"
	"testing"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

// Every module is well formed, so that compile and eval need not ask.
func TestModules(t *testing.T) {
	var names []string
	for _, m := range standard.Modules() {
		names = append(names, m.Name)
		if m.Doc == "" {
			t.Errorf("%s has no doc", m.Name)
		}
		if m.Schema == nil || m.Schema.Kind != module.Struct {
			t.Errorf("%s: the root is no struct", m.Name)
			continue
		}
		check(t, m.Name, m.Schema, map[*module.Type]bool{})
	}
	if !slices.IsSorted(names) || len(slices.Compact(names)) != len(standard.Modules()) {
		t.Errorf("names are not sorted or not distinct: %v", names)
	}
}

func check(t *testing.T, path string, typ *module.Type, seen map[*module.Type]bool) {
	if seen[typ] {
		return
	}
	seen[typ] = true
	switch typ.Kind {
	case module.Array, module.Map:
		if typ.Elem == nil {
			t.Errorf("%s has no element type", path)
			return
		}
		check(t, path+"[]", typ.Elem, seen)
	case module.Undefined, module.Regexp:
		t.Errorf("%s has kind %d", path, typ.Kind)
	}
	for _, f := range typ.Fields {
		p := path + "." + f.Name
		if (f.Type == nil) == (len(f.Funcs) == 0) {
			t.Errorf("%s is neither a value nor a function, or both", p)
		}
		if f.Type != nil {
			check(t, p, f.Type, seen)
		}
		for i, fn := range f.Funcs {
			if fn.Call == nil || fn.Result == nil {
				t.Errorf("overload %d of %s has no result or no implementation", i, p)
			}
			for _, other := range f.Funcs[:i] {
				if slices.Equal(fn.Params, other.Params) {
					t.Errorf("overload %d of %s repeats another", i, p)
				}
			}
		}
	}
}
