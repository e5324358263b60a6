package sentinel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sentinel/ingest"
	"github.com/besra-hunt/besra/sink/sinktest"
)

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Contract{
		New: func(w io.Writer) besra.Sink { return New(w, ingest.NewEncoder()) },
		Check: func(out []byte) (int, error) {
			n := 0
			for line := range bytes.Lines(out) {
				var row map[string]any
				if err := json.Unmarshal(line, &row); err != nil {
					return n, fmt.Errorf("line %d: %w", n+1, err)
				}
				if row["TimeGenerated"] == nil || row["Disposition"] == nil {
					return n, fmt.Errorf("line %d has no time or disposition", n+1)
				}
				n++
			}
			return n, nil
		},
	})
}
