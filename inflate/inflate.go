// Package inflate unpacks what was packed by DEFLATE (RFC 1951), bare, in gzip
// (RFC 1952) or in zlib (RFC 1950), and Deflate64. It does what compress/flate does,
// with the same answers, in half of the time: it takes eight bytes of the input at
// once, looks long words up in two steps at most, and copies what is repeated by
// eight bytes.
package inflate

import (
	"errors"
	"io"
)

// ErrCorrupt says that the input was not packed by DEFLATE.
var ErrCorrupt = errors.New("deflate: the input is corrupt")

const (
	minWindow = 4 << 10 // what is short needs little memory
	inputSize = 4 << 10
)

// form is what DEFLATE and Deflate64 differ in.
type form struct {
	reach   int // how far back a repeat may begin, in bytes
	longest int // how many bytes one round of symbols may write

	literals, distances []entry             // what the words stand for
	codes               int                 // how many distances may have a word
	next                func(*Reader) error // goes on with a packed block
}

var deflate = &form{32 << 10, spare, literals[:], distances[:], 30, (*Reader).symbols}

// Reader inflates what it reads, and reads ahead of what it needs. It belongs to
// one goroutine.
type Reader struct {
	*form
	src   io.Reader
	in    []byte // that was read
	at    int    // in it: what was not yet taken
	ended error  // of src

	bits  uint64 // taken from in
	count int    // of them; those above are what follows, or zero

	window []byte
	end    int // of what was inflated
	given  int // of that to who reads

	step   func(*Reader) error // what is next: the head of a block, or what is in it
	last   bool                // the block is the last one
	stored int                 // bytes that are left of a block that is not packed
	err    error

	literalTable  [literalEntries]entry
	distanceTable [distanceEntries]entry
}

// NewReader returns a reader of what r packs.
func NewReader(r io.Reader) *Reader { return newReader(deflate, r) }

func newReader(f *form, r io.Reader) *Reader {
	return &Reader{form: f, src: r, in: make([]byte, 0, inputSize), window: make([]byte, minWindow), step: (*Reader).head}
}

// restart begins with another stream behind the one that ended.
func (r *Reader) restart() {
	r.end, r.given, r.step, r.last, r.err = 0, 0, (*Reader).head, false, nil
}

// Read implements [io.Reader]. What comes before an error is as it was packed.
func (r *Reader) Read(p []byte) (int, error) {
	for r.given == r.end && len(p) > 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.makeRoom()
		r.err = r.step(r)
	}
	n := copy(p, r.window[r.given:r.end])
	r.given += n
	return n, nil
}

// makeRoom keeps what the rest may refer to.
func (r *Reader) makeRoom() {
	if r.end+r.longest <= len(r.window) {
		return
	}
	window := r.window
	if most := 3 * r.reach; len(window) < most {
		window = make([]byte, min(4*len(window), most))
	}
	r.end = copy(window, r.window[max(0, r.end-r.reach):r.end])
	r.window, r.given = window, r.end
}

// fill reads more input. Of what was taken it keeps eight bytes, because that
// may be given back.
func (r *Reader) fill() error {
	keep := max(0, r.at-8)
	n := copy(r.in, r.in[keep:])
	r.in, r.at = r.in[:n], r.at-keep
	for range 100 {
		if r.ended != nil {
			return r.ended
		}
		n, err := r.src.Read(r.in[len(r.in):cap(r.in)])
		if r.in = r.in[:len(r.in)+n]; err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if r.ended = err; n > 0 {
			return nil
		}
	}
	r.ended = io.ErrNoProgress
	return r.ended
}

// need makes sure that there are n bits.
func (r *Reader) need(n int) error {
	for r.count < n {
		if r.at == len(r.in) {
			if err := r.fill(); err != nil {
				return err
			}
		}
		r.bits |= uint64(r.in[r.at]) << r.count
		r.at++
		r.count += 8
	}
	return nil
}

// take returns the next n bits.
func (r *Reader) take(n int) (int, error) {
	if err := r.need(n); err != nil {
		return 0, err
	}
	v := int(r.bits & (1<<n - 1))
	r.bits >>= n
	r.count -= n
	return v, nil
}

