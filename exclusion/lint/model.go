package lint

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// The small model. An expression is logic over atoms. To learn whether it can
// be true or false at all, every combination of atom values that may occur is
// put into the logic. Which ones may occur is learnt fact by fact:
//
//   - Atoms over one fact get the values they take when the fact has a value
//     that the expression mentions. The expression itself is evaluated for it.
//   - For every other value of the fact, equalities are false and the rest are
//     free, except that one may imply or exclude another (under "/a/b" implies
//     under "/a").
//   - Atoms over several facts, over what is not known, or over a list that is
//     still empty, are free.
//
// The combinations are at least those that occur, so that "always" and "never"
// are certain; that something is not found proves nothing.

// Bounds of the model; beyond them nothing is claimed.
const (
	maxWorlds = 1 << 12 // combinations
	maxFree   = 6       // free atoms of one fact
	maxValues = 64      // values tried for one fact
)

// world gives truth to some atoms, by their text.
type world map[string]bool

// model holds the worlds of each axis: a fact, or a free atom.
type model struct {
	x    *exclusion.Exclusion
	text map[*exclusion.Expr]string // of every atom
	axes [][]world
}

// newModel builds the model of an expression; ok is false where it is too large.
func newModel(x *exclusion.Exclusion) (m *model, ok bool) {
	m = &model{x: x, text: map[*exclusion.Expr]string{}}
	byFact := map[string][]*exclusion.Expr{}
	var free []string
	for _, a := range m.atoms() {
		switch fixed, isFixed := a.Value.(bool); {
		case isFixed:
			m.axes = append(m.axes, []world{{a.String(): fixed}})
		case len(a.Facts()) == 1 && !m.adjustable(a):
			byFact[a.Facts()[0]] = append(byFact[a.Facts()[0]], a)
		default:
			free = append(free, a.String())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byFact)) {
		worlds, ok := m.worlds(name, byFact[name])
		if !ok {
			return nil, false
		}
		m.axes = append(m.axes, worlds)
	}
	for _, text := range free {
		m.axes = append(m.axes, []world{{text: true}, {text: false}})
	}
	return m, m.size() <= maxWorlds
}

func (m *model) size() int {
	n := 1
	for _, worlds := range m.axes {
		if n *= len(worlds); n > maxWorlds {
			break
		}
	}
	return n
}

// adjustable reports whether an atom looks at an empty list that a site is
// expected to fill.
func (m *model) adjustable(a *exclusion.Expr) bool {
	return slices.ContainsFunc(a.Params(), func(name string) bool {
		list, ok := m.x.Param(name).([]string)
		return ok && len(list) == 0
	})
}

// atoms returns the atoms of the expression, each text once, and notes the text
// of all.
func (m *model) atoms() []*exclusion.Expr {
	var out []*exclusion.Expr
	seen := map[string]bool{}
	m.x.Expr().Walk(func(a *exclusion.Expr) bool {
		if !a.Atom() {
			return true
		}
		text := a.String()
		if m.text[a] = text; !seen[text] {
			seen[text] = true
			out = append(out, a)
		}
		return false
	})
	return out
}

// worlds returns the combinations of values that atoms over one fact take.
func (m *model) worlds(fact string, atoms []*exclusion.Expr) ([]world, bool) {
	def, _ := besra.FactNamed(fact)
	values, rest, complete := valuesOf(m.x, def, atoms)
	var out []world
	if rest {
		more, ok := m.others(def, atoms, complete)
		if !ok {
			return nil, false
		}
		out = more
	}
	for _, v := range values {
		more, ok := m.concrete(fact, v, atoms)
		if !ok {
			return nil, false
		}
		out = append(out, more...)
	}
	return slices.CompactFunc(out, func(a, b world) bool { return maps.Equal(a, b) }), true
}

// concrete evaluates the atoms for one value of their fact. What cannot be
// decided, for a parameter that is not set or because upper and lower case
// matter on some hosts, is free.
func (m *model) concrete(fact string, v any, atoms []*exclusion.Expr) ([]world, bool) {
	facts, err := exclusion.Fixture{Facts: map[string]any{fact: v}}.Overlay(besra.NoFacts{})
	if err != nil {
		return nil, false
	}
	outcomes := map[string]besra.Outcome{}
	collect(m.x.Trace(context.Background(), facts), outcomes)
	known, open := world{}, []*exclusion.Expr(nil)
	for _, a := range atoms {
		switch outcomes[a.String()] {
		case besra.OutcomeTrue:
			known[a.String()] = true
		case besra.OutcomeFalse:
			known[a.String()] = false
		default:
			open = append(open, a)
		}
	}
	return spread(known, open)
}

