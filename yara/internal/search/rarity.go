package search

import (
	"math"
	"sync"

	"github.com/besra-hunt/besra/yara/internal/atom"
)

// rarities is how rare bytes and pairs of bytes are: the negative binary
// logarithms of their probabilities, in parts of a bit. It follows from the
// table that atoms are chosen by.
type rarities struct {
	pairs       string     // at first<<8|second, in atom.Bit parts of a bit
	first, last [256]int32 // of a byte
	diff        [256]int32 // of the XOR of two neighbours
	run         [256]int32 // of a byte behind the same one, at most
}

// rarityBit is one bit of rarity: 20 are once in a megabyte.
const rarityBit = 256

var rarityTable = sync.OnceValue(func() *rarities {
	r := &rarities{pairs: atom.Bigrams()}
	var first, last, diff [256]float64
	var probability [256]float64 // by what the table holds
	for i := range probability {
		probability[i] = math.Exp2(-float64(i) / atom.Bit)
	}
	for a := range first {
		sum := 0.0
		for b, parts := range []byte(r.pairs[a<<8 : (a+1)<<8]) {
			p := probability[parts]
			sum += p
			last[b] += p
			diff[a^b] += p
		}
		first[a] = sum
	}
	for i := range first {
		r.first[i], r.last[i], r.diff[i] = rarityOf(first[i]), rarityOf(last[i]), rarityOf(diff[i])
	}
	for i := range r.run {
		// Runs are much longer than pairs tell.
		r.run[i] = min(r.pair(byte(i), byte(i))-r.first[i], runRarity(byte(i)))
	}
	return r
})

func rarityOf(p float64) int32 { return int32(math.Round(-math.Log2(p) * rarityBit)) }

// runRarity is how rare it is at most that c follows c: files are padded with
// some bytes.
func runRarity(c byte) int32 {
	switch c {
	case 0, ' ', 0x90, 0xCC, 0xFF:
		return rarityBit * 4 / 10
	}
	return rarityBit * 23 / 10
}

// of is how rare a string of bytes is, or of differences.
func (r *rarities) of(b []byte, diff bool) (sum int32) {
	if len(b) == 0 {
		return 0
	}
	sum = r.at(b, 0, diff)
	for i := 1; i < len(b); i++ {
		sum += r.step(b, i, diff)
	}
	return sum
}

// at is how rare b[i] is, whatever is before it.
func (r *rarities) at(b []byte, i int, diff bool) int32 {
	if diff {
		return r.diff[b[i]]
	}
	return r.first[b[i]]
}

// step is how rare b[i] is behind b[i-1].
func (r *rarities) step(b []byte, i int, diff bool) int32 {
	if diff {
		return r.diff[b[i]]
	}
	before, c := b[i-1], b[i]
	if before == c {
		return r.run[c]
	}
	return r.pair(before, c) - r.first[before]
}

// pair is how rare a pair of bytes is.
func (r *rarities) pair(a, b byte) int32 {
	return int32(r.pairs[int(a)<<8|int(b)]) * (rarityBit / atom.Bit)
}

// ofPair is how rare a pair of bytes is, of which either may be open.
func (r *rarities) ofPair(a, b int16) int32 {
	switch {
	case a == open && b == open:
		return 0
	case a == open:
		return r.last[b]
	case b == open:
		return r.first[a]
	}
	return r.pair(byte(a), byte(b))
}

// frequency is the probability of a byte, or of a difference.
func (r *rarities) frequency(c byte, diff bool) float32 {
	rarity := r.first[c]
	if diff {
		rarity = r.diff[c]
	}
	return float32(math.Exp2(-float64(rarity) / rarityBit))
}
