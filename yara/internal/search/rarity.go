package search

import (
	"math"
	"sync"

	"github.com/besra-hunt/besra/yara/internal/atom"
)

// rarities is how rare bytes and pairs of bytes are, in bits: 20 is once in a
// megabyte. It follows from the table that atoms are chosen by.
type rarities struct {
	pair        [1 << 16]float32 // of a pair, first<<8|second
	next        [1 << 16]float32 // of the second byte of a pair, given the first
	first, last [256]float32     // of a byte
	diff        [256]float32     // of the XOR of two neighbours
}

var rarityTable = sync.OnceValue(func() *rarities {
	r := new(rarities)
	table := atom.Bigrams()
	var first, last, diff [256]float64
	var probability [256]float64 // by what the table holds
	for i := range probability {
		probability[i] = math.Exp2(-float64(i) / atom.Bit)
	}
	for i := range r.pair {
		p := probability[table[i]]
		r.pair[i] = float32(table[i]) / atom.Bit
		first[i>>8] += p
		last[i&0xFF] += p
		diff[i>>8^i&0xFF] += p
	}
	for i := range first {
		r.first[i], r.last[i], r.diff[i] = bitsOf(first[i]), bitsOf(last[i]), bitsOf(diff[i])
	}
	for i := range r.next {
		r.next[i] = r.pair[i] - r.first[i>>8]
	}
	for i := range first {
		// Runs are much longer than pairs tell.
		r.next[i<<8|i] = min(r.next[i<<8|i], runBits(byte(i)))
	}
	return r
})

func bitsOf(p float64) float32 { return float32(-math.Log2(p)) }

// runBits is how rare it is at most that c follows c: files are padded with
// some bytes.
func runBits(c byte) float32 {
	switch c {
	case 0, ' ', 0x90, 0xCC, 0xFF:
		return 0.4
	}
	return 2.3
}

// of is how rare a string of bytes is, or of differences.
func (r *rarities) of(b []byte, diff bool) (sum float32) {
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
func (r *rarities) at(b []byte, i int, diff bool) float32 {
	if diff {
		return r.diff[b[i]]
	}
	return r.first[b[i]]
}

// step is how rare b[i] is behind b[i-1].
func (r *rarities) step(b []byte, i int, diff bool) float32 {
	if diff {
		return r.diff[b[i]]
	}
	return r.next[int(b[i-1])<<8|int(b[i])]
}

// ofPair is how rare a pair of bytes is, of which either may be open.
func (r *rarities) ofPair(a, b int16) float32 {
	switch {
	case a == open && b == open:
		return 0
	case a == open:
		return r.last[b]
	case b == open:
		return r.first[a]
	}
	return r.pair[int(a)<<8|int(b)]
}

// frequency is the probability of a byte, or of a difference.
func (r *rarities) frequency(c byte, diff bool) float32 {
	if diff {
		return float32(math.Exp2(-float64(r.diff[c])))
	}
	return float32(math.Exp2(-float64(r.first[c])))
}
