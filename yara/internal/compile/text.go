package compile

import (
	"encoding/base64"
	"strconv"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/syntax"
)

// standardAlphabet is base64's own.
const standardAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// literal is a text with the modifiers that matter, as data.
type literal struct {
	bytes                       []byte
	ascii, wide, fold, fullword bool
	xor                         bool
	xorLo, xorHi                byte
	base64, base64wide          bool
	alphabet, wideAlphabet      string
}

// textPattern lowers "text" with its modifiers.
func (l *lowering) textPattern(src *syntax.Pattern, m modifiers) *lowered {
	lit := literal{bytes: []byte(src.Text.Value), wide: m.wide != nil, fold: m.nocase != nil, fullword: m.fullword != nil}
	lit.ascii = m.ascii != nil || m.wide == nil
	if !l.checkLength(src, m, len(lit.bytes)) || !l.xorRange(&lit, m.xor) {
		return nil
	}
	var ok, okWide bool
	lit.base64, lit.base64wide = m.base64 != nil, m.base64wide != nil
	lit.alphabet, ok = l.alphabet(m.base64)
	lit.wideAlphabet, okWide = l.alphabet(m.base64wide)
	if !ok || !okWide {
		return nil
	}
	return l.internLiteral(lit)
}

func (l *lowering) checkLength(src *syntax.Pattern, m modifiers, n int) bool {
	switch {
	case n == 0:
		l.errorAt("empty_pattern", src.Text.Span, "pattern `"+src.ID.Name+"` is empty", "")
	case (m.base64 != nil || m.base64wide != nil) && n < 3 && l.c.opt.Dialect != program.LibYARA:
		l.errorAt("pattern_too_short", src.Text.Span, "pattern `"+src.ID.Name+"` is too short",
			"base64 needs three bytes at least")
	case n > l.c.opt.Limits.PatternSize:
		l.tooLarge(src)
	default:
		return true
	}
	return false
}

func (l *lowering) tooLarge(src *syntax.Pattern) {
	l.errorAt("pattern_too_large", src.Span, "pattern `"+src.ID.Name+"` is too large",
		"the limit is "+strconv.Itoa(l.c.opt.Limits.PatternSize)+" bytes")
}

func (l *lowering) xorRange(lit *literal, m *syntax.Modifier) bool {
	if m == nil {
		return true
	}
	lo, hi := int64(0), int64(255)
	if m.HasRange {
		lo, hi = m.Lo, m.Hi
	}
	switch {
	case lo < 0 || hi > 255:
		l.errorAt("number_out_of_range", m.Span, "number out of range", "an xor key lies between 0 and 255")
	case lo > hi:
		l.errorAt("invalid_range", m.Span, "invalid range", "the lower bound is greater than the upper bound")
	default:
		lit.xor, lit.xorLo, lit.xorHi = true, byte(lo), byte(hi)
		return true
	}
	return false
}

// alphabet returns the alphabet of a base64 modifier.
func (l *lowering) alphabet(m *syntax.Modifier) (string, bool) {
	if m == nil || m.Alphabet == nil {
		return standardAlphabet, true
	}
	s := m.Alphabet.Value
	bad := func(why string) (string, bool) {
		l.errorAt("invalid_base64_alphabet", m.Alphabet.Span, "invalid base64 alphabet", why)
		return "", false
	}
	if len(s) != 64 {
		return bad("it must have 64 characters, and has " + strconv.Itoa(len(s)))
	}
	var seen [256]bool
	for i := range len(s) {
		switch {
		case seen[s[i]]:
			return bad("the character " + strconv.QuoteRune(rune(s[i])) + " stands in it twice")
		case s[i] == '=' || s[i] == '\n' || s[i] == '\r' || s[i] >= 0x80:
			return bad("the character " + strconv.QuoteRune(rune(s[i])) + " cannot stand in it")
		}
		seen[s[i]] = true
	}
	return s, true
}

// internLiteral interns a literal with its modifiers.
func (l *lowering) internLiteral(lit literal) *lowered {
	lit.fold = lit.fold && hasLetter(lit.bytes)
	key := l.c.scratch.key[:0]
	key = append(key, 'T', flags(lit.ascii, lit.wide, lit.fold, lit.fullword, lit.xor, lit.base64, lit.base64wide),
		lit.xorLo, lit.xorHi)
	if lit.base64 {
		key = append(key, lit.alphabet...)
	}
	if lit.base64wide {
		key = append(key, lit.wideAlphabet...)
	}
	key = append(key, lit.bytes...)
	l.c.scratch.key = key
	return l.intern(key, func() *lowered { return l.c.lowerLiteral(lit) })
}

func flags(bits ...bool) (b byte) {
	for i, set := range bits {
		b |= byte(b2i(set)) << i
	}
	return b
}

func hasLetter(b []byte) bool {
	for _, c := range b {
		if c |= 0x20; 'a' <= c && c <= 'z' {
			return true
		}
	}
	return false
}

func (c *Compiler) lowerLiteral(lit literal) *lowered {
	low := &lowered{}
	if lit.ascii {
		low.needles = c.appendNeedles(low.needles, lit, lit.bytes, program.WordBoundary)
	}
	if lit.wide {
		low.needles = c.appendNeedles(low.needles, lit, widen(lit.bytes), program.WideBoundary)
	}
	if len(low.needles) == 1 && low.needles[0].Kind == program.Literal && !lit.fold {
		low.bytes = low.needles[0].Bytes
	}
	return low
}

// appendNeedles appends the needles of one encoding of a literal.
func (c *Compiler) appendNeedles(list []program.Needle, lit literal, b []byte, boundary program.Boundary) []program.Needle {
	n := program.Needle{Kind: program.Literal, Bytes: b, Fold: lit.fold}
	if lit.fullword {
		n.Boundary = boundary
	}
	switch {
	case lit.base64 || lit.base64wide:
		if lit.base64 {
			list = c.appendBase64(list, b, lit.alphabet, false)
		}
		if lit.base64wide {
			list = c.appendBase64(list, b, lit.wideAlphabet, true)
		}
		return list
	case lit.xor:
		n.Kind, n.XorLo, n.XorHi = program.Xor, lit.xorLo, lit.xorHi
	}
	return append(list, n)
}

// appendBase64 appends what the base64 text of anything that holds plain must
// hold, for each place that plain can have within a quantum of three bytes.
// Characters that depend on the bytes around are left out. YARA takes each for
// a match as it stands, so in its dialect there is nothing to decode.
func (c *Compiler) appendBase64(list []program.Needle, plain []byte, alphabet string, wide bool) []program.Needle {
	enc := base64.NewEncoding(alphabet).WithPadding(base64.NoPadding)
	for padding := range 3 {
		padded := append(make([]byte, padding, padding+len(plain)), plain...)
		text := enc.EncodeToString(padded)
		text = text[[]int{0, 2, 3}[padding] : len(text)-b2i(len(padded)%3 != 0)]
		if text == "" {
			continue
		}
		encoded := program.Base64Text{Alphabet: alphabet, Padding: uint8(padding), Wide: wide}
		if c.opt.Dialect != program.LibYARA {
			encoded.Plain = plain
		}
		n := program.Needle{Kind: program.Base64, Bytes: []byte(text), Base64: &encoded}
		if wide {
			n.Bytes = widen(n.Bytes)
		}
		list = append(list, n)
	}
	return list
}

// widen puts a zero byte behind each byte.
func widen(b []byte) []byte {
	w := make([]byte, 2*len(b))
	for i, c := range b {
		w[2*i] = c
	}
	return w
}
