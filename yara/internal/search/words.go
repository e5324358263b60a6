package search

import "encoding/binary"

// Words of bytes: the arithmetic that works on eight bytes at once.

const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

func load64(b []byte) uint64   { return binary.LittleEndian.Uint64(b) }
func put64(b []byte, w uint64) { binary.LittleEndian.PutUint64(b, w) }

// merged maps upper and lower case of a letter to the same byte, and some
// other bytes to each other: good for filters. Unlike setting bit 5 it keeps
// zero and space apart, which are the most frequent bytes.
func merged(w uint64) uint64 { return w | w&(0x40*ones)>>1 }

// differences64 are the XORs of the eight bytes in w, each with the next: seven,
// and the last byte itself, which is none.
func differences64(w uint64) uint64 { return w ^ w>>8 }

// hasZero reports whether one of the eight bytes in w is zero.
func hasZero(w uint64) bool { return (w-ones)&^w&tops != 0 }

// lower64 maps the ASCII upper case letters in w to lower case.
func lower64(w uint64) uint64 {
	low7 := w &^ tops
	fromA := low7 + (0x80-'A')*ones
	afterZ := low7 + (0x7F-'Z')*ones
	return w | (fromA&^afterZ&^w&tops)>>2
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

// lowered returns b in lower case: b itself where it already is.
func lowered(b []byte) []byte {
	for i, c := range b {
		if lower(c) != c {
			l := append([]byte(nil), b...)
			for j := i; j < len(l); j++ {
				l[j] = lower(l[j])
			}
			return l
		}
	}
	return b
}

// equalLower reports whether data, in lower case, is low.
func equalLower(data, low []byte) bool {
	n := len(low)
	data = data[:n]
	i := 0
	for ; i+8 <= n; i += 8 {
		if lower64(load64(data[i:])) != load64(low[i:]) {
			return false
		}
	}
	for ; i < n; i++ {
		if lower(data[i]) != low[i] {
			return false
		}
	}
	return true
}

// equalXored reports whether data is b with every byte XORed by key.
func equalXored(data, b []byte, key byte) bool {
	n := len(b)
	data = data[:n]
	k := uint64(key) * ones
	i := 0
	for ; i+8 <= n; i += 8 {
		if load64(data[i:])^k != load64(b[i:]) {
			return false
		}
	}
	for ; i < n; i++ {
		if data[i]^key != b[i] {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
