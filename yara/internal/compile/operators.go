package compile

import (
	"math"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/syntax"
)

// binaries lowers a chain of binary operators that leans to the left, without
// recursion along it: rules with thousands of `or` exist.
func (l *lowering) binaries(e *syntax.Binary) operand {
	chain := []*syntax.Binary{e}
	for {
		next, ok := chain[len(chain)-1].X.(*syntax.Binary)
		if !ok {
			break
		}
		chain = append(chain, next)
	}
	start := l.mark()
	o := l.expr(chain[len(chain)-1].X)
	steps := 0
	for i := len(chain) - 1; i >= 0; i-- {
		b := chain[i]
		if b.Op == syntax.OpAnd || b.Op == syntax.OpOr {
			last := i
			for last > 0 && chain[last-1].Op == b.Op {
				last--
			}
			o = l.logical(start, o, chain[last:i+1])
			i = last
			continue
		}
		if steps++; steps > 4*l.c.opt.Limits.Nesting {
			return l.errorAt("too_deep", e.Pos(), "expression has too many operators in a row", "")
		}
		o = l.operation(start, b, o, l.expr(b.Y))
	}
	return o
}

// logical lowers first op chain[n-1].Y op … op chain[0].Y, op being and or or.
// Operands that cannot change the result are left out; an undefined operand
// counts as false, so an operand left alone keeps its and around it.
func (l *lowering) logical(start mark, first operand, chain []*syntax.Binary) operand {
	isAnd := chain[0].Op == syntax.OpAnd
	op := program.OpOr
	if isAnd {
		op = program.OpAnd
	}
	base := len(l.c.scratch.operands)
	defer func() { l.c.scratch.operands = l.c.scratch.operands[:base] }()
	l.c.scratch.operands = append(l.c.scratch.operands, l.toBool(first))
	for i := len(chain) - 1; i >= 0; i-- {
		o := l.boolExpr(chain[i].Y)
		l.c.scratch.operands = append(l.c.scratch.operands, o)
	}
	operands := l.c.scratch.operands[base:]
	span := chain[0].Pos()
	r := operand{span: span, kind: module.Bool}
	kept := operands[:0]
	for _, o := range operands {
		r.broken = r.broken || o.broken
		r.effects = r.effects || o.effects
		v, constant := o.value.Bool()
		if constant && v == isAnd && !o.effects {
			continue
		}
		kept = append(kept, o)
		if constant && v != isAnd && !r.effects && !r.broken {
			r.value = module.Boolean(!isAnd) // nothing before it has effects
		}
	}
	switch {
	case r.broken:
		return r
	case r.value.Defined():
		return l.fold(start, span, r.value)
	case len(kept) == 0:
		return l.fold(start, span, module.Boolean(isAnd))
	}
	r.node = l.listNode(op, kept)
	return r
}

// listNode emits an and or or. Operands of the same operation are taken in, and
// so are those that stand alone in one: undefined counts as false in either.
func (l *lowering) listNode(op program.Op, operands []operand) program.NodeID {
	items := l.c.scratch.list[:0]
	for _, o := range operands {
		n := &l.c.prog.Nodes[o.node]
		single := n.N == 1 && (n.Op == program.OpAnd || n.Op == program.OpOr)
		if n.Op == op || single {
			items = append(items, l.c.prog.Lists[n.L:n.L+n.N]...)
			continue
		}
		items = append(items, int32(o.node))
	}
	n := node(op, module.Bool, 0)
	n.L, n.N = l.list(items)
	l.c.scratch.list = items
	return l.emit(n)
}

func (l *lowering) unaryExpr(e *syntax.Unary) operand {
	start := l.mark()
	o := l.expr(e.X)
	switch e.Op {
	case syntax.OpNot:
		return l.not(start, e, o)
	case syntax.OpDefined:
		return l.defined(e, o)
	}
	if o = l.number(o); e.Op == syntax.OpBitNot {
		if !l.is(o, module.Integer) {
			return l.broken(e.Pos())
		}
		if i, ok := o.value.Int(); ok {
			return l.fold(start, e.Pos(), module.Int(^i))
		}
		return operand{span: e.Pos(), kind: module.Integer, effects: o.effects,
			node: l.unary(program.OpBitNot, module.Integer, o.node)}
	}
	return l.negate(start, e, o)
}

