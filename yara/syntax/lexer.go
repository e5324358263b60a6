package syntax

import (
	"strings"
	"unicode/utf8"

	"github.com/besra-hunt/besra/yara/diag"
)

// lexer cuts a source into tokens, on demand, because what `{` begins is
// known to the parser only. Comments are collected on the way.
type lexer struct {
	src   string
	file  int32
	pos   int  // where the next token is looked for
	valid bool // src is valid UTF-8

	comments []*Comment
	slab     slab[Comment]
	list     diag.List
	// quiet drops reports, while the parser looks for the next rule.
	quiet bool
}

// class sorts bytes by what they can begin or continue.
type class uint8

const (
	letter class = 1 << iota // and underscore
	digit
	hexDigit
)

var classes = func() (t [256]class) {
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = letter, letter
	}
	t['_'] = letter
	for c := '0'; c <= '9'; c++ {
		t[c] = digit | hexDigit
	}
	for c := 'a'; c <= 'f'; c++ {
		t[c] |= hexDigit
		t[c-'a'+'A'] |= hexDigit
	}
	return t
}()

// is reports whether the byte at a position is of one of the classes.
func (l *lexer) is(pos int, c class) bool {
	return pos < len(l.src) && classes[l.src[pos]]&c != 0
}

// byteAt returns a byte, 0 behind the end.
func (l *lexer) byteAt(pos int) byte {
	if pos < len(l.src) {
		return l.src[pos]
	}
	return 0
}

func (l *lexer) span(start, end int) diag.Span {
	return diag.Span{File: l.file, Start: int32(start), End: int32(end)}
}

// report adds an error.
func (l *lexer) report(code, title string, at diag.Span, primary string, notes ...string) {
	if !l.quiet {
		l.list = append(l.list, &diag.Diagnostic{Code: code, Title: title, Span: at, Primary: primary, Notes: notes})
	}
}

// scan returns the next token.
func (l *lexer) scan() token {
	if !l.skipBlanks(true) {
		return token{tBad, int32(len(l.src)), int32(len(l.src))}
	}
	start := l.pos
	k := l.scanKind()
	return token{k, int32(start), int32(l.pos)}
}

// skipBlanks moves to the next byte that is neither blank nor, where comments
// are allowed, in a comment. It returns false for a comment without an end.
func (l *lexer) skipBlanks(comments bool) bool {
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			l.pos++
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(l.src[l.pos:])
			if !isSpace(r) {
				return true
			}
			l.pos += size
		case c == '/' && comments && (l.byteAt(l.pos+1) == '/' || l.byteAt(l.pos+1) == '*'):
			if !l.comment() {
				return false
			}
		default:
			return true
		}
	}
	return true
}

// isSpace reports whether a character beyond ASCII counts as a blank, as in
// YARA-X; YARA refuses them.
func isSpace(r rune) bool {
	return r == 0xa0 || r >= 0x2000 && r <= 0x200a || r == 0x202f || r == 0x205f
}

// comment collects the comment at pos.
func (l *lexer) comment() bool {
	start, end := l.pos, len(l.src)
	if l.src[start+1] == '/' {
		if n := strings.IndexByte(l.src[start:], '\n'); n >= 0 {
			end = start + n
		}
		if l.src[end-1] == '\r' {
			end--
		}
	} else {
		n := strings.Index(l.src[start+2:], "*/")
		if n < 0 {
			l.report("unterminated_comment", "unterminated comment", l.span(start, start+2), "this comment has no `*/`")
			l.pos = end
			return false
		}
		end = start + 2 + n + 2
	}
	c := l.slab.new()
	*c = Comment{Span: l.span(start, end), Text: l.src[start:end]}
	l.comments = append(l.comments, c)
	l.pos = end
	return true
}

// scanKind reads the token at pos and moves behind it.
func (l *lexer) scanKind() kind {
	if l.pos >= len(l.src) {
		return tEOF
	}
	c := l.src[l.pos]
	switch {
	case classes[c]&letter != 0:
		start := l.pos
		l.skip(letter | digit)
		return keyword(l.src[start:l.pos])
	case classes[c]&digit != 0:
		return l.number()
	}
	l.pos++
	switch c {
	case '$':
		return l.id(tPattern)
	case '#':
		return l.id(tCount)
	case '@':
		return l.id(tOffset)
	case '!':
		if l.byteAt(l.pos) == '=' {
			l.pos++
			return tNe
		}
		return l.id(tLength)
	case '"':
		return l.text()
	case '/':
		return l.regexp()
	}
	return l.punctuation(c)
}

// skip moves over bytes of the classes.
func (l *lexer) skip(c class) {
	for l.pos < len(l.src) && classes[l.src[l.pos]]&c != 0 {
		l.pos++
	}
}

func (l *lexer) id(k kind) kind {
	l.skip(letter | digit)
	return k
}

