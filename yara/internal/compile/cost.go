package compile

import (
	"math"

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
		total += tableCost + math.Min(hopelessCost, math.Exp2(20-needleBits(&needles[i])))
	}
	return total
}

// needleBits is how much information the best part of a needle carries.
func needleBits(n *program.Needle) float64 {
	switch n.Kind {
	case program.Xor:
		return literalBits(n.Bytes, false) - math.Log2(float64(int(n.XorHi)-int(n.XorLo)+1))
	case program.Regexp:
		return atomBits(n)
	}
	return literalBits(n.Bytes, n.Fold)
}

// atomBits is the information of the atoms together: each adds candidates.
func atomBits(n *program.Needle) float64 {
	sum := 0.0
	for i := range n.Atoms {
		sum += math.Exp2(-literalBits(n.Atoms[i].Bytes, n.Atoms[i].Fold))
	}
	if sum == 0 {
		return 0
	}
	return math.Max(0, -math.Log2(sum))
}

// literalBits is the information of the rarest window of b.
func literalBits(b []byte, fold bool) float64 {
	best, sum := 0.0, 0.0
	var bits [window]float64
	for i, c := range b {
		x := byteBits(c)
		switch {
		case i > 0 && c == b[i-1]:
			x = math.Min(x, 1) // runs are frequent, whatever they are of
		case i > 1 && c == 0 && b[i-2] == 0:
			x = 0.5 // 16-bit text
		}
		if lower := c | 0x20; fold && 'a' <= lower && lower <= 'z' {
			x = math.Max(x-1, 0.5)
		}
		sum += x - bits[i%window]
		bits[i%window] = x
		best = math.Max(best, sum)
	}
	return best
}

// byteBits is the information of one byte in programs and documents, by
// classes: what all binaries are full of, text, and the rest.
func byteBits(c byte) float64 {
	switch {
	case c == 0:
		return 1.5
	case c == 0xFF, c == ' ', c == 'e', c == 1:
		return 3.5
	case c == 0x90, c == 0xCC, c == 0x8B, c == 0x48, c == 0x89, c == 0xE8, c == 0x24, c == 2, c == 4, c == 8, c == 0x10,
		c == '\n', c == '\r':
		return 4.5
	case 'a' <= c && c <= 'z':
		return 4.5
	case '0' <= c && c <= '9', 'A' <= c && c <= 'Z', c == '_', c == '.', c == '/':
		return 5.5
	case c < 0x20, 0x80 <= c && c < 0x90:
		return 6
	}
	return 7
}

// needleSize is an estimate of a needle's memory, in bytes.
func needleSize(n *program.Needle) int64 {
	size := int64(200 + len(n.Bytes) + len(n.Plain))
	for i := range n.Atoms {
		size += 64 + int64(len(n.Atoms[i].Bytes))
	}
	return size + progSize(n.Forward) + progSize(n.Reverse)
}

// progSize is an estimate of what a regexp may come to: its automaton is made
// when first needed.
func progSize(p *regex.Prog) int64 {
	if p == nil {
		return 0
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
	case len(n.Atoms) == 0:
		return "no fixed bytes stand in it that could be searched for"
	}
	for i := range n.Atoms {
		if len(n.Atoms[i].Bytes) < 2 {
			return "the longest fixed part that it must contain is one byte"
		}
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