func (l *lowering) not(start mark, e *syntax.Unary, o operand) operand {
	o = l.toBool(o)
	if o.broken {
		return o
	}
	if b, ok := o.value.Bool(); ok && !o.effects {
		return l.fold(start, e.Pos(), module.Boolean(!b))
	}
	return operand{span: e.Pos(), kind: module.Bool, effects: o.effects,
		node: l.unary(program.OpNot, module.Bool, o.node)}
}

// defined takes every kind: a struct is undefined where its module read none.
func (l *lowering) defined(e *syntax.Unary, o operand) operand {
	if o.broken {
		return o
	}
	if o.fn != nil || o.kind == module.Regexp {
		return l.wrongType(o, nil, module.Bool, module.Integer, module.Float, module.String)
	}
	return operand{span: e.Pos(), kind: module.Bool, effects: o.effects,
		node: l.unary(program.OpDefined, module.Bool, o.node)}
}

func (l *lowering) negate(start mark, e *syntax.Unary, o operand) operand {
	if !l.is(o, module.Integer, module.Float) {
		return l.broken(e.Pos())
	}
	op := program.OpNegInt
	if o.kind == module.Float {
		op = program.OpNegFlt
	}
	if i, ok := o.value.Int(); ok {
		return l.fold(start, e.Pos(), module.Int(-i))
	}
	if f, ok := o.value.Float(); ok {
		return l.fold(start, e.Pos(), module.Float64(-f))
	}
	return operand{span: e.Pos(), kind: o.kind, effects: o.effects, node: l.unary(op, o.kind, o.node)}
}

// operator says what a binary operator takes and becomes; a zero Op means that
// the kind is not taken.
type operator struct {
	integer, float, text program.Op
	compares             bool // gives bool
	flag                 int64
}

func operatorOf(op syntax.Op) operator {
	switch op {
	case syntax.OpEq:
		return operator{program.OpEqInt, program.OpEqFlt, program.OpEqText, true, 0}
	case syntax.OpNe:
		return operator{program.OpNeInt, program.OpNeFlt, program.OpNeText, true, 0}
	case syntax.OpLt:
		return operator{program.OpLtInt, program.OpLtFlt, program.OpLtText, true, 0}
	case syntax.OpLe:
		return operator{program.OpLeInt, program.OpLeFlt, program.OpLeText, true, 0}
	case syntax.OpGt:
		return operator{program.OpGtInt, program.OpGtFlt, program.OpGtText, true, 0}
	case syntax.OpGe:
		return operator{program.OpGeInt, program.OpGeFlt, program.OpGeText, true, 0}
	case syntax.OpAdd:
		return operator{integer: program.OpAddInt, float: program.OpAddFlt}
	case syntax.OpSub:
		return operator{integer: program.OpSubInt, float: program.OpSubFlt}
	case syntax.OpMul:
		return operator{integer: program.OpMulInt, float: program.OpMulFlt}
	case syntax.OpDiv:
		return operator{integer: program.OpDivInt, float: program.OpDivFlt}
	case syntax.OpMod:
		return operator{integer: program.OpModInt}
	case syntax.OpBitAnd:
		return operator{integer: program.OpBitAnd}
	case syntax.OpBitOr:
		return operator{integer: program.OpBitOr}
	case syntax.OpBitXor:
		return operator{integer: program.OpBitXor}
	case syntax.OpShl:
		return operator{integer: program.OpShl}
	case syntax.OpShr:
		return operator{integer: program.OpShr}
	}
	return textOperatorOf(op)
}

