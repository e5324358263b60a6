package syntax

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/besra-hunt/besra/yara/diag"
)

// stringLit parses a text literal.
func (p *parser) stringLit() StringLit {
	t := p.expect(tString)
	if p.failed {
		return StringLit{}
	}
	lit := StringLit{Span: p.spanOf(t)}
	quotes := 1
	if t.end-t.start >= 6 && p.src[t.start+1] == '"' {
		quotes, lit.MultiLine = 3, true
	}
	start := int(t.start) + quotes
	lit.Raw = p.src[start : int(t.end)-quotes]
	lit.Value = lit.Raw
	p.checkUTF8(start, lit.Raw)
	if n := strings.IndexByte(lit.Raw, '\\'); n >= 0 {
		lit.Value = p.unescape(start, lit.Raw, n)
	}
	return lit
}

// checkUTF8 reports the first byte of a literal that is not UTF-8.
func (p *parser) checkUTF8(start int, raw string) {
	if p.valid || utf8.ValidString(raw) {
		return
	}
	n := 0
	for {
		r, size := utf8.DecodeRuneInString(raw[n:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		n += size
	}
	p.mistake("invalid_utf8", "invalid UTF-8", p.span(start+n, start+n+1), "this byte is not UTF-8", encodingNote)
}

// unescape resolves the escapes of a text literal, of which the first is at n.
func (p *parser) unescape(start int, raw string, n int) string {
	b := make([]byte, n, len(raw))
	copy(b, raw)
	for n < len(raw) {
		if raw[n] != '\\' {
			b = append(b, raw[n])
			n++
			continue
		}
		value, size := escape(raw[n:])
		if value < 0 {
			p.badEscape(p.span(start+n, start+n+size), raw[n:n+size])
		}
		b = append(b, byte(value))
		n += size
	}
	return string(b)
}

// escape reads the escape that raw begins with: its value, or -1 where it is
// wrong, and its length.
func escape(raw string) (value, size int) {
	if len(raw) < 2 {
		return -1, len(raw)
	}
	switch raw[1] {
	case '\\', '"':
		return int(raw[1]), 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case '0': // YARA-X only
		return 0, 2
	case 'x':
		size = 2
		for size < 4 && size < len(raw) && classes[raw[size]]&hexDigit != 0 {
			size++
		}
		if size < 4 {
			return -1, size
		}
		return int(nibble(raw[2])<<4 | nibble(raw[3])), 4
	}
	_, n := utf8.DecodeRuneInString(raw[1:])
	return -1, 1 + n
}

func (p *parser) badEscape(at diag.Span, text string) {
	primary := "this escape sequence is not known"
	if strings.HasPrefix(text, `\x`) {
		primary = "expecting two hex digits after `\\x`"
	}
	p.mistake("invalid_escape", "invalid escape sequence", at, primary,
		"known are \\\" \\\\ \\n \\r \\t \\0 and \\xNN; a backslash itself is written \\\\")
}

// nibble returns the value of a hex digit.
func nibble(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}

// textLit parses a text literal as an expression.
func (p *parser) textLit() *TextLit {
	x := p.texts.new()
	x.Lit = p.stringLit()
	x.Span = x.Lit.Span
	p.height = 1
	return x
}

// boolLit parses true or false.
func (p *parser) boolLit() *BoolLit {
	t := p.tok
	p.advance()
	p.height = 1
	return &BoolLit{node{p.spanOf(t)}, t.kind == kTrue}
}

// intLit parses an integer as an expression.
func (p *parser) intLit() *IntLit {
	x := p.ints.new()
	*x = p.plainInt()
	p.height = 1
	return x
}

// plainInt parses an integer.
func (p *parser) plainInt() IntLit {
	t := p.expect(tInt)
	if p.failed {
		return IntLit{}
	}
	x := IntLit{node: node{p.spanOf(t)}, Raw: p.text(t)}
	var ok bool
	if x.Value, ok = parseInt(x.Raw); !ok {
		x.Overflow = true
		p.mistake("integer_overflow", "integer overflow", x.Span, "this number does not fit 64 bits with a sign",
			"the largest integer is 9223372036854775807 (0x7FFFFFFFFFFFFFFF)")
	}
	return x
}

// parseInt returns the value of an integer literal, and whether it fits.
func parseInt(raw string) (int64, bool) {
	if strings.IndexByte(raw, '_') >= 0 {
		raw = strings.ReplaceAll(raw, "_", "")
	}
	base, shift := 10, 0
	switch {
	case strings.HasPrefix(raw, "0x"):
		base, raw = 16, raw[2:]
	case strings.HasPrefix(raw, "0o"):
		base, raw = 8, raw[2:]
	case strings.HasSuffix(raw, "KB"):
		shift, raw = 10, raw[:len(raw)-2]
	case strings.HasSuffix(raw, "MB"):
		shift, raw = 20, raw[:len(raw)-2]
	}
	v, err := strconv.ParseInt(raw, base, 64)
	if err != nil || v<<shift>>shift != v {
		return 0, false
	}
	return v << shift, true
}

// floatLit parses a float as an expression. One too large for a double is
// infinite, as in both dialects.
func (p *parser) floatLit() *FloatLit {
	t := p.expect(tFloat)
	raw := p.text(t)
	v, _ := strconv.ParseFloat(strings.ReplaceAll(raw, "_", ""), 64)
	p.height = 1
	return &FloatLit{node{p.spanOf(t)}, raw, v}
}

// regexpLit parses a regexp literal. Flags are the letters i and s behind the
// slash, in any order; YARA also takes a following keyword without a blank.
func (p *parser) regexpLit() RegexpLit {
	t := p.expect(tRegexp)
	if p.failed {
		return RegexpLit{}
	}
	text := p.text(t)
	slash := strings.LastIndexByte(text, '/')
	lit := RegexpLit{Span: p.spanOf(t), Text: text[1:slash]}
	lit.CaseInsensitive = strings.Contains(text[slash:], "i")
	lit.DotAll = strings.Contains(text[slash:], "s")
	p.checkUTF8(int(t.start)+1, lit.Text)
	if p.tok.start == t.end && (p.tok.kind == tIdent || p.tok.kind == tInt) {
		p.mistake("invalid_regexp_modifier", "invalid regexp modifier", p.spanOf(p.tok),
			"the modifiers of a regexp are `i` and `s`")
		p.advance()
	}
	return lit
}

// regexpExpr parses a regexp literal as an expression.
func (p *parser) regexpExpr() *RegexpExpr {
	x := &RegexpExpr{Lit: p.regexpLit()}
	x.Span = x.Lit.Span
	p.height = 1
	return x
}
