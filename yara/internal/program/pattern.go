// Package program is the compiled form of rules: the product in the middle of
// the engine. Compile makes it, search and eval read it, and nothing changes
// it after it is made, so all scanners share one. It can be printed (for
// people and goldens) and encoded (versioned and checksummed, see encode.go).
package program

import (
	"github.com/besra-hunt/besra/yara/internal/atom"
	"github.com/besra-hunt/besra/yara/internal/regex"
)

// Pattern is one lowered pattern. Equal patterns of different rules are one
// Pattern. Its identifier belongs to the rules that use it (see RulePattern).
type Pattern struct {
	// Needles are what search looks for: the pattern matches where one of them
	// does. An ascii wide pattern has two, a base64 pattern three an encoding.
	Needles []Needle
	// Positions is false where every condition only asks whether the pattern
	// occurs: search may stop caring after its first match.
	Positions bool
	// Longest is set where of two matches at one offset the longer counts
	// (greedy regexps and hex patterns with alternatives); otherwise the
	// shorter.
	Longest bool
	// At is the only offset at which conditions ask for the pattern
	// (`$a at 0`), or -1.
	At int64
	// Cost estimates how many hits that are no matches a searcher meets in a
	// MiB of usual data, by the quality of the atoms: anchors are chosen by it.
	Cost float32
}

// NeedleKind says how a needle is verified.
type NeedleKind uint8

// The kinds of needle.
const (
	// Literal is Bytes, compared exactly or, with Fold, without ASCII case.
	Literal NeedleKind = iota
	// Xor is Bytes with every byte XORed by one key of XorLo..XorHi.
	Xor
	// Base64 is Bytes as it stands within the base64 text of a longer string:
	// a match decodes, by Alphabet, to that text around it (see search).
	Base64
	// Regexp is an expression: from an atom's hit, Reverse finds the starts
	// and Forward the end.
	Regexp
)

// Boundary is what fullword asks of the bytes around a match.
type Boundary uint8

// The boundaries.
const (
	NoBoundary   Boundary = iota
	WordBoundary          // the byte before and the byte after are not ASCII alphanumeric
	WideBoundary          // the same of the 16-bit units before and after
)

// ScanLimit is how many bytes a regexp takes at most in one direction from an
// atom, as in YARA and YARA-X.
const ScanLimit = 4096

// LongJump is how many bytes a jump over any bytes may leave open before it no
// longer counts towards the limit: YARA-X then matches what is before and
// after it by itself, wherever they are.
const LongJump = 200

// Needle is one thing to search for on its own. There are tens of thousands:
// what few kinds have is apart.
type Needle struct {
	Kind     NeedleKind
	Boundary Boundary
	Fold     bool // ASCII case-insensitive: Literal only; a Regexp folds by itself
	// XorLo and XorHi are the first and last key of Xor.
	XorLo, XorHi byte
	// Bytes is the literal of Literal, Xor and Base64 as it stands in the data
	// (before the XOR): a wide one has its zero bytes.
	Bytes []byte
	// Base64 is not nil for that kind, and Expression for Regexp.
	Base64     *Base64Text
	Expression *Expression
}

// Base64Text is the text that a match of a Base64 needle is a part of.
type Base64Text struct {
	// Alphabet is its 64 bytes; Padding says how many bytes (0..2) of the first
	// base64 quantum stand before the plain text; Plain is the text that the
	// decoded match must contain, empty in YARA's dialect, where the base64 text
	// alone decides; Wide is set where the base64 text itself is stored as 16-bit
	// units.
	Alphabet string
	Padding  uint8
	Plain    []byte
	Wide     bool
}

// Expression is what a Regexp needle is found and matched by.
type Expression struct {
	// MinLen is the least length of a match.
	MinLen int
	// Forward matches from the place that is an atom's Delta before a hit.
	// Where every atom's Offset is constant that place is the match's start,
	// and Reverse is nil; otherwise Reverse, run backward from there
	// (Machine.StartsBefore), finds the starts.
	//
	// An expression without atoms (Atoms empty) is as a whole in Forward and,
	// reversed, in Reverse: Machine.Starts finds where matches begin.
	Forward, Reverse *regex.Prog
	// Whole is the whole expression where Forward is only a part of it, or one
	// of several alternatives: it tells the end of the match that begins at a
	// start (Machine.MatchAt). nil where Forward does.
	Whole *regex.Prog
	// Atoms are the fixed strings, one of which every match of this needle
	// contains.
	Atoms []atom.Atom
}

// Atoms are those of a Regexp needle; others have none.
func (n *Needle) Atoms() []atom.Atom {
	if n.Expression == nil {
		return nil
	}
	return n.Expression.Atoms
}
