// Package json writes one JSON document for tools that want a whole file:
//
//	{"v":"besra/v1","runs":[
//	{"run":{…},"findings":[
//	{…},
//	{…}],"gaps":[
//	{…}],"summary":{…}}]}
//
// Each object within is the record that ndjson has on its line. A concatenated
// record gives several runs; "run" or "summary" is null where there is none, as
// in a run that was killed.
package json

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/besra-hunt/besra"
)

// New returns a sink that writes to w, which the caller keeps and closes.
// Findings are written as they come; gaps, some 200 bytes each, are held until
// their run ends. The document is complete after Close, wherever the records
// stopped. After an error of w nothing more is written.
func New(w io.Writer) besra.Sink { return &sink{w: w} }

type sink struct {
	w     io.Writer
	err   error    // the first error of w, or errClosed
	begun bool     // the document has been opened
	open  bool     // a run has been opened
	runs  int      // runs opened
	found int      // findings of the open run
	gaps  [][]byte // gaps of the open run, encoded
}

var errClosed = errors.New("json: written to after Close")

const head = `{"v":"` + besra.RecordVersion + `","runs":[`

// Write implements [besra.Sink].
func (s *sink) Write(_ context.Context, r besra.Record) error {
	if s.err != nil {
		return s.err
	}
	b, err := r.MarshalJSON()
	if err != nil {
		return err
	}
	switch {
	case r.Run != nil:
		s.endRun("null")
		s.beginRun(string(b))
	case r.Finding != nil:
		s.beginRun("null")
		s.printf("%s\n%s", comma(s.found), b)
		s.found++
	case r.Gap != nil:
		s.beginRun("null")
		s.gaps = append(s.gaps, b)
	case r.Summary != nil:
		s.beginRun("null")
		s.endRun(string(b))
	}
	return s.err
}

// Close implements [besra.Sink]: it ends the run and the document.
func (s *sink) Close() error {
	if s.err != nil {
		return nil // told by Write, or closed before
	}
	s.begin()
	s.endRun("null")
	s.printf("]}\n")
	err := s.err
	if err == nil {
		s.err = errClosed
	}
	return err
}

func (s *sink) begin() {
	if !s.begun {
		s.begun = true
		s.printf("%s", head)
	}
}

// beginRun opens a run, if none is open.
func (s *sink) beginRun(run string) {
	if s.open {
		return
	}
	s.begin()
	s.printf("%s\n{\"run\":%s,\"findings\":[", comma(s.runs), run)
	s.open, s.found, s.gaps = true, 0, nil
	s.runs++
}

// endRun writes what was held back and closes the open run.
func (s *sink) endRun(summary string) {
	if !s.open {
		return
	}
	s.printf(`],"gaps":[`)
	for i, gap := range s.gaps {
		s.printf("%s\n%s", comma(i), gap)
	}
	s.printf(`],"summary":%s}`, summary)
	s.open, s.gaps = false, nil
}

func comma(before int) string {
	if before == 0 {
		return ""
	}
	return ","
}

func (s *sink) printf(format string, args ...any) {
	if s.err == nil {
		_, s.err = fmt.Fprintf(s.w, format, args...)
	}
}
