// Package sentinel writes findings as rows of the table that they have in
// Microsoft Sentinel, BesraFindings_CL: a JSON object a line, of columns, within
// the limits of the Logs Ingestion API. Runs, gaps and summaries have no row.
// Where the writer delivers them, they land there; into a file, they are what
// would land.
package sentinel

import (
	"io"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sentinel/ingest"
	"github.com/besra-hunt/besra/sink/lines"
)

// New returns a sink that writes the rows that an encoder makes to w; see
// [lines.New].
func New(w io.Writer, e *ingest.Encoder) besra.Sink { return lines.New("sentinel", w, e.Encode) }
