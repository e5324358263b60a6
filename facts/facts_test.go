package facts

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
)

// root makes a foreign root of files by their path on the host.
func root(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func foreign(t testing.TB, files map[string]string) *Host {
	t.Helper()
	h, err := NewHost(Config{Root: root(t, files)})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func live(t testing.TB) *Host {
	t.Helper()
	h, err := NewHost(Config{})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// at returns the facts of what lies at a path on the host.
func at(t testing.TB, h *Host, path string) *File {
	t.Helper()
	info, err := h.tree.lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return h.File(path, info)
}

// say spells a fact for comparison: its value and grade, or its reason.
func say(f besra.Fact) string {
	if !f.Known() {
		return "unavailable: " + f.Source
	}
	return fmt.Sprintf("%v (%v)", f.Value, f.Grade)
}

func wantFacts(t *testing.T, f besra.Facts, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for name := range want {
		got[name] = say(f.Fact(t.Context(), name))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

// TestVocabulary asks for every fact there is: each answers by its name, with
// the type of the vocabulary, or says why it cannot.
func TestVocabulary(t *testing.T) {
	h := foreign(t, map[string]string{"/etc/passwd": "root:x:0:0::/:/bin/sh\n", "/opt/a.py": "x"})
	liveFile := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(liveFile, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*File{at(t, h, "/opt/a.py"), at(t, live(t), filepath.ToSlash(liveFile))} {
		for _, def := range besra.Vocabulary() {
			got := f.Fact(t.Context(), def.Name)
			group, _, _ := strings.Cut(def.Name, ".")
			ofFinding := group == "rule" || group == "match"
			if got.Name != def.Name || got.Source == "" || got.Known() != (got.Value != nil) {
				t.Errorf("%s: got %+v, want its name, a source, and a value if and only if known", def.Name, got)
			}
			if c := f.host.Context(); got.Grade > def.Grades[c] && !(group == "host") {
				t.Errorf("%s: got %v of grade %s in context %s, where the best is %s", def.Name, got.Value, got.Grade, c, def.Grades[c])
			}
			if _, ok := collectors(def.Name); def.In(besra.ContextFile) && !ok && !ofFinding {
				t.Errorf("%s: nothing gathers it, though it can be known of a file", def.Name)
			}
		}
		wantFacts(t, f, map[string]string{
			"no.such.fact": "unavailable: no such fact",
			"process.name": "unavailable: cannot be known in context " + string(f.host.Context()),
		})
	}
}

func TestPathFacts(t *testing.T) {
	h := foreign(t, nil)
	for path, want := range map[string][3]string{
		"/var/update/MixText.PY": {"/var/update", "MixText.PY", ".py"},
		"/top":                   {"/", "top", ""},
		"/home/u/.bashrc":        {"/home/u", ".bashrc", ""},
		"/home/u/.x.tar.GZ":      {"/home/u", ".x.tar.GZ", ".gz"},
		"/a/dot.":                {"/a", "dot.", "."},
		"C:/Windows/x.EXE":       {"C:/Windows", "x.EXE", ".exe"},
		"C:/x":                   {"C:/", "x", ""},
		"/bad\xff/new\nline.sh":  {"/bad\xff", "new\nline.sh", ".sh"},
	} {
		wantFacts(t, h.File(path, nil), map[string]string{
			"file.path": path + " (weak)", "file.dir": want[0] + " (weak)",
			"file.name": want[1] + " (weak)", "file.ext": want[2] + " (weak)",
		})
	}
	if v := h.File("/a/b", nil).Fact(t.Context(), "file.path").Value; v != besra.Text("/a/b") {
		t.Errorf("file.path: got a %T, want a besra.Text, which holds any bytes", v)
	}
}

func TestHostFacts(t *testing.T) {
	now := time.Date(2026, 11, 20, 3, 4, 5, 0, time.FixedZone("", 3600))
	dir := root(t, map[string]string{"/etc/hostname": "\nweb-7\n", "/etc/os-release": "ID=debian\n"})
	h, err := NewHost(Config{Root: dir, Tags: []string{"dev", "lab"}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	wantFacts(t, h.File("/x", nil), map[string]string{
		"host.name": "web-7 (asserted)", "host.os": "linux (asserted)",
		"host.tags": "[dev lab] (verified)", "scan.time": "2026-11-20 02:04:05 +0000 UTC (verified)",
	})
	named, err := NewHost(Config{Root: dir, Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	wantFacts(t, named.File("/x", nil), map[string]string{"host.name": "other (verified)", "host.tags": "[] (verified)"})
	wantFacts(t, foreign(t, nil).File("/x", nil), map[string]string{
		"host.name": "unavailable: /etc/hostname: " + notExist(), "host.os": "unavailable: nothing in the root tells its operating system",
	})
	wantFacts(t, foreign(t, map[string]string{"/Windows/System32/x": ""}).File("/x", nil), map[string]string{"host.os": "windows (asserted)"})
	if f := live(t).Fact(t.Context(), "host.os"); f.Grade != besra.GradeVerified {
		t.Errorf("host.os of this host: got grade %v, want verified", f.Grade)
	}
}

// notExist is how this system says that a file does not exist.
func notExist() string {
	_, err := os.Open("no such file")
	var pe *fs.PathError
	errors.As(err, &pe)
	return pe.Err.Error()
}

func TestDigests(t *testing.T) {
	const text = "BinStore enabled implants.\n"
	h := foreign(t, map[string]string{"/a": text})
	sum := sha256.Sum256([]byte(text))
	want := hex.EncodeToString(sum[:]) + " (verified)"
	f := at(t, h, "/a")
	wantFacts(t, f, map[string]string{
		"file.sha256": want,
		"file.sha1":   "2a1d524c93fd28308364a3960707257ce7fee2cb (verified)",
		"file.md5":    fmt.Sprintf("%x (verified)", md5.Sum([]byte(text))),
		"file.magic":  "text (verified)", "file.size": fmt.Sprint(len(text)) + " (verified)",
	})
}

// TestContentIsWhatWasScanned lends content that differs from the file.
func TestContentIsWhatWasScanned(t *testing.T) {
	h := foreign(t, map[string]string{"/a": "on disk"})
	f := at(t, h, "/a")
	f.SetContent([]byte("MZ scanned"))
	sum := md5.Sum([]byte("MZ scanned"))
	wantFacts(t, f, map[string]string{
		"file.md5": hex.EncodeToString(sum[:]) + " (verified)", "file.magic": "dos (verified)", "file.size": "10 (verified)",
	})
	f.SetContent(nil)
	wantFacts(t, f, map[string]string{"file.md5": hex.EncodeToString(sum[:]) + " (verified)"}) // remembered
	empty := at(t, h, "/a")
	empty.SetContent([]byte{})
	wantFacts(t, empty, map[string]string{"file.magic": "empty (verified)", "file.size": "0 (verified)"})
}

// TestChangedFile changes a file after its stat: what is read then is not what
// the fact would be about.
func TestChangedFile(t *testing.T) {
	dir := root(t, map[string]string{"/grown": "a", "/gone": "a", "/replaced": "a", "/new": "b"})
	h, err := NewHost(Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	grown, gone, replaced := at(t, h, "/grown"), at(t, h, "/gone"), at(t, h, "/replaced")
	if err := errors.Join(
		os.WriteFile(filepath.Join(dir, "grown"), []byte("abc"), 0o644),
		os.Remove(filepath.Join(dir, "gone")),
		os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "replaced")),
	); err != nil {
		t.Fatal(err)
	}
	wantFacts(t, grown, map[string]string{"file.sha256": "unavailable: reading the file again: " + errChanged.Error()})
	wantFacts(t, gone, map[string]string{"file.md5": "unavailable: reading the file again: " + notExist()})
	wantFacts(t, replaced, map[string]string{
		"file.md5":   "unavailable: reading the file again: " + errReplaced.Error(),
		"file.magic": "unavailable: reading the file again: " + errReplaced.Error(),
	})
}

// TestInterrupted cancels while a fact is gathered: that must not be remembered
// as its answer.
func TestInterrupted(t *testing.T) {
	f := at(t, foreign(t, map[string]string{"/a": "x"}), "/a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := f.Fact(ctx, "file.md5"); got.Known() {
		t.Errorf("got %+v with a cancelled context, want unavailable", got)
	}
	if got := f.Fact(t.Context(), "file.md5"); !got.Known() {
		t.Errorf("got %+v afterwards, want the digest", got)
	}
}

// TestRemembers counts how often a fact is gathered.
func TestRemembers(t *testing.T) {
	dir := root(t, map[string]string{"/a": "first"})
	h, err := NewHost(Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	f := at(t, h, "/a")
	first := f.Fact(t.Context(), "file.sha1")
	if err := os.Remove(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	if again := f.Fact(t.Context(), "file.sha1"); again != first {
		t.Errorf("got %+v the second time, want %+v", again, first)
	}
	f.Opened(f.info)
	if again := f.Fact(t.Context(), "file.sha1"); again.Known() {
		t.Errorf("got %+v of another inode, want nothing remembered", again)
	}
}

func TestHostileRoot(t *testing.T) {
	for name, content := range map[string]string{
		"manifest with a bad mode":    "/a 0 0 999\n",
		"manifest with few fields":    "/a 0 0\n",
		"manifest with many fields":   "/a 0 0 0644 2026-01-01T00:00:00Z more\n",
		"manifest with a bad time":    "/a 0 0 0644 yesterday\n",
		"manifest with a bad owner":   "/a root 0 0644\n",
		"manifest with a bad escape":  `/a\9 0 0 0644` + "\n",
		"manifest with a cut escape":  `/a\04 0 0 0644` + "\n",
		"manifest not absolute":       "a 0 0 0644\n",
		"manifest not clean":          "/a/../b 0 0 0644\n",
		"manifest with a path twice":  "/a 0 0 0644\n# so\n/a 0 0 0600\n",
		"manifest with a huge number": "/a 99999999999 0 0644\n",
	} {
		_, err := NewHost(Config{Root: root(t, map[string]string{Manifest: content})})
		if err == nil || !strings.Contains(err.Error(), ".besra-owners: line ") {
			t.Errorf("%s: got error %v, want one that names the line", name, err)
		}
	}
	if _, err := NewHost(Config{Root: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a root that does not exist: got no error")
	}
}

func TestUnreadableAccounts(t *testing.T) {
	h := foreign(t, map[string]string{Manifest: "/a 7 8 0600\n", "/a": "x", "/etc/passwd/dir": "", "/etc/group": "\xff\xfe::::\n::\nx\n"})
	wantFacts(t, at(t, h, "/a"), map[string]string{
		"file.owner.uid": "7 (asserted)", "file.owner.name": "unavailable: /etc/passwd: " + errIrregular.Error(),
		"file.group.gid": "8 (asserted)", "file.group.name": "unavailable: /etc/group has no group 8",
	})
}
