package kql

import (
	"slices"
	"strings"
)

// cond is a condition in two-valued logic. A sentence of three-valued logic is
// compiled to two of them, one for "it is true" and one for "it is false", so
// that the result has no null in it: what KQL's documentation says of null in
// "and" and "or" differs from page to page, and not(null) drops rows.
type cond struct {
	op   byte // one of the op constants
	text string
	kids []cond
}

const (
	opAtom  = 'a' // text, an expression that is never null or counts as false where it is
	opTrue  = 't'
	opFalse = 'f'
	opAll   = '&'
	opAny   = '|'
	opNot   = '!' // true where its kid is not
)

var yes, no = cond{op: opTrue}, cond{op: opFalse}

func atom(text string) cond { return cond{op: opAtom, text: text} }

func truth(b bool) cond {
	if b {
		return yes
	}
	return no
}

func (c cond) equal(d cond) bool {
	return c.op == d.op && c.text == d.text && slices.EqualFunc(c.kids, d.kids, cond.equal)
}

// all is true where every condition is; any, where one is.
func all(cs ...cond) cond    { return join(opAll, yes, no, cs) }
func either(cs ...cond) cond { return join(opAny, no, yes, cs) }

func join(op byte, neutral, final cond, cs []cond) cond {
	var kids []cond
	for _, c := range cs {
		switch {
		case c.op == final.op:
			return final
		case c.op == neutral.op:
			continue
		}
		parts := []cond{c}
		if c.op == op {
			parts = c.kids
		}
		for _, p := range parts {
			if !slices.ContainsFunc(kids, p.equal) {
				kids = append(kids, p)
			}
		}
	}
	switch len(kids) {
	case 0:
		return neutral
	case 1:
		return kids[0]
	}
	return cond{op: op, kids: kids}
}

// not is true where c is not: false, or of no value.
func not(c cond) cond {
	switch c.op {
	case opTrue:
		return no
	case opFalse:
		return yes
	case opNot:
		return c.kids[0]
	}
	return cond{op: opNot, kids: []cond{c}}
}

// String returns the condition, a part a line.
func (c cond) String() string {
	var b strings.Builder
	c.write(&b, "")
	return b.String()
}

func (c cond) write(b *strings.Builder, indent string) {
	switch c.op {
	case opTrue:
		b.WriteString("true")
	case opFalse:
		b.WriteString("false")
	case opAtom:
		b.WriteString(c.text)
	case opNot:
		b.WriteString("not(coalesce(\n" + indent + "  ")
		c.kids[0].write(b, indent+"  ")
		b.WriteString(",\n" + indent + "  false))")
	default:
		c.writeJoined(b, indent)
	}
}

func (c cond) writeJoined(b *strings.Builder, indent string) {
	word := "and "
	if c.op == opAny {
		word = "or "
	}
	for i, k := range c.kids {
		if i > 0 {
			b.WriteString("\n" + indent + word)
		}
		if k.op != opAll && k.op != opAny {
			k.write(b, indent)
			continue
		}
		b.WriteString("(\n" + indent + "  ")
		k.write(b, indent+"  ")
		b.WriteString("\n" + indent + ")")
	}
}
