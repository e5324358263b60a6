package yara

import (
	"cmp"
	"slices"
	"time"

	"github.com/besra-hunt/besra/yara/internal/eval"
	"github.com/besra-hunt/besra/yara/internal/search"
)

// Profile is where the scans of a [Profiling] scanner spent their time. It
// belongs to the scanner's goroutine; what several scanners measured is added
// up by [Profile.Add].
type Profile struct {
	rules  *Rules
	search *search.Profile
	eval   *eval.Profile

	// Scans is the number of targets.
	Scans int
	// Bytes is their size together.
	Bytes int64
	// Time is that of all scans; Search is the part of it that went neither
	// into conditions nor into modules, but into finding patterns, all of them
	// together and one by one.
	Time, Search time.Duration
}

// RuleTime is what one rule cost. Rules that no scan had to look at are not in
// a profile.
type RuleTime struct {
	Rule Rule
	// Condition is the time of evaluating the condition, without that of
	// modules and patterns.
	Condition time.Duration
	// Evaluated is how often the condition was evaluated.
	Evaluated int
	// Patterns is the time of the rule's patterns. That of a pattern that
	// several rules have counts for each of them.
	Patterns time.Duration
}

// Total is the time of condition and patterns.
func (r RuleTime) Total() time.Duration { return r.Condition + r.Patterns }

// PatternTime is what one pattern cost: the time of looking for it alone, where
// a condition asked for it, and of checking the places that the search for all
// patterns came up with. What that search itself takes is no single pattern's.
type PatternTime struct {
	// Pattern is one of the rule that has it first; equal patterns of other
	// rules are the same.
	Pattern Pattern
	Time    time.Duration
	// Alone is how often the target was searched for this pattern alone, and
	// Candidates how many places were checked.
	Alone, Candidates int
}

// ModuleTime is the time that reading targets took a module, by its name.
type ModuleTime struct {
	Name string
	Time time.Duration
}

// Profiling makes the scanner measure what rules and patterns cost, for
// [Scanner.Profile]. It makes scans slower, the more patterns are met.
func Profiling() ScannerOption { return func(s *Scanner) { s.setProfile(time.Now) } }

func (s *Scanner) setProfile(now func() time.Time) {
	p := &Profile{rules: s.rules, search: s.rules.tables().NewProfile(now)}
	p.eval = s.rules.plan.NewProfile(now, &p.search.Alone)
	s.search.SetProfile(p.search)
	s.eval.SetProfile(p.eval)
	s.profile = p
}

// Profile returns what was measured since the scanner was made, or nil without
// [Profiling]. Later scans add to it.
func (s *Scanner) Profile() *Profile { return s.profile }

// Add adds what another scanner of the same rules measured.
func (p *Profile) Add(other *Profile) {
	for i, c := range other.search.Patterns {
		mine := &p.search.Patterns[i]
		mine.Time, mine.Alone, mine.Candidates = mine.Time+c.Time, mine.Alone+c.Alone, mine.Candidates+c.Candidates
	}
	for i, c := range other.eval.Rules {
		mine := &p.eval.Rules[i]
		mine.Time, mine.Count = mine.Time+c.Time, mine.Count+c.Count
	}
	for i, d := range other.eval.Modules {
		p.eval.Modules[i] += d
	}
	p.search.Alone += other.search.Alone
	p.Scans, p.Bytes = p.Scans+other.Scans, p.Bytes+other.Bytes
	p.Time, p.Search = p.Time+other.Time, p.Search+other.Search
}

// Rules returns the rules that cost something, the slowest first.
func (p *Profile) Rules() []RuleTime {
	var list []RuleTime
	for i, c := range p.eval.Rules {
		r := RuleTime{Rule: Rule{rules: p.rules, index: int32(i)}, Condition: c.Time, Evaluated: c.Count}
		for _, pattern := range r.Rule.rule().Patterns {
			r.Patterns += p.search.Patterns[pattern].Time
		}
		if r.Evaluated > 0 || r.Patterns > 0 {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(a, b RuleTime) int { return cmp.Compare(b.Total(), a.Total()) })
	return list
}

// Patterns returns the patterns that cost something, the slowest first.
func (p *Profile) Patterns() []PatternTime {
	var list []PatternTime
	listed := make([]bool, len(p.search.Patterns))
	for rule := range p.rules.All() {
		for pattern := range rule.Patterns() {
			i := pattern.place()
			c := p.search.Patterns[i]
			if !listed[i] && (c.Alone > 0 || c.Candidates > 0) {
				list = append(list, PatternTime{pattern, c.Time, c.Alone, c.Candidates})
			}
			listed[i] = true
		}
	}
	slices.SortStableFunc(list, func(a, b PatternTime) int { return cmp.Compare(b.Time, a.Time) })
	return list
}

// Modules returns the modules that rules import, the slowest first.
func (p *Profile) Modules() []ModuleTime {
	var list []ModuleTime
	for i, d := range p.eval.Modules {
		list = append(list, ModuleTime{p.rules.prog.Modules[i].Name, d})
	}
	slices.SortStableFunc(list, func(a, b ModuleTime) int { return cmp.Compare(b.Time, a.Time) })
	return list
}

// measure runs a scan and adds its time.
func (p *Profile) measure(scan func() error) error {
	start, spent := p.eval.Now(), p.eval.Spent
	err := scan()
	d := p.eval.Now().Sub(start)
	p.Scans++
	p.Time += d
	p.Search += d - (p.eval.Spent - spent)
	return err
}
