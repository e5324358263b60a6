package kql

import (
	"fmt"

	"github.com/besra-hunt/besra/exclusion"
)

// maxExpanded is the greatest number of members for which "exists" and "all"
// over a list that is written out are expanded.
const maxExpanded = 64

// holds returns when an expression is true, or, where want is false, when it is
// false. Unknown and failed it is neither.
func (c *compiler) holds(e *exclusion.Expr, want bool) cond {
	switch e.Kind {
	case exclusion.KindAnd, exclusion.KindOr:
		parts := make([]cond, len(e.Args))
		for i, a := range e.Args {
			parts[i] = c.holds(a, want)
		}
		if (e.Kind == exclusion.KindAnd) == want {
			return all(parts...)
		}
		return either(parts...)
	case exclusion.KindNot:
		return c.holds(e.Args[0], !want)
	case exclusion.KindCond:
		return c.branch(e, func(b *exclusion.Expr) cond { return c.holds(b, want) })
	case exclusion.KindExists, exclusion.KindAll:
		return c.quantified(e, want)
	case exclusion.KindLiteral:
		b, _ := e.Value.(bool)
		return truth(b == want)
	case exclusion.KindFact, exclusion.KindParam:
		return c.named(e, want)
	}
	return c.call(e, want)
}

// branch is then where the condition of e is true, else where it is false.
func (c *compiler) branch(e *exclusion.Expr, test func(*exclusion.Expr) cond) cond {
	return either(all(c.holds(e.Args[0], true), test(e.Args[1])), all(c.holds(e.Args[0], false), test(e.Args[2])))
}

// named is a fact or parameter that is a yes or no itself.
func (c *compiler) named(e *exclusion.Expr, want bool) cond {
	v, ok := c.value(e)
	switch {
	case !ok:
		return no
	case v.lit != nil:
		return truth(v.lit == want)
	}
	return all(v.known, atom(fmt.Sprintf("%s == %v", v.text, want)))
}

// quantified expands "exists" and "all" over a list that is written out, and
// says what sets can say of a list that is a fact.
func (c *compiler) quantified(e *exclusion.Expr, want bool) cond {
	list, ok := c.value(e.Args[0])
	if !ok {
		return no
	}
	if list.members == nil {
		return c.quantifiedFact(e, list, want)
	}
	if len(list.members) > maxExpanded {
		return c.refuse(e, fmt.Sprintf("%s over a list of %d members", e.Kind, len(list.members)), "use in, under, glob or cidr, which take a list")
	}
	parts := make([]cond, len(list.members))
	for i, m := range list.members {
		parts[i] = c.holds(substitute(e.Args[1], e.Name, m), want)
	}
	made := c.membersKnown(list)
	if (e.Kind == exclusion.KindAll) == want {
		return all(append(parts, made)...)
	}
	return all(made, either(parts...))
}

// membersKnown holds where every member of a list that is written out is known:
// with one that is not, the list is not known either.
func (c *compiler) membersKnown(list value) cond {
	out := yes
	for _, m := range list.members {
		if m.Kind == exclusion.KindLiteral {
			continue
		}
		v, ok := c.value(m)
		if !ok {
			return no
		}
		out = all(out, v.known)
	}
	return out
}

// quantifiedFact is "some member is in a list" and "every member is in a list",
// the two questions about members that KQL answers without rows of their own.
func (c *compiler) quantifiedFact(e *exclusion.Expr, list value, want bool) cond {
	in, ok := c.memberTest(e)
	if !ok {
		return c.refuse(e, fmt.Sprintf("KQL asks the members of a list only whether they are in another that is written out, not %s", e.Args[1]),
			"write "+e.Args[0].String()+"."+string(e.Kind)+"(x, x in […])")
	}
	set, some := "set_intersect", want
	if e.Kind == exclusion.KindAll {
		set, some = "set_difference", !want
	}
	compare := "== 0"
	if some {
		compare = "> 0"
	}
	return all(list.known, atom(fmt.Sprintf("array_length(%s(%s, %s)) %s", set, list.text, dynamic(in), compare)))
}

// memberTest reads x == "a" and x in ["a", "b"] as the list that x is to be in.
func (c *compiler) memberTest(e *exclusion.Expr) ([]string, bool) {
	test := e.Args[1]
	if test.Kind != exclusion.KindCall || test.Args[0].Kind != exclusion.KindVar || test.Args[0].Name != e.Name {
		return nil, false
	}
	other := test.Args[len(test.Args)-1]
	if len(other.Facts()) > 0 || other.Kind == exclusion.KindVar {
		return nil, false
	}
	v, ok := c.value(other)
	if !ok {
		return nil, false
	}
	switch s, text := v.lit.(string); {
	case test.Name == "==" && text:
		return []string{s}, true
	case test.Name == "in" && v.members != nil:
		return v.strings()
	}
	return nil, false
}

// substitute returns e with a variable replaced.
func substitute(e *exclusion.Expr, name string, with *exclusion.Expr) *exclusion.Expr {
	switch {
	case e.Kind == exclusion.KindVar && e.Name == name:
		out := *with
		out.Offset, out.Line, out.Column = e.Offset, e.Line, e.Column
		return &out
	case (e.Kind == exclusion.KindExists || e.Kind == exclusion.KindAll) && e.Name == name:
		out := *e // the variable is another one inside
		out.Args = []*exclusion.Expr{substitute(e.Args[0], name, with), e.Args[1]}
		return &out
	}
	out := *e
	out.Args = make([]*exclusion.Expr, len(e.Args))
	for i, a := range e.Args {
		out.Args[i] = substitute(a, name, with)
	}
	return &out
}

// call compiles an operator or function with a yes or no. A conditional among
// what it computes with is drawn out first.
func (c *compiler) call(e *exclusion.Expr, want bool) cond {
	if condition, then, otherwise, ok := drawOut(e); ok {
		drawn := &exclusion.Expr{Kind: exclusion.KindCond, Args: []*exclusion.Expr{condition, then, otherwise}}
		return c.branch(drawn, func(b *exclusion.Expr) cond { return c.holds(b, want) })
	}
	switch e.Name {
	case "==", "!=":
		return c.equal(e, (e.Name == "==") == want)
	case "<", "<=", ">", ">=":
		return c.ordered(e, want)
	case "in":
		return c.member(e, want)
	case "startsWith", "endsWith", "contains":
		return c.textTest(e, want)
	case "matches":
		return c.matches(e, want)
	case "under", "glob":
		return c.pathTest(e, want)
	case "cidr":
		return c.cidr(e, want)
	case "inWindow":
		return c.inWindow(e, want)
	case "within":
		return c.within(e, want)
	}
	return c.refuse(e, e.Name+" is not known", "")
}

// drawOut finds a conditional in the values that e computes with, and returns its
// condition and e with each of its branches.
func drawOut(e *exclusion.Expr) (condition, then, otherwise *exclusion.Expr, ok bool) {
	for i, a := range e.Args {
		if a.Kind == exclusion.KindCond {
			return a.Args[0], with(e, i, a.Args[1]), with(e, i, a.Args[2]), true
		}
		if a.Kind != exclusion.KindCall && a.Kind != exclusion.KindList {
			continue
		}
		if condition, then, otherwise, ok = drawOut(a); ok {
			return condition, with(e, i, then), with(e, i, otherwise), true
		}
	}
	return nil, nil, nil, false
}

// with returns e with another argument at i.
func with(e *exclusion.Expr, i int, arg *exclusion.Expr) *exclusion.Expr {
	out := *e
	out.Args = append([]*exclusion.Expr(nil), e.Args...)
	out.Args[i] = arg
	return &out
}
