package column

import (
	"strings"
	"unicode/utf8"
)

// UTF8 is b as text: what is not UTF-8 is replaced by U+FFFD, once for each
// maximal part of a character, which is what the Unicode Standard recommends
// (chapter 3, "U+FFFD Substitution of Maximal Subparts") and YARA-X does.
func UTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var s strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			n = subpart(b)
		}
		s.WriteRune(r)
		b = b[n:]
	}
	return s.String()
}

// subpart is the length of the longest beginning of b, which is not a whole
// character, that could begin one; at least 1.
func subpart(b []byte) int {
	lo, hi, size := byte(0x80), byte(0xbf), 0
	switch c := b[0]; {
	case c >= 0xc2 && c <= 0xdf:
		size = 2
	case c >= 0xe0 && c <= 0xef:
		size = 3
	case c >= 0xf0 && c <= 0xf4:
		size = 4
	}
	switch b[0] {
	case 0xe0:
		lo = 0xa0
	case 0xed:
		hi = 0x9f
	case 0xf0:
		lo = 0x90
	case 0xf4:
		hi = 0x8f
	}
	n := 1
	for n < size-1 && n < len(b) && b[n] >= lo && b[n] <= hi {
		n, lo, hi = n+1, 0x80, 0xbf
	}
	return n
}
