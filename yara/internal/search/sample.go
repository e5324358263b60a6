package search

import "math"

// A sampler finds long literals by looking at every eighth byte only: of a
// literal of 15 bytes and more, a gram of eight begins at such a place,
// wherever the literal lies. For each of the eight ways it can lie, the rarest
// gram is chosen. A bitmap of hashed grams tells at once that there is none at
// a place; what is left goes to the index.
//
// For xor needles the grams are of differences, which eight bytes have seven
// of. There are not many such needles, so grams may be shorter if that lets
// all be found in one pass.
type sampler struct {
	filteredIndex
	diff bool
	// keep masks the bytes of the word at a place that are of a gram.
	keep uint64
}

const (
	sampleSize   = 8 // bytes that are looked at
	sampleStride = 8 // bytes between looks
	// sampleReach bounds where in a literal grams are taken from.
	sampleReach = 512
	// minSampled is the rarity, in bits, below which a gram would be found all
	// over: a run of zeros, for one. minSampledDiff is that of differences: the
	// other ways to find them cost a pass of their own.
	minSampled     = 16
	minSampledDiff = 10
	// minDiffs and maxDiffs are how many differences a gram may have.
	minDiffs = 3
	maxDiffs = sampleSize - 1
)

// newSampler makes a sampler of literals that are all samplable with grams of
// the size, and either all of differences or none.
func newSampler(lits []lit, ids []int32, size int) *sampler {
	if len(ids) == 0 {
		return nil
	}
	diff := lits[ids[0]].diff
	grams := make([]gram, 0, len(ids)*sampleStride)
	for _, id := range ids {
		l := &lits[id]
		for r := range sampleStride {
			o, _ := l.rarestGram(r, size)
			var key uint64
			for j, c := range l.bytes[o : o+size] {
				key |= uint64(c) << (8 * j)
			}
			if !diff {
				key = merged(key)
			}
			grams = append(grams, gram{key, entry{lit: id, offset: int16(o)}})
		}
	}
	return &sampler{newFilteredIndex(grams), diff, math.MaxUint64 >> (64 - 8*size)}
}

// rarestGram returns the offset of the rarest gram of the size among those at r
// modulo sampleStride, and how rare it is.
func (l *lit) rarestGram(r, size int) (offset int, rarity float32) {
	table := rarityTable()
	rarity = -1
	for o := r; o+size <= len(l.bytes) && o < sampleReach; o += sampleStride {
		if q := table.of(l.bytes[o:o+size], l.diff); q > rarity {
			offset, rarity = o, q
		}
	}
	return offset, rarity
}

// samplable reports whether the literal is long enough for grams of the size,
// and all that it would be found by are rare enough.
func (l *lit) samplable(size int) bool {
	if len(l.bytes) < size+sampleStride-1 {
		return false
	}
	least := float32(minSampled)
	if l.diff {
		least = minSampledDiff
	}
	for r := range sampleStride {
		if _, q := l.rarestGram(r, size); q < least {
			return false
		}
	}
	return true
}

// diffSize is how long the grams of literals of differences can be.
func diffSize(lits []lit, ids []int32) int {
	size := maxDiffs
	for _, id := range ids {
		if n := len(lits[id].bytes) - sampleStride + 1; n >= minDiffs {
			size = min(size, n)
		}
	}
	return size
}

func sampleGo(f *gramFilter, keep uint64, buf []byte, from, to int, out *[candidates]uint32) (n, next int) {
	words, shift := f.words, f.shift&63
	end := min(to, len(buf)-sampleSize+1)
	for p := from; p < end; p += sampleStride {
		h := merged(load64(buf[p:p+8])) & keep * golden
		if maskOf(h)&^words[h>>shift] == 0 {
			out[n%candidates] = uint32(p - from)
			if n++; n == len(out) {
				return n, p + sampleStride
			}
		}
	}
	return n, to
}

func sampleDiffGo(f *gramFilter, keep uint64, buf []byte, from, to int, out *[candidates]uint32) (n, next int) {
	words, shift := f.words, f.shift&63
	end := min(to, len(buf)-sampleSize+1)
	for p := from; p < end; p += sampleStride {
		h := differences64(load64(buf[p:p+8])) & keep * golden
		if maskOf(h)&^words[h>>shift] == 0 {
			out[n%candidates] = uint32(p - from)
			if n++; n == len(out) {
				return n, p + sampleStride
			}
		}
	}
	return n, to
}

// scanSamples looks at buf[from:to]; from is a multiple of sampleStride.
func (s *State) scanSamples(f *sampler, buf []byte, base, from, to int) {
	kernel, rest, grams := s.t.kernels.sample, sampleKernel(sampleGo), merged
	if f.diff {
		kernel, rest, grams = s.t.kernels.sampleDiff, sampleDiffGo, differences64
	}
	for at := from; at < to; {
		n, next := kernel(&f.filter, f.keep, buf, at, to, &s.candidates)
		if next == at {
			n, next = rest(&f.filter, f.keep, buf, at, to, &s.candidates)
		}
		for _, c := range s.candidates[:n] {
			p := at + int(c)
			s.lookUp(&f.index, grams(load64(buf[p:]))&f.keep, base+p)
		}
		at = next
	}
	// A short gram may end behind the last place that eight bytes follow.
	if p := (max(0, len(buf)-sampleSize+1) + sampleStride - 1) / sampleStride * sampleStride; from <= p && p < to {
		s.lookUp(&f.index, grams(load64(s.padded(buf[p:])))&f.keep, base+p)
	}
}
