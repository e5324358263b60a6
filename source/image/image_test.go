package image

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	reference "github.com/google/go-containerregistry/pkg/name"
	registries "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	writer "github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/sourcetest"
)

var changed = time.Date(2026, 11, 20, 2, 10, 0, 0, time.UTC)

// member is an entry of a layer: "/dir/" is a directory, "a -> b" a symbolic
// link, "a => b" a hard link.
type member struct {
	name, content string
	mode          int64
	uid           int
}

func pack(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Typeflag: tar.TypeReg, Mode: m.mode, Uid: m.uid, Size: int64(len(m.content)), ModTime: changed}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if strings.HasSuffix(m.name, "/") {
			h.Typeflag, h.Mode = tar.TypeDir, max(m.mode, 0o755)
		}
		for arrow, kind := range map[string]byte{" -> ": tar.TypeSymlink, " => ": tar.TypeLink} {
			if name, to, ok := strings.Cut(m.name, arrow); ok {
				h.Name, h.Linkname, h.Typeflag = name, to, kind
			}
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, m.content)
	}
	w.Close()
	return b.Bytes()
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func zstandard(b []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll(b, nil)
}

// layerOf makes a layer of a tar; compressed as its media type says.
func layerOf(t testing.TB, plain []byte) v1.Layer {
	t.Helper()
	l, err := writer.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(plain)), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func imageOf(t testing.TB, layers ...v1.Layer) v1.Image {
	t.Helper()
	base, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: "amd64",
		History: []v1.History{{CreatedBy: "ENV A=b", EmptyLayer: true}}, RootFS: v1.RootFS{Type: "layers"}})
	if err != nil {
		t.Fatal(err)
	}
	var adds []mutate.Addendum
	for i, l := range layers {
		adds = append(adds, mutate.Addendum{Layer: l, History: v1.History{CreatedBy: fmt.Sprintf("RUN step %d", i+1)}})
	}
	im, err := mutate.Append(base, adds...)
	if err != nil {
		t.Fatal(err)
	}
	return im
}

// theImage has three layers: a base with records and many files, one that adds
// and deletes, one that replaces a whole directory.
func theImage(t testing.TB) v1.Image {
	base := []member{
		{name: "etc/passwd", content: "root:x:0:0::/root:/bin/sh\nlogproc:x:998:998::/:/bin/false\n"},
		{name: "etc/os-release", content: "ID=debian\n"},
		{name: "usr/bin/"}, {name: "bin -> usr/bin"},
		{name: "var/lib/dpkg/status", content: "Package: tool\nVersion: 1.2-3\n\n"},
		{name: "var/lib/dpkg/info/tool.list", content: "/usr/bin/tool\n"},
		{name: "var/lib/dpkg/info/tool.md5sums", content: "0beec7b5ea3f0fdbc95d0dd47f3c5bc2  usr/bin/other\nacbd18db4cc2f85cedef654fccc4a4d8  usr/bin/tool\n"},
		{name: "usr/bin/tool", content: "foo", mode: 0o4755},
		{name: "opt/old/a", content: "old a"}, {name: "opt/old/b", content: "old b"},
		{name: "tmp/secret", content: "secret"},
	}
	for i := range sourcetest.MinTargets {
		base = append(base, member{name: fmt.Sprintf("srv/%d", i), content: strings.Repeat("x", i)})
	}
	second := []member{
		{name: "tmp/.wh.secret"}, {name: "opt/log/"}, {name: "opt/log/job.py", content: "job", uid: 998},
		{name: "usr/bin/late", content: "late"}, {name: "usr/bin/hard => usr/bin/late"},
	}
	third := []member{{name: "opt/old/.wh..wh..opq"}, {name: "opt/old/b", content: "new b"}}
	return imageOf(t, layerOf(t, pack(t, base...)), layerOf(t, pack(t, second...)), layerOf(t, pack(t, third...)))
}

// want is what theImage holds, by names without that of the image.
func want(t testing.TB) map[string][]byte {
	want := map[string][]byte{
		"/usr/bin/tool": []byte("foo"), "layer-1:/opt/old/a": []byte("old a"), "layer-1:/opt/old/b": []byte("old b"),
		"layer-1:/tmp/secret": []byte("secret"), "/opt/log/job.py": []byte("job"), "/usr/bin/late": []byte("late"), "/opt/old/b": []byte("new b"),
		"/etc/passwd":     []byte("root:x:0:0::/root:/bin/sh\nlogproc:x:998:998::/:/bin/false\n"),
		"/etc/os-release": []byte("ID=debian\n"), "/var/lib/dpkg/status": []byte("Package: tool\nVersion: 1.2-3\n\n"),
		"/var/lib/dpkg/info/tool.list":    []byte("/usr/bin/tool\n"),
		"/var/lib/dpkg/info/tool.md5sums": []byte("0beec7b5ea3f0fdbc95d0dd47f3c5bc2  usr/bin/other\nacbd18db4cc2f85cedef654fccc4a4d8  usr/bin/tool\n"),
	}
	for i := range sourcetest.MinTargets {
		want[fmt.Sprintf("/srv/%d", i)] = bytes.Repeat([]byte("x"), i)
	}
	config, err := theImage(t).RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want["image-config"] = config
	return want
}

