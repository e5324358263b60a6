package compile

import (
	"strconv"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/syntax"
)

// manyIterations is how many constant iterations are worth a warning.
const manyIterations = 1_000_000

// forOf lowers for Q of patterns : ( body ), with $ as the pattern.
func (l *lowering) forOf(e *syntax.ForOf) operand {
	q := l.quantifier(e.Quantifier)
	items, ok := l.patternSet(e.Patterns, patternUse{kind: useFound})
	loop := &forOf{slot: l.newSlot(1)}
	l.loops = append(l.loops, loop)
	body := l.boolExpr(e.Body)
	l.loops = l.loops[:len(l.loops)-1]
	l.slots--
	if loop.positions {
		for _, i := range items {
			l.patterns[i].use(patternUse{kind: usePositions})
		}
	}
	if q.broken || !ok || body.broken {
		return l.broken(e.Pos())
	}
	l.checkCount(e.Pos(), q, len(items))
	n := node(program.OpForOf, module.Bool, int64(loop.slot))
	n.Quant, n.C = q.Quant, body.node
	n.L, n.N = l.list(items)
	return operand{span: e.Pos(), kind: module.Bool, effects: q.effects || body.effects, node: l.emit(n)}
}

// forIn lowers for Q variables in an iterable : ( body ).
func (l *lowering) forIn(e *syntax.ForIn) operand {
	q := l.quantifier(e.Quantifier)
	o := operand{span: e.Pos(), kind: module.Bool, effects: q.effects, broken: q.broken}
	n := node(program.OpForRange, module.Bool, 0)
	n.Quant = q.Quant
	outer := l.iterations
	var vars []operand
	switch {
	case e.Range != nil:
		vars = l.overRange(e, &n, &o)
	case e.Over != nil:
		vars = l.overItems(e, &n, &o)
	default:
		vars = l.overList(e, &n, &o)
	}
	if !o.broken {
		l.checkIterations(e)
	}
	if !o.broken && len(vars) != len(e.Vars) {
		l.errorAt("assignment_mismatch", e.Vars[0].Span.Join(e.Vars[len(e.Vars)-1].Span), "wrong number of variables",
			"expected "+strconv.Itoa(len(vars))+", found "+strconv.Itoa(len(e.Vars)))
		o.broken = true
	}
	body := l.body(e, &n, vars, o.broken)
	l.iterations = outer
	if o.broken || body.broken {
		return l.broken(e.Pos())
	}
	n.C = body.node
	o.effects = o.effects || body.effects
	o.node = l.emit(n)
	return o
}

// body lowers a loop's body with its variables in scope. Where the iterable
// is broken the variables are too, so that the body's own errors still show.
func (l *lowering) body(e *syntax.ForIn, n *program.Node, vars []operand, broken bool) operand {
	scope := len(l.locals)
	slot := l.newSlot(len(e.Vars))
	n.V = int64(slot)
	for i, v := range e.Vars {
		loc := local{name: v.Name, slot: slot + i, value: operand{broken: true}}
		if !broken {
			loc.value = vars[i]
		}
		if l.declared(scope, v.Name) {
			l.errorAt("duplicate_variable", v.Span, "duplicate variable `"+v.Name+"`", "")
		}
		l.declare(loc, v.Span)
	}
	body := l.boolExpr(e.Body)
	l.locals = l.locals[:scope]
	l.slots -= len(e.Vars)
	return body
}

// declared reports whether a name is declared in the scope that starts at
// from; in YARA's dialect loops around count too.
func (l *lowering) declared(from int, name string) bool {
	if l.c.opt.Dialect == program.LibYARA {
		from = 0
	}
	for i := from; i < len(l.locals); i++ {
		if l.locals[i].name == name {
			return true
		}
	}
	return false
}

func (l *lowering) overRange(e *syntax.ForIn, n *program.Node, o *operand) []operand {
	lo := l.offset(e.Range.Lo)
	before := l.mark()
	hi := l.offset(e.Range.Hi)
	o.broken, o.effects = o.broken || lo.broken || hi.broken, o.effects || lo.effects || hi.effects
	n.A, n.B = lo.node, hi.node
	a, okLo := lo.value.Int()
	b, okHi := hi.value.Int()
	switch {
	case okLo && okHi && a > b:
		l.errorAt("invalid_range", e.Range.Span, "invalid range", "the lower bound is greater than the upper bound")
		o.broken = true
	case okLo && okHi:
		l.repeat(b - a + 1)
	case okLo && l.growsWithData(before):
		l.warn("potentially_slow_loop", e.Range.Span, "potentially slow loop", "this range can be very large")
	}
	return []operand{{kind: module.Integer}}
}

