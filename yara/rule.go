package yara

import (
	"iter"
	"slices"

	"github.com/besra-hunt/besra/yara/internal/program"
)

// Rule is one rule, of [Rules.All] or of the results of a scan. It is a small
// value, comparable, and valid as long as the rules; its matches as long as the
// results that it is of.
type Rule struct {
	rules   *Rules
	index   int32
	results *Results // nil where the rule is not of a scan
}

func (r Rule) rule() *program.Rule { return &r.rules.prog.Rules[r.index] }

func (r Rule) label() *program.Label { return r.rules.prog.Label(r.index) }

// Name returns the rule's name.
func (r Rule) Name() string { return r.rule().Name }

// Namespace returns the namespace that the rule's source was added to.
func (r Rule) Namespace() string { return r.rules.prog.Namespaces[r.rule().Namespace].Name }

// Tags returns the rule's tags in source order.
func (r Rule) Tags() []string { return slices.Clone(r.label().Tags) }

// HasTag reports whether the rule has the tag.
func (r Rule) HasTag(tag string) bool { return slices.Contains(r.label().Tags, tag) }

// Global reports whether the rule gates the others of its namespace.
func (r Rule) Global() bool { return r.rule().Global }

// Private reports whether the rule is never reported as matching.
func (r Rule) Private() bool { return r.rule().Private }

// Position returns where the rule's name stands: the origin of its source, and
// the 1-based line and column.
func (r Rule) Position() (origin string, line, column int) {
	x := r.label()
	return x.Origin, int(x.Line), int(x.Column)
}

// Meta yields the rule's metadata in source order. A key may come several
// times; a value is an int64, float64, bool or string.
func (r Rule) Meta() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, m := range r.label().Meta {
			if !yield(m.Key, m.Value.Any()) {
				return
			}
		}
	}
}

// Patterns yields the rule's patterns in source order. Private patterns are
// left out where the rule is of a scan: they are never reported.
func (r Rule) Patterns() iter.Seq[Pattern] {
	return func(yield func(Pattern) bool) {
		for i := range r.rule().Patterns {
			p := Pattern{rule: r, index: i}
			if r.results != nil && p.Private() {
				continue
			}
			if !yield(p) {
				return
			}
		}
	}
}

// PatternKind is what a pattern is written as.
type PatternKind uint8

// The kinds of pattern.
const (
	TextPattern PatternKind = iota
	HexPattern
	RegexpPattern
)

// String returns "text", "hex" or "regexp".
func (k PatternKind) String() string {
	return [...]string{TextPattern: "text", HexPattern: "hex", RegexpPattern: "regexp"}[k]
}

// Pattern is one pattern of a rule.
type Pattern struct {
	rule  Rule
	index int
}

func (p Pattern) label() *program.PatternLabel { return &p.rule.label().Patterns[p.index] }

// place is where the pattern is in the program.
func (p Pattern) place() int32 { return p.rule.rule().Patterns[p.index] }

// Rule returns the rule that the pattern is of.
func (p Pattern) Rule() Rule { return p.rule }

// ID returns the pattern's identifier with its dollar sign, "$" where it is
// anonymous.
func (p Pattern) ID() string { return p.label().ID }

// Private reports whether the pattern's matches are never reported.
func (p Pattern) Private() bool { return p.label().Private }

// Kind returns what the pattern is written as.
func (p Pattern) Kind() PatternKind {
	switch p.label().Kind {
	case program.HexPattern:
		return HexPattern
	case program.RegexpPattern:
		return RegexpPattern
	}
	return TextPattern
}

// Positional reports whether a condition asks where the pattern occurs or how
// often, and not only whether. Equal patterns of several rules are one: the
// conditions of all of them count.
func (p Pattern) Positional() bool {
	return p.rule.rules.prog.Patterns[p.place()].Positions
}

// Match is one occurrence of a pattern in the target.
type Match struct {
	// Offset is that of the first byte, Length the number of bytes.
	Offset, Length int64
	// Xor is set for a pattern with the xor modifier.
	Xor bool
	// XorKey is the byte that such a pattern was XORed with, 0 for plain text.
	XorKey byte
}

// Matches yields the pattern's matches by ascending offset, one an offset, as
// many as [MaxMatches] keeps; none where the pattern's rule is not of a scan.
// Where conditions did not need all matches, this is when they are searched
// for.
func (p Pattern) Matches() iter.Seq[Match] {
	return func(yield func(Match) bool) {
		if p.rule.results == nil {
			return
		}
		for _, m := range p.rule.results.search.Matches(p.place()) {
			if !yield(Match{Offset: m.Offset, Length: m.Length, Xor: m.HasKey, XorKey: m.Key}) {
				return
			}
		}
	}
}

// Count returns the number of matches that [Pattern.Matches] yields.
func (p Pattern) Count() int {
	if p.rule.results == nil {
		return 0
	}
	return len(p.rule.results.search.Matches(p.place()))
}
