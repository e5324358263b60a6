package compile

import (
	"iter"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/syntax"
)

// field lowers X.name. Constants of the module become constants; a function
// is left to the call around it.
func (l *lowering) field(e *syntax.Field) operand {
	start := l.mark()
	x := l.expr(e.X)
	if !l.is(x, module.Struct) {
		return l.broken(e.Pos())
	}
	i := fieldIndex(x.typ, e.Name.Name)
	if i < 0 {
		return l.errorAt("unknown_field", e.Name.Span, "unknown field `"+e.Name.Name+"`",
			"there is no such field or function", l.c.didYouMean(e.Name.Name, fieldNames(x.typ))...)
	}
	f := x.typ.Fields[i]
	if f.Deprecated != "" {
		l.warn("deprecated_field", e.Name.Span, "field `"+f.Name+"` is deprecated", "", f.Deprecated)
	}
	switch {
	case f.Funcs != nil:
		return operand{span: e.Pos(), effects: x.effects,
			fn: &function{name: f.Name, field: f, index: i, self: x.node}}
	case f.Const.Defined():
		return l.fold(start, e.Pos(), f.Const)
	}
	n := node(program.OpField, f.Type.Kind, int64(i))
	n.A = x.node
	return operand{span: e.Pos(), kind: f.Type.Kind, typ: f.Type, effects: x.effects, node: l.emit(n)}
}

func fieldIndex(t *module.Type, name string) int {
	return slices.IndexFunc(t.Fields, func(f *module.Field) bool { return f.Name == name })
}

func fieldNames(t *module.Type) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, f := range t.Fields {
			if !yield(f.Name) {
				return
			}
		}
	}
}

// index lowers X[i], of an array or a map.
func (l *lowering) index(e *syntax.Index) operand {
	x, i := l.expr(e.X), l.expr(e.Index)
	if !l.is(x, module.Array, module.Map) || i.broken {
		return l.broken(e.Pos())
	}
	i = l.number(i)
	op, key := program.OpIndex, module.Integer
	if x.kind == module.Map {
		op, key = program.OpLookup, x.typ.Key
	}
	if !l.is(i, key) {
		return l.broken(e.Pos())
	}
	if v, ok := i.value.Int(); ok && v < 0 && x.kind == module.Array && l.c.opt.Dialect != program.LibYARA {
		return l.errorAt("negative_number", i.span, "negative number", "items are counted from 0")
	}
	elem := x.typ.Elem
	return operand{span: e.Pos(), kind: elem.Kind, typ: elem, effects: x.effects || i.effects,
		node: l.binary(op, elem.Kind, x.node, i.node, 0)}
}

// call lowers a call of a reader of integers, a module's function or len.
func (l *lowering) call(e *syntax.Call) operand {
	if name, ok := e.Fun.(*syntax.Name); ok && l.lookupLocal(name.Name) == nil {
		if code, kind := readerOf(name.Name); code != 0 {
			return l.read(e, code, kind)
		}
	}
	if f, ok := e.Fun.(*syntax.Field); ok && f.Name.Name == "len" {
		if o, ok := l.length(e, f); ok {
			return o
		}
	}
	fun := l.expr(e.Fun)
	args := make([]operand, len(e.Args))
	broken := fun.broken
	for i, a := range e.Args {
		args[i] = l.expr(a)
		broken = broken || args[i].broken
	}
	if broken {
		return l.broken(e.Pos())
	}
	if fun.fn == nil {
		return l.errorAt("wrong_type", fun.span, "not a function", "expected a function, found `"+fun.describe()+"`")
	}
	return l.apply(e, fun, args)
}

