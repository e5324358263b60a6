package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"path"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/sourcetest"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
)

// packed gives what a stream's writer makes of content.
func packed(t testing.TB, content []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarOf(t testing.TB, name string, content []byte) []byte {
	return packed(t, content, func(to io.Writer) (io.WriteCloser, error) {
		w := tar.NewWriter(to)
		return w, w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o644})
	})
}

// around are the formats that a test can put anything into, and the name under
// which it lies there.
var around = map[string]func(t testing.TB, name string, content []byte) (outer []byte, outerName string){
	"stored zip": func(t testing.TB, name string, c []byte) ([]byte, string) {
		return zipOf(t, zip.Store, name, string(c)), "o.zip"
	},
	"zip": func(t testing.TB, name string, c []byte) ([]byte, string) {
		return zipOf(t, zip.Deflate, name, string(c)), "o.apk"
	},
	"tar": func(t testing.TB, name string, c []byte) ([]byte, string) { return tarOf(t, name, c), "o.tar" },
	"tar.gz": func(t testing.TB, name string, c []byte) ([]byte, string) {
		return packed(t, tarOf(t, name, c), func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }), "o.tgz"
	},
	"gzip": func(t testing.TB, name string, c []byte) ([]byte, string) {
		return packed(t, c, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }), name + ".gz"
	},
	"zstd": func(t testing.TB, name string, c []byte) ([]byte, string) {
		return packed(t, c, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }), name + ".zst"
	},
	"xz": func(t testing.TB, name string, c []byte) ([]byte, string) {
		return packed(t, c, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }), name + ".xz"
	},
	"lz4": func(t testing.TB, name string, c []byte) ([]byte, string) {
		return packed(t, c, func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil }), name + ".lz4"
	},
	"brotli": func(t testing.TB, name string, c []byte) ([]byte, string) {
		return packed(t, c, func(w io.Writer) (io.WriteCloser, error) { return brotli.NewWriter(w), nil }), name + ".br"
	},
	"rar": func(t testing.TB, name string, c []byte) ([]byte, string) { return storedRar(name, string(c)), "o.rar" },
	"cab": func(t testing.TB, name string, c []byte) ([]byte, string) {
		cab := lzxCab(15, pack(c, 15, 1<<20, 0, lzxStored), len(c), len(c))
		return cab, "o.cab"
	},
	"ar": func(t testing.TB, name string, c []byte) ([]byte, string) {
		return fmt.Appendf(nil, "!<arch>\n%-16s%-12d%-6d%-6d%-8o%-10d`\n%s", "member/", 0, 0, 0, 0o644, len(c), c), "o.a"
	},
	"cpio": func(t testing.TB, name string, c []byte) ([]byte, string) {
		return append(newcEntry(name, c), newcEntry("TRAILER!!!", nil)...), "o.cpio"
	},
}

