package search

import (
	"slices"
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
func (x *expression) setLimits(n *program.Needle) {
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
func wholeOf(n *program.Needle) *regex.Prog {
	if n.Whole != nil {
		return n.Whole
	}
	return n.Forward
}

// backwards returns the whole expression reversed, or nil where it is too large.
func (n *needle) backwards() *regex.Prog {
	if len(n.Atoms) == 0 && n.Reverse != nil {
		return n.Reverse
	}
	if p := n.expr.reversed.Load(); p != nil {
		return p
	}
	p, err := regex.Compile(wholeOf(n.Needle).Node().Reverse(), regex.Limits{})
	if err != nil {
		return nil
	}
	n.expr.reversed.CompareAndSwap(nil, p)
	return n.expr.reversed.Load()
}

// verifyRegexp takes the hit of an atom.
func (s *State) verifyRegexp(n *needle, l *lit, hit int) {
	a := &n.Atoms[l.atom]
	if a.Exact {
		s.take(n, hit, hit+len(l.bytes))
		return
	}
	place := hit - a.Delta
	if place < 0 || n.expr.forward == 0 && s.exhausted(n) {
		return
	}
	end, ok := s.machine.MatchAt(n.Forward, s.data, place, n.expr.forward)
	switch {
	case !ok:
	case n.Reverse != nil:
		s.machine.StartsBefore(n.Reverse, s.data, place, n.expr.backward, func(start int) bool {
			s.matchFrom(n, start)
			return s.status[n.pattern]&closed == 0
		})
	case n.Whole != nil:
		s.matchFrom(n, place)
	default:
		s.take(n, place, end)
	}
}

// matchFrom takes the match that begins at start. Several hits can lead to it.
func (s *State) matchFrom(n *needle, start int) {
	if s.wantsAll(n.pattern) || n.Boundary != program.NoBoundary {
		if s.exploration(n).visit(start, len(s.data)) {
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

// searchRegexp looks for a regexp without the help of atoms, in time linear in
// the data but for the ends. Where all matches count they are taken in order:
// there may be more than are kept.
func (s *State) searchRegexp(n *needle) {
	p := n.backwards()
	if p == nil {
		return
	}
	all := s.wantsAll(n.pattern)
	var starts places
	if all {
		starts = newPlaces(len(s.data) + 1)
	}
	looks := 0
	s.machine.Starts(p, s.data, 0, len(s.data), func(start int) bool {
		if all {
			starts.add(start)
		} else {
			s.matchFrom(n, start)
		}
		looks++
		return s.status[n.pattern]&closed == 0 && (looks%1024 != 0 || !s.interrupted())
	})
	for at, ok := starts.between(0, len(s.data), false); ok && s.status[n.pattern]&closed == 0; at, ok = starts.between(at+1, len(s.data), false) {
		s.matchFrom(n, at)
		if at%1024 == 0 && s.interrupted() {
			return
		}
	}
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
	return s.machine.MatchAt(wholeOf(n.Needle), s.data, start, n.expr.whole)
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
	hits    int
	done    bool     // searchRegexp has answered for all further hits
	seen    []uint64 // a bit for each start; empty until one is visited
	begins  []places // of an expression cut at gaps; nil until asked for
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
		x.list[x.used] = exploration{ordinal: n.expr.ordinal, seen: x.list[x.used].seen[:0]}
		x.used++
		x.slot[n.expr.ordinal] = int32(x.used)
	}
	return &x.list[x.slot[n.expr.ordinal]-1]
}

// visit reports whether start has been visited before.
func (e *exploration) visit(start, size int) bool {
	if len(e.seen) == 0 {
		words := size/64 + 1
		e.seen = slices.Grow(e.seen, words)[:words]
		clear(e.seen)
	}
	word, bit := &e.seen[start>>6], uint64(1)<<(start&63)
	before := *word&bit != 0
	*word |= bit
	return before
}

// maxFarHits is how many hits are verified of an expression that may go as far
// as the data. Then all is looked for at once, so that the time stays linear.
const maxFarHits = 16

// exhausted counts a hit of such an expression, and reports whether it needs
// no verification any more.
func (s *State) exhausted(n *needle) bool {
	e := s.exploration(n)
	e.hits++
	if e.hits > maxFarHits && !e.done && n.backwards() != nil {
		e.done = true
		s.searchRegexp(n)
		return true
	}
	return e.done
}
