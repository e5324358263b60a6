package sinktest

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/besra-hunt/besra"
)

// Golden holds the output for the [Rich] records against a file in testdata,
// which it rewrites where update is set.
func Golden(t *testing.T, newSink func(io.Writer) besra.Sink, file string, update bool) {
	t.Helper()
	var out bytes.Buffer
	s := newSink(&out)
	for _, rec := range Rich() {
		if err := s.Write(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join("testdata", file)
	if update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, out.Bytes()) {
		t.Errorf("%s differs from byte %d on; -update rewrites it. Got:\n%s", name, differs(want, out.Bytes()), out.Bytes())
	}
}

func differs(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
