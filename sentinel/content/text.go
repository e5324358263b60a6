package content

import (
	"fmt"
	"strings"
)

// literal returns s as a string literal of KQL, in ASCII: a regular one, with
// every control and non-ASCII character as \uXXXX (a pair above U+FFFF).
func literal(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r >= 0x20 && r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04X\u%04X`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// comment returns lines of comment for KQL, in ASCII.
func comment(lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString("// " + ascii(oneLine(l)) + "\n")
	}
	return b.String()
}

// oneLine joins lines, for comments and names.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// cut shortens s to at most n bytes, at a character, and says so by "...".
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-3], "") + "..."
}

// ascii writes what the repository of Microsoft's own content does not take:
// dashes and quotation marks as their plain forms, everything else as "?".
func ascii(s string) string {
	s = plainMarks.Replace(s)
	return strings.Map(func(r rune) rune {
		if r > 0x7e || r < 0x20 && r != '\n' && r != '\t' {
			return '?'
		}
		return r
	}, s)
}

var plainMarks = strings.NewReplacer("\u2018", "'", "\u2019", "'", "\u201c", `"`, "\u201d", `"`, "\u2013", "-", "\u2014", "-", "\u2026", "...", "\u00a0", " ")
