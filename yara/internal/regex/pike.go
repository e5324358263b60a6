package regex

import "math"

// threads is the scratch of following instructions that take no byte.
type threads struct {
	marks []uint32 // of each instruction, the session that came by last
	mark  uint32   // the current session
	stack []uint32
	steps int // see Machine.Steps
}

// begin starts a session: no instruction has been come by.
func (t *threads) begin(a *nfa) {
	if len(t.marks) < len(a.insts) {
		t.marks = make([]uint32, len(a.insts)+len(a.insts)/2)
		t.mark = 0
	}
	if t.mark == math.MaxUint32 {
		clear(t.marks)
		t.mark = 0
	}
	t.mark++
}

// follow appends to list the instructions that a thread at pc comes to, the
// preferred first, but those already come by in the session. holds decides
// assertions; where it is nil they are appended themselves.
func (t *threads) follow(list []uint32, a *nfa, pc uint32, holds func(Assertion) bool) []uint32 {
	t.stack = append(t.stack[:0], pc)
	for len(t.stack) > 0 {
		pc = t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		if t.marks[pc] == t.mark {
			continue
		}
		t.marks[pc] = t.mark
		i := &a.insts[pc]
		switch {
		case i.op == opSplit:
			t.stack = append(t.stack, i.arg, i.out)
		case i.op == opLook && holds != nil:
			if holds(i.look) {
				t.stack = append(t.stack, i.out)
			}
		default:
			list = append(list, pc)
		}
	}
	return list
}

// simulation runs the NFA itself, all threads in step. It is the floor: it
// takes time proportional to the data times the instructions, whatever they
// are.
type simulation struct {
	threads
	current, next []uint32
	// Interrupted, where not nil, is asked now and then in long runs, which end
	// where it returns true; what they find is not complete then.
	Interrupted func() bool
}

func (s *simulation) interrupted() bool { return s.Interrupted != nil && s.Interrupted() }

// run goes from the place p with threads at the seeds, up to bound. It calls
// yield, if not nil, at each match, until that returns false; it returns the
// last match, or in mode find the first.
func (s *simulation) run(a *nfa, md mode, data []byte, p, bound int, seeds []uint32, yield func(int) bool) (int, bool) {
	step, near := 1, 0
	if md.back() {
		step, near = -1, -1
	}
	last, ok := 0, false
	holds := func(l Assertion) bool { return l.holds(data, p) }
	s.begin(a)
	s.current = s.current[:0]
	for _, pc := range seeds {
		s.current = s.follow(s.current, a, pc, holds)
	}
	for {
		s.begin(a)
		s.next = s.next[:0]
		p += step // where threads will be
		matched := false
		s.steps += 1 + len(s.current)
		for _, pc := range s.current {
			i := &a.insts[pc]
			if i.op == opMatch {
				if matched = true; md == preferred {
					break
				}
			} else if p-step != bound && a.takes(i, data[p-step+near]) {
				s.next = s.follow(s.next, a, i.out, holds)
			}
		}
		if matched {
			last, ok = p-step, true
			if md == find || yield != nil && !yield(last) {
				return last, ok
			}
		}
		if p-step == bound || p%interval == 0 && s.interrupted() {
			return last, ok
		}
		if md.restarts(a) {
			s.next = s.follow(s.next, a, a.start, holds)
		} else if len(s.next) == 0 {
			return last, ok
		}
		s.current, s.next = s.next, s.current
	}
}
