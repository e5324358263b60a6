package search

import "bytes"

// rarePair finds a literal by its two rarest bytes: for a few literals that is
// the fastest, since a machine compares many places at once with two bytes.
// Where the pair turns out to be frequent, the state turns to other means (see
// scanPlane).
type rarePair struct {
	bytePair
	lit    int32
	offset int // of the first byte in the literal
}

// bytePair is two bytes at a distance. Assembly knows its layout.
type bytePair struct {
	// first is at a place, second at distance from it. A mask clears the bit
	// that tells the cases of a letter apart where the literal folds, and no
	// bit otherwise.
	first, firstMask, second, secondMask byte
	distance                             int
}

// bothCases clears the bit that upper and lower case differ in.
const bothCases = 0xFF &^ ('a' ^ 'A')

func newRare(lits []lit, ids []int32) []rarePair {
	if len(ids) == 0 {
		return nil
	}
	list := make([]rarePair, len(ids))
	for i, id := range ids {
		list[i] = rarestPair(&lits[id])
		list[i].lit = id
	}
	return list
}

func rarestPair(l *lit) rarePair {
	r := rarityTable()
	b := l.bytes[:min(len(l.bytes), sampleReach)]
	rarest := func(but int) int {
		at, least := but, float32(2)
		for i, c := range b {
			f := r.frequency(c, l.diff)
			if l.folds(c) {
				f += r.frequency(c-('a'-'A'), false)
			}
			if i != but && f < least {
				at, least = i, f
			}
		}
		return at
	}
	first := rarest(-1)
	second := rarest(first)
	x := rarePair{offset: first}
	x.first, x.firstMask = b[first], l.maskOf(b[first])
	x.second, x.secondMask = b[second], l.maskOf(b[second])
	x.distance = second - first
	return x
}

// folds reports whether c stands for two bytes.
func (l *lit) folds(c byte) bool { return l.fold && isLower(c) }

func (l *lit) maskOf(c byte) byte {
	if l.folds(c) {
		return bothCases
	}
	return 0xFF
}

// within narrows from..to to the places whose pair, and reach bytes behind
// each byte of it, lie in size bytes.
func (x *bytePair) within(from, to, size, reach int) (int, int) {
	return max(from, -x.distance), min(to, size-reach-max(0, x.distance))
}

// scanRare checks each literal wherever its pair begins in buf[from:to], and
// returns how often one did.
func (s *State) scanRare(list []rarePair, buf []byte, base, from, to int) (seen int) {
	for i := range list {
		x := &list[i]
		from, to := x.within(from, to, len(buf), 0)
		seen += s.scanPair(x, s.t.kernels.pair, pairGo, buf, base, from, to)
	}
	return seen
}

// scanRareDiff does that for literals of differences, without those being made.
func (s *State) scanRareDiff(list []rarePair, from, to int) {
	for i := range list {
		x := &list[i]
		from, to := x.within(from, to, len(s.data), 1)
		s.scanPair(x, s.t.kernels.pairDiff, pairDiffGo, s.data, 0, from, to)
	}
}

// scanPair checks the literal of a pair; rest takes the last places, which
// kernel leaves.
func (s *State) scanPair(x *rarePair, kernel, rest pairKernel, buf []byte, base, from, to int) (seen int) {
	l := &s.t.lits[x.lit]
	for at := from; at < to && s.status[l.pattern]&closed == 0; {
		n, next := kernel(&x.bytePair, buf, at, to, &s.candidates)
		if next == at {
			n, next = rest(&x.bytePair, buf, at, to, &s.candidates)
		}
		for _, c := range s.candidates[:n] {
			s.check(l, base+at+int(c)-x.offset)
		}
		seen += n
		at = next
	}
	return seen
}

// pairGo is the pairKernel in Go: the standard library looks for one byte with
// all the machine's width.
func pairGo(x *bytePair, buf []byte, from, to int, out *[candidates]uint32) (n, next int) {
	find := func(c byte, from int) int {
		if i := bytes.IndexByte(buf[from:to], c); i >= 0 {
			return from + i
		}
		return to
	}
	p, other := find(x.first, from), to
	if x.firstMask == bothCases {
		other = find(x.first^^x.firstMask, from)
	}
	for {
		at := min(p, other)
		if at >= to {
			return n, to
		}
		if (buf[at+x.distance]^x.second)&x.secondMask == 0 {
			out[n] = uint32(at - from)
			if n++; n == len(out) {
				return n, at + 1
			}
		}
		if at == p {
			p = find(x.first, at+1)
		} else {
			other = find(x.first^^x.firstMask, at+1)
		}
	}
}

// pairDiffGo is the pairKernel in Go for differences of neighbouring bytes.
func pairDiffGo(x *bytePair, buf []byte, from, to int, out *[candidates]uint32) (n, next int) {
	first, second := uint64(x.first)*ones, uint64(x.second)*ones
	here := func(p int) bool {
		q := p + x.distance
		return buf[p]^buf[p+1] == x.first && buf[q]^buf[q+1] == x.second
	}
	for p := from; p < to; {
		if q := p + x.distance; p+8 <= to && !hasZero(load64(buf[p:])^load64(buf[p+1:])^first|load64(buf[q:])^load64(buf[q+1:])^second) {
			p += 8
			continue
		}
		if here(p) {
			out[n] = uint32(p - from)
			if n++; n == len(out) {
				return n, p + 1
			}
		}
		p++
	}
	return n, to
}
