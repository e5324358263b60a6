package search

import "slices"

// Windows find literals of two bytes and more. The data is seen as aligned
// pairs of bytes, and a window is three of them: six bytes at an even offset.
// For both ways a literal can lie, even and odd, one window of it is chosen;
// bytes of it beside a short literal are left open. The windows are dealt into
// buckets, and for each bucket a bit of pairs[x] says whether a window in it
// begins with the pair x, another whether one has x in the middle, a third
// whether one ends with it. A place where all three hold for some bucket is a
// candidate. So there is one look-up for every two bytes.
type windows struct {
	pairs pairTable
	any   uint32 // the bits that all pairs have
	sieve
	// byWindow leads from the six bytes of a window without open bytes to the
	// literals; byFour and byTwo from so many of their first bytes to those of
	// four to six and of two and three.
	byWindow, byFour, byTwo index
}

// sieve knows of most candidates that they are none. Assembly knows its layout.
type sieve struct {
	// windows and fours are what byWindow and byFour hold.
	windows, fours gramFilter
	// whole are the buckets of windows without open bytes, short those of
	// literals of four to six bytes, tiny those of two and three.
	whole, short, tiny uint32
}

// pairTable holds, for a pair read as a little-endian integer, the buckets
// where it may stand first, in the middle, and last: ten bits each.
type pairTable [1 << 16]uint32

const (
	buckets     = 10
	windowSize  = 6
	windowReach = 512 // bounds where in a literal windows are taken from
	// open stands for a byte of a window that may be any.
	open = -1
)

// window is a window of a literal before it is dealt.
type window struct {
	bytes  [windowSize]int16
	lit    int32
	offset int16 // where in the literal the window begins; -1 for a byte before it
	fold   bool
	best   uint8 // the rarest of its pairs
}

func newWindows(lits []lit, ids []int32) *windows {
	if len(ids) == 0 {
		return nil
	}
	whole := make([]window, 0, 2*len(ids))
	var short, even, odd []window
	for _, id := range ids {
		l := &lits[id]
		switch {
		case len(l.bytes) > windowSize:
			whole = append(whole, rarestWindow(l, id, 0), rarestWindow(l, id, 1))
		case len(l.bytes) >= 4:
			short = append(short, newWindow(l, id, 0), newWindow(l, id, -1))
		default:
			even, odd = append(even, newWindow(l, id, 0)), append(odd, newWindow(l, id, -1))
		}
	}
	w := new(windows)
	w.deal(whole, short, even, odd)
	grams, fours := windowGrams(whole), startGrams(lits, short, 4)
	byWindow, byFour := newFilteredIndex(grams), newFilteredIndex(fours)
	w.windows, w.byWindow, w.fours, w.byFour = byWindow.filter, byWindow.index, byFour.filter, byFour.index
	w.byTwo = newIndex(startGrams(lits, even, 2))
	return w
}

// deal deals the windows into buckets. Those of tiny literals have one bucket
// for each way to lie; short ones, which have open bytes and so say less, count
// three times.
func (w *windows) deal(whole, short, even, odd []window) {
	from := 0
	if len(even) > 0 {
		w.tiny = w.dealInto(even, 0, 1) | w.dealInto(odd, 1, 2)
		from = 2
	}
	share := buckets - from
	switch {
	case len(short) == 0:
		share = 0
	case len(whole) > 0:
		share = min(max(3, share*3*len(short)/(3*len(short)+len(whole))), share-3)
	}
	w.short = w.dealInto(short, from, from+share)
	w.whole = w.dealInto(whole, from+share, buckets)
	for i := range w.pairs {
		w.pairs[i] |= w.any
	}
}

// rarestWindow chooses the window without open bytes of a literal that begins
// at an offset of the given parity.
func rarestWindow(l *lit, id int32, parity int) window {
	r := rarityTable()
	best, rarest := parity, int32(-1)
	for o := parity; o+windowSize <= len(l.bytes) && o < windowReach; o += 2 {
		if q := r.ofWindow(l.bytes[o:o+windowSize], l.diff); q > rarest {
			best, rarest = o, q
		}
	}
	return newWindow(l, id, best)
}

