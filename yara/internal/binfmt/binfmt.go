// Package binfmt reads binary formats from hostile bytes: nothing in it panics,
// whatever the offsets and lengths, and no arithmetic on them overflows.
//
// [Reader] reads fields one after the other and remembers whether one was
// missing, so that a header is read first and checked once. [From], [Range],
// [Clip] and [Text] cut data at offsets that come from the data itself.
// [ReadBER] takes ASN.1 apart, and [ParsePE] finds the parts of a PE file that
// modules share.
//
// Slices that are returned alias the data.
package binfmt

import (
	"bytes"
	"encoding/binary"
)

// Order is the byte order of integers.
type Order bool

// The byte orders.
const (
	Little Order = false
	Big    Order = true
)

// Reader reads integers and bytes from the start of data on. A read beyond the
// end gives zero, and makes every later read do the same and [Reader.OK] false.
type Reader struct {
	data  []byte
	pos   int
	order Order
	short bool
}

// NewReader returns a reader of data.
func NewReader(data []byte, order Order) *Reader { return &Reader{data: data, order: order} }

// OK reports whether all that was asked for was there.
func (r *Reader) OK() bool { return !r.short }

// Pos returns how many bytes were read.
func (r *Reader) Pos() int { return r.pos }

// Rest returns the bytes not yet read, none after a read failed.
func (r *Reader) Rest() []byte { return r.data[r.pos:] }

// Bytes reads n bytes; nil where there are not so many.
func (r *Reader) Bytes(n int) []byte {
	if r.short || n < 0 || n > len(r.data)-r.pos {
		r.short, r.pos = true, len(r.data)
		return nil
	}
	b := r.data[r.pos : r.pos+n : r.pos+n]
	r.pos += n
	return b
}

// Skip passes over n bytes.
func (r *Reader) Skip(n int) { r.Bytes(n) }

// U8 reads a byte.
func (r *Reader) U8() uint8 {
	b := r.Bytes(1)
	if b == nil {
		return 0
	}
	return b[0]
}

// U16 reads an integer of two bytes.
func (r *Reader) U16() uint16 {
	b := r.Bytes(2)
	switch {
	case b == nil:
		return 0
	case r.order == Big:
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

// U32 reads an integer of four bytes.
func (r *Reader) U32() uint32 {
	b := r.Bytes(4)
	switch {
	case b == nil:
		return 0
	case r.order == Big:
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

// U64 reads an integer of eight bytes.
func (r *Reader) U64() uint64 {
	b := r.Bytes(8)
	switch {
	case b == nil:
		return 0
	case r.order == Big:
		return binary.BigEndian.Uint64(b)
	}
	return binary.LittleEndian.Uint64(b)
}

// Word reads an integer of eight bytes where wide is set, else of four.
func (r *Reader) Word(wide bool) uint64 {
	if wide {
		return r.U64()
	}
	return uint64(r.U32())
}

// From returns the bytes from an offset on; ok is false where the offset is
// beyond the end. At the end there are none, which is no failure.
func From(data []byte, off uint64) (b []byte, ok bool) {
	if off > uint64(len(data)) {
		return nil, false
	}
	return data[off:], true
}

// Range returns n bytes from an offset on; ok is false where the data does not
// have them all.
func Range(data []byte, off, n uint64) (b []byte, ok bool) {
	b, ok = From(data, off)
	if !ok || n > uint64(len(b)) {
		return nil, false
	}
	return b[:n:n], true
}

// Clip is [Range] cut at the end of the data: ok is false only where the
// offset is beyond the end.
func Clip(data []byte, off, n uint64) (b []byte, ok bool) {
	b, ok = From(data, off)
	n = min(n, uint64(len(b)))
	return b[:n:n], ok
}

// Text returns the bytes before the first NUL, all where there is none, and
// not more than limit.
func Text(data []byte, limit int) []byte {
	data = data[:min(max(limit, 0), len(data))]
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return data[:i]
	}
	return data
}
