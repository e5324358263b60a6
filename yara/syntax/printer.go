package syntax

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/besra-hunt/besra/yara/diag"
)

// PrintOptions steer Print. The zero value is the style of this project.
type PrintOptions struct {
	// Indent is how many blanks a level is indented by. 0 means 2.
	Indent int
}

// ErrIncomplete is returned by Print for a file that did not parse well:
// printing it would lose what is broken.
var ErrIncomplete = errors.New("the file has errors and cannot be printed")

// Print writes a file in the one style: sections and their entries indented,
// the equals signs of entries that follow each other aligned, hex bytes in
// capitals and separated, one blank between tokens. Kept from the source are
// comments, single blank lines, and in conditions and hex patterns the line
// breaks beside operators, brackets and commas. The meaning stays, and
// printing what was printed changes nothing. A tree that was built and not
// parsed, or parts of one, can be printed too.
func Print(w io.Writer, f *File, o PrintOptions) error {
	if f.Incomplete {
		return ErrIncomplete
	}
	p := &printer{comments: f.Comments, indent: 2}
	if o.Indent > 0 {
		p.indent = o.Indent
	}
	if f.Source != nil {
		p.src = string(f.Source.Text)
	}
	p.file(f)
	_, err := w.Write(p.bytes())
	return err
}

// ExprString returns an expression as it is written, in one line.
func ExprString(x Expr) string {
	if x == nil {
		return ""
	}
	p := &printer{flat: true}
	p.expr(x)
	return string(p.lines[0].text)
}

// printer lays out words. Whoever prints a tree says each word, with its
// place in the source where it has one, and what separates it from the next;
// the printer puts the comments that stood before a place in front of the
// word, and breaks lines.
type printer struct {
	src      string
	flat     bool       // one line: places in the source do not count
	comments []*Comment // those not printed yet
	indent   int

	lines []line
	// level is the indentation of new lines; opens adds to it: the index of
	// the line of every bracket that is open. Several of one line count once.
	level int
	opens []int
	// sep is what comes before the next word, and blank what a line break
	// there does about blank lines.
	sep   separator
	blank blankRule
	// last is where the last word or comment with a place ends.
	last int32
	// group numbers the entries whose equals signs are aligned. gap is set
	// when a blank line was printed since the last entry.
	group int
	gap   bool
	// column is that of the last trailing comment in the source.
	column int
}

// line is a line to be written: a text, which itself can have line breaks,
// and a comment behind it.
type line struct {
	text   []byte
	blank  bool // a blank line comes before
	alone  bool // begins with a comment
	level  int
	equals int // where in text to align, 0 for nowhere
	group  int

	comment string
	// prefix is what stood before the comment, as blanks and tabs.
	prefix string
}

type separator uint8

const (
	tight     separator = iota // nothing
	space                      // a blank
	softTight                  // a line break where the source has one, or nothing
	soft                       // a line break where the source has one, or a blank
	newline
)

type blankRule uint8

const (
	keepBlank blankRule = iota // one blank line where the source has some
	noBlank
	forceBlank
)

// word prints a word, behind the comments that stood before it. An empty span
// is no place.
func (p *printer) word(at diag.Span, text string) {
	if p.flat || at.IsZero() {
		p.separate(p.last)
	} else {
		p.flush(at.Start)
		p.separate(at.Start)
		p.last = at.End
	}
	p.add(text)
	p.sep = tight
}

// add puts text at the end of the current line.
func (p *printer) add(text string) {
	l := &p.lines[len(p.lines)-1]
	l.text = append(l.text, text...)
}

// open prints an opening bracket: lines inside are indented.
func (p *printer) open(at diag.Span, text string) {
	p.word(at, text)
	p.opens = append(p.opens, len(p.lines)-1)
}

// close prints a closing bracket.
func (p *printer) close(at diag.Span, text string) {
	if !p.flat && !at.IsZero() {
		p.flush(at.Start) // still inside
		if p.sep == space && text != "}" {
			p.sep = tight // behind a comment
		}
	}
	p.opens = p.opens[:len(p.opens)-1]
	p.word(at, text)
}

// separate prints what comes before a word that starts at a place.
func (p *printer) separate(start int32) {
	if len(p.lines) == 0 {
		p.newLine(false)
		return
	}
	breaks := p.breaks(start)
	switch {
	case p.sep == newline, (p.sep == soft || p.sep == softTight) && breaks > 0:
		p.newLine(p.wantsBlank(breaks))
	case p.sep == soft, p.sep == space:
		p.add(" ")
	}
}

// breaks counts the line breaks of the source between the last place and
// another.
func (p *printer) breaks(start int32) int {
	if p.flat || start <= p.last || int(start) > len(p.src) {
		return 0
	}
	return strings.Count(p.src[p.last:start], "\n")
}

func (p *printer) wantsBlank(breaks int) bool {
	return p.blank == forceBlank || p.blank == keepBlank && breaks > 1
}

// newLine begins a line.
func (p *printer) newLine(blank bool) {
	level, previous := p.level, -1
	for _, l := range p.opens {
		if l != previous {
			level, previous = level+1, l
		}
	}
	if blank && len(p.opens) == 0 {
		p.gap = true
	}
	p.lines = append(p.lines, line{blank: blank, level: level})
	p.blank = keepBlank
}

// align says that the equals sign of an entry comes now.
func (p *printer) align() {
	if p.gap {
		p.group++
		p.gap = false
	}
	l := &p.lines[len(p.lines)-1]
	if l.equals == 0 && len(p.opens) == 0 {
		l.equals, l.group = len(l.text), p.group
	}
}

