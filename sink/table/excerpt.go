package table

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/besra-hunt/besra"
)

const (
	maxPatterns = 8  // patterns shown a finding
	maxMatches  = 3  // matches shown a pattern, of few patterns
	fewPatterns = 4  // with more of them, one match each is shown
	minExcerpt  = 16 // columns
)

// patterns writes what matched. The count beside a pattern says what is not shown.
func (p *page) patterns(f *besra.Finding) {
	hot, matches := p.verdict(f.Verdict).match, maxMatches
	if len(f.Patterns) > fewPatterns {
		matches = 1
	}
	for i := range f.Patterns {
		if i == maxPatterns {
			p.field("", span{p.faint, fmt.Sprintf("and %s", plural(int64(len(f.Patterns)-i), "more pattern", "more patterns"))})
			return
		}
		p.pattern(&f.Patterns[i], matches, hot)
	}
}

func (p *page) pattern(h *besra.PatternHits, matches int, hot *lipgloss.Style) {
	label := name(h.ID)
	if h.Count != 1 {
		label += fmt.Sprintf(" ×%d", h.Count)
	}
	shown := h.Matches[:min(len(h.Matches), matches)]
	if len(shown) == 0 {
		p.field(label)
		return
	}
	wide := 0
	for _, m := range shown {
		wide = max(wide, len(offset(m)))
	}
	for _, m := range shown {
		p.match(label, m, wide, hot)
		label = ""
	}
}

func offset(m besra.Match) string { return fmt.Sprintf("0x%x", m.Offset) }

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// match writes one match: its offset, and its bytes in their context. Bytes
// found through xor are shown as what they were before.
func (p *page) match(label string, m besra.Match, wide int, hot *lipgloss.Style) {
	at := fmt.Sprintf("%-*s  ", wide, offset(m))
	var notes []string
	if m.XorKey != nil && *m.XorKey != 0 {
		notes = append(notes, fmt.Sprintf("xor 0x%02x", *m.XorKey))
		m.Before, m.Data, m.After = unxor(m.Before, *m.XorKey), unxor(m.Data, *m.XorKey), unxor(m.After, *m.XorKey)
	}
	if m.Length > int64(len(m.Data)) {
		notes = append(notes, humanSize(m.Length)+" in all")
	}
	note := ""
	if len(notes) > 0 {
		note = "  " + strings.Join(notes, ", ")
	}
	room := max(p.room()-lipgloss.Width(at)-lipgloss.Width(note), minExcerpt)
	show := p.text
	if binary(m.Data) {
		show = p.hex
	}
	spans := append([]span{{p.faint, at}}, show(m, room, hot)...)
	p.field(label, append(spans, span{p.faint, note})...)
}

func unxor(b []byte, key byte) []byte {
	out := make([]byte, len(b))
	for i := range b {
		out[i] = b[i] ^ key
	}
	return out
}

// binary reports whether most of a match is not text.
func binary(b []byte) bool {
	text := 0
	for _, c := range b {
		if printable(c) || c == '\t' || c == '\r' || c == '\n' {
			text++
		}
	}
	return 2*text < len(b)
}

func printable(c byte) bool { return c >= ' ' && c < 0x7f }

// glyphs shows each byte in one column, with a dot for what is no ASCII text.
func glyphs(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		if printable(c) {
			s.WriteByte(c)
		} else {
			s.WriteRune('·')
		}
	}
	return s.String()
}

// text shows a match as text in at most room columns.
func (p *page) text(m besra.Match, room int, hot *lipgloss.Style) []span {
	left, right := p.marks()
	before, data, after := fit(m, room-3-lipgloss.Width(left+right)) // 3 for the signs of cuts
	return []span{
		{p.faint, cutSign(len(before) < len(m.Before)) + glyphs(before)},
		{hot, left + glyphs(data) + cutSign(int64(len(data)) < m.Length) + right},
		{p.faint, strings.TrimRight(glyphs(after)+cutSign(len(after) < len(m.After)), " ")},
	}
}

// hex shows a match as hexadecimal bytes, and as text behind them, in at most
// room columns. Marks stand in place of the spaces around the match.
func (p *page) hex(m besra.Match, room int, hot *lipgloss.Style) []span {
	left, right := p.marks()
	if left == "" {
		left, right = " ", " "
	}
	before, data, after := fit(m, (room-7)/4) // 7 for marks, the gap and the signs of cuts
	return []span{
		{p.faint, cutSign(len(before) < len(m.Before)) + digits(before) + left},
		{hot, digits(data) + cutSign(int64(len(data)) < m.Length)},
		{p.faint, right + digits(after) + cutSign(len(after) < len(m.After)) + "  " + glyphs(before)},
		{hot, glyphs(data)}, {p.faint, glyphs(after)},
	}
}

// digits shows bytes in hexadecimal, with a space between them.
func digits(b []byte) string { return fmt.Sprintf("% x", b) }

// marks returns what stands around a match where colour cannot show it. No
// excerpt holds these characters.
func (p *page) marks() (left, right string) {
	if p.plain {
		return "‹", "›"
	}
	return "", ""
}

func cutSign(cut bool) string {
	if cut {
		return "…"
	}
	return ""
}

// fit cuts a match and its context to room bytes: the match comes first, what
// is left is shared by both sides.
func fit(m besra.Match, room int) (before, data, after []byte) {
	data = m.Data[:min(len(m.Data), room)]
	rest := room - len(data)
	b := min(len(m.Before), rest/2)
	a := min(len(m.After), rest-b)
	b = min(len(m.Before), rest-a)
	return m.Before[len(m.Before)-b:], data, m.After[:a]
}
