package detection

import (
	"fmt"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// htmlReader makes lines of a page in HTML: every block element starts a line,
// and <pre> is code. It reads tokens and builds no tree, so that each line
// keeps its number and no depth of nesting can hurt.
type htmlReader struct {
	out     []pageLine
	line    int // of the token
	text    strings.Builder
	start   int // line of the first word of text
	heading bool
	pre     depth
	skip    atom.Atom // the element that is left out; 0 outside of one
	skips   depth
}

// depth is how many elements of a kind are open, and the line of the outermost.
type depth struct{ open, line int }

func (d *depth) enter(line int) {
	if d.open++; d.open == 1 {
		d.line = line
	}
}

// leftOut are elements whose text is no part of a page.
var leftOut = map[atom.Atom]bool{atom.Script: true, atom.Style: true, atom.Title: true, atom.Nav: true, atom.Footer: true, atom.Aside: true,
	atom.Noscript: true, atom.Template: true, atom.Svg: true, atom.Button: true, atom.Select: true, atom.Textarea: true, atom.Iframe: true}

// inlined are elements that do not start a line.
var inlined = map[atom.Atom]bool{atom.A: true, atom.B: true, atom.I: true, atom.Em: true, atom.Strong: true, atom.Code: true, atom.Span: true,
	atom.Small: true, atom.Mark: true, atom.Kbd: true, atom.Samp: true, atom.Var: true, atom.Tt: true, atom.U: true, atom.S: true, atom.Abbr: true,
	atom.Font: true, atom.Time: true, atom.Sub: true, atom.Sup: true, atom.Q: true, atom.Cite: true, atom.Label: true, atom.Wbr: true, atom.Img: true, atom.Input: true}

func readHTML(name, text string) ([]pageLine, error) {
	r := &htmlReader{line: 1}
	z := html.NewTokenizer(strings.NewReader(strings.ReplaceAll(text, "\r\n", "\n")))
	for {
		kind := z.Next()
		lines := strings.Count(string(z.Raw()), "\n")
		if kind == html.ErrorToken {
			break // the end: the reader has no other error
		}
		r.token(z.Token())
		r.line += lines
	}
	r.flush()
	switch {
	case r.skip != 0:
		return nil, unclosed(name, r.skips.line, fmt.Sprintf("<%s>", r.skip))
	case r.pre.open > 0:
		return nil, unclosed(name, r.pre.line, "<pre>")
	}
	return r.out, nil
}

func (r *htmlReader) token(t html.Token) {
	if r.skip != 0 {
		r.skipped(t)
		return
	}
	switch t.Type {
	case html.TextToken:
		r.words(t.Data)
	case html.StartTagToken, html.SelfClosingTagToken:
		r.open(t)
	case html.EndTagToken:
		r.close(t.DataAtom)
	}
}

func (r *htmlReader) skipped(t html.Token) {
	if t.DataAtom != r.skip {
		return
	}
	switch t.Type {
	case html.StartTagToken:
		r.skips.enter(r.line)
	case html.EndTagToken:
		if r.skips.open--; r.skips.open == 0 {
			r.skip = 0
		}
	}
}

func (r *htmlReader) open(t html.Token) {
	a := t.DataAtom
	switch {
	case leftOut[a]:
		if t.Type == html.StartTagToken {
			r.skip = a
			r.skips.enter(r.line)
		}
	case a == atom.Pre:
		r.flush()
		r.pre.enter(r.line)
	case a == atom.Br:
		r.newline()
	case r.pre.open > 0:
	case a == atom.Dd, a == atom.Td, a == atom.Th:
		r.text.WriteByte(' ')
	case !inlined[a]:
		r.flush()
		r.heading = isHeading(a)
	}
}

func (r *htmlReader) close(a atom.Atom) {
	switch {
	case a == atom.Pre && r.pre.open > 0:
		if r.text.Len() > 0 {
			r.newline()
		}
		r.pre.open--
	case r.pre.open > 0, inlined[a], a == atom.Dt, a == atom.Td, a == atom.Th:
	default:
		r.flush()
	}
}

func isHeading(a atom.Atom) bool {
	switch a {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return true
	}
	return false
}

// words takes text: as it is inside <pre>, with single spaces outside.
func (r *htmlReader) words(s string) {
	n := r.line
	for i, part := range strings.Split(s, "\n") {
		if i > 0 && r.pre.open > 0 {
			r.newline()
		} else if i > 0 {
			r.text.WriteByte(' ')
		}
		r.line = n + i
		if r.start == 0 && (r.pre.open > 0 || strings.TrimSpace(part) != "") {
			r.start = r.line
		}
		r.text.WriteString(part)
	}
	r.line = n
}

// newline ends a line where the text says so.
func (r *htmlReader) newline() {
	if r.pre.open == 0 {
		r.flush()
		return
	}
	raw := r.text.String()
	body := strings.TrimLeft(raw, " \t\u00a0") // a hard space indents as well as any
	raw = strings.ReplaceAll(raw[:len(raw)-len(body)], "\u00a0", " ") + body
	n := r.start
	if n == 0 {
		n = r.line
	}
	r.out = append(r.out, pageLine{n: n, raw: raw, text: strings.TrimSpace(raw), code: true})
	r.text.Reset()
	r.start = 0
}

// flush ends a line of prose, if there is one.
func (r *htmlReader) flush() {
	if r.pre.open > 0 {
		r.newline()
		return
	}
	text := strings.Join(strings.Fields(r.text.String()), " ")
	if text != "" {
		r.out = append(r.out, pageLine{n: r.start, raw: text, text: unbulleted(text), heading: r.heading})
	}
	r.text.Reset()
	r.start, r.heading = 0, false
}
