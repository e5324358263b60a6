package regex

import (
	"bytes"
	"encoding/binary"
	"math"
)

// A chain is a sequence of parts with gaps between: a part is a run of byte
// sets and assertions of a fixed length, a gap a repetition of one set (of a
// pair of sets, for `wide`). It is what most hex patterns and two thirds of
// regexps are. A chain with no gaps is one masked comparison.
type chain struct {
	parts  []part // one more than gaps
	gaps   []gap
	unit   int // the bytes that one turn of a gap takes: 1 or 2
	greedy bool
}

// The limits of a chain. What is beyond them is left to the automaton.
const (
	maxGaps = 32
	maxPart = 1024
	// longGap is from how many turns on a repetition that is exact is a gap
	// and not written out.
	longGap = 16
)

// part is a run of byte sets. The set at i is the bytes b with b&mask[i] ==
// value[i], or else a subset of that, which is then in sets.
type part struct {
	n           int
	literal     bool   // all masks are full
	value, mask []byte // zero-padded to words of 8
	sets        []setAt
	looks       []lookAt
	// key is a byte that is expected to be rare, at keyAt; -1 where no
	// position has only one byte.
	key   byte
	keyAt int
}

type setAt struct {
	at  int
	set *Set
}

type lookAt struct {
	at   int
	look Assertion
}

// gap is a repetition, of min to max turns, max -1 being unbounded.
type gap struct {
	min, max int
	unit     []Set // what a turn takes
	any      bool  // each of unit is any byte
	stop     int   // the only byte that ends a run, or -1: then not known to be one
}

// newChain returns n as a chain, or nil where it is none.
func newChain(n *Node) *chain {
	b := chainBuilder{}
	if !b.add(n) || len(b.gaps) > maxGaps {
		return nil
	}
	b.close()
	if b.unit == 0 {
		b.unit = 1
	}
	return &b.chain
}

// chainBuilder collects a chain; positions and looks are the current part's.
type chainBuilder struct {
	chain
	positions []Set
	looks     []lookAt
	chosen    bool // greedy is that of a gap
}

func (b *chainBuilder) add(n *Node) bool {
	switch n.Op {
	case OpLit:
		for _, c := range n.Lit {
			b.positions = append(b.positions, RangeSet(c, c))
		}
	case OpSet:
		b.positions = append(b.positions, *n.Set)
	case OpLook:
		b.looks = append(b.looks, lookAt{len(b.positions), n.Look})
	case OpConcat:
		for _, s := range n.Subs {
			if !b.add(s) {
				return false
			}
		}
	case OpAlt:
		return false
	case OpRepeat:
		return b.addRepeat(n)
	}
	return len(b.positions) <= maxPart
}

func (b *chainBuilder) addRepeat(n *Node) bool {
	sub := n.Subs[0]
	unit, ok := unitOf(sub)
	if n.Min == n.Max && (!ok || n.Max < longGap) {
		return n.Min <= maxPart && b.addCopies(sub, n.Min)
	}
	if !ok || b.unit != 0 && b.unit != len(unit) || len(b.gaps) == maxGaps {
		return false
	}
	if n.Min != n.Max {
		if b.chosen && b.greedy != n.Greedy {
			return false
		}
		b.greedy, b.chosen = n.Greedy, true
	}
	b.unit = len(unit)
	b.close()
	b.gaps = append(b.gaps, newGap(n, unit))
	return true
}

func (b *chainBuilder) addCopies(sub *Node, n int) bool {
	for range n {
		if !b.add(sub) {
			return false
		}
	}
	return true
}

// unitOf returns the sets of a node that takes one or two bytes.
func unitOf(n *Node) ([]Set, bool) {
	b := chainBuilder{}
	if l, fixed := n.FixedLen(); !fixed || l < 1 || l > 2 || !b.add(n) {
		return nil, false
	}
	return b.positions, len(b.gaps) == 0 && len(b.looks) == 0
}

// newGap returns the gap that n is.
func newGap(n *Node, unit []Set) gap {
	g := gap{min: n.Min, max: n.Max, unit: unit, any: true, stop: -1}
	for _, s := range unit {
		g.any = g.any && s == AnyByte()
	}
	if outside := unit[0].Complement(); len(unit) == 1 && outside.Len() == 1 {
		g.stop = int(outside.Min())
	}
	return g
}

