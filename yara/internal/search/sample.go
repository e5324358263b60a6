package search

// A sampler finds long literals by looking at every eighth byte only: of a
// literal of 15 bytes and more, a gram of eight begins at such a place,
// wherever the literal lies. For each of the eight ways it can lie, the rarest
// gram is chosen. A bitmap of hashed grams tells at once that there is none at a
// place; what is left goes to the index.
//
// For xor needles the grams are of seven differences, which eight bytes have.
type sampler struct {
	filteredIndex
	diff bool
}

const (
	sampleSize   = 8 // bytes that are looked at
	sampleStride = 8 // bytes between looks
	// sampleReach bounds where in a literal grams are taken from.
	sampleReach = 512
	// minSampled is the rarity, in bits, below which a gram would be found all
	// over: a run of zeros, for one.
	minSampled = 20
)

// sampleKernel looks at every sampleStride-th byte of buf[from:to] and puts the
// places that pass the filter into out, relative to from, until out is full.
// It returns their number and where to go on. Assembly may stand in for
// sampleGo and sampleDiffGo.
type sampleKernel func(f *gramFilter, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

var _, _ sampleKernel = sampleGo, sampleDiffGo

// gramSize is how many of a literal's bytes are a gram.
func gramSize(diff bool) int {
	if diff {
		return sampleSize - 1
	}
	return sampleSize
}

// newSampler makes a sampler of literals that are all samplable, and either all
// of differences or none.
func newSampler(lits []lit, ids []int32) *sampler {
	if len(ids) == 0 {
		return nil
	}
	diff := lits[ids[0]].diff
	grams := make([]gram, 0, len(ids)*sampleStride)
	for _, id := range ids {
		l := &lits[id]
		for r := range sampleStride {
			o, _ := l.rarestGram(r)
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
	return &sampler{newFilteredIndex(grams), diff}
}

// rarestGram returns the offset of the rarest gram among those at r modulo
// sampleStride, and how rare it is.
func (l *lit) rarestGram(r int) (offset int, rarity float32) {
	table, size := rarityTable(), gramSize(l.diff)
	rarity = -1
	for o := r; o+size <= len(l.bytes) && o < sampleReach; o += sampleStride {
		if q := table.of(l.bytes[o:o+size], l.diff); q > rarity {
			offset, rarity = o, q
		}
	}
	return offset, rarity
}

// samplable reports whether the literal is long enough, and all grams that it
// would be found by are rare enough.
func (l *lit) samplable() bool {
	if len(l.bytes) < gramSize(l.diff)+sampleStride-1 {
		return false
	}
	for r := range sampleStride {
		if _, q := l.rarestGram(r); q < minSampled {
			return false
		}
	}
	return true
}

func sampleGo(f *gramFilter, buf []byte, from, to int, out *[candidates]uint32) (n, next int) {
	bits, shift := f.bits, f.shift&63
	end := min(to, len(buf)-sampleSize+1)
	for p := from; p < end; p += sampleStride {
		h := merged(load64(buf[p:p+8])) * golden >> shift
		if bits[h>>6]&(1<<(h&63)) != 0 {
			out[n%candidates] = uint32(p - from)
			if n++; n == len(out) {
				return n, p + sampleStride
			}
		}
	}
	return n, to
}

func sampleDiffGo(f *gramFilter, buf []byte, from, to int, out *[candidates]uint32) (n, next int) {
	bits, shift := f.bits, f.shift&63
	end := min(to, len(buf)-sampleSize+1)
	for p := from; p < end; p += sampleStride {
		h := differences64(load64(buf[p:p+8])) * golden >> shift
		if bits[h>>6]&(1<<(h&63)) != 0 {
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
	kernel, keyOf := sampleGo, merged
	if f.diff {
		kernel, keyOf = sampleDiffGo, differences64
	}
	for at := from; at < to; {
		n, next := kernel(&f.filter, buf, at, to, &s.candidates)
		for _, c := range s.candidates[:n] {
			p := at + int(c)
			s.lookUp(&f.index, keyOf(load64(buf[p:])), base+p)
		}
		at = next
	}
}
