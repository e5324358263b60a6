package sinktest

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/besra-hunt/besra"
)

// TestRichIsCanonical wants each line as the code writes it.
func TestRichIsCanonical(t *testing.T) {
	lines := bytes.SplitAfter(rich, []byte("\n"))
	for i, rec := range Rich() {
		b, err := json.Marshal(rec)
		if err != nil {
			t.Fatal(err)
		}
		if got := append(b, '\n'); !bytes.Equal(got, lines[i]) {
			t.Errorf("line %d:\nis     %sshould %s", i+1, lines[i], got)
		}
	}
}

// TestRichIsRich wants everything that an output must be able to show.
func TestRichIsRich(t *testing.T) {
	seen := make(map[string]bool)
	for _, rec := range Rich() {
		switch {
		case rec.Finding != nil:
			seen[string(rec.Finding.Verdict)] = true
			for _, d := range rec.Finding.Decisions {
				seen["outcome "+string(d.Outcome)] = true
				seen["effect "+string(d.Effect)] = true
			}
		case rec.Gap != nil:
			seen["gap "+string(rec.Gap.Kind)] = true
		}
	}
	for _, want := range []string{
		string(besra.VerdictAlert), string(besra.VerdictUndecided), string(besra.VerdictDowngraded), string(besra.VerdictSuppressed),
		"outcome true", "outcome false", "outcome unknown", "outcome error", "outcome expired",
		"effect suppress", "effect downgrade", "effect annotate", "gap skip", "gap error", "gap content",
	} {
		if !seen[want] {
			t.Errorf("testdata/rich.ndjson has no %s", want)
		}
	}
}
