// Package atom chooses what to search for: fixed byte strings, one of which
// every match of a regexp or hex pattern must contain. Where one of them is, the
// search verifies.
//
// [Best] takes the regexp's tree and splits it around the atoms: the Suffix
// begins at a constant distance before the atom and is matched forward, the
// Prefix, reversed, backward from the same place. Where everything before the
// atom is of a fixed length there is no Prefix, and the Suffix is the whole.
//
// How good an atom is, is how rarely it is met in data that one scans: a table
// of pairs of bytes, and a list of what those do not tell, trained on
// executables and text (train.go), give the number of bits. An atom of 20 bits
// is met once in a MiB.
package atom

import (
	"math"

	"github.com/besra-hunt/besra/yara/internal/regex"
)

// Atom is one fixed string.
type Atom struct {
	// Bytes is what to look for: two or more bytes.
	Bytes []byte
	// Fold is set where ASCII letters stand for either case; they are then in
	// lower case in Bytes.
	Fold bool
	// Offset is the distance from the match's start to the atom, or -1 where
	// it is not constant: there is a Prefix then.
	Offset int
	// Delta is the distance from the place where the Suffix begins to the
	// atom. It equals Offset where that is not -1.
	Delta int
	// Exact is set where the atom is the whole match: there is nothing to
	// verify, and no other atom of the regexp begins where it does.
	Exact bool
}

// Part is a split around some atoms.
type Part struct {
	Atoms []Atom
	// Prefix is what matches before the Suffix, of no bytes where the atoms'
	// Offset is constant; it is to be reversed. Suffix is what begins Delta
	// bytes before an atom.
	Prefix, Suffix *regex.Node
}

// Split is a choice of atoms. A match of the regexp is a match of one of the
// parts, most often the only one; others stem from alternatives that have
// nothing in common.
//
// A hit gives one end, that of the Suffix, and each start of the Prefix before
// it. Two hits may give one start: where they do not agree on the end, YARA and
// YARA-X take the longer match if the regexp is greedy, otherwise the shorter.
// One of the ends is that which the whole regexp prefers at that start, most
// often the same.
type Split struct {
	Parts []Part
	// Quality is that of all atoms together, in the unit of the function
	// Quality: the rarest hit of any.
	Quality int
}

// The limits of a choice: how many atoms a window may make, how many all
// alternatives together, and how many may be compared with each other.
const (
	maxVariants = 256
	maxAtoms    = 4096
	maxCompared = 512
)

// leastQuality is what a choice must have to be of use: to be met less than
// every 128 bytes.
const leastQuality = 7 * Bit

// Best returns the best choice of atoms for n, and whether there is one that is
// of use. Where there is none, search by [regex.Machine.Starts] or by n.First.
func Best(n *regex.Node) (Split, bool) {
	if b, ok := n.Literal(); ok {
		return literal(n, b)
	}
	c, ok := choose(linear(n), 0)
	if !ok {
		return Split{}, false
	}
	s := Split{Parts: joined(n, c.parts)}
	p := 0.0
	for _, part := range s.Parts {
		for _, a := range part.Atoms {
			p += probability(a.Bytes, a.Fold)
		}
	}
	s.Quality = eighths(p)
	return s, s.Quality >= leastQuality
}

// literal is the choice for a regexp that is b and nothing else.
func literal(n *regex.Node, b []byte) (Split, bool) {
	q := Quality(b, false)
	a := Atom{Bytes: b, Exact: true}
	return Split{[]Part{{[]Atom{a}, regex.Empty(), n}}, q}, len(b) > 1 && q >= leastQuality
}

// joined makes one part of all where none has a Prefix: that of n as it was
// before it was taken apart.
func joined(n *regex.Node, parts []Part) []Part {
	var atoms []Atom
	for _, p := range parts {
		if p.Prefix.Op != regex.OpEmpty {
			return parts
		}
		atoms = append(atoms, p.Atoms...)
	}
	if len(parts) > 1 && len(atoms) <= maxCompared {
		atoms = distinct(atoms)
	}
	return []Part{{atoms, regex.Empty(), n}}
}

