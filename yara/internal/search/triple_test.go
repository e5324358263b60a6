package search

import (
	"math/rand/v2"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/program"
)

// TestTriples holds sets that triples find, with and without folding, wide and
// xored, around the borders of blocks, to the reference.
func TestTriples(t *testing.T) {
	seeds := uint64(10)
	if testing.Short() {
		seeds = 3
	}
	for _, n := range []int{fewerLits + 1, 9, mostTriples} {
		for seed := range seeds {
			g := &gen{rand.New(rand.NewPCG(seed, uint64(n))), "qzXJ~{\xfe\x93"}
			list := make([]program.Pattern, n)
			var ids []int32
			plain := 0
			for i := range list {
				list[i] = program.Pattern{At: -1, Positions: true, Needles: []program.Needle{g.rare()}}
				ids = append(ids, int32(i))
				if list[i].Needles[0].Kind != program.Xor {
					plain++
				}
			}
			prog := programOf(list, true)
			s := New(prog).NewState()
			set, k := s.t.newSet(ids, true), &s.t.kernels
			if k.triple != nil && plain > fewerLits && set.plain.triples == nil {
				t.Errorf("seed %d: %d plain literals are not found by triples", seed, plain)
			}
			if k.tripleDiff != nil && plain < n && set.fewXors == nil {
				t.Errorf("seed %d: %d xor literals are not found by triples", seed, n-plain)
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
