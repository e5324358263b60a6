package diag

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Options steer Render. The zero value is plain text in 120 columns.
type Options struct {
	// Color puts ANSI escapes around severities, carets and margins.
	Color bool
	// Width is how many bytes of a source line are shown; a longer line is
	// cut around what is marked on it. 0 means 120.
	Width int
	// Tab is the width of a tab in columns. 0 means 4.
	Tab int
}

// Render writes the list for a person to read: for every diagnostic its
// severity, code and title, the source lines it is about with the offending
// text underlined, further labels, and the notes.
//
//	error[syntax_error]: syntax error
//	 --> a.yar:1:11
//	  |
//	1 | rule test = {
//	  |           ^ expecting `:` or `{`, found `=`
//	  |
//	  = note: tags are written after a colon
//
// Sources are hostile text: control characters, characters that change the
// direction of text and bytes that are not UTF-8 are shown as "�". Where the
// source is unknown the message stands alone.
func Render(w io.Writer, l List, sources Lookup, o Options) error {
	o.Width = cmp.Or(max(o.Width, 0), 120)
	o.Tab = cmp.Or(max(o.Tab, 0), 4)
	r := renderer{cache: newCache(sources), opts: o}
	for i, d := range l {
		if i > 0 {
			r.out.WriteByte('\n')
		}
		r.diagnostic(d)
	}
	_, err := w.Write(r.out.Bytes())
	return err
}

// style is a kind of text; it becomes a colour.
type style uint8

const (
	plain style = iota
	bold
	errorText
	warningText
	secondary // labels, margins
)

var escapes = [...]string{
	bold: "\x1b[1m", errorText: "\x1b[1;31m", warningText: "\x1b[1;33m", secondary: "\x1b[1;34m",
}

type renderer struct {
	cache *cache
	opts  Options
	out   bytes.Buffer
	// margin is the width of the line numbers of the diagnostic at hand, tone
	// the style of its severity.
	margin int
	tone   style
}

// put writes text in a style.
func (r *renderer) put(st style, text string) {
	if st == plain || !r.opts.Color || text == "" {
		r.out.WriteString(text)
		return
	}
	r.out.WriteString(escapes[st])
	r.out.WriteString(text)
	r.out.WriteString("\x1b[0m")
}

func (r *renderer) diagnostic(d *Diagnostic) {
	r.tone = errorText
	if d.Severity == Warning {
		r.tone = warningText
	}
	r.put(r.tone, d.Severity.String()+"["+clean(d.Code)+"]")
	r.put(bold, ": "+clean(d.Title))
	r.out.WriteByte('\n')
	snippets := r.snippets(d)
	r.margin = 1
	for _, s := range snippets {
		last := s.lines[len(s.lines)-1]
		r.margin = max(r.margin, len(strconv.Itoa(last.number)))
	}
	for i, s := range snippets {
		r.snippet(s, i == 0)
	}
	r.notes(d, len(snippets) > 0)
}

// notes writes what follows the source lines. Without source lines it also
// tells what would have stood there.
func (r *renderer) notes(d *Diagnostic, shown bool) {
	notes := d.Notes
	if !shown {
		if d.Origin != "" {
			r.put(secondary, " --> ")
			r.out.WriteString(clean(d.Origin) + ":" + strconv.Itoa(d.Line) + ":" + strconv.Itoa(d.Column) + "\n")
		}
		if d.Primary != "" {
			notes = append([]string{d.Primary}, notes...)
		}
	}
	if shown && len(notes) > 0 {
		r.blankMargin()
		r.out.WriteByte('\n')
	}
	indent := strings.Repeat(" ", r.margin+1)
	for _, n := range notes {
		r.out.WriteString(indent)
		r.put(secondary, "= ")
		r.put(bold, "note: ")
		for i, line := range strings.Split(n, "\n") {
			if i > 0 {
				r.out.WriteString(indent + "        ")
			}
			r.out.WriteString(clean(line) + "\n")
		}
	}
}

// blankMargin writes the margin of a line that has no number.
func (r *renderer) blankMargin() {
	r.out.WriteString(strings.Repeat(" ", r.margin+1))
	r.put(secondary, "|")
}