// close ends the current part.
func (b *chainBuilder) close() {
	p := part{n: len(b.positions), literal: true, looks: b.looks, keyAt: -1}
	words := (p.n + 7) / 8 * 8
	p.value, p.mask = make([]byte, words), make([]byte, words)
	best := math.MaxInt
	for i, s := range b.positions {
		value, mask, exact := s.Mask()
		if !exact {
			value, mask = s.cover()
			p.sets = append(p.sets, setAt{i, &s})
		}
		p.value[i], p.mask[i] = value, mask
		if p.literal = p.literal && exact && mask == 0xFF; mask == 0xFF && exact && commonness(value) < best {
			best = commonness(value)
			p.key, p.keyAt = value, i
		}
	}
	b.parts = append(b.parts, p)
	b.positions, b.looks = nil, nil
}

// cover returns a value and a mask such that b&mask == value for each b of s.
func (s *Set) cover() (value, mask byte) {
	if *s == (Set{}) {
		return 0, 0
	}
	mask, value = 0xFF, s.Min()
	for b := range 256 {
		if s.Has(byte(b)) {
			mask &= ^(byte(b) ^ value)
		}
	}
	return value & mask, mask
}

// commonness ranks bytes by how often one meets them, roughly.
func commonness(c byte) int {
	switch {
	case c == 0:
		return 5
	case c == 0xFF || c == ' ':
		return 4
	case setLower.Has(c) || c == 0xCC || c == 0x8B || c == 0x48:
		return 3
	case setAlnum.Has(c) || c == '\n':
		return 2
	}
	return 1
}

// at reports whether the part is at data[p:], none of it behind bound.
func (t *part) at(data []byte, p, bound int) bool {
	if p+t.n > bound || p < 0 {
		return false
	}
	if t.literal {
		if string(data[p:p+t.n]) != string(t.value[:t.n]) {
			return false
		}
	} else if !t.masked(data[p:]) {
		return false
	}
	for i := range t.sets {
		if s := &t.sets[i]; !s.set.Has(data[p+s.at]) {
			return false
		}
	}
	for i := range t.looks {
		if l := &t.looks[i]; !l.look.holds(data, p+l.at) {
			return false
		}
	}
	return true
}

// masked compares n bytes of d under the mask, eight at a time.
func (t *part) masked(d []byte) bool {
	i := 0
	for ; i+8 <= len(d) && i < t.n; i += 8 {
		w := binary.LittleEndian.Uint64(d[i:])
		if w&binary.LittleEndian.Uint64(t.mask[i:]) != binary.LittleEndian.Uint64(t.value[i:]) {
			return false
		}
	}
	for ; i < t.n; i++ {
		if d[i]&t.mask[i] != t.value[i] {
			return false
		}
	}
	return true
}

// chainRun is one search for a chain's end. The preferred way is the first
// that a depth-first search finds: each gap tries its shortest, or if greedy
// its longest, possible length first. The places that a gap can lead to are an
// interval, and places are tried in order, so what is behind a mark need not be
// tried again, whatever way leads there: the time is linear.
type chainRun struct {
	data  []byte
	bound int
	marks [2 * maxGaps]mark // of each gap, one for even and one for odd places
	steps int               // see Machine.Steps; sixteen bytes skipped count as one
}

// mark is what is known of the places of a gap.
type mark struct {
	tried    int  // ascending: places below failed; descending: places from here on
	from, to int  // the gap's unit repeats from..to
	closed   bool // and not further
}

// match returns the end of the match that begins at start.
func (r *chainRun) match(c *chain, data []byte, start, bound int) (int, bool) {
	if !c.parts[0].at(data, start, bound) {
		return 0, false
	}
	end := start + c.parts[0].n
	if len(c.gaps) == 0 {
		return end, true
	}
	r.data, r.bound = data, bound
	fresh := mark{tried: 0, from: -1, to: -1}
	if c.greedy {
		fresh.tried = math.MaxInt
	}
	for i := range len(c.gaps) * c.unit {
		r.marks[i] = fresh
	}
	end, ok := r.descend(c, 0, end)
	r.data = nil
	return end, ok
}

// descend goes on from the place e, where gap i begins.
func (r *chainRun) descend(c *chain, i, e int) (int, bool) {
	m := &r.marks[i*c.unit+e%c.unit]
	g := &c.gaps[i]
	top := e + (r.bound-e)/c.unit*c.unit
	if g.max >= 0 && g.max < (r.bound-e)/c.unit {
		top = e + g.max*c.unit
	}
	lo := e + g.min*c.unit
	if lo > top {
		return 0, false
	}
	if c.greedy {
		return r.longest(c, i, m, lo, r.extent(g, m, e, top))
	}
	return r.shortest(c, i, m, e, lo, top)
}

