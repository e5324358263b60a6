package lint

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// maxPairs bounds how many pairs of exclusions are compared by their logic.
const maxPairs = 2000

// pairs reports exclusions that say the same as another one, or less.
func (l *linter) pairs(subjects []*subject) {
	compared := 0
	for i, a := range subjects {
		for j, b := range subjects {
			if i == j || a.x == nil || b.x == nil || !covers(b, a) {
				continue
			}
			switch same := normal(a.x.Expr()) == normal(b.x.Expr()); {
			case same && strength(a.spec) != strength(b.spec):
				a.at(a.x.Expr(), CodeConflict, fmt.Sprintf("exclusion %s has the same expression and another effect", b.spec.ID))
			case same && (i > j || !covers(a, b)):
				a.at(a.x.Expr(), CodeDuplicate, fmt.Sprintf("exclusion %s has the same expression", b.spec.ID))
			case same || compared == maxPairs:
			default:
				compared++
				if l.implies(a, b) && (i > j || !l.implies(b, a)) {
					a.at(a.x.Expr(), CodeShadowed, fmt.Sprintf("exclusion %s holds whenever this one does", b.spec.ID))
				}
			}
		}
	}
}

// together reports exclusions of which one or the other holds for every file:
// two halves of a switch that turns the detection off.
func (l *linter) together(subjects []*subject) {
	compared := 0
	for i, a := range subjects {
		for _, b := range subjects[:i] {
			if a.x == nil || b.x == nil || !a.suppresses() || !b.suppresses() || !intersects(a.x.Expr().Facts(), b.x.Expr().Facts()) || compared == maxPairs {
				continue
			}
			compared++
			if l.always(a) || l.always(b) || !l.always(l.either(a, b)) {
				continue
			}
			a.at(a.x.Expr(), CodeTogether, fmt.Sprintf("of every file this exclusion or exclusion %s holds", b.spec.ID))
		}
	}
}

// either returns the subject whose expression holds where one of the two does.
func (l *linter) either(a, b *subject) *subject {
	spec := exclusion.Spec{ID: "pair", Contexts: a.spec.Contexts, When: "(" + a.spec.When + "\n) || (" + b.spec.When + "\n)"}
	x, _ := exclusion.Compile(spec, l.compile)
	return &subject{linter: l, spec: spec, x: x}
}

// always reports whether an expression is known to be true of every file.
func (l *linter) always(s *subject) bool {
	if s.x == nil {
		return false
	}
	m, ok := newModel(s.x)
	return ok && !m.judge()[s.x.Expr()].canBeFalse
}

// covers reports whether wide is asked wherever narrow is, and does as much.
func covers(wide, narrow *subject) bool {
	everywhere := !slices.ContainsFunc(narrow.spec.Contexts, func(c besra.Context) bool { return !wide.x.For(c) })
	return everywhere && strength(wide.spec) >= strength(narrow.spec)
}

// strength orders effects; a downgrade is the stronger the lower it leads.
func strength(s exclusion.Spec) int {
	switch s.Effect {
	case besra.EffectAnnotate:
		return 0
	case besra.EffectDowngrade:
		return 5 - s.To.Rank()
	}
	return 10
}

// normal prints an expression with the parts of and and or in order.
func normal(e *exclusion.Expr) string {
	sorted := *e
	sorted.Args = slices.Clone(e.Args)
	if e.Kind == exclusion.KindAnd || e.Kind == exclusion.KindOr {
		slices.SortFunc(sorted.Args, func(a, b *exclusion.Expr) int { return cmp.Compare(normal(a), normal(b)) })
	}
	return sorted.String()
}

// implies reports whether a being true makes b true, by looking for a world in
// which a holds and b does not. An expression over a fact that a does not
// mention cannot follow from it.
func (l *linter) implies(a, b *subject) bool {
	if !within(b.x.Expr().Facts(), a.x.Expr().Facts()) {
		return false
	}
	both := exclusion.Spec{ID: "pair", Contexts: a.spec.Contexts, When: "(" + a.spec.When + "\n) && !(" + b.spec.When + "\n)"}
	x, _ := exclusion.Compile(both, l.compile)
	if x == nil {
		return false
	}
	m, ok := newModel(x)
	return ok && !m.judge()[x.Expr()].canBeTrue
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
