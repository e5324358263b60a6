package search

import (
	"sync/atomic"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/internal/regex"
)

// expression is what search adds to a Regexp needle.
type expression struct {
	// forward, backward and whole are the limits of matching forward and
	// backward from an atom and the whole from its start; 0 is none.
	forward, backward, whole int
	// reversed is the whole expression reversed, made when first needed.
	reversed atomic.Pointer[regex.Prog]
	// linked is set where the expression is cut at wide gaps.
	linked *linked
	// ordinal numbers the expressions of a program.
	ordinal int32
}

// setLimits decides how the expression is matched.
func (x *expression) setLimits(n *program.Expression) {
	if links := wholeOf(n).Links(); links != nil {
		x.linked = newLinked(links)
		x.forward, x.backward, x.whole = program.ScanLimit, program.ScanLimit, program.ScanLimit
	} else if wholeOf(n).OpenJump() <= program.LongJump || beginsOpen(wholeOf(n).Node()) {
		x.forward, x.backward, x.whole = program.ScanLimit, program.ScanLimit, program.ScanLimit
		if n.Reverse != nil && len(n.Atoms) > 0 {
			x.whole = 2 * program.ScanLimit
		}
	}
}

// beginsOpen reports whether an expression begins with any number of any bytes:
// nothing is before that to be matched by itself.
func beginsOpen(n *regex.Node) bool {
	if n.Op == regex.OpConcat {
		n = n.Subs[0]
	}
	return n.Op == regex.OpRepeat && n.Max < 0
}

// wholeOf is the prog of a needle's whole expression.
func wholeOf(n *program.Expression) *regex.Prog {
	if n.Whole != nil {
		return n.Whole
	}
	return n.Forward
}

// backwards returns the whole expression reversed, or nil where it is too large.
func (n *needle) backwards() *regex.Prog {
	if len(n.Expression.Atoms) == 0 && n.Expression.Reverse != nil {
		return n.Expression.Reverse
	}
	if p := n.expr.reversed.Load(); p != nil {
		return p
	}
	p, err := regex.Compile(wholeOf(n.Expression).Node().Reverse(), regex.Limits{})
	if err != nil {
		return nil
	}
	n.expr.reversed.CompareAndSwap(nil, p)
	return n.expr.reversed.Load()
}

// verifyRegexp takes the hit of an atom.
func (s *State) verifyRegexp(n *needle, l *lit, hit int) {
	a := &n.Expression.Atoms[l.atom]
	if a.Exact {
		s.take(n, hit, hit+len(l.bytes))
		return
	}
	if place := hit - a.Delta; place >= 0 && !s.postpone(n, place) {
		before := s.machine.Steps()
		s.verifyAt(n, place)
		s.spend(n, before, place)
	}
}

// verifyAt takes a hit of which the rest of the expression follows at a place.
func (s *State) verifyAt(n *needle, place int) {
	end, ok := s.machine.MatchAt(n.Expression.Forward, s.data, place, n.expr.forward)
	switch {
	case !ok:
	case n.Expression.Reverse != nil:
		s.machine.StartsBefore(n.Expression.Reverse, s.data, place, n.expr.backward, func(start int) bool {
			s.matchFrom(n, start)
			return s.open(n)
		})
	case n.Expression.Whole != nil:
		s.matchFrom(n, place)
	default:
		s.take(n, place, end)
	}
}

// open reports whether more matches of the needle's pattern are wanted.
func (s *State) open(n *needle) bool { return s.status[n.pattern]&closed == 0 }

// matchFrom takes the match that begins at start. Several hits can lead to it.
func (s *State) matchFrom(n *needle, start int) {
	if s.wantsAll(n.pattern) || n.Boundary != program.NoBoundary {
		if !s.exploration(n).visit(start, len(s.data)) {
			return
		}
	}
	s.searchRegexpAt(n, start)
}

// take records the match of a regexp where its boundaries hold. The engines
// do not look for another end where they do not.
func (s *State) take(n *needle, start, end int) {
	if s.bounded(n.Boundary, start, end, 0) {
		s.record(n.pattern, Match{Offset: int64(start), Length: int64(end - start)})
	}
}

// searchRegexp looks for a regexp without the help of atoms. Where all matches
// count they are taken in order: there may be more than are kept.
func (s *State) searchRegexp(n *needle) {
	p := n.backwards()
	if p == nil {
		return
	}
	all := s.wantsAll(n.pattern)
	var starts places
	looks := 0
	s.machine.Starts(p, s.data, 0, len(s.data), func(start int) bool {
		if !all && !s.exploration(n).together {
			s.matchFromCounted(n, start, len(s.data)-start)
		} else {
			if starts.pages == nil {
				starts = newPlaces(len(s.data) + 1)
			}
			starts.add(start)
		}
		looks++
		return s.open(n) && (looks%1024 != 0 || !s.interrupted())
	})
	s.matchesFrom(n, starts)
}

// matchesFrom takes the matches that begin at starts.
func (s *State) matchesFrom(n *needle, starts places) {
	at, ok := starts.next(0)
	for ; ok && s.open(n) && !s.exploration(n).together; at, ok = starts.next(at + 1) {
		s.matchFromCounted(n, at, at)
		if at%1024 == 0 && s.interrupted() {
			return
		}
	}
	if !ok || !s.open(n) {
		return
	}
	next := func(from int) (int, bool) { return starts.next(max(from, at)) }
	s.machine.MatchEach(wholeOf(n.Expression), s.data, n.expr.whole, next, func(start, end int) bool {
		if end >= 0 {
			s.take(n, start, end)
		}
		return s.open(n)
	})
}

