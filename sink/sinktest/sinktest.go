// Package sinktest is the contract that every sink keeps: call [Run] from the
// sink's test. It also holds a rich record of a made-up run, [Rich], that the
// goldens of all sinks are made from.
package sinktest

import (
	"bytes"
	_ "embed" // the rich record
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/besra-hunt/besra"
)

// Contract says how to make the sink under test and how to read its output.
type Contract struct {
	// New returns a sink that writes to w and shows suppressed findings.
	New func(w io.Writer) besra.Sink
	// Check says what is wrong with an output after Close, and how many
	// findings it shows.
	Check func(out []byte) (findings int, err error)
	// Whole says that the format begins with what is known at the end only, so
	// that nothing can be written before Close.
	Whole bool
}

// Run holds the sink to the contract:
//
//   - Each finding is written when it comes, not kept until Close, save where
//     the format is [Contract.Whole].
//   - Records come as run, findings and gaps, summary, once or several times.
//     Wherever that stops, Close completes an output that passes Check and
//     shows every finding written.
//   - The same records give the same bytes, and are not changed.
//   - What a hostile target or rule brings along does not break the format.
//   - An error of the writer comes back from Write or Close at the latest, and
//     every Write after it fails too.
//   - Close may be called again and does nothing then; Write fails after it.
//   - A record without its content is an error.
func Run(t *testing.T, c Contract) {
	t.Run("Order", c.order)
	t.Run("SeveralRuns", c.severalRuns)
	t.Run("Interrupted", c.interrupted)
	if !c.Whole {
		t.Run("Streams", c.streams)
	}
	t.Run("Pure", c.pure)
	t.Run("Hostile", c.hostile)
	t.Run("WriteError", c.writeError)
	t.Run("Closed", c.closed)
	t.Run("Sparse", c.sparse)
	t.Run("Empty", c.empty)
}

//go:embed testdata/rich.ndjson
var rich []byte

// Rich returns the records of testdata/rich.ndjson: a run with every verdict,
// every kind of gap and names made to break an output.
func Rich() []besra.Record {
	var recs []besra.Record
	for line := range bytes.Lines(rich) {
		var rec besra.Record
		if err := json.Unmarshal(line, &rec); err != nil {
			panic(fmt.Sprintf("testdata/rich.ndjson: %v", err))
		}
		recs = append(recs, rec)
	}
	return recs
}

// write gives recs to a new sink over a buffer, closes it and checks.
func (c Contract) write(t *testing.T, recs []besra.Record) []byte {
	t.Helper()
	var out bytes.Buffer
	sink := c.New(&out)
	want := 0
	for i, rec := range recs {
		if rec.Finding != nil {
			want++
		}
		if err := sink.Write(t.Context(), rec); err != nil {
			t.Fatalf("record %d (%s): Write: %v", i, rec.Type, err)
		}
	}
	if err := sink.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	got, err := c.Check(out.Bytes())
	if err != nil {
		t.Fatalf("after %d records: %v in\n%q", len(recs), err, tail(out.Bytes()))
	}
	if got != want {
		t.Fatalf("after %d records: the output shows %d findings, want %d", len(recs), got, want)
	}
	return out.Bytes()
}

func tail(b []byte) []byte { return b[max(0, len(b)-2000):] }

func (c Contract) order(t *testing.T) { c.write(t, Rich()) }

func (c Contract) severalRuns(t *testing.T) {
	recs := Rich()
	c.write(t, append(recs, recs...))
	cut := recs[:len(recs)/2] // a run without summary before the next
	c.write(t, append(cut[:len(cut):len(cut)], recs...))
}

func (c Contract) interrupted(t *testing.T) {
	recs := Rich()
	for n := range recs {
		c.write(t, recs[:n])
	}
	c.write(t, recs[2:]) // the run record is missing
}