func textOperatorOf(op syntax.Op) operator {
	switch op {
	case syntax.OpContains:
		return operator{text: program.OpContains, compares: true}
	case syntax.OpIContains:
		return operator{text: program.OpContains, compares: true, flag: 1}
	case syntax.OpStartsWith:
		return operator{text: program.OpStarts, compares: true}
	case syntax.OpIStartsWith:
		return operator{text: program.OpStarts, compares: true, flag: 1}
	case syntax.OpEndsWith:
		return operator{text: program.OpEnds, compares: true}
	case syntax.OpIEndsWith:
		return operator{text: program.OpEnds, compares: true, flag: 1}
	case syntax.OpIEquals:
		return operator{text: program.OpIEquals, compares: true}
	}
	return operator{}
}

// kinds lists what the operator takes.
func (op operator) kinds() []module.Kind {
	var list []module.Kind
	if op.integer != 0 {
		list = append(list, module.Integer)
	}
	if op.float != 0 {
		list = append(list, module.Float)
	}
	if op.text != 0 {
		list = append(list, module.String)
	}
	return list
}

// operation lowers x op y.
func (l *lowering) operation(start mark, b *syntax.Binary, x, y operand) operand {
	if b.Op == syntax.OpMatches {
		return l.matches(b, x, y)
	}
	if (x.kind == module.Bool || y.kind == module.Bool) && (b.Op == syntax.OpEq || b.Op == syntax.OpNe) {
		switch {
		case truthLike(x) && truthLike(y) || x.broken || y.broken:
			return l.compareBools(b, x, y)
		case x.kind == module.Integer || y.kind == module.Integer:
			x, y = l.compared(b, x), l.compared(b, y)
		case l.c.opt.Dialect != program.LibYARA || x.kind != module.Float && y.kind != module.Float:
			return l.mismatch(b, x, y)
		}
	}
	x, y = l.number(x), l.number(y)
	op := operatorOf(b.Op)
	want := op.kinds()
	okX, okY := l.is(x, want...), l.is(y, want...)
	if !okX || !okY {
		return l.broken(b.Pos())
	}
	if x.kind != y.kind && (x.kind == module.String || y.kind == module.String) {
		return l.mismatch(b, x, y)
	}
	if o, done := l.foldOperation(start, b, x, y); done {
		return o
	}
	l.checkOperation(b, x, y)
	r := operand{span: b.Pos(), kind: module.Integer, effects: x.effects || y.effects}
	code := op.integer
	switch {
	case x.kind == module.String:
		code, r.kind = op.text, module.String
	case x.kind == module.Float || y.kind == module.Float:
		x, y = l.toFloat(x), l.toFloat(y)
		code, r.kind = op.float, module.Float
	}
	if op.compares {
		r.kind = module.Bool
	}
	r.node = l.binary(code, r.kind, x.node, y.node, op.flag)
	return r
}

func (l *lowering) mismatch(b *syntax.Binary, x, y operand) operand {
	l.failed = true
	l.c.report(&diag.Diagnostic{Code: "mismatching_types", Title: "mismatching types", Span: b.Pos(),
		Primary: "`" + x.describe() + "` and `" + y.describe() + "` cannot be combined",
		Labels:  []diag.Label{{Span: x.span, Text: "`" + x.describe() + "`"}, {Span: y.span, Text: "`" + y.describe() + "`"}}})
	return l.broken(b.Pos())
}

// truthLike reports whether an operand is a bool, or the number of one.
func truthLike(o operand) bool {
	i, ok := o.value.Int()
	return o.kind == module.Bool || ok && (i == 0 || i == 1)
}

// compared makes an integer of a bool that is compared with one, which YARA-X
// allows.
func (l *lowering) compared(b *syntax.Binary, o operand) operand {
	if o.broken || o.kind != module.Bool {
		return o
	}
	l.warn("bool_int_comparison", b.Pos(), "comparison of a bool with an integer", "", "true counts as 1, false as 0")
	return operand{span: o.span, kind: module.Integer, effects: o.effects,
		node: l.unary(program.OpToInt, module.Integer, o.node)}
}

