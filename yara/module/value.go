package module

import "math"

// Value is one value of a module. The zero Value is undefined. Values are
// immutable and small; a struct, array or map value refers to its parts.
type Value struct {
	kind Kind
	num  uint64
	str  string
	ref  any
}

// Int returns an integer.
func Int(i int64) Value { return Value{kind: Integer, num: uint64(i)} }

// Float64 returns a float.
func Float64(f float64) Value { return Value{kind: Float, num: math.Float64bits(f)} }

// Boolean returns a bool.
func Boolean(b bool) Value {
	if b {
		return Value{kind: Bool, num: 1}
	}
	return Value{kind: Bool}
}

// Text returns a string of any bytes.
func Text(s string) Value { return Value{kind: String, str: s} }

// Bytes returns a string with a copy of b.
func Bytes(b []byte) Value { return Value{kind: String, str: string(b)} }

// Regex returns a regexp argument.
func Regex(m Matcher) Value { return Value{kind: Regexp, ref: m} }

// Object is a struct's fields by index in its type's Fields.
type Object interface {
	// Field returns the value of field i, undefined where it has none.
	Field(i int) Value
}

// List is an array.
type List interface {
	// Len is the number of items.
	Len() int
	At(i int) Value // undefined out of range
}

// Dict is a map, iterated in a stable order.
type Dict interface {
	// Len is the number of entries.
	Len() int
	// Entry returns entry i, of 0 to Len-1.
	Entry(i int) (key, value Value)
	Get(key Value) Value // undefined where absent
}

// StructOf returns a struct.
func StructOf(o Object) Value { return Value{kind: Struct, ref: o} }

// ArrayOf returns an array.
func ArrayOf(l List) Value { return Value{kind: Array, ref: l} }

// MapOf returns a map.
func MapOf(d Dict) Value { return Value{kind: Map, ref: d} }

// Kind returns the value's kind.
func (v Value) Kind() Kind { return v.kind }

// Defined reports whether the value is defined.
func (v Value) Defined() bool { return v.kind != Undefined }

// Int returns the integer; ok is false for any other kind.
func (v Value) Int() (i int64, ok bool) { return int64(v.num), v.kind == Integer }

// Float returns the float; ok is false for any other kind.
func (v Value) Float() (f float64, ok bool) { return math.Float64frombits(v.num), v.kind == Float }

// Bool returns the bool; ok is false for any other kind.
func (v Value) Bool() (b, ok bool) { return v.num != 0, v.kind == Bool }

// Text returns the string; ok is false for any other kind.
func (v Value) Text() (s string, ok bool) { return v.str, v.kind == String }

// Any returns what has no parts as an int64, float64, bool or string; nil is
// returned of all else.
func (v Value) Any() any {
	switch v.kind {
	case Integer:
		return int64(v.num)
	case Float:
		return math.Float64frombits(v.num)
	case Bool:
		return v.num != 0
	case String:
		return v.str
	}
	return nil
}

// Regexp returns the regexp argument, nil for any other kind.
func (v Value) Regexp() Matcher { m, _ := v.ref.(Matcher); return m }

// Field returns field i of a struct, undefined for any other kind.
func (v Value) Field(i int) Value {
	if o, ok := v.ref.(Object); ok && v.kind == Struct {
		return o.Field(i)
	}
	return Value{}
}

// List returns the items of an array, nil for any other kind.
func (v Value) List() List {
	if v.kind != Array {
		return nil
	}
	return v.ref.(List)
}

// Dict returns the entries of a map, nil for any other kind.
func (v Value) Dict() Dict {
	if v.kind != Map {
		return nil
	}
	return v.ref.(Dict)
}

// Record is an [Object] that holds its fields. A field set by [Record.Lazy]
// is computed when first asked for. A field never set is undefined.
type Record struct {
	fields []Value
}

// NewRecord returns a record for values of type t.
func NewRecord(t *Type) *Record { return &Record{make([]Value, len(t.Fields))} }

// Set sets field i.
func (r *Record) Set(i int, v Value) { r.fields[i] = v }

// Lazy makes field i the result of f, which is called at most once.
func (r *Record) Lazy(i int, f func() Value) { r.fields[i] = Value{ref: thunk(f)} }

// Field implements [Object].
func (r *Record) Field(i int) Value {
	if i >= len(r.fields) {
		return Value{}
	}
	v := r.fields[i]
	if f, ok := v.ref.(thunk); ok {
		v = f()
		r.fields[i] = v
	}
	return v
}

type thunk func() Value

// Items is a [List] held in a slice.
type Items []Value

// Len implements [List].
func (l Items) Len() int { return len(l) }

// At implements [List].
func (l Items) At(i int) Value {
	if i < 0 || i >= len(l) {
		return Value{}
	}
	return l[i]
}

// Table is a [Dict] with string keys in insertion order.
type Table struct {
	keys   []string
	values map[string]Value
}

// Put adds or replaces the value of key.
func (t *Table) Put(key string, v Value) {
	if t.values == nil {
		t.values = make(map[string]Value)
	}
	if _, ok := t.values[key]; !ok {
		t.keys = append(t.keys, key)
	}
	t.values[key] = v
}

// Len implements [Dict].
func (t *Table) Len() int { return len(t.keys) }

// Entry implements [Dict].
func (t *Table) Entry(i int) (Value, Value) { return Text(t.keys[i]), t.values[t.keys[i]] }

// Get implements [Dict].
func (t *Table) Get(key Value) Value {
	s, ok := key.Text()
	if !ok {
		return Value{}
	}
	return t.values[s]
}
