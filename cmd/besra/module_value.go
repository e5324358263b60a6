package main

import (
	"iter"
	"strconv"

	"github.com/besra-hunt/besra/yara/module"
)

// fieldValue returns the value of field i of a struct, which a constant has
// whatever the target.
func fieldValue(f *module.Field, v module.Value, i int) module.Value {
	if f.Const.Defined() {
		return f.Const
	}
	return v.Field(i)
}

// listItems yields the items of an array, none of an undefined one.
func listItems(v module.Value) iter.Seq2[int, module.Value] {
	return func(yield func(int, module.Value) bool) {
		l := v.List()
		for i := 0; l != nil && i < l.Len() && yield(i, l.At(i)); i++ {
		}
	}
}

// dictEntries yields the entries of a map, none of an undefined one.
func dictEntries(v module.Value) iter.Seq2[module.Value, module.Value] {
	return func(yield func(module.Value, module.Value) bool) {
		d := v.Dict()
		for i := 0; d != nil && i < d.Len() && yield(d.Entry(i)); i++ {
		}
	}
}

// keyText returns a key of a map as text.
func keyText(key module.Value) string {
	if i, ok := key.Int(); ok {
		return strconv.FormatInt(i, 10)
	}
	s, _ := key.Text()
	return s
}
