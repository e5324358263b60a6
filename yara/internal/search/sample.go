package search

import (
	"math"
	"slices"
)

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

// sampled is a literal and its rarest gram for each of the ways it can lie.
type sampled struct {
	lit     int32
	offsets [sampleStride]int16
}

// newSampler makes a sampler of literals with grams of the size, either all of
// differences or none.
func newSampler(lits []lit, list []sampled, size int) *sampler {
	if len(list) == 0 {
		return nil
	}
	grams := make([]gram, 0, len(list)*sampleStride)
	for i := range list {
		x := &list[i]
		l := &lits[x.lit]
		for _, o := range x.offsets {
			grams = append(grams, gram{l.gram(int(o), size), entry{lit: x.lit, offset: o}})
		}
	}
	return &sampler{newFilteredIndex(grams), lits[list[0].lit].diff, math.MaxUint64 >> (64 - 8*size)}
}

// gram is the key of size bytes at an offset.
func (l *lit) gram(o, size int) (key uint64) {
	if size == sampleSize {
		key = load64(l.bytes[o:])
	} else {
		for j, c := range l.bytes[o : o+size] {
			key |= uint64(c) << (8 * j)
		}
	}
	if l.diff {
		return key
	}
	return merged(key)
}

// rarestGrams chooses, for each offset modulo sampleStride, the rarest gram of
// the size. It fails where the literal is too short for that, or one of them is
// not rare enough. The rarity of a gram is that of the one before, less the
// byte that left and more the one that came. Of each offset rarity and place are
// one number, of which the greatest is the choice: nothing to mispredict.
func (l *lit) rarestGrams(size int) (offsets [sampleStride]int16, ok bool) {
	b, table := l.bytes, rarityTable()
	if len(b) < size+sampleStride-1 {
		return offsets, false
	}
	var steps [sampleSize]int32 // of the last bytes, to take away again
	behind := int32(0)          // of the gram's bytes but the first
	for i := 1; i < size; i++ {
		steps[i] = table.step(b, i, l.diff)
		behind += steps[i]
	}
	var rarest [sampleStride]int32
	for o := 0; o+size <= len(b) && o < sampleReach; o++ {
		if o > 0 {
			step := table.step(b, o+size-1, l.diff)
			behind += step - steps[o%sampleSize]
			steps[(o+size-1)%sampleSize] = step
		}
		q := max(0, behind+table.at(b, o, l.diff))*sampleReach + int32(sampleReach-1-o)
		rarest[o%sampleStride] = max(rarest[o%sampleStride], q)
	}
	for i, q := range rarest {
		offsets[i] = int16(sampleReach - 1 - q%sampleReach)
	}
	least := int32(minSampled)
	if l.diff {
		least = minSampledDiff
	}
	return offsets, slices.Min(rarest[:])/sampleReach >= least*rarityBit
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