func (c Contract) streams(t *testing.T) {
	var out bytes.Buffer
	sink := c.New(&out)
	for _, rec := range Rich() {
		before := out.Len()
		if err := sink.Write(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		if rec.Finding != nil && out.Len() == before {
			t.Fatalf("finding %s was not written when it came", rec.Finding.ID)
		}
	}
}

func (c Contract) pure(t *testing.T) {
	recs := Rich()
	first := c.write(t, recs)
	for i, rec := range Rich() {
		want, wantErr := json.Marshal(rec)
		got, err := json.Marshal(recs[i])
		if err != nil || wantErr != nil || !bytes.Equal(got, want) {
			t.Errorf("the sink changed record %d:\ngot  %s\nwant %s", i, got, want)
		}
	}
	if second := c.write(t, recs); !bytes.Equal(first, second) {
		t.Error("the same records gave another output")
	}
}

var errDisk = errors.New("no space left on device")

// limited fails once it has taken n bytes, as a full disk does.
type limited struct{ n int }

func (l *limited) Write(b []byte) (int, error) {
	if len(b) > l.n {
		n := l.n
		l.n = 0
		return n, errDisk
	}
	l.n -= len(b)
	return len(b), nil
}

func (c Contract) writeError(t *testing.T) {
	recs := Rich()
	size := len(c.write(t, recs))
	for n := 0; n < size; n += 1 + size/97 {
		sink := c.New(&limited{n})
		failed := false
		for i, rec := range recs {
			err := sink.Write(t.Context(), rec)
			if failed && err == nil {
				t.Fatalf("writer full after %d of %d bytes: record %d was taken after an error", n, size, i)
			}
			if err != nil && !errors.Is(err, errDisk) {
				t.Fatalf("writer full after %d of %d bytes: Write: %v, want %v", n, size, err, errDisk)
			}
			failed = failed || err != nil
		}
		if err := sink.Close(); !failed && !errors.Is(err, errDisk) {
			t.Fatalf("writer full after %d of %d bytes: no Write failed and Close: %v, want %v", n, size, err, errDisk)
		}
	}
}

func (c Contract) closed(t *testing.T) {
	var out bytes.Buffer
	sink := c.New(&out)
	recs := Rich()
	for _, rec := range recs {
		if err := sink.Write(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	size := out.Len()
	if err := sink.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
	if err := sink.Write(t.Context(), recs[0]); err == nil {
		t.Error("Write after Close gave no error")
	}
	if out.Len() != size {
		t.Error("something was written after Close")
	}
}

// sparse writes records that hold next to nothing: a sink relies on no field.
func (c Contract) sparse(t *testing.T) {
	recs := []besra.Record{{Type: besra.RecordRun, Run: &besra.Run{}}}
	for _, v := range []besra.Verdict{"", besra.VerdictAlert, besra.VerdictUndecided, besra.VerdictDowngraded, besra.VerdictSuppressed, "novel"} {
		recs = append(recs,
			besra.Record{Type: besra.RecordFinding, Finding: &besra.Finding{Verdict: v}},
			besra.Record{Type: besra.RecordFinding, Finding: &besra.Finding{Verdict: v, Severity: "novel", Suppression: &besra.Suppression{},
				Decisions: []besra.Decision{{}, {Outcome: besra.OutcomeUnknown}, {Outcome: "novel"}},
				Patterns:  []besra.PatternHits{{}, {Matches: []besra.Match{{}}}, {Count: -1, Matches: []besra.Match{{Offset: -1, Length: -1}}}}}})
	}
	recs = append(recs, besra.Record{Type: besra.RecordGap, Gap: &besra.Gap{}}, besra.Record{Type: besra.RecordGap, Gap: &besra.Gap{Kind: "novel", Count: -1}},
		besra.Record{Type: besra.RecordSummary, Summary: &besra.Summary{}})
	c.write(t, recs)
}

func (c Contract) empty(t *testing.T) {
	for _, rec := range []besra.Record{{}, {Type: besra.RecordFinding}, {Type: besra.RecordSummary}} {
		if err := c.New(io.Discard).Write(t.Context(), rec); err == nil {
			t.Errorf("a record of type %q without its content gave no error", rec.Type)
		}
	}
}
