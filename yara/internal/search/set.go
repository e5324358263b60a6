package search

// set finds a set of literals in data. Those of xor needles are found in the
// plane of differences: XORing all bytes with one key does not change how
// neighbours differ, so one literal stands for all keys.
type set struct {
	plain, diff plane
}

// plane is the filters for literals that are found in the same bytes. The
// literals are split among the filters, so each is found by one of them; where
// there is rare too, it stands for all others until the data is noisy.
type plane struct {
	rare    []rareByte // all literals, where they are few
	samples *sampler   // the long ones
	windows *windows   // the others
	tiny    *tiny      // those of less than four bytes
}

// fewLits is how many literals are found faster by looking for the rarest
// byte of each on its own.
const fewLits = 8

// longLit is the least length of a literal that samples find.
const longLit = sampleStride + sampleSize - 1

// noise is how many bytes of data there must be for each that is one of the
// rare ones; where there are less, looking for rare bytes is not worth it.
const noise = 24

// manyLits is how many literals are too many for windows alone.
const manyLits = 256

// newSet makes the set of the literals ids, an index into lits each. eager is
// set for a set that is kept for many targets, and so may be large.
func newSet(lits []lit, ids []int32, eager bool) *set {
	var plain, diff []int32
	for _, id := range ids {
		if lits[id].diff {
			diff = append(diff, id)
		} else {
			plain = append(plain, id)
		}
	}
	return &set{plain: newPlane(lits, plain, eager), diff: newPlane(lits, diff, false)}
}

func newPlane(lits []lit, ids []int32, eager bool) plane {
	var pl plane
	switch {
	case len(ids) == 0:
	case len(ids) <= fewLits:
		pl.rare = newRare(lits, ids)
		if eager {
			pl.split(lits, ids)
		}
	default:
		pl.split(lits, ids)
	}
	return pl
}

// split gives each literal to a filter.
func (pl *plane) split(lits []lit, ids []int32) {
	var long, short, tiny []int32
	for _, id := range ids {
		switch b := lits[id].bytes; {
		case len(b) < 4:
			tiny = append(tiny, id)
		case len(b) >= longLit && len(ids) > manyLits && samplable(b):
			long = append(long, id)
		default:
			short = append(short, id)
		}
	}
	pl.samples, pl.windows, pl.tiny = newSampler(lits, long), newWindows(lits, short), newTiny(lits, tiny)
}

func (pl *plane) empty() bool { return pl.rare == nil && !pl.filters() }

// filters reports whether there is another way than rare.
func (pl *plane) filters() bool { return pl.samples != nil || pl.windows != nil || pl.tiny != nil }

// scan looks for a set in all data, block by block, until the context ends it
// or the one pattern looked for wants no more.
func (s *State) scan(set *set, progress func(int64)) {
	s.scanRange(set, 0, len(s.data), progress)
}

func (s *State) scanRange(set *set, begin, end int, progress func(int64)) {
	for from := begin; from < end && !s.interrupted(); from += blockSize {
		to := min(from+blockSize, end)
		s.scanBlock(set, from, to)
		if progress != nil {
			progress(int64(to))
		}
		if s.alone >= 0 && s.status[s.alone]&closed != 0 {
			return
		}
	}
}

func (s *State) scanBlock(set *set, from, to int) {
	if !set.plain.empty() {
		s.scanPlane(&set.plain, s.data, 0, from, to)
	}
	if !set.diff.empty() && from+1 < len(s.data) {
		d := s.difference(from, min(to+lookahead, len(s.data)))
		s.scanPlane(&set.diff, d, from, 0, min(to-from, len(d)))
	}
}

// lookahead is how far filters look beyond the block they are at, at most.
const lookahead = 16

// difference puts the differences of data[from:to] into the scratch.
func (s *State) difference(from, to int) []byte {
	n := to - from - 1
	if cap(s.diffs) < n {
		s.diffs = make([]byte, blockSize+lookahead)
	}
	d := s.diffs[:n]
	src := s.data[from:to]
	i := 0
	for ; i+8 <= n; i += 8 {
		put64(d[i:], load64(src[i:])^load64(src[i+1:]))
	}
	for ; i < n; i++ {
		d[i] = src[i] ^ src[i+1]
	}
	return d
}

// scanPlane looks for literals of which the first byte that a filter looks at
// lies in buf[from:to]. Offset i of buf is offset base+i of the data.
func (s *State) scanPlane(pl *plane, buf []byte, base, from, to int) {
	if pl.rare != nil && !(s.noisy && pl.filters()) {
		seen := s.scanRare(pl.rare, buf, base, from, to)
		if !pl.filters() || seen*noise < to-from {
			return
		}
		// The filters cut the data differently: go back far enough.
		s.noisy = true
		from = max(0, from-blockSize)
	}
	if pl.samples != nil {
		s.scanSamples(pl.samples, buf, base, from, to)
	}
	if pl.windows != nil {
		s.scanWindows(pl.windows, buf, base, from, to)
	}
	if pl.tiny != nil {
		s.scanTiny(pl.tiny, buf, base, from, to)
	}
}
