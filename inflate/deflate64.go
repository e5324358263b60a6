package inflate

import "io"

// deflate64 is DEFLATE with a window of 64 KiB, of which the last length and two more
// distances reach further than an entry of a table can tell. It is rare: its
// symbols are taken one by one.
var deflate64 = &form{64 << 10, 3 + 0xffff, itself[:], itself[:], 32, (*Reader).symbols64}

// NewReader64 returns a reader of what r packs by Deflate64.
func NewReader64(r io.Reader) *Reader { return newReader(deflate64, r) }

const (
	blockEnd   = 256 // the symbol that ends a block
	lastLength = 285
)

// symbols64 goes on with a packed block, until it ends or the window is full.
func (r *Reader) symbols64() error {
	for r.end+r.longest <= len(r.window) {
		symbol, err := r.symbol(r.literalTable[:], literalBits)
		switch {
		case err != nil:
			return err
		case symbol < blockEnd:
			r.window[r.end] = byte(symbol)
			r.end++
		case symbol == blockEnd:
			r.step = (*Reader).head
			return nil
		case symbol > lastLength:
			return ErrCorrupt
		default:
			if err := r.repeat64(symbol); err != nil {
				return err
			}
		}
	}
	return nil
}

// repeat64 reads the rest of a length and its distance, and repeats.
func (r *Reader) repeat64(symbol int) error {
	base, extra := 0, 16
	if symbol < lastLength {
		base, extra = steps(symbol-blockEnd-1, 4)
	}
	more, err := r.take(extra)
	if err != nil {
		return err
	}
	code, err := r.symbol(r.distanceTable[:], distanceBits)
	if err != nil {
		return err
	}
	from, extra := steps(code, 2)
	further, err := r.take(extra)
	if err != nil {
		return err
	}
	length, distance := 3+base+more, 1+from+further
	if distance > r.end {
		return ErrCorrupt
	}
	repeat(r.window[r.end-distance:r.end+length], distance)
	r.end += length
	return nil
}

// steps gives where the values of a code begin, and how many bits say which of
// them is meant: each group of codes has one bit more than the one before.
func steps(code, group int) (base, extra int) {
	if code < 2*group {
		return code, 0
	}
	extra = code/group - 1
	return (group + code%group) << extra, extra
}