// collect gathers the outcomes of the atoms of a trace.
func collect(s *exclusion.Step, into map[string]besra.Outcome) {
	if s.Expr.Atom() {
		into[s.Text] = s.Outcome
	}
	for _, part := range s.Steps {
		collect(part, into)
	}
}

// others are the worlds of all values that were not tried. If those that were
// are complete, all that the expression mentions, equalities are false.
func (m *model) others(def besra.FactDef, atoms []*exclusion.Expr, complete bool) ([]world, bool) {
	known, open := world{}, []*exclusion.Expr(nil)
	for _, a := range atoms {
		if truth, ok := m.unmentioned(def, a); ok && complete {
			known[a.String()] = truth
		} else {
			open = append(open, a)
		}
	}
	worlds, ok := spread(known, open)
	if !ok {
		return nil, false
	}
	return slices.DeleteFunc(worlds, func(w world) bool { return contradictory(w, open) }), true
}

// unmentioned returns the truth of an equality for a value that the expression
// does not mention.
func (m *model) unmentioned(def besra.FactDef, a *exclusion.Expr) (truth, ok bool) {
	if def.Type == besra.TypeStrings || !comparison(m.x, a, "==", "!=", "in") {
		return false, false
	}
	return a.Name == "!=", true
}

// comparison reports whether an atom compares its fact, by one of the
// operators, with something of known value.
func comparison(x *exclusion.Exclusion, a *exclusion.Expr, operators ...string) bool {
	if a.Kind != exclusion.KindCall || len(a.Args) != 2 || !slices.Contains(operators, a.Name) {
		return false
	}
	left, right := a.Args[0], a.Args[1]
	if left.Kind != exclusion.KindFact {
		left, right = right, left
		if a.Name == "in" {
			return false
		}
	}
	return left.Kind == exclusion.KindFact && constant(x, right)
}

// constant reports whether e has a value that no fact changes. A long parameter
// counts too, though not all of its members are tried.
func constant(x *exclusion.Exclusion, e *exclusion.Expr) bool {
	if e.Kind == exclusion.KindList {
		return !slices.ContainsFunc(e.Args, func(a *exclusion.Expr) bool { return !constant(x, a) })
	}
	return value(x, e) != nil
}

// spread extends a world by every combination of the open atoms.
func spread(known world, open []*exclusion.Expr) ([]world, bool) {
	if len(open) > maxFree {
		return nil, false
	}
	out := []world{known}
	for _, a := range open {
		var next []world
		for _, w := range out {
			for _, truth := range []bool{true, false} {
				with := maps.Clone(w)
				with[a.String()] = truth
				next = append(next, with)
			}
		}
		out = next
	}
	return out, true
}

// contradictory reports whether a world breaks a relation between two atoms.
func contradictory(w world, atoms []*exclusion.Expr) bool {
	for _, a := range atoms {
		for _, b := range atoms {
			if a == b || !w[a.String()] {
				continue
			}
			implies, excludes := relation(a, b)
			if implies && !w[b.String()] || excludes && w[b.String()] {
				return true
			}
		}
	}
	return false
}

// relation tells what a being true says of b, for tests of the same fact
// against text that is written out.
func relation(a, b *exclusion.Expr) (implies, excludes bool) {
	x, y := textArgument(a), textArgument(b)
	if x == "" || y == "" || a.Name != b.Name || a.Args[0].String() != b.Args[0].String() {
		return false, false
	}
	switch a.Name {
	case "startsWith":
		return strings.HasPrefix(x, y), !strings.HasPrefix(x, y) && !strings.HasPrefix(y, x)
	case "endsWith":
		return strings.HasSuffix(x, y), !strings.HasSuffix(x, y) && !strings.HasSuffix(y, x)
	case "contains":
		return strings.Contains(x, y), false
	case "under":
		return nested(x, y, false), !nested(x, y, true) && !nested(y, x, true)
	}
	return false, false
}

// textArgument returns the argument of fact.function(text), or "".
func textArgument(a *exclusion.Expr) string {
	if a.Kind != exclusion.KindCall || len(a.Args) != 2 || a.Args[0].Kind != exclusion.KindFact {
		return ""
	}
	s, _ := a.Args[1].Value.(string)
	return s
}

