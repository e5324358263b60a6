package diag

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shownLine is the part of a source line that is shown: its text, made safe,
// and the display column of every byte of lo..hi of the source, hi included.
type shownLine struct {
	text    string
	lo, hi  int
	columns []int
}

// column returns the display column of a byte of the source, which is taken
// into the part that is shown.
func (l shownLine) column(at int) int {
	return l.columns[max(l.lo, min(at, l.hi))-l.lo]
}

// cut chooses what to show of a line: all of it, or about Width bytes around
// its first mark.
func (r *renderer) cut(s *source, l *markedLine) shownLine {
	lo, hi := s.bounds(l.number - 1)
	bol, eol := lo, hi
	if hi-lo > r.opts.Width {
		if len(l.marks) > 0 {
			lo = max(lo, min(l.marks[0].start, eol)-r.opts.Width/4)
		}
		hi = min(hi, lo+r.opts.Width)
		lo = runeStart(s.text, lo, bol)
		hi = runeStart(s.text, hi, lo)
	}
	shown := shownLine{lo: lo, hi: hi, columns: make([]int, 0, hi-lo+1)}
	var b strings.Builder
	column := 0
	if lo > bol {
		b.WriteRune('…')
		column = 1
	}
	for text := s.text[lo:hi]; len(text) > 0; {
		c, size := utf8.DecodeRune(text)
		for range size {
			shown.columns = append(shown.columns, column)
		}
		if c == '\t' {
			n := r.opts.Tab - column%r.opts.Tab
			b.WriteString(strings.Repeat(" ", n))
			column += n
		} else {
			c = visible(c)
			b.WriteRune(c)
			column += columns(c)
		}
		text = text[size:]
	}
	shown.columns = append(shown.columns, column)
	if hi < eol {
		b.WriteRune('…')
	}
	shown.text = strings.TrimRight(b.String(), " ")
	return shown
}

// runeStart moves an offset back to where a character starts, not before lo.
func runeStart(text []byte, at, lo int) int {
	for n := 0; n < utf8.UTFMax && at > lo && at < len(text) && !utf8.RuneStart(text[at]); n++ {
		at--
	}
	return at
}

// visible replaces what a terminal would act on or hide.
func visible(c rune) rune {
	if c != ' ' && !unicode.IsPrint(c) {
		return utf8.RuneError
	}
	return c
}

// clean makes a line of a message safe to show.
func clean(s string) string { return strings.Map(visible, s) }

// wide lists the ranges of characters that take two columns, roughly as
// Unicode's East Asian Width says.
var wide = [...][2]rune{
	{0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff},
	{0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f},
	{0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
}

// columns returns how many columns a character takes.
func columns(c rune) int {
	if c < 0x300 {
		return 1
	}
	if unicode.In(c, unicode.Mn, unicode.Me) {
		return 0
	}
	for _, w := range wide {
		if w[0] <= c && c <= w[1] {
			return 2
		}
	}
	return 1
}

// cell is one character under a source line.
type cell struct {
	char  rune
	style style
}

// placed is a mark in display columns, end exclusive and after start.
type placed struct {
	start, end int
	text       string
	style      style
	char       rune
}

// underline draws the marks of a line: first the row of carets with the text
// of the rightmost mark, then the other texts hanging from their marks, the
// rightmost first.
//
//	^^^^^ ----- text of the second
//	|
//	text of the first
func underline(marks []mark, line shownLine, tone style) [][]cell {
	if len(marks) == 0 {
		return nil
	}
	all := place(marks, line, tone)
	rows := [][]cell{carets(all)}
	var hanging []placed
	for i, m := range all {
		if m.text == "" {
			continue
		}
		if i == len(all)-1 && m.end == len(rows[0]) {
			rows[0] = write(rows[0], m.end+1, m.text, m.style)
			continue
		}
		hanging = append(hanging, m)
	}
	if len(hanging) > 0 {
		rows = append(rows, connectors(hanging))
	}
	for n := len(hanging) - 1; n >= 0; n-- {
		m := hanging[n]
		rows = append(rows, write(connectors(hanging[:n]), m.start, m.text, m.style))
	}
	return rows
}

// place finds the display columns of marks and sorts them by start, the
// primary one last of those that start together.
func place(marks []mark, line shownLine, tone style) []placed {
	var all []placed
	for _, m := range marks {
		p := placed{line.column(m.start), line.column(m.end), clean(m.text), secondary, '-'}
		p.end = max(p.end, p.start+1)
		if m.primary {
			p.style, p.char = tone, '^'
		}
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.char, b.char))
	})
	return all
}

// carets draws the underlining itself; the primary mark lies on top.
func carets(all []placed) []cell {
	var row []cell
	for _, char := range "-^" {
		for _, m := range all {
			if m.char == char {
				row = write(row, m.start, strings.Repeat(string(char), m.end-m.start), m.style)
			}
		}
	}
	return row
}

// connectors draws a bar under every mark.
func connectors(marks []placed) []cell {
	var row []cell
	for _, m := range marks {
		row = write(row, m.start, "|", m.style)
	}
	return row
}

// write puts text into a row at a column, over what is there.
func write(row []cell, at int, text string, st style) []cell {
	for _, c := range text {
		for len(row) <= at {
			row = append(row, cell{' ', plain})
		}
		row[at] = cell{c, st}
		at++
	}
	return row
}
