package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
)

const (
	runLine     = `{"type":"run","v":"besra/v1","id":"r1","targets":[],"packs":[]}`
	findingLine = `{"type":"finding","v":"besra/v1","id":"f1","run":"r1","verdict":"alert"}`
	gapLine     = `{"type":"gap","v":"besra/v1","kind":"error","target":"/x","reason":"vanished","count":1}`
	summaryLine = `{"type":"summary","v":"besra/v1","targets":3,"matches":1,"complete":true,"duration_ns":1000000}`
)

func lines(ls ...string) string { return strings.Join(ls, "\n") + "\n" }

// TestRead wants, for each input, the types of the records and the errors, in order.
func TestRead(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"a run", lines(runLine, findingLine, gapLine, summaryLine), []string{"run", "finding", "gap", "summary"}},
		{"no last line end", runLine + "\n" + gapLine, []string{"run", "gap"}},
		{"CRLF, empty lines, byte order marks", "\ufeff" + runLine + "\r\n\r\n\n\ufeff" + gapLine + "\r\n", []string{"run", "gap"}},
		{"cut off", runLine + "\n" + gapLine[:40], []string{"run", "line 2: " + ErrTruncated.Error()}},
		{"cut off in the first byte", runLine + "\n{", []string{"run", "line 2: " + ErrTruncated.Error()}},
		{"zeros after a crash", runLine + "\n\x00\x00\x00", []string{"run", "line 2: " + ErrTruncated.Error()}},
		{"concatenated after a cut", findingLine[:50] + lines(runLine, gapLine), []string{"line 1: " + ErrTruncated.Error(), "run", "gap"}},
		{"concatenated after a cut in a name", gapLine[:61] + `\"type` + lines(runLine), []string{"line 1: " + ErrTruncated.Error(), "run"}},
		{"concatenated, all of it cut off", findingLine[:50] + runLine[:30], []string{"line 1: " + ErrTruncated.Error()}},
		{"damaged", lines(runLine, "garbage", gapLine), []string{"run", "line 2: byte 1: invalid character 'g' looking for beginning of value", "gap"}},
		{"wrong type", lines(`{"type":"gap","v":"besra/v1","count":"x"}`, gapLine), []string{"line 1: gap record: json: cannot unmarshal string into Go struct field Gap.count of type int64", "gap"}},
		{"foreign JSON", lines(`{"level":"info"}`, gapLine), []string{`line 1: no record version: a record says "v":"besra/v1"`, "gap"}},
		{"unknown type", lines(`{"type":"rumour","v":"besra/v1"}`, gapLine), []string{`line 1: record type "rumour" is not known: a newer besra wrote it`, "gap"}},
		{"another version ends it", lines(gapLine, `{"type":"gap","v":"besra/v2"}`, gapLine), []string{"gap", `line 2: record version "besra/v2" is not besra/v1: a besra of that version reads it`}},
		{"UTF-16", "\xff\xfe{\x00", []string{"line 1: the file is UTF-16, as PowerShell's > writes it; let besra write the file itself (--output)"}},
	}
	for _, tt := range tests {
		var got []string
		for rec, err := range Read(iotest.OneByteReader(strings.NewReader(tt.in))) {
			if err != nil {
				got = append(got, err.Error())
			} else {
				got = append(got, string(rec.Type))
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestReadLongLines(t *testing.T) {
	const maxLine = 1 << 20
	long := strings.Replace(gapLine, "/x", strings.Repeat("/x", maxLine/2-100), 1)
	in := lines(runLine, long, strings.Repeat("x", maxLine), gapLine) + strings.Repeat("x", 2*maxLine)
	var got []string
	for rec, err := range read(strings.NewReader(in), maxLine) {
		var line *LineError
		switch {
		case errors.As(err, &line) && errors.Is(err, ErrLineTooLong):
			got = append(got, fmt.Sprint("too long: ", line.Line))
		case err != nil:
			t.Fatal(err)
		case rec.Gap != nil:
			got = append(got, fmt.Sprint("gap ", len(rec.Gap.Target)))
		default:
			got = append(got, string(rec.Type))
		}
	}
	if diff := cmp.Diff([]string{"run", "gap 1048376", "too long: 3", "gap 2", "too long: 5"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReadReportsTheReadersError(t *testing.T) {
	disk := errors.New("disk on fire")
	var last error
	for _, err := range Read(io.MultiReader(strings.NewReader(lines(runLine, gapLine)), iotest.ErrReader(disk))) {
		last = err
	}
	if !errors.Is(last, disk) || !strings.Contains(fmt.Sprint(last), "after line 2") {
		t.Errorf("got %v, want %v after line 2", last, disk)
	}
}

func TestReadStopsWhenAsked(t *testing.T) {
	for range Read(strings.NewReader(lines(runLine, gapLine))) {
		break
	}
	for range Read(strings.NewReader(findingLine[:50] + lines(runLine, gapLine))) {
		break
	}
}

// recorder is a sink that keeps what it is given.
type recorder struct {
	types []string
	fail  error
}

func (r *recorder) Write(_ context.Context, rec besra.Record) error {
	r.types = append(r.types, string(rec.Type))
	return r.fail
}

func (*recorder) Close() error { return errors.New("Render must not close the sink") }

func TestRender(t *testing.T) {
	suppressed := `{"type":"finding","v":"besra/v1","run":"r1","verdict":"suppressed","detection":{"id":"d"},"suppression":{"exclusion":"x"}}`
	summary2 := `{"type":"summary","v":"besra/v1","targets":4,"matches":1,"suppressed":1,"exclusions":1,"skipped":2,"skips":{"socket":2},"complete":true,"duration_ns":1000000}`
	tests := []struct {
		name, in string
		want     Result
		types    string
		warnings []string
		err      string
	}{
		{"one run", lines(runLine, findingLine, gapLine, summaryLine),
			Result{Runs: 1, Findings: 1, Summary: besra.Summary{Targets: 3, Matches: 1, Complete: true, Duration: time.Millisecond}},
			"run finding gap summary", nil, ""},
		{"two runs, one exclusion in both", lines(runLine, suppressed, summary2, runLine, suppressed, summary2),
			Result{Runs: 2, Findings: 2, Summary: besra.Summary{Targets: 8, Matches: 2, Suppressed: 2, Exclusions: 1, Skipped: 4,
				Skips: map[string]int64{"socket": 4}, Complete: true, Duration: 2 * time.Millisecond}},
			"run finding summary run finding summary", nil, ""},
		{"killed", lines(runLine, findingLine) + gapLine[:30],
			Result{Runs: 1, Unfinished: 1, Findings: 1}, "run finding",
			[]string{"line 3: " + ErrTruncated.Error(), `run "r1" has no summary: it was stopped, and what it did not look at is not known`}, ""},
		{"killed, then run again", lines(runLine, findingLine) + gapLine[:30] + lines(runLine, summaryLine),
			Result{Runs: 2, Unfinished: 1, Findings: 1, Summary: besra.Summary{Targets: 3, Matches: 1, Complete: true, Duration: time.Millisecond}},
			"run finding run summary",
			[]string{"line 3: " + ErrTruncated.Error(), `run "r1" has no summary: it was stopped, and what it did not look at is not known`}, ""},
		{"the end of a file", lines(gapLine, summaryLine),
			Result{Runs: 1, Summary: besra.Summary{Targets: 3, Matches: 1, Complete: true, Duration: time.Millisecond}}, "gap summary", nil, ""},
		{"unknown type", lines(runLine, `{"type":"rumour","v":"besra/v1"}`, summaryLine),
			Result{Runs: 1, Summary: besra.Summary{Targets: 3, Matches: 1, Complete: true, Duration: time.Millisecond}}, "run summary",
			[]string{`line 2: record type "rumour" is not known: a newer besra wrote it`}, ""},
		{"damaged", lines(runLine, "garbage", findingLine, summaryLine),
			Result{Runs: 1, Findings: 1, Summary: besra.Summary{Targets: 3, Matches: 1, Complete: true, Duration: time.Millisecond}}, "run finding summary",
			nil, "line 2: byte 1: invalid character 'g' looking for beginning of value"},
		{"empty", "", Result{}, "", nil, "no record in it: is it the ndjson of a hunt?"},
		{"many damaged", strings.Repeat("garbage\n", 13), Result{}, "", nil, "3 more lines cannot be used"},
	}
	for _, tt := range tests {
		var sink recorder
		got, err := Render(t.Context(), strings.NewReader(tt.in), &sink)
		var warnings []string
		for _, w := range got.Warnings {
			warnings = append(warnings, w.Error())
		}
		got.Warnings = nil
		if diff := cmp.Diff(tt.want, got) + cmp.Diff(tt.warnings, warnings) + cmp.Diff(tt.types, strings.Join(sink.types, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.err)
		}
	}
}

func TestRenderStops(t *testing.T) {
	full := errors.New("no space left on device")
	sink := recorder{fail: full}
	if _, err := Render(t.Context(), strings.NewReader(lines(runLine, gapLine)), &sink); !errors.Is(err, full) || len(sink.types) != 1 {
		t.Errorf("got %v after %d records, want %v after 1", err, len(sink.types), full)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Render(ctx, strings.NewReader(lines(runLine)), &sink); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestClosingLine(t *testing.T) {
	got := ClosingLine(besra.Summary{Targets: 1, Matches: 5, Suppressed: 3, Exclusions: 2, Undecided: 1, Errors: 4, Duration: 1234 * time.Millisecond})
	want := "1 targets, 5 matches, 3 suppressed (2 exclusions), 1 undecided, 4 errors, 1.2s"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDuration(t *testing.T) {
	tests := map[time.Duration]string{
		-1: "0ms", 0: "0ms", 499 * time.Microsecond: "0ms", 340 * time.Millisecond: "340ms",
		999600 * time.Microsecond: "1.0s", 1249 * time.Millisecond: "1.2s", 59960 * time.Millisecond: "1m00s",
		192 * time.Second: "3m12s", 3599*time.Second + 600*time.Millisecond: "1h00m", 123 * time.Minute: "2h03m", 100 * time.Hour: "100h00m",
	}
	for d, want := range tests {
		if got := duration(d); got != want {
			t.Errorf("duration(%v) = %s, want %s", d, got, want)
		}
	}
}

func TestIdentical(t *testing.T) {
	for n, want := range map[int64]string{0: "", 1: "1 target had a content that was searched already", 7: "7 targets had a content that was searched already"} {
		if got := Identical(besra.Summary{Identical: n}); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestNotice(t *testing.T) {
	tests := []struct {
		s    besra.Summary
		want string
	}{
		{besra.Summary{Complete: true}, ""},
		{besra.Summary{Complete: true, Errors: 2}, ""},
		{besra.Summary{}, "incomplete: not everything was looked at, so nothing found is not clean"},
		{besra.Summary{Errors: 1}, "incomplete (1 error): not everything was looked at, so nothing found is not clean"},
		{besra.Summary{Interrupted: true, Complete: true}, "incomplete (interrupted): not everything was looked at, so nothing found is not clean"},
		{besra.Summary{Interrupted: true, Errors: 7}, "incomplete (interrupted, 7 errors): not everything was looked at, so nothing found is not clean"},
	}
	for _, tt := range tests {
		if got := Notice(tt.s); got != tt.want {
			t.Errorf("Notice(%+v) = %q, want %q", tt.s, got, tt.want)
		}
	}
}

// FuzzRead wants that reading ends, numbers its lines upwards, and yields only
// what can be written again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(lines(runLine, findingLine, gapLine, summaryLine)))
	f.Add([]byte(findingLine[:50] + lines(runLine, gapLine)))
	f.Add([]byte(lines("garbage", `{"type":"gap","v":"besra/v9"}`)))
	f.Fuzz(func(t *testing.T, b []byte) {
		last := 0
		for rec, err := range Read(bytes.NewReader(b)) {
			var line *LineError
			switch {
			case errors.As(err, &line):
				if line.Line <= last {
					t.Errorf("line %d after line %d", line.Line, last)
				}
				last = line.Line
			case err != nil:
				t.Errorf("an error without a line: %v", err)
			default:
				if _, err := json.Marshal(rec); err != nil {
					t.Errorf("%+v does not encode: %v", rec, err)
				}
			}
		}
	})
}
