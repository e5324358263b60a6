package syntax

import (
	"math"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra/yara/diag"
)

// Inside the braces of a hex pattern the source is read byte by byte: what
// looks like an identifier or a number elsewhere is a byte here.

// hex parses a hex pattern, from its opening brace on.
func (p *parser) hex() *Hex {
	h := p.hexes.new()
	open := p.tok
	p.pos = int(open.end)
	h.Tokens = p.hexSequence()
	if !p.failed && p.byteAt(p.pos) != '}' {
		p.hexFail(hexExpected(h.Tokens))
	}
	if p.failed {
		p.unclosed(open)
		return h
	}
	p.pos++
	p.tok.end = int32(p.pos) // the whole pattern is one token to what follows
	h.Span = p.spanOf(p.tok)
	p.advance()
	return h
}

// unclosed adds to the error in a hex pattern where the pattern began.
func (p *parser) unclosed(open token) {
	if n := len(p.list); n > 0 && !p.quiet {
		p.list[n-1].Labels = append(p.list[n-1].Labels, diag.Label{Span: p.spanOf(open), Text: "in the hex pattern that begins here"})
	}
}

// hexExpected lists what can stand behind the tokens of a pattern.
func hexExpected(before []HexToken) kindSet {
	if len(before) == 0 {
		return setOf(xByte, tLParen)
	}
	return setOf(xByte, tLParen, tLBracket, tRBrace)
}

// hexFail reports a syntax error at pos, where something else was expected.
func (p *parser) hexFail(expected kindSet) {
	if p.failed {
		return
	}
	var notes []string
	start := p.pos
	p.tok = token{kind: tUnknown, start: int32(start)}
	if text := p.src[start:]; strings.HasPrefix(text, "/*") || strings.HasPrefix(text, "//") {
		p.pos += 2
		notes = append(notes, "a jump cannot hold a comment")
	} else {
		p.quiet = true
		if k := p.scanKind(); k != tBad {
			p.tok.kind = k
		}
		p.quiet = false
	}
	p.tok.end = int32(p.pos)
	p.expected = expected
	p.fail(notes...)
}

// hexMistake reports an error after which the pattern is read on.
func (p *parser) hexMistake(at diag.Span, primary string, notes ...string) {
	p.mistake("invalid_hex_pattern", "invalid hex pattern", at, primary, notes...)
}

// hexSequence parses bytes, jumps and alternatives up to what is none of them.
func (p *parser) hexSequence() []HexToken {
	base := len(p.tokens)
	for !p.failed {
		t := p.hexToken()
		if t == nil {
			break
		}
		p.tokens = append(p.tokens, t)
	}
	all := append(make([]HexToken, 0, len(p.tokens)-base), p.tokens[base:]...)
	p.tokens = p.tokens[:base]
	if len(all) == 0 {
		p.hexFail(hexExpected(all))
	} else {
		p.checkEnds(all)
	}
	return all
}

// checkEnds refuses a jump at either end of a sequence: it has nothing to
// jump from or to.
func (p *parser) checkEnds(all []HexToken) {
	if j, ok := all[0].(*HexJump); ok {
		p.hexMistake(j.Span, "a jump cannot come first")
	} else if j, ok := all[len(all)-1].(*HexJump); ok {
		p.hexMistake(j.Span, "a jump cannot come last")
	}
}

// hexToken parses one token, nil where none begins.
func (p *parser) hexToken() HexToken {
	if !p.skipBlanks(true) {
		p.tok = token{tBad, int32(p.pos), int32(p.pos)}
		p.fail()
		return nil
	}
	switch c := p.byteAt(p.pos); {
	case c == '~' || isNibble(c):
		return p.hexByte()
	case c == '[':
		return p.hexJump()
	case c == '(':
		return p.hexAlt()
	}
	return nil
}

// isNibble reports whether c is half a byte.
func isNibble(c byte) bool { return c == '?' || classes[c]&hexDigit != 0 }

// hexByte parses AB, A?, ?B, ?? and the same with a ~.
func (p *parser) hexByte() HexToken {
	start := p.pos
	not := p.src[start] == '~'
	if not {
		p.pos++
	}
	hi, lo := p.byteAt(p.pos), p.byteAt(p.pos+1)
	if !isNibble(hi) || !isNibble(lo) {
		return p.halfByte(start)
	}
	p.pos += 2
	b := p.bytes.new()
	b.Span, b.Not = p.span(start, p.pos), not
	if hi != '?' {
		b.Value, b.Mask = nibble(hi)<<4, 0xf0
	}
	if lo != '?' {
		b.Value, b.Mask = b.Value|nibble(lo), b.Mask|0x0f
	}
	if not && b.Mask == 0 {
		p.hexMistake(b.Span, "`??` is any byte and cannot be negated")
	}
	return b
}

