package search

import "github.com/besra-hunt/besra/yara/internal/program"

// searchAlone looks for one pattern in all the data, or at the one offset that
// it is asked for at. all asks for every match, otherwise the first is enough
// where no condition wants positions.
func (s *State) searchAlone(p int32, all bool) {
	if s.profile != nil {
		s.profileAlone(p, all)
		return
	}
	s.lookAlone(p, all)
}

func (s *State) lookAlone(p int32, all bool) {
	s.mark(p, searched)
	s.alone, s.all = p, all
	s.explored.reset()
	if at := s.t.prog.Patterns[p].At; at >= 0 {
		if at < int64(len(s.data)) {
			s.searchAt(p, int(at))
		}
	} else {
		s.scan(s.t.single(p), nil)
		s.searchSlow(p)
	}
	s.alone = -1
}

// searchAt looks for a pattern at one offset.
func (s *State) searchAt(p int32, at int) {
	from, to := s.t.needlesOf(p)
	for i := from; i < to; i++ {
		switch n := &s.t.needles[i]; n.Kind {
		case program.Regexp:
			s.searchRegexpAt(n, at)
		case program.Xor:
			s.verifyXor(n, at)
		default:
			if len(n.Bytes) > 0 {
				s.check(&s.t.lits[n.lit], at)
			}
		}
	}
}

// searchSlow looks for the needles of a pattern that have no literals.
func (s *State) searchSlow(p int32) {
	from, to := s.t.needlesOf(p)
	for i := from; i < to; i++ {
		n := &s.t.needles[i]
		switch {
		case !n.slow() || s.status[p]&closed != 0 || s.interrupted():
		case n.Kind == program.Xor:
			s.searchXoredByte(n)
		default:
			s.searchRegexp(n)
		}
	}
}

// searchXoredByte looks for an xor needle of one byte: there is a key for every
// byte of the data, and the range of keys decides.
func (s *State) searchXoredByte(n *needle) {
	for i := range s.data {
		if i%blockSize == 0 && s.interrupted() || s.status[n.pattern]&closed != 0 {
			return
		}
		s.verifyXor(n, i)
	}
}