// HitsPerMiB estimates how often the atoms are met in a MiB of usual data.
func (s *Split) HitsPerMiB() float64 {
	return math.Exp2(20 - float64(s.Quality)/Bit)
}

// choice is a possible split.
type choice struct {
	parts   []Part
	atoms   int
	p       float64 // probability of a hit at a place
	utility float64
}

// choose returns the most useful choice for a sequence of items. depth counts
// the alternations that were distributed around it.
func choose(items []item, depth int) (choice, bool) {
	best, ok := choice{utility: math.Inf(-1)}, false
	take := func(c choice, good bool) {
		if good && c.utility > best.utility {
			best, ok = c, true
		}
	}
	for from := 0; from < len(items); {
		to := endOfRun(items, from)
		if to > from {
			take(fromRun(items, from, to))
			from = to
			continue
		}
		if len(items[from].alts) > 0 {
			take(fromAlternatives(items, from))
		}
		from++
	}
	for k := range items {
		if depth < maxDistributed && worthDistributing(items, k, best) {
			take(distribute(items, k, depth))
		}
	}
	return best, ok
}

// The penalties of a choice, in bits.
const (
	variablePenalty   = 3 // the start must be searched for backward
	unboundedPenalty  = 2 // and that may go far
	distributePenalty = 4 // each alternative has progs of its own
)

// fromRun chooses a window of the run of positions items[from:to].
func fromRun(items []item, from, to int) (choice, bool) {
	places := placesOf(items[from:to])
	w, ok := bestWindow(places)
	if !ok {
		return choice{}, false
	}
	cut := from + places[w.from].index
	part := split(items, cut, w.atoms(places, 0))
	if cut == 0 && w.whole(places) && to == len(items) && len(places) == len(items) {
		markExact(part.Atoms)
	}
	return choice{
		parts: []Part{part}, atoms: len(part.Atoms), p: w.p,
		utility: w.utility - prefixPenalty(items[:cut]),
	}, true
}

// split cuts the items at cut; the atoms' Delta is their distance from there.
func split(items []item, cut int, atoms []Atom) Part {
	shift, fixed := fixedLen(items[:cut])
	if !fixed {
		for i := range atoms {
			atoms[i].Offset = -1
		}
		return Part{Atoms: atoms, Prefix: nodeOf(items[:cut]), Suffix: nodeOf(items[cut:])}
	}
	for i := range atoms {
		atoms[i].Delta += shift
		atoms[i].Offset = atoms[i].Delta
	}
	return Part{Atoms: atoms, Prefix: regex.Empty(), Suffix: nodeOf(items)}
}

func prefixPenalty(prefix []item) float64 {
	if _, fixed := fixedLen(prefix); fixed {
		return 0
	}
	for _, it := range prefix {
		if it.max < 0 {
			return variablePenalty + unboundedPenalty
		}
	}
	return variablePenalty
}

// markExact marks atoms of whole matches, unless one begins another: then
// which of them is the match is not for the atom to say.
func markExact(atoms []Atom) {
	if len(atoms) > maxCompared {
		return
	}
	for i, a := range atoms {
		for j, b := range atoms {
			if i != j && len(a.Bytes) <= len(b.Bytes) && covers(a, Atom{Bytes: b.Bytes[:len(a.Bytes)], Fold: b.Fold}) {
				return
			}
		}
	}
	for i := range atoms {
		atoms[i].Exact = true
	}
}

// covers reports whether some string is both atoms: they are of one length.
func covers(a, b Atom) bool {
	for i := range a.Bytes {
		x, y := a.Bytes[i], b.Bytes[i]
		if x != y && !((a.Fold || b.Fold) && lower(x) == lower(y)) {
			return false
		}
	}
	return len(a.Bytes) == len(b.Bytes)
}
