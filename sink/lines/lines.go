// Package lines makes sinks of formats that have one line a record: what each
// of them does about errors and Close is the same.
package lines

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/besra-hunt/besra"
)

// Encoder returns the line of a record without its end; nil where the format
// has none for it. The record is read-only.
type Encoder func(besra.Record) ([]byte, error)

// New returns a sink that writes to w, which the caller keeps and closes. Each
// line is one call of w.Write, as soon as its record comes: what was found
// survives the process, and a killed one leaves at most its last line cut off.
// After an error of w nothing more is written. The name is that of the format,
// for errors.
func New(name string, w io.Writer, encode Encoder) besra.Sink {
	return &sink{name: name, w: w, encode: encode}
}

type sink struct {
	name   string
	w      io.Writer
	encode Encoder
	err    error // the first error of w, or that it is closed
}

// Write implements [besra.Sink].
func (s *sink) Write(_ context.Context, r besra.Record) error {
	if s.err != nil {
		return s.err
	}
	if r.Run == nil && r.Finding == nil && r.Gap == nil && r.Summary == nil {
		return fmt.Errorf("%s: a record of type %q without its content", s.name, r.Type)
	}
	line, err := s.encode(r)
	if err != nil || line == nil {
		return err
	}
	_, s.err = s.w.Write(append(line, '\n'))
	return s.err
}

// Close implements [besra.Sink]. There is nothing to complete.
func (s *sink) Close() error {
	if s.err == nil {
		s.err = errors.New(s.name + ": written to after Close")
	}
	return nil
}
