package search

// A sampler finds long literals by looking at every eighth byte only: of a
// literal of 15 bytes and more, one 8-byte gram begins at such a place,
// wherever the literal lies. For each of the eight ways it can lie, the rarest
// gram is chosen. A bitmap of hashed grams tells at once that there is none at
// a place; what is left goes to the index.
type sampler struct {
	filteredIndex
}

const (
	sampleSize   = 8 // bytes of a gram
	sampleStride = 8 // bytes between looks
	// sampleReach bounds where in a literal grams are taken from.
	sampleReach = 512
)

// sampleKernel looks at every sampleStride-th byte of buf[from:to] and puts
// the places that pass the filter into out, relative to from, until out is
// full. It returns their number and where to go on. Assembly may stand in for
// sampleGo.
type sampleKernel func(f *gramFilter, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

func newSampler(lits []lit, ids []int32) *sampler {
	if len(ids) == 0 {
		return nil
	}
	grams := make([]gram, 0, len(ids)*sampleStride)
	for _, id := range ids {
		b := lits[id].bytes
		for r := range sampleStride {
			o, _ := rarestGram(b, r)
			grams = append(grams, gram{merged(load64(b[o:])), entry{lit: id, offset: int16(o)}})
		}
	}
	return &sampler{newFilteredIndex(grams)}
}

// rarestGram returns the offset of the rarest gram of b among those at r
// modulo sampleStride, and how rare it is.
func rarestGram(b []byte, r int) (int, float32) {
	rarities, offset, rarity := rarityTable(), 0, float32(-1)
	for o := r; o+sampleSize <= len(b) && o < sampleReach; o += sampleStride {
		if q := rarities.of(b[o : o+sampleSize]); q > rarity {
			offset, rarity = o, q
		}
	}
	return offset, rarity
}

// minSampled is the rarity (see rarities.of) below which a gram would be found
// all over: a run of zeros, for one.
const minSampled = 20

// samplable reports whether all grams that b would be found by are rare enough.
func samplable(b []byte) bool {
	for r := range sampleStride {
		if _, q := rarestGram(b, r); q < minSampled {
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

func (s *State) scanSamples(f *sampler, buf []byte, base, from, to int) {
	for at := from; at < to; {
		n, next := sampleGo(&f.filter, buf, at, to, &s.candidates)
		for _, c := range s.candidates[:n] {
			p := at + int(c)
			s.lookUp(&f.index, merged(load64(buf[p:])), base+p)
		}
		at = next
	}
}