// longest tries the places of gap i from hi down to lo.
func (r *chainRun) longest(c *chain, i int, m *mark, lo, hi int) (int, bool) {
	next := &c.parts[i+1]
	if fit := r.bound - next.n; hi > fit {
		hi -= (hi - fit + c.unit - 1) / c.unit * c.unit
	}
	if m.tried <= hi {
		hi = m.tried - c.unit
	}
	for p := r.lastCandidate(next, lo, hi, c.unit); p >= lo; p = r.lastCandidate(next, lo, p-c.unit, c.unit) {
		m.tried = p
		if end, ok := r.try(c, i, p); ok {
			return end, true
		}
	}
	m.tried = min(m.tried, lo)
	return 0, false
}

// lastCandidate returns the last place from hi down to lo where the part may
// be, or something less than lo.
func (r *chainRun) lastCandidate(t *part, lo, hi, unit int) int {
	for t.keyAt >= 0 && hi >= lo {
		i := bytes.LastIndexByte(r.data[lo+t.keyAt:hi+t.keyAt+1], t.key)
		r.steps += 1 + (hi-lo-i)/16
		if i < 0 {
			return lo - 1
		}
		if odd := (hi - lo - i) % unit; odd == 0 {
			return lo + i
		} else {
			hi = lo + i - (unit - odd)
		}
	}
	return hi
}

// shortest tries the places of gap i, which begins at e, from lo up to top. How
// far the gap reaches is found out in steps, as a match may be near.
func (r *chainRun) shortest(c *chain, i int, m *mark, e, lo, top int) (int, bool) {
	next := &c.parts[i+1]
	p := max(lo, m.tried)
	for step := 64 * c.unit; p <= top; step *= 2 {
		reach := min(top, p+step)
		hi := r.extent(&c.gaps[i], m, e, reach)
		for {
			at := r.candidate(next, p, hi, c.unit)
			if at > hi {
				break
			}
			p = at + c.unit
			m.tried = p
			if end, ok := r.try(c, i, at); ok {
				return end, true
			}
		}
		p = max(p, hi+c.unit)
		m.tried = p
		if hi < reach {
			break
		}
	}
	return 0, false
}

// try goes on behind gap i at p.
func (r *chainRun) try(c *chain, i, p int) (int, bool) {
	r.steps++
	next := &c.parts[i+1]
	if !next.at(r.data, p, r.bound) {
		return 0, false
	}
	if i+1 == len(c.gaps) {
		return p + next.n, true
	}
	return r.descend(c, i+1, p+next.n)
}

// candidate returns the first place from p to hi where the part may be, or
// something greater than hi.
func (r *chainRun) candidate(t *part, p, hi, unit int) int {
	if t.keyAt < 0 {
		return p
	}
	for p <= hi {
		from, to := p+t.keyAt, min(hi+t.keyAt+1, r.bound)
		if from >= to {
			break
		}
		i := bytes.IndexByte(r.data[from:to], t.key)
		if i < 0 {
			r.steps += (to - from) / 16
			break
		}
		r.steps += 1 + i/16
		if i%unit == 0 {
			return p + i
		}
		p += i + unit - i%unit
	}
	return hi + 1
}

// extent returns how far, but not behind top, the gap's unit repeats from e.
func (r *chainRun) extent(g *gap, m *mark, e, top int) int {
	if g.any {
		return top
	}
	known := *m
	if m.from <= e && e <= m.to {
		known.from = math.MaxInt // there is no other run ahead
	} else {
		m.from, m.to, m.closed = e, e, false
		if known.from < e {
			known.from = math.MaxInt
		}
	}
	if !m.closed {
		m.to, m.closed = r.run(g, m.to, min(top, known.from))
	}
	if !m.closed && m.to == known.from {
		if m.to, m.closed = known.to, known.closed; !m.closed {
			m.to, m.closed = r.run(g, m.to, top)
		}
	}
	return min(m.to, top)
}

// run extends a run from p on, up to top, and reports whether it ends there
// for good.
func (r *chainRun) run(g *gap, p, top int) (int, bool) {
	if g.stop >= 0 && p < top {
		i := bytes.IndexByte(r.data[p:top], byte(g.stop))
		if i >= 0 {
			top = p + i
		}
		r.steps += 1 + (top-p)/16
		return top, i >= 0
	}
	from := p
	for ; p+len(g.unit) <= top; p += len(g.unit) {
		for k := range g.unit {
			if !g.unit[k].Has(r.data[p+k]) {
				r.steps += p - from
				return p, true
			}
		}
	}
	r.steps += p - from
	return p, false
}
