package regex

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// escape reads a backslash and what follows, outside of classes.
func (p *parser) escape() *Node {
	start := p.pos
	if s, ok := p.classEscape(); ok {
		return p.setNode(s)
	}
	if p.err != nil {
		return Empty()
	}
	if a, ok := p.lookEscape(); ok {
		if p.flags.unicode && a != Begin && a != End {
			return p.fail(CodeUnicode, "word boundaries are of ASCII and not allowed under (?u)", start, p.pos, "write (?-u:"+p.src[start:p.pos]+")")
		}
		return Assert(a)
	}
	return p.char(p.charEscape(false))
}

// classEscape reads \d, \w, \s, \p… and their complements.
func (p *parser) classEscape() (runeSet, bool) {
	if p.pos+1 >= len(p.src) {
		return nil, false
	}
	c := p.src[p.pos+1]
	lower := c | 0x20
	if lower == 'p' && !p.opt.LibYARA {
		return p.property(), p.err == nil
	}
	s, ok := p.perlClass(lower)
	if !ok {
		return nil, false
	}
	p.pos += 2
	if c != lower {
		s = s.negate(p.maxRune())
	}
	return s, true
}

// perlClass returns the class of the letter d, w or s.
func (p *parser) perlClass(c byte) (runeSet, bool) {
	switch {
	case c == 'd' && p.flags.unicode:
		return unicodeDigit(), true
	case c == 'w' && p.flags.unicode:
		return unicodeWord(), true
	case c == 's' && p.flags.unicode:
		return unicodeSpace(), true
	case c == 'd':
		return runesOf(setDigit), true
	case c == 'w':
		return runesOf(setWord), true
	case c == 's':
		return runesOf(setSpace), true
	}
	return nil, false
}

// lookEscape reads \b, \B, \A, \z and \b{…}.
func (p *parser) lookEscape() (Assertion, bool) {
	switch {
	case p.at(`\b{`) && !p.opt.LibYARA:
		if a, ok := p.wordBoundary(); ok {
			return a, true
		}
		p.pos += 2
		return WordBoundary, true
	case p.eat(`\b`):
		return WordBoundary, true
	case p.eat(`\B`):
		return NotWordBoundary, true
	case !p.opt.LibYARA && p.eat(`\A`):
		return Begin, true
	case !p.opt.LibYARA && p.eat(`\z`):
		return End, true
	}
	return 0, false
}

// wordBoundary reads \b{start} and the like. It reads nothing where the brace
// begins a quantifier.
func (p *parser) wordBoundary() (Assertion, bool) {
	name, _, ok := strings.Cut(p.src[p.pos+3:], "}")
	name = strings.TrimSpace(name)
	if name == "" || !setAlpha.Has(name[0]) && name[0] != '-' {
		return 0, false
	}
	a, known := map[string]Assertion{"start": WordStart, "end": WordEnd,
		"start-half": WordStartHalf, "end-half": WordEndHalf}[name]
	switch {
	case ok && known:
		p.pos += strings.IndexByte(p.src[p.pos:], '}') + 1
		return a, true
	case p.opt.Relaxed:
		return 0, false
	}
	p.fail(CodeBadEscape, "unknown word boundary", p.pos, p.pos+3+len(name)+1, "there are start, end, start-half and end-half")
	return WordBoundary, true
}

// charEscape reads a backslash and what follows as one character. In a class
// libyara knows no back-references: \1 is a digit.
func (p *parser) charEscape(inClass bool) char {
	start := p.pos
	p.pos++
	if !p.more() {
		p.fail(CodeBadEscape, "the escape is not finished", start, start+1, `write \\ for a backslash`)
		return char{}
	}
	if p.src[p.pos] >= utf8.RuneSelf {
		if !p.opt.Relaxed {
			p.fail(CodeBadEscape, "unknown escape", start, start+2, `write \\ for a backslash`)
			return char{}
		}
		return p.next()
	}
	c := p.src[p.pos]
	p.pos++
	switch {
	case c == 'x' || (c == 'u' || c == 'U') && !p.opt.LibYARA:
		return p.numberEscape(start, c)
	case setDigit.Has(c) && !(inClass && p.opt.Relaxed):
		p.fail(CodeBackreference, "back-references and octal escapes are not supported", start, p.pos, `write \x`+"NN for a byte")
		return char{}
	case c == 'v' && p.opt.LibYARA:
		return char{'v', true}
	}
	if v, ok := controls[c]; ok {
		return char{rune(v), true}
	}
	if setAlpha.Has(c) && !p.opt.Relaxed {
		p.fail(CodeBadEscape, "unknown escape", start, p.pos, `write \\`+string(rune(c))+" for a backslash and the letter")
	}
	return char{rune(c), true}
}

// controls are the escapes of one letter that stand for a byte.
var controls = map[byte]byte{'a': '\a', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// numberEscape reads the digits of \xNN, \uNNNN, \UNNNNNNNN or, of each of
// them, {N…}.
func (p *parser) numberEscape(start int, kind byte) char {
	digits, fixed := "", !p.eat("{")
	if fixed {
		n := map[byte]int{'x': 2, 'u': 4, 'U': 8}[kind]
		digits = p.src[p.pos:min(p.pos+n, len(p.src))]
		p.pos += len(digits)
		if len(digits) < n {
			p.fail(CodeBadEscape, "the escape is not finished", start, p.pos, "it takes "+strconv.Itoa(n)+" hexadecimal digits")
			return char{}
		}
	} else {
		var ok bool
		if digits, _, ok = strings.Cut(p.src[p.pos:], "}"); !ok {
			p.fail(CodeBadEscape, "the escape is not finished", start, len(p.src), "")
			return char{}
		}
		p.pos += len(digits) + 1
	}
	v, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || strings.ContainsAny(digits, "+-_") {
		p.fail(CodeBadEscape, "not a hexadecimal number", start, p.pos, "")
		return char{}
	}
	isByte := fixed && kind == 'x'
	if !isByte && !utf8.ValidRune(rune(v)) {
		p.fail(CodeBadEscape, "not a code point", start, p.pos, "")
		return char{}
	}
	return char{rune(v), isByte || v < utf8.RuneSelf}
}

// setNode returns a node for one character of s.
func (p *parser) setNode(s runeSet) *Node {
	if p.flags.unicode {
		return s.node()
	}
	return Class(s.bytes())
}

// maxRune is the greatest character there is: complements end there.
func (p *parser) maxRune() rune {
	if p.flags.unicode {
		return utf8.MaxRune
	}
	return 0xFF
}