// nested reports whether directory a is b or below it.
func nested(a, b string, fold bool) bool {
	below, err := exclusion.Under(a+"/x", b, fold)
	return err == nil && below
}

// valuesOf returns the values of a fact to try, whether there are others, and
// whether those to try are all that the atoms mention.
func valuesOf(x *exclusion.Exclusion, def besra.FactDef, atoms []*exclusion.Expr) (values []any, others, complete bool) {
	switch def.Type {
	case besra.TypeBool:
		return []any{true, false}, false, true
	case besra.TypeInt:
		return integers(x, atoms)
	case besra.TypeString:
		for _, a := range atoms {
			for _, s := range texts(x, a) {
				values = append(values, s, s+"/x")
			}
		}
	}
	return values[:min(len(values), maxValues)], true, len(values) <= maxValues
}

// integers returns the numbers around those that the atoms compare with. If all
// the atoms are plain comparisons these stand for all numbers.
func integers(x *exclusion.Exclusion, atoms []*exclusion.Expr) (values []any, others, complete bool) {
	complete = true
	for _, a := range atoms {
		others = others || !comparison(x, a, "==", "!=", "in", "<", "<=", ">", ">=")
		a.Walk(func(e *exclusion.Expr) bool {
			n, ok := value(x, e).(int64)
			switch {
			case ok && (n < -1<<62 || n > 1<<62):
				complete = false
			case ok:
				values = append(values, n-1, n, n+1)
			}
			return true
		})
	}
	complete = complete && len(values) > 0 && len(values) <= maxValues
	return values[:min(len(values), maxValues)], others || !complete, complete
}

// verdict says which truths an expression can have.
type verdict struct{ canBeTrue, canBeFalse bool }

// judge puts every combination into the logic and returns, for each part of it,
// which truths it can have.
func (m *model) judge() map[*exclusion.Expr]verdict {
	out := map[*exclusion.Expr]verdict{}
	m.combine(0, world{}, out)
	return out
}

func (m *model) combine(axis int, w world, out map[*exclusion.Expr]verdict) {
	if axis == len(m.axes) {
		m.truth(m.x.Expr(), w, out)
		return
	}
	for _, more := range m.axes[axis] {
		maps.Copy(w, more)
		m.combine(axis+1, w, out)
	}
}

// truth evaluates the logic in one world and notes every part's value.
func (m *model) truth(e *exclusion.Expr, w world, out map[*exclusion.Expr]verdict) bool {
	var t bool
	switch e.Kind {
	case exclusion.KindAnd, exclusion.KindOr:
		t = e.Kind == exclusion.KindAnd
		for _, a := range e.Args {
			if m.truth(a, w, out) != (e.Kind == exclusion.KindAnd) {
				t = e.Kind == exclusion.KindOr
			}
		}
	case exclusion.KindNot:
		t = !m.truth(e.Args[0], w, out)
	case exclusion.KindCond:
		then, otherwise := m.truth(e.Args[1], w, out), m.truth(e.Args[2], w, out)
		if t = otherwise; m.truth(e.Args[0], w, out) {
			t = then
		}
	default:
		t = w[m.text[e]]
	}
	v := out[e]
	out[e] = verdict{v.canBeTrue || t, v.canBeFalse || !t}
	return t
}

// logic reports an expression, or the outermost part of one, whose truth is the
// same for every file.
func (s *subject) logic() {
	if s.x == nil {
		return
	}
	m, ok := newModel(s.x)
	if !ok {
		return
	}
	verdicts := m.judge()
	root := s.x.Expr()
	switch v := verdicts[root]; {
	case !v.canBeFalse:
		s.at(root, CodeAlwaysTrue, "it is true of every file")
	case !v.canBeTrue:
		s.at(root, CodeNeverTrue, "it is true of no file")
	default:
		s.idleParts(root, verdicts)
	}
}

func (s *subject) idleParts(root *exclusion.Expr, verdicts map[*exclusion.Expr]verdict) {
	root.Walk(func(e *exclusion.Expr) bool {
		v, ok := verdicts[e]
		if !ok || v.canBeTrue && v.canBeFalse {
			return ok
		}
		s.at(e, CodeIdlePart, fmt.Sprintf("%s is %v of every file", e, v.canBeTrue))
		return false
	})
}
