package kusto

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	mark    tokenKind = iota
	word              // a name or keyword
	numeral           // a number, or a timespan such as 6d
	literal           // text in quotes
)

// token is a piece of a query; blanks and comments are none.
type token struct {
	kind   tokenKind
	text   string
	offset int
}

// tokens splits a query. It accepts anything.
func tokens(query string) []token {
	var out []token
	for i := 0; i < len(query); {
		kind, n := nextToken(query[i:])
		if n > 0 {
			out = append(out, token{kind, query[i : i+n], i})
		}
		i += max(n, skip(query[i:]))
	}
	return out
}

// skip measures the blank or comment that s starts with, at least 1.
func skip(s string) int {
	if !strings.HasPrefix(s, "//") {
		return 1
	}
	if n := strings.IndexByte(s, '\n'); n >= 0 {
		return n
	}
	return len(s)
}

// nextToken measures the token that s starts with; 0 where it starts with none.
func nextToken(s string) (tokenKind, int) {
	if n := literalLength(s); n > 0 {
		return literal, n
	}
	letter := func(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' }
	n := 0
	for n < len(s) && letter(s[n]) {
		n++
	}
	switch {
	case n > 0 && '0' <= s[0] && s[0] <= '9':
		return numeral, n
	case n > 0:
		return word, n
	case strings.HasPrefix(s, "//") || strings.IndexByte(" \t\r\n\f\v", s[0]) >= 0:
		return mark, 0
	}
	for _, two := range []string{"==", "!=", "<=", ">=", "=~", "!~", ".."} {
		if strings.HasPrefix(s, two) {
			return mark, 2
		}
	}
	_, n = utf8.DecodeRuneInString(s)
	return mark, n
}

// literalLength measures the text literal that s starts with: in one or two
// quotes, verbatim with @, hidden with h; or in three backquotes. 0 is none.
func literalLength(s string) int {
	i := 0
	for i < len(s) && strings.IndexByte("hH@", s[i]) >= 0 {
		i++
	}
	verbatim := i > 0 && s[i-1] == '@'
	switch {
	case i > 2 || i == len(s):
		return 0
	case strings.HasPrefix(s[i:], "```"):
		if end := strings.Index(s[i+3:], "```"); end >= 0 {
			return i + 3 + end + 3
		}
		return len(s)
	case s[i] != '"' && s[i] != '\'':
		return 0
	}
	quote := s[i]
	for i++; i < len(s) && s[i] != '\n'; i++ {
		switch {
		case s[i] == '\\' && !verbatim:
			i++
		case s[i] == quote && verbatim && i+1 < len(s) && s[i+1] == quote:
			i++
		case s[i] == quote:
			return i + 1
		}
	}
	return min(i, len(s))
}

// unquote returns what a literal says; an escape that is none stays as it is.
func unquote(text string) string {
	text = strings.TrimLeft(text, "hH")
	if strings.HasPrefix(text, "```") {
		return strings.Trim(text, "`")
	}
	text, verbatim := strings.CutPrefix(text, "@")
	if len(text) < 2 || text[len(text)-1] != text[0] {
		return text
	}
	quote := text[:1]
	text = text[1 : len(text)-1]
	if verbatim {
		return strings.ReplaceAll(text, quote+quote, quote)
	}
	var b strings.Builder
	for text != "" {
		r, _, rest, err := strconv.UnquoteChar(text, 0)
		if err != nil {
			_, n := utf8.DecodeRuneInString(text)
			if text[0] == '\\' && len(text) > 1 && strings.IndexByte(`'"`, text[1]) >= 0 {
				b.WriteByte(text[1])
				text = text[2:]
				continue
			}
			b.WriteString(text[:n])
			text = text[n:]
			continue
		}
		b.WriteRune(r)
		text = rest
	}
	return b.String()
}