// places keeps theImage in every way in which an image is kept.
var places = map[string]func(t testing.TB, im v1.Image) string{
	"registry":    func(t testing.TB, im v1.Image) string { return pushed(t, im) },
	"docker save": func(t testing.TB, im v1.Image) string { return saved(t, im) },
	"docker save, compressed": func(t testing.TB, im v1.Image) string {
		plain, err := os.ReadFile(saved(t, im))
		if err != nil {
			t.Fatal(err)
		}
		return written(t, "image.tar.gz", gzipped(plain))
	},
	"layout":          func(t testing.TB, im v1.Image) string { return laidOut(t, im) },
	"layout, tarball": func(t testing.TB, im v1.Image) string { return written(t, "layout.tar", packFolder(t, laidOut(t, im))) },
}

func pushed(t testing.TB, im v1.Image) string {
	t.Helper()
	server := httptest.NewServer(registries.New(registries.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	name := strings.TrimPrefix(server.URL, "http://") + "/team/app:1.2"
	ref, err := reference.ParseReference(name)
	if err == nil {
		err = remote.Write(ref, im)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func written(t testing.TB, name string, content []byte) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

func saved(t testing.TB, im v1.Image) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "image.tar")
	tag, _ := reference.NewTag("example.org/app:1.2")
	if err := writer.WriteToFile(p, tag, im); err != nil {
		t.Fatal(err)
	}
	return p
}

func laidOut(t testing.TB, ims ...v1.Image) string {
	t.Helper()
	p, err := layout.Write(t.TempDir(), empty.Index)
	for _, im := range ims {
		if err == nil {
			err = p.AppendImage(im)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

// packFolder makes a tar of a folder, as it is.
func packFolder(t testing.TB, dir string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return b.Bytes()
}

func newSource(t testing.TB, c Config) *Source {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func run(t testing.TB, c Config) *sourcetest.Recorder {
	t.Helper()
	return sourcetest.Collect(t, newSource(t, c))
}

func TestContract(t *testing.T) {
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			at := place(t, theImage(t))
			all := map[string][]byte{}
			for name, content := range want(t) {
				all[at+"!"+name] = content
			}
			sourcetest.Test(t, func(t *testing.T) sourcetest.Place {
				return sourcetest.Place{Source: newSource(t, Config{Name: at, Platform: "linux/amd64"}), Want: all}
			})
		})
	}
}

// found returns the target whose name ends so.
func found(t testing.TB, r *sourcetest.Recorder, end string) besra.Target {
	t.Helper()
	for _, target := range r.Targets() {
		if strings.HasSuffix(target.Name, end) {
			return target
		}
	}
	t.Fatalf("got no target %q of %q", end, r.Names())
	return besra.Target{}
}

// factsOf spells facts as "value (grade, source)", with the content lent.
func factsOf(t testing.TB, target besra.Target, names ...string) map[string]string {
	t.Helper()
	c, err := target.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f, ok := target.Facts.(besra.ContentFacts); ok {
		f.SetContent(c.Bytes())
	}
	out := map[string]string{}
	for _, name := range names {
		f := target.Facts.Fact(t.Context(), name)
		out[name] = fmt.Sprintf("%v (%v)", f.Value, f.Grade)
		if !f.Known() {
			out[name] = "unavailable: " + f.Source
		}
	}
	return out
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestFacts(t *testing.T) {
	im := theImage(t)
	layers, _ := im.Layers()
	diff := func(i int) string {
		h, _ := layers[i].DiffID()
		return h.String()
	}
	manifest, _ := im.Digest()
	config, _ := im.ConfigName()
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			at := place(t, im)
			r := run(t, Config{Name: at, Platform: "linux/amd64"})
			ref, digest := "example.org/app:1.2 (asserted)", manifest.String()+" (verified)"
			switch {
			case name == "registry":
				ref = at + " (asserted)"
			case strings.HasPrefix(name, "layout"):
				ref = "unavailable: nothing states it of this image"
			default:
				digest = "unavailable: nothing states it of this image"
			}
			same(t, "of a packaged file", factsOf(t, found(t, r, "!/usr/bin/tool"), "image.ref", "image.digest", "image.id", "image.layer",
				"image.created_by", "image.hidden", "file.path", "file.mode", "file.owner.name", "file.mtime", "file.symlink", "file.foreign_writable",
				"file.links", "file.ctime", "package.name", "package.version", "package.verified", "host.os", "host.name"), map[string]string{
				"image.ref": ref, "image.digest": digest, "image.id": config.String() + " (verified)", "image.layer": diff(0) + " (verified)",
				"image.created_by": "RUN step 1 (asserted)", "image.hidden": "false (verified)", "file.path": "/usr/bin/tool (weak)",
				"file.mode": "2541 (asserted)", "file.owner.name": "root (asserted)", "file.mtime": "2026-11-20 02:10:00 +0000 UTC (weak)",
				"file.symlink": "false (asserted)", "file.foreign_writable": "false (asserted)",
				"file.links": "unavailable: header in the layer says nothing of it", "file.ctime": "unavailable: header in the layer says nothing of it",
				"package.name": "tool (asserted)", "package.version": "1.2-3 (asserted)", "package.verified": "true (asserted)",
				"host.os": "linux (asserted)", "host.name": "unavailable: /etc/hostname: file does not exist",
			})
			same(t, "of a job", factsOf(t, found(t, r, "!/opt/log/job.py"), "file.owner.uid", "file.owner.name", "image.layer", "package.name", "package.verified"), map[string]string{
				"file.owner.uid": "998 (asserted)", "file.owner.name": "logproc (asserted)", "image.layer": diff(1) + " (verified)",
				"package.name": " (asserted)", "package.verified": "false (asserted)"})
			same(t, "of what is hidden", factsOf(t, found(t, r, "!layer-1:/tmp/secret"), "image.hidden", "image.created_by", "file.path"), map[string]string{
				"image.hidden": "true (verified)", "image.created_by": "RUN step 1 (asserted)", "file.path": "/tmp/secret (weak)"})
			same(t, "of the configuration", factsOf(t, found(t, r, "!image-config"), "image.id", "file.path", "file.magic", "host.os"), map[string]string{
				"image.id": config.String() + " (verified)", "file.path": "unavailable: nothing states it here", "file.magic": "text (verified)", "host.os": "linux (asserted)"})
		})
	}
}

// TestHidden tells what became of a file in the words of the build.
func TestHidden(t *testing.T) {
	r := run(t, Config{Name: laidOut(t, theImage(t)), Platform: "linux/amd64"})
	for end, want := range map[string]string{
		"layer-1:/tmp/secret": "removed by layer 2 of 3: RUN step 2", "layer-1:/opt/old/a": "removed by layer 3 of 3: RUN step 3",
		"layer-1:/opt/old/b": "replaced by layer 3 of 3: RUN step 3", "!/opt/old/b": "no layer above has the path",
	} {
		if got := found(t, r, end).Facts.Fact(t.Context(), "image.hidden").Source; got != want {
			t.Errorf("%s: got %q, want %q", end, got, want)
		}
	}
}

// gaps spells gaps as "kind reason target", without the image's name.
func gaps(r *sourcetest.Recorder, name string) []string {
	var out []string
	for _, g := range r.Gaps() {
		out = append(out, fmt.Sprintf("%s %s %s", g.Kind, g.Reason, strings.TrimPrefix(string(g.Target), name)))
	}
	slices.Sort(out)
	return out
}

func namesOf(r *sourcetest.Recorder, name string) []string {
	var out []string
	for _, n := range r.Names() {
		if !strings.HasSuffix(n, "!image-config") {
			out = append(out, strings.TrimPrefix(n, name))
		}
	}
	return out
}

// TestHostile reads layers that break their format, or try to lead elsewhere.
func TestHostile(t *testing.T) {
	good := pack(t, member{name: "good", content: "good"})
	big := pack(t, member{name: "first", content: "1"}, member{name: "cut", content: strings.Repeat("not quite random", 4000)})
	behind := append(pack(t, member{name: "shown", content: "1"}), "hidden behind the end"...)
	for name, c := range map[string]struct {
		upper       v1.Layer
		config      Config
		names, gaps []string
	}{
		"cut": {upper: static.NewLayer(big[:9000], types.DockerUncompressedLayer),
			names: []string{"!/cut", "!/first", "!/good"}, gaps: []string{"error damaged !/cut", "error damaged !layer-2"}},
		"cut gzip": {upper: static.NewLayer(gzipped(good)[:40], types.DockerLayer), names: []string{"!/good"}, gaps: []string{"error damaged !layer-2"}},
		"no tar":   {upper: static.NewLayer([]byte("nonsense"), types.DockerLayer), names: []string{"!/good"}, gaps: []string{"error damaged !layer-2"}},
		"zstd":     {upper: static.NewLayer(zstandard(pack(t, member{name: "z", content: "z"})), types.OCILayerZStd), names: []string{"!/good", "!/z"}, gaps: []string{"error digest_mismatch !layer-2"}},
		"paths": {upper: layerOf(t, pack(t, member{name: "../../etc/x", content: "1"}, member{name: "/abs", content: "2"}, member{name: "./a/../b", content: "3"})),
			names: []string{"!/abs", "!/b", "!/etc/x", "!/good"}},
		"twice":                   {upper: layerOf(t, pack(t, member{name: "x", content: "1"}, member{name: "x", content: "2"})), names: []string{"!/good", "!/x", "!/x#2"}},
		"a whiteout with content": {upper: layerOf(t, pack(t, member{name: ".wh.good", content: "1"})), names: []string{"!/.wh.good", "!layer-1:/good"}},
		"a large member": {upper: layerOf(t, pack(t, member{name: "large", content: "12345678901"}, member{name: "after", content: "1"})), config: Config{Member: 10},
			names: []string{"!/after", "!/good"}, gaps: []string{"skip limit !/large"}},
		"many members": {upper: layerOf(t, pack(t, member{name: "a"}, member{name: "b"}, member{name: "c"})), config: Config{Members: 2},
			names: []string{"!/a", "!/b"}, gaps: []string{"skip limit !layer-1", "skip limit !layer-2"}},
		"many bytes": {upper: layerOf(t, big), config: Config{Bytes: 4096}, names: []string{"!/cut", "!/first", "!/good"},
			gaps: []string{"skip limit !/cut", "skip limit !layer-2"}},
		"behind the end": {upper: layerOf(t, behind), names: []string{"!/good", "!/shown"}, gaps: []string{"error damaged !layer-2"}},
		"an artifact":    {upper: static.NewLayer([]byte("a chart"), "application/vnd.example.chart"), names: []string{"!/good", "!layer-2"}},
		"excluded": {upper: layerOf(t, pack(t, member{name: "a"}, member{name: "b"})), config: Config{Keep: func(p string) bool { return p != "/b" }},
			names: []string{"!/a", "!/good"}, gaps: []string{"skip excluded !layer-2"}},
		"links": {upper: layerOf(t, pack(t, member{name: "l -> /etc/passwd"}, member{name: "h => good"})), names: []string{"!/good"}},
	} {
		t.Run(name, func(t *testing.T) {
			at := laidOut(t, imageOf(t, layerOf(t, good), c.upper))
			c.config.Name, c.config.Platform = at, "linux/amd64"
			r := run(t, c.config)
			same(t, "names", namesOf(r, at), c.names)
			same(t, "gaps", gaps(r, at), c.gaps)
		})
	}
}

// TestNothingKnown reads an image of which a layer is lost: what it might have
// said decides nothing.
func TestNothingKnown(t *testing.T) {
	upper := static.NewLayer([]byte("nonsense"), types.DockerLayer)
	at := laidOut(t, imageOf(t, layerOf(t, pack(t, member{name: "etc/passwd", content: "root:x:0:0::/:/bin/sh\n"}, member{name: "x", content: "x"})), upper))
	got := factsOf(t, found(t, run(t, Config{Name: at, Platform: "linux/amd64"}), "!/x"), "file.owner.uid", "file.owner.name", "file.foreign_writable", "package.verified")
	for name, value := range got {
		if known := !strings.HasPrefix(value, "unavailable: "); known != (name == "file.owner.uid") {
			t.Errorf("%s: got %q", name, value)
		}
	}
}

// TestDigest changes a layer in a layout: it is hunted, and told.
func TestDigest(t *testing.T) {
	at := laidOut(t, imageOf(t, layerOf(t, pack(t, member{name: "x", content: "before"}))))
	l, _ := layerOf(t, pack(t, member{name: "x", content: "before"})).Digest()
	changed := pack(t, member{name: "x", content: "behind"})
	if err := os.WriteFile(filepath.Join(at, "blobs", "sha256", l.Hex), changed, 0o644); err != nil {
		t.Fatal(err)
	}
	r := run(t, Config{Name: at, Platform: "linux/amd64"})
	same(t, "gaps", gaps(r, at), []string{"error digest_mismatch !layer-1"})
	sum, _ := layerOf(t, changed).DiffID()
	same(t, "facts", factsOf(t, found(t, r, "!/x"), "image.layer"), map[string]string{"image.layer": sum.String() + " (verified)"})
}

// TestPlatforms picks from an index, and counts what it does not pick.
func TestPlatforms(t *testing.T) {
	index := empty.Index
	var ii v1.ImageIndex = index
	for _, p := range []string{"linux/amd64", "linux/arm64", "unknown/unknown"} {
		platform, _ := v1.ParsePlatform(p)
		base, _ := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: platform.OS, Architecture: platform.Architecture, RootFS: v1.RootFS{Type: "layers"}})
		im, err := mutate.AppendLayers(base, layerOf(t, pack(t, member{name: "x", content: p})))
		if err != nil {
			t.Fatal(err)
		}
		ii = mutate.AppendManifests(ii, mutate.IndexAddendum{Add: im, Descriptor: v1.Descriptor{Platform: platform}})
	}
	dir := t.TempDir()
	if _, err := layout.Write(dir, ii); err != nil {
		t.Fatal(err)
	}
	for platform, c := range map[string]struct{ names, gaps []string }{
		"linux/arm64": {[]string{"!/x"}, []string{"skip attestation ", "skip other_platform ", "skip unreferenced "}},
		"all":         {[]string{"!linux/amd64!/x", "!linux/arm64!/x"}, []string{"skip attestation ", "skip unreferenced "}},
	} {
		r := run(t, Config{Name: dir, Platform: platform})
		same(t, platform+": names", namesOf(r, dir), c.names)
		same(t, platform+": gaps", gaps(r, dir), c.gaps)
	}
	err := newSource(t, Config{Name: dir, Platform: "plan9/mips"}).Run(t.Context(), &sourcetest.Recorder{})
	if err == nil || !strings.Contains(err.Error(), "no image") {
		t.Errorf("a platform that is not there: got error %v", err)
	}
}

