// Package column makes a module's schema and its values from one list.
//
// A [Column] describes one field of the structs that are made from a T, and
// how to get its value. [Type] reads the list as a schema, [Struct] and [List]
// read it as values, so the two cannot disagree about the order of fields.
// Nothing is computed before a condition asks for it.
//
//	var rows = []column.Column[section]{
//		column.Text("name", "What the section is called.", func(s section) string { return s.name }),
//		column.Int("size", "In bytes.", func(s section) uint32 { return s.size }),
//	}
package column

import (
	"cmp"
	"maps"
	"slices"

	"github.com/besra-hunt/besra/yara/module"
)

// Column describes one field of the structs that are made from a T.
type Column[T any] struct {
	Name, Doc  string
	Type       *module.Type
	Get        func(T) module.Value
	Funcs      []*module.Func
	Const      module.Value
	Deprecated string
}

// Type is the type of the structs with these columns.
func Type[T any](name string, columns []Column[T]) *module.Type {
	t := &module.Type{Kind: module.Struct, Name: name}
	for _, c := range columns {
		t.Fields = append(t.Fields, &module.Field{
			Name: c.Name, Doc: c.Doc, Type: c.Type, Const: c.Const, Funcs: c.Funcs, Deprecated: c.Deprecated,
		})
	}
	return t
}

// Struct is a struct of which each field is computed whenever it is asked for.
func Struct[T any](columns []Column[T], of T) module.Value {
	return module.StructOf(&record[T]{columns, of})
}

type record[T any] struct {
	columns []Column[T]
	of      T
}

func (r *record[T]) Field(i int) module.Value {
	if i < 0 || i >= len(r.columns) || r.columns[i].Get == nil {
		return module.Value{}
	}
	return r.columns[i].Get(r.of)
}

// List is an array of the structs that are made from items, each made once:
// for a caller that keeps the array for the scan.
func List[T any](columns []Column[T], items []T) module.Value {
	return module.ArrayOf(&structs[T]{columns: columns, items: items})
}

// structs makes all when the first is asked for: rules go through lists again
// and again.
type structs[T any] struct {
	columns []Column[T]
	items   []T
	records []record[T]
}

func (l *structs[T]) Len() int { return len(l.items) }

func (l *structs[T]) At(i int) module.Value {
	if i < 0 || i >= len(l.items) {
		return module.Value{}
	}
	if l.records == nil {
		l.records = make([]record[T], len(l.items))
		for k, item := range l.items {
			l.records[k] = record[T]{l.columns, item}
		}
	}
	return module.StructOf(&l.records[i])
}

// Each is an array of the values that are made from items.
func Each[T any](items []T, value func(T) module.Value) module.Value {
	return module.ArrayOf(&list[T]{items, value})
}

type list[T any] struct {
	items []T
	value func(T) module.Value
}

func (l *list[T]) Len() int { return len(l.items) }

func (l *list[T]) At(i int) module.Value {
	if i < 0 || i >= len(l.items) {
		return module.Value{}
	}
	return l.value(l.items[i])
}

// Blank is a struct of type t in which nothing is set but the fields that are
// given by name.
func Blank(t *module.Type, given map[string]module.Value) module.Value {
	r := module.NewRecord(t)
	for i, f := range t.Fields {
		if v, ok := given[f.Name]; ok {
			r.Set(i, v)
		} else if f.Type != nil {
			r.Set(i, None(f.Type))
		}
	}
	return module.StructOf(r)
}

// None is the value of a field of type t that is not set: a list or map is
// empty, a struct is there with nothing in it, and all else is undefined. (A
// list of structs in such a struct has one item with nothing in it in YARA-X
// 1.20, which must be a mistake.)
func None(t *module.Type) module.Value {
	switch t.Kind {
	case module.Array:
		return module.ArrayOf(module.Items(nil))
	case module.Map:
		return module.MapOf(new(module.Table))
	case module.Struct:
		return Blank(t, nil)
	}
	return module.Value{}
}

// Number is what becomes an integer. Unsigned numbers beyond 63 bits wrap, as
// they do in both reference engines.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// Int is a column of integers.
func Int[T any, N Number](name, doc string, get func(T) N) Column[T] {
	return Column[T]{Name: name, Doc: doc, Type: Scalar(module.Integer),
		Get: func(of T) module.Value { return module.Int(int64(get(of))) }}
}

