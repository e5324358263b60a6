package regex

// Op says what a Node is.
type Op uint8

// The kinds of node.
const (
	OpEmpty  Op = iota // the empty string
	OpLit              // the bytes Lit, never empty
	OpSet              // one byte of Set; an empty Set never matches
	OpConcat           // Subs one after the other
	OpAlt              // one of Subs, the earlier preferred
	OpRepeat           // Subs[0], Min to Max times; Max -1 is unbounded
	OpLook             // the empty string where the assertion Look holds
)

// Node is a regexp as a tree. It is immutable once made, and trees may share
// nodes. The constructors keep the invariants: use them.
type Node struct {
	Op   Op
	Lit  []byte
	Set  *Set
	Subs []*Node
	Min  int
	Max  int
	// Greedy is set where an OpRepeat prefers more turns. It is set also where
	// Min == Max and a quantifier was written in the greedy form.
	Greedy bool
	Look   Assertion
	// Dot is set for an OpSet that was written as a dot for any byte, under the
	// flag behind the regexp.
	Dot bool
}

// Literal returns a node that matches the bytes b, which it keeps.
func Literal(b []byte) *Node {
	if len(b) == 0 {
		return &Node{Op: OpEmpty}
	}
	return &Node{Op: OpLit, Lit: b}
}

// Class returns a node that matches one byte of s.
func Class(s Set) *Node {
	if b, ok := s.Only(); ok {
		return &Node{Op: OpLit, Lit: []byte{b}}
	}
	return &Node{Op: OpSet, Set: &s}
}

// Masked returns a node that matches one byte b with b&mask == value&mask.
func Masked(value, mask byte) *Node { return Class(MaskedSet(value, mask)) }

// Empty returns a node that matches the empty string.
func Empty() *Node { return &Node{Op: OpEmpty} }

// Assert returns a node that matches the empty string where a holds.
func Assert(a Assertion) *Node { return &Node{Op: OpLook, Look: a} }

// Concat returns a node that matches subs one after the other.
func Concat(subs ...*Node) *Node {
	var out []*Node
	owned := false // the last of out is a literal that was made here
	for _, s := range flatten(OpConcat, subs) {
		if s.Op == OpEmpty {
			continue
		}
		if s.Op == OpLit && len(out) > 0 && out[len(out)-1].Op == OpLit {
			last := out[len(out)-1]
			if !owned {
				last = &Node{Op: OpLit, Lit: append([]byte(nil), last.Lit...)}
				out[len(out)-1], owned = last, true
			}
			last.Lit = append(last.Lit, s.Lit...)
			continue
		}
		out, owned = append(out, s), false
	}
	switch len(out) {
	case 0:
		return Empty()
	case 1:
		return out[0]
	}
	return &Node{Op: OpConcat, Subs: out}
}

// Alternate returns a node that matches one of subs, the earlier preferred.
// Without subs it never matches.
func Alternate(subs ...*Node) *Node {
	out := mergeBytes(flatten(OpAlt, subs))
	switch len(out) {
	case 0:
		return Class(Set{})
	case 1:
		return out[0]
	}
	return &Node{Op: OpAlt, Subs: out}
}

// mergeBytes makes one class of alternatives of one byte that stand side by
// side: which of them is preferred makes no difference.
func mergeBytes(subs []*Node) []*Node {
	var out []*Node
	for _, s := range subs {
		if n := len(out); n > 0 {
			a, okA := out[n-1].OneByte()
			b, okB := s.OneByte()
			if okA && okB {
				out[n-1] = Class(a.Union(b))
				continue
			}
		}
		out = append(out, s)
	}
	return out
}

