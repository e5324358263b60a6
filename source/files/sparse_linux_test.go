package files

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSparseMapping maps a file of holes and a few runs of data, some of them
// across pages and at the very end, and compares it with what a read gives.
func TestSparseMapping(t *testing.T) {
	const size = minSparse + 12345
	f, err := os.Create(filepath.Join(t.TempDir(), "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	for _, at := range []int64{0, 4090, 1 << 20, 33<<20 + 77, size - 5} {
		if _, err := f.WriteAt([]byte("data!"), at); err != nil {
			t.Fatal(err)
		}
	}
	h := handle{fd: int(f.Fd())}
	extents, ok := h.extents(size)
	if !ok {
		t.Skip("this file system tells of no holes")
	}
	if len(extents) < 3 {
		t.Errorf("got extents %v, want the runs of data", extents)
	}
	got, err := h.mmap(size)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(got)
	want, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the mapping differs from the file")
	}
}
