package regex

import (
	"strconv"
	"strings"
)

// FoldCase returns n with ASCII letters in either case.
func (n *Node) FoldCase() *Node {
	switch n.Op {
	case OpSet:
		return Class(n.Set.FoldCase())
	case OpLit:
		return foldLiteral(n.Lit)
	}
	return n.mapSubs((*Node).FoldCase)
}

func foldLiteral(lit []byte) *Node {
	var subs []*Node
	from := 0
	for i, c := range lit {
		if setAlpha.Has(c) {
			subs = append(subs, Literal(lit[from:i]), Class(RangeSet(c, c).FoldCase()))
			from = i + 1
		}
	}
	return Concat(append(subs, Literal(lit[from:]))...)
}

// Wide returns n as the modifier `wide` reads it: each byte is followed by a
// NUL. \b looks at the low bytes of the 16-bit units around it, whatever their
// high bytes, as in YARA-X.
func (n *Node) Wide() *Node { return n.widen(wide) }

// WideLibYARA is Wide with libyara's \b: a 16-bit unit whose high byte is not
// zero is no word character. Nor is half a unit the end of the data.
func (n *Node) WideLibYARA() *Node { return n.widen(wideStrict) }

func (n *Node) widen(unit Assertion) *Node {
	switch n.Op {
	case OpLit:
		lit := make([]byte, 0, 2*len(n.Lit))
		for _, c := range n.Lit {
			lit = append(lit, c, 0)
		}
		return Literal(lit)
	case OpSet:
		return Concat(n, Literal([]byte{0}))
	case OpLook:
		if unit == wideStrict && (n.Look == Begin || n.Look == End) {
			return n
		}
		return Assert(n.Look | unit)
	}
	return n.mapSubs(func(s *Node) *Node { return s.widen(unit) })
}

// Reverse returns a node that matches the bytes of n's matches from the last
// to the first. Assertions stay as they are: they hold at a place, from
// wherever one comes to it.
func (n *Node) Reverse() *Node {
	switch n.Op {
	case OpLit:
		lit := make([]byte, len(n.Lit))
		for i, c := range n.Lit {
			lit[len(lit)-1-i] = c
		}
		return Literal(lit)
	case OpConcat:
		subs := make([]*Node, len(n.Subs))
		for i, s := range n.Subs {
			subs[len(subs)-1-i] = s.Reverse()
		}
		return Concat(subs...)
	}
	return n.mapSubs((*Node).Reverse)
}

// mapSubs returns n with each of its subs replaced by f of it.
func (n *Node) mapSubs(f func(*Node) *Node) *Node {
	if len(n.Subs) == 0 {
		return n
	}
	subs := make([]*Node, len(n.Subs))
	for i, s := range n.Subs {
		subs[i] = f(s)
	}
	switch n.Op {
	case OpConcat:
		return Concat(subs...)
	case OpAlt:
		return Alternate(subs...)
	}
	return Repeat(subs[0], n.Min, n.Max, n.Greedy)
}

// String shows the node as a regexp, for dumps and tests.
func (n *Node) String() string {
	var b strings.Builder
	n.show(&b)
	return b.String()
}

func (n *Node) show(b *strings.Builder) {
	switch n.Op {
	case OpEmpty:
		b.WriteString("()")
	case OpLit:
		for _, c := range n.Lit {
			b.WriteString(quoteByte(c))
		}
	case OpSet:
		b.WriteString(n.Set.String())
	case OpLook:
		b.WriteString(n.Look.String())
	case OpConcat:
		for _, s := range n.Subs {
			s.show(b)
		}
	case OpAlt:
		for i, s := range n.Subs {
			b.WriteString("(|"[min(i, 1) : min(i, 1)+1])
			s.show(b)
		}
		b.WriteByte(')')
	case OpRepeat:
		n.showRepeat(b)
	}
}

func (n *Node) showRepeat(b *strings.Builder) {
	sub := n.Subs[0]
	if _, ok := sub.OneByte(); ok || sub.Op == OpAlt {
		sub.show(b)
	} else {
		b.WriteByte('(')
		sub.show(b)
		b.WriteByte(')')
	}
	switch {
	case n.Min == 0 && n.Max == 1:
		b.WriteByte('?')
	case n.Min == 0 && n.Max < 0:
		b.WriteByte('*')
	case n.Min == 1 && n.Max < 0:
		b.WriteByte('+')
	case n.Min == n.Max:
		b.WriteString("{" + strconv.Itoa(n.Min) + "}")
	case n.Max < 0:
		b.WriteString("{" + strconv.Itoa(n.Min) + ",}")
	default:
		b.WriteString("{" + strconv.Itoa(n.Min) + "," + strconv.Itoa(n.Max) + "}")
	}
	if !n.Greedy {
		b.WriteByte('?')
	}
}