func (s *State) matchFromCounted(n *needle, start, done int) {
	before := s.machine.Steps()
	s.matchFrom(n, start)
	s.spend(n, before, done)
}

func (s *State) searchRegexpAt(n *needle, at int) {
	if end, ok := s.endOf(n, at); ok {
		s.take(n, at, end)
	}
}

// endOf returns the end of the match that begins at start.
func (s *State) endOf(n *needle, start int) (end int, ok bool) {
	if n.expr.linked != nil {
		return s.linkedEnd(n, start)
	}
	return s.machine.MatchAt(wholeOf(n.Expression), s.data, start, n.expr.whole)
}

// explored is what a search remembers of regexps whose starts are not at a
// constant distance from their atoms.
type explored struct {
	slot []int32 // by ordinal: 1 + its place in list
	list []exploration
	used int
}

type exploration struct {
	ordinal int32
	seen    places   // starts that were visited
	visited bool     // there is one; seen is another scan's until then
	begins  []places // of an expression cut at gaps; nil until asked for
	// steps is how many were made for the expression, hit by hit. Where that is
	// too much, together is set, and the places of further hits are postponed.
	steps     int
	together  bool
	postponed *places
	needle    *needle
}

func (x *explored) reset() {
	for i := range x.list[:x.used] {
		x.slot[x.list[i].ordinal] = 0
	}
	x.used = 0
}

// exploration returns what is remembered of a needle.
func (s *State) exploration(n *needle) *exploration {
	x := &s.explored
	if x.slot[n.expr.ordinal] == 0 {
		if x.used == len(x.list) {
			x.list = append(x.list, exploration{})
		}
		x.list[x.used] = exploration{ordinal: n.expr.ordinal, needle: n, seen: x.list[x.used].seen}
		x.used++
		x.slot[n.expr.ordinal] = int32(x.used)
	}
	return &x.list[x.slot[n.expr.ordinal]-1]
}

// visit reports whether start is visited for the first time.
func (e *exploration) visit(start, size int) bool {
	if !e.visited {
		e.seen, e.visited = e.seen.again(size+1), true
	}
	return e.seen.add(start)
}

// Hits and starts are verified one by one, which is fastest where they are few.
// Where they are many, and runs from them long, that is no longer linear in the
// data. So after a number of steps for each byte of the data that was done, and
// a grace, the rest are collected and verified together: see
// regex.Machine.MatchEach, which takes few steps a byte, or, where matches are
// bounded, no more than the expression has instructions.
const (
	stepsAByte = 4
	grace      = 1 << 16
	// sweepGain is how many instructions of a sweep cost as much as another step.
	sweepGain = 4
)

// spend counts the steps since before. done is how many bytes of the data were
// done, about.
func (s *State) spend(n *needle, before, done int) {
	x := s.exploration(n)
	x.steps += s.machine.Steps() - before
	if x.steps <= s.grace+stepsAByte*done || x.together {
		return
	}
	if whole := wholeOf(n.Expression); whole.MaxLen() < 0 || x.steps > s.grace+whole.Insts()/sweepGain*done {
		x.together = n.sharesRuns()
	}
}

// sharesRuns reports whether verifying hits together is worth it and possible.
func (n *needle) sharesRuns() bool {
	return n.expr.linked == nil && (n.expr.forward != 0 || n.backwards() != nil)
}

// postpone keeps the place of a hit for later, if hits are verified together.
func (s *State) postpone(n *needle, place int) bool {
	x := s.exploration(n)
	if !x.together {
		return false
	}
	if x.postponed == nil {
		x.postponed = new(newPlaces(len(s.data) + 1))
	}
	if place <= len(s.data) {
		x.postponed.add(place)
	}
	return true
}

// settle verifies the hits that were postponed.
func (s *State) settle() {
	for i := 0; i < s.explored.used; i++ {
		x := &s.explored.list[i]
		if x.postponed == nil || !s.open(x.needle) || s.interrupted() {
			continue
		}
		n, at := x.needle, *x.postponed
		x.postponed = nil
		if s.profile != nil {
			s.profileTogether(n, at)
		} else {
			s.verifyTogether(n, at)
		}
	}
}

// verifyTogether is verifyAt for many places.
func (s *State) verifyTogether(n *needle, at places) {
	if n.expr.forward == 0 {
		s.searchRegexp(n)
		return
	}
	direct := n.Expression.Reverse == nil && n.Expression.Whole == nil
	met := newPlaces(len(s.data) + 1)
	s.machine.MatchEach(n.Expression.Forward, s.data, n.expr.forward, at.next, func(place, end int) bool {
		if end >= 0 && direct {
			s.take(n, place, end)
		} else if end >= 0 {
			met.add(place)
		}
		return s.open(n)
	})
	if direct {
		return
	}
	starts := met
	if n.Expression.Reverse != nil {
		starts = newPlaces(len(s.data) + 1)
		s.machine.StartsBeforeEach(n.Expression.Reverse, s.data, n.expr.backward, met.previous, func(start int) bool {
			starts.add(start)
			return true
		})
	}
	s.matchesFrom(n, starts)
}
