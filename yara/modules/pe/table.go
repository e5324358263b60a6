package pe

import "github.com/besra-hunt/besra/yara/module"

// A column describes one field of the structs that are made from a T, and how
// to get its value. A schema and the values that belong to it are two readings
// of one list of columns.
type column[T any] struct {
	name, doc  string
	typ        *module.Type
	get        func(T) module.Value
	funcs      []*module.Func
	constant   module.Value
	deprecated string
}

// typeOf is the type of the structs with these columns.
func typeOf[T any](name string, columns []column[T]) *module.Type {
	t := &module.Type{Kind: module.Struct, Name: name}
	for _, c := range columns {
		t.Fields = append(t.Fields, &module.Field{
			Name: c.name, Doc: c.doc, Type: c.typ, Const: c.constant, Funcs: c.funcs, Deprecated: c.deprecated,
		})
	}
	return t
}

// record is a struct of which each field is computed when it is asked for.
type record[T any] struct {
	columns []column[T]
	of      T
}

// Field implements [module.Object].
func (r *record[T]) Field(i int) module.Value {
	if i >= len(r.columns) || r.columns[i].get == nil {
		return module.Value{}
	}
	return r.columns[i].get(r.of)
}

func structOf[T any](columns []column[T], of T) module.Value {
	return module.StructOf(&record[T]{columns, of})
}

// listOf is an array of the structs that are made from items.
func listOf[T any](columns []column[T], items []T) module.Value {
	list := make(module.Items, len(items))
	for i, item := range items {
		list[i] = structOf(columns, item)
	}
	return module.ArrayOf(list)
}

// The types of fields that are no structs.
func integer() *module.Type { return &module.Type{Kind: module.Integer} }
func boolean() *module.Type { return &module.Type{Kind: module.Bool} }
func text() *module.Type    { return &module.Type{Kind: module.String} }

func array(of *module.Type) *module.Type { return &module.Type{Kind: module.Array, Elem: of} }

// number, flag and words are columns of integers, bools and strings.
func number[T any, I int64 | uint64 | uint32 | uint16 | uint8 | int](name, doc string, get func(T) I) column[T] {
	return column[T]{name: name, doc: doc, typ: integer(), get: func(of T) module.Value { return module.Int(int64(get(of))) }}
}

func words[T any](name, doc string, get func(T) string) column[T] {
	return column[T]{name: name, doc: doc, typ: text(), get: func(of T) module.Value { return module.Text(get(of)) }}
}

func flag[T any](name, doc string, get func(T) bool) column[T] {
	return column[T]{name: name, doc: doc, typ: boolean(), get: func(of T) module.Value { return module.Boolean(get(of)) }}
}

// maybe is a value that a file may lack.
type maybe[T any] struct {
	value T
	ok    bool
}

func some[T any](v T) maybe[T] { return maybe[T]{v, true} }

// optional integers and strings are undefined where the file lacks them.
func optionalNumber[T any, I int64 | uint32 | uint16](name, doc string, get func(T) maybe[I]) column[T] {
	return column[T]{name: name, doc: doc, typ: integer(), get: func(of T) module.Value {
		if m := get(of); m.ok {
			return module.Int(int64(m.value))
		}
		return module.Value{}
	}}
}

func optionalWords[T any](name, doc string, get func(T) maybe[string]) column[T] {
	return column[T]{name: name, doc: doc, typ: text(), get: func(of T) module.Value {
		if m := get(of); m.ok {
			return module.Text(m.value)
		}
		return module.Value{}
	}}
}
