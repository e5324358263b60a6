// Package ndjson writes the master record of a run: one JSON object a line, as
// docs/records.md describes. Every other format is a function of it.
package ndjson

import (
	"context"
	"errors"
	"io"

	"github.com/besra-hunt/besra"
)

// New returns a sink that writes to w, which the caller keeps and closes. Each
// record is one call of w.Write with one whole line, as soon as it comes: what
// was found survives the process, and a killed one leaves at most its last line
// cut off. After an error of w nothing more is written.
func New(w io.Writer) besra.Sink { return &sink{w: w} }

type sink struct {
	w   io.Writer
	err error // the first error of w, or errClosed
}

var errClosed = errors.New("ndjson: written to after Close")

// Write implements [besra.Sink].
func (s *sink) Write(_ context.Context, r besra.Record) error {
	if s.err != nil {
		return s.err
	}
	line, err := r.MarshalJSON()
	if err != nil {
		return err
	}
	_, s.err = s.w.Write(append(line, '\n'))
	return s.err
}

// Close implements [besra.Sink]. There is nothing to complete.
func (s *sink) Close() error {
	if s.err == nil {
		s.err = errClosed
	}
	return nil
}
