package vba

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

const (
	signature = 1    // first byte of a compressed container
	chunkSize = 4096 // bytes that a chunk has decompressed
)

// decompress decompresses a container (MS-OVBA 2.4.1.3) and takes the zeros
// from its end. What follows the last chunk is left; a chunk cut short gives
// what it has. Every byte made costs one of work; ok is false where it is used
// up or a chunk is malformed.
func decompress(b []byte, work *int) (out []byte, ok bool) {
	if len(b) == 0 || b[0] != signature {
		return nil, false
	}
	d := &decompressor{in: b, pos: 1}
	for d.pos < len(b) && *work > 0 {
		before := len(d.out)
		if len(b)-d.pos < 2 {
			if before == 0 {
				return nil, false
			}
			break
		}
		more, ok := d.chunk()
		if *work -= len(d.out) - before + 1; !ok {
			return nil, false
		}
		if !more {
			break
		}
	}
	return bytes.TrimRight(d.out, "\x00"), *work > 0
}

type decompressor struct {
	in, out []byte
	pos     int
}

// isChunk reports whether a chunk's header has one of the known signatures.
func isChunk(header uint16) bool {
	s := header >> 12 & 7
	return s == 3 || s == 4
}

// chunk reads one chunk; more is false where there are no further ones.
func (d *decompressor) chunk() (more, ok bool) {
	header := binary.LittleEndian.Uint16(d.in[d.pos:])
	compressed, size := header&0x8000 != 0, int(header&0xfff)
	switch {
	case !isChunk(header):
		return false, true
	case compressed && size+3 >= chunkSize:
		return false, len(d.out) > 0
	}
	end := min(len(d.in), d.pos+size+3)
	d.pos += 2
	if !compressed {
		return d.raw(size), true
	}
	if !d.tokens(end) {
		return false, false
	}
	d.pos = end
	return true, true
}

// raw copies a chunk that is not compressed.
func (d *decompressor) raw(size int) bool {
	if size == chunkSize-1 {
		size = chunkSize
	}
	size = min(size, len(d.in)-d.pos)
	d.out = append(d.out, d.in[d.pos:d.pos+size]...)
	d.pos += size
	return size > 0
}

// tokens reads the tokens of a chunk: eight after each byte of flags.
func (d *decompressor) tokens(end int) bool {
	start := len(d.out)
	open := func() bool { return d.pos < end && len(d.out)-start < chunkSize }
	for open() {
		flags := d.in[d.pos]
		d.pos++
		for bit := 0; bit < 8 && open(); bit++ {
			if flags>>bit&1 == 0 {
				d.out = append(d.out, d.in[d.pos])
				d.pos++
			} else if !d.copyToken(len(d.out) - start) {
				return false
			}
		}
	}
	return true
}

// copyToken repeats bytes that came before. How many of the token's bits are
// the distance depends on how far into its chunk it is.
func (d *decompressor) copyToken(done int) bool {
	if len(d.in)-d.pos < 2 {
		return false
	}
	token := binary.LittleEndian.Uint16(d.in[d.pos:])
	d.pos += 2
	distanceBits := max(4, bits.Len(uint(max(done, 1)-1)))
	length := int(token&(0xffff>>distanceBits)) + 3
	distance := int(token>>(16-distanceBits)) + 1
	if distance > len(d.out) {
		return false
	}
	for range length {
		d.out = append(d.out, d.out[len(d.out)-distance])
	}
	return true
}
