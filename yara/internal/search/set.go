package search

import "sync"

// set finds a set of literals in data. Those of xor needles are found by their
// differences: XORing all bytes with one key does not change how neighbours
// differ, so one literal stands for all keys.
type set struct {
	plain plane
	// The literals of xor needles: all of them where they are few, or the long
	// ones and the others.
	fewXors *triples
	xors    *sampler
	diff    plane
}

// plane finds literals in the data, or in its differences. The literals are
// split among the filters, so each is found by one of them.
type plane struct {
	filters
	// few are all literals where they are few. Then there are no filters until
	// the data is noisy; spare makes them, or is nil where that is not done.
	few   []rarePair
	spare func() *filters
	// triples find all literals where they are more than those, but not many.
	triples *triples
}

// filters are the ways to find many literals.
type filters struct {
	singles []rarePair // those of one byte
	samples *sampler   // the long ones
	windows *windows   // the others
}

// fewLits is how many literals are found faster by looking for the rarest
// bytes of each on their own; fewerLits where the machine knows triples.
const (
	fewLits   = 8
	fewerLits = 3
)

// noise is how many bytes of data there must be for each rare pair; where there
// are less, looking for them is not worth it.
const noise = 24

// manyLits is how many literals are too many for windows alone.
const manyLits = 256

// newSet makes the set of the literals ids. eager is set for a set that is kept
// for many targets, and so may be large.
func (t *Tables) newSet(ids []int32, eager bool) *set {
	plain := make([]int32, 0, len(ids))
	var xor []int32
	for _, id := range ids {
		if t.lits[id].diff {
			xor = append(xor, id)
		} else {
			plain = append(plain, id)
		}
	}
	s := &set{plain: t.newPlane(plain, eager)}
	if t.kernels.tripleDiff != nil {
		s.fewXors = newTriples(t.lits, xor)
	}
	if s.fewXors == nil {
		t.addXors(s, xor)
	}
	return s
}

// addXors splits the literals of xor needles by what finds them.
func (t *Tables) addXors(s *set, xor []int32) {
	size := diffSize(t.lits, xor)
	var long []sampled
	var short []int32
	for _, id := range xor {
		if offsets, ok := t.lits[id].rarestGrams(size); ok {
			long = append(long, sampled{id, offsets})
		} else {
			short = append(short, id)
		}
	}
	s.xors, s.diff = newSampler(t.lits, long, size), t.newPlane(short, false)
}

// newPlane makes what finds the literals. spare says whether noisy data is worth
// other means than few.
func (t *Tables) newPlane(ids []int32, spare bool) plane {
	few := fewLits
	if t.kernels.triple != nil {
		few = fewerLits
	}
	if len(ids) > few && t.kernels.triple != nil && !t.lits[ids[0]].diff {
		if f := newTriples(t.lits, ids); f != nil {
			return plane{triples: f}
		}
	}
	if len(ids) > fewLits {
		return plane{filters: *newFilters(t.lits, ids)}
	}
	pl := plane{few: newRare(t.lits, ids)}
	if spare && pl.few != nil {
		pl.spare = sync.OnceValue(func() *filters { return newFilters(t.lits, ids) })
	}
	return pl
}

func newFilters(lits []lit, ids []int32) *filters {
	long, short := make([]sampled, 0, len(ids)), make([]int32, 0, len(ids))
	var single []int32
	for _, id := range ids {
		l := &lits[id]
		if len(l.bytes) == 1 {
			single = append(single, id)
			continue
		}
		if len(ids) > manyLits && !l.diff {
			if offsets, ok := l.rarestGrams(sampleSize); ok {
				long = append(long, sampled{id, offsets})
				continue
			}
		}
		short = append(short, id)
	}
	return &filters{newRare(lits, single), newSampler(lits, long, sampleSize), newWindows(lits, short)}
}

func (pl *plane) empty() bool {
	return pl.few == nil && pl.triples == nil && pl.singles == nil && pl.samples == nil && pl.windows == nil
}

// scan looks for a set in all data, block by block, until the context ends it
// or the one pattern looked for wants no more.
func (s *State) scan(set *set, progress func(int64)) {
	for from := 0; from < len(s.data) && !s.interrupted(); from += blockSize {
		to := min(from+blockSize, len(s.data))
		s.scanBlock(set, from, to)
		if progress != nil {
			progress(int64(to))
		}
		if s.alone >= 0 && s.status[s.alone]&closed != 0 {
			return
		}
	}
	s.settle()
}

func (s *State) scanBlock(set *set, from, to int) {
	if !set.plain.empty() {
		s.scanPlane(&set.plain, s.data, 0, from, to)
	}
	if set.fewXors != nil {
		s.scanTriples(set.fewXors, s.data, 0, from, to)
	}
	if set.xors != nil {
		s.scanSamples(set.xors, s.data, 0, from, to)
	}
	if set.diff.few != nil {
		s.scanRareDiff(set.diff.few, from, to)
	} else if !set.diff.empty() && from+1 < len(s.data) {
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
	f := &pl.filters
	if pl.triples != nil {
		s.scanTriples(pl.triples, buf, base, from, to)
		return
	}
	if pl.few != nil {
		if !s.noisy || pl.spare == nil {
			seen := s.scanRare(pl.few, buf, base, from, to)
			if seen*noise < to-from || pl.spare == nil {
				return
			}
			// Filters cut the data differently: go back far enough.
			from = max(0, from-blockSize)
			s.noisy = true
		}
		f = pl.spare()
	}
	if f.singles != nil {
		s.scanRare(f.singles, buf, base, from, to)
	}
	if f.samples != nil {
		s.scanSamples(f.samples, buf, base, from, to)
	}
	if f.windows != nil {
		s.scanWindows(f.windows, buf, base, from, to)
	}
}
