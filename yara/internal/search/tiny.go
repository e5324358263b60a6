package search

// tiny finds literals of one to three bytes: a table says for each pair of
// bytes whether it begins one. It looks at every byte, so it is only there
// where such literals are.
type tiny struct {
	begins           [1 << 16]bool
	singles, doubles index // by the first byte, and by the first two
}

func newTiny(lits []lit, ids []int32) *tiny {
	if len(ids) == 0 {
		return nil
	}
	t := new(tiny)
	var one, two []gram
	for _, id := range ids {
		l := &lits[id]
		first, second, e := int16(l.bytes[0]), int16(open), entry{lit: id}
		if len(l.bytes) == 1 {
			one = append(one, gram{merged(uint64(l.bytes[0])), e})
		} else {
			second = int16(l.bytes[1])
			two = append(two, gram{merged(uint64(pair(l.bytes, 0))), e})
		}
		for a := range variants(first, l.fold) {
			for b := range variants(second, l.fold) {
				t.begins[int(a)|int(b)<<8] = true
			}
		}
	}
	t.singles, t.doubles = newIndex(one), newIndex(two)
	return t
}

// tinyRoom is how many bytes must follow the last place that is looked at.
const tinyRoom = 16

func (s *State) scanTiny(t *tiny, buf []byte, base, from, to int) {
	at := from
	for ; at < to && at+tinyRoom <= len(buf); at += 4 {
		w := load64(buf[at:])
		if t.begins[uint16(w)] || t.begins[uint16(w>>8)] || t.begins[uint16(w>>16)] || t.begins[uint16(w>>24)] {
			s.checkTiny(t, w, base+at)
		}
	}
	if at < to {
		tail := s.padded(buf[at:])
		for i := 0; at+i < to; i += 4 {
			s.checkTiny(t, load64(tail[i:]), base+at+i)
		}
	}
}

// checkTiny looks up the four places that the first bytes of w are at.
func (s *State) checkTiny(t *tiny, w uint64, start int) {
	for i := range 4 {
		if x := w >> (8 * i); t.begins[uint16(x)] {
			s.lookUp(&t.doubles, merged(x&0xFFFF), start+i)
			s.lookUp(&t.singles, merged(x&0xFF), start+i)
		}
	}
}