// TestHold hands over more than may wait, to a receiver that drops it.
func TestHold(t *testing.T) {
	var members []member
	for i := range 40 {
		members = append(members, member{name: fmt.Sprint(i), content: strings.Repeat("x", 1000)})
	}
	at := laidOut(t, imageOf(t, layerOf(t, pack(t, members...))))
	n := 0
	s := newSource(t, Config{Name: at, Platform: "linux/amd64", Held: 30_000})
	if err := s.Run(t.Context(), dropping{&n}); err != nil || n != 41 {
		t.Errorf("got %d targets, error %v; want 41, none", n, err)
	}
}

type dropping struct{ n *int }

func (d dropping) Target(besra.Target) error { *d.n++; return nil }
func (dropping) Gap(besra.Gap)               {}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]Config{"nothing": {}, "no reference": {Name: "NO REFERENCE"}, "no platform": {Name: "alpine", Platform: "a/b/c/d/e"}} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	for name, at := range map[string]string{"missing": "./missing.tar", "empty": written(t, "x.tar", nil), "nonsense": written(t, "y.tar", []byte("nonsense")),
		"no image": written(t, "z.tar", pack(t, member{name: "x"}))} {
		if err := newSource(t, Config{Name: at}).Run(t.Context(), &sourcetest.Recorder{}); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// FuzzRoot walks what nobody checked: tars with whiteouts, links and names.
func FuzzRoot(f *testing.F) {
	f.Add(pack(f, member{name: "a/b", content: "1"}, member{name: "l -> ../.."}, member{name: "h => a/b"}), pack(f, member{name: "a/.wh.b"}), "l/a/b")
	f.Fuzz(func(t *testing.T, lower, upper []byte, name string) {
		im := &image{name: "x"}
		for i, b := range [][]byte{lower, upper} {
			im.layers = append(im.layers, &layer{number: i + 1, open: func(context.Context, store) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }})
		}
		r := &root{ctx: t.Context(), place: t.TempDir(), image: im, members: 1000, bytes: 1 << 20}
		r.Lstat(name)
		r.ReadDir(name)
		if file, err := r.Open(name); err == nil {
			file.Close()
		}
	})
}

// FuzzTarball hunts in what is no tarball of an image, or a damaged one.
func FuzzTarball(f *testing.F) {
	whole, err := os.ReadFile(saved(f, imageOf(f, layerOf(f, pack(f, member{name: "x", content: "1"})))))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(gzipped(whole))
	f.Fuzz(func(t *testing.T, content []byte) {
		s := newSource(t, Config{Name: written(t, "x.tar", content), Platform: "all", Members: 100, Bytes: 1 << 20, Member: 1 << 16})
		s.Run(t.Context(), &sourcetest.Recorder{})
	})
}
