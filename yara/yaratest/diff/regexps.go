package diff

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// regexpPattern makes a regexp with flags and modifiers.
func (g *generator) regexpPattern() *node {
	re := g.regexp(g.between(1, 3))
	m := modifiers{nocase: g.chance(5), wide: g.chance(5), ascii: g.chance(5), fullword: g.chance(6)}
	flags := ""
	if g.chance(6) {
		flags += "i"
	}
	if g.chance(6) {
		flags += "s"
	}
	n := form("body", "/%/"+flags+"%", re, list("modifiers", "", "", "", m.nodes(g)...))
	n.emit = func(r *rand.Rand) []byte { return m.apply(r, string(re.emit(r))) }
	return n
}

// regexp makes alternatives of sequences.
func (g *generator) regexp(depth int) *node {
	first := g.reSequence(depth)
	if !g.chance(5) {
		return first
	}
	kids := []*node{first, g.reSequence(depth)}
	if g.chance(12) {
		empty := leaf("re", "")
		empty.emit = func(*rand.Rand) []byte { return nil }
		kids[g.IntN(2)] = empty
	}
	return alternatives(form("re", "%|%", kids...), kids)
}

func (g *generator) reSequence(depth int) *node {
	var kids []*node
	for range g.between(1, 4) {
		if g.chance(8) {
			kids = append(kids, g.anchor())
		}
		kids = append(kids, g.repeated(depth))
	}
	if g.chance(12) {
		kids = append(kids, g.anchor())
	}
	return sequence("re", "", kids)
}

// anchor makes an assertion. \B is rarer: it makes most near misses.
func (g *generator) anchor() *node {
	n := leaf("anchor", pick(g, []string{"^", "$", `\b`, `\b`, `\B`}))
	n.kind = "modifier" // may be left out
	n.emit = func(*rand.Rand) []byte { return nil }
	return n
}

// repeated makes an atom, sometimes with a quantifier.
func (g *generator) repeated(depth int) *node {
	atom := g.reAtom(depth)
	if !g.chance(3) {
		return atom
	}
	lo, hi, text := g.bounds()
	if g.chance(3) {
		text += "?"
	}
	n := form("re", "%"+text, atom)
	n.emit = func(r *rand.Rand) []byte {
		var b []byte
		for range lo + r.IntN(hi-lo+1) {
			b = append(b, atom.emit(r)...)
		}
		return b
	}
	return n
}

// bounds draws a quantifier, with bounds for the matches to make.
func (g *generator) bounds() (lo, hi int, text string) {
	lo = g.IntN(4)
	hi = lo + g.between(0, 3)
	switch g.IntN(8) {
	case 0:
		return 0, 3, "*"
	case 1:
		return 0, 1, "?"
	case 2:
		return max(lo, 1), max(lo, 1), fmt.Sprintf("{%d}", max(lo, 1))
	case 3:
		return lo, lo + 3, fmt.Sprintf("{%d,}", lo)
	case 4:
		return lo, max(hi, 1), fmt.Sprintf("{%d,%d}", lo, max(hi, 1))
	case 5:
		return 0, max(hi, 1), fmt.Sprintf("{,%d}", max(hi, 1))
	}
	return 1, 4, "+"
}

// reAtom makes what a quantifier may follow.
func (g *generator) reAtom(depth int) *node {
	switch {
	case depth > 0 && g.chance(5):
		inner := g.regexp(depth - 1)
		n := form("re", "(%)", inner)
		n.emit = inner.emit
		return n
	case g.chance(5):
		return g.class()
	case g.chance(8):
		return g.oneOf(pick(g, []string{".", ".", `\w`, `\W`, `\s`, `\S`, `\d`, `\D`}))
	}
	c := g.letter()
	n := leaf("re", escapeRegexp(c, g.chance(5)))
	n.emit = func(*rand.Rand) []byte { return []byte{c} }
	return n
}

// oneOf is an atom that matches some letters: which, its emit only guesses.
func (g *generator) oneOf(text string) *node {
	n := leaf("re", text)
	guesses := g.alphabet + "a1 _-\n"
	n.emit = func(r *rand.Rand) []byte { return []byte{guesses[r.IntN(len(guesses))]} }
	return n
}

func escapeRegexp(c byte, hex bool) string {
	switch {
	case c == '\n' && !hex:
		return `\n`
	case hex || c < ' ' || c > '~':
		return fmt.Sprintf(`\x%02x`, c)
	case strings.IndexByte(`\/.+*?()[]{}|^$-`, c) >= 0:
		return `\` + string(c)
	}
	return string(c)
}

// class makes a bracketed class of letters, ranges and escapes.
func (g *generator) class() *node {
	var b strings.Builder
	if g.chance(4) {
		b.WriteByte('^')
	}
	for range g.between(1, 3) {
		switch g.IntN(6) {
		case 0:
			b.WriteString(pick(g, []string{`\w`, `\W`, `\s`, `\S`, `\d`, `\D`}))
		case 1:
			b.WriteString(pick(g, []string{"a-c", "A-Z", "0-9", `\x00-\x1f`, `\x80-\xff`}))
		default:
			b.WriteString(escapeRegexp(g.letter(), g.chance(5)))
		}
	}
	return g.oneOf("[" + b.String() + "]")
}
