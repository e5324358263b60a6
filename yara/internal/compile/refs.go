package compile

import (
	"iter"
	"math"
	"strings"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/syntax"
)

// patternExpr lowers $a, #a, @a and !a with all that may stand behind them.
// Pattern operands are indexes of the rule's patterns until the rule is whole
// (see link).
func (l *lowering) patternExpr(e syntax.Expr) operand {
	switch e := e.(type) {
	case *syntax.PatternRef:
		return l.found(e)
	case *syntax.PatternCount:
		return l.count(e)
	case *syntax.PatternOffset:
		return l.nth(e.Pos(), e.ID, e.Index, program.OpOffset)
	case *syntax.PatternLength:
		return l.nth(e.Pos(), e.ID, e.Index, program.OpLength)
	}
	return l.broken(e.Pos())
}

// patternOf resolves a pattern identifier to an operand. use is what the
// expression asks of the pattern.
func (l *lowering) patternOf(id string, span diag.Span, use patternUse) (ref int64, ok bool) {
	if id == "$" {
		if len(l.loops) == 0 {
			l.errorAt("unbound_pattern", span, "`"+l.snippet(span)+"` outside of a `for … of` loop", "")
			return 0, false
		}
		loop := l.loops[len(l.loops)-1]
		loop.positions = loop.positions || use.asksPositions()
		return -int64(loop.slot) - 1, true
	}
	i, ok := l.byID[id]
	if !ok {
		l.errorAt("unknown_pattern", span, "unknown pattern `"+id+"`",
			"this pattern is not declared in the `strings` section", l.c.didYouMean(id, l.patternIDs())...)
		return 0, false
	}
	l.patterns[i].use(use)
	return int64(i), true
}

func (l *lowering) patternIDs() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range l.patterns {
			if !yield(l.patterns[i].src.ID.Name) {
				return
			}
		}
	}
}

func (l *lowering) found(e *syntax.PatternRef) operand {
	o := operand{span: e.Pos(), kind: module.Bool}
	n := node(program.OpFound, module.Bool, 0)
	use := patternUse{kind: useFound}
	switch {
	case e.At != nil:
		at := l.offset(e.At)
		o.broken, o.effects = at.broken, at.effects
		n.Op, n.A = program.OpFoundAt, at.node
		use = useOfAt(at)
	case e.In != nil:
		lo, hi := l.bounds(e.In)
		o.broken, o.effects = lo.broken || hi.broken, lo.effects || hi.effects
		n.Op, n.A, n.B = program.OpFoundIn, lo.node, hi.node
		use.kind = usePositions
	}
	ref, ok := l.patternOf(e.ID, e.Pos(), use)
	if !ok || o.broken {
		return l.broken(e.Pos())
	}
	n.V = ref
	o.node = l.emit(n)
	return o
}

func (l *lowering) count(e *syntax.PatternCount) operand {
	o := operand{span: e.Pos(), kind: module.Integer}
	n := node(program.OpCount, module.Integer, 0)
	if e.In != nil {
		lo, hi := l.bounds(e.In)
		o.broken, o.effects = lo.broken || hi.broken, lo.effects || hi.effects
		n.Op, n.A, n.B = program.OpCountIn, lo.node, hi.node
	}
	ref, ok := l.patternOf(e.ID, e.Pos(), patternUse{kind: usePositions})
	if !ok || o.broken {
		return l.broken(e.Pos())
	}
	n.V = ref
	o.node = l.emit(n)
	return o
}

// nth lowers @a[i] and !a[i]; without an index it is the first match.
func (l *lowering) nth(span diag.Span, id string, index syntax.Expr, op program.Op) operand {
	var i operand
	if index != nil {
		i = l.number(l.expr(index))
		if !l.is(i, module.Integer) {
			i.broken = true
		} else if v, ok := i.value.Int(); ok && v < 1 && l.c.opt.Dialect != program.LibYARA {
			i = l.errorAt("number_out_of_range", i.span, "number out of range", "matches are counted from 1")
		}
	} else {
		i = l.constant(span, module.Int(1))
	}
	ref, ok := l.patternOf(id, span, patternUse{kind: usePositions})
	if !ok || i.broken {
		return l.broken(span)
	}
	n := node(op, module.Integer, ref)
	n.A = i.node
	return operand{span: span, kind: module.Integer, effects: i.effects, node: l.emit(n)}
}

// offset lowers an integer that must not be negative.
func (l *lowering) offset(e syntax.Expr) operand {
	o := l.number(l.expr(e))
	if !l.is(o, module.Integer) {
		return l.broken(e.Pos())
	}
	if v, ok := o.value.Int(); ok && v < 0 && l.c.opt.Dialect != program.LibYARA {
		return l.errorAt("negative_number", o.span, "negative number", "this number must not be negative")
	}
	return o
}

// bounds lowers a range.
func (l *lowering) bounds(r *syntax.Range) (lo, hi operand) {
	lo, hi = l.offset(r.Lo), l.offset(r.Hi)
	a, okLo := lo.value.Int()
	b, okHi := hi.value.Int()
	if okLo && okHi && (a > b || a < 0) {
		lo = l.errorAt("invalid_range", r.Span, "invalid range", "the lower bound is greater than the upper bound")
	}
	return lo, hi
}

