// Package diag holds diagnostics as data: where in which source, how bad, a
// stable code, and what a person needs to mend it. Every stage of the engine
// reports through it, and one renderer shows it.
package diag

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Span is a half-open range of bytes of one source. The zero Span means "no
// position".
type Span struct {
	File       int32 // index into the Sources the diagnostic belongs to
	Start, End int32 // byte offsets, Start <= End
}

// Join returns the smallest span that covers both.
func (s Span) Join(o Span) Span {
	return Span{s.File, min(s.Start, o.Start), max(s.End, o.End)}
}

// IsZero reports whether the span is the zero Span, "no position".
func (s Span) IsZero() bool { return s == Span{} }

// Severity is how bad a diagnostic is.
type Severity uint8

// The severities.
const (
	Error Severity = iota
	Warning
)

// String returns "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// MarshalText implements [encoding.TextMarshaler]: "error" or "warning".
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Label is a span with a text on it.
type Label struct {
	Span Span
	Text string
}

// Diagnostic is one error or warning about rules.
type Diagnostic struct {
	// Code is stable across releases: a lower_snake name such as
	// "unknown_pattern". Tests, suppressions and documentation refer to it.
	Code string
	// Severity says whether the rule is left out.
	Severity Severity
	// Title is one line without a full stop.
	Title string
	// Span is the offending text.
	Span Span
	// Primary is the word on Span and may be empty.
	Primary string
	// Labels are further places.
	Labels []Label
	// Notes are further sentences: the cause, a suggestion ("did you mean …?").
	Notes []string

	// Origin is the name of the source that Span lies in. Resolve fills it, and
	// the lines and columns; all are zero before.
	Origin string
	// Line and Column are where Span starts, 1-based and in characters.
	Line, Column int
	// EndLine and EndColumn are where Span ends.
	EndLine, EndColumn int
}

// Error renders "origin:line:col: error[code]: title".
func (d *Diagnostic) Error() string {
	var b strings.Builder
	if d.Origin != "" || d.Line > 0 {
		b.WriteString(d.Origin)
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(d.Line))
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(d.Column))
		b.WriteString(": ")
	}
	b.WriteString(d.Severity.String() + "[" + d.Code + "]: " + d.Title)
	if d.Primary != "" {
		b.WriteString(": " + d.Primary)
	}
	return b.String()
}

// List is a list of diagnostics in source order. As an error it is its
// errors, one a line.
type List []*Diagnostic

// Error implements error.
func (l List) Error() string {
	var b strings.Builder
	for _, d := range l {
		if d.Severity != Error {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(d.Error())
	}
	return b.String()
}

// Sort puts the list in source order: by file, then by where a span starts.
// Diagnostics of one place keep their order.
func (l List) Sort() {
	slices.SortStableFunc(l, func(a, b *Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Span.File, b.Span.File), cmp.Compare(a.Span.Start, b.Span.Start))
	})
}

// HasErrors reports whether the list holds an error.
func (l List) HasErrors() bool {
	for _, d := range l {
		if d.Severity == Error {
			return true
		}
	}
	return false
}
