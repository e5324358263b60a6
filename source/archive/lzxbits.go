package archive

import (
	"encoding/binary"
	"io"
)

// lzxBits reads 16-bit words, lowest byte first, from their highest bit on.
type lzxBits struct {
	in    []byte
	at    int    // what of it was read
	acc   uint64 // the next n bits are its highest
	n     uint
	ended int // words beyond the input that were read
	err   error
}

// feed adds input to what is left. No bits are pending.
func (b *lzxBits) feed(in []byte) {
	if left := b.in[b.at:]; len(left) > 0 {
		in = append(append([]byte(nil), left...), in...)
	}
	b.in, b.at, b.ended = in, 0, 0
}

// need sees to it that n bits are there, 17 at most. A reader may look at bits
// beyond the end, but not use them.
func (b *lzxBits) need(n uint) {
	for b.n < n {
		word := uint64(0)
		switch {
		case b.at+2 <= len(b.in):
			word = uint64(binary.LittleEndian.Uint16(b.in[b.at:]))
			b.at += 2
		default:
			b.ended++
		}
		b.acc |= word << (48 - b.n)
		b.n += 16
	}
}

func (b *lzxBits) drop(n uint) {
	b.acc <<= n
	if b.n -= n; b.n < 16*uint(b.ended) {
		b.err = io.ErrUnexpectedEOF
	}
}

// take reads n bits, 17 at most.
func (b *lzxBits) take(n uint) uint32 {
	if n == 0 {
		return 0
	}
	b.need(n)
	v := uint32(b.acc >> (64 - n))
	b.drop(n)
	return v
}

// align passes over the rest of a word, and gives words back that were looked at.
func (b *lzxBits) align() {
	words := int(b.n / 16)
	beyond := min(words, b.ended)
	b.at -= 2 * (words - beyond)
	b.ended -= beyond
	b.acc, b.n = 0, 0
}

// pad does the same, and passes over a whole word where there is no rest.
func (b *lzxBits) pad() {
	b.need(1)
	if b.n%16 == 0 {
		b.drop(16)
	}
	b.align()
}

// raw appends n bytes as they are. No bits are pending.
func (b *lzxBits) raw(to []byte, n int) ([]byte, error) {
	got := min(n, len(b.in)-b.at)
	to = append(to, b.in[b.at:b.at+got]...)
	b.at += got
	if got < n {
		return to, io.ErrUnexpectedEOF
	}
	return to, nil
}

// skip passes over one byte. No bits are pending.
func (b *lzxBits) skip() { b.at = min(b.at+1, len(b.in)) }

// prefixTree is a canonical prefix code: codes of one length are counted up by
// symbol, behind all shorter ones.
type prefixTree struct {
	symbols []uint16       // by code
	count   [17]int        // of the codes of each length
	fast    [fastBits]fast // by the first bits
}

// fast is the symbol of a short code; its length is 0 where the code is long.
type fast struct {
	symbol uint16
	length uint8
}

const (
	fastLength = 9
	fastBits   = 1 << fastLength
)

// build makes the code of which the lengths are given, 0 for symbols that have none.
func (t *prefixTree) build(lengths []uint8) error {
	t.count, t.fast = [17]int{}, [fastBits]fast{}
	for _, n := range lengths {
		t.count[n]++
	}
	t.count[0] = 0
	var next [17]int // place in symbols
	code, place := 0, 0
	for n := 1; n <= 16; n++ {
		code <<= 1
		next[n] = place
		if code += t.count[n]; code > 1<<n {
			return errLZX
		}
		place += t.count[n]
	}
	t.symbols = append(t.symbols[:0], make([]uint16, place)...)
	for s, n := range lengths {
		if n > 0 {
			t.symbols[next[n]] = uint16(s)
			next[n]++
		}
	}
	t.shorten()
	return nil
}

// shorten fills in what the first bits tell.
func (t *prefixTree) shorten() {
	at, place := 0, 0
	for n := 1; n <= fastLength; n++ {
		for range t.count[n] {
			for range 1 << (fastLength - n) {
				t.fast[at] = fast{t.symbols[place], uint8(n)}
				at++
			}
			place++
		}
	}
}

// read reads a symbol; a code that is none is an error of the bits.
func (t *prefixTree) read(b *lzxBits) int {
	b.need(16)
	if f := t.fast[b.acc>>(64-fastLength)]; f.length > 0 {
		b.drop(uint(f.length))
		return int(f.symbol)
	}
	first, place := 0, 0
	for n := 1; n <= 16; n++ {
		code := int(b.acc >> (64 - n))
		if code-first < t.count[n] {
			b.drop(uint(n))
			return int(t.symbols[place+code-first])
		}
		place += t.count[n]
		first = (first + t.count[n]) << 1
	}
	b.err = errLZX
	return 0
}