// name lowers an identifier: a local, then a rule or module of the namespace,
// then an external variable.
func (l *lowering) name(e *syntax.Name) operand {
	if loc := l.lookupLocal(e.Name); loc != nil {
		loc.used = true
		return l.localValue(loc, e.Pos())
	}
	if r := l.ns.rules[e.Name]; r != nil {
		return l.ruleRef(e, r)
	}
	if id, ok := l.ns.imports[e.Name]; ok {
		m := l.c.schemas[id]
		return operand{span: e.Pos(), kind: module.Struct, typ: m.Schema,
			node: l.leaf(program.OpModule, module.Struct, int64(id))}
	}
	if id, ok := l.c.externals[e.Name]; ok {
		kind := l.c.prog.Externals[id].Value.Kind()
		return operand{span: e.Pos(), kind: kind, node: l.leaf(program.OpExtern, kind, int64(id))}
	}
	return l.unknownName(e)
}

func (l *lowering) localValue(loc *local, span diag.Span) operand {
	o := loc.value
	o.span, o.effects = span, false
	switch {
	case o.broken:
		return o
	case loc.again != nil:
		return l.anew(loc, span)
	case loc.whole && o.kind == module.Regexp:
		o.node = l.leaf(program.OpRegex, module.Regexp, int64(o.regexp))
		return o
	case loc.whole:
		return l.constant(span, o.value)
	}
	o.node = l.leaf(program.OpSlot, o.kind, int64(loc.slot))
	return o
}

// anew lowers the expression of a local function where it is used.
func (l *lowering) anew(loc *local, span diag.Span) operand {
	all := l.locals
	l.locals = l.locals[:loc.scope:loc.scope]
	o := l.expr(loc.again)
	l.locals = all
	o.span = span
	return o
}

func (l *lowering) ruleRef(e *syntax.Name, r *ruleName) operand {
	if r.index < 0 {
		return l.droppedRule(e.Name, e.Pos(), r)
	}
	if r.global {
		l.warn("global_rule_misuse", e.Pos(), "global rule used in a condition", "",
			"no rule matches unless the global rules do: naming one adds nothing, negating one contradicts")
	}
	return operand{span: e.Pos(), kind: module.Bool, node: l.leaf(program.OpRule, module.Bool, int64(r.index)),
		effects: l.c.facts[r.index].effects}
}

// droppedRule reports a reference to a rule that was left out.
func (l *lowering) droppedRule(name string, span diag.Span, r *ruleName) operand {
	if r.missing != "" {
		if l.missing == "" {
			l.missing = r.missing
			l.warn("ignored_rule", span, "rule `"+l.rule.Name.Name+"` is left out",
				"rule `"+name+"` needs module `"+r.missing+"`, which is not supported")
		}
		l.failed = true
		return l.broken(span)
	}
	l.failed = true
	l.c.report(&diag.Diagnostic{Code: "invalid_rule_reference",
		Title: "rule `" + l.rule.Name.Name + "` is left out", Span: span,
		Primary: "rule `" + name + "` has errors",
		Labels:  []diag.Label{{Span: r.span, Text: "`" + name + "` is declared here"}}})
	return l.broken(span)
}

func (l *lowering) unknownName(e *syntax.Name) operand {
	name := e.Name
	if l.c.ignored[name] {
		if l.missing == "" {
			l.missing = name
			l.warn("unsupported_module", e.Pos(), "module `"+name+"` is not supported",
				"", "rule `"+l.rule.Name.Name+"` is left out")
		}
		l.failed = true
		return l.broken(e.Pos())
	}
	var notes []string
	switch {
	case l.ns.absent[name]:
		notes = []string{"there is no such module"}
	case l.c.opt.Module(name) != nil:
		notes = []string{"write `import \"" + name + "\"` at the top of the file"}
	case name == l.rule.Name.Name:
		notes = []string{"a rule cannot refer to itself"}
	default:
		notes = l.c.didYouMean(name, l.names())
	}
	return l.errorAt("unknown_identifier", e.Pos(), "unknown identifier `"+name+"`",
		"neither a variable nor a module nor an earlier rule", notes...)
}

// names lists what an identifier may stand for.
func (l *lowering) names() iter.Seq[string] {
	const most = 20_000 // of rules: suggestions must stay cheap
	return func(yield func(string) bool) {
		for _, word := range [...]string{"true", "false", "filesize"} {
			if !yield(word) {
				return
			}
		}
		for i := range l.locals {
			if !yield(l.locals[i].name) {
				return
			}
		}
		for name := range l.ns.imports {
			if !yield(name) {
				return
			}
		}
		for i := range l.c.prog.Externals {
			if !yield(l.c.prog.Externals[i].Name) {
				return
			}
		}
		for i := 0; i < min(len(l.ns.order), most); i++ {
			if !yield(l.ns.order[i].name) {
				return
			}
		}
	}
}

// patternUse is what an expression asks of a pattern.
type patternUse struct {
	kind useKind
	at   int64 // of useAt
}

type useKind uint8

const (
	useFound     useKind = iota // whether it occurs
	useAt                       // whether it occurs at one known offset
	usePositions                // where or how often it occurs
)

func (u patternUse) asksPositions() bool { return u.kind != useFound }

// useOfAt is the use of `$a at o`. What is before the data, as libyara's
// dialect allows, is as good as what lies behind it.
func useOfAt(o operand) patternUse {
	at, ok := o.value.Int()
	if at < 0 {
		at = math.MaxInt32 - 1
	}
	if ok && at < math.MaxInt32 {
		return patternUse{useAt, at}
	}
	return patternUse{kind: usePositions}
}

func hasPrefix(id, prefix string) bool { return strings.HasPrefix(id, prefix) }
