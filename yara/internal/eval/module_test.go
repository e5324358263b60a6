package eval

import (
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
)

// The fields of the module sample.
const (
	fieldNumber = iota
	fieldList
	fieldTable
	fieldSum
	fieldRootCall
	fieldBroken
	fieldAbsent
	fieldUndefinedList
	fieldEmptyList
)

// The fields of its struct item.
const (
	fieldName = iota
	fieldTwice
)

// sample returns a module with a bit of everything. Its items are the structs
// 1, 2 and 3, with a method that doubles them.
func sample() *module.Module {
	integer := &module.Type{Kind: module.Integer}
	item := &module.Type{Kind: module.Struct, Name: "item"}
	item.Fields = []*module.Field{
		{Name: "name", Type: integer},
		{Name: "twice", Funcs: []*module.Func{{Result: integer, Call: func(c *module.Call, _ []module.Value) module.Value {
			i, _ := c.Self.Field(fieldName).Int()
			number, _ := c.Root.Field(fieldNumber).Int()
			return module.Int(2*i + number)
		}}}},
	}
	schema := &module.Type{Kind: module.Struct, Name: "sample"}
	schema.Fields = []*module.Field{
		{Name: "number", Type: integer},
		{Name: "list", Type: &module.Type{Kind: module.Array, Elem: item}},
		{Name: "table", Type: &module.Type{Kind: module.Map, Key: module.String, Elem: item}},
		{Name: "sum", Funcs: []*module.Func{
			{Result: integer, Call: func(*module.Call, []module.Value) module.Value { return module.Int(0) }},
			{Params: []module.Kind{module.Integer, module.Integer}, Result: integer, Call: func(_ *module.Call, args []module.Value) module.Value {
				a, _ := args[0].Int()
				b, _ := args[1].Int()
				return module.Int(a + b)
			}},
		}},
		{Name: "root_call", Funcs: []*module.Func{{Result: integer, Call: func(c *module.Call, _ []module.Value) module.Value {
			if !c.Root.Defined() {
				return module.Int(-1)
			}
			return module.Int(1)
		}}}},
		{Name: "broken", Funcs: []*module.Func{{Result: integer, Call: func(*module.Call, []module.Value) module.Value {
			panic("broken function")
		}}}},
		{Name: "absent", Type: item},
		{Name: "undefined_list", Type: &module.Type{Kind: module.Array, Elem: integer}},
		{Name: "empty_list", Type: &module.Type{Kind: module.Array, Elem: integer}},
	}
	newItem := func(i int64) module.Value {
		r := module.NewRecord(item)
		r.Set(fieldName, module.Int(i))
		return module.StructOf(r)
	}
	root := module.NewRecord(schema)
	root.Set(fieldNumber, module.Int(100))
	root.Set(fieldList, module.ArrayOf(module.Items{newItem(1), newItem(2), newItem(3)}))
	table := &module.Table{}
	table.Put("one", newItem(1))
	table.Put("two", newItem(2))
	root.Set(fieldTable, module.MapOf(table))
	root.Set(fieldEmptyList, module.ArrayOf(module.Items{}))
	value := module.StructOf(root)
	return &module.Module{Name: "sample", Schema: schema, Load: func(in *module.Input) module.Value {
		if string(in.Data) == "not mine" {
			return module.Value{}
		}
		if string(in.Data) == "crash" {
			panic("broken parser")
		}
		return value
	}}
}

// sampleBuilder is a builder of rules that import the module sample.
type sampleBuilder struct{ builder }

func newSample() *sampleBuilder {
	b := &sampleBuilder{}
	b.modules = []*module.Module{sample()}
	b.prog.Modules = []program.Module{{Name: "sample"}}
	return b
}

