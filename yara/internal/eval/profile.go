package eval

import (
	"time"

	"github.com/besra-hunt/besra/yara/internal/program"
)

// Profile counts what conditions cost. A State that has one adds to it.
type Profile struct {
	// Now is the clock.
	Now func() time.Time
	// Searched is the time that searches have taken so far, which conditions
	// may start. It is no part of the conditions' time.
	Searched *time.Duration
	// Rules and Modules are by the program's index.
	Rules   []RuleCost
	Modules []time.Duration
	// Spent is the sum of both.
	Spent time.Duration
}

// RuleCost is what the condition of one rule cost.
type RuleCost struct {
	Time  time.Duration
	Count int // how often it was evaluated
}

// NewProfile returns a profile of the plan's rules.
func (p *Plan) NewProfile(now func() time.Time, searched *time.Duration) *Profile {
	return &Profile{Now: now, Searched: searched, Rules: make([]RuleCost, len(p.prog.Rules)),
		Modules: make([]time.Duration, len(p.modules))}
}

// SetProfile makes the state add to a profile from now on; nil ends that.
func (s *State) SetProfile(p *Profile) { s.profile = p }

// profileCondition evaluates a condition and adds its time. Loading a module
// is the module's time, whichever rule asked first.
func (s *State) profileCondition(r int32, condition program.NodeID) truth {
	p, searched, loading := s.profile, *s.profile.Searched, s.loading
	start := p.Now()
	t := s.truth(condition)
	d := p.Now().Sub(start) - (*p.Searched - searched) - (s.loading - loading)
	p.Spent += d
	p.Rules[r].Time += d
	p.Rules[r].Count++
	return t
}

// profileLoad loads a module and adds its time.
func (s *State) profileLoad(m int32, load func()) {
	start := s.profile.Now()
	load()
	d := s.profile.Now().Sub(start)
	s.profile.Spent += d
	s.profile.Modules[m] += d
	s.loading += d
}
