package search

import (
	"math"
	"math/bits"
)

// places is a set of offsets: a bit for each, and one for each word of those.
type places struct{ words, summary []uint64 }

func newPlaces(n int) places {
	words := n/64 + 1
	return places{make([]uint64, words), make([]uint64, words/64+1)}
}

func (p places) add(i int) {
	p.words[i/64] |= 1 << (i % 64)
	p.summary[i/64/64] |= 1 << (i / 64 % 64)
}

// between returns the first or the last place from lo to hi.
func (p places) between(lo, hi int, last bool) (at int, ok bool) {
	hi = min(hi, len(p.words)*64-1)
	if lo > hi {
		return 0, false
	}
	if last {
		at = p.lastTo(hi)
		return at, at >= lo
	}
	at = p.firstFrom(lo)
	return at, at >= 0 && at <= hi
}

// next returns the first place from one on, and previous the last up to one.
func (p places) next(from int) (int, bool)   { return p.between(from, math.MaxInt, false) }
func (p places) previous(to int) (int, bool) { return p.between(0, to, true) }

// firstFrom returns the first place from i on, or -1.
func (p places) firstFrom(i int) int {
	if at := firstBit(p.words[i/64:i/64+1], i%64); at >= 0 {
		return i/64*64 + at
	}
	w := firstBit(p.summary, i/64+1)
	if w < 0 {
		return -1
	}
	return w*64 + bits.TrailingZeros64(p.words[w])
}

// firstBit returns the first bit that is set from i on, or -1.
func firstBit(words []uint64, i int) int {
	for w := i / 64; w < len(words); w++ {
		if rest := words[w] >> (i % 64) << (i % 64); rest != 0 {
			return w*64 + bits.TrailingZeros64(rest)
		}
		i = 0
	}
	return -1
}

// lastTo returns the last place up to i, or -1.
func (p places) lastTo(i int) int {
	if at := lastBit(p.words[i/64:i/64+1], i%64); at >= 0 {
		return i/64*64 + at
	}
	w := lastBit(p.summary, i/64-1)
	if w < 0 {
		return -1
	}
	return w*64 + 63 - bits.LeadingZeros64(p.words[w])
}

// lastBit returns the last bit that is set up to i, or -1.
func lastBit(words []uint64, i int) int {
	if i < 0 {
		return -1
	}
	mask := ^uint64(0) >> (63 - i%64)
	for w := i / 64; w >= 0; w-- {
		if rest := words[w] & mask; rest != 0 {
			return w*64 + 63 - bits.LeadingZeros64(rest)
		}
		mask = ^uint64(0)
	}
	return -1
}
