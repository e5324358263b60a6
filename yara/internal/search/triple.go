package search

import (
	"cmp"
	"slices"
)

// triples find a few literals by their three rarest neighbouring bytes. The
// literals are dealt into eight buckets, a bit each, and tables say which
// buckets have a byte with some low half, and with some high half, in each of
// the three places: sixteen entries, which a machine looks up for many bytes at
// once. A place where all six have a bit in common is a candidate.
type triples struct {
	masks   tripleMasks
	diff    bool
	buckets [8][]triple
}

// tripleMasks are, for each of three neighbouring bytes, the buckets by the
// byte's low and by its high half. Assembly knows its layout.
type tripleMasks [3]struct{ low, high [16]byte }

// triple is one literal and what its three bytes are, read as a little-endian
// integer: data&mask is value.
type triple struct {
	mask, value uint32
	lit         int32
	offset      int
}

const (
	tripleSize = 3
	// mostTriples is how many literals other means find as fast.
	mostTriples = 32
	// minTriple is the rarity, in bits, below which three bytes are found all
	// over, minTripleDiff that of differences.
	minTriple     = 14
	minTripleDiff = 10
)

// newTriples makes what finds the literals, all of differences or none. It is
// nil where that is not the means: there are too many, or one is too short or
// has nothing rare.
func newTriples(lits []lit, ids []int32) *triples {
	if len(ids) == 0 || len(ids) > mostTriples {
		return nil
	}
	f := &triples{diff: lits[ids[0]].diff}
	list := make([]triple, 0, len(ids))
	for _, id := range ids {
		x, ok := rarestTriple(&lits[id])
		if !ok {
			return nil
		}
		x.lit = id
		list = append(list, x)
	}
	// Neighbours in this order have bytes in common, which keeps a bucket quiet.
	slices.SortFunc(list, func(a, b triple) int { return cmp.Compare(a.value, b.value) })
	for i := range list {
		f.add(&list[i], i*len(f.buckets)/len(list))
	}
	return f
}

func (f *triples) add(x *triple, bucket int) {
	f.buckets[bucket] = append(f.buckets[bucket], *x)
	for i := range f.masks {
		value, mask := byte(x.value>>(8*i)), byte(x.mask>>(8*i))
		for c := range 256 {
			if byte(c)&mask == value {
				f.masks[i].low[c&0xF] |= 1 << bucket
				f.masks[i].high[c>>4] |= 1 << bucket
			}
		}
	}
}

func rarestTriple(l *lit) (x triple, ok bool) {
	r, b := rarityTable(), l.bytes[:min(len(l.bytes), sampleReach)]
	best, least := int32(-1), int32(minTriple*rarityBit)
	if l.diff {
		least = minTripleDiff * rarityBit
	}
	for o := 0; o+tripleSize <= len(b); o++ {
		if q := r.of(b[o:o+tripleSize], l.diff); q > best {
			best, x.offset = q, o
		}
	}
	if best < least {
		return x, false
	}
	for i, c := range b[x.offset : x.offset+tripleSize] {
		mask := l.maskOf(c)
		x.mask |= uint32(mask) << (8 * i)
		x.value |= uint32(c&mask) << (8 * i)
	}
	return x, true
}

// tripleGo is the tripleKernel in Go.
func tripleGo(m *tripleMasks, buf []byte, from, to int, out *[candidates]uint32) (n, next int) {
	for p := from; p < to; p++ {
		if c := m.at(buf[p], buf[p+1], buf[p+2]); c != 0 {
			out[n] = uint32(p-from)<<8 | uint32(c)
			if n++; n == len(out) {
				return n, p + 1
			}
		}
	}
	return n, to
}

// tripleDiffGo is that for differences of neighbouring bytes.
func tripleDiffGo(m *tripleMasks, buf []byte, from, to int, out *[candidates]uint32) (n, next int) {
	for p := from; p < to; p++ {
		if c := m.at(buf[p]^buf[p+1], buf[p+1]^buf[p+2], buf[p+2]^buf[p+3]); c != 0 {
			out[n] = uint32(p-from)<<8 | uint32(c)
			if n++; n == len(out) {
				return n, p + 1
			}
		}
	}
	return n, to
}

// at is the buckets that may have the bytes.
func (m *tripleMasks) at(a, b, c byte) byte {
	return m[0].low[a&0xF] & m[0].high[a>>4] & m[1].low[b&0xF] & m[1].high[b>>4] & m[2].low[c&0xF] & m[2].high[c>>4]
}

// scanTriples looks at buf[from:to].
func (s *State) scanTriples(f *triples, buf []byte, base, from, to int) {
	kernel, rest, reach := s.t.kernels.triple, tripleKernel(tripleGo), tripleSize
	if f.diff {
		kernel, rest, reach = s.t.kernels.tripleDiff, tripleDiffGo, tripleSize+1
	}
	to = min(to, len(buf)-reach+1)
	for at := from; at < to; {
		n, next := kernel(&f.masks, buf, at, to, &s.candidates)
		if next == at {
			n, next = rest(&f.masks, buf, at, to, &s.candidates)
		}
		for _, c := range s.candidates[:n] {
			s.checkTriple(f, buf, base, at+int(c>>8), uint8(c))
		}
		at = next
	}
}

// checkTriple checks the literals of the buckets that have a bit in mask.
func (s *State) checkTriple(f *triples, buf []byte, base, p int, mask uint8) {
	word := uint32(buf[p]) | uint32(buf[p+1])<<8 | uint32(buf[p+2])<<16
	if f.diff {
		word ^= word>>8 | uint32(buf[p+3])<<16
	}
	for bucket := 0; mask != 0; bucket, mask = bucket+1, mask>>1 {
		if mask&1 == 0 {
			continue
		}
		for i := range f.buckets[bucket] {
			if x := &f.buckets[bucket][i]; word&x.mask == x.value {
				s.check(&s.t.lits[x.lit], base+p-x.offset)
			}
		}
	}
}
