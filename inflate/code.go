package inflate

import "math/bits"

// An entry of a table tells what a word of a Huffman code stands for:
//
//	bits 0–4    how long the word is, with the extra bits that follow it
//	bits 8–11   how long the word is; of a link, how many bits its table looks at
//	bit  14     a link to a table for longer words
//	bit  15     neither a literal nor a base: a link, the end, or no word at all
//	bits 16–30  the literal, the base that extra bits are added to, or where the table begins
//	bit  31     a literal
type entry uint32

const (
	literal entry = 1 << 31
	special entry = 1 << 15
	link    entry = 1 << 14

	endOfBlock = special
	noWord     = special | 1<<16
	unused     = noWord | 1<<8 | 1 // that a code with a single word lacks
)

func (e entry) size() int     { return int(e & 31) }
func (e entry) wordSize() int { return int(e >> 8 & 15) }
func (e entry) value() int    { return int(e &^ literal >> 16) }

// number is the base with the extra bits behind the word.
func (e entry) number(bits uint64) int {
	return e.value() + int(bits&(1<<(e&31)-1)>>(e>>8&15))
}

const (
	maxWord = 15 // bits

	// How many bits the tables look at at once, and how many entries they have at
	// most, with those that links lead to.
	literalBits, literalEntries   = 10, 1334
	distanceBits, distanceEntries = 8, 402
	lengthBits                    = 7
)

// literals and distances are what the words of both codes stand for, without
// the lengths of the words (RFC 1951, 3.2.5).
var literals, distances = func() (l [288]entry, d [32]entry) {
	for i := range 256 {
		l[i] = literal | entry(i)<<16
	}
	l[256] = endOfBlock
	for i, base := 0, 3; i < 28; i++ {
		extra := max(0, i/4-1)
		l[257+i] = entry(base<<16 | extra)
		base += 1 << extra
	}
	l[285], l[286], l[287] = 258<<16, noWord, noWord
	for i, base := 0, 1; i < 30; i++ {
		extra := max(0, i/2-1)
		d[i] = entry(base<<16 | extra)
		base += 1 << extra
	}
	d[30], d[31] = noWord, noWord
	return l, d
}()

// itself is what a word stands for where that is its symbol, as in the code that the
// others are written in.
var itself = func() (s [288]entry) {
	for i := range s {
		s[i] = entry(i << 16)
	}
	return s
}()

// build makes the table of a code that looks at so many bits from the sizes of
// its words, and reports whether there is such a code. One with a single word of
// one bit may lack the other; one without any words is none only once it is used.
func build(table []entry, looks int, sizes []uint8, meanings []entry) bool {
	var left [maxWord + 1]int // words of each size
	for _, n := range sizes {
		left[n]++
	}
	words := len(sizes) - left[0]
	left[0] = 0
	switch room := room(&left); {
	case room < 0, room > 0 && (words > 1 || left[1] != words):
		return false
	case room > 0:
		for i := range table[:1<<looks] {
			table[i] = unused
		}
	}
	var sorted [288]uint16
	sort(sorted[:], sizes, left)
	end, prefix, from, more := 1<<looks, -1, 0, 0
	word, size := 0, 1
	for _, symbol := range sorted[:words] {
		for ; size < int(sizes[symbol]); size++ {
			word <<= 1
		}
		reversed := int(bits.Reverse16(uint16(word)) >> (16 - size)) // as it is read
		e := meanings[symbol] + entry(size<<8|size)
		if size <= looks {
			spread(table[:1<<looks], reversed, size, e)
		} else {
			if head := reversed & (1<<looks - 1); head != prefix {
				prefix, from, more = head, end, tailBits(&left, looks, size)
				end += 1 << more
				table[prefix] = special | link | entry(from<<16|more<<8)
			}
			spread(table[from:from+1<<more], reversed>>looks, size-looks, e)
		}
		left[size]--
		word++
	}
	return true
}

// room is what words leave for others, in words of the largest size; below zero
// where there are too many of them.
func room(words *[maxWord + 1]int) int {
	room := 1
	for _, n := range words[1:] {
		if room = 2*room - n; room < 0 {
			break
		}
	}
	return room
}

// tailBits is how many bits the longest word has behind the first ones that it
// shares with the next word, of this size. The words that are left, by size, take
// all the room that there is.
func tailBits(left *[maxWord + 1]int, looks, size int) int {
	n := size - looks
	for taken := left[size]; taken < 1<<n; {
		n++
		taken = 2*taken + left[looks+n]
	}
	return n
}

// spread puts an entry wherever the first bits are the word.
func spread(table []entry, word, size int, e entry) {
	for i := word; i < len(table); i += 1 << size {
		table[i] = e
	}
}

// sort lists the symbols that have words, those with short ones first.
func sort(sorted []uint16, sizes []uint8, count [maxWord + 1]int) {
	at := 0
	for i, n := range count {
		count[i], at = at, at+n
	}
	for symbol, n := range sizes {
		if n > 0 {
			sorted[count[n]] = uint16(symbol)
			count[n]++
		}
	}
}
