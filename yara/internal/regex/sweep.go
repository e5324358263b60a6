package regex

// A sweep goes through the data once, from right to left, and carries for each
// instruction where the preferred match from it ends: what follows a byte is
// known when it is come by. So it finds the matches of all starts in a step for
// each instruction and byte, whatever the regexp counts. It knows no limit, and
// is for regexps whose matches are bounded.

// sweep is its scratch. Ends are relative to the first place of a stretch; -1
// is none.
type sweep struct {
	here, behind []int32 // by instruction: at this place, at the one behind it
	ends         []int32 // by place
}

// sweepLength is how many starts are done in a stretch, at least.
const sweepLength = 1 << 14

// sweeps reports whether MatchEach sweeps: no match is beyond the limit, and
// instructions lead to earlier ones only.
func (p *Prog) sweeps(limit int) bool {
	return p.max >= 0 && (limit == 0 || p.max <= limit) && !p.nfa().loops
}

// sweepEach is MatchEach by sweeping.
func (m *Machine) sweepEach(p *Prog, data []byte, next func(int) (int, bool), yield func(start, end int) bool) {
	m.yielding = true
	defer func() { m.yielding = false }()
	start, ok := next(0)
	for ok && start <= len(data) {
		from := start
		to := min(from+max(sweepLength, p.max), len(data)+1)
		if !m.sweepBack(p.nfa(), data, from, to, min(to+p.max, len(data))) {
			return
		}
		for ; ok && start < to; start, ok = next(start + 1) {
			end := int(m.sweep.ends[start-from])
			if end >= 0 {
				end += from
			}
			if !yield(start, end) {
				return
			}
		}
	}
}

// sweepBack finds the ends of matches that begin in data[from:to], none of them
// behind last. It reports whether it was not interrupted.
func (m *Machine) sweepBack(a *nfa, data []byte, from, to, last int) bool {
	w := &m.sweep
	w.here, w.behind = resized(w.here, len(a.insts)), resized(w.behind, len(a.insts))
	w.ends = resized(w.ends, to-from)
	for pc := range w.behind {
		w.behind[pc] = -1
	}
	for i := last; i >= from; i-- {
		before := m.steps >> 20
		if m.steps += len(a.insts); m.steps>>20 != before && m.interrupted() {
			return false
		}
		a.sweep(w.here, w.behind, data, i, int32(i-from))
		if i < to {
			w.ends[i-from] = w.here[a.start]
		}
		w.here, w.behind = w.behind, w.here
	}
	return true
}

// sweep finds the ends at a place, which has the relative number end.
func (a *nfa) sweep(here, behind []int32, data []byte, place int, end int32) {
	for pc := range a.insts {
		i, found := &a.insts[pc], int32(-1)
		switch i.op {
		case opByte:
			if place < len(data) && data[place] == i.b {
				found = behind[i.out]
			}
		case opSet:
			if place < len(data) && a.sets[i.arg].Has(data[place]) {
				found = behind[i.out]
			}
		case opSplit:
			if found = here[i.out]; found < 0 {
				found = here[i.arg]
			}
		case opLook:
			if i.look.holds(data, place) {
				found = here[i.out]
			}
		case opMatch:
			found = end
		}
		here[pc] = found
	}
}

// resized returns a slice of n elements, whatever they are.
func resized(s []int32, n int) []int32 {
	if cap(s) < n {
		return make([]int32, n)
	}
	return s[:n]
}

// simulateEach is StartsBeforeEach where the limit does not matter: threads from
// all ends are followed as those of one run.
func (m *Machine) simulateEach(p *Prog, data []byte, next func(int) (int, bool), yield func(int) bool) {
	m.yielding = true
	defer func() { m.yielding = false }()
	a, s := p.nfa(), &m.simulation
	s.current = s.current[:0]
	end, more := next(len(data))
	for i := end; more || len(s.current) > 0; i-- {
		if len(s.current) == 0 {
			i = end
		}
		holds := func(l Assertion) bool { return l.holds(data, i) }
		s.begin(a)
		s.next = s.next[:0]
		s.steps += 1 + len(s.current)
		for _, pc := range s.current {
			if in := &a.insts[pc]; a.takes(in, data[i]) {
				s.next = s.follow(s.next, a, in.out, holds)
			}
		}
		if more && end == i {
			s.next = s.follow(s.next, a, a.start, holds)
			end, more = next(i - 1)
		}
		s.current, s.next = s.next, s.current
		if s.marks[matchPC] == s.mark && !yield(i) || i == 0 || i%interval == 0 && s.interrupted() {
			return
		}
	}
}