// compareBools lowers bool == bool and bool == 0 or 1, and the same with !=.
// The numbers come from rules written for YARA, where modules have no bools.
func (l *lowering) compareBools(b *syntax.Binary, x, y operand) operand {
	if x.broken || y.broken {
		return l.broken(b.Pos())
	}
	op := program.OpEqBool
	if b.Op == syntax.OpNe {
		op = program.OpNeBool
	}
	r := operand{span: b.Pos(), kind: module.Bool, effects: x.effects || y.effects}
	if x.kind == y.kind {
		r.node = l.binary(op, module.Bool, x.node, y.node, 0)
		return r
	}
	truth, number := x, y
	if y.kind == module.Bool {
		truth, number = y, x
	}
	i, _ := number.value.Int()
	instead := l.snippet(truth.span)
	if (i == 0) == (op == program.OpEqBool) {
		instead = "not " + instead
	}
	l.warn("bool_int_comparison", b.Pos(), "comparison of a bool with an integer", "", "write `"+instead+"`")
	one := l.constant(number.span, module.Boolean(i == 1))
	r.node = l.binary(op, module.Bool, truth.node, one.node, 0)
	return r
}

// foldOperation computes x op y where both are constant and the result is
// defined.
func (l *lowering) foldOperation(start mark, b *syntax.Binary, x, y operand) (operand, bool) {
	if code, title, bad := l.badConstant(b.Op, x, y); bad {
		return l.errorAt(code, y.span, title, ""), true
	}
	if !x.constant() || !y.constant() {
		return operand{}, false
	}
	var v module.Value
	switch {
	case x.kind == module.Integer && y.kind == module.Integer:
		i, _ := x.value.Int()
		j, _ := y.value.Int()
		if l.c.opt.Dialect == program.LibYARA && overflows(b.Op, i, j) || farOff(b.Op, i, j) {
			return l.errorAt("integer_overflow", b.Pos(), "integer overflow",
				"the result does not fit 64 bits"), true
		}
		v = foldInts(b.Op, i, j)
	case x.kind == module.String:
		s, _ := x.value.Text()
		t, _ := y.value.Text()
		v = foldTexts(b.Op, s, t)
	default:
		v = foldFloats(b.Op, asFloat(x.value), asFloat(y.value), l.c.opt.Dialect)
	}
	if !v.Defined() {
		return operand{}, false
	}
	return l.fold(start, b.Pos(), v), true
}

// badConstant finds constant operands that are refused: shifts by a negative
// count, and in YARA's dialect divisions by zero.
func (l *lowering) badConstant(op syntax.Op, x, y operand) (code, title string, bad bool) {
	i, ok := y.value.Int()
	switch {
	case !ok:
	case (op == syntax.OpShl || op == syntax.OpShr) && i < 0:
		return "negative_number", "negative shift count", true
	case (op == syntax.OpDiv || op == syntax.OpMod) && i == 0 &&
		x.kind == module.Integer && l.c.opt.Dialect == program.LibYARA:
		return "division_by_zero", "division by zero", true
	}
	return "", "", false
}

func asFloat(v module.Value) float64 {
	if i, ok := v.Int(); ok {
		return float64(i)
	}
	f, _ := v.Float()
	return f
}

func overflows(op syntax.Op, i, j int64) bool {
	switch op {
	case syntax.OpAdd:
		return j > 0 && i > math.MaxInt64-j || j < 0 && i < math.MinInt64-j
	case syntax.OpSub:
		return j < 0 && i > math.MaxInt64+j || j > 0 && i < math.MinInt64+j
	case syntax.OpMul:
		return i != 0 && (i*j/i != j || i == -1 && j == math.MinInt64)
	case syntax.OpDiv, syntax.OpMod:
		return i == math.MinInt64 && j == -1
	}
	return false
}

// farOff reports whether a result is past 64 bits even after rounding to a
// float, which is what YARA-X asks of constants.
func farOff(op syntax.Op, i, j int64) bool {
	x, _ := foldFloats(op, float64(i), float64(j), program.YARAX).Float()
	return x > 1<<63 || x < -1<<63
}
