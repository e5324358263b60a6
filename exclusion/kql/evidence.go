package kql

import (
	"slices"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// evidence is what the facts weigh that make an expression true or false, where
// it is: one of them is better than weak, and one of them is not of a package
// index.
type evidence struct{ strong, other cond }

// convincing is true, of the rows of which the expression holds, where the
// sensor would let a suppression stand: what it rests on, chosen as well as can
// be, is neither all weak nor all from a package index.
func (c *compiler) convincing(holds cond) cond {
	if holds.op == opFalse {
		return yes
	}
	w := c.weigh(c.x.Expr(), true)
	return all(w.strong, w.other)
}

// weigh mirrors how the sensor picks the support of an outcome.
func (c *compiler) weigh(e *exclusion.Expr, want bool) evidence {
	switch {
	case e.Kind == exclusion.KindNot:
		return c.weigh(e.Args[0], !want)
	case e.Kind == exclusion.KindCond:
		return c.weighBranch(e, want)
	case e.Atom():
		return c.weighAtom(e)
	case (e.Kind == exclusion.KindAnd) == want:
		out := evidence{no, no}
		for _, a := range e.Args {
			out = out.and(c.weigh(a, want))
		}
		return out
	}
	return c.weighOne(e.Args, want)
}

// and is the evidence of both together.
func (w evidence) and(v evidence) evidence {
	return evidence{either(w.strong, v.strong), either(w.other, v.other)}
}

// weighOne weighs the part that is picked of those that have the outcome: the
// first that convinces, or else the first.
func (c *compiler) weighOne(parts []*exclusion.Expr, want bool) evidence {
	convinced := no
	first := evidence{no, no}
	for _, a := range slices.Backward(parts) {
		has, w := c.holds(a, want), c.weigh(a, want)
		convinced = either(all(has, w.strong, w.other), convinced)
		first = evidence{choose(has, w.strong, first.strong, a == parts[len(parts)-1]), choose(has, w.other, first.other, a == parts[len(parts)-1])}
	}
	return evidence{either(convinced, first.strong), either(convinced, first.other)}
}

// choose is then where has holds, and otherwise where it does not. The last
// choice needs no question: one of them has the outcome.
func choose(has, then, otherwise cond, last bool) cond {
	if last || then.equal(otherwise) {
		return then
	}
	return either(all(has, then), all(not(has), otherwise))
}

func (c *compiler) weighBranch(e *exclusion.Expr, want bool) evidence {
	taken := c.weigh(e.Args[0], true).and(c.weigh(e.Args[1], want))
	other := c.weigh(e.Args[0], false).and(c.weigh(e.Args[2], want))
	condition := c.holds(e.Args[0], true)
	return evidence{choose(condition, taken.strong, other.strong, false), choose(condition, taken.other, other.other, false)}
}

// weighAtom weighs the facts of an atom. An atom that can have its outcome
// without one of them counts it where it is known.
func (c *compiler) weighAtom(e *exclusion.Expr) evidence {
	out := evidence{no, no}
	for _, name := range e.Facts() {
		known := yes
		if lazy(e) {
			if v, ok := c.fact(name); ok {
				known = v.known
			} else {
				known = no
			}
		}
		out.strong = either(out.strong, all(known, c.strongFact(name)))
		if !exclusion.FromPackageIndex(name) {
			out.other = either(out.other, known)
		}
	}
	return out
}

// lazy reports whether an atom may not need all of its facts.
func lazy(e *exclusion.Expr) bool {
	found := false
	e.Walk(func(x *exclusion.Expr) bool {
		found = found || !x.Atom() || x.Kind == exclusion.KindExists || x.Kind == exclusion.KindAll
		return !found
	})
	return found
}

// strongFact holds in the contexts in which the fact is better than weak.
func (c *compiler) strongFact(name string) cond {
	def, _ := besra.FactNamed(name)
	var in []besra.Context
	for _, ctx := range c.contexts {
		if !exclusion.Forgeable(name) && def.Grades[ctx] > besra.GradeWeak {
			in = append(in, ctx)
		}
	}
	switch len(in) {
	case 0:
		return no
	case len(c.contexts):
		return yes
	}
	return c.inContexts(in)
}
