package diag

import (
	"bytes"
	"sort"
	"unicode/utf8"
)

// Lookup finds the source that a span's File refers to: its name and its text.
// ok is false where there is no such source.
type Lookup func(file int32) (name string, text []byte, ok bool)

// Resolve fills Origin and the lines and columns of every diagnostic of the
// list that has a position in a known source. Lines and columns are 1-based;
// columns count characters, a byte that is not UTF-8 being one.
func Resolve(l List, sources Lookup) {
	c := newCache(sources)
	for _, d := range l {
		s := c.source(d.Span)
		if s == nil {
			continue
		}
		d.Origin = s.name
		d.Line, d.Column = s.position(d.Span.Start)
		d.EndLine, d.EndColumn = s.position(d.Span.End)
	}
}

// cache remembers the sources that one call has asked for.
type cache struct {
	lookup  Lookup
	sources map[int32]*source
}

func newCache(l Lookup) *cache { return &cache{l, make(map[int32]*source)} }

// source returns the source of a span, nil where the span has no position or
// its source is unknown.
func (c *cache) source(sp Span) *source {
	if c.lookup == nil || sp.IsZero() {
		return nil
	}
	if s, ok := c.sources[sp.File]; ok {
		return s
	}
	var s *source
	if name, text, ok := c.lookup(sp.File); ok {
		s = newSource(name, text)
	}
	c.sources[sp.File] = s
	return s
}

// source is a text with the offsets at which its lines start.
type source struct {
	name  string
	text  []byte
	lines []int
}

func newSource(name string, text []byte) *source {
	s := &source{name: name, text: text, lines: []int{0}}
	for at := 0; ; {
		n := bytes.IndexByte(text[at:], '\n')
		if n < 0 {
			return s
		}
		at += n + 1
		s.lines = append(s.lines, at)
	}
}

// clamp forces an offset into the text.
func (s *source) clamp(off int32) int { return max(0, min(int(off), len(s.text))) }

// line returns the 0-based line that holds the offset.
func (s *source) line(off int) int {
	return sort.Search(len(s.lines), func(i int) bool { return s.lines[i] > off }) - 1
}

// bounds returns where a 0-based line starts and ends, its line break left out.
func (s *source) bounds(line int) (start, end int) {
	start, end = s.lines[line], len(s.text)
	if line+1 < len(s.lines) {
		end = s.lines[line+1] - 1
	}
	if end > start && s.text[end-1] == '\r' {
		end--
	}
	return start, end
}

// position returns the 1-based line and column of an offset.
func (s *source) position(off int32) (line, column int) {
	at := s.clamp(off)
	l := s.line(at)
	return l + 1, utf8.RuneCount(s.text[s.lines[l]:at]) + 1
}