// align goes on at the next byte.
func (r *Reader) align() {
	r.at -= r.count / 8
	r.bits, r.count = 0, 0
}

// head reads what a block begins with.
func (r *Reader) head() error {
	if r.last {
		r.align()
		return io.EOF
	}
	h, err := r.take(3)
	if err != nil {
		return err
	}
	r.last = h&1 != 0
	switch h >> 1 {
	case 0:
		return r.storedHead()
	case 1:
		r.fixed()
	case 2:
		err = r.dynamic()
	default:
		err = ErrCorrupt
	}
	r.step = r.next
	return err
}

func (r *Reader) storedHead() error {
	r.align()
	n, err := r.take(16)
	if err != nil {
		return err
	}
	inverse, err := r.take(16)
	if err == nil && n != ^inverse&0xffff {
		err = ErrCorrupt
	}
	r.stored, r.step = n, (*Reader).copyStored
	return err
}

// copyStored goes on with a block that is not packed.
func (r *Reader) copyStored() error {
	if r.stored == 0 {
		r.step = (*Reader).head
		return nil
	}
	if r.at == len(r.in) {
		if err := r.fill(); err != nil {
			return err
		}
	}
	n := copy(r.window[r.end:], r.in[r.at:min(len(r.in), r.at+r.stored)])
	r.at, r.end, r.stored = r.at+n, r.end+n, r.stored-n
	return nil
}

// fixed sets the codes that are not written in the block (RFC 1951, 3.2.6).
func (r *Reader) fixed() {
	var sizes [288 + 32]uint8
	for i := range sizes {
		switch {
		case i < 144:
			sizes[i] = 8
		case i < 256:
			sizes[i] = 9
		case i < 280:
			sizes[i] = 7
		case i < 288:
			sizes[i] = 8
		default:
			sizes[i] = 5
		}
	}
	build(r.literalTable[:], literalBits, sizes[:288], r.literals)
	build(r.distanceTable[:], distanceBits, sizes[288:], r.distances)
}

// dynamic reads the codes that a block begins with (RFC 1951, 3.2.7).
func (r *Reader) dynamic() error {
	h, err := r.take(14)
	if err != nil {
		return err
	}
	nl, nd, n := h&31+257, h>>5&31+1, h>>10+4
	if nl > 286 || nd > r.codes {
		return ErrCorrupt
	}
	var first [19]uint8
	for _, i := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}[:n] {
		size, err := r.take(3)
		if err != nil {
			return err
		}
		first[i] = uint8(size)
	}
	var table [1 << lengthBits]entry
	if !build(table[:], lengthBits, first[:], itself[:]) {
		return ErrCorrupt
	}
	var sizes [286 + 32]uint8
	if err := r.sizes(sizes[:nl+nd], table[:]); err != nil {
		return err
	}
	if !build(r.literalTable[:], literalBits, sizes[:nl], r.literals) ||
		!build(r.distanceTable[:], distanceBits, sizes[nl:nl+nd], r.distances) {
		return ErrCorrupt
	}
	return nil
}

// sizes reads the sizes of the words of both codes.
func (r *Reader) sizes(sizes []uint8, table []entry) error {
	for i := 0; i < len(sizes); {
		symbol, err := r.symbol(table, lengthBits)
		if err != nil {
			return err
		}
		if symbol < 16 {
			sizes[i] = uint8(symbol)
			i++
			continue
		}
		size, least, extra := uint8(0), 3, 3
		switch symbol {
		case 16:
			if i == 0 {
				return ErrCorrupt
			}
			size, extra = sizes[i-1], 2
		case 18:
			least, extra = 11, 7
		}
		n, err := r.take(extra)
		if err != nil {
			return err
		}
		if n += least; i+n > len(sizes) {
			return ErrCorrupt
		}
		for range n {
			sizes[i] = size
			i++
		}
	}
	return nil
}

// symbol reads one word of a code.
func (r *Reader) symbol(table []entry, looks int) (int, error) {
	for {
		e := find(table, looks, r.bits)
		if r.count < e.size() {
			if err := r.need(r.count + 1); err != nil {
				return 0, err
			}
			continue
		}
		if e&special != 0 {
			return 0, ErrCorrupt
		}
		r.bits >>= e.size()
		r.count -= e.size()
		return e.value(), nil
	}
}
