package atom

import (
	"math"
	"slices"
)

const (
	// maxDistributed is how deep alternations are distributed over what stands
	// around them, and maxBranches how many alternatives those may have that
	// have something around them.
	maxDistributed = 2
	maxBranches    = 16
)

// fromAlternatives chooses, for each alternative of items[k], a window that
// every match of it has at a constant distance from the run before the
// alternation, where the Suffix then begins. The window may reach into what
// stands around the alternation.
func fromAlternatives(items []item, k int) (choice, bool) {
	start := startOfRun(items, k)
	var atoms []Atom
	whole := start == 0
	p := 0.0
	shortest := math.MaxInt
	for _, alt := range items[k].alts {
		branch := slices.Concat(items[start:k], linear(alt), items[k+1:])
		places := constantPlaces(branch)
		w, ok := bestOf(places)
		if !ok {
			return choice{}, false
		}
		run := places[w.run]
		atoms = append(atoms, w.atoms(run, run[w.from].at)...)
		if len(atoms) > maxAtoms {
			return choice{}, false
		}
		p += w.p
		shortest = min(shortest, w.to-w.from)
		whole = whole && len(places) == 1 && len(run) == len(branch) && w.whole(run)
	}
	if whole {
		markExact(atoms)
	}
	if !atoms[0].Exact && len(atoms) <= maxCompared {
		atoms = distinct(atoms)
	}
	part := split(items, start, atoms)
	return choice{
		parts: []Part{part}, atoms: len(atoms), p: p,
		utility: utility(p, len(atoms), shortest) - prefixPenalty(items[:start]),
	}, true
}

// constantPlaces returns the runs of positions whose distance from the first
// item is constant.
func constantPlaces(items []item) [][]place {
	var runs [][]place
	at := 0
	for from := 0; from < len(items); {
		if to := endOfRun(items, from); to > from {
			run := placesOf(items[from:to])
			for i := range run {
				run[i].at += at
			}
			runs = append(runs, run)
			at += len(run)
			from = to
			continue
		}
		if items[from].min != items[from].max {
			break
		}
		at += items[from].min
		from++
	}
	return runs
}

// runWindow is a window in one of several runs.
type runWindow struct {
	window
	run int
}

func bestOf(runs [][]place) (runWindow, bool) {
	best := runWindow{window: window{utility: math.Inf(-1)}}
	for i, run := range runs {
		if w, ok := bestWindow(run); ok && w.utility > best.utility {
			best = runWindow{w, i}
		}
	}
	return best, !math.IsInf(best.utility, -1)
}

// distinct drops atoms that lie around another one: where they are, that is,
// too.
func distinct(atoms []Atom) []Atom {
	var out []Atom
	for i, a := range atoms {
		redundant := false
		for j, b := range atoms {
			redundant = redundant || i != j && a.liesAround(b) && (j < i || !b.liesAround(a))
		}
		if !redundant {
			out = append(out, a)
		}
	}
	return out
}

// liesAround reports whether b is found wherever a is.
func (a Atom) liesAround(b Atom) bool {
	from := b.Delta - a.Delta
	if from < 0 || from+len(b.Bytes) > len(a.Bytes) || a.Fold && !b.Fold {
		return false
	}
	return covers(b, Atom{Bytes: a.Bytes[from : from+len(b.Bytes)], Fold: a.Fold})
}

// worthDistributing reports whether items[k] is an alternation to distribute:
// it stands alone, or nothing good was found without.
func worthDistributing(items []item, k int, best choice) bool {
	n := len(items[k].alts)
	return n > 0 && (len(items) == 1 || n <= maxBranches) && best.utility < goodEnough
}

// goodEnough is the utility from which on nothing better is looked for.
const goodEnough = 16

// distribute makes a part, or more, of each alternative of items[k] with what
// stands around it.
func distribute(items []item, k, depth int) (choice, bool) {
	var all choice
	least := math.Inf(1)
	for _, alt := range items[k].alts {
		branch := slices.Concat(items[:k:k], linear(alt), items[k+1:])
		c, ok := choose(branch, depth+1)
		if !ok {
			return choice{}, false
		}
		all.parts = append(all.parts, c.parts...)
		all.atoms += c.atoms
		all.p += c.p
		least = min(least, c.utility)
		if all.atoms > maxAtoms {
			return choice{}, false
		}
	}
	for i := range all.parts {
		for j := range all.parts[i].Atoms {
			all.parts[i].Atoms[j].Exact = false
		}
	}
	all.utility = min(least, -math.Log2(all.p)) - distributePenalty
	return all, true
}