// flush prints the comments that begin before a place.
func (p *printer) flush(before int32) {
	for len(p.comments) > 0 && p.comments[0].Start < before {
		p.comment(before)
	}
}

// comment prints the next comment: behind the line where it stood behind
// something, else on its own.
func (p *printer) comment(before int32) {
	c := p.comments[0]
	p.comments = p.comments[1:]
	if len(p.comments) > 0 {
		before = min(before, p.comments[0].Start)
	}
	breaks := p.breaks(c.Start)
	p.last = c.End
	ends := p.sep == newline || strings.HasPrefix(c.Text, "//") || p.breaks(before) > 0
	switch {
	case len(p.lines) == 0 || breaks > 0:
		p.ownLine(c, breaks)
	case ends && !p.lines[len(p.lines)-1].alone:
		p.trail(c)
	default:
		if l := p.lines[len(p.lines)-1].text; strings.IndexByte("([.~-", l[len(l)-1]) < 0 {
			p.add(" ")
		}
		p.add(c.Text)
	}
	p.sep = space
	if ends {
		p.sep = newline
	}
}

// ownLine prints a comment on a line of its own, or, where it goes on with
// the comment behind the line above, below that.
func (p *printer) ownLine(c *Comment, breaks int) {
	if p.goesOn(c, breaks) {
		p.newLine(false)
		p.trail(c)
		return
	}
	p.newLine(len(p.lines) > 0 && p.wantsBlank(breaks))
	l := &p.lines[len(p.lines)-1]
	l.alone = true
	p.add(reindent(c.Text, p.prefixOf(c.Start), l.level*p.indent))
}

// goesOn reports whether a comment stands below the one behind the line above.
func (p *printer) goesOn(c *Comment, breaks int) bool {
	if breaks != 1 || len(p.lines) == 0 || p.blank == forceBlank {
		return false
	}
	return p.lines[len(p.lines)-1].comment != "" && p.columnOf(c.Start) == p.column
}

// trail puts a comment behind the current line.
func (p *printer) trail(c *Comment) {
	l := &p.lines[len(p.lines)-1]
	if l.comment != "" {
		l.comment += " " + c.Text
		return
	}
	l.comment, l.prefix = c.Text, p.prefixOf(c.Start)
	p.column = p.columnOf(c.Start)
}

// before returns what stands before a place in its line.
func (p *printer) before(at int32) string {
	return p.src[strings.LastIndexByte(p.src[:at], '\n')+1 : at]
}

// columnOf returns how far into its line a place is, in characters.
func (p *printer) columnOf(at int32) int { return utf8.RuneCountInString(p.before(at)) }

// prefixOf returns what stands before a place in its line, with everything
// but tabs replaced by blanks.
func (p *printer) prefixOf(at int32) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, p.before(at))
}

// reindent moves the lines of a comment to a column. Only what is indented at
// least as far as the comment was, by prefix, moves with it. Blanks at the
// ends of lines go.
func reindent(text, prefix string, column int) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		l = strings.TrimRight(l, " \t\r")
		if rest, ok := strings.CutPrefix(l, prefix); ok && i > 0 && rest != "" {
			l = strings.Repeat(" ", column) + rest
		}
		lines[i] = l
	}
	return strings.Join(lines, "\n")
}

// trailMax is the width beyond which a line does not push the comments of its
// neighbours to the right.
const trailMax = 80

// bytes returns the lines, aligned.
func (p *printer) bytes() []byte {
	p.alignEquals()
	var b bytes.Buffer
	for i := 0; i < len(p.lines); {
		run := i + 1
		for p.lines[i].comment != "" && run < len(p.lines) && p.lines[run].comment != "" && !p.lines[run].blank {
			run++
		}
		p.writeRun(&b, p.lines[i:run])
		i = run
	}
	return b.Bytes()
}

// alignEquals widens the entries of each group to the longest key.
func (p *printer) alignEquals() {
	widths := make(map[int]int)
	for _, l := range p.lines {
		if l.equals > 0 {
			widths[l.group] = max(widths[l.group], utf8.RuneCount(l.text[:l.equals]))
		}
	}
	for i := range p.lines {
		if l := &p.lines[i]; l.equals > 0 {
			n := widths[l.group] - utf8.RuneCount(l.text[:l.equals])
			rest := append(bytes.Repeat([]byte(" "), n), l.text[l.equals:]...)
			l.text = append(l.text[:l.equals:l.equals], rest...)
		}
	}
}

// writeRun writes lines whose comments are aligned.
func (p *printer) writeRun(b *bytes.Buffer, lines []line) {
	column := 0
	for _, l := range lines {
		if w := p.width(l); w <= trailMax {
			column = max(column, w+2)
		}
	}
	at := column
	for _, l := range lines {
		if l.blank {
			b.WriteByte('\n')
		}
		if len(l.text) > 0 {
			b.WriteString(strings.Repeat(" ", l.level*p.indent))
			b.Write(l.text)
		}
		if l.comment != "" {
			w := 0
			if len(l.text) > 0 { // else it goes on below the comment above
				w = p.width(l)
				at = max(column, w+2)
			}
			b.WriteString(strings.Repeat(" ", at-w))
			b.WriteString(reindent(l.comment, l.prefix, at))
		}
		b.WriteByte('\n')
	}
}

// width returns the width of a line without its comment, in characters.
func (p *printer) width(l line) int {
	if n := bytes.LastIndexByte(l.text, '\n'); n >= 0 {
		return utf8.RuneCount(l.text[n+1:])
	}
	return l.level*p.indent + utf8.RuneCount(l.text)
}

// everything is behind every place.
const everything = math.MaxInt32