// ofWindow is how rare a window without open bytes is. One rare pair keeps its
// bucket quiet, so it counts more than the whole.
func (r *rarities) ofWindow(b []byte, diff bool) int32 {
	var pair int32
	for i := 0; i < windowSize; i += 2 {
		pair = max(pair, r.pair(b[i], b[i+1]))
	}
	return 2*pair + r.of(b, diff)
}

func newWindow(l *lit, id int32, offset int) window {
	r := rarityTable()
	w := window{lit: id, offset: int16(offset), fold: l.fold}
	for i := range w.bytes {
		w.bytes[i] = open
		if j := offset + i; 0 <= j && j < len(l.bytes) {
			w.bytes[i] = int16(l.bytes[j])
		}
	}
	pair := int32(-1)
	for f := range 3 {
		if q := r.ofPair(w.bytes[2*f], w.bytes[2*f+1]); q > pair {
			pair, w.best = q, uint8(f)
		}
	}
	return w
}

// dealInto puts the windows into the buckets from..to-1, of which it returns the
// mask: those together that are rare at the same pair, and have similar ones
// there. So each bucket asks for one of few pairs in one place, and frequent
// pairs do not add up to candidates.
func (w *windows) dealInto(list []window, from, to int) (mask uint32) {
	if len(list) == 0 {
		return 0
	}
	mask = 1<<to - 1<<from
	order := make([]uint64, len(list)) // sorted by what is in front of the index
	for i := range list {
		order[i] = uint64(list[i].best)<<48 | uint64(uint16(list[i].bestPair()))<<32 | uint64(i)
	}
	slices.Sort(order)
	for f := range uint64(3) {
		n, _ := slices.BinarySearch(order, (f+1)<<48)
		share := to - from
		if left := int(2 - f); left > 0 && share > 1 {
			share = max(1, min(n*share/max(1, len(list)), share-left))
		}
		for i := range n {
			w.add(&list[uint32(order[i])], from+i*share/n)
		}
		order = order[n:]
		from = min(from+share, to-1)
	}
	return mask
}

func (x *window) bestPair() int { return int(x.bytes[2*x.best])<<8 | int(x.bytes[2*x.best+1]) }

// add sets the bits of a window's pairs, in every case where it folds. Those of
// open pairs are set for all pairs in the end.
func (w *windows) add(x *window, bucket int) {
	for f := range 3 {
		bit := uint32(1) << (f*buckets + bucket)
		first, second := x.bytes[2*f], x.bytes[2*f+1]
		if first == open && second == open {
			w.any |= bit
			continue
		}
		if first != open && second != open && !x.fold {
			w.pairs[int(first)|int(second)<<8] |= bit
			continue
		}
		for a := range variants(first, x.fold) {
			for b := range variants(second, x.fold) {
				w.pairs[int(a)|int(b)<<8] |= bit
			}
		}
	}
}

// variants yields the bytes that may stand where a window has c.
func variants(c int16, fold bool) func(yield func(byte) bool) {
	return func(yield func(byte) bool) {
		if c != open {
			if yield(byte(c)) && fold && isLower(byte(c)) {
				yield(byte(c) - ('a' - 'A'))
			}
			return
		}
		for i := range 256 {
			if !yield(byte(i)) {
				return
			}
		}
	}
}

func windowGrams(list []window) []gram {
	grams := make([]gram, len(list))
	for i := range list {
		x := &list[i]
		var key uint64
		for j, c := range x.bytes {
			key |= uint64(c) << (8 * j)
		}
		grams[i] = gram{merged(key), entry{lit: x.lit, offset: x.offset}}
	}
	return grams
}

// startGrams are the first size bytes of the literals of windows at offset 0.
func startGrams(lits []lit, list []window, size int) []gram {
	grams := make([]gram, 0, len(list))
	for i := range list {
		if id := list[i].lit; list[i].offset == 0 {
			var key uint64
			for j, c := range lits[id].bytes[:size] {
				key |= uint64(c) << (8 * j)
			}
			grams = append(grams, gram{merged(key), entry{lit: id}})
		}
	}
	return grams
}

const windowRoom = 16

