package search

// A sampler finds long literals by looking at every stride-th byte only: of a
// literal that is long enough, a gram of eight bytes begins at such a place,
// wherever the literal lies. For each of the ways it can lie, the rarest gram
// is chosen. A bitmap of hashed grams tells at once that there is none at a
// place; what is left goes to the index.
//
// For xor needles the grams are of seven differences, which eight bytes have.
type sampler struct {
	filteredIndex
	stride int
	diff   bool
}

const (
	sampleSize = 8 // bytes that are looked at
	// sampleStride is the usual stride.
	sampleStride = 8
	// sampleReach bounds where in a literal grams are taken from.
	sampleReach = 512
	// minSampled is the rarity, in bits, below which a gram would be found all
	// over: a run of zeros, for one.
	minSampled = 20
)

// sampleKernel looks at every stride-th byte of buf[from:to] and puts the
// places that pass the filter into out, relative to from, until out is full.
// It returns their number and where to go on. Assembly may stand in for
// sampleGo and sampleDiffGo.
type sampleKernel func(f *gramFilter, stride int, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

var _, _ sampleKernel = sampleGo, sampleDiffGo

// gramSize is how many of a literal's bytes are a gram.
func gramSize(diff bool) int {
	if diff {
		return sampleSize - 1
	}
	return sampleSize
}

// newSampler makes a sampler of literals that are all samplable with stride,
// and either all of differences or none.
func newSampler(lits []lit, ids []int32, stride int) *sampler {
	if len(ids) == 0 {
		return nil
	}
	diff := lits[ids[0]].diff
	grams := make([]gram, 0, len(ids)*stride)
	for _, id := range ids {
		l := &lits[id]
		for r := range stride {
			o, _ := l.rarestGram(r, stride)
			var key uint64
			for _, c := range l.bytes[o : o+gramSize(diff)] {
				key = key>>8 | uint64(c)<<56
			}
			if !diff {
				key = merged(key)
			}
			grams = append(grams, gram{key, entry{lit: id, offset: int16(o)}})
		}
	}
	return &sampler{newFilteredIndex(grams), stride, diff}
}

// rarestGram returns the offset of the rarest gram among those at r modulo
// stride, and how rare it is.
func (l *lit) rarestGram(r, stride int) (offset int, rarity float32) {
	table, size := rarityTable(), gramSize(l.diff)
	rarity = -1
	for o := r; o+size <= len(l.bytes) && o < sampleReach; o += stride {
		if q := table.of(l.bytes[o:o+size], l.diff); q > rarity {
			offset, rarity = o, q
		}
	}
	return offset, rarity
}

// samplable reports whether the literal is long enough for a stride, and all
// grams that it would be found by are rare enough.
func (l *lit) samplable(stride int) bool {
	if len(l.bytes) < gramSize(l.diff)+stride-1 {
		return false
	}
	for r := range stride {
		if _, q := l.rarestGram(r, stride); q < minSampled {
			return false
		}
	}
	return true
}

func sampleGo(f *gramFilter, stride int, buf []byte, from, to int, out *[candidates]uint32) (n, next int) {
	bits, shift := f.bits, f.shift&63
	end := min(to, len(buf)-sampleSize+1)
	for p := from; p < end; p += stride {
		h := merged(load64(buf[p:p+8])) * golden >> shift
		if bits[h>>6]&(1<<(h&63)) != 0 {
			out[n%candidates] = uint32(p - from)
			if n++; n == len(out) {
				return n, p + stride
			}
		}
	}
	return n, to
}

func sampleDiffGo(f *gramFilter, stride int, buf []byte, from, to int, out *[candidates]uint32) (n, next int) {
	bits, shift := f.bits, f.shift&63
	end := min(to, len(buf)-sampleSize+1)
	for p := from; p < end; p += stride {
		h := differences64(load64(buf[p:p+8])) * golden >> shift
		if bits[h>>6]&(1<<(h&63)) != 0 {
			out[n%candidates] = uint32(p - from)
			if n++; n == len(out) {
				return n, p + stride
			}
		}
	}
	return n, to
}

// scanSamples looks at buf[from:to]; from is a multiple of the stride.
func (s *State) scanSamples(f *sampler, buf []byte, base, from, to int) {
	kernel, keyOf := sampleGo, merged
	if f.diff {
		kernel, keyOf = sampleDiffGo, differences64
	}
	for at := from; at < to; {
		n, next := kernel(&f.filter, f.stride, buf, at, to, &s.candidates)
		for _, c := range s.candidates[:n] {
			p := at + int(c)
			s.lookUp(&f.index, keyOf(load64(buf[p:])), base+p)
		}
		at = next
	}
}
