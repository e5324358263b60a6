package json

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sink/sinktest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// document is the output as a reader would declare it.
type document struct {
	V    string
	Runs []struct {
		Run      *besra.Record
		Findings []besra.Record
		Gaps     []besra.Record
		Summary  *besra.Record
	}
}

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Contract{
		New:   New,
		Check: check,
	})
}

func check(out []byte) (findings int, err error) {
	var doc document
	dec := json.NewDecoder(bytes.NewReader(out))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		return 0, err
	}
	if dec.More() || doc.V != besra.RecordVersion || doc.Runs == nil {
		return 0, fmt.Errorf("not one document of %s with runs", besra.RecordVersion)
	}
	for i, run := range doc.Runs {
		if run.Findings == nil || run.Gaps == nil {
			return 0, fmt.Errorf("run %d has no list of findings or gaps", i)
		}
		findings += len(run.Findings)
	}
	return findings, nil
}

func TestGolden(t *testing.T) {
	name := filepath.Join("testdata", "rich.json")
	var got bytes.Buffer
	s := New(&got)
	for _, rec := range sinktest.Rich() {
		if err := s.Write(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(name, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNothingIsLost wants every record of the input in the document, in order
// within its list.
func TestNothingIsLost(t *testing.T) {
	var out bytes.Buffer
	s := New(&out)
	recs := sinktest.Rich()
	for _, rec := range recs {
		if err := s.Write(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	run := doc.Runs[0]
	var findings, gaps []besra.Record
	for _, rec := range recs {
		switch {
		case rec.Finding != nil:
			findings = append(findings, rec)
		case rec.Gap != nil:
			gaps = append(gaps, rec)
		}
	}
	diff := cmp.Diff(findings, run.Findings) + cmp.Diff(gaps, run.Gaps) + cmp.Diff(recs[0], *run.Run) + cmp.Diff(recs[len(recs)-1], *run.Summary)
	if diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWithoutRecords(t *testing.T) {
	var out bytes.Buffer
	if err := New(&out).Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), `{"v":"besra/v1","runs":[]}`+"\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