func (b *sampleBuilder) root() id { return b.node(program.OpModule, module.Struct, 0) }
func (b *sampleBuilder) field(k module.Kind, i int64, of id) id {
	return b.node(program.OpField, k, i, of)
}
func (b *sampleBuilder) call(field int64, overload id, self id, args ...id) id {
	var list []int32
	for _, a := range args {
		list = append(list, int32(a))
	}
	i := b.list(program.OpCall, module.Integer, field, program.Quant{}, overload, list...)
	b.prog.Nodes[i].A = self
	return i
}
func (b *sampleBuilder) index(of, i id) id  { return b.node(program.OpIndex, module.Struct, 0, of, i) }
func (b *sampleBuilder) lookup(of, k id) id { return b.node(program.OpLookup, module.Struct, 0, of, k) }
func (b *sampleBuilder) is(x id, want int64) id {
	return b.logic(program.OpEqInt, x, b.integer(want))
}

func TestModuleValues(t *testing.T) {
	anyOf := program.Quant{Kind: program.QuantAny, N: program.None}
	all := program.Quant{Kind: program.QuantAll, N: program.None}
	none := program.Quant{Kind: program.QuantNone, N: program.None}
	list := func(b *sampleBuilder) id { return b.field(module.Array, fieldList, b.root()) }
	table := func(b *sampleBuilder) id { return b.field(module.Map, fieldTable, b.root()) }
	name := func(b *sampleBuilder, of id) id { return b.field(module.Integer, fieldName, of) }
	tests := []struct {
		name  string
		build func(b *sampleBuilder) id
		data  string
		want  bool
	}{
		{"field", func(b *sampleBuilder) id { return b.is(b.field(module.Integer, fieldNumber, b.root()), 100) }, "", true},
		{"field of another format", func(b *sampleBuilder) id {
			return b.logic(program.OpDefined, b.field(module.Integer, fieldNumber, b.root()))
		}, "not mine", false},
		{"index", func(b *sampleBuilder) id { return b.is(name(b, b.index(list(b), b.integer(1))), 2) }, "", true},
		{"index out of range", func(b *sampleBuilder) id {
			return b.logic(program.OpDefined, name(b, b.index(list(b), b.integer(3))))
		}, "", false},
		{"negative index", func(b *sampleBuilder) id {
			return b.logic(program.OpDefined, name(b, b.index(list(b), b.integer(-1))))
		}, "", false},
		{"undefined index", func(b *sampleBuilder) id {
			return b.logic(program.OpDefined, name(b, b.index(list(b), b.undef(module.Integer))))
		}, "", false},
		{"lookup", func(b *sampleBuilder) id { return b.is(name(b, b.lookup(table(b), b.text("two"))), 2) }, "", true},
		{"lookup of no key", func(b *sampleBuilder) id {
			return b.logic(program.OpDefined, name(b, b.lookup(table(b), b.text("none"))))
		}, "", false},
		{"len of an array", func(b *sampleBuilder) id {
			return b.is(b.node(program.OpItemLen, module.Integer, 0, list(b)), 3)
		}, "", true},
		{"len of a map", func(b *sampleBuilder) id {
			return b.is(b.node(program.OpItemLen, module.Integer, 0, table(b)), 2)
		}, "", true},
		{"defined struct", func(b *sampleBuilder) id {
			return b.logic(program.OpDefined, b.field(module.Struct, fieldAbsent, b.root()))
		}, "", false},

		{"first overload", func(b *sampleBuilder) id { return b.is(b.call(fieldSum, 0, b.root()), 0) }, "", true},
		{"second overload", func(b *sampleBuilder) id {
			return b.is(b.call(fieldSum, 1, b.root(), b.integer(3), b.integer(4)), 7)
		}, "", true},
		{"nested calls", func(b *sampleBuilder) id {
			inner := b.call(fieldSum, 1, b.root(), b.integer(3), b.integer(4))
			return b.is(b.call(fieldSum, 1, b.root(), inner, b.call(fieldSum, 1, b.root(), inner, inner)), 21)
		}, "", true},
		{"undefined argument", func(b *sampleBuilder) id {
			return b.logic(program.OpDefined, b.call(fieldSum, 1, b.root(), b.integer(3), b.undef(module.Integer)))
		}, "", false},
		{"undefined argument of what would panic", func(b *sampleBuilder) id {
			return b.logic(program.OpDefined, b.call(fieldBroken, 0, b.root(), b.undef(module.Integer)))
		}, "", false},
		{"function of the root sees no root", func(b *sampleBuilder) id { return b.is(b.call(fieldRootCall, 0, b.root()), -1) }, "not mine", true},
		{"method", func(b *sampleBuilder) id {
			return b.is(b.call(fieldTwice, 0, b.index(list(b), b.integer(1))), 104)
		}, "", true},
		{"method of nothing", func(b *sampleBuilder) id {
			return b.logic(program.OpDefined, b.call(fieldTwice, 0, b.index(list(b), b.integer(7))))
		}, "", false},
		{"method of a loop's variable", func(b *sampleBuilder) id {
			body := b.is(b.call(fieldTwice, 0, b.slot(module.Struct, 2)), 106)
			return b.loop(program.OpForArray, anyOf, 2, body, list(b))
		}, "", true},
		{"method of a map's value", func(b *sampleBuilder) id {
			body := b.and(b.logic(program.OpEqText, b.slot(module.String, 1), b.text("two")),
				b.is(b.call(fieldTwice, 0, b.slot(module.Struct, 2)), 104))
			return b.loop(program.OpForMap, anyOf, 1, body, table(b))
		}, "", true},
		{"method of a with", func(b *sampleBuilder) id {
			body := b.is(b.call(fieldTwice, 0, b.slot(module.Struct, 0)), 102)
			return b.loop(program.OpWith, program.Quant{}, 0, body, b.index(list(b), b.integer(0)))
		}, "", true},

		{"for all in array", func(b *sampleBuilder) id {
			return b.loop(program.OpForArray, all, 0, b.logic(program.OpGtInt, name(b, b.slot(module.Struct, 0)), b.integer(0)), list(b))
		}, "", true},
		{"for all in array, one not", func(b *sampleBuilder) id {
			return b.loop(program.OpForArray, all, 0, b.logic(program.OpGtInt, name(b, b.slot(module.Struct, 0)), b.integer(1)), list(b))
		}, "", false},
		{"not for any in undefined array", func(b *sampleBuilder) id {
			return b.logic(program.OpNot, b.loop(program.OpForArray, anyOf, 0, b.truth(true), b.field(module.Array, fieldUndefinedList, b.root())))
		}, "", true},
		{"for none in undefined array", func(b *sampleBuilder) id {
			return b.loop(program.OpForArray, none, 0, b.truth(false), b.field(module.Array, fieldUndefinedList, b.root()))
		}, "", false},
		{"for none in empty array", func(b *sampleBuilder) id {
			return b.loop(program.OpForArray, none, 0, b.truth(false), b.field(module.Array, fieldEmptyList, b.root()))
		}, "", false},
		{"for any in array of another format", func(b *sampleBuilder) id {
			return b.loop(program.OpForArray, anyOf, 0, b.truth(true), list(b))
		}, "not mine", false},
	}
	for _, tt := range tests {
		b := newSample()
		b.rule(program.Rule{Name: "r", Condition: tt.build(b)})
		s := b.state(t)
		if err := run(s, tt.data, &fake{}); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got := len(s.Matching()) == 1; got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A module is loaded once a scan, when a condition first asks, and not at all
// where none does.
func TestModulesAreLoadedLazily(t *testing.T) {
	loads := 0
	b := newSample()
	load := b.modules[0].Load
	b.modules[0].Load = func(in *module.Input) module.Value { loads++; return load(in) }
	asks := func() id { return b.is(b.field(module.Integer, fieldNumber, b.root()), 100) }
	gate := program.Gate{MinSize: 4, MaxSize: 1 << 40}
	b.rule(program.Rule{Name: "a", Condition: asks(), Gate: gate})
	b.rule(program.Rule{Name: "b", Condition: b.and(asks(), asks()), Gate: gate})
	s := b.state(t)
	for _, tt := range []struct {
		data string
		want int
	}{{"", 0}, {"large", 1}, {"", 1}, {"large", 2}} {
		if err := run(s, tt.data, &fake{}); err != nil {
			t.Fatal(err)
		}
		if loads != tt.want {
			t.Errorf("after %q: got %d loads, want %d", tt.data, loads, tt.want)
		}
	}
}

// A panic fails the rule that met it and is told; other rules stand, and so
// does the next scan.
func TestPanics(t *testing.T) {
	b := newSample()
	b.rule(program.Rule{Name: "before", Condition: b.truth(true)})
	b.rule(program.Rule{Name: "parses", Condition: b.logic(program.OpDefined, b.field(module.Integer, fieldNumber, b.root()))})
	b.rule(program.Rule{Name: "calls", Condition: b.is(b.call(fieldSum, 1, b.root(), b.integer(1), b.integer(1)), 2)})
	b.rule(program.Rule{Name: "after", Condition: b.truth(true)})
	s := b.state(t)
	matching := func() string {
		var names []string
		for _, r := range s.Matching() {
			names = append(names, b.prog.Rules[r].Name)
		}
		return strings.Join(names, " ")
	}
	err := run(s, "crash", &fake{})
	if err == nil || !strings.Contains(err.Error(), "parses") || !strings.Contains(err.Error(), "broken parser") {
		t.Errorf("got error %v, want one that names the rule and the panic", err)
	}
	if got, want := matching(), "before calls after"; got != want {
		t.Errorf("matching after a panic: got %q, want %q", got, want)
	}
	if err := run(s, "fine", &fake{}); err != nil || matching() != "before parses calls after" {
		t.Errorf("the next scan: got %v and %q", err, matching())
	}

	b = newSample()
	b.rule(program.Rule{Name: "calls", Condition: b.is(b.call(fieldSum, 1, b.root(), b.integer(1), b.call(fieldBroken, 0, b.root())), 2)})
	b.rule(program.Rule{Name: "calls_too", Condition: b.is(b.call(fieldSum, 1, b.root(), b.integer(1), b.integer(1)), 2)})
	s = b.state(t)
	if err := run(s, "", &fake{}); err == nil || matching() != "calls_too" {
		t.Errorf("a function that panics: got %v and %q", err, matching())
	}
}

func TestNewNeedsTheModules(t *testing.T) {
	b := newSample()
	b.rule(program.Rule{Name: "calls", Condition: b.is(b.call(fieldSum, 1, b.root()), 2)})
	if _, err := New(&b.prog, nil); err == nil {
		t.Errorf("without the module: got error %v", err)
	}
	other := sample()
	other.Schema.Fields = slices.Clone(other.Schema.Fields[:2])
	if _, err := New(&b.prog, []*module.Module{other}); err == nil {
		t.Error("with a schema that lacks the function: got no error")
	}
}

// A method finds the root value of its own module, also in a loop.
func TestRootOfTheSecondModule(t *testing.T) {
	b := newSample()
	other := sample()
	other.Name = "other"
	other.Load = func(*module.Input) module.Value {
		r := module.NewRecord(other.Schema)
		r.Set(fieldNumber, module.Int(1000))
		r.Set(fieldList, sample().Load(&module.Input{}).Field(fieldList))
		return module.StructOf(r)
	}
	b.modules = append(b.modules, other)
	b.prog.Modules = append(b.prog.Modules, program.Module{Name: "other"})
	list := b.field(module.Array, fieldList, b.node(program.OpModule, module.Struct, 1))
	body := b.is(b.call(fieldTwice, 0, b.slot(module.Struct, 0)), 1006)
	anyOf := program.Quant{Kind: program.QuantAny, N: program.None}
	b.rule(program.Rule{Name: "r", Condition: b.loop(program.OpForArray, anyOf, 0, body, list)})
	s := b.state(t)
	if err := run(s, "", &fake{}); err != nil || len(s.Matching()) != 1 {
		t.Errorf("got %v and rules %v, want a match", err, s.Matching())
	}
}
