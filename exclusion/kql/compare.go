package kql

import (
	"fmt"
	"slices"

	"github.com/besra-hunt/besra/exclusion"
)

// equal holds where both sides are known and equal, or, where want is false,
// known and not equal.
func (c *compiler) equal(e *exclusion.Expr, want bool) cond {
	if boolean(e.Args[0]) || boolean(e.Args[1]) {
		same := either(all(c.holds(e.Args[0], true), c.holds(e.Args[1], want)), all(c.holds(e.Args[0], false), c.holds(e.Args[1], !want)))
		return same
	}
	a, okA := c.value(e.Args[0])
	b, okB := c.value(e.Args[1])
	switch {
	case !okA || !okB:
		return no
	case a.kind != b.kind:
		return c.refuse(e, "values of different types", "compare like with like")
	case a.kind == kindList:
		return c.equalLists(e, a, b, want)
	}
	op := "=="
	if !want {
		op = "!="
	}
	return c.compared(a, op, b)
}

// boolean reports whether an expression is a yes or no as far as its form tells.
func boolean(e *exclusion.Expr) bool {
	switch e.Kind {
	case exclusion.KindAnd, exclusion.KindOr, exclusion.KindNot, exclusion.KindExists, exclusion.KindAll:
		return true
	case exclusion.KindLiteral:
		_, ok := e.Value.(bool)
		return ok
	case exclusion.KindCond:
		return boolean(e.Args[1])
	case exclusion.KindCall:
		return !valueCalls[e.Name]
	}
	return false
}

// valueCalls are the calls that give something else than a yes or no.
var valueCalls = map[string]bool{"timestamp": true, "duration": true, "size": true, "[]": true, "+": true, "-": true, "*": true}

// compared compares two values of a type. What is known is asked first: "!=" is
// true of a null.
func (c *compiler) compared(a value, op string, b value) cond {
	s, written := b.lit.(string)
	return all(a.given(op == "==" && written && s != ""), b.known, atom(a.text+" "+op+" "+b.text))
}

// equalLists compares a list that is a fact with one that is written out.
func (c *compiler) equalLists(e *exclusion.Expr, a, b value, want bool) cond {
	if a.members != nil {
		a, b = b, a
	}
	members, ok := b.strings()
	if !ok || b.members == nil || a.members != nil || a.alias != "" {
		return c.refuse(e, "two lists of which not one is a fact and the other text that is written out", "use in, exists or all")
	}
	same := []cond{a.known, atom(fmt.Sprintf("array_length(%s) == %d", a.text, len(members)))}
	differ := atom(fmt.Sprintf("array_length(%s) != %d", a.text, len(members)))
	for i, m := range members {
		at := fmt.Sprintf("tostring(%s[%d])", a.text, i)
		same = append(same, atom(at+" == "+quote(m)))
		differ = either(differ, atom(at+" != "+quote(m)))
	}
	if want {
		return all(same...)
	}
	return all(a.known, differ)
}

// opposites are the comparisons that hold where another does not.
var opposites = map[string]string{"<": ">=", "<=": ">", ">": "<=", ">=": "<"}

func (c *compiler) ordered(e *exclusion.Expr, want bool) cond {
	a, okA := c.value(e.Args[0])
	b, okB := c.value(e.Args[1])
	switch {
	case !okA || !okB:
		return no
	case a.kind != b.kind || a.kind == kindList || a.kind == kindBool:
		return c.refuse(e, "the order of such values", "")
	case a.kind == kindText:
		return c.refuse(e, "KQL has no order of text that is documented beyond ASCII", "compare numbers or times")
	}
	op := e.Name
	if !want {
		op = opposites[op]
	}
	return c.compared(a, op, b)
}

// member compiles "x in list".
func (c *compiler) member(e *exclusion.Expr, want bool) cond {
	list, okList := c.value(e.Args[1])
	v, ok := c.value(e.Args[0])
	if !okList || !ok {
		return no
	}
	op := "in"
	if !want {
		op = "!in"
	}
	switch {
	case list.alias != "":
		return c.inWatchlist(v, list.alias, want)
	case list.members == nil:
		return all(v.known, list.known, atom(fmt.Sprintf("set_has_element(%s, %s) == %v", list.text, v.text, want)))
	case len(list.members) == 0:
		return all(v.known, truth(!want))
	}
	written, ok := list.strings()
	known := all(v.given(want && ok && !slices.Contains(written, "")), c.membersKnown(list))
	texts := make([]string, len(list.members))
	for i, m := range list.members {
		member, ok := c.value(m)
		switch {
		case !ok:
			return no
		case member.kind != v.kind:
			return c.refuse(e, "values of different types", "")
		case v.kind == kindList || v.kind == kindBool:
			return c.refuse(e, "a list of such values", "")
		}
		texts[i] = member.text
	}
	return all(known, atom(fmt.Sprintf("%s %s (%s)", v.text, op, joined(texts))))
}

// inWatchlist asks the items of a watchlist by their search key. That a value is
// not in it is only said of a watchlist that has items: one that is gone or was
// not filled looks empty, which must not exclude anything.
func (c *compiler) inWatchlist(v value, alias string, want bool) cond {
	c.watchlist(alias)
	items := "_GetWatchlist(" + quote(alias) + ")"
	if want {
		return all(v.known, atom(fmt.Sprintf("%s in (%s | project SearchKey)", v.text, items)))
	}
	return all(v.known, atom(fmt.Sprintf("%s !in (%s | project SearchKey)", v.text, items)), atom("toscalar("+items+" | count) > 0"))
}
