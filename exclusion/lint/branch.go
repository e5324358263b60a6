package lint

import (
	"slices"

	"github.com/besra-hunt/besra/exclusion"
)

// literal is an atom of a branch, or its opposite.
type literal struct {
	atom    *exclusion.Expr
	negated bool
}

// branch is one way for an expression to be true: all its literals hold.
type branch []literal

// maxBranches bounds the branches of an expression that the linter looks at.
const maxBranches = 64

// branches returns the ways for e, or for its opposite, to be true: its
// disjunctive normal form. ok is false where there are too many.
func branches(e *exclusion.Expr, negated bool) (out []branch, ok bool) {
	switch {
	case e.Kind == exclusion.KindNot:
		return branches(e.Args[0], !negated)
	case e.Kind == exclusion.KindCond:
		return conditional(e, negated)
	case e.Atom():
		return []branch{{{e, negated}}}, true
	case (e.Kind == exclusion.KindOr) != negated:
		return alternatives(e.Args, negated)
	}
	return combinations(e.Args, negated)
}

func alternatives(parts []*exclusion.Expr, negated bool) (out []branch, ok bool) {
	for _, a := range parts {
		more, ok := branches(a, negated)
		if !ok || len(out)+len(more) > maxBranches {
			return nil, false
		}
		out = append(out, more...)
	}
	return out, true
}

func combinations(parts []*exclusion.Expr, negated bool) ([]branch, bool) {
	out := []branch{nil}
	for _, a := range parts {
		more, ok := branches(a, negated)
		if !ok || len(out)*len(more) > maxBranches {
			return nil, false
		}
		out = product(out, more)
	}
	return out, true
}

func product(as, bs []branch) []branch {
	var out []branch
	for _, a := range as {
		for _, b := range bs {
			out = append(out, slices.Concat(a, b))
		}
	}
	return out
}

// conditional is condition and then, or not condition and else.
func conditional(e *exclusion.Expr, negated bool) ([]branch, bool) {
	condition, ok1 := branches(e.Args[0], false)
	opposite, ok2 := branches(e.Args[0], true)
	then, ok3 := branches(e.Args[1], negated)
	otherwise, ok4 := branches(e.Args[2], negated)
	if !ok1 || !ok2 || !ok3 || !ok4 || len(condition)*len(then)+len(opposite)*len(otherwise) > maxBranches {
		return nil, false
	}
	return append(product(condition, then), product(opposite, otherwise)...), true
}

// negative reports whether the literal says what something is not. A fact that
// is a flag says something either way.
func (l literal) negative() bool {
	if l.atom.Kind == exclusion.KindFact || l.atom.Kind == exclusion.KindLiteral {
		return false
	}
	return l.negated != (l.atom.Kind == exclusion.KindCall && l.atom.Name == "!=")
}

// negative reports whether all literals of a branch are.
func (b branch) negative() bool {
	return !slices.ContainsFunc(b, func(l literal) bool { return !l.negative() })
}

// facts returns the names of the facts of a branch.
func (b branch) facts() []string {
	var out []string
	for _, l := range b {
		for _, f := range l.atom.Facts() {
			if !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}

// texts returns the text that the positive literals of a branch compare the
// named facts with, written out or in parameters, at most a few of a long list.
func (b branch) texts(x *exclusion.Exclusion, names []string) []string {
	var out []string
	for _, l := range b {
		if !l.negative() && intersects(l.atom.Facts(), names) {
			out = append(out, texts(x, l.atom)...)
		}
	}
	return out
}

// maxTexts bounds how many members of a parameter are looked at.
const maxTexts = 1000

// texts returns the text literals and parameter values in e.
func texts(x *exclusion.Exclusion, e *exclusion.Expr) []string {
	var out []string
	e.Walk(func(a *exclusion.Expr) bool {
		switch v := value(x, a).(type) {
		case string:
			out = append(out, v)
		case []string:
			out = append(out, v[:min(len(v), maxTexts)]...)
		}
		return true
	})
	return out
}

// value returns what a literal or a parameter stands for, nil for anything else.
func value(x *exclusion.Exclusion, e *exclusion.Expr) any {
	switch e.Kind {
	case exclusion.KindLiteral:
		return e.Value
	case exclusion.KindParam:
		return x.Param(e.Name)
	}
	return nil
}

func intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// within reports whether every member of a is in b.
func within(a, b []string) bool {
	return !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}