// halfByte reports a byte that is not two digits. What looks like a word is
// more likely the rest of a rule whose pattern was not closed.
func (p *parser) halfByte(start int) HexToken {
	if isNibble(p.byteAt(p.pos)) {
		p.pos++
	}
	if p.is(p.pos, letter) {
		p.pos = start
		return nil
	}
	at := p.span(start, p.pos)
	text := p.src[start:p.pos]
	p.hexMistake(at, "expecting two digits, found `"+text+"`", "each digit is one of 0-9, a-f, A-F or ?")
	b := p.bytes.new()
	b.Span = at
	return b
}

// hexJump parses [n], [n-m], [n-], [-m] and [-].
func (p *parser) hexJump() HexToken {
	j := p.jumps.new()
	start := p.pos
	p.pos++
	lo, hasLo := p.jumpBound()
	j.Min, j.Max, j.Raw = lo.value, lo.value, lo.text
	p.skipBlanks(false)
	hyphen := p.byteAt(p.pos) == '-'
	if hyphen {
		p.pos++
		j.Max, j.Raw = -1, j.Raw+"-"
		if hi, ok := p.jumpBound(); ok {
			j.Max, j.Raw = hi.value, j.Raw+hi.text
		}
		p.skipBlanks(false)
	}
	if p.byteAt(p.pos) != ']' || !hasLo && !hyphen {
		p.jumpFail(hasLo, hyphen, j.Max >= 0)
		return nil
	}
	p.pos++
	j.Span = p.span(start, p.pos)
	p.checkJump(j)
	return j
}

// jumpFail reports what a jump is missing.
func (p *parser) jumpFail(hasLo, hyphen, hasHi bool) {
	switch {
	case hyphen && !hasHi:
		p.hexFail(setOf(tInt, tRBracket))
	case hyphen:
		p.hexFail(setOf(tRBracket))
	case hasLo:
		p.hexFail(setOf(tMinus, tRBracket))
	default:
		p.hexFail(setOf(tInt, tMinus))
	}
}

// checkJump refuses bounds that make no sense. [0-0] is a jump over nothing,
// which YARA takes.
func (p *parser) checkJump(j *HexJump) {
	switch {
	case j.Min > math.MaxUint32 || j.Max > math.MaxUint32:
		p.hexMistake(j.Span, "this jump is longer than 4294967295 bytes")
	case j.Max == 0 && !strings.Contains(j.Raw, "-"):
		p.hexMistake(j.Span, "this jump has no length", "remove it")
	case j.Max >= 0 && j.Min > j.Max:
		p.hexMistake(j.Span, "the lower bound is greater than the upper bound")
	}
}

// bound is one end of a jump.
type bound struct {
	value int64
	text  string
}

// jumpBound parses a decimal, hexadecimal or octal number.
func (p *parser) jumpBound() (bound, bool) {
	p.skipBlanks(false)
	start, base, digits := p.pos, 10, p.pos
	switch c := p.byteAt(start + 1); {
	case p.byteAt(start) != '0':
	case c == 'x' && p.is(start+2, hexDigit):
		base, digits = 16, start+2
	case c == 'o' && isOctal(p.byteAt(start+2)):
		base, digits = 8, start+2
	}
	end := digits
	for p.is(end, digit) && (base > 8 || isOctal(p.src[end])) || base == 16 && p.is(end, hexDigit) {
		end++
	}
	if end == digits {
		return bound{}, false
	}
	p.pos = end
	v, err := strconv.ParseInt(p.src[digits:end], base, 64)
	if err != nil {
		v = math.MaxInt64
	}
	return bound{v, p.src[start:end]}, true
}

// hexAlt parses ( … | … ).
func (p *parser) hexAlt() HexToken {
	if !p.enter() {
		p.leave()
		return nil
	}
	defer p.leave()
	a := &HexAlt{}
	start := p.pos
	for {
		p.pos++
		a.Alts = append(a.Alts, p.hexSequence())
		if p.failed || p.byteAt(p.pos) != '|' {
			break
		}
	}
	if p.failed {
		return nil
	}
	if p.byteAt(p.pos) != ')' {
		p.hexFail(setOf(xByte, tLParen, tLBracket, tPipe, tRParen))
		return nil
	}
	p.pos++
	a.Span = p.span(start, p.pos)
	return a
}
