package search

import (
	"math"
	"math/bits"
)

// places is a set of offsets. Only pages that hold one take memory, so that few
// of them in large data cost little.
type places struct {
	size  int
	pages []*page
}

// page holds a bit for each place of its part, and one for each word of those.
type page struct {
	words   [pageSize / 64]uint64
	summary [pageSize / 64 / 64]uint64
}

const (
	pageSize = 1 << 16
	// keptPages is how many pages are worth to be used again.
	keptPages = 64
)

func newPlaces(n int) places { return places{n, make([]*page, n/pageSize+1)} }

// again returns an empty set for n places, in the memory of p if that is little.
func (p places) again(n int) places {
	if len(p.pages) > keptPages || n/pageSize+1 > len(p.pages) {
		return newPlaces(n)
	}
	for _, pg := range p.pages {
		if pg != nil {
			*pg = page{}
		}
	}
	p.size = n
	return p
}

// add reports whether i is new.
func (p places) add(i int) bool {
	pg := p.pages[i/pageSize]
	if pg == nil {
		pg = new(page)
		p.pages[i/pageSize] = pg
	}
	word, bit := i%pageSize/64, uint64(1)<<(i%64)
	fresh := pg.words[word]&bit == 0
	pg.words[word] |= bit
	pg.summary[word/64] |= 1 << (word % 64)
	return fresh
}

// between returns the first or the last place from lo to hi.
func (p places) between(lo, hi int, last bool) (at int, ok bool) {
	hi = min(hi, p.size-1)
	if lo > hi {
		return 0, false
	}
	if last {
		at = p.lastFrom(lo, hi)
		return at, at >= lo
	}
	at = p.firstTo(lo, hi)
	return at, at >= 0 && at <= hi
}

// next returns the first place from one on, and previous the last up to one.
func (p places) next(from int) (int, bool)   { return p.between(from, math.MaxInt, false) }
func (p places) previous(to int) (int, bool) { return p.between(0, to, true) }

// firstTo returns the first place from lo on in the pages up to that of hi, or -1.
func (p places) firstTo(lo, hi int) int {
	for n := lo / pageSize; n <= hi/pageSize; n++ {
		if pg := p.pages[n]; pg != nil {
			if at := pg.firstFrom(max(lo-n*pageSize, 0)); at >= 0 {
				return n*pageSize + at
			}
		}
	}
	return -1
}

// lastFrom returns the last place up to hi in the pages from that of lo on, or -1.
func (p places) lastFrom(lo, hi int) int {
	for n := hi / pageSize; n >= lo/pageSize; n-- {
		if pg := p.pages[n]; pg != nil {
			if at := pg.lastTo(min(hi-n*pageSize, pageSize-1)); at >= 0 {
				return n*pageSize + at
			}
		}
	}
	return -1
}

// firstFrom returns the first place of the page from i on, or -1.
func (p *page) firstFrom(i int) int {
	if at := firstBit(p.words[i/64:i/64+1], i%64); at >= 0 {
		return i/64*64 + at
	}
	w := firstBit(p.summary[:], i/64+1)
	if w < 0 {
		return -1
	}
	return w*64 + bits.TrailingZeros64(p.words[w])
}

// lastTo returns the last place of the page up to i, or -1.
func (p *page) lastTo(i int) int {
	if at := lastBit(p.words[i/64:i/64+1], i%64); at >= 0 {
		return i/64*64 + at
	}
	w := lastBit(p.summary[:], i/64-1)
	if w < 0 {
		return -1
	}
	return w*64 + 63 - bits.LeadingZeros64(p.words[w])
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
