package regex

import (
	"math/rand/v2"
	"slices"
)

// reference matches by the definition: the list of ends from a place, the
// preferred first. It is slow and shares nothing with the machines.
type reference struct {
	data []byte
	memo map[refKey][]int
}

type refKey struct {
	n     *Node
	turns int
	p     int
}

// ends returns the ends of n from p, each once, the preferred first.
func (r *reference) ends(n *Node, p int) []int {
	switch n.Op {
	case OpEmpty:
		return []int{p}
	case OpLit:
		if p+len(n.Lit) <= len(r.data) && string(r.data[p:p+len(n.Lit)]) == string(n.Lit) {
			return []int{p + len(n.Lit)}
		}
		return nil
	case OpSet:
		if p < len(r.data) && n.Set.Has(r.data[p]) {
			return []int{p + 1}
		}
		return nil
	case OpLook:
		if refHolds(n.Look, r.data, p) {
			return []int{p}
		}
		return nil
	case OpAlt:
		var out []int
		for _, s := range n.Subs {
			out = addNew(out, r.ends(s, p))
		}
		return out
	case OpConcat:
		return r.sequence(n.Subs, p)
	}
	return r.turns(n, 0, p)
}

func (r *reference) sequence(subs []*Node, p int) []int {
	if len(subs) == 0 {
		return []int{p}
	}
	var out []int
	for _, e := range r.ends(subs[0], p) {
		out = addNew(out, r.sequence(subs[1:], e))
	}
	return out
}

// turns returns the ends of a repetition of which k turns are done.
func (r *reference) turns(n *Node, k, p int) []int {
	key := refKey{n, k, p}
	if out, ok := r.memo[key]; ok {
		return out
	}
	var more, stop []int
	if k >= n.Min {
		stop = []int{p}
	}
	if n.Max < 0 || k < n.Max {
		for _, e := range r.ends(n.Subs[0], p) {
			if e > p || k < n.Min {
				more = addNew(more, r.turns(n, min(k+1, max(n.Min, n.Max)), e))
			}
		}
	}
	out := addNew(slices.Clone(stop), more)
	if n.Greedy {
		out = addNew(slices.Clone(more), stop)
	}
	r.memo[key] = out
	return out
}

func addNew(to, from []int) []int {
	for _, v := range from {
		if !slices.Contains(to, v) {
			to = append(to, v)
		}
	}
	return to
}

// refHolds is Assertion.holds, written down once more.
func refHolds(a Assertion, data []byte, p int) bool {
	size := 1
	if a&unitsMask != 0 {
		size = 2
	}
	char := func(at int) int {
		if at < 0 || at+size > len(data) {
			return -1
		}
		if a&wideStrict != 0 && data[at+1] != 0 {
			return '-'
		}
		return int(data[at])
	}
	isWord := func(c int) bool {
		return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	before, behind := char(p-size), char(p)
	switch a & kindMask {
	case Begin:
		return before == -1
	case End:
		return behind == -1
	case WordBoundary:
		return isWord(before) != isWord(behind)
	case NotWordBoundary:
		return isWord(before) == isWord(behind)
	case WordStart:
		return !isWord(before) && isWord(behind)
	case WordEnd:
		return isWord(before) && !isWord(behind)
	case WordStartHalf:
		return !isWord(before)
	case WordEndHalf:
		return !isWord(behind)
	case LineBegin:
		return before < 0 || before == '\n'
	case LineEnd:
		return behind < 0 || behind == '\n'
	case LineBeginCRLF:
		return before < 0 || before == '\n' && behind != '\r' || before == '\r' && behind != '\n'
	}
	return behind < 0 || behind == '\n' && before != '\r' || behind == '\r' && before != '\n'
}

// randomNode returns a tree over a small alphabet. greedy is that of all
// repetitions, unless mixed.
type nodeMaker struct {
	*rand.Rand
	greedy, mixed bool
	looks         []Assertion
}

func newNodeMaker(r *rand.Rand) *nodeMaker {
	g := &nodeMaker{Rand: r, greedy: r.IntN(2) == 0, mixed: r.IntN(10) == 0}
	switch r.IntN(4) {
	case 0:
		g.looks = []Assertion{Begin, End, WordBoundary, NotWordBoundary, WordStart, WordEnd, WordStartHalf, WordEndHalf}
	case 1:
		g.looks = []Assertion{LineBegin, LineEnd, LineBeginCRLF, LineEndCRLF, WordBoundary, Begin,
			WordBoundary | wide, WordStart | wideStrict, LineEnd | wide}
	}
	return g
}

func (g *nodeMaker) node(depth int) *Node {
	switch g.IntN(10) {
	case 0, 1, 2:
		if depth > 0 {
			return Concat(g.nodes(depth - 1)...)
		}
	case 3:
		if depth > 0 {
			return Alternate(g.nodes(depth - 1)...)
		}
	case 4, 5:
		if depth > 0 {
			return g.repeat(g.node(depth - 1))
		}
	case 6:
		if len(g.looks) > 0 {
			return Assert(g.looks[g.IntN(len(g.looks))])
		}
	case 7:
		return Class(g.set())
	case 8:
		return g.repeat(Class(g.set()))
	}
	return Literal(g.bytes(1 + g.IntN(3)))
}

func (g *nodeMaker) nodes(depth int) []*Node {
	var out []*Node
	for range 1 + g.IntN(4) {
		out = append(out, g.node(depth))
	}
	if g.IntN(12) == 0 {
		out = append(out, Empty())
	}
	return out
}

func (g *nodeMaker) repeat(n *Node) *Node {
	greedy := g.greedy
	if g.mixed {
		greedy = g.IntN(2) == 0
	}
	bounds := [][2]int{{0, -1}, {1, -1}, {0, 1}, {2, 2}, {0, 2}, {1, 3}, {2, -1}, {3, 5}, {0, 7}, {17, 17}, {0, 20}}
	b := bounds[g.IntN(len(bounds))]
	return Repeat(n, b[0], b[1], greedy)
}

func (g *nodeMaker) set() Set {
	switch g.IntN(6) {
	case 0:
		return AnyByte()
	case 1:
		return setDot
	case 2:
		return setWord
	case 3:
		return RangeSet('a', 'a').Complement()
	}
	var s Set
	for range 1 + g.IntN(3) {
		s.Add(g.bytes(1)[0])
	}
	return s
}

const alphabet = "aaabb-\n\x00A_\r"

func (g *nodeMaker) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[g.IntN(len(alphabet))]
	}
	return b
}

// loopsOverEmpty reports whether n repeats something that can be empty: what is
// preferred is then a matter of the machine.
func loopsOverEmpty(n *Node) bool {
	return n.any(func(s *Node) bool { return s.Op == OpRepeat && s.Subs[0].MatchesEmpty() })
}