// growsWithData reports whether the expression emitted since m depends on the
// size of the data or on a number of matches, unless math.min bounds it.
func (l *lowering) growsWithData(m mark) bool {
	grows := false
	for _, n := range l.c.prog.Nodes[m.nodes:] {
		switch n.Op {
		case program.OpSize, program.OpCount:
			grows = true
		case program.OpCall:
			if self := l.c.prog.Nodes[n.A]; self.Op == program.OpModule {
				s := l.c.schemas[self.V]
				if s.Name == "math" && s.Schema.Fields[n.V].Name == "min" {
					return false
				}
			}
		}
	}
	return grows
}

func (l *lowering) overList(e *syntax.ForIn, n *program.Node, o *operand) []operand {
	n.Op = program.OpForList
	items := make([]int32, 0, len(e.List))
	var first operand
	for i, x := range e.List {
		item := l.number(l.expr(x))
		if !l.is(item, module.Integer, module.Float, module.String, module.Bool) {
			o.broken = true
			continue
		}
		if i == 0 || first.kind == module.Undefined {
			first = item
		} else if item.kind != first.kind {
			l.c.report(&diag.Diagnostic{Code: "mismatching_types", Title: "mismatching types", Span: item.span,
				Primary: "this is `" + item.describe() + "`",
				Labels:  []diag.Label{{Span: first.span, Text: "this is `" + first.describe() + "`"}}})
			l.failed, o.broken = true, true
		}
		o.effects = o.effects || item.effects
		items = append(items, int32(item.node))
	}
	n.L, n.N = l.list(items)
	l.repeat(int64(len(items)))
	return []operand{{kind: first.kind}}
}

func (l *lowering) overItems(e *syntax.ForIn, n *program.Node, o *operand) []operand {
	x := l.expr(e.Over)
	if !l.is(x, module.Array, module.Map) {
		o.broken = true
		return nil
	}
	n.Op, n.A = program.OpForArray, x.node
	o.effects = o.effects || x.effects
	item := operand{kind: x.typ.Elem.Kind, typ: x.typ.Elem}
	if x.kind == module.Array {
		return []operand{item}
	}
	n.Op = program.OpForMap
	return []operand{{kind: x.typ.Key}, item}
}

// repeat counts constant iterations.
func (l *lowering) repeat(n int64) {
	if n > 0 && l.iterations > manyIterations*1000/n {
		l.iterations = manyIterations * 1000
		return
	}
	l.iterations *= max(n, 1)
}

func (l *lowering) checkIterations(e *syntax.ForIn) {
	if l.iterations > manyIterations {
		l.warn("too_many_iterations", e.Pos(), "loop has too many iterations",
			"this loop iterates "+strconv.FormatInt(l.iterations, 10)+" times, which may be slow")
	}
}

// with lowers with a = x, b = y : ( body ). Constants, functions and regexps
// need no slot.
func (l *lowering) with(e *syntax.With) operand {
	scope, slots := len(l.locals), l.slots
	o := operand{span: e.Pos(), kind: module.Bool}
	type bound struct {
		slot  int
		value program.NodeID
	}
	var bounds []bound
	for i, v := range e.Vars {
		x := l.withValue(e.Values[i])
		o.broken, o.effects = o.broken || x.broken, o.effects || x.effects
		loc := local{name: v.Name, value: x, scope: len(l.locals)}
		if x.fn != nil {
			loc.again = e.Values[i]
		}
		if x.broken || x.fn != nil || x.kind == module.Regexp || x.constant() {
			loc.whole = true
		} else {
			loc.slot = l.newSlot(1)
			bounds = append(bounds, bound{loc.slot, x.node})
		}
		l.declare(loc, v.Span)
	}
	body := l.boolExpr(e.Body)
	for i := range e.Vars {
		if loc := &l.locals[scope+i]; !loc.used && !body.broken {
			l.warn("unused_identifier", e.Vars[i].Span, "unused identifier `"+loc.name+"`", "")
		}
	}
	l.locals, l.slots = l.locals[:scope], slots
	if o.broken || body.broken {
		return l.broken(e.Pos())
	}
	o.node, o.value, o.effects = body.node, body.value, o.effects || body.effects
	for i := len(bounds) - 1; i >= 0; i-- {
		n := node(program.OpWith, module.Bool, int64(bounds[i].slot))
		n.A, n.C = bounds[i].value, o.node
		o.node = l.emit(n)
	}
	return o
}

// withValue lowers what with names: a value, or a function of a module. A
// method, a function of a value, is none without that value.
func (l *lowering) withValue(e syntax.Expr) operand {
	x := l.expr(e)
	if x.fn != nil && l.c.prog.Nodes[x.fn.self].Op != program.OpModule {
		return l.errorAt("method_in_with", x.span, "method not allowed in `with`", "only a module's own functions can have a name")
	}
	return x
}
