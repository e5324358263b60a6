package exclusion

import (
	"strings"
	"unicode/utf8"
)

// TokenKind tells tokens apart.
type TokenKind uint8

// The token kinds.
const (
	TokenSpace   TokenKind = iota // white space
	TokenComment                  // // to the end of the line
	TokenString                   // a text literal with its quotes and prefix
	TokenWord                     // an identifier or keyword
	TokenNumber                   // digits and what belongs to them
	TokenMark                     // an operator or bracket
)

// Token is a piece of the source of an expression.
type Token struct {
	Kind   TokenKind
	Text   string
	Offset int // bytes from the start
}

// Tokens splits the source of an expression into tokens that, joined, are the
// source again. It accepts anything: what is not CEL is a run of marks.
func Tokens(src string) []Token {
	var out []Token
	for i := 0; i < len(src); {
		kind, n := nextToken(src[i:])
		out = append(out, Token{kind, src[i : i+n], i})
		i += n
	}
	return out
}

// nextToken measures the token that s starts with.
func nextToken(s string) (TokenKind, int) {
	if n := stringLength(s); n > 0 {
		return TokenString, n
	}
	switch c := s[0]; {
	case strings.IndexByte(" \t\r\n\f", c) >= 0:
		return TokenSpace, run(s, func(c byte) bool { return strings.IndexByte(" \t\r\n\f", c) >= 0 })
	case strings.HasPrefix(s, "//"):
		return TokenComment, run(s, func(c byte) bool { return c != '\n' })
	case letter(c):
		return TokenWord, run(s, func(c byte) bool { return letter(c) || digit(c) })
	case digit(c):
		return TokenNumber, run(s, func(c byte) bool { return letter(c) || digit(c) })
	}
	for _, two := range []string{"&&", "||", "==", "!=", "<=", ">="} {
		if strings.HasPrefix(s, two) {
			return TokenMark, 2
		}
	}
	_, n := utf8.DecodeRuneInString(s)
	return TokenMark, n
}

func letter(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }
func digit(c byte) bool  { return '0' <= c && c <= '9' }

// run counts the leading bytes of s that belong.
func run(s string, belongs func(byte) bool) int {
	n := 0
	for n < len(s) && belongs(s[n]) {
		n++
	}
	return n
}

// stringLength measures the text literal that s starts with, or returns 0. A
// literal without its end reaches to the end of the line, or of s if it is a
// triple-quoted one.
func stringLength(s string) int {
	prefix := run(s, func(c byte) bool { return strings.IndexByte("rRbB", c) >= 0 })
	if prefix > 2 || prefix == len(s) || s[prefix] != '"' && s[prefix] != '\'' {
		return 0
	}
	raw := strings.ContainsAny(s[:prefix], "rR")
	quote := s[prefix : prefix+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(s[prefix:], triple) {
		quote = triple
	}
	i := prefix + len(quote)
	for i < len(s) {
		switch {
		case strings.HasPrefix(s[i:], quote):
			return i + len(quote)
		case s[i] == '\\' && !raw && i+1 < len(s):
			i++
		case (s[i] == '\n' || s[i] == '\r') && len(quote) == 1:
			return i
		}
		i++
	}
	return len(s)
}

// CEL reserves the word "package", which the vocabulary uses as a group of
// facts. The parser is given a word of the same length in its place, so that
// every position stays true.
const reservedGroup, groupAlias = "package", "packagE"

// maskReserved returns src with the group replaced wherever it starts a name.
func maskReserved(src string) string {
	var b strings.Builder
	last := ""
	for _, t := range Tokens(src) {
		switch {
		case t.Kind == TokenWord && t.Text == reservedGroup && last != ".":
			b.WriteString(groupAlias)
		default:
			b.WriteString(t.Text)
		}
		if t.Kind != TokenSpace && t.Kind != TokenComment {
			last = t.Text
		}
	}
	return b.String()
}

// maskName and unmaskName translate names between the vocabulary and the parser.
func maskName(name string) string   { return swapGroup(name, reservedGroup, groupAlias) }
func unmaskName(name string) string { return swapGroup(name, groupAlias, reservedGroup) }

func swapGroup(name, from, to string) string {
	if name == from {
		return to
	}
	if rest, ok := strings.CutPrefix(name, from+"."); ok {
		return to + "." + rest
	}
	return name
}
