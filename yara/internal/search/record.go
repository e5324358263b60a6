package search

import (
	"cmp"
	"slices"
)

// records keep what was found of each pattern. Only what a scan touches is
// reset by the next, so a scan costs nothing for the patterns it does not meet.
type records struct {
	status  []status // by pattern
	slot    []int32  // by pattern: 1 + its place in lists
	touched []int32  // patterns with a status
	hit     []int32  // patterns that were found
	lists   []list
	used    int // of lists
	max     int
}

// status is what is known about a pattern.
type status uint8

const (
	found    status = 1 << iota // it has a match
	closed                      // no further match of it is wanted
	partial                     // it was closed before all its matches were recorded
	searched                    // it was looked for alone
)

// list is the matches of one pattern.
type list struct {
	matches []Match
	// compact is the length at which duplicates are removed, to see whether
	// the limit is reached.
	compact  int
	unsorted bool
}

// keepCapacity is how many matches a list keeps room for between scans.
const keepCapacity = 1 << 16

func newRecords(patterns int) records {
	return records{status: make([]status, patterns), slot: make([]int32, patterns)}
}

func (r *records) reset(limit int) {
	for _, p := range r.touched {
		r.status[p], r.slot[p] = 0, 0
	}
	for i := range r.lists[:r.used] {
		if cap(r.lists[i].matches) > keepCapacity {
			r.lists[i].matches = nil
		}
	}
	r.touched, r.hit, r.used, r.max = r.touched[:0], r.hit[:0], 0, limit
}

// mark adds to the status of a pattern.
func (r *records) mark(p int32, add status) {
	if r.status[p] == 0 {
		r.touched = append(r.touched, p)
	}
	r.status[p] |= add
}

// listOf returns the list of a pattern, made where there is none.
func (r *records) listOf(p int32) *list {
	if r.slot[p] == 0 {
		if r.used == len(r.lists) {
			r.lists = append(r.lists, list{})
		}
		l := &r.lists[r.used]
		*l = list{matches: l.matches[:0], compact: r.max}
		r.used++
		r.slot[p] = int32(r.used)
	}
	return &r.lists[r.slot[p]-1]
}

// add records a match. longest says which of two matches at one offset counts.
func (r *records) add(p int32, m Match, all, longest bool) {
	if r.status[p]&found == 0 {
		r.mark(p, found)
		r.hit = append(r.hit, p)
	}
	l := r.listOf(p)
	if n := len(l.matches); n > 0 {
		last := &l.matches[n-1]
		if m.Offset == last.Offset {
			last.prefer(m, longest)
			return
		}
		if m.Offset < last.Offset && l.again(m, longest) {
			return
		}
	}
	if n := len(l.matches); n == cap(l.matches) {
		l.matches = slices.Grow(l.matches, min(n, max(r.max-n, 0))+1)
	}
	l.matches = append(l.matches, m)
	switch {
	case !all:
		r.status[p] |= closed | partial
	case len(l.matches) >= l.compact:
		l.sort(longest)
		if len(l.matches) >= r.max {
			l.matches = l.matches[:r.max]
			r.status[p] |= closed
		}
		l.compact = max(r.max, 2*len(l.matches))
	}
}

// again takes a match that comes after one of a greater offset, where there is
// one at its offset: filters that go back find what was found before.
func (l *list) again(m Match, longest bool) bool {
	if l.unsorted {
		return false
	}
	i, have := slices.BinarySearchFunc(l.matches, m.Offset, func(m Match, o int64) int { return cmp.Compare(m.Offset, o) })
	if have {
		l.matches[i].prefer(m, longest)
	}
	l.unsorted = !have
	return have
}

// prefer replaces m by another match at the same offset where that counts.
func (m *Match) prefer(o Match, longest bool) {
	if longest && o.Length > m.Length || !longest && o.Length < m.Length {
		*m = o
	}
}

// sort orders the matches by offset and leaves one at each.
func (l *list) sort(longest bool) {
	if !l.unsorted {
		return
	}
	l.unsorted = false
	slices.SortStableFunc(l.matches, func(a, b Match) int { return cmp.Compare(a.Offset, b.Offset) })
	kept := l.matches[:1]
	for _, m := range l.matches[1:] {
		if last := &kept[len(kept)-1]; last.Offset == m.Offset {
			last.prefer(m, longest)
		} else {
			kept = append(kept, m)
		}
	}
	l.matches = kept
}

// sorted returns the matches of a pattern.
func (r *records) sorted(p int32, longest bool) []Match {
	if r.slot[p] == 0 {
		return nil
	}
	l := &r.lists[r.slot[p]-1]
	l.sort(longest)
	return l.matches
}

// forget drops the matches of a pattern; that it was found stays known.
func (r *records) forget(p int32) {
	r.status[p] &^= closed | partial
	if r.slot[p] != 0 {
		l := &r.lists[r.slot[p]-1]
		*l = list{matches: l.matches[:0], compact: r.max}
	}
}