// apply chooses the overload by the kinds of the arguments.
func (l *lowering) apply(e *syntax.Call, fun operand, args []operand) operand {
	fn := fun.fn
	overload := func() int {
		return slices.IndexFunc(fn.field.Funcs, func(f *module.Func) bool { return accepts(f, args) })
	}
	which := overload()
	if which < 0 {
		for i := range args {
			args[i] = l.number(args[i])
		}
		which = overload()
	}
	if which < 0 {
		return l.errorAt("wrong_arguments", e.Pos(), "wrong arguments for `"+fn.name+"`",
			"", "accepted are "+signatures(fn.field.Funcs))
	}
	f := fn.field.Funcs[which]
	r := operand{span: e.Pos(), kind: f.Result.Kind, typ: f.Result, effects: fun.effects || f.Effects}
	items := make([]int32, len(args))
	for i, a := range args {
		items[i] = int32(a.node)
		r.effects = r.effects || a.effects
	}
	l.effects = l.effects || f.Effects
	n := node(program.OpCall, r.kind, int64(fn.index))
	n.A, n.C = fn.self, program.NodeID(which)
	n.L, n.N = l.list(items)
	r.node = l.emit(n)
	return r
}

func accepts(f *module.Func, args []operand) bool {
	return slices.EqualFunc(f.Params, args, func(k module.Kind, a operand) bool {
		return a.fn == nil && a.kind == k
	})
}

func signatures(funcs []*module.Func) string {
	list := make([]string, len(funcs))
	for i, f := range funcs {
		kinds := make([]string, len(f.Params))
		for j, k := range f.Params {
			kinds[j] = kindName(k)
		}
		list[i] = "(" + strings.Join(kinds, ", ") + ")"
	}
	return join(list, "and")
}

// length lowers x.len(); ok is false where x is a struct, which may have a
// function of that name.
func (l *lowering) length(e *syntax.Call, f *syntax.Field) (o operand, ok bool) {
	start := l.mark()
	x := l.expr(f.X)
	op := program.OpTextLen
	switch {
	case x.broken:
		return l.broken(e.Pos()), true
	case x.fn == nil && (x.kind == module.Array || x.kind == module.Map):
		op = program.OpItemLen
	case x.kind != module.String:
		l.cut(start)
		return operand{}, false
	}
	if len(e.Args) > 0 {
		return l.errorAt("wrong_arguments", e.Pos(), "wrong arguments for `len`", "", "it takes none"), true
	}
	if s, constant := x.value.Text(); constant {
		return l.fold(start, e.Pos(), module.Int(int64(len(s)))), true
	}
	return operand{span: e.Pos(), kind: module.Integer, effects: x.effects,
		node: l.unary(op, module.Integer, x.node)}, true
}

// read lowers uint16be(offset) and its kin.
func (l *lowering) read(e *syntax.Call, code program.ReadCode, kind module.Kind) operand {
	if len(e.Args) != 1 {
		return l.errorAt("wrong_arguments", e.Pos(), "wrong arguments for `"+l.snippet(e.Fun.Pos())+"`",
			"", "accepted is (integer)")
	}
	off := l.number(l.expr(e.Args[0]))
	if !l.is(off, module.Integer) {
		return l.broken(e.Pos())
	}
	op := program.OpReadInt
	if kind == module.Float {
		op = program.OpReadFlt
	}
	n := node(op, kind, int64(code))
	n.A = off.node
	return operand{span: e.Pos(), kind: kind, effects: off.effects, node: l.emit(n)}
}

// readerOf returns what a function of the data reads, or code 0.
func readerOf(name string) (program.ReadCode, module.Kind) {
	base, big := strings.CutSuffix(name, "be")
	switch base {
	case "int8":
		return program.MakeRead(1, true, big), module.Integer
	case "int16":
		return program.MakeRead(2, true, big), module.Integer
	case "int32":
		return program.MakeRead(4, true, big), module.Integer
	case "uint8":
		return program.MakeRead(1, false, big), module.Integer
	case "uint16":
		return program.MakeRead(2, false, big), module.Integer
	case "uint32":
		return program.MakeRead(4, false, big), module.Integer
	case "float32":
		return program.MakeRead(4, true, big), module.Float
	case "float64":
		return program.MakeRead(8, true, big), module.Float
	}
	return 0, module.Undefined
}