// flatten lists subs with the nodes of kind op among them replaced by their
// own subs.
func flatten(op Op, subs []*Node) []*Node {
	nested := false
	for _, s := range subs {
		nested = nested || s.Op == op
	}
	if !nested {
		return subs
	}
	var out []*Node
	for _, s := range subs {
		if s.Op == op {
			out = append(out, s.Subs...)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// Repeat returns a node that matches sub min to max times, max -1 being
// unbounded. A negative min counts as 0 and a max below min as min.
func Repeat(sub *Node, min, max int, greedy bool) *Node {
	if min < 0 {
		min = 0
	}
	if max >= 0 && max < min {
		max = min
	}
	if max == 0 || sub.Op == OpEmpty {
		return Empty()
	}
	if min == 1 && max == 1 {
		return sub
	}
	return &Node{Op: OpRepeat, Subs: []*Node{sub}, Min: min, Max: max, Greedy: greedy}
}

// OneByte returns the set of a node that matches exactly one byte, whatever
// stands around it.
func (n *Node) OneByte() (Set, bool) {
	switch {
	case n.Op == OpSet:
		return *n.Set, true
	case n.Op == OpLit && len(n.Lit) == 1:
		return RangeSet(n.Lit[0], n.Lit[0]), true
	}
	return Set{}, false
}

// Literal returns the bytes of a node that is nothing but bytes.
func (n *Node) Literal() ([]byte, bool) {
	return n.Lit, n.Op == OpLit || n.Op == OpEmpty
}

// tooLong stands for lengths that are bounded but absurd; sums and products
// stay there.
const tooLong = 1 << 29

// MinLen is the least number of bytes of a match.
func (n *Node) MinLen() int {
	switch n.Op {
	case OpLit:
		return len(n.Lit)
	case OpSet:
		return 1
	case OpConcat:
		sum := 0
		for _, s := range n.Subs {
			sum = min(sum+s.MinLen(), tooLong)
		}
		return sum
	case OpAlt:
		least := tooLong
		for _, s := range n.Subs {
			least = min(least, s.MinLen())
		}
		return least
	case OpRepeat:
		return times(n.Subs[0].MinLen(), n.Min)
	}
	return 0
}

// MaxLen is the greatest number of bytes of a match, or -1 where there is no
// bound.
func (n *Node) MaxLen() int {
	switch n.Op {
	case OpLit:
		return len(n.Lit)
	case OpSet:
		return 1
	case OpConcat, OpAlt:
		longest, sum := 0, 0
		for _, s := range n.Subs {
			l := s.MaxLen()
			if l < 0 {
				return -1
			}
			longest, sum = max(longest, l), min(sum+l, tooLong)
		}
		if n.Op == OpAlt {
			return longest
		}
		return sum
	case OpRepeat:
		l := n.Subs[0].MaxLen()
		if l < 0 || l > 0 && n.Max < 0 {
			return -1
		}
		return times(l, max(n.Max, 0))
	}
	return 0
}

// OpenJump is Prog.OpenJump of a tree.
func (n *Node) OpenJump() int {
	open := 0
	if n.Op == OpRepeat {
		if set, ok := n.Subs[0].OneByte(); ok && set == AnyByte() {
			open = openOf(n.Min, n.Max)
		}
	}
	for _, s := range n.Subs {
		open = max(open, s.OpenJump())
	}
	return open
}

// openOf is what a repetition leaves open.
func openOf(min, max int) int {
	if max < 0 {
		return tooLong
	}
	return max - min
}

// times multiplies without overflow.
func times(a, b int) int {
	if a != 0 && b > tooLong/a {
		return tooLong
	}
	return a * b
}

// FixedLen returns the number of bytes of every match where they are all of
// one length.
func (n *Node) FixedLen() (int, bool) {
	l := n.MinLen()
	return l, l == n.MaxLen()
}

// MatchesEmpty reports whether there is a match of no bytes, assertions
// permitting.
func (n *Node) MatchesEmpty() bool { return n.MinLen() == 0 }

// IsGreedy reports whether there is a repetition that prefers more turns to
// fewer. YARA and YARA-X let the later of two matches at one offset replace
// the earlier only then.
func (n *Node) IsGreedy() bool {
	return n.any(func(s *Node) bool { return s.Op == OpRepeat && s.Greedy })
}

// HasLooks reports whether there is an assertion.
func (n *Node) HasLooks() bool {
	return n.any(func(s *Node) bool { return s.Op == OpLook })
}

// any reports whether f holds for a node of the tree.
func (n *Node) any(f func(*Node) bool) bool {
	if f(n) {
		return true
	}
	for _, s := range n.Subs {
		if s.any(f) {
			return true
		}
	}
	return false
}

// First is the set of bytes that a match can begin with. Where a match can be
// empty it is all bytes.
func (n *Node) First() Set {
	s, empty := n.first()
	if empty {
		return AnyByte()
	}
	return s
}

// first returns the bytes that a match begins with, and whether it can be empty.
func (n *Node) first() (Set, bool) {
	switch n.Op {
	case OpLit:
		return RangeSet(n.Lit[0], n.Lit[0]), false
	case OpSet:
		return *n.Set, false
	case OpConcat:
		var u Set
		for _, sub := range n.Subs {
			s, empty := sub.first()
			if u = u.Union(s); !empty {
				return u, false
			}
		}
		return u, true
	case OpAlt:
		var u Set
		empty := false
		for _, sub := range n.Subs {
			s, e := sub.first()
			u, empty = u.Union(s), empty || e
		}
		return u, empty
	case OpRepeat:
		s, empty := n.Subs[0].first()
		return s, empty || n.Min == 0
	}
	return Set{}, true
}

// ArbitraryPrefix reports whether matches begin with any number of any bytes,
// as those of /.*foo/s and /[\s\S]+foo/ do: every place before a match is then
// one, too.
func (n *Node) ArbitraryPrefix() bool {
	return n.beginsWithAny(func(n *Node) bool { return *n.Set == AnyByte() })
}

func (n *Node) beginsWithAny(any func(set *Node) bool) bool {
	if n.Op == OpConcat {
		for _, s := range n.Subs {
			if s.beginsWithAny(any) {
				return true
			}
			if !s.isRunOf(any) {
				return false
			}
		}
	}
	return n.Op == OpRepeat && n.Max < 0 && n.Subs[0].isRunOf(any)
}

// isRunOf reports whether n takes a byte of such a set, perhaps a number of
// times.
func (n *Node) isRunOf(any func(set *Node) bool) bool {
	if n.Op == OpRepeat {
		return n.Subs[0].isRunOf(any)
	}
	return n.Op == OpSet && any(n)
}

// Anchored reports whether every match begins at the start of the data.
func (n *Node) Anchored() bool {
	switch n.Op {
	case OpLook:
		return n.Look == Begin
	case OpConcat:
		for _, s := range n.Subs {
			if s.Anchored() {
				return true
			}
			if s.Op != OpLook {
				return false
			}
		}
	case OpAlt:
		for _, s := range n.Subs {
			if !s.Anchored() {
				return false
			}
		}
		return len(n.Subs) > 0
	}
	return false
}