// snippet writes the marked lines of one source.
func (r *renderer) snippet(s *snippet, first bool) {
	arrow := "::: "
	if first {
		arrow = "--> "
	}
	r.out.WriteString(strings.Repeat(" ", r.margin))
	r.put(secondary, arrow)
	r.out.WriteString(clean(s.source.name) + ":" + strconv.Itoa(s.row) + ":" + strconv.Itoa(s.column) + "\n")
	r.blankMargin()
	r.out.WriteByte('\n')
	previous := 0
	for _, l := range s.lines {
		if previous > 0 && l.number == previous+2 {
			r.sourceLine(s.source, &markedLine{number: previous + 1})
		} else if previous > 0 && l.number > previous+1 {
			r.put(secondary, "...")
			r.out.WriteByte('\n')
		}
		r.sourceLine(s.source, l)
		previous = l.number
	}
}

// sourceLine writes one line of source and the marks under it.
func (r *renderer) sourceLine(s *source, l *markedLine) {
	number := strconv.Itoa(l.number)
	r.put(secondary, strings.Repeat(" ", r.margin-len(number))+number+" |")
	shown := r.cut(s, l)
	if shown.text != "" {
		r.out.WriteString(" " + shown.text)
	}
	r.out.WriteByte('\n')
	for _, row := range underline(l.marks, shown, r.tone) {
		r.blankMargin()
		r.out.WriteByte(' ')
		r.row(row)
		r.out.WriteByte('\n')
	}
}

// row writes a line of cells, changing styles where they change.
func (r *renderer) row(cells []cell) {
	for len(cells) > 0 {
		n := 1
		for n < len(cells) && cells[n].style == cells[0].style {
			n++
		}
		text := make([]rune, n)
		for i, c := range cells[:n] {
			text[i] = c.char
		}
		r.put(cells[0].style, string(text))
		cells = cells[n:]
	}
}

// snippet is what one diagnostic shows of one source. row and column are
// 1-based and belong to its first label.
type snippet struct {
	source      *source
	row, column int
	lines       []*markedLine
}

// markedLine is a 1-based line with its marks. A line too long to show them
// all appears several times.
type markedLine struct {
	number int
	marks  []mark
}

// mark is the part of a label that lies on one line: bytes of the source.
type mark struct {
	start, end int
	text       string
	primary    bool
}

// snippets sorts the labels of a diagnostic by source and line, the source of
// the primary span first.
func (r *renderer) snippets(d *Diagnostic) []*snippet {
	var all []*snippet
	labels := append([]Label{{d.Span, d.Primary}}, d.Labels...)
	for i, l := range labels {
		src := r.cache.source(l.Span)
		if src == nil {
			continue
		}
		at := slices.IndexFunc(all, func(s *snippet) bool { return s.source == src })
		if at < 0 {
			row, column := src.position(l.Span.Start)
			all = append(all, &snippet{source: src, row: row, column: column})
			at = len(all) - 1
		}
		all[at].add(src.clamp(l.Span.Start), src.clamp(l.Span.End), l.Text, i == 0)
	}
	for _, s := range all {
		s.arrange(r.opts.Width)
	}
	return all
}

// add marks a label. One that spans lines is marked to the end of its first
// line and up to its end on its last; the text stands there.
func (s *snippet) add(start, end int, text string, primary bool) {
	end = max(start, end)
	first, last := s.source.line(start), s.source.line(end)
	if end > start && last > first && s.source.lines[last] == end {
		last-- // the span ends with the line break
	}
	if first == last {
		s.mark(first, mark{start, end, text, primary})
		return
	}
	_, eol := s.source.bounds(first)
	s.mark(first, mark{start, max(eol, start), "", primary})
	bol, eol := s.source.bounds(last)
	end = min(end, eol)
	for bol < end && (s.source.text[bol] == ' ' || s.source.text[bol] == '\t') {
		bol++
	}
	s.mark(last, mark{bol, end, text, primary})
}

func (s *snippet) mark(line int, m mark) {
	s.lines = append(s.lines, &markedLine{line + 1, []mark{m}})
}

// arrange sorts the marks and joins those of one line, as far as a line of
// the given width can show them together.
func (s *snippet) arrange(width int) {
	slices.SortStableFunc(s.lines, func(a, b *markedLine) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.marks[0].start, b.marks[0].start))
	})
	joined := s.lines[:0]
	for _, l := range s.lines {
		if n := len(joined); n > 0 && joined[n-1].number == l.number {
			bol, eol := s.source.bounds(l.number - 1)
			room := width - width/4
			if eol-bol <= width || l.marks[0].end-joined[n-1].marks[0].start <= room {
				joined[n-1].marks = append(joined[n-1].marks, l.marks...)
				continue
			}
		}
		joined = append(joined, l)
	}
	s.lines = joined
}