// number reads an integer or a float. A digit may be followed by underscores.
func (l *lexer) number() kind {
	if l.src[l.pos] == '0' {
		switch c := l.byteAt(l.pos + 1); {
		case c == 'x' && l.is(l.pos+2, hexDigit):
			l.pos += 2
			l.digits(hexDigit)
			return tInt
		case c == 'o' && isOctal(l.byteAt(l.pos+2)):
			for l.pos += 2; isOctal(l.byteAt(l.pos)) || l.byteAt(l.pos) == '_'; {
				l.pos++
			}
			return tInt
		}
	}
	l.digits(digit)
	if l.byteAt(l.pos) == '.' && (l.is(l.pos+1, digit) || l.byteAt(l.pos+1) == '_') {
		l.pos++
		l.digits(digit)
		return tFloat
	}
	if c := l.byteAt(l.pos); (c == 'K' || c == 'M') && l.byteAt(l.pos+1) == 'B' {
		l.pos += 2
	}
	return tInt
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }

func (l *lexer) digits(c class) {
	for l.is(l.pos, c) || l.byteAt(l.pos) == '_' {
		l.pos++
	}
}

// text reads a text literal whose first quote has been read.
func (l *lexer) text() kind {
	start := l.pos - 1
	if strings.HasPrefix(l.src[l.pos:], `""`) {
		return l.multiLine(start)
	}
	for l.pos < len(l.src) {
		switch l.src[l.pos] {
		case '"':
			l.pos++
			return tString
		case '\n':
			return l.unterminated(start, "string")
		case '\\':
			if l.byteAt(l.pos+1) != '\n' {
				l.pos++
			}
		}
		l.pos++
	}
	return l.unterminated(start, "string")
}

// multiLine reads the rest of """…""", of which one quote has been read.
// Inside, a quote must be written \", as YARA-X has it.
func (l *lexer) multiLine(start int) kind {
	quote := -1
	for l.pos += 2; l.pos < len(l.src); l.pos++ {
		switch l.src[l.pos] {
		case '"':
			if strings.HasPrefix(l.src[l.pos:], `"""`) {
				l.pos += 3
				return l.loneQuote(quote)
			}
			if quote < 0 {
				quote = l.pos
			}
		case '\\':
			l.pos++
		}
	}
	l.pos = start + 3 // what follows on the line is lost, the rules below are not
	if n := strings.IndexByte(l.src[l.pos:], '\n'); n >= 0 {
		l.pos += n
	} else {
		l.pos = len(l.src)
	}
	l.report("unterminated_string", "unterminated string", l.span(start, start+3), "this string has no closing `\"\"\"`")
	return tBad
}

// loneQuote refuses a multi-line text that has a quote inside, at the place.
func (l *lexer) loneQuote(at int) kind {
	if at < 0 {
		return tString
	}
	l.report("syntax_error", "syntax error", l.span(at, at+1), "a quote inside `\"\"\"` is written `\\\"`")
	return tBad
}

// regexp reads a regexp literal whose first slash has been read, its flags
// included.
func (l *lexer) regexp() kind {
	start := l.pos - 1
	for l.pos < len(l.src) {
		switch l.src[l.pos] {
		case '/':
			l.pos++
			for l.byteAt(l.pos) == 'i' || l.byteAt(l.pos) == 's' {
				l.pos++
			}
			return tRegexp
		case '\n':
			return l.unterminated(start, "regexp", divisionNote)
		case '\\':
			if l.byteAt(l.pos+1) != '\n' {
				l.pos++
			}
		}
		l.pos++
	}
	return l.unterminated(start, "regexp", divisionNote)
}

const divisionNote = "division is written `\\`"

// unterminated reports a literal that the line, or the file, ends.
func (l *lexer) unterminated(start int, what string, notes ...string) kind {
	l.pos = min(l.pos, len(l.src))
	end := start + len(strings.TrimRight(l.src[start:l.pos], " \t\r"))
	l.report("unterminated_"+what, "unterminated "+what, l.span(start, end), "this "+what+" does not end on its line", notes...)
	return tBad
}

// punctuation reads the rest of an operator or separator that begins with c.
func (l *lexer) punctuation(c byte) kind {
	next := l.byteAt(l.pos)
	double := func(second byte, k, single kind) kind {
		if next == second {
			l.pos++
			return k
		}
		return single
	}
	switch c {
	case '=':
		return double('=', tEq, tAssign)
	case '<':
		return double('=', tLe, double('<', tShl, tLt))
	case '>':
		return double('=', tGe, double('>', tShr, tGt))
	}
	if k := punctuation[c]; k != tBad {
		return k
	}
	return l.stray()
}

var punctuation = [256]kind{
	'&': tAmp, '|': tPipe, '^': tCaret, '~': tTilde, '+': tPlus, '-': tMinus, '*': tStar, '\\': tBackslash,
	'%': tPercent, ':': tColon, ',': tComma, '.': tDot, '[': tLBracket, ']': tRBracket,
	'(': tLParen, ')': tRParen, '{': tLBrace, '}': tRBrace,
}

// stray takes the character whose first byte has been read: it starts no token.
func (l *lexer) stray() kind {
	l.pos--
	r, size := utf8.DecodeRuneInString(l.src[l.pos:])
	l.pos += size
	if r == utf8.RuneError && size == 1 {
		l.report("invalid_utf8", "invalid UTF-8", l.span(l.pos-1, l.pos), "this byte is not UTF-8", encodingNote)
		return tBad
	}
	return tUnknown
}

const encodingNote = "rules are UTF-8 text; write other bytes as `\\xNN`"
