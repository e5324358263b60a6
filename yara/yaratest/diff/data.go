package diff

import (
	"bytes"
)

// data makes a target: matches of the words whole, cut, damaged, doubled and
// overlapping, with a few bytes between.
func (g *generator) data(words []word) []byte {
	var b []byte
	for range g.IntN(7) {
		b = append(b, g.gap(words)...)
		b = append(b, g.piece(words)...)
	}
	if g.chance(6) {
		b = append(b, g.gap(words)...)
	}
	if g.chance(25) {
		b = append(bytes.Repeat([]byte{g.letter()}, g.IntN(700)), b...)
	}
	return b
}

// piece makes a match, or what is nearly one.
func (g *generator) piece(words []word) []byte {
	if len(words) == 0 {
		return []byte(g.literal(0, 8))
	}
	w := pick(g, words)(g.Rand)
	if len(w) == 0 {
		return w
	}
	at := g.IntN(len(w))
	switch g.IntN(9) {
	case 0: // one byte is another
		w = append([]byte(nil), w...)
		w[at] = pick(g, []byte{g.letter(), w[at] ^ 0x20, byte(g.IntN(256))})
	case 1: // one byte is missing
		w = append(w[:at:at], w[at+1:]...)
	case 2: // one byte too many
		w = append(append(w[:at:at], g.letter()), w[at:]...)
	case 3: // overlaps with itself
		w = append(w[:at:at], w...)
	case 4:
		w = append(w[:len(w):len(w)], w...)
	case 5:
		w = w[:at]
	}
	return w
}

// gap makes what stands between two pieces: often nothing.
func (g *generator) gap(words []word) []byte {
	switch g.IntN(6) {
	case 0:
		return []byte(pick(g, []string{" ", "_", "1", "\n", "\x00", "a", ".", "\xff", "a\x00", "\x00\x00"}))
	case 1:
		return []byte(g.literal(0, 4))
	case 2:
		return []byte{byte(g.IntN(256))}
	case 3:
		if len(words) > 0 {
			return widen([]byte(g.literal(0, 2)))
		}
	}
	return nil
}
