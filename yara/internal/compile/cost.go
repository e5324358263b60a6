package compile

import (
	"math"

	"github.com/besra-hunt/besra/yara/internal/atom"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/internal/regex"
)

// The cost of a pattern is how many false candidates a searcher meets in a
// MiB of usual data, plus a little for its place in the tables. Anchors are
// chosen by it: of two patterns that both must occur the rarer one is searched.
const (
	tableCost    = 0.02
	anchoredCost = 1.0 // a pattern asked for at one offset: free to search, but magic numbers are frequent
	hopelessCost = 1 << 20
)

// window is how many bytes of a literal a searcher looks at before it compares.
const window = 8

// costOf adds up the needles of a pattern.
func costOf(needles []program.Needle) float64 {
	total := 0.0
	for i := range needles {
		total += needleCost(&needles[i])
	}
	return total
}

func needleCost(n *program.Needle) float64 {
	switch n.Kind {
	case program.Xor:
		keys := float64(int(n.XorHi) - int(n.XorLo) + 1)
		return tableCost + math.Min(hopelessCost, keys*hits(n.Bytes, false))
	case program.Regexp:
		cost := 0.0
		for _, a := range n.Atoms() {
			cost += tableCost + hits(a.Bytes, a.Fold)
		}
		if len(n.Atoms()) == 0 {
			cost = hopelessCost
		}
		return cost
	}
	return tableCost + hits(n.Bytes, n.Fold)
}

// hits estimates how often the rarest window of a literal is met in a MiB.
func hits(b []byte, fold bool) float64 {
	best := 0
	for from := 0; ; from += window / 2 {
		best = max(best, atom.Quality(b[from:min(from+window, len(b))], fold))
		if from+window >= len(b) || best >= 24*atom.Bit {
			break
		}
	}
	return math.Exp2(20 - float64(best)/atom.Bit)
}

// searchSize is about what one literal takes in the tables of a search.
const searchSize = 350

// needleSize is an estimate of a needle's memory, in bytes, in the program and
// in the tables that are made of it.
func needleSize(n *program.Needle) int64 {
	size := int64(200 + searchSize + len(n.Bytes))
	if n.Base64 != nil {
		size += int64(len(n.Base64.Plain))
	}
	if x := n.Expression; x != nil {
		for i := range x.Atoms {
			size += 64 + searchSize + int64(len(x.Atoms[i].Bytes))
		}
		size += progSize(x.Forward) + progSize(x.Reverse) + progSize(x.Whole)
	}
	return size
}

// progSize is an estimate of what a regexp may come to: its automaton is made
// when first needed.
func progSize(p *regex.Prog) int64 {
	if p == nil {
		return 0
	}
	if links := p.Links(); links != nil {
		size := int64(0)
		for _, l := range links {
			size += 2 * progSize(l.Part) // and reversed
		}
		return size
	}
	return 200 + 16*nodeSize(p.Node())
}

// nodeSize counts the instructions of a tree.
func nodeSize(n *regex.Node) int64 {
	const most = 1 << 24 // past every limit
	size := int64(1)
	switch n.Op {
	case regex.OpLit:
		size = int64(len(n.Lit))
	case regex.OpRepeat:
		turns := int64(max(n.Min, n.Max, 1))
		size = min(nodeSize(n.Subs[0]), most) * min(turns, most)
	default:
		for _, sub := range n.Subs {
			size += nodeSize(sub)
		}
	}
	return min(size, most)
}

// needleSlowness says why a needle is slow to search for, or "".
func needleSlowness(n *program.Needle) string {
	switch {
	case n.Kind == program.Xor || n.Kind == program.Base64 || n.Boundary != program.NoBoundary:
		return ""
	case n.Kind == program.Literal:
		return literalSlowness(n.Bytes)
	case len(n.Atoms()) == 0:
		return "no fixed bytes stand in it that could be searched for"
	}
	return ""
}

// literalSlowness finds single bytes and runs of what all files are full of.
func literalSlowness(b []byte) string {
	if len(b) == 1 {
		return "one byte occurs everywhere"
	}
	if b[0] != 0 && b[0] != 0x90 && b[0] != 0xFF {
		return ""
	}
	for _, c := range b {
		if c != b[0] {
			return ""
		}
	}
	return "runs of this byte are in most files"
}