// Bool is a column of bools.
func Bool[T any](name, doc string, get func(T) bool) Column[T] {
	return Column[T]{Name: name, Doc: doc, Type: Scalar(module.Bool),
		Get: func(of T) module.Value { return module.Boolean(get(of)) }}
}

// Text is a column of strings.
func Text[T any](name, doc string, get func(T) string) Column[T] {
	return Column[T]{Name: name, Doc: doc, Type: Scalar(module.String),
		Get: func(of T) module.Value { return module.Text(get(of)) }}
}

// OptInt is a column of integers that some lack.
func OptInt[T any, N Number](name, doc string, get func(T) (N, bool)) Column[T] {
	return Column[T]{Name: name, Doc: doc, Type: Scalar(module.Integer), Get: func(of T) module.Value {
		n, ok := get(of)
		if !ok {
			return module.Value{}
		}
		return module.Int(int64(n))
	}}
}

// OptText is a column of strings that some lack.
func OptText[T any](name, doc string, get func(T) (string, bool)) Column[T] {
	return Column[T]{Name: name, Doc: doc, Type: Scalar(module.String), Get: func(of T) module.Value {
		s, ok := get(of)
		if !ok {
			return module.Value{}
		}
		return module.Text(s)
	}}
}

// Sub is a column of structs made from a U, which is [None] where ok is false.
func Sub[T, U any](name, doc, typ string, columns []Column[U], get func(T) (of U, ok bool)) Column[T] {
	t := Type(typ, columns)
	none := None(t)
	return Column[T]{Name: name, Doc: doc, Type: t, Get: func(of T) module.Value {
		u, ok := get(of)
		if !ok {
			return none
		}
		return Struct(columns, u)
	}}
}

// Rows is a column of arrays of structs.
func Rows[T, U any](name, doc, typ string, columns []Column[U], get func(T) []U) Column[T] {
	return Column[T]{Name: name, Doc: doc, Type: ArrayOf(Type(typ, columns)),
		Get: func(of T) module.Value {
			return Each(get(of), func(item U) module.Value { return Struct(columns, item) })
		}}
}

// Texts is a column of arrays of strings.
func Texts[T any](name, doc string, get func(T) []string) Column[T] {
	return Column[T]{Name: name, Doc: doc, Type: ArrayOf(Scalar(module.String)),
		Get: func(of T) module.Value { return Each(get(of), module.Text) }}
}

// Ints is a column of arrays of integers.
func Ints[T any, N Number](name, doc string, get func(T) []N) Column[T] {
	value := func(n N) module.Value { return module.Int(int64(n)) }
	return Column[T]{Name: name, Doc: doc, Type: ArrayOf(Scalar(module.Integer)),
		Get: func(of T) module.Value { return Each(get(of), value) }}
}

// Func is a function that gives values of a kind.
func Func[T any](name, doc string, result module.Kind, overloads ...Overload) Column[T] {
	c := Column[T]{Name: name, Doc: doc}
	for _, o := range overloads {
		c.Funcs = append(c.Funcs, &module.Func{Params: o.Params, Result: Scalar(result), Call: o.Call})
	}
	return c
}

// Overload is one form of a function.
type Overload struct {
	Params []module.Kind
	Call   func(c *module.Call, args []module.Value) module.Value
}

// Constants are columns of constants with one doc, in the order of their
// values.
func Constants[T any](doc string, values map[string]int64) []Column[T] {
	names := slices.SortedFunc(maps.Keys(values), func(a, b string) int {
		return cmp.Or(cmp.Compare(values[a], values[b]), cmp.Compare(a, b))
	})
	columns := make([]Column[T], len(names))
	for i, name := range names {
		columns[i] = Column[T]{Name: name, Doc: doc, Type: Scalar(module.Integer), Const: module.Int(values[name])}
	}
	return columns
}

// Scalar is the type of values of a kind that have no parts.
func Scalar(k module.Kind) *module.Type { return &module.Type{Kind: k} }

// ArrayOf is the type of arrays.
func ArrayOf(elem *module.Type) *module.Type { return &module.Type{Kind: module.Array, Elem: elem} }
