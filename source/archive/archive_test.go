package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/sourcetest"
)

const (
	marked = "x = \"BinStore enabled implants.\"\n"
	other  = "nothing here\n"
)

func expander() *Expander { return New(Config{Passwords: []string{"wrong", "infected"}}) }

// read returns a file of testdata, without the gzip that keeps images small.
func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(name, ".iso.gz") {
		return b
	}
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err == nil {
		b, err = io.ReadAll(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// members names what a test file holds: inner/b.txt and other.txt, below a prefix.
func members(prefix string) map[string][]byte {
	return map[string][]byte{prefix + "inner/b.txt": []byte(marked), prefix + "other.txt": []byte(other)}
}

// withLines are members beside which lies one that is worth packing, and that
// repeats what lies more than 32 KiB before.
func withLines() map[string][]byte {
	var lines []byte
	for range 2 {
		for i := range 8000 {
			lines = fmt.Appendf(lines, "%d\n", i+1)
		}
	}
	m := members("")
	m["lines.txt"] = lines
	return m
}

// made holds the archives of testdata, made by the programs that people use for
// each format (testdata/README.md).
var made = []struct {
	file string
	kind string
	want map[string][]byte
	gaps []string
}{
	{"plain.7z", "7z", members(""), nil},
	{"encrypted.7z", "7z", members(""), nil},
	{"hidden.7z", "7z", members(""), nil},
	{"unknown-password.7z", "7z", nil, []string{"encrypted"}},
	{"traditional.zip", "zip", members(""), nil},
	{"aes.zip", "zip", members(""), nil},
	{"bzip2.zip", "zip", withLines(), nil},
	{"lzma.zip", "zip", withLines(), nil},
	{"deflate64.zip", "zip", withLines(), nil},
	{"xz.zip", "zip", withLines(), nil},
	{"deflate64.7z", "7z", withLines(), nil},
	{"stored.rar", "rar", members(""), nil},
	{"mszip.cab", "cab", members(""), nil},
	{"stored.cab", "cab", members(""), nil},
	{"newc.cpio", "cpio", members(""), nil},
	{"odc.cpio", "cpio", members(""), nil},
	{"bin.cpio", "cpio", members(""), nil},
	{"rockridge.iso.gz", "iso", members(""), nil},
	{"longname.iso.gz", "iso", map[string][]byte{strings.Repeat("long", 60) + ".txt": []byte(marked), "empty": {}}, nil},
	{"joliet.iso.gz", "iso", members(""), nil},
	{"plain.iso.gz", "iso", map[string][]byte{"INNER/B.TXT": []byte(marked), "OTHER.TXT": []byte(other)}, nil},
	{"b.txt.gz", "gzip", map[string][]byte{"b.txt": []byte(marked)}, nil},
	{"b.txt.bz2", "bzip2", map[string][]byte{"b.txt": []byte(marked)}, nil},
	{"b.txt.xz", "xz", map[string][]byte{"b.txt": []byte(marked)}, nil},
	{"b.txt.lzma", "lzma", map[string][]byte{"b.txt": []byte(marked)}, nil},
	{"b.txt.zst", "zstd", map[string][]byte{"b.txt": []byte(marked)}, nil},
	{"b.txt.lz4", "lz4", map[string][]byte{"b.txt": []byte(marked)}, nil},
	{"b.txt.br", "brotli", map[string][]byte{"b.txt": []byte(marked)}, nil},
	{"tree.tar.gz", "gzip", members(""), nil},
	{"tree.tar.bz2", "bzip2", members(""), nil},
	{"tree.tar.xz", "xz", members(""), nil},
	{"tree.tar.zst", "zstd", members(""), nil},
	{"tree.tar.lz4", "lz4", members(""), nil},
	{"lib.a", "ar", map[string][]byte{"b.txt": []byte(marked), "other.txt": []byte(other)}, nil},
	{"tool.rpm", "rpm", map[string][]byte{"usr/share/tool/b.txt": []byte(marked), "usr/share/tool/other.txt": []byte(other)}, nil},
}

func TestContract(t *testing.T) {
	for _, m := range made {
		t.Run(m.file, func(t *testing.T) {
			p := sourcetest.Packed{Name: "/srv/" + strings.TrimSuffix(m.file, "!"), Content: read(t, m.file), Want: map[string][]byte{}, Gaps: m.gaps}
			for name, content := range m.want {
				p.Want[p.Name+"!"+name] = content
			}
			if got := expander().Kind(besra.Target{Name: p.Name}, p.Content); got != m.kind {
				t.Errorf("kind: got %q, want %q", got, m.kind)
			}
			sourcetest.TestExpander(t, expander(), p)
		})
	}
}

func TestDeb(t *testing.T) {
	in := expand(t, "/srv/tool.deb", read(t, "tool.deb"))
	names := []string{"/srv/tool.deb!DEBIAN/control", "/srv/tool.deb!DEBIAN/md5sums", "/srv/tool.deb!usr/share/tool/b.txt", "/srv/tool.deb!usr/share/tool/other.txt"}
	if got := keys(in.Content); !slices.Equal(got, names) {
		t.Fatalf("names: got %q, want %q (gaps %q, error %v)", got, names, in.Gaps, in.Err)
	}
	// The md5sums of this package are wrong about one of its files.
	for name, want := range map[string]bool{names[2]: true, names[3]: false} {
		f := in.Facts[name]
		if v := f.Fact(t.Context(), "package.verified"); v.Value != want || v.Grade != besra.GradeWeak {
			t.Errorf("%s: package.verified: got %v (%v), want %v (weak)", name, v.Value, v.Grade, want)
		}
		if v, _ := f.Fact(t.Context(), "package.name").Text(); v != "tool" {
			t.Errorf("%s: package.name: got %q, want tool", name, v)
		}
	}
}

// TestRpmManifest reads the digests of the package's header.
func TestRpmManifest(t *testing.T) {
	in := expand(t, "/srv/tool.rpm", read(t, "tool.rpm"))
	v := in.Facts["/srv/tool.rpm!usr/share/tool/b.txt"].Fact(t.Context(), "package.verified")
	if v.Value != true || v.Source != "sha256 in the package's header of the package itself" {
		t.Errorf("package.verified: got %v by %q", v.Value, v.Source)
	}
}

func expand(t *testing.T, name string, content []byte) sourcetest.Inside {
	t.Helper()
	return sourcetest.Expand(t.Context(), expander(), sourcetest.Packed{Name: name, Content: content}, sourcetest.Ample())
}

func keys(m map[string][]byte) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestTarFacts(t *testing.T) {
	in := expand(t, "/srv/tree.tar.gz", read(t, "tree.tar.gz"))
	f := in.Facts["/srv/tree.tar.gz!inner/b.txt"]
	for _, want := range []besra.Fact{
		{Name: "file.path", Value: besra.Text("/inner/b.txt"), Grade: besra.GradeWeak},
		{Name: "file.name", Value: besra.Text("b.txt"), Grade: besra.GradeWeak},
		{Name: "file.ext", Value: besra.Text(".txt"), Grade: besra.GradeWeak},
		{Name: "file.owner.uid", Value: int64(1001), Grade: besra.GradeAsserted},
		{Name: "file.owner.name", Value: besra.Text("dana"), Grade: besra.GradeAsserted},
		{Name: "file.group.name", Value: besra.Text("staff"), Grade: besra.GradeAsserted},
		{Name: "file.mtime", Value: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), Grade: besra.GradeAsserted},
		{Name: "file.size", Value: int64(len(marked)), Grade: besra.GradeVerified},
		{Name: "file.magic", Value: "text", Grade: besra.GradeVerified},
		{Name: "archive.kind", Value: "gzip", Grade: besra.GradeVerified},
	} {
		got := f.Fact(t.Context(), want.Name)
		if got.Name != want.Name || got.Value != want.Value || got.Grade != want.Grade {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	chain, _ := f.Fact(t.Context(), "archive.chain").Value.([]string)
	if !slices.Equal(chain, []string{"/srv/tree.tar.gz"}) {
		t.Errorf("archive.chain: got %q", chain)
	}
	for _, name := range []string{"file.ctime", "process.name", "package.name", "no.such", "file.owner.sid"} {
		if got := f.Fact(t.Context(), name); got.Known() || got.Source == "" {
			t.Errorf("%s: got %+v, want an unavailable fact with its reason", name, got)
		}
	}
}

// zipOf makes an archive of names and contents.
func zipOf(t testing.TB, method uint16, pairs ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		m, err := w.CreateHeader(&zip.FileHeader{Name: pairs[i], Method: method})
		if err == nil {
			_, err = io.WriteString(m, pairs[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestZip(t *testing.T) {
	manifest := "Manifest-Version: 1.0\r\n\r\nName: a/\r\n B.class\r\nSHA-256-Digest: DcXfBA0ZLKH5ztSnkG6ooTKn9wOLAnxcKDQpMCI2sGo=\r\n\r\nName: C.class\r\nSHA-256-Digest: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"
	tests := []struct {
		name    string
		content []byte
		want    []string
	}{
		{"stored", zipOf(t, zip.Store, "a", marked), []string{"z!a"}},
		{"names as Windows and others write them", zipOf(t, zip.Deflate, `dir\a.txt`, marked, "/abs", marked, "./dot", marked, "../../up", marked), []string{"z!../../up", "z!abs", "z!dir/a.txt", "z!dot"}},
		{"directories are no members", zipOf(t, zip.Store, "d/", "", "d/a", marked), []string{"z!d/a"}},
		{"behind a program", append([]byte("MZ"+strings.Repeat("\x00", 500)), zipOf(t, zip.Deflate, "a", marked)...), []string{"z!a"}},
		{"a Java archive", zipOf(t, zip.Deflate, "META-INF/MANIFEST.MF", manifest, "a/B.class", marked, "C.class", marked), []string{"z!C.class", "z!META-INF/MANIFEST.MF", "z!a/B.class"}},
		{"empty", zipOf(t, zip.Store), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := expand(t, "z", tt.content)
			if got := keys(in.Content); !slices.Equal(got, tt.want) || in.Err != nil {
				t.Errorf("got %q and error %v, want %q", got, in.Err, tt.want)
			}
			for name, content := range in.Content {
				if string(content) != marked && !strings.Contains(name, "MANIFEST") {
					t.Errorf("%s: got %q", name, content)
				}
			}
			if f, ok := in.Facts["z!C.class"]; ok {
				if v := f.Fact(t.Context(), "package.verified"); v.Value != false {
					t.Errorf("C.class: package.verified: got %v, want false", v.Value)
				}
			}
		})
	}
}

// TestNames: whatever a member is called, its name is below its archive's.
func TestNames(t *testing.T) {
	for in, want := range map[string]string{"a/b": "a/b", "/a": "a", "./././a": "a", `\\host\share\a`: "host/share/a", "": "content", "..": "..", "a/": "a"} {
		if got := innerName(in); got != want {
			t.Errorf("innerName(%q): got %q, want %q", in, got, want)
		}
	}
}

// TestBomb: a small archive that unpacks to more than the budget stops there,
// and says so; what came before it is found.
func TestBomb(t *testing.T) {
	bomb := zipOf(t, zip.Deflate, "first", marked, "bomb", strings.Repeat("\x00", 32<<20), "last", marked)
	b := &besra.Budget{Members: 10, Bytes: 1 << 20, Member: 1 << 20}
	in := sourcetest.Expand(t.Context(), expander(), sourcetest.Packed{Name: "z", Content: bomb}, b)
	if got, want := keys(in.Content), []string{"z!first", "z!last"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := []string{"limit"}; !slices.Equal(in.Gaps, want) {
		t.Errorf("gaps: got %q, want %q", in.Gaps, want)
	}
}

// TestWindows: a member that is larger than what may be in memory is searched in
// windows that overlap, up to half of what may be unpacked; that is told once,
// and what lies behind it is found.
func TestWindows(t *testing.T) {
	const window = 256 << 10
	large := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	at := func(i int) string { return fmt.Sprintf("z!large@%d", i*(window-overlap)) }
	for _, tt := range []struct {
		bytes int64
		want  []string
		gaps  []string
	}{
		{1 << 30, []string{"z!large", at(1), at(2), at(3), at(4), "z!last"}, []string{"limit"}},
		{1 << 20, []string{"z!large", at(1), at(2), "z!last"}, []string{"limit"}},
	} {
		for name, content := range map[string][]byte{
			"deflated": zipOf(t, zip.Deflate, "large", large, "last", marked),
			"tar.gz": packed(t, append(tarOf(t, "large", []byte(large))[:512+1<<20], tarOf(t, "last", []byte(marked))...),
				func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }),
		} {
			if name == "tar.gz" && tt.bytes < 1<<30 {
				continue // to pass over what is left costs as much
			}
			in := sourcetest.Expand(t.Context(), expander(), sourcetest.Packed{Name: "z", Content: content},
				&besra.Budget{Members: 10, Bytes: tt.bytes, Member: window})
			if got := keys(in.Content); !slices.Equal(got, slices.Sorted(slices.Values(tt.want))) || !slices.Equal(in.Gaps, tt.gaps) || in.Err != nil {
				t.Errorf("%s: got %q, gaps %q and error %v, want %q and %q", name, got, in.Gaps, in.Err, tt.want, tt.gaps)
			}
			for i, target := range tt.want[:len(tt.want)-1] {
				from := i * (window - overlap)
				if want := large[from:min(from+window, len(large))]; string(in.Content[target]) != want {
					t.Errorf("%s %s: got %d other bytes than the %d from %d on", name, target, len(in.Content[target]), len(want), from)
				}
				if f := in.Facts[target].Fact(t.Context(), "file.sha256"); f.Known() {
					t.Errorf("%s %s: got a digest, want none of a window", name, target)
				}
			}
		}
	}
}

// TestLyingSize: a member that says it is small is not believed.
func TestLyingSize(t *testing.T) {
	content := zipOf(t, zip.Deflate, "a", strings.Repeat("\x00", 8<<20))
	at := bytes.LastIndex(content, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(content[at+24:], 5)
	b := &besra.Budget{Members: 10, Bytes: 1 << 20, Member: 1 << 20}
	in := sourcetest.Expand(t.Context(), expander(), sourcetest.Packed{Name: "z", Content: content}, b)
	if in.Bytes > 1<<20 || len(in.Gaps) != 1 {
		t.Errorf("got %d bytes and gaps %q, want one gap", in.Bytes, in.Gaps)
	}
}

// TestDamagedMember: what can be read of a damaged member is scanned, and the
// damage is told.
func TestDamagedMember(t *testing.T) {
	content := zipOf(t, zip.Store, "a", marked)
	wrong := bytes.Clone(content)
	binary.LittleEndian.PutUint32(wrong[bytes.LastIndex(wrong, []byte("PK\x01\x02"))+16:], 7) // the checksum
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, strings.Repeat(marked, 1000))
	z.Close()
	for name, b := range map[string][]byte{"checksum.zip": wrong, "cut.gz": packed.Bytes()[:packed.Len()-9]} {
		in := expand(t, name, b)
		if len(in.Content) != 1 || !slices.Equal(in.Gaps, []string{"damaged"}) {
			t.Errorf("%s: got %d members and gaps %q, want one of each", name, len(in.Content), in.Gaps)
		}
		for _, got := range in.Content {
			if !bytes.HasPrefix(got, []byte(marked)) {
				t.Errorf("%s: got %.60q", name, got)
			}
		}
	}
}

// TestStreamBudget: a stream that is passed over costs what it unpacks to.
func TestStreamBudget(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, name := range []string{"a", "b", "c"} {
		w.WriteHeader(&tar.Header{Name: name, Size: 4 << 20, Mode: 0o644})
		w.Write(make([]byte, 4<<20))
	}
	w.Close()
	z.Close()
	budget := &besra.Budget{Members: 10, Bytes: 6 << 20, Member: 6 << 20}
	r := &sourcetest.Recorder{} // opens nothing
	err := expander().Expand(t.Context(), besra.Target{Name: "t", Facts: besra.NoFacts{}}, b.Bytes(), budget, r)
	if n := len(r.Targets()); n != 2 || err == nil || !strings.Contains(err.Error(), "the limit of bytes") {
		t.Errorf("got %d targets and error %v, want 2 and the limit of bytes", n, err)
	}
}

// TestRarStored reads an archive of version 5 made by hand, after the format's
// published description (RAR 5.0 archive format).
func TestRarStored(t *testing.T) {
	sourcetest.TestExpander(t, expander(), sourcetest.Packed{Name: "r.rar", Content: storedRar("inner/b.txt", marked, "other.txt", other),
		Want: map[string][]byte{"r.rar!inner/b.txt": []byte(marked), "r.rar!other.txt": []byte(other)}})
}

func storedRar(pairs ...string) []byte {
	out := []byte("Rar!\x1a\x07\x01\x00")
	block := func(header, data []byte) {
		sized := append(binary.AppendUvarint(nil, uint64(len(header))), header...)
		out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(sized))
		out = append(append(out, sized...), data...)
	}
	block([]byte{1, 0, 0}, nil) // the archive
	for i := 0; i < len(pairs); i += 2 {
		name, data := pairs[i], []byte(pairs[i+1])
		h := []byte{2, 2} // a file, with data
		h = binary.AppendUvarint(h, uint64(len(data)))
		h = append(h, 4) // its checksum is given
		h = binary.AppendUvarint(h, uint64(len(data)))
		h = binary.AppendUvarint(h, 0o100644)
		h = binary.LittleEndian.AppendUint32(h, crc32.ChecksumIEEE(data))
		h = append(h, 0, 1) // stored, made on Unix
		h = binary.AppendUvarint(h, uint64(len(name)))
		block(append(h, name...), data)
	}
	block([]byte{5, 0, 0}, nil) // the end
	return out
}

func TestPDF(t *testing.T) {
	var flate bytes.Buffer
	z := zlib.NewWriter(&flate)
	io.WriteString(z, marked)
	z.Close()
	hexed := fmt.Sprintf("%X>", marked)
	doc := "%PDF-1.7\n1 0 obj\n<< /Length 5 >>\nstream\nplain\nendstream\nendobj\n" +
		"12 0 obj\n<</Filter/FlateDecode /Length 99>>\nstream\r\n" + flate.String() + "\nendstream\nendobj\n" +
		"13 0 obj\n<</Filter [ /ASCIIHexDecode ]>>\nstream\n" + hexed + "\nendstream\nendobj\n" +
		"14 0 obj\n<</Filter /Crypt>>\nstream\nxx\nendstream\nendobj\n" +
		"15\t0\r\nobj<</Title (no\nstream\nof 1 0 object" + strings.Repeat(" ", 70<<10) + ") /Filters 1 /Filter/AHx>>\nstream\n" + hexed + "\nendstream\nendobj\n%%EOF\n"
	sourcetest.TestExpander(t, expander(), sourcetest.Packed{Name: "d.pdf", Content: []byte(doc),
		Want: map[string][]byte{"d.pdf!obj-12-0": []byte(marked), "d.pdf!obj-13-0": []byte(marked), "d.pdf!obj-15-0": []byte(marked)}, Gaps: []string{"unsupported"}})
}

// TestNotArchives: what only looks like one is left alone or is an error, and
// never hides that it was not read.
func TestNotArchives(t *testing.T) {
	for name, content := range map[string]string{"empty": "", "text": "hello", "MZ": "MZ\x90\x00", "PK in text": "about PK\x03\x04"} {
		if got := expander().Kind(besra.Target{Name: name}, []byte(content)); got != "" {
			t.Errorf("%s: got kind %q, want none", name, got)
		}
	}
	for name, content := range map[string]string{"zip": "PK\x03\x04 and no more", "gzip": "\x1f\x8b\x08 and no more", "rpm": "\xed\xab\xee\xdb", "cab": "MSCF\x00\x00\x00\x00"} {
		in := expand(t, name, []byte(content))
		if in.Err == nil || in.Gaps[0] != ReasonDamaged {
			t.Errorf("%s: got error %v, want damage", name, in.Err)
		}
	}
}

var seeds = flag.Bool("seeds", true, "seed the fuzzer with the archives of testdata")

func FuzzExpand(f *testing.F) {
	if *seeds {
		for _, m := range made {
			f.Add(m.file, read(f, m.file))
		}
	}
	f.Add("r.rar", storedRar("a", marked))
	f.Add("z.zip", zipOf(f, zip.Deflate, "a", marked))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		if len(content) > 1<<20 {
			return
		}
		b := &besra.Budget{Members: 50, Bytes: 1 << 20, Member: 1 << 20}
		in := sourcetest.Expand(context.Background(), expander(), sourcetest.Packed{Name: name, Content: content}, b)
		for member := range in.Content {
			if !strings.HasPrefix(member, name+"!") {
				t.Errorf("member %q is not below %q", member, name)
			}
		}
	})
}

// placed are the facts of an outermost archive.
type placed struct{}

func (placed) Fact(_ context.Context, name string) besra.Fact {
	switch name {
	case "file.path":
		return besra.Fact{Name: name, Value: besra.Text("/srv/o.zip"), Grade: besra.GradeWeak}
	case "file.sha256":
		return besra.Fact{Name: name, Value: "abc", Grade: besra.GradeVerified}
	case "host.name":
		return besra.Fact{Name: name, Value: "h", Grade: besra.GradeVerified}
	}
	return besra.Unavailable(name, "test")
}

// TestOutermost: a member knows the archive that all others lie in.
func TestOutermost(t *testing.T) {
	outer := besra.Target{Name: "/srv/o.zip", Context: besra.ContextFile, Facts: placed{}}
	content := zipOf(t, zip.Deflate, "in/i.zip", string(zipOf(t, zip.Deflate, "a", marked)))
	asked := false
	innermost := &sourcetest.Recorder{On: func(m besra.Target) error {
		for name, want := range map[string]string{"archive.path": "/srv/o.zip", "archive.sha256": "abc", "host.name": "h", "archive.chain": "[/srv/o.zip in/i.zip]"} {
			if got := fmt.Sprint(m.Facts.Fact(t.Context(), name).Value); got != want {
				t.Errorf("%s: got %s, want %s", name, got, want)
			}
		}
		asked = true
		return nil
	}}
	between := &sourcetest.Recorder{On: func(m besra.Target) error {
		c, err := m.Open(t.Context())
		if err != nil {
			return err
		}
		defer c.Close()
		return expander().Expand(t.Context(), m, c.Bytes(), sourcetest.Ample(), innermost)
	}}
	if err := expander().Expand(t.Context(), outer, content, sourcetest.Ample(), between); err != nil || !asked {
		t.Errorf("got error %v, asked %v", err, asked)
	}
}
