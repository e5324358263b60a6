// Package html writes a run as one self-contained page: what was found with the
// bytes around each match, what was suppressed and why, and what was not looked
// at. The page loads nothing from anywhere, follows the reader's light or dark
// scheme, works without script (which only adds a filter), and can be printed.
//
// Findings are written as they come. The summary and the charts, which stand
// above them, are written last and put in their place by style.
package html

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // style and script
	"encoding/base64"
	"errors"
	"html/template"
	"io"
	"sync"

	"github.com/besra-hunt/besra"
)

//go:embed page.css
var style string

//go:embed page.js
var script string

//go:embed page.tmpl
var pageText string

// New returns a sink that writes to w, which the caller keeps and closes. The
// page is complete after Close. After an error of w nothing more is written.
func New(w io.Writer) besra.Sink {
	return &sink{w: &keeper{w: w}, tally: newTally()}
}

// page is shared: executing a template does not change it.
var page = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(pageText)) })

type sink struct {
	w     *keeper
	tally *tally
	begun bool
	done  bool
}

// keeper remembers the first error of a writer, and writes nothing after it.
type keeper struct {
	w   io.Writer
	err error
}

// Write implements [io.Writer].
func (k *keeper) Write(b []byte) (int, error) {
	if k.err != nil {
		return 0, k.err
	}
	n, err := k.w.Write(b)
	k.err = err
	return n, err
}

// Write implements [besra.Sink].
func (s *sink) Write(_ context.Context, r besra.Record) error {
	switch {
	case s.done:
		return errors.New("html: written to after Close")
	case s.w.err != nil:
		return s.w.err
	case r.Finding != nil:
		s.begin()
		s.tally.finding(r.Finding)
		return s.execute("finding", findingOf(r.Finding, s.tally.findings))
	case r.Run != nil:
		s.tally.run(r.Run)
	case r.Gap != nil:
		s.tally.gap(r.Gap)
	case r.Summary != nil:
		s.tally.summary(r.Summary)
	default:
		return errors.New("html: a record without its content")
	}
	return nil
}

// Close implements [besra.Sink].
func (s *sink) Close() error {
	if s.done || s.w.err != nil {
		s.done = true
		return nil
	}
	s.begin()
	err := s.execute("tail", s.tally.view())
	s.done = true
	return err
}

func (s *sink) begin() {
	if s.begun {
		return
	}
	s.begun = true
	sum := sha256.Sum256([]byte(script))
	s.execute("head", map[string]any{
		"Style":      template.CSS(style),
		"ScriptHash": base64.StdEncoding.EncodeToString(sum[:]),
	})
}

// execute writes a part of the page, in one piece.
func (s *sink) execute(part string, data any) error {
	var b bytes.Buffer
	if err := page().ExecuteTemplate(&b, part, data); err != nil {
		return err
	}
	_, err := s.w.Write(b.Bytes())
	return err
}
