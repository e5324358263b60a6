// Package regex is the engine's byte regexps: it serves regexp patterns, hex
// patterns (which the compiler lowers to the same tree) and the operator
// matches.
//
// The way is [Parse] → [Node] → [Compile] → [Prog], and a [Machine] runs progs
// over bytes. A Node is a plain tree that may also be built by hand, with
// [Literal], [Class], [Concat], [Alternate], [Repeat] and [Look], and
// transformed: [Node.FoldCase], [Node.Wide], [Node.Reverse].
//
// # Meaning
//
// Every offset is a possible start, and a start has at most one match. Of the
// possible ends the preferred one counts, as in Perl: of two alternatives the
// earlier is preferred, a greedy repetition prefers one turn more, a
// non-greedy one prefers to stop. Both YARA and YARA-X do so from an atom
// onward: /the (caterpillar|cat)/ takes the longer word, /the
// (cat|caterpillar)/ the shorter. Where several atoms lie in one match their
// answers depend on which atom is met last; ours do not.
//
// There are no captures, look-around or back-references, so all machines take
// time linear in the data: a masked comparison and a chain of gaps (chain.go)
// for what is a sequence, a lazily built DFA (dfa.go) for the rest, and a
// simulation of the NFA (pike.go) for what a DFA cannot hold.
//
// That is the time of one start. Where matches may begin everywhere and run on,
// [Machine.MatchEach] shares the work of all starts: see abreast.go and sweep.go.
package regex

import "strconv"

// Options say how a source text is read.
type Options struct {
	// CaseInsensitive and DotAll are the flags i and s behind the regexp.
	CaseInsensitive, DotAll bool
	// Relaxed reads as libyara does what YARA-X refuses: a '{' that begins no
	// quantifier and the letter of an unknown escape stand for themselves, and
	// {,} is any number of times.
	Relaxed bool
	// LibYARA implies Relaxed and gives libyara's meaning also to what both
	// accept: \A, \z, \v, \p, \u are letters, a non-ASCII character is the
	// bytes of its encoding of which a quantifier takes the last, and classes
	// have no operators, no nesting and no [:names:].
	LibYARA bool
	// Matches reads the right side of the operator matches, which only asks
	// whether there is a match: greedy and non-greedy quantifiers may be mixed,
	// and under (?m) only \n ends a line, not \r.
	Matches bool
}

// SyntaxError says what is wrong in a source text and where.
type SyntaxError struct {
	// Code is stable: see the Code constants.
	Code string
	// Message is one line without a full stop.
	Message string
	// Start and End are byte offsets in the source, Start <= End.
	Start, End int
	// Hint is a suggestion, or empty.
	Hint string
}

// The codes of a SyntaxError.
const (
	CodeInvalid         = "invalid_regexp"           // the structure: parentheses, missing operands
	CodeMixedGreediness = "mixed_greediness"         // a* and b*? in one regexp
	CodeBadRepetition   = "bad_repetition"           // {3,2}, {x}, a number too large
	CodeBadEscape       = "bad_escape"               // an unknown or unfinished escape
	CodeBadClass        = "bad_class"                // a character class that does not end, an unknown name
	CodeBadClassRange   = "bad_class_range"          // [z-a], [a-\d]
	CodeBadGroup        = "bad_group"                // an unknown or repeated flag, a bad group name
	CodeLookaround      = "lookaround"               // (?=…), (?!…), (?<=…), (?<!…)
	CodeBackreference   = "backreference"            // \1
	CodeNonASCII        = "non_ascii_class"          // é in a class of bytes
	CodeUnicode         = "unicode_not_allowed"      // \p{…} without (?u), \b with it
	CodeTooDeep         = "regexp_too_deeply_nested" // more than maxDepth groups in each other
	CodeTooLarge        = "regexp_too_large"         // see Limits; also of a SizeError
)

// Error renders "message at offset N".
func (e *SyntaxError) Error() string {
	return e.Message + " at offset " + strconv.Itoa(e.Start)
}
