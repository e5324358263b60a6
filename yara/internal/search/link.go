package search

import (
	"math"
	"sync"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/internal/regex"
)

// linked is an expression that is cut at wide gaps of any bytes. Its first
// part is searched for as any expression is. When a match of that is met, all
// places are found, from the last part to the first, where a part begins such
// that the others follow: once in a scan, in time linear in the data. Each
// match then is a walk from place to place.
type linked struct {
	links    []regex.Link
	once     sync.Once
	reversed []*regex.Prog // of each part, made when first needed
}

func newLinked(links []regex.Link) *linked { return &linked{links: links} }

// backwards returns the parts reversed. One that cannot be is nil, and is never
// found.
func (l *linked) backwards() []*regex.Prog {
	l.once.Do(func() {
		l.reversed = make([]*regex.Prog, len(l.links))
		for i := range l.links {
			l.reversed[i], _ = regex.Compile(l.links[i].Part.Node().Reverse(), regex.Limits{})
		}
	})
	return l.reversed
}

// linkedEnd returns the end of the match that begins at start.
func (s *State) linkedEnd(n *needle, start int) (end int, ok bool) {
	x := s.exploration(n)
	if x.begins == nil {
		begins := s.findBegins(n.expr.linked)
		x = s.exploration(n)
		x.begins = begins
	}
	links, begins := n.expr.linked.links, x.begins
	for i := range len(links) - 1 {
		if start, ok = s.follow(links, i, start, begins[i+1]); !ok {
			return 0, false
		}
	}
	return s.machine.MatchAt(links[len(links)-1].Part, s.data, start, program.ScanLimit)
}

// follow returns where part i+1 begins if part i begins at start.
func (s *State) follow(links []regex.Link, i, start int, begins places) (at int, ok bool) {
	next := &links[i+1]
	s.machine.EndsAt(links[i].Part, s.data, start, program.ScanLimit, func(end int) bool {
		hi := math.MaxInt
		if next.Max >= 0 {
			hi = end + next.Max
		}
		at, ok = begins.between(end+next.Min, hi, next.Greedy)
		return !ok
	})
	return at, ok
}

// findBegins finds, for each part but the first, where it begins and the parts
// behind it follow.
func (s *State) findBegins(l *linked) []places {
	begins := make([]places, len(l.links))
	for i := len(l.links) - 1; i > 0; i-- {
		begins[i] = newPlaces(len(s.data) + 1)
		if l.backwards()[i] == nil {
			continue
		}
		looks := 0
		s.machine.Starts(l.backwards()[i], s.data, 0, len(s.data)+1, func(start int) bool {
			ok := i == len(l.links)-1
			if !ok {
				_, ok = s.follow(l.links, i, start, begins[i+1])
			}
			if ok {
				begins[i].add(start)
			}
			looks++
			return looks%1024 != 0 || !s.interrupted()
		})
	}
	return begins
}
