package search

import (
	"math/rand/v2"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/program"
)

// TestTriples holds sets that triples find, with and without folding, wide and
// xored, around the borders of blocks, to the reference.
func TestTriples(t *testing.T) {
	for _, n := range []int{fewerLits + 1, 9, mostTriples} {
		for seed := range uint64(10) {
			g := &gen{rand.New(rand.NewPCG(seed, uint64(n))), "qzXJ~{\xfe\x93"}
			list := make([]program.Pattern, n)
			for i := range list {
				list[i] = program.Pattern{At: -1, Positions: true, Needles: []program.Needle{g.rare()}}
			}
			prog := programOf(list, true)
			s := New(prog).NewState()
			if set := s.t.newSet([]int32{0, 1, 2, 3}, true); s.t.kernels.triple != nil && set.plain.triples == nil && set.fewXors == nil {
				t.Fatalf("seed %d: the set has no triples", seed)
			}
			data := randomData(blockSize + 300)
			for i := range list {
				b := list[i].Needles[0].Bytes
				if list[i].Needles[0].Kind == program.Xor {
					b = xored(b, byte(g.IntN(256)))
				}
				copy(data[blockSize-g.IntN(2*len(b)):], b)
				copy(data[g.IntN(len(data)):], ascii(b, 'a', 'z'))
				copy(data[len(data)-len(b)-g.IntN(3):], b)
			}
			compare(t, prog, s, data, Options{})
		}
	}
}

// rare is a needle that has a rare triple.
func (g *gen) rare() program.Needle {
	n := program.Needle{Bytes: g.bytes(4 + g.IntN(12)), Fold: g.IntN(2) == 0}
	switch g.IntN(4) {
	case 0:
		n.Kind, n.Fold, n.XorLo, n.XorHi = program.Xor, false, 0, 255
	case 1:
		n.Bytes = widened(n.Bytes)
	}
	return n
}
