package compile

import (
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/syntax"
)

// quantifier is a lowered quantifier. n is its operand where that is
// constant, -1 where it is not.
type quantifier struct {
	program.Quant
	n       int64
	broken  bool
	effects bool
}

func (l *lowering) quantifier(q syntax.Quantifier) quantifier {
	r := quantifier{Quant: program.Quant{N: program.None}, n: -1}
	switch q.Kind {
	case syntax.QuantAny:
		r.Kind = program.QuantAny
	case syntax.QuantNone:
		r.Kind = program.QuantNone
	case syntax.QuantN, syntax.QuantPercent:
		return l.portion(q)
	}
	return r
}

// portion lowers `N of` and `N% of`.
func (l *lowering) portion(q syntax.Quantifier) quantifier {
	start := l.mark()
	r := quantifier{Quant: program.Quant{Kind: program.QuantN, N: program.None}, n: -1}
	var o operand
	if q.Kind == syntax.QuantPercent {
		r.Kind = program.QuantPercent
		o = l.number(l.expr(q.Expr))
		if !l.is(o, module.Integer) {
			o.broken = true
		} else if v, ok := o.value.Int(); ok && (v < l.leastPercent() || v > 100) {
			o = l.errorAt("number_out_of_range", o.span, "number out of range",
				"a percentage lies between "+strconv.FormatInt(l.leastPercent(), 10)+" and 100")
		}
	} else {
		o = l.number(l.expr(q.Expr))
		if l.is(o, module.Integer) {
			if v, ok := o.value.Int(); ok && v < 0 {
				o = l.errorAt("negative_number", o.span, "negative number", "this number must not be negative")
			}
		} else {
			o.broken = true
		}
	}
	r.broken, r.effects, r.N = o.broken, o.effects, o.node
	if v, ok := o.value.Int(); ok {
		r.n = v
	}
	if r.n == 0 && r.Kind == program.QuantN {
		l.cut(start)
		r.Quant = program.Quant{Kind: program.QuantNone, N: program.None}
	}
	return r
}

func (l *lowering) leastPercent() int64 {
	if l.c.opt.Dialect == program.LibYARA {
		return 1
	}
	return 0
}

// of lowers Q of a set of patterns, rules or conditions.
func (l *lowering) of(e *syntax.Of) operand {
	q := l.quantifier(e.Quantifier)
	n := node(program.OpOfPatterns, module.Bool, 0)
	o := operand{span: e.Pos(), kind: module.Bool, effects: q.effects, broken: q.broken}
	use := patternUse{kind: useFound}
	switch {
	case e.At != nil:
		at := l.offset(e.At)
		n.A = at.node
		use = useOfAt(at)
		if l.c.opt.Dialect == program.LibYARA {
			use.kind = usePositions // there the matches elsewhere are told, too
		}
		o.broken, o.effects = o.broken || at.broken, o.effects || at.effects
	case e.In != nil:
		lo, hi := l.bounds(e.In)
		n.B, n.C = lo.node, hi.node
		use.kind = usePositions
		o.broken, o.effects = o.broken || lo.broken || hi.broken, o.effects || lo.effects || hi.effects
	}
	var size int
	if e.Patterns != nil {
		items, ok := l.patternSet(e.Patterns, use)
		o.broken = o.broken || !ok
		n.L, n.N = l.list(items)
		size = len(items)
	} else {
		size = l.ofItems(e, &n, &o)
	}
	if o.broken {
		return l.broken(e.Pos())
	}
	n.Quant = q.Quant
	l.checkOf(e, q, size)
	o.node = l.emit(n)
	return o
}

// checkOf gives the warnings about quantifiers.
func (l *lowering) checkOf(e *syntax.Of, q quantifier, size int) {
	span := e.Quantifier.Span
	if q.n == 0 && q.Kind == program.QuantNone {
		l.warn("ambiguous_expr", e.Pos(), "ambiguous expression", "",
			"write `none` instead of `0`: it is not clear whether 0 means none, or any number")
	}
	l.checkCount(e.Pos(), q, size)
	if e.At == nil {
		return
	}
	many := q.Kind == program.QuantAll && size > 1 || q.Kind == program.QuantN && q.n >= 2 ||
		q.Kind == program.QuantPercent && float64(size)*float64(q.n)/100 >= 2
	if many {
		l.c.report(&diag.Diagnostic{Code: "unsatisfiable_expr", Severity: diag.Warning,
			Title: "expression can hardly be true", Span: span, Primary: "several patterns must match",
			Labels: []diag.Label{{Span: e.At.Pos(), Text: "but all at the same offset"}}})
	}
}

// checkCount warns where more is asked than the set has.
func (l *lowering) checkCount(span diag.Span, q quantifier, size int) {
	if q.Kind == program.QuantN && q.n > int64(size) {
		l.warn("invariant_expr", span, "expression is always false",
			"it asks for "+strconv.FormatInt(q.n, 10)+" of "+strconv.Itoa(size))
	}
}

