package search

import (
	"bytes"

	"github.com/besra-hunt/besra/yara/internal/program"
)

// check compares a literal with the data at start, and verifies the needle
// where it is there. start may be anything.
func (s *State) check(l *lit, start int) {
	if s.profile != nil {
		s.profileCheck(l, start)
		return
	}
	s.checkLit(l, start)
}

func (s *State) checkLit(l *lit, start int) {
	if s.status[l.pattern]&closed != 0 || start < 0 {
		return
	}
	if l.diff {
		s.verifyXor(&s.t.needles[l.needle], start)
		return
	}
	end := start + len(l.bytes)
	if end > len(s.data) {
		return
	}
	if l.fold {
		if !equalLower(s.data[start:end], l.bytes) {
			return
		}
	} else if string(s.data[start:end]) != string(l.bytes) {
		return
	}
	s.verify(l, start)
}

// verify takes a hit: the literal is at start.
func (s *State) verify(l *lit, start int) {
	n := &s.t.needles[l.needle]
	switch n.Kind {
	case program.Literal:
		if end := start + len(l.bytes); s.bounded(n.Boundary, start, end, 0) {
			s.record(l.pattern, Match{Offset: int64(start), Length: int64(len(l.bytes))})
		}
	case program.Base64:
		if len(n.Base64.Plain) == 0 || s.decodes(n, start) {
			s.record(l.pattern, Match{Offset: int64(start), Length: int64(len(l.bytes))})
		}
	case program.Regexp:
		s.verifyRegexp(n, l, start)
	}
}

func (s *State) verifyXor(n *needle, start int) {
	end := start + len(n.Bytes)
	if end > len(s.data) || len(n.Bytes) == 0 {
		return
	}
	key := s.data[start] ^ n.Bytes[0]
	if key < n.XorLo || key > n.XorHi || !equalXored(s.data[start:end], n.Bytes, key) {
		return
	}
	around := key
	if s.t.prog.Dialect == program.LibYARA {
		around = 0 // YARA looks at the neighbours as they are
	}
	if s.bounded(n.Boundary, start, end, around) {
		s.record(n.pattern, Match{Offset: int64(start), Length: int64(len(n.Bytes)), Key: key, HasKey: true})
	}
}

// bounded reports whether data[start:end] has the boundary on both sides. key
// is what the bytes around are XORed with.
func (s *State) bounded(b program.Boundary, start, end int, key byte) bool {
	d := s.data
	switch b {
	case program.WordBoundary:
		return !(start >= 1 && alphanumeric(d[start-1]^key)) && !(end < len(d) && alphanumeric(d[end]^key))
	case program.WideBoundary:
		return !(start >= 2 && d[start-1] == key && alphanumeric(d[start-2]^key)) &&
			!(end+1 < len(d) && d[end+1] == key && alphanumeric(d[end]^key))
	}
	return true
}

// record takes a match.
func (s *State) record(p int32, m Match) {
	if m.Offset < s.from || m.Offset >= s.to {
		return
	}
	m.Offset += s.base
	pat := &s.t.prog.Patterns[p]
	if pat.At >= 0 && m.Offset != pat.At {
		return
	}
	s.add(p, m, s.wantsAll(p), pat.Longest)
}

// decodes reports whether the base64 text around the needle at start decodes
// to something that holds the plain text at the right place. It begins with
// the quantum of four characters that the plain text begins in and ends with
// the one it ends in.
func (s *State) decodes(n *needle, start int) bool {
	b := n.Base64
	lead := [3]int{0, 2, 3}[b.Padding%3]
	quanta := (int(b.Padding) + len(b.Plain) + 2) / 3
	unit := 1
	if b.Wide {
		unit = 2
	}
	from := start - lead*unit
	if from < 0 {
		return false
	}
	text := s.data[from:min(from+4*quanta*unit, len(s.data))]
	s.decoded = s.decoded[:0]
	if b.Wide {
		ok := false
		if s.decoded, ok = narrow(s.decoded, text); !ok {
			return false
		}
	} else {
		s.decoded = append(s.decoded, trimPadding(text)...)
	}
	plain, ok := decode64(s.decoded, n.values)
	at := int(b.Padding)
	return ok && len(plain) >= at+len(b.Plain) && bytes.Equal(plain[at:at+len(b.Plain)], b.Plain)
}

// narrow appends the low bytes of 16-bit units without padding characters. It
// fails where a high byte is not zero.
func narrow(to, wide []byte) ([]byte, bool) {
	for i, c := range wide {
		if i&1 == 1 {
			if c != 0 {
				return to, false
			}
		} else if c != '=' {
			to = append(to, c)
		}
	}
	return to, true
}

// trimPadding drops up to two padding characters from the end.
func trimPadding(b []byte) []byte {
	for range 2 {
		b = bytes.TrimSuffix(b, []byte{'='})
	}
	return b
}

// notBase64 is the value of a byte that is not in the alphabet.
const notBase64 = 0xFF

// decode64 decodes unpadded base64 text in place. Bits behind the last whole
// byte must be zero.
func decode64(text []byte, values *[256]byte) ([]byte, bool) {
	var word uint32
	var bits uint8
	out := 0
	for _, c := range text {
		v := values[c]
		if v == notBase64 {
			return nil, false
		}
		word = word<<6 | uint32(v)
		if bits += 6; bits >= 8 {
			bits -= 8
			text[out] = byte(word >> bits)
			out++
		}
	}
	return text[:out], bits < 6 && word&(1<<bits-1) == 0
}

// base64Values returns the value of each character of an alphabet.
func base64Values(alphabet string) *[256]byte {
	values := new([256]byte)
	for i := range values {
		values[i] = notBase64
	}
	for i := range len(alphabet) {
		values[alphabet[i]] = byte(i)
	}
	return values
}
