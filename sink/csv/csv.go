// Package csv writes findings as a table for spreadsheets: RFC 4180, UTF-8, a
// header, a row a finding, every field quoted. Runs, gaps and summaries have no
// row; the master record has them.
//
// Text is shown on one line: what is not a visible character is \xNN. A cell
// that a spreadsheet would take for a formula, because it begins with =, +, -,
// @ or one of their full-width forms, begins with an apostrophe instead.
package csv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
)

// New returns a sink that writes to w, which the caller keeps and closes. Each
// row is one call of w.Write; the header comes with the first, or on Close.
// After an error of w nothing more is written.
func New(w io.Writer) besra.Sink { return &sink{w: w} }

type sink struct {
	w     io.Writer
	err   error // the first error of w, or errClosed
	begun bool  // the header is written
}

var (
	errClosed  = errors.New("csv: written to after Close")
	errContent = errors.New("csv: a record without its content")
)

// Write implements [besra.Sink].
func (s *sink) Write(_ context.Context, r besra.Record) error {
	switch {
	case s.err != nil:
		return s.err
	case r.Finding != nil:
		s.header()
		s.row(func(c column) string { return c.cell(r.Finding) })
	case r.Run == nil && r.Gap == nil && r.Summary == nil:
		return errContent
	}
	return s.err
}

// Close implements [besra.Sink]: a table without findings has its header too.
func (s *sink) Close() error {
	if s.err != nil {
		return nil // told by Write, or closed before
	}
	s.header()
	err := s.err
	if err == nil {
		s.err = errClosed
	}
	return err
}

func (s *sink) header() {
	if !s.begun {
		s.begun = true
		s.row(func(c column) string { return c.name })
	}
}

func (s *sink) row(cell func(column) string) {
	if s.err != nil {
		return
	}
	var b strings.Builder
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(strings.ReplaceAll(cell(c), `"`, `""`))
		b.WriteByte('"')
	}
	b.WriteString("\r\n")
	_, s.err = io.WriteString(s.w, b.String())
}

// column is one column of the table.
type column struct {
	name string
	cell func(*besra.Finding) string
}

// columns is the table's layout. It is stable: new columns come at its end.
var columns = []column{
	{"time", func(f *besra.Finding) string { return f.Time.UTC().Format(time.RFC3339Nano) }},
	{"verdict", func(f *besra.Finding) string { return text(f.Verdict) }},
	{"severity", func(f *besra.Finding) string { return text(f.Severity) }},
	{"author_severity", func(f *besra.Finding) string { return text(f.AuthorSeverity) }},
	{"host", func(f *besra.Finding) string { return text(f.Host) }},
	{"target", func(f *besra.Finding) string { return text(f.Target.Name) }},
	{"context", func(f *besra.Finding) string { return text(f.Target.Context) }},
	{"size", size},
	{"sha256", func(f *besra.Finding) string { return text(f.Target.SHA256) }},
	{"detection", func(f *besra.Finding) string { return text(f.Detection.ID) }},
	{"title", func(f *besra.Finding) string { return text(f.Detection.Title) }},
	{"pack", func(f *besra.Finding) string { return text(f.Detection.Pack) }},
	{"rule", func(f *besra.Finding) string { return text(f.Rule.Name) }},
	{"tags", func(f *besra.Finding) string { return text(strings.Join(f.Rule.Tags, " ")) }},
	{"author", func(f *besra.Finding) string { return text(f.Rule.Author) }},
	{"license", func(f *besra.Finding) string { return text(f.Rule.License) }},
	{"source", func(f *besra.Finding) string { return text(f.Rule.Source) }},
	{"patterns", func(f *besra.Finding) string { return text(patterns(f.Patterns)) }},
	{"match", match},
	{"exclusion", suppression(func(s *besra.Suppression) string { return s.Exclusion })},
	{"scenario", suppression(func(s *besra.Suppression) string { return s.Scenario })},
	{"effect", suppression(func(s *besra.Suppression) string { return string(s.Effect) })},
	{"owner", suppression(func(s *besra.Suppression) string { return s.Owner })},
	{"reason", suppression(func(s *besra.Suppression) string { return s.Reason })},
	{"ticket", suppression(func(s *besra.Suppression) string { return s.Ticket })},
	{"expires", suppression(func(s *besra.Suppression) string { return s.Expires })},
	{"missing", func(f *besra.Finding) string { return text(strings.Join(missing(f.Decisions), " ")) }},
	{"id", func(f *besra.Finding) string { return text(f.ID) }},
	{"run", func(f *besra.Finding) string { return text(f.Run) }},
}

// text returns s as it may stand in a cell.
func text[S ~string](s S) string {
	t := besra.Text(s).Printable()
	if strings.IndexAny(t, "=+-@＝＋－＠") == 0 {
		return "'" + t
	}
	return t
}

// size is empty where it is not known.
func size(f *besra.Finding) string {
	if f.Target.Size < 0 {
		return ""
	}
	return strconv.FormatInt(f.Target.Size, 10)
}

// maxOffsets is the number of offsets listed a pattern.
const maxOffsets = 10

// patterns words the matches as "$s1 x3 @0x1f4,0x200,0x3a0; $s2 x1 @0x0", with
// "…" where there are more offsets.
func patterns(hits []besra.PatternHits) string {
	var b strings.Builder
	for i, p := range hits {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s x%d", p.ID, p.Count)
		for j, m := range p.Matches[:min(len(p.Matches), maxOffsets)] {
			fmt.Fprintf(&b, "%s0x%x", [...]string{" @", ","}[min(j, 1)], m.Offset)
		}
		if n := min(len(p.Matches), maxOffsets); n > 0 && n < p.Count {
			b.WriteString(",…")
		}
	}
	return b.String()
}

// match shows the bytes of the first match, at most maxMatch of them.
func match(f *besra.Finding) string {
	for _, p := range f.Patterns {
		for _, m := range p.Matches {
			return text(string(m.Data[:min(len(m.Data), maxMatch)]))
		}
	}
	return ""
}

const maxMatch = 120

func suppression(field func(*besra.Suppression) string) func(*besra.Finding) string {
	return func(f *besra.Finding) string {
		if f.Suppression == nil {
			return ""
		}
		return text(field(f.Suppression))
	}
}

// missing lists the facts without which a decision stayed open, each once.
func missing(decisions []besra.Decision) []string {
	var names []string
	seen := make(map[string]bool)
	for _, d := range decisions {
		for _, name := range d.Missing {
			if d.Outcome == besra.OutcomeUnknown && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}
