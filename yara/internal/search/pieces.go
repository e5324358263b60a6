package search

import "context"

// Window is a piece of a target that is not at hand as a whole. Windows of a
// target that follow each other overlap: what begins near the end of one is
// found in the next.
type Window struct {
	Data []byte
	// Base is the target's offset of Data[0].
	Base int64
	// From and To say which matches count: those that start in Data[From:To].
	// The bytes around are seen by assertions and boundaries.
	From, To int
}

// BeginWindows forgets the last target and takes the next, which Window brings
// in pieces. Every match of every pattern is recorded as the pieces come, for
// they cannot be looked at again. start says whether the target has bytes at
// offset 0: rules that ask for certain bytes there cannot match otherwise.
func (s *State) BeginWindows(o Options, start bool) {
	s.Begin(nil, o)
	s.windowed, s.all = true, true
	s.eager = s.t.wholeClass(start)
}

// Window searches one piece. The error is the context's.
func (s *State) Window(ctx context.Context, w Window) error {
	s.ctx, s.data, s.noisy = ctx, w.Data, false
	s.base, s.from, s.to = w.Base, int64(w.From), int64(w.To)
	s.explored.reset()
	s.scan(&s.eager.set, nil)
	for _, p := range s.eager.slow {
		if s.profile != nil {
			s.takeTime(p, func() { s.searchInWindow(p) })
			continue
		}
		s.searchInWindow(p)
	}
	s.data = nil
	return s.err
}

// searchInWindow looks for a pattern that no filter can find.
func (s *State) searchInWindow(p int32) {
	s.alone = p
	s.explored.reset()
	s.scan(s.t.single(p), nil)
	s.searchSlow(p)
	s.alone = -1
}

// wholeClass returns all patterns of all rules, or of those that do not ask for
// bytes at offset 0.
func (t *Tables) wholeClass(start bool) *eager {
	c := t.classes.whole[0]
	if start {
		c = t.classes.whole[1]
	}
	c.once.Do(func() { c.buildWhole(t, start) })
	return &c.eager
}

func (c *class) buildWhole(t *Tables, start bool) {
	e := &c.eager
	e.patterns = newBitset(len(t.prog.Patterns))
	for i := range t.prog.Rules {
		r := &t.prog.Rules[i]
		if !start && asksForStart(r.Gate.Headers) {
			continue
		}
		for _, p := range r.Patterns {
			e.patterns.set(p)
		}
		for _, p := range r.Anchors {
			if start || t.prog.Patterns[p].At != 0 {
				e.patterns.set(p) // a head is no pattern of the rule
			}
		}
	}
	ids := make([]int32, 0, len(t.lits))
	for p := range int32(len(t.prog.Patterns)) {
		switch {
		case !e.has(p):
		case t.slow(p):
			e.slow = append(e.slow, p)
		default:
			from, to := t.litsOf(p)
			for i := from; i < to; i++ {
				ids = append(ids, i)
			}
		}
	}
	e.set = *t.newSet(ids, true)
}
