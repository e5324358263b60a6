package yaratest

import (
	"fmt"
	"strings"

	"github.com/besra-hunt/besra/yara/module"
)

// Dump lists all that a module says of a target, one value a line, such as
//
//	pe.sections[0]: name = ".text"
//
// with every field that is defined, and what functions without parameters
// give. It is for goldens of whole outputs.
func Dump(m *module.Module, in *module.Input) string {
	d := dumper{in: in}
	if m.Load != nil {
		d.root = m.Load(in)
	}
	d.object(m.Name, m.Schema, d.root)
	return d.out.String()
}

type dumper struct {
	in   *module.Input
	root module.Value
	out  strings.Builder
}

// object lists the members of the struct at path.
func (d *dumper) object(path string, t *module.Type, v module.Value) {
	for i, f := range t.Fields {
		switch {
		case f.Const.Defined():
		case f.Type != nil:
			d.value(path, f.Name, f.Type, v.Field(i))
		default:
			d.call(path, f, v)
		}
	}
}

// value lists a member of the struct at path.
func (d *dumper) value(path, name string, t *module.Type, v module.Value) {
	switch t.Kind {
	case module.Struct:
		d.object(path+"."+name, t, v)
	case module.Array:
		for i := 0; v.List() != nil && i < v.List().Len(); i++ {
			d.value(path, fmt.Sprintf("%s[%d]", name, i), t.Elem, v.List().At(i))
		}
	case module.Map:
		for i := 0; v.Dict() != nil && i < v.Dict().Len(); i++ {
			key, value := v.Dict().Entry(i)
			d.value(path, name+"["+Show(key)+"]", t.Elem, value)
		}
	default:
		if v.Defined() {
			fmt.Fprintf(&d.out, "%s: %s = %s\n", path, name, Show(v))
		}
	}
}

func (d *dumper) call(path string, f *module.Field, self module.Value) {
	for _, fn := range f.Funcs {
		if len(fn.Params) == 0 && !fn.Effects {
			d.value(path, f.Name+"()", fn.Result, fn.Call(&module.Call{Input: d.in, Root: d.root, Self: self}, nil))
		}
	}
}