// newcEntry is a member in the form newc.
func newcEntry(name string, c []byte) []byte {
	pad := func(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }
	h := fmt.Appendf(nil, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00", 1, 0o100644, 0, 0, 1, 0, len(c), 0, 0, 0, 0, len(name)+1, 0, name)
	return pad(append(pad(h), c...))
}

// inside finds every content at any depth that is the marked one.
func inside(t *testing.T, name string, content []byte, depth int) (found []string) {
	if depth == 0 || expander().Kind(besra.Target{Name: name}, content) == "" {
		if string(content) == marked {
			return []string{name}
		}
		return nil
	}
	for member, c := range expand(t, name, content).Content {
		found = append(found, inside(t, member, c, depth-1)...)
	}
	return found
}

// TestNested puts each archive of testdata into each format, and that into each
// once more, and finds what lies in it.
func TestNested(t *testing.T) {
	for _, m := range made {
		hits := 0
		for _, c := range m.want {
			if string(c) == marked {
				hits++
			}
		}
		content, name := read(t, m.file), path.Base(strings.TrimSuffix(m.file, ".gz"))
		if !strings.HasSuffix(m.file, ".iso.gz") {
			name = m.file
		}
		for kind, put := range around {
			outer, outerName := put(t, name, content)
			if m.kind != "lzma" && m.kind != "brotli" || kind != "cab" && kind != "ar" { // which go by the name
				if got := inside(t, outerName, outer, 8); len(got) != hits {
					t.Errorf("%s in %s: found %q, want %d", m.file, kind, got, hits)
				}
			}
			if m.file != "tree.tar.gz" {
				continue
			}
			for twice, put := range around {
				most, mostName := put(t, outerName, outer)
				if (twice == "cab" || twice == "ar") && kind == "brotli" {
					continue
				}
				if got := inside(t, mostName, most, 8); len(got) != hits {
					t.Errorf("%s in %s in %s: found %q, want %d", m.file, kind, twice, got, hits)
				}
			}
		}
	}
}

// TestTruncated cuts off each archive at many places: what is missing is told.
func TestTruncated(t *testing.T) {
	for _, m := range made {
		whole := read(t, m.file)
		want := expand(t, m.file, whole)
		step := max(1, len(whole)/16)
		for n := 1; n < len(whole); n += step {
			cut := whole[:n]
			if expander().Kind(besra.Target{Name: m.file}, cut) == "" {
				continue // too short to be told from other bytes
			}
			got := expand(t, m.file, cut)
			if got.Err == nil && len(got.Gaps) == 0 && !cmp.Equal(got.Content, want.Content) {
				t.Errorf("%s, %d of %d bytes: %d members of %d, and nothing is told", m.file, n, len(whole), len(got.Content), len(want.Content))
				break
			}
		}
	}
}

// TestShortDamage: of a short stream that is damaged, what comes before is scanned, too.
func TestShortDamage(t *testing.T) {
	z := packed(t, []byte(marked), func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
	in := expand(t, "a.gz", z[:len(z)-8])
	if got := string(in.Content["a.gz!a"]); got != marked || !cmp.Equal(in.Gaps, []string{"damaged"}) {
		t.Errorf("got %q and gaps %q", got, in.Gaps)
	}
}

// TestVolumes: a part of an archive is told as such where it can be recognised, and an
// archive that only says so is opened.
func TestVolumes(t *testing.T) {
	z := zipOf(t, zip.Store, "a", marked)
	lying := bytes.Clone(z)
	lying[len(lying)-zipEnd+4] = 1
	for name, content := range map[string][]byte{"first.z01": []byte("PK\x07\x08PK\x03\x04 and so on"), "last.zip": append([]byte("the rest of a member"), lying...)} {
		in := expand(t, name, content)
		if !cmp.Equal(in.Gaps, []string{ReasonUnsupported}) {
			t.Errorf("%s: gaps %q, want unsupported", name, in.Gaps)
		}
	}
	for name, content := range map[string][]byte{"lying.zip": lying, "picture.gif": append([]byte("GIF89a\x01\x00"), z...)} {
		in := expand(t, name, content)
		if string(in.Content[name+"!a"]) != marked || in.Err != nil {
			t.Errorf("%s: got %q, error %v", name, in.Content, in.Err)
		}
	}
}

// TestWrongSizes changes the sizes that headers state: they are not believed,
// and nothing beyond the member is taken for it.
func TestWrongSizes(t *testing.T) {
	z := zipOf(t, zip.Deflate, "a", marked)
	stored := zipOf(t, zip.Store, "a", marked)
	at := func(b []byte, offset int, v uint32) []byte {
		b = bytes.Clone(b)
		binary.LittleEndian.PutUint32(b[bytes.LastIndex(b, []byte("PK\x01\x02"))+offset:], v)
		return b
	}
	cab := lzxCab(15, pack([]byte(marked), 15, 1<<20, 0, lzxStored), len(marked), len(marked))
	longCab := bytes.Clone(cab)
	binary.LittleEndian.PutUint32(longCab[cabHeader+cabFolder:], 1<<31)
	ar, _ := around["ar"](t, "a", []byte(marked))
	cpio := bytes.Replace(newcEntry("a", []byte(marked)), fmt.Appendf(nil, "%08x", len(marked)), []byte("7fffffff"), 1)
	for name, content := range map[string][]byte{
		"larger.zip":  at(z, 24, 1<<30),
		"smaller.zip": at(z, 24, 3),
		"most.zip":    at(z, 24, 0xfffffffe),
		"packed.zip":  at(z, 20, 1<<30),
		"stored.zip":  at(stored, 20, 1<<30),
		"offset.zip":  at(z, 42, 1<<30),
		"larger.cab":  longCab,
		"larger.ar":   bytes.Replace(ar, fmt.Appendf(nil, "%-10d`", len(marked)), []byte("999999999 `"), 1),
		"larger.cpio": cpio,
		"minus.ar":    bytes.Replace(ar, fmt.Appendf(nil, "%-10d`", len(marked)), []byte("-5        `"), 1),
	} {
		in := expand(t, name, content)
		for _, c := range in.Content {
			if string(c) != marked && !strings.HasPrefix(string(c), marked) {
				t.Errorf("%s: got %.60q", name, c)
			}
		}
		if len(in.Content) == 0 && in.Err == nil && len(in.Gaps) == 0 {
			t.Errorf("%s: nothing is found, and nothing told", name)
		}
	}
}

// TestZip64 reads an archive with more members than the old form counts.
func TestZip64(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := range 70_000 {
		if _, err := w.Create(fmt.Sprint("d", i, "/")); err != nil {
			t.Fatal(err)
		}
	}
	m, _ := w.Create("a")
	io.WriteString(m, marked)
	w.Close()
	in := expand(t, "z.zip", b.Bytes())
	if got := string(in.Content["z.zip!a"]); got != marked || in.Err != nil {
		t.Errorf("got %q, error %v", got, in.Err)
	}
}

// TestHostileNames: names of any bytes are kept as they are, and no two members
// of one name hide each other.
func TestHostileNames(t *testing.T) {
	names := []string{"dup", "dup", "nul\x00x", "\x1b[31mred\n", "\u202eexe.txt", "\xff\xfe", "a!b", "..", "a/../b", strings.Repeat("x", 5000)}
	var pairs []string
	for _, n := range names {
		pairs = append(pairs, n, marked)
	}
	r := &sourcetest.Recorder{}
	if err := expander().Expand(t.Context(), besra.Target{Name: "z", Facts: besra.NoFacts{}}, zipOf(t, zip.Deflate, pairs...), sourcetest.Ample(), r); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, target := range r.Targets() {
		got = append(got, strings.TrimPrefix(target.Name, "z!"))
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("names (+got): %s", diff)
	}
}
