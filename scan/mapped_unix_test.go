//go:build unix

package scan

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/besra-hunt/besra"
	"golang.org/x/sys/unix"
)

// mapped returns a target whose file is mapped, and cut off before it is read.
func mapped(t *testing.T, name string, size int) besra.Target {
	t.Helper()
	if err := os.WriteFile(name, make([]byte, size), 0o644); err != nil {
		t.Fatal(err)
	}
	return besra.Target{Name: name, Context: besra.ContextFile, Facts: besra.NoFacts{},
		Open: func(context.Context) (besra.Content, error) {
			f, err := os.Open(name)
			if err != nil {
				return nil, err
			}
			defer f.Close()
			data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
			if err != nil {
				return nil, err
			}
			return mapping(data), os.Truncate(name, 0)
		}}
}

type mapping []byte

func (m mapping) Bytes() []byte { return m }
func (m mapping) Close() error  { return unix.Munmap(m) }

// TestTruncatedMapping scans a file that shrinks while it is mapped.
func TestTruncatedMapping(t *testing.T) {
	name := filepath.Join(t.TempDir(), "shrinks")
	shrink := mapped(t, name, 64<<10)
	k := &keep{}
	h := &Hunt{Set: testSet(t), Sink: k, Source: list{targets: []besra.Target{shrink}}}
	sum, err := h.Execute(t.Context())
	if err != nil || sum.Errors != 1 {
		t.Fatalf("got %v, %+v: want one error", err, sum)
	}
	if g := k.records[1].Gap; g == nil || g.Reason != "truncated" {
		t.Errorf("got %+v, want a gap for the truncation", k.records[1])
	}
}
