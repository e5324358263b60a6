// Package diff holds the engine to other engines: it makes random rules from
// the grammar and data from the rules' own words, asks Besra, libyara (the
// command yara) and YARA-X (its npm package, run by node), and compares what
// compiles, which rules match, and every match.
//
//	group := diff.Generate(seed)       // some rule sets and some data
//	answers, err := oracle.Ask(group.Texts(), group.Data)
//	ours := diff.Besra(yara.YARAX).Ask(...)
//
// The same seed makes the same group. [Compare] names the first difference
// between two answers, [Explained] says whether it is one of the differences
// between the languages that docs/differences.md lists, and [Minimise] makes a
// case that differs as small as it gets. What was found is kept in testdata,
// with the answers, and needs no oracle any more.
package diff

import (
	"cmp"
	"fmt"
	"slices"
)

// Match is one occurrence of a pattern.
type Match struct {
	Rule, Pattern  string
	Offset, Length int64
}

// Scan is what an engine says of one target.
type Scan struct {
	Rules   []string // the public rules that match, sorted
	Matches []Match  // the public matches of these rules, sorted
	Failed  string   // why the scan came to no end; mostly ""
}

// Answer is what an engine says of one rule set: that it does not compile, or
// one scan for each target.
type Answer struct {
	Refused string // the error
	Scans   []Scan
}

// Engine answers for rule sets, each by itself, on all the targets. The
// variables of [Externals] are defined.
type Engine interface {
	Name() string
	Ask(rules []string, data [][]byte) ([]Answer, error)
}

// Externals are the external variables that rules may use, in the form of
// yara's option -d.
func Externals() map[string]any {
	return map[string]any{"ext_i": int64(3), "ext_b": true, "ext_s": "abab", "ext_f": 1.5}
}

func (s *Scan) sort() {
	slices.Sort(s.Rules)
	s.Rules = slices.Compact(s.Rules)
	slices.SortFunc(s.Matches, func(a, b Match) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Pattern, b.Pattern),
			cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Length, b.Length))
	})
}

// Kind is the kind of a difference.
type Kind string

// The kinds of difference, in the order in which they are looked for.
const (
	Same    Kind = ""
	Refuses Kind = "refuses" // ours does not compile, theirs does
	Takes   Kind = "takes"   // ours compiles, every oracle refuses
	Failure Kind = "failure" // one scan failed, the other did not
	Rules   Kind = "rules"   // other rules match
	Matches Kind = "matches" // the same rules match elsewhere
)

// Compare names the first difference between our scan and theirs, and tells
// it in a line.
func Compare(ours, theirs Scan) (Kind, string) {
	switch {
	case ours.Failed != "" || theirs.Failed != "":
		if (ours.Failed != "") == (theirs.Failed != "") {
			return Same, ""
		}
		return Failure, fmt.Sprintf("ours %q, theirs %q", ours.Failed, theirs.Failed)
	case !slices.Equal(ours.Rules, theirs.Rules):
		return Rules, fmt.Sprintf("ours %v, theirs %v", ours.Rules, theirs.Rules)
	case !slices.Equal(ours.Matches, theirs.Matches):
		extra, missing := without(ours.Matches, theirs.Matches), without(theirs.Matches, ours.Matches)
		return Matches, fmt.Sprintf("only ours %v, only theirs %v", extra, missing)
	}
	return Same, ""
}

// without returns the matches of a that are not among b.
func without(a, b []Match) []Match {
	var only []Match
	for _, m := range a {
		if !slices.Contains(b, m) {
			only = append(only, m)
		}
	}
	return only
}
