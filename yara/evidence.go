package yara

import (
	"encoding/hex"
	"math"
	"slices"

	"github.com/besra-hunt/besra/yara/internal/program"
)

// maxEvidence bounds estimates: beyond it, chance plays no part.
const maxEvidence = 256

// evidence estimates, in bits, how unlikely it is that a place of data of no
// interest satisfies a condition. Of alternatives the easiest counts, of what
// must hold together the sum; patterns count by the frequency table, a test of
// header bytes by their number, a digest by its digits, another value of a
// module by a guess (16 bits for a text that must be equal, 4 for a number). Tests of size and of
// absence count nothing. It is an estimate of chance, and knows nothing of
// data that is alike on purpose.
type evidence struct {
	rules *Rules
	rule  *program.Rule
}

func (e evidence) of(id program.NodeID) float64 {
	p := e.rules.prog
	n := &p.Nodes[id]
	switch n.Op {
	case program.OpAnd:
		return e.sum(n)
	case program.OpOr:
		return e.least(n)
	case program.OpFound, program.OpFoundAt, program.OpFoundIn:
		return e.pattern(int32(n.V))
	case program.OpOfPatterns, program.OpForOf:
		return e.some(n, e.patterns(n))
	case program.OpOfBools:
		return e.some(n, e.each(n))
	case program.OpForRange, program.OpForList, program.OpForArray, program.OpForMap, program.OpWith:
		return e.of(n.C)
	case program.OpRule:
		other := &p.Rules[n.V]
		return evidence{e.rules, other}.of(other.Condition)
	case program.OpEqText, program.OpIEquals:
		return e.text(n)
	case program.OpMatches, program.OpContains, program.OpStarts, program.OpEnds:
		return textEvidence
	case program.OpEqInt:
		return e.equal(n)
	case program.OpGtInt, program.OpGeInt:
		return e.counted(n)
	case program.OpCall:
		return 4
	}
	return 0
}

// textEvidence is the guess, in bits, for a text that a module gives.
const textEvidence = 16

// digestDigits is the number of hex digits of the shortest digest, MD5 or a
// hash of imports.
const digestDigits = 32

// text is the evidence of a comparison of texts: 4 bits a digit of a digest, a
// guess for other texts.
func (e evidence) text(n *program.Node) float64 {
	for _, id := range []program.NodeID{n.A, n.B} {
		x := &e.rules.prog.Nodes[id]
		if x.Op != program.OpText {
			continue
		}
		if digits, err := hex.DecodeString(string(e.rules.prog.Texts[x.V])); err == nil && 2*len(digits) >= digestDigits {
			return float64(8 * len(digits))
		}
	}
	return textEvidence
}

// equal is the evidence of a comparison of whole numbers: that of the bytes
// read, or a little for a value of a module.
func (e evidence) equal(n *program.Node) float64 {
	for _, id := range []program.NodeID{n.A, n.B} {
		switch x := &e.rules.prog.Nodes[id]; x.Op {
		case program.OpReadInt:
			return 8 * float64(program.ReadCode(x.V).Width())
		case program.OpField, program.OpCall, program.OpIndex:
			return 4
		}
	}
	return e.counted(n)
}

// counted is the evidence of "#a > n": the pattern once.
func (e evidence) counted(n *program.Node) float64 {
	for _, id := range []program.NodeID{n.A, n.B} {
		if x := &e.rules.prog.Nodes[id]; x.Op == program.OpCount || x.Op == program.OpCountIn {
			return e.pattern(int32(x.V))
		}
	}
	return 0
}

func (e evidence) pattern(index int32) float64 {
	if index < 0 {
		return 0 // the pattern of a loop: counted there
	}
	chance := 0.0
	for i := range e.rules.prog.Patterns[index].Needles {
		chance += math.Exp2(-needleBits(&e.rules.prog.Patterns[index].Needles[i]))
	}
	return -math.Log2(max(chance, math.SmallestNonzeroFloat64))
}

func (e evidence) patterns(n *program.Node) []float64 {
	var bits []float64
	for _, i := range e.rules.prog.Lists[n.L : n.L+n.N] {
		bits = append(bits, e.pattern(i))
	}
	return bits
}

func (e evidence) each(n *program.Node) []float64 {
	var bits []float64
	for _, id := range e.rules.prog.Lists[n.L : n.L+n.N] {
		bits = append(bits, e.of(program.NodeID(id)))
	}
	return bits
}

func (e evidence) sum(n *program.Node) float64 {
	total := 0.0
	for _, bits := range e.each(n) {
		total += bits
	}
	return total
}

func (e evidence) least(n *program.Node) float64 {
	return slices.Min(append(e.each(n), maxEvidence))
}

// some is the evidence of a quantifier: of the easiest, as many as it asks for.
func (e evidence) some(n *program.Node, bits []float64) float64 {
	slices.Sort(bits)
	total := 0.0
	for _, b := range bits[:e.needed(n, len(bits))] {
		total += b
	}
	return total
}

// needed is how many of all a quantifier asks for at least.
func (e evidence) needed(n *program.Node, all int) int {
	want := 1
	switch n.Quant.Kind {
	case program.QuantAll:
		want = all
	case program.QuantNone:
		want = 0
	case program.QuantN, program.QuantPercent:
		if x := &e.rules.prog.Nodes[n.Quant.N]; x.Op == program.OpInt {
			want = int(min(max(x.V, 0), int64(all)))
			if n.Quant.Kind == program.QuantPercent {
				want = int(math.Ceil(float64(all) * float64(min(max(x.V, 0), 100)) / 100))
			}
		}
	}
	return min(want, all)
}
