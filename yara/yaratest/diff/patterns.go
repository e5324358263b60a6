package diff

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
)

func (g *generator) pattern(id string) *node {
	var body *node
	switch g.IntN(3) {
	case 0:
		body = g.textPattern()
	case 1:
		body = g.hexPattern()
	default:
		body = g.regexpPattern()
	}
	n := form("pattern", "  "+id+" = %\n", body)
	n.emit = body.emit
	return n
}

// letter returns a byte of the alphabet.
func (g *generator) letter() byte { return g.alphabet[g.IntN(len(g.alphabet))] }

func (g *generator) literal(lo, hi int) string {
	var b strings.Builder
	for range g.between(lo, hi) {
		b.WriteByte(g.letter())
	}
	return b.String()
}

// modifiers are a text pattern's: legal together.
type modifiers struct {
	nocase, wide, ascii, fullword, xor, base64, base64wide bool

	lo, hi int
}

// textModifiers draws modifiers from those that go together.
func (g *generator) textModifiers() (m modifiers) {
	m.wide, m.ascii = g.chance(3), g.chance(3)
	switch g.IntN(4) {
	case 0:
		m.nocase, m.fullword = g.chance(2), g.chance(2)
	case 1:
		m.xor, m.fullword = true, g.chance(3)
		m.lo, m.hi = 0, 255
		if g.chance(2) {
			m.lo = g.IntN(256)
			m.hi = g.between(m.lo, min(255, m.lo+40))
		}
	case 2:
		m.base64, m.base64wide = g.chance(2), g.chance(2)
	}
	return m
}

func (m modifiers) nodes(g *generator) []*node {
	var kids []*node
	for _, k := range []struct {
		name string
		on   bool
	}{{"nocase", m.nocase}, {"wide", m.wide}, {"ascii", m.ascii}, {"fullword", m.fullword},
		{"base64", m.base64}, {"base64wide", m.base64wide}, {"private", g.chance(25)}} {
		if k.on {
			kids = append(kids, leaf("modifier", " "+k.name))
		}
	}
	if m.xor {
		kids = append(kids, leaf("modifier", xorText(m.lo, m.hi)))
	}
	return kids
}

func xorText(lo, hi int) string {
	switch {
	case lo == 0 && hi == 255:
		return " xor"
	case lo == hi:
		return fmt.Sprintf(" xor(%d)", lo)
	}
	return fmt.Sprintf(" xor(%d-%#x)", lo, hi)
}

func (g *generator) textPattern() *node {
	m := g.textModifiers()
	hi := pick(g, []int{2, 4, 8, 20})
	text := g.literal(1, hi)
	if m.base64 || m.base64wide {
		text = g.literal(3, max(4, hi))
	}
	var letters []*node
	for i := range len(text) {
		letters = append(letters, leaf("letter", escapeText(text[i])))
	}
	body := list("text", "", "", "", letters...)
	n := form("body", `"%"%`, body, list("modifiers", "", "", "", m.nodes(g)...))
	n.emit = func(r *rand.Rand) []byte { return m.apply(r, text) }
	return n
}

