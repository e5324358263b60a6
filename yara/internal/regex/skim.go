package regex

import "math"

// skimmed is what skim finds out about an encoded node.
type skimmed struct {
	extent
	anyByte bool // the node is one byte, whichever
}

// skim checks the encoded node at the front and steps over it, making nothing.
// What it lets pass, node reads without fail.
func (d *decoder) skim(depth int) (x skimmed) {
	if depth > maxNodeDepth {
		d.bad = true
	}
	tag := d.byte()
	switch {
	case d.bad, tag == byte(OpEmpty):
	case tag == byte(OpLit):
		n := d.number(len(d.b))
		d.bytes(n)
		x.extent = extent{size: n, min: n, max: n}
	case tag == byte(OpConcat), tag == byte(OpAlt):
		x = d.skimList(tag == byte(OpAlt), depth)
	case tag == byte(OpRepeat), tag == tagLazy:
		x = d.skimRepeat(depth)
	case tag == byte(OpLook):
		d.bad = !Assertion(d.byte()).valid() || d.bad
		x.size = 1
	case tag == tagEmptySet, tag == tagMask, tag == byte(OpSet):
		x.extent = extent{size: 1, min: 1, max: 1}
		x.anyByte = d.skimSet(tag)
	default:
		d.bad = true
	}
	return x
}

// skimSet steps over a set and reports whether it is that of all bytes.
func (d *decoder) skimSet(tag byte) bool {
	switch tag {
	case tagMask:
		b := d.bytes(2)
		return b != nil && b[1] == 0
	case byte(OpSet):
		return d.set() == AnyByte()
	}
	return false
}

// skimList steps over the subs of a concatenation or of alternatives.
func (d *decoder) skimList(alternatives bool, depth int) (x skimmed) {
	n := d.number(len(d.b))
	if alternatives {
		x.size, x.min = n-1, tooLong
		d.bad = d.bad || n == 0
	}
	for i := 0; i < n && !d.bad; i++ {
		s := d.skim(depth + 1)
		x.size, x.open = min(x.size+s.size, tooLong), max(x.open, s.open)
		switch {
		case alternatives:
			x.min = min(x.min, s.min)
			x.max = longer(x.max, s.max, max(x.max, s.max))
		default:
			x.min = min(x.min+s.min, tooLong)
			x.max = longer(x.max, s.max, min(x.max+s.max, tooLong))
		}
	}
	return x
}

// longer is bounded where both a and b are bounds, and -1 otherwise.
func longer(a, b, bounded int) int {
	if a < 0 || b < 0 {
		return -1
	}
	return bounded
}

// skimRepeat steps over a repetition. Bounds that the constructor would change
// are refused: nothing encodes them.
func (d *decoder) skimRepeat(depth int) (x skimmed) {
	lo := d.number(math.MaxInt32)
	hi := d.number(math.MaxInt32) - 1
	s := d.skim(depth + 1)
	if hi == 0 || hi > 0 && hi < lo {
		d.bad = true
		return x
	}
	x.open, x.min = s.open, times(s.min, lo)
	if s.anyByte {
		x.open = max(x.open, openOf(lo, hi))
	}
	if hi < 0 {
		x.size = min(times(s.size, max(lo, 1))+1, tooLong)
	} else {
		x.size = min(times(s.size, hi)+hi-lo, tooLong)
	}
	switch {
	case s.max < 0 || s.max > 0 && hi < 0:
		x.max = -1
	default:
		x.max = times(s.max, max(hi, 0))
	}
	return x
}
