package search

import "math/bits"

// index leads from a gram to the literals that hold it. The hash of a gram is
// its home, so that the entries of one home stand together: starts[home] to
// starts[home+1]. Entries of other grams among them fall to the tag or, in
// the end, to the compare with the data.
type index struct {
	starts  []uint32
	entries []entry
	shift   uint8 // a hash's home is its top 64-shift bits
}

// entry is one place in one literal.
type entry struct {
	lit    int32
	offset int16 // of the gram in the literal
	tag    uint16
}

// gram is an entry before it has its place.
type gram struct {
	key uint64
	entry
}

// filteredIndex has a bitmap before it that tells of most grams that they are
// not there.
type filteredIndex struct {
	filter gramFilter
	index  index
}

// gramFilter is a bitmap over hashed grams: a gram has two bits in one word.
type gramFilter struct {
	words []uint64
	shift uint8 // a hash's word is its top 64-shift bits
}

// twoBits are masks of two bits, for a byte of a hash. Looking one up is
// quicker than shifting the bits there.
var twoBits = func() (masks [256]uint64) {
	for i := range masks {
		masks[i] = 1<<(i%64) | 1<<((i%64+7+13*(i/64))%64)
	}
	return masks
}()

// maskOf chooses the two bits of a hash.
func maskOf(h uint64) uint64 { return twoBits[uint8(h>>32)] }

// golden is 2^64 divided by the golden ratio: multiplying by it spreads the
// bits of a gram into the top of the product.
const golden = 0x9E3779B97F4A7C15

func newIndex(grams []gram) index {
	width := uint8(1)
	for homes := homesOf(len(grams)); 1<<width < homes; {
		width++
	}
	x := index{starts: make([]uint32, 1<<width+2), entries: make([]entry, len(grams)), shift: 64 - width}
	// Counted two places up and filled one place up, each start ends where it belongs.
	for i := range grams {
		x.starts[grams[i].key*golden>>x.shift+2]++
	}
	for i := 1; i < len(x.starts); i++ {
		x.starts[i] += x.starts[i-1]
	}
	for i := range grams {
		h := grams[i].key * golden
		at := &x.starts[h>>x.shift+1]
		x.entries[*at] = grams[i].entry
		x.entries[*at].tag = x.tagOf(h)
		*at++
	}
	return x
}

// homesOf is how many homes grams need at least: two each, or one where there
// are so many that memory is what takes the time.
func homesOf(grams int) int {
	if grams > 1<<17 {
		return grams
	}
	return 2 * grams
}

func newFilteredIndex(grams []gram) filteredIndex {
	return filteredIndex{newGramFilter(grams), newIndex(grams)}
}

// newGramFilter makes a bitmap with some 16 bits a gram, of 4 to 256 KB, or of
// 1 MB where that would let every second gram pass; there are two words where
// there are no grams.
func newGramFilter(grams []gram) gramFilter {
	width := uint8(1)
	if len(grams) > 0 {
		most := 15
		if len(grams) > 1<<18 {
			most = 17
		}
		width = uint8(min(max(bits.Len(uint(len(grams)/4)), 9), most))
	}
	f := gramFilter{make([]uint64, 1<<width), 64 - width}
	for i := range grams {
		f.add(grams[i].key)
	}
	return f
}

func (f *gramFilter) add(key uint64) {
	h := key * golden
	f.words[h>>f.shift] |= maskOf(h)
}

// bit is 0 only for grams that are not in the index, and else 1.
func (f *gramFilter) bit(key uint64) uint64 {
	h := key * golden
	missing := maskOf(h) &^ f.words[h>>(f.shift&63)]
	return (missing|-missing)>>63 ^ 1
}

// tagOf is the part of a hash below its home.
func (x *index) tagOf(h uint64) uint16 { return uint16(h >> (x.shift&63 - 16)) }

// lookUp checks the literals that hold a gram. start is where it is in the data.
func (s *State) lookUp(x *index, key uint64, start int) {
	h := key * golden
	home := h >> (x.shift & 63)
	from, to := x.starts[home], x.starts[home+1]
	if from == to {
		return
	}
	tag := x.tagOf(h)
	for _, e := range x.entries[from:to] {
		if e.tag == tag {
			s.check(&s.t.lits[e.lit], start-int(e.offset))
		}
	}
}
