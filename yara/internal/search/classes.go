package search

import (
	"slices"
	"sync"

	"github.com/besra-hunt/besra/yara/internal/program"
)

// classes split the eager pass by the first two bytes of the target. Most
// rules begin with a test such as uint16(0) == 0x5A4D: their anchors are of no
// use in any other target. Each class has the anchors of its own rules and of
// those that ask for no first bytes.
type classes struct {
	byMagic map[uint16]*class
	// other is for all targets that have no class of their own.
	other *class
	// whole are for targets that come in windows: with and without the rules
	// that ask for bytes at offset 0.
	whole [2]*class
}

// class builds its tables when the first target of it comes.
type class struct {
	once  sync.Once
	magic uint16
	any   bool // of other: no magic
	eager eager
}

// eager is what the eager pass of a class looks for.
type eager struct {
	set set
	// pinned are the patterns that are verified at one offset; slow are those
	// that no filter can find. Both are looked for one by one.
	pinned, slow []int32
	patterns     bitset
}

func (e *eager) has(p int32) bool { return e.patterns.has(p) }

// minClass is how many rules must share their first bytes to get tables of
// their own; the anchors of rarer ones are looked for in all targets.
const minClass = 16

func newClasses(t *Tables) classes {
	count := make(map[uint16]int)
	for i := range t.prog.Rules {
		if m, ok := t.prog.Rules[i].Gate.Magic(); ok {
			count[m]++
		}
	}
	c := classes{byMagic: make(map[uint16]*class), other: &class{any: true}, whole: [2]*class{{}, {}}}
	for m, n := range count {
		if n >= minClass {
			c.byMagic[m] = &class{magic: m}
		}
	}
	return c
}

func asksForStart(headers []program.Header) bool {
	return slices.ContainsFunc(headers, func(h program.Header) bool { return h.Offset == 0 })
}

// classOf returns what to look for in data.
func (t *Tables) classOf(data []byte) *eager {
	c := t.classes.other
	if len(data) >= 2 {
		if have := t.classes.byMagic[uint16(data[0])|uint16(data[1])<<8]; have != nil {
			c = have
		}
	}
	c.once.Do(func() { c.build(t) })
	return &c.eager
}

func (c *class) build(t *Tables) {
	c.eager.patterns = newBitset(len(t.prog.Patterns))
	for i := range t.prog.Rules {
		r := &t.prog.Rules[i]
		m, ok := r.Gate.Magic()
		if ok && t.classes.byMagic[m] != nil && (c.any || m != c.magic) {
			continue
		}
		c.eager.addRule(t, r, c.holds(t, r.Anchors))
	}
	ids := make([]int32, 0, len(t.lits))
	for p := range int32(len(t.prog.Patterns)) {
		if c.eager.has(p) {
			ids = c.eager.place(t, p, ids)
		}
	}
	c.eager.set = *t.newSet(ids, true)
}

// holds reports whether one of the anchors is what all targets of the class
// begin with.
func (c *class) holds(t *Tables, anchors []int32) bool {
	return !c.any && slices.ContainsFunc(anchors, func(p int32) bool {
		pattern := &t.prog.Patterns[p]
		n := &pattern.Needles[0]
		return pattern.At == 0 && len(pattern.Needles) == 1 && n.Kind == program.Literal && n.Boundary == program.NoBoundary &&
			len(n.Bytes) == 2 && uint16(n.Bytes[0])|uint16(n.Bytes[1])<<8 == c.magic
	})
}

// addRule adds the patterns of a rule that are looked for in every target. A
// rule without anchors, or with one that holds, is evaluated on every target:
// those of its patterns that cost little among all the others are looked for
// right away.
func (e *eager) addRule(t *Tables, r *program.Rule, holds bool) {
	for _, p := range r.Anchors {
		e.patterns.set(p)
	}
	if r.Anchors != nil && !holds {
		return
	}
	for _, p := range r.Patterns {
		if t.prog.Patterns[p].At < 0 && !t.slow(p) {
			e.patterns.set(p)
		}
	}
}

// place decides how a pattern is looked for.
func (e *eager) place(t *Tables, p int32, ids []int32) []int32 {
	switch {
	case t.prog.Patterns[p].At >= 0:
		e.pinned = append(e.pinned, p)
	case t.slow(p):
		e.slow = append(e.slow, p)
	default:
		from, to := t.litsOf(p)
		for i := from; i < to; i++ {
			ids = append(ids, i)
		}
	}
	return ids
}

// bitset is a set of patterns.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(i int32)      { b[i>>6] |= 1 << (i & 63) }
func (b bitset) has(i int32) bool { return b[i>>6]>>(i&63)&1 != 0 }
