package inflate

import "encoding/binary"

// spare is how far one round may write: a match, eight bytes at a time.
const spare = 258 + 8

// symbols goes on with a packed block, until it ends or the window is full. Near
// the end of the input, words are looked up in bits that are not there: count
// is below zero then, and the last round did not happen.
func (r *Reader) symbols() (err error) {
	window, in := r.window, r.in
	out, at, bits, count := r.end, r.at, r.bits, r.count
	before := out
	for out+spare <= len(window) && count >= 0 {
		before = out
		if at+8 <= len(in) {
			bits |= binary.LittleEndian.Uint64(in[at:]) << (count & 63)
			at += (63 - count) >> 3
			count |= 56
		} else if r.ended == nil {
			r.at = at
			r.fill()
			in, at = r.in, r.at
			continue
		} else {
			for ; count < 56 && at < len(in); at++ {
				bits |= uint64(in[at]) << count
				count += 8
			}
		}
		e := find(r.literalTable[:], literalBits, bits)
		if e&literal != 0 {
			bits >>= e & 31
			count -= int(e & 31)
			window[out] = byte(e >> 16)
			out++
			continue
		}
		length := e.number(bits)
		bits >>= e & 31
		count -= int(e & 31)
		if e&special != 0 {
			r.step = (*Reader).head
			err = e.end()
			break
		}
		e = find(r.distanceTable[:], distanceBits, bits)
		from := out - e.number(bits)
		bits >>= e & 31
		count -= int(e & 31)
		if from < 0 || e&special != 0 {
			err = ErrCorrupt
			break
		}
		end := out + length
		if out-from < 8 {
			repeat(window[from:end], out-from)
		} else {
			for ; out < end; out, from = out+8, from+8 {
				binary.LittleEndian.PutUint64(window[out:], binary.LittleEndian.Uint64(window[from:]))
			}
		}
		out = end
	}
	if count < 0 {
		out, err = before, r.ended
	}
	r.end, r.at, r.bits, r.count = out, at, bits, count
	return err
}

// find looks a word up.
func find(table []entry, looks int, bits uint64) entry {
	e := table[bits&(1<<looks-1)]
	if e&link != 0 {
		e = table[e.value()+int(bits>>looks&(1<<e.wordSize()-1))]
	}
	return e
}

// end tells what a special entry means.
func (e entry) end() error {
	if e.value() == endOfBlock.value() {
		return nil
	}
	return ErrCorrupt
}

// repeat fills the window with its first distance bytes, again and again.
func repeat(window []byte, distance int) {
	for n := distance; n < len(window); n *= 2 {
		copy(window[n:], window[:n])
	}
}
