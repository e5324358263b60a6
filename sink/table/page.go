package table

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/besra-hunt/besra"
)

// page builds one block of lines: a head that begins at the left edge, and
// below it fields, each a label and its content in a column of its own.
type page struct {
	palette
	width  int
	labels int // width of the column of labels, with its gap
	lines  strings.Builder
}

const (
	margin     = 2
	labelWidth = 13 // leaves a SHA-256 its place on 80 columns
)

func newPage(w io.Writer, width int) *page {
	return &page{palette: newPalette(w), width: width, labels: labelWidth}
}

// take returns the block built so far and begins the next.
func (p *page) take() string {
	s := p.lines.String()
	p.lines.Reset()
	p.labels = labelWidth
	return s
}

// room is the number of columns beside the labels.
func (p *page) room() int { return p.width - margin - p.labels }

// span is a piece of text in one style. Its text is fit to be shown: it comes
// from [name], [prose] or this package's own words.
type span struct {
	style *lipgloss.Style
	text  string
}

// name returns a name as it may be shown, exact up to a length that no name
// in good faith has, and with its middle left out beyond that.
func name[S ~string](s S) string { return shortened(string(s), besra.Text.Printable) }

// prose returns a sentence of ours as it may be shown: white space is one space.
func prose[S ~string](s S) string {
	return shortened(strings.Join(strings.Fields(string(s)), " "), besra.Text.Legible)
}

func shortened(s string, show func(besra.Text) string) string {
	const head, tail = 700, 300
	if len(s) <= head+tail {
		return show(besra.Text(s))
	}
	return fmt.Sprintf("%s…[%d bytes]…%s", show(besra.Text(s[:head])), len(s)-head-tail, show(besra.Text(s[len(s)-tail:])))
}

// line writes spans on a line of their own.
func (p *page) line(spans ...span) {
	for _, s := range spans {
		p.lines.WriteString(p.render(s))
	}
	p.lines.WriteByte('\n')
}

func (p *page) render(s span) string {
	if s.style == nil || s.text == "" {
		return s.text
	}
	return s.style.Render(s.text)
}

// field writes content on one line beside a label. A label that is too wide
// has a line to itself, an empty one continues the field above.
func (p *page) field(label string, content ...span) {
	head := span{p.faint, label}
	switch w := lipgloss.Width(label); {
	case w >= p.labels:
		p.line(span{text: strings.Repeat(" ", margin)}, head)
		p.lines.WriteString(strings.Repeat(" ", margin+p.labels))
	default:
		p.lines.WriteString(strings.Repeat(" ", margin) + p.render(head) + strings.Repeat(" ", p.labels-w))
	}
	p.line(content...)
}

// wrapped writes content beside a label, on as many lines as its words need. A
// word wider than the line is not broken.
func (p *page) wrapped(label string, content ...span) {
	for _, spans := range wrap(content, p.room()) {
		p.field(label, spans...)
		label = ""
	}
}

// wrap breaks spans between words into lines of at most width columns.
func wrap(content []span, width int) [][]span {
	var lines [][]span
	var line []span
	used := 0
	for _, s := range content {
		for _, word := range strings.Fields(s.text) {
			w := lipgloss.Width(word)
			if used > 0 && used+1+w > width {
				lines, line, used = append(lines, line), nil, 0
			}
			if used > 0 {
				word = " " + word
				w++
			}
			used += w
			if n := len(line); n > 0 && line[n-1].style == s.style {
				line[n-1].text += word
			} else {
				line = append(line, span{s.style, word})
			}
		}
	}
	if len(line) > 0 {
		lines = append(lines, line)
	}
	return lines
}

// parts writes short pieces beside a label, with dots between those on one
// line. A line breaks between pieces, within one only where it is too wide.
func (p *page) parts(label string, style *lipgloss.Style, pieces ...string) {
	line := ""
	for _, piece := range pieces {
		joined := dots(line, piece)
		if line != "" && lipgloss.Width(joined) > p.room() {
			p.part(label, span{style, line})
			label, joined = "", piece
		}
		line = joined
	}
	p.part(label, span{style, line})
}

// part writes one line of parts. A single word that is too wide, such as an
// address, reaches to the left as far as it needs.
func (p *page) part(label string, s span) {
	w := lipgloss.Width(s.text)
	if label == "" && w > p.room() && !strings.Contains(s.text, " ") {
		p.line(span{text: strings.Repeat(" ", max(margin, p.width-w))}, s)
		return
	}
	p.wrapped(label, s)
}

// dots joins the pieces that are not empty with a middle dot.
func dots(pieces ...string) string {
	some := slices.DeleteFunc(slices.Clone(pieces), func(s string) bool { return s == "" })
	return strings.Join(some, " · ")
}
