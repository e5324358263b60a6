package compile

import (
	"math"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
)

// operand is a lowered expression: the node that computes it and what is
// known of its value.
type operand struct {
	span diag.Span
	node program.NodeID
	kind module.Kind
	typ  *module.Type // of Struct, Array and Map
	// value is the constant it always has; undefined where it is not constant.
	value module.Value
	// fn is set for a function that is named but not called.
	fn *function
	// regexp is the index in Program.Regexps of a Regexp.
	regexp int32
	// effects is set where evaluating it does more than give a value.
	effects bool
	// broken is set where an error was reported: nothing more is said of it.
	broken bool
}

// function is a member function and the struct it belongs to.
type function struct {
	name  string
	field *module.Field
	index int
	self  program.NodeID
}

func (o operand) constant() bool { return o.value.Defined() }

// describe names the operand's type as diagnostics do.
func (o operand) describe() string {
	if o.fn != nil {
		return "function"
	}
	return kindName(o.kind)
}

func kindName(k module.Kind) string {
	switch k {
	case module.Integer:
		return "integer"
	case module.Float:
		return "float"
	case module.Bool:
		return "bool"
	case module.String:
		return "string"
	case module.Regexp:
		return "regexp"
	case module.Struct:
		return "struct"
	case module.Array:
		return "array"
	case module.Map:
		return "map"
	}
	return "undefined"
}

// mark is a point that the node and list tables can be cut back to.
type mark struct{ nodes, lists int }

func (l *lowering) mark() mark { return mark{len(l.c.prog.Nodes), len(l.c.prog.Lists)} }

func (l *lowering) cut(m mark) {
	l.c.prog.Nodes = l.c.prog.Nodes[:m.nodes]
	l.c.prog.Lists = l.c.prog.Lists[:m.lists]
}

// emit appends a node.
func (l *lowering) emit(n program.Node) program.NodeID {
	if len(l.c.prog.Nodes) >= l.c.opt.Limits.Nodes {
		l.overflow()
		return program.NodeID(len(l.c.prog.Nodes) - 1)
	}
	l.c.prog.Nodes = append(l.c.prog.Nodes, n)
	return program.NodeID(len(l.c.prog.Nodes) - 1)
}

// node returns a node without operands.
func node(op program.Op, kind module.Kind, v int64) program.Node {
	return program.Node{Op: op, Kind: kind, V: v, A: program.None, B: program.None, C: program.None,
		Quant: program.Quant{N: program.None}}
}

func (l *lowering) leaf(op program.Op, kind module.Kind, v int64) program.NodeID {
	return l.emit(node(op, kind, v))
}

func (l *lowering) unary(op program.Op, kind module.Kind, a program.NodeID) program.NodeID {
	n := node(op, kind, 0)
	n.A = a
	return l.emit(n)
}

func (l *lowering) binary(op program.Op, kind module.Kind, a, b program.NodeID, v int64) program.NodeID {
	n := node(op, kind, v)
	n.A, n.B = a, b
	return l.emit(n)
}

// list appends an operand list and returns its place.
func (l *lowering) list(items []int32) (at, n int32) {
	at = int32(len(l.c.prog.Lists))
	l.c.prog.Lists = append(l.c.prog.Lists, items...)
	return at, int32(len(items))
}

// constant emits a constant.
func (l *lowering) constant(span diag.Span, v module.Value) operand {
	o := operand{span: span, kind: v.Kind(), value: v}
	switch v.Kind() {
	case module.Integer:
		i, _ := v.Int()
		o.node = l.leaf(program.OpInt, module.Integer, i)
	case module.Float:
		f, _ := v.Float()
		o.node = l.leaf(program.OpFloat, module.Float, int64(math.Float64bits(f)))
	case module.Bool:
		b, _ := v.Bool()
		o.node = l.leaf(program.OpBool, module.Bool, int64(b2i(b)))
	case module.String:
		s, _ := v.Text()
		o.node = l.leaf(program.OpText, module.String, int64(l.c.text(s)))
	}
	return o
}

// fold replaces everything emitted since m by a constant.
func (l *lowering) fold(m mark, span diag.Span, v module.Value) operand {
	l.cut(m)
	return l.constant(span, v)
}

// text returns the index of a text literal.
func (c *Compiler) text(s string) int32 {
	if i, ok := c.texts[s]; ok {
		return i
	}
	i := int32(len(c.prog.Texts))
	c.texts[s] = i
	c.prog.Texts = append(c.prog.Texts, s)
	return i
}

// toFloat promotes an integer.
func (l *lowering) toFloat(o operand) operand {
	if o.kind != module.Integer {
		return o
	}
	r := operand{span: o.span, kind: module.Float, effects: o.effects}
	if i, ok := o.value.Int(); ok {
		r.value = module.Float64(float64(i))
	}
	r.node = l.unary(program.OpToFlt, module.Float, o.node)
	return r
}

// number makes an integer of a bool that libyara has as one: what a module or
// an external variable gives. What a condition makes is no number there either.
func (l *lowering) number(o operand) operand {
	if o.broken || o.fn != nil || o.kind != module.Bool || l.c.opt.Dialect != program.LibYARA {
		return o
	}
	switch l.c.prog.Nodes[o.node].Op {
	case program.OpExtern, program.OpField, program.OpCall, program.OpIndex, program.OpLookup, program.OpSlot:
		return operand{span: o.span, kind: module.Integer, effects: o.effects,
			node: l.unary(program.OpToInt, module.Integer, o.node)}
	}
	return o
}

// truth returns the constant as a bool. To libyara -0.0 is true: its bits are
// not all 0.
func truth(v module.Value, d program.Dialect) (b, ok bool) {
	switch v.Kind() {
	case module.Bool:
		return v.Bool()
	case module.Integer:
		i, _ := v.Int()
		return i != 0, true
	case module.Float:
		f, _ := v.Float()
		return f != 0 || d == program.LibYARA && math.Signbit(f), true
	case module.String:
		s, _ := v.Text()
		return s != "", true
	}
	return false, false
}

var boolNotes = map[module.Kind]string{
	module.Integer: "an integer is true where it is not 0",
	module.Float:   "a float is true where it is not 0",
	module.String:  "a string is true where it is not empty",
}

// toBool casts a condition to bool, with a warning where it is something else.
func (l *lowering) toBool(o operand) operand {
	if o.broken || o.kind == module.Bool {
		return o
	}
	if o.kind == module.Regexp && l.c.opt.Dialect == program.LibYARA {
		return l.constant(o.span, module.Boolean(true)) // it is there, so it is true
	}
	if !scalar(o.kind) {
		notes := []string(nil)
		if o.fn != nil {
			notes = append(notes, "to call the function write `"+l.snippet(o.span)+"()`")
		}
		return l.wrongType(o, notes, module.Bool)
	}
	l.warn("non_bool_expr", o.span, "non-boolean expression used as condition",
		"this is `"+kindName(o.kind)+"` but is used as `bool`", boolNotes[o.kind])
	r := operand{span: o.span, kind: module.Bool, effects: o.effects}
	if b, ok := truth(o.value, l.c.opt.Dialect); ok {
		r.value = module.Boolean(b)
	}
	r.node = l.unary(program.OpToBool, module.Bool, o.node)
	return r
}
