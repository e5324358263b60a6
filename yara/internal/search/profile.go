package search

import "time"

// Profile counts what patterns cost. A State that has one adds to it.
type Profile struct {
	// Now is the clock.
	Now func() time.Time
	// Patterns is by the program's index.
	Patterns []PatternCost
	// Alone is the time of looking for patterns one by one, of all together.
	Alone time.Duration
}

// PatternCost is what one pattern cost.
type PatternCost struct {
	// Time is that of looking for the pattern alone, and of checking the
	// candidates that the search for all patterns together came up with.
	Time       time.Duration
	Alone      int // how often it was looked for alone
	Candidates int // how many places were checked
}

// NewProfile returns a profile of the tables' patterns.
func (t *Tables) NewProfile(now func() time.Time) *Profile {
	return &Profile{Now: now, Patterns: make([]PatternCost, len(t.prog.Patterns))}
}

// SetProfile makes the state add to a profile from now on; nil ends that.
func (s *State) SetProfile(p *Profile) { s.profile = p }

// profileAlone is searchAlone with its time taken.
func (s *State) profileAlone(p int32, all bool) {
	s.takeTime(p, func() { s.lookAlone(p, all) })
}

// takeTime calls look, which looks for one pattern, and adds its time.
func (s *State) takeTime(p int32, look func()) {
	start := s.profile.Now()
	look()
	d := s.profile.Now().Sub(start)
	s.profile.Alone += d
	s.profile.Patterns[p].Time += d
	s.profile.Patterns[p].Alone++
}

// profileCheck is check with its time taken, unless that is part of looking for
// the pattern alone.
func (s *State) profileCheck(l *lit, at int) {
	c := &s.profile.Patterns[l.pattern]
	c.Candidates++
	if s.alone >= 0 {
		s.checkLit(l, at)
		return
	}
	start := s.profile.Now()
	s.checkLit(l, at)
	c.Time += s.profile.Now().Sub(start)
}

// profileTogether is verifyTogether with its time taken, likewise.
func (s *State) profileTogether(n *needle, at places) {
	if s.alone >= 0 {
		s.verifyTogether(n, at)
		return
	}
	start := s.profile.Now()
	s.verifyTogether(n, at)
	s.profile.Patterns[n.pattern].Time += s.profile.Now().Sub(start)
}
