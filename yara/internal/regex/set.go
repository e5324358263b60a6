package regex

import (
	"math/bits"
	"strings"
)

// Set is a set of byte values. The zero Set is empty. Sets are compared with ==.
type Set [4]uint64

// RangeSet returns the set of lo..hi, both included.
func RangeSet(lo, hi byte) Set {
	var s Set
	s.AddRange(lo, hi)
	return s
}

// MaskedSet returns the set of the bytes b with b&mask == value&mask.
func MaskedSet(value, mask byte) Set {
	var s Set
	for b := range 256 {
		if byte(b)&mask == value&mask {
			s.Add(byte(b))
		}
	}
	return s
}

// AnyByte returns the set of all bytes.
func AnyByte() Set { return Set{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)} }

// Add puts b in.
func (s *Set) Add(b byte) { s[b>>6] |= 1 << (b & 63) }

// AddRange puts lo..hi in, both included.
func (s *Set) AddRange(lo, hi byte) {
	for b := int(lo); b <= int(hi); b++ {
		s.Add(byte(b))
	}
}

// Has reports whether b is in.
func (s *Set) Has(b byte) bool { return s[b>>6]>>(b&63)&1 != 0 }

// Len is the number of bytes in the set.
func (s *Set) Len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// Union returns the bytes in s or t.
func (s Set) Union(t Set) Set {
	for i := range s {
		s[i] |= t[i]
	}
	return s
}

// Intersect returns the bytes in s and t.
func (s Set) Intersect(t Set) Set {
	for i := range s {
		s[i] &= t[i]
	}
	return s
}

// Complement returns the bytes not in s.
func (s Set) Complement() Set {
	for i := range s {
		s[i] = ^s[i]
	}
	return s
}

// FoldCase returns s with the other case of each ASCII letter in it.
func (s Set) FoldCase() Set {
	for c := byte('a'); c <= 'z'; c++ {
		if s.Has(c) || s.Has(c-'a'+'A') {
			s.Add(c)
			s.Add(c - 'a' + 'A')
		}
	}
	return s
}

// Min is the least byte of the set, which must not be empty.
func (s *Set) Min() byte {
	for i, w := range s {
		if w != 0 {
			return byte(i<<6 + bits.TrailingZeros64(w))
		}
	}
	return 0
}

// Only returns the byte of a set that has just one.
func (s *Set) Only() (byte, bool) {
	if s.Len() != 1 {
		return 0, false
	}
	return s.Min(), true
}

// Mask returns value and mask where the set is the bytes b with b&mask ==
// value, as it is for ??, A?, ?B, a byte, and a letter in both cases.
func (s *Set) Mask() (value, mask byte, ok bool) {
	n := s.Len()
	if n == 0 {
		return 0, 0, false
	}
	same := ^byte(0) // the bits that all members agree in
	value = s.Min()
	for b := range 256 {
		if s.Has(byte(b)) {
			same &= ^(byte(b) ^ value)
		}
	}
	if 1<<(8-bits.OnesCount8(same)) != n {
		return 0, 0, false
	}
	return value & same, same, true
}

// String shows the set as a class, \xNN where not printable.
func (s *Set) String() string {
	if *s == AnyByte() {
		return "[^]"
	}
	var b strings.Builder
	b.WriteByte('[')
	show := *s
	if s.Len() > 128 {
		b.WriteByte('^')
		show = s.Complement()
	}
	for lo := 0; lo < 256; lo++ {
		if !show.Has(byte(lo)) {
			continue
		}
		hi := lo
		for hi < 255 && show.Has(byte(hi+1)) {
			hi++
		}
		b.WriteString(quoteByte(byte(lo)))
		if hi > lo {
			b.WriteString("-" + quoteByte(byte(hi)))
		}
		lo = hi
	}
	b.WriteByte(']')
	return b.String()
}

// quoteByte writes a byte so that it stands for itself in a regexp.
func quoteByte(c byte) string {
	switch {
	case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == ' ', c == '/', c == ':':
		return string(rune(c))
	case c > ' ' && c < 0x7F:
		return `\` + string(rune(c))
	}
	const hex = "0123456789ABCDEF"
	return `\x` + string(hex[c>>4]) + string(hex[c&15])
}

// The classes of bytes that escapes and names stand for.
var (
	setDigit = RangeSet('0', '9')
	setUpper = RangeSet('A', 'Z')
	setLower = RangeSet('a', 'z')
	setAlpha = setUpper.Union(setLower)
	setAlnum = setAlpha.Union(setDigit)
	setWord  = setAlnum.Union(RangeSet('_', '_'))
	setSpace = RangeSet('\t', '\r').Union(RangeSet(' ', ' '))
	setDot   = RangeSet('\n', '\n').Complement()
)
