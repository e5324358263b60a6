package atom

import (
	"math"

	"github.com/besra-hunt/besra/yara/internal/regex"
)

// place is a position of a run.
type place struct {
	index int // of its item in the run
	at    int // its distance from the run's begin, in bytes
	// forms are what atoms are made of: the bytes as they are, and in either
	// case.
	forms *[2]form
}

// form is a set as atoms take it.
type form struct {
	members  []byte // the bytes, or nil where they are too many
	variants int    // how many atoms they make: one for both cases of a letter
	exact    bool   // the atoms are no more than the set
}

// placesOf returns the positions among the items of a run.
func placesOf(items []item) []place {
	var out []place
	for i := range items {
		if it := &items[i]; it.isSet {
			out = append(out, place{index: i, at: len(out), forms: it.forms})
		}
	}
	return out
}

// formsOf returns both forms of a set.
func formsOf(s regex.Set) *[2]form {
	plain := form{members: membersOf(s), exact: true}
	plain.variants = len(plain.members)
	if s.Intersect(letters) == (regex.Set{}) {
		return &[2]form{plain, plain}
	}
	folded := s.FoldCase()
	other := form{members: membersOf(folded), exact: folded == s}
	for _, c := range other.members {
		if c == lower(c) {
			other.variants++
		}
	}
	return &[2]form{plain, other}
}

var letters = regex.RangeSet('a', 'z').Union(regex.RangeSet('A', 'Z'))

// membersOf lists a set's bytes where atoms may be made for each of them.
func membersOf(s regex.Set) []byte {
	n := s.Len()
	if n == 0 || n > maxExpanded {
		return nil
	}
	out := make([]byte, 0, n)
	for b := range 256 {
		if s.Has(byte(b)) {
			out = append(out, byte(b))
		}
	}
	return out
}

// form returns the place's form for atoms that are folded or not.
func (p *place) form(fold bool) *form {
	if fold {
		return &p.forms[1]
	}
	return &p.forms[0]
}

// hasPair reports whether the place is for a letter in both cases.
func (p *place) hasPair() bool { return p.forms[1].variants < p.forms[0].variants }

// maxExpanded is how many bytes a set may have of which each makes an atom.
const maxExpanded = 64

// window is a stretch places[from:to], with the atoms folded or not.
type window struct {
	from, to int
	fold     bool
	variants int
	p        float64
	utility  float64
}

// bestWindow returns the most useful window. A window is better for every
// place it has that makes no more atoms, so it needs to be looked at only where
// it cannot have one more.
func bestWindow(places []place) (window, bool) {
	best := window{utility: math.Inf(-1)}
	pairs := false
	for i := range places {
		pairs = pairs || places[i].hasPair()
	}
	var c chain
	for from := range places {
		if from == 0 || !places[from-1].certain(false) {
			tryWindows(&c, places, from, false, &best)
		}
		if pairs && (from == 0 || !places[from-1].certain(true)) {
			tryWindows(&c, places, from, true, &best)
		}
	}
	return best, !math.IsInf(best.utility, -1)
}

// certain reports whether a place makes no more atoms.
func (p *place) certain(fold bool) bool { return p.form(fold).variants == 1 }

// tryWindows tries the windows that begin at from.
func tryWindows(c *chain, places []place, from int, fold bool, best *window) {
	c.reset()
	w := window{from: from, fold: fold, variants: 1}
	for w.to = from + 1; w.to <= len(places); w.to++ {
		f := places[w.to-1].form(fold)
		w.variants *= f.variants
		if f.members == nil || w.variants > maxVariants {
			return
		}
		c.extend(f.members)
		if w.to-from < 2 || w.to < len(places) && places[w.to].certain(fold) {
			continue
		}
		w.p = c.p
		if w.utility = utility(c.p, w.variants, w.to-from); w.utility > best.utility {
			*best = w
		}
	}
}

// utility weighs how rare hits are against what searching costs: a bit counts
// until hits hardly matter any more, atoms fill tables, and short ones are met
// by slower means.
func utility(p float64, atoms, length int) float64 {
	bits := -math.Log2(p)
	u := min(bits, 24) + 0.1*min(max(bits-24, 0), 80) - 1.5*math.Log2(float64(atoms))
	switch {
	case length < 3:
		return u - 6
	case length < 4:
		return u - 2
	case length >= 11:
		return u + 2
	case length >= 7:
		return u + 1
	}
	return u
}

// whole reports whether the atoms are exactly what the places match.
func (w *window) whole(places []place) bool {
	for i := range places {
		if !places[i].form(w.fold).exact {
			return false
		}
	}
	return w.from == 0 && w.to == len(places)
}

// atoms returns the atoms of the window. Their Delta is delta.
func (w *window) atoms(places []place, delta int) []Atom {
	all := [][]byte{nil}
	for i := w.from; i < w.to; i++ {
		var next [][]byte
		for _, prefix := range all {
			for _, c := range places[i].form(w.fold).members {
				if !w.fold || c == lower(c) {
					next = append(next, append(prefix[:len(prefix):len(prefix)], c))
				}
			}
		}
		all = next
	}
	out := make([]Atom, len(all))
	for i, b := range all {
		out[i] = Atom{Bytes: b, Fold: w.fold && hasLetter(b), Delta: delta}
	}
	return out
}

func hasLetter(b []byte) bool {
	for _, c := range b {
		if c >= 'a' && c <= 'z' {
			return true
		}
	}
	return false
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - ('a' - 'A')
	}
	return c
}
