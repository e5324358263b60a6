// Package table is the view of a run that a person reads on a terminal: a block
// a finding, in the order in which they come, then what was suppressed and what
// was not looked at. It shows a function of the record and leaves things out:
// the master record has all of it.
//
// Nothing of a target or a rule reaches the terminal raw: what is not a visible
// character is shown as \xNN in text and as a dot in excerpts. Colour follows
// the terminal and NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM.
package table

import (
	"context"
	"errors"
	"io"

	"github.com/besra-hunt/besra"
)

// Options say how the view looks.
type Options struct {
	// Width is the terminal's width in columns; 0 stands for 80. Names and
	// addresses are never broken to fit it.
	Width int
	// Terminal decides about colour, where the writer only leads to it, such as
	// past a progress bar; nil is the writer itself.
	Terminal io.Writer
	// ShowSuppressed shows suppressed findings too, in place of their count.
	ShowSuppressed bool
}

// New returns a sink that writes to w, which the caller keeps and closes. Each
// finding is one call of w.Write, as soon as it comes; only counts and a few
// examples are kept. What was suppressed or not looked at is written with the
// summary, or on Close. After an error of w nothing more is written.
func New(w io.Writer, o Options) besra.Sink {
	if o.Width <= 0 {
		o.Width = defaultWidth
	}
	if o.Terminal == nil {
		o.Terminal = w
	}
	return &sink{w: w, show: o.ShowSuppressed, page: newPage(o.Terminal, max(o.Width, minWidth)), tail: newTail()}
}

const (
	defaultWidth = 80
	minWidth     = 40
)

type sink struct {
	w    io.Writer
	err  error // the first error of w, or errClosed
	show bool
	page *page
	tail tail
	some bool // something was written: a blank line goes before the next block
}

var (
	errClosed  = errors.New("table: written to after Close")
	errContent = errors.New("table: a record without its content")
)

// Write implements [besra.Sink].
func (s *sink) Write(_ context.Context, r besra.Record) error {
	if s.err != nil {
		return s.err
	}
	switch {
	case r.Run != nil:
		s.end()
		s.page.run(r.Run)
	case r.Finding != nil && !s.show && r.Finding.Verdict == besra.VerdictSuppressed:
		s.tail.suppressed.add(exclusionName(r.Finding), 1, example{})
	case r.Finding != nil:
		s.page.finding(r.Finding)
	case r.Gap != nil:
		s.tail.gap(r.Gap)
	case r.Summary != nil:
		s.end()
	default:
		return errContent
	}
	s.flush()
	return s.err
}

// Close implements [besra.Sink].
func (s *sink) Close() error {
	if s.err != nil {
		return nil // told by Write, or closed before
	}
	s.end()
	err := s.err
	if err == nil {
		s.err = errClosed
	}
	return err
}

// end writes what is told after the findings of a run.
func (s *sink) end() {
	s.page.suppressed(&s.tail.suppressed)
	s.flush()
	s.page.errors(&s.tail.errors)
	s.flush()
	s.page.skipped(&s.tail.skipped)
	s.flush()
	s.tail = newTail()
}

// flush writes the page as one block.
func (s *sink) flush() {
	block := s.page.take()
	if block == "" || s.err != nil {
		return
	}
	if s.some {
		block = "\n" + block
	}
	s.some = true
	_, s.err = io.WriteString(s.w, block)
}