// patternSet resolves a set to the rule's patterns and notes their use. YARA-X
// takes each pattern once, in the order of declaration; YARA takes the items as
// written.
func (l *lowering) patternSet(set *syntax.PatternSet, use patternUse) (items []int32, ok bool) {
	if l.full {
		return nil, false
	}
	if set.Them {
		set = &syntax.PatternSet{Span: set.Span, Items: []syntax.PatternSetItem{{Span: set.Span, ID: "$", Wildcard: true}}}
		if len(l.patterns) == 0 {
			l.errorAt("empty_pattern_set", set.Span, "empty pattern set", "this rule declares no patterns")
			return nil, false
		}
	}
	ok = true
	done := make(map[syntax.PatternSetItem]bool) // items that add nothing again
	for _, item := range set.Items {
		name := syntax.PatternSetItem{ID: item.ID, Wildcard: item.Wildcard}
		if done[name] && l.c.opt.Dialect != program.LibYARA {
			continue
		}
		done[name] = len(set.Items) > 1
		found := false
		for i := range l.matching(item) {
			found = true
			if l.c.opt.Dialect == program.LibYARA || !l.patterns[i].inSet {
				l.patterns[i].inSet = true
				items = append(items, i)
			}
			if len(items) > mostItems {
				l.overflow()
				break
			}
		}
		if !found {
			ok = false
			l.emptyItem(item)
		}
	}
	if l.c.opt.Dialect != program.LibYARA {
		slices.Sort(items)
	}
	for _, i := range items {
		l.patterns[i].inSet = false
		l.patterns[i].use(use)
	}
	if len(l.c.prog.Lists)+len(items) > 2*l.c.opt.Limits.Nodes {
		l.overflow()
	}
	return items, ok && !l.full
}

// mostItems bounds a set in which YARA counts repetitions.
const mostItems = 1 << 20

// matching yields the patterns that an item of a set stands for, by the order
// of declaration unless they are many.
func (l *lowering) matching(item syntax.PatternSetItem) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		if !item.Wildcard && item.ID != "$" {
			if i, ok := l.byID[item.ID]; ok {
				yield(int32(i))
			}
			return
		}
		if item.Wildcard && item.ID != "$" && len(l.patterns) > 32 && l.c.opt.Dialect != program.LibYARA {
			l.withPrefix(item.ID, yield)
			return
		}
		for i := range l.patterns {
			id := l.patterns[i].src.ID.Name
			if (id == item.ID || item.Wildcard && hasPrefix(id, item.ID)) && !yield(int32(i)) {
				return
			}
		}
	}
}

// withPrefix yields the patterns of a prefix by a sorted index, made once.
func (l *lowering) withPrefix(prefix string, yield func(int32) bool) {
	id := func(i int32) string { return l.patterns[i].src.ID.Name }
	if l.sorted == nil {
		l.sorted = make([]int32, len(l.patterns))
		for i := range l.sorted {
			l.sorted[i] = int32(i)
		}
		slices.SortFunc(l.sorted, func(a, b int32) int { return strings.Compare(id(a), id(b)) })
	}
	from, _ := slices.BinarySearchFunc(l.sorted, prefix, func(i int32, p string) int { return strings.Compare(id(i), p) })
	for _, i := range l.sorted[from:] {
		if !hasPrefix(id(i), prefix) || !yield(i) {
			return
		}
	}
}

func (l *lowering) emptyItem(item syntax.PatternSetItem) {
	if item.Wildcard {
		l.errorAt("empty_pattern_set", item.Span, "no pattern matches `"+item.ID+"*`", "")
		return
	}
	l.errorAt("unknown_pattern", item.Span, "unknown pattern `"+item.ID+"`",
		"this pattern is not declared in the `strings` section", l.c.didYouMean(item.ID, l.patternIDs())...)
}

// ofItems lowers a set of rules or of conditions into n, and returns its size.
func (l *lowering) ofItems(e *syntax.Of, n *program.Node, o *operand) int {
	if e.At != nil || e.In != nil {
		l.errorAt("invalid_expression", e.Pos(), "`at` and `in` need a set of patterns", "")
		o.broken = true
		return 0
	}
	var items []int32
	if l.allRules(e.Items) {
		n.Op = program.OpOfRules
		for _, item := range e.Items {
			items = l.ruleItems(items, item, o)
		}
	} else {
		n.Op = program.OpOfBools
		for _, item := range e.Items {
			x := l.boolExpr(item)
			o.broken, o.effects = o.broken || x.broken, o.effects || x.effects
			items = append(items, int32(x.node))
		}
	}
	n.L, n.N = l.list(items)
	return len(items)
}

// allRules reports whether every item names a rule or a set of rules.
func (l *lowering) allRules(items []syntax.Expr) bool {
	for _, item := range items {
		switch item := item.(type) {
		case *syntax.RuleWildcard:
		case *syntax.Name:
			if l.lookupLocal(item.Name) != nil || l.ns.rules[item.Name] == nil {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// ruleItems appends the rules that an item stands for.
func (l *lowering) ruleItems(list []int32, item syntax.Expr, o *operand) []int32 {
	if name, ok := item.(*syntax.Name); ok {
		x := l.ruleRef(name, l.ns.rules[name.Name])
		o.broken, o.effects = o.broken || x.broken, o.effects || x.effects
		if !x.broken {
			list = append(list, l.ns.rules[name.Name].index)
		}
		return list
	}
	w := item.(*syntax.RuleWildcard)
	l.ns.wildcards[w.Prefix] = w.Pos()
	found := false
	for _, r := range l.ns.order {
		if !hasPrefix(r.name, w.Prefix) {
			continue
		}
		found = true
		if len(l.c.prog.Lists)+len(list) > 2*l.c.opt.Limits.Nodes {
			l.overflow()
			break
		}
		if r.index < 0 {
			o.broken = o.broken || l.droppedRule(r.name, w.Pos(), r).broken
			continue
		}
		o.effects = o.effects || l.c.facts[r.index].effects
		list = append(list, r.index)
	}
	if !found {
		l.errorAt("empty_rule_set", w.Pos(), "no rule matches `"+w.Prefix+"*`", "only earlier rules of the namespace count")
		o.broken = true
	}
	return list
}
