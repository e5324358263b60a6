package dex

import (
	"unicode/utf16"
	"unicode/utf8"
)

// decodeMUTF8 decodes the modified UTF-8 of Java: NUL is C0 80, and characters
// beyond the basic plane are two surrogates of three bytes each, or one
// character of four bytes as in plain UTF-8. ok is false where b is anything
// else.
func decodeMUTF8(b []byte) (s string, ok bool) {
	plain := true
	for _, c := range b {
		plain = plain && c < utf8.RuneSelf
	}
	if plain {
		return string(b), true
	}
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		r, n := decodeRune(b)
		if n == 0 {
			return "", false
		}
		out, b = utf8.AppendRune(out, r), b[n:]
	}
	return string(out), true
}

// decodeRune decodes the first character; n is 0 where there is none.
func decodeRune(b []byte) (r rune, n int) {
	if len(b) >= 2 && b[0] == 0xc0 && b[1] == 0x80 {
		return 0, 2
	}
	if high, ok := surrogate(b); ok {
		low, ok := surrogate(b[3:])
		if r := utf16.DecodeRune(high, low); ok && r != utf8.RuneError {
			return r, 6
		}
		return 0, 0
	}
	r, n = utf8.DecodeRune(b)
	if r == utf8.RuneError && n <= 1 {
		return 0, 0
	}
	return r, n
}

// surrogate decodes one half of a pair.
func surrogate(b []byte) (rune, bool) {
	if len(b) < 3 || b[0] != 0xed || b[1]&0xe0 != 0xa0 || b[2]&0xc0 != 0x80 {
		return 0, false
	}
	return 0xd000 | rune(b[1]&0x3f)<<6 | rune(b[2]&0x3f), true
}