// windowGo is the windowKernel in Go. It looks at up to three places behind to.
func windowGo(t *pairTable, buf []byte, from, to int, out *[candidates]uint32) (n, next int) {
	p := from
	x0, x1 := t[pair(buf, p)], t[pair(buf, p+2)]
	for ; p < to && p+windowRoom <= len(buf) && n <= candidates-4; p += 8 {
		w := load64(buf[p+4 : p+12])
		x2 := t[uint16(w)]
		if c := x0 & (x1 >> buckets) & (x2 >> (2 * buckets)); c != 0 {
			out[n%candidates] = uint32(p-from)<<buckets | c
			n++
		}
		x3 := t[uint16(w>>16)]
		if c := x1 & (x2 >> buckets) & (x3 >> (2 * buckets)); c != 0 {
			out[n%candidates] = uint32(p+2-from)<<buckets | c
			n++
		}
		x0 = t[uint16(w>>32)]
		if c := x2 & (x3 >> buckets) & (x0 >> (2 * buckets)); c != 0 {
			out[n%candidates] = uint32(p+4-from)<<buckets | c
			n++
		}
		x1 = t[uint16(w>>48)]
		if c := x3 & (x0 >> buckets) & (x1 >> (2 * buckets)); c != 0 {
			out[n%candidates] = uint32(p+6-from)<<buckets | c
			n++
		}
	}
	return n, p
}

func pair(b []byte, i int) uint16 { return uint16(b[i]) | uint16(b[i+1])<<8 }

func (s *State) scanWindows(w *windows, buf []byte, base, from, to int) {
	at := from
	for at < to && at+windowRoom <= len(buf) {
		n, next := s.t.kernels.window(&w.pairs, buf, at, to, &s.candidates)
		if next == at {
			n, next = windowGo(&w.pairs, buf, at, to, &s.candidates)
		}
		s.checkWindows(w, buf, base, at, n)
		at = next
	}
	if at < to {
		tail := s.padded(buf[at:])
		n, _ := windowGo(&w.pairs, tail, 0, to-at, &s.candidates)
		s.checkWindows(w, tail, base+at, 0, n)
	}
}

// padded returns the last bytes of a buffer followed by zeros, for filters
// that look further than there is data. What the zeros add is refused by the
// compare with the data.
func (s *State) padded(last []byte) []byte {
	clear(s.tail[:])
	copy(s.tail[:], last)
	return s.tail[:]
}

// checkWindows looks up the first n candidates, which are relative to from.
func (s *State) checkWindows(w *windows, buf []byte, base, from, n int) {
	n = s.t.kernels.thin(&w.sieve, buf[from:], s.candidates[:n])
	for _, c := range s.candidates[:n] {
		p := from + int(c>>buckets)
		word := merged(load64(buf[p:]))
		if c&w.whole != 0 {
			s.lookUp(&w.byWindow, word&wholeKey, base+p)
		}
		if c&w.short != 0 {
			s.lookUp(&w.byFour, word&fourKey, base+p)
			s.lookUp(&w.byFour, word>>8&fourKey, base+p+1)
		}
		if c&w.tiny != 0 {
			s.lookUp(&w.byTwo, word&twoKey, base+p)
			s.lookUp(&w.byTwo, word>>8&twoKey, base+p+1)
		}
	}
}

// The bytes of a word that are the keys of byWindow, byFour and byTwo.
const (
	wholeKey = 1<<(8*windowSize) - 1
	fourKey  = 1<<32 - 1
	twoKey   = 1<<16 - 1
)

// thinGo is the thinKernel in Go. There are many candidates, and in no order
// that the processor could guess, so it does without branches.
func thinGo(w *sieve, buf []byte, list []uint32) int {
	n := 0
	for _, c := range list {
		word := merged(load64(buf[c>>buckets:]))
		whole := w.windows.bit(word & wholeKey)
		short := w.fours.bit(word&fourKey) | w.fours.bit(word>>8&fourKey)
		list[n] = c
		n += int(whole&nonzero(c&w.whole) | short&nonzero(c&w.short) | nonzero(c&w.tiny))
	}
	return n
}

// nonzero is 1 for all but zero.
func nonzero(x uint32) uint64 { return uint64(x|-x) >> 31 }
