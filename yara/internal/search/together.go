package search

import (
	"iter"
	"slices"
)

// Conditions ask for one pattern after the other, and each that is looked for
// alone costs a pass over the data. Where the data is larger than the caches
// that is what the scan then waits for. So large data is searched once for all
// that conditions may ask.

const (
	// largeData is from how many bytes on patterns are looked for together.
	largeData = 1 << 20
	// fewExpected is how many patterns are rather looked for one by one: a
	// condition that fails early spares the rest.
	fewExpected = 3
	// costly is from how many false hits in a MiB on a pattern is left to the
	// condition that asks for it.
	costly = 128
)

// Expect tells which patterns conditions may ask for, of which it may look for
// some before they do. It does not where a profile asks for the cost of each.
func (s *State) Expect(patterns iter.Seq[int32]) {
	if len(s.data) < largeData || s.err != nil || s.profile != nil {
		return
	}
	s.expected = s.expected[:0]
	for p := range patterns {
		if s.status[p]&(found|searched) == 0 && s.worthExpecting(p) {
			s.expected = append(s.expected, p)
		}
	}
	slices.Sort(s.expected)
	s.expected = slices.Compact(s.expected)
	if len(s.expected) > fewExpected {
		s.searchTogether(s.expected)
	}
}

// worthExpecting reports whether the pattern is looked for in one pass with
// others, and has not been by the eager one.
func (s *State) worthExpecting(p int32) bool {
	pat := &s.t.prog.Patterns[p]
	return pat.At < 0 && pat.Cost < costly && !s.covers(p) && !s.t.slow(p)
}

// searchTogether looks for patterns that no other search has looked for.
func (s *State) searchTogether(patterns []int32) {
	var ids []int32
	for _, p := range patterns {
		s.mark(p, searched)
		from, to := s.t.litsOf(p)
		for id := from; id < to; id++ {
			ids = append(ids, id)
		}
	}
	s.all = false
	s.explored.reset()
	s.scan(s.t.newSet(ids, true), nil)
}
