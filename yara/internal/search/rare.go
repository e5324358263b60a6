package search

import "bytes"

// rareByte finds a literal by its rarest byte: for a few literals that is the
// fastest, since the standard library looks for one byte with all the
// machine's width. Where the byte turns out to be frequent, the state turns to
// other means (see scanRare).
type rareByte struct {
	lit    int32
	offset int
	// b is the byte at offset, other its upper case where the literal folds;
	// otherwise they are equal.
	b, other byte
	// second is another byte of the literal, at distance from the first, that
	// is compared before anything else.
	second   byte
	distance int
}

func newRare(lits []lit, ids []int32) []rareByte {
	if len(ids) == 0 {
		return nil
	}
	list := make([]rareByte, len(ids))
	for i, id := range ids {
		list[i] = rarestByte(&lits[id])
		list[i].lit = id
	}
	return list
}

func rarestByte(l *lit) rareByte {
	r := rarityTable()
	b := l.bytes[:min(len(l.bytes), sampleReach)]
	cost := func(i int) float32 {
		f := r.frequency(b[i], l.diff)
		if l.fold && isLower(b[i]) {
			// Two bytes to look for, each at its own cost.
			f += r.frequency(b[i]-('a'-'A'), false) + 0.005
		}
		return f
	}
	first, second := 0, -1
	for i := range b {
		if cost(i) < cost(first) {
			first = i
		}
	}
	for i := range b {
		if i != first && (second < 0 || cost(i) < cost(second)) {
			second = i
		}
	}
	if second < 0 {
		second = first
	}
	x := rareByte{offset: first, b: b[first], other: b[first], second: b[second], distance: second - first}
	if l.fold && isLower(x.b) {
		x.other -= 'a' - 'A'
	}
	return x
}

// scanRare checks each literal wherever its rarest byte is in buf[from:to],
// and returns how often one was.
func (s *State) scanRare(list []rareByte, buf []byte, base, from, to int) (seen int) {
	for i := range list {
		r := &list[i]
		if s.status[s.t.lits[r.lit].pattern]&closed != 0 {
			continue
		}
		seen += s.scanByte(r, r.b, buf, base, from, to)
		if r.other != r.b {
			seen += s.scanByte(r, r.other, buf, base, from, to)
		}
	}
	return seen
}

// scanByte checks the literal at every c in buf[from:to].
func (s *State) scanByte(r *rareByte, c byte, buf []byte, base, from, to int) (seen int) {
	l := &s.t.lits[r.lit]
	for at := from; at < to; at++ {
		i := bytes.IndexByte(buf[at:to], c)
		if i < 0 {
			break
		}
		at += i
		seen++
		j := at + r.distance
		if uint(j) < uint(len(buf)) && (buf[j] == r.second || l.fold) {
			s.check(l, base+at-r.offset)
		}
	}
	return seen
}