func escapeText(c byte) string {
	switch {
	case c == '"' || c == '\\':
		return `\` + string(c)
	case c == '\n':
		return `\n`
	case c < ' ' || c > '~':
		return fmt.Sprintf(`\x%02x`, c)
	}
	return string(c)
}

// apply makes one of the byte sequences that text with modifiers stands for.
func (m modifiers) apply(r *rand.Rand, text string) []byte {
	b := []byte(text)
	if m.nocase {
		b = swapCase(r, b)
	}
	if m.wide && (!m.ascii || r.IntN(2) == 0) {
		b = widen(b)
	}
	if m.base64 || m.base64wide {
		pad := make([]byte, r.IntN(3))
		for i := range pad {
			pad[i] = byte(r.IntN(256))
		}
		b = []byte(base64.StdEncoding.EncodeToString(append(append(pad, b...), "xyz"[:r.IntN(4)]...)))
		if m.base64wide && (!m.base64 || r.IntN(2) == 0) {
			b = widen(b)
		}
	}
	if m.xor {
		key := byte(m.lo + r.IntN(m.hi-m.lo+1))
		for i := range b {
			b[i] ^= key
		}
	}
	return b
}

func swapCase(r *rand.Rand, b []byte) []byte {
	for i, c := range b {
		if (c|0x20) >= 'a' && (c|0x20) <= 'z' && r.IntN(2) == 0 {
			b[i] ^= 0x20
		}
	}
	return b
}

func widen(b []byte) []byte {
	w := make([]byte, 0, 2*len(b))
	for _, c := range b {
		w = append(w, c, 0)
	}
	return w
}

func (g *generator) hexPattern() *node {
	tokens := g.hexTokens(g.between(1, 8), 2, true)
	mods := []*node{}
	if g.chance(25) {
		mods = append(mods, leaf("modifier", " private"))
	}
	n := form("body", "{ % }%", tokens, list("modifiers", "", "", "", mods...))
	n.emit = tokens.emit
	return n
}

// hexTokens makes a sequence that begins and ends with no jump.
func (g *generator) hexTokens(n, depth int, top bool) *node {
	kids := []*node{g.hexByte(true)}
	for range n - 1 {
		switch {
		case g.chance(5):
			kids = append(kids, g.jump(top), g.hexByte(true))
		case g.chance(6) && depth > 0:
			kids = append(kids, g.hexAlternatives(depth-1))
		default:
			kids = append(kids, g.hexByte(false))
		}
	}
	return sequence("hex", " ", kids)
}

// sequence is a list whose emit strings together those of its kids.
func sequence(kind, separator string, kids []*node) *node {
	n := list(kind, "", separator, "", kids...)
	n.emit = func(r *rand.Rand) []byte {
		var b []byte
		for _, k := range kids {
			b = append(b, k.emit(r)...)
		}
		return b
	}
	return n
}

func alternatives(n *node, kids []*node) *node {
	n.emit = func(r *rand.Rand) []byte { return kids[r.IntN(len(kids))].emit(r) }
	return n
}

func (g *generator) hexAlternatives(depth int) *node {
	kids := []*node{g.hexTokens(g.between(1, 3), depth, false)}
	format := "( %"
	for range g.between(1, 2) {
		kids = append(kids, g.hexTokens(g.between(1, 3), depth, false))
		format += " | %"
	}
	return alternatives(form("hex", format+" )", kids...), kids)
}

func (g *generator) hexByte(plain bool) *node {
	c := g.letter()
	text := fmt.Sprintf("%02X", c)
	mask := byte(0)
	if !plain || g.chance(6) {
		switch g.IntN(12) {
		case 0:
			text, mask = "??", 0xFF
		case 1:
			text, mask = text[:1]+"?", 0x0F
		case 2:
			text, mask = "?"+text[1:], 0xF0
		case 3:
			if g.modern {
				text, mask = "~"+pick(g, []string{text, text[:1] + "?", "?" + text[1:]}), 0xFF
			}
		}
	}
	n := leaf("hex", text)
	n.emit = func(r *rand.Rand) []byte { return []byte{c ^ mask&byte(r.IntN(256))} }
	return n
}

func (g *generator) jump(top bool) *node {
	lo := g.IntN(4)
	hi := lo + g.IntN(6)
	if g.chance(12) {
		lo, hi = g.between(0, 250), g.between(250, 600)
	}
	text := fmt.Sprintf("[%d-%d]", lo, hi)
	switch {
	case top && g.chance(5):
		text, hi = fmt.Sprintf("[%d-]", lo), lo+5
	case top && g.chance(8):
		text, lo, hi = "[-]", 0, 5
	case g.chance(4) && lo > 0:
		text, hi = fmt.Sprintf("[%d]", lo), lo
	}
	n := leaf("jump", text)
	filler := g.literal(8, 8)
	n.emit = func(r *rand.Rand) []byte {
		return []byte(strings.Repeat(filler, hi/8+1))[:lo+r.IntN(hi-lo+1)]
	}
	return n
}
