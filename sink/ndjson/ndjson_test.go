package ndjson

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/besra-hunt/besra/report"
	"github.com/besra-hunt/besra/sink/sinktest"
)

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Contract{
		New:   New,
		Check: check,
	})
}

// check reads the output back and wants one record a line.
func check(out []byte) (findings int, err error) {
	n := 0
	for rec, err := range report.Read(bytes.NewReader(out)) {
		if err != nil {
			return 0, err
		}
		if n++; rec.Finding != nil {
			findings++
		}
	}
	if lines := bytes.Count(out, []byte("\n")); lines != n {
		return 0, fmt.Errorf("%d records on %d lines", n, lines)
	}
	return findings, nil
}

// TestGolden wants the rich record as it is: the master record is its own golden.
func TestGolden(t *testing.T) {
	want, err := os.ReadFile("../sinktest/testdata/rich.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	s := New(&got)
	if _, err := report.Render(t.Context(), bytes.NewReader(want), s); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("got\n%s\nwant\n%s", got.Bytes(), want)
	}
}

// lineWriter wants one whole line in each call.
type lineWriter struct{ t *testing.T }

func (w lineWriter) Write(b []byte) (int, error) {
	if bytes.Count(b, []byte("\n")) != 1 || b[len(b)-1] != '\n' {
		w.t.Errorf("a write of %q, want one line", b)
	}
	return len(b), nil
}

func TestOneWriteALine(t *testing.T) {
	s := New(lineWriter{t})
	for _, rec := range sinktest.Rich() {
		if err := s.Write(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	if err := New(full).Write(t.Context(), sinktest.Rich()[0]); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want %v", err, syscall.ENOSPC)
	}
}
