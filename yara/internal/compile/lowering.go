package compile

import (
	"slices"
	"strconv"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/syntax"
)

// lowering is the work on one rule.
type lowering struct {
	c    *Compiler
	ns   *namespace
	src  *source
	rule *syntax.Rule

	patterns []rulePattern
	byID     map[string]int // of the patterns that are not anonymous
	sorted   []int32        // patterns by identifier: see withPrefix
	locals   []local
	slots    int // in use
	maxSlots int
	depth    int
	loops    []*forOf // the for … of loops around, innermost last
	// iterations multiplies the constant trip counts of the loops around.
	iterations int64

	failed bool
	full   bool // the node limit was reported
	// missing is set where the failure is a reference to an ignored module,
	// directly or through another rule.
	missing string
	// effects is set where the condition calls a function with effects.
	effects bool
}

// local is a name that a loop or with declares.
type local struct {
	name  string
	slot  int
	value operand // its kind and type
	whole bool    // value stands for itself, without a slot
	// again is the expression of a function, lowered anew at each use (nodes
	// have one user), with the locals before scope in sight.
	again syntax.Expr
	scope int
	used  bool
}

// forOf is a for … of loop around the expression.
type forOf struct {
	slot      int
	positions bool // the body asks for more than whether $ occurs
}

func (l *lowering) errorAt(code string, span diag.Span, title, primary string, notes ...string) operand {
	l.failed = true
	l.c.report(&diag.Diagnostic{Code: code, Title: title, Span: span, Primary: primary, Notes: keep(notes)})
	return operand{span: span, broken: true}
}

func (l *lowering) warn(code string, span diag.Span, title, primary string, notes ...string) {
	l.c.report(&diag.Diagnostic{Code: code, Severity: diag.Warning, Title: title, Span: span,
		Primary: primary, Notes: keep(notes)})
}

// keep drops empty notes.
func keep(notes []string) []string {
	return slices.DeleteFunc(notes, func(s string) bool { return s == "" })
}

func (l *lowering) overflow() {
	if !l.full {
		l.full = true
		l.errorAt("too_complex", l.rule.Name.Span, "the conditions are too large",
			"", "the limit is "+strconv.Itoa(l.c.opt.Limits.Nodes)+" operations")
	}
}

// wrongType reports an operand that is none of the wanted kinds.
func (l *lowering) wrongType(o operand, notes []string, want ...module.Kind) operand {
	if o.broken {
		return o
	}
	if o.kind == module.Bool && o.fn == nil && slices.Contains(want, module.Integer) && l.c.opt.Dialect == program.YARAX {
		notes = append(notes, "to YARA what modules and variables give is 0 or 1: the dialect yara takes it for that")
	}
	names := make([]string, len(want))
	for i, k := range want {
		names[i] = kindName(k)
	}
	return l.errorAt("wrong_type", o.span, "wrong type",
		"expected "+join(names, "or")+", found `"+o.describe()+"`", notes...)
}

// is reports whether o is of one of the kinds, and complains where it is not.
func (l *lowering) is(o operand, want ...module.Kind) bool {
	if o.broken {
		return false
	}
	if o.fn == nil && slices.Contains(want, o.kind) {
		return true
	}
	l.wrongType(o, nil, want...)
	return false
}

func (l *lowering) broken(span diag.Span) operand { return operand{span: span, broken: true} }

// snippet is the source text of a span, shortened.
func (l *lowering) snippet(s diag.Span) string {
	text := l.src.Text[s.Start:s.End]
	if len(text) > 80 {
		return string(text[:77]) + "…"
	}
	return string(text)
}

// newSlot takes n slots.
func (l *lowering) newSlot(n int) int {
	slot := l.slots
	l.slots += n
	l.maxSlots = max(l.maxSlots, l.slots)
	return slot
}

// declare brings a local into scope.
func (l *lowering) declare(loc local, span diag.Span) {
	if limit := l.c.opt.Limits.Variables; len(l.locals) == limit {
		l.errorAt("too_many_variables", span, "too many variables", "", "the limit is "+strconv.Itoa(limit))
	}
	l.locals = append(l.locals, loc)
}

// lookupLocal finds the innermost local of a name.
func (l *lowering) lookupLocal(name string) *local {
	for i := len(l.locals) - 1; i >= 0; i-- {
		if l.locals[i].name == name {
			return &l.locals[i]
		}
	}
	return nil
}

// expr lowers an expression of any kind.
func (l *lowering) expr(e syntax.Expr) operand {
	if l.depth >= l.c.opt.Limits.Nesting {
		return l.errorAt("too_deep", e.Pos(), "expression is nested too deep",
			"", "the limit is "+strconv.Itoa(l.c.opt.Limits.Nesting)+" levels")
	}
	l.depth++
	defer func() { l.depth-- }()
	switch e := e.(type) {
	case *syntax.Paren:
		o := l.expr(e.X)
		o.span = e.Pos()
		return o
	case *syntax.Binary:
		return l.binaries(e)
	case *syntax.Unary:
		return l.unaryExpr(e)
	case *syntax.PatternRef, *syntax.PatternCount, *syntax.PatternOffset, *syntax.PatternLength:
		return l.patternExpr(e)
	case *syntax.Name:
		return l.name(e)
	case *syntax.Field:
		return l.field(e)
	case *syntax.Index:
		return l.index(e)
	case *syntax.Call:
		return l.call(e)
	case *syntax.Of:
		return l.of(e)
	case *syntax.ForOf:
		return l.forOf(e)
	case *syntax.ForIn:
		return l.forIn(e)
	case *syntax.With:
		return l.with(e)
	}
	return l.literal(e)
}

func (l *lowering) literal(e syntax.Expr) operand {
	span := e.Pos()
	switch e := e.(type) {
	case *syntax.BoolLit:
		return l.constant(span, module.Boolean(e.Value))
	case *syntax.IntLit:
		if e.Overflow {
			return l.errorAt("number_out_of_range", span, "number out of range",
				"an integer has 64 bits, the largest is 9223372036854775807")
		}
		return l.constant(span, module.Int(e.Value))
	case *syntax.FloatLit:
		return l.constant(span, module.Float64(e.Value))
	case *syntax.TextLit:
		return l.constant(span, module.Text(e.Lit.Value))
	case *syntax.RegexpExpr:
		return l.regexpLit(e)
	case *syntax.Filesize:
		return operand{span: span, kind: module.Integer, node: l.leaf(program.OpSize, module.Integer, 0)}
	case *syntax.Entrypoint:
		return l.entrypoint(span)
	case *syntax.RuleWildcard:
		return l.errorAt("invalid_wildcard", span, "`"+e.Prefix+"*` is not a condition",
			"a set of rules stands in `of ( … )` among rules only")
	}
	return l.errorAt("invalid_expression", span, "invalid expression", "")
}

func (l *lowering) entrypoint(span diag.Span) operand {
	const hint = "use `pe.entry_point`, `elf.entry_point` or `macho.entry_point`"
	if l.c.opt.Dialect != program.LibYARA {
		return l.errorAt("deprecated_entrypoint", span, "`entrypoint` is not supported", "", hint)
	}
	l.warn("deprecated_entrypoint", span, "`entrypoint` is deprecated", "", hint)
	return operand{span: span, kind: module.Integer, node: l.leaf(program.OpEntry, module.Integer, 0)}
}

// boolExpr lowers an expression and casts it to bool.
func (l *lowering) boolExpr(e syntax.Expr) operand { return l.toBool(l.expr(e)) }
