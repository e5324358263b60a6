package besra

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns the text on one line, fit to be shown to a person: what is
// not a visible character (control characters, line ends, terminal sequences,
// bidirectional overrides, invisible and unassigned characters, bytes that are
// not UTF-8) becomes \xNN, byte by byte. A backslash that would read as such
// an escape becomes \x5c, so that two different texts never look the same.
func (t Text) Printable() string { return t.escaped(readsAsEscape) }

// Legible is [Text.Printable] for a sentence of ours, in which names were made
// printable already: a backslash stays what it is.
func (t Text) Legible() string {
	return t.escaped(func(string) bool { return false })
}

// escaped escapes what is not visible, and backslashes that are to be.
func (t Text) escaped(backslash func(rest string) bool) string {
	i := strings.IndexFunc(string(t), func(r rune) bool {
		return r == '\\' || r == utf8.RuneError || !visible(r)
	})
	if i < 0 {
		return string(t)
	}
	var b strings.Builder
	b.WriteString(string(t[:i]))
	for s := string(t[i:]); s != ""; {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 || !visible(r) || r == '\\' && backslash(s) {
			for _, c := range []byte(s[:n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// visible reports whether r is safe to show: it has a glyph of its own, or is
// the plain space, and does not change how its neighbours are shown.
func visible(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= ' ' && r != 0x7f
	}
	return unicode.IsPrint(r) && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// readsAsEscape reports whether s begins like an escape that Printable writes.
func readsAsEscape(s string) bool {
	return len(s) >= 4 && s[0] == '\\' && s[1] == 'x' && isHex(s[2]) && isHex(s[3])
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f'
}

// Base is the last part of a target's name: what stands behind the last slash,
// the "!" before a member, or the backslash of a path of Windows.
func (t Text) Base() Text {
	seps := "/!"
	if strings.HasPrefix(string(t), `\\`) || len(t) > 2 && t[1:3] == `:\` {
		seps += `\`
	}
	whole := strings.TrimRight(string(t), seps)
	return t[strings.LastIndexAny(whole, seps)+1:]
}
