package syntax

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"testing"
)

// corpora are public rule sets, by the name of their tarball.
var corpora = []string{"signature-base", "reversinglabs-yara-rules", "binaryalert"}

// corpus reads the rules of a public rule set, or skips the test.
func corpus(t testing.TB, name string) []*Source {
	t.Helper()
	f, err := os.Open(filepath.FromSlash("../../../shared/corpora/rules/" + name + ".tar.gz"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no corpora here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []*Source
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if ext := path.Ext(h.Name); ext != ".yar" && ext != ".yara" {
			continue
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, &Source{Name: h.Name, Text: text, Index: int32(len(all))})
	}
	if len(all) == 0 {
		t.Fatalf("%s holds no rules", name)
	}
	return all
}

// TestCorpora checks that public rules parse, and print as promised.
func TestCorpora(t *testing.T) {
	for _, name := range corpora {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, src := range corpus(t, name) {
				f, l := Parse(src)
				if len(l) > 0 {
					t.Errorf("%s: got %v, want none", src.Name, l)
					continue
				}
				checkPrint(t, f)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	all := corpus(b, "signature-base")
	size := 0
	for _, s := range all {
		size += len(s.Text)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range all {
			Parse(s)
		}
	}
}
