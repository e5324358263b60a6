// Package ndjson writes the master record of a run: one JSON object a line, as
// docs/records.md describes. Every other format is a function of it.
package ndjson

import (
	"io"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sink/lines"
)

// New returns a sink that writes to w; see [lines.New].
func New(w io.Writer) besra.Sink { return lines.New("ndjson", w, besra.Record.MarshalJSON) }
