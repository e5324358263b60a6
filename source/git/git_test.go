package git

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/sourcetest"
)

// repo is a repository under construction, bare unless it lies in .git.
type repo struct {
	testing.TB
	dir     string
	storage *filesystem.Storage
}

func newRepo(t testing.TB, dir string) *repo {
	t.Helper()
	for name, content := range map[string]string{"HEAD": "ref: refs/heads/main\n", "config": "[remote \"origin\"]\n\turl = https://user:secret@git.example/app.git\n"} {
		err := os.MkdirAll(filepath.Join(dir, "refs"), 0o755)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	os.MkdirAll(filepath.Join(dir, "objects"), 0o755)
	return &repo{t, dir, filesystem.NewStorage(osfs.New(dir), cache.NewObjectLRUDefault())}
}

func (r *repo) put(o interface {
	Encode(plumbing.EncodedObject) error
}) plumbing.Hash {
	r.Helper()
	e := r.storage.NewEncodedObject()
	err := o.Encode(e)
	var h plumbing.Hash
	if err == nil {
		h, err = r.storage.SetEncodedObject(e)
	}
	if err != nil {
		r.Fatal(err)
	}
	return h
}

type blob string

func (b blob) Encode(o plumbing.EncodedObject) error {
	o.SetType(plumbing.BlobObject)
	w, err := o.Writer()
	if err == nil {
		_, err = w.Write([]byte(b))
	}
	return err
}

// tree makes a tree of "path to content"; directories by slashes, a submodule by
// the content "submodule".
func (r *repo) tree(files map[string]string) plumbing.Hash {
	r.Helper()
	below := map[string]map[string]string{}
	var t object.Tree
	for name, content := range files {
		if dir, rest, ok := strings.Cut(name, "/"); ok {
			if below[dir] == nil {
				below[dir] = map[string]string{}
			}
			below[dir][rest] = content
			continue
		}
		e := object.TreeEntry{Name: name, Mode: filemode.Executable}
		if content == "submodule" {
			e.Mode, e.Hash = filemode.Submodule, plumbing.NewHash("ff")
		} else {
			e.Hash = r.put(blob(content))
		}
		t.Entries = append(t.Entries, e)
	}
	for dir, inside := range below {
		t.Entries = append(t.Entries, object.TreeEntry{Name: dir, Mode: filemode.Dir, Hash: r.tree(inside)})
	}
	slices.SortFunc(t.Entries, func(a, b object.TreeEntry) int { return strings.Compare(a.Name, b.Name) })
	return r.put(&t)
}

var began = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// commit makes a commit of a day after began.
func (r *repo) commit(day int, files map[string]string, parents ...plumbing.Hash) plumbing.Hash {
	r.Helper()
	who := object.Signature{Name: "A", Email: "A.Author@Example.org", When: began.AddDate(0, 0, day)}
	return r.put(&object.Commit{Author: who, Committer: who, Message: "m", TreeHash: r.tree(files), ParentHashes: parents})
}

func (r *repo) ref(name string, h plumbing.Hash) {
	r.Helper()
	if err := r.storage.SetReference(plumbing.NewHashReference(plumbing.ReferenceName(name), h)); err != nil {
		r.Fatal(err)
	}
}

// pack moves all objects into one pack.
func (r *repo) pack() {
	r.Helper()
	all, err := r.storage.HashesWithPrefix(nil)
	if err != nil {
		r.Fatal(err)
	}
	var b bytes.Buffer
	_, err = packfile.NewEncoder(&b, r.storage, false).Encode(all, 10)
	if err != nil {
		r.Fatal(err)
	}
	for _, h := range all {
		os.Remove(filepath.Join(r.dir, "objects", h.String()[:2], h.String()[2:]))
	}
	w, err := r.storage.PackfileWriter()
	if err == nil {
		_, err = b.WriteTo(w)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		r.Fatal(err)
	}
}

// history makes a repository in which blobs come, change, move and go.
func history(t testing.TB, dir string) (r *repo, want map[string][]byte) {
	r = newRepo(t, dir)
	files := map[string]string{"keep/a": "a", "gone": "secret", "sub": "submodule"}
	for i := range sourcetest.MinTargets {
		files[fmt.Sprintf("many/%d", i)] = fmt.Sprint("number ", i)
	}
	one := r.commit(1, files)
	want = map[string][]byte{}
	first := dir + "!" + short(one) + ":"
	for name, content := range files {
		if content != "submodule" {
			want[first+name] = []byte(content)
		}
	}
	two := r.commit(2, map[string]string{"moved/a": "a", "b": "b", "link": "keep/a"}, one)
	side := r.commit(3, map[string]string{"b": "side"}, one)
	merged := r.commit(4, map[string]string{"b": "b"}, two, side)
	lost := r.commit(5, map[string]string{"b": "b", "lost": "lost"}, two)
	staged := r.put(blob("staged"))
	tagged := r.put(blob("tagged"))
	r.ref("refs/heads/main", merged)
	r.ref("refs/tags/v1", r.put(&object.Tag{Name: "v1", TargetType: plumbing.CommitObject, Target: merged, Tagger: object.Signature{When: began}}))
	r.ref("refs/tags/blob", tagged)
	for name, content := range map[string]string{short(two) + ":b": "b", short(two) + ":link": "keep/a", short(side) + ":b": "side",
		short(lost) + ":lost": "lost", "dangling:" + short(staged): "staged", "dangling:" + short(tagged): "tagged"} {
		want[dir+"!"+name] = []byte(content)
	}
	return r, want
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
	for _, packed := range []bool{false, true} {
		t.Run(fmt.Sprint("packed=", packed), func(t *testing.T) {
			sourcetest.Test(t, func(t *testing.T) sourcetest.Place {
				r, want := history(t, t.TempDir())
				if packed {
					r.pack()
				}
				return sourcetest.Place{Source: newSource(t, Config{Path: r.dir}), Want: want, Gaps: []string{ReasonSubmodule}}
			})
		})
	}
}

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

func TestFacts(t *testing.T) {
	made, _ := history(t, t.TempDir())
	r := run(t, Config{Path: made.dir})
	for end, want := range map[string]map[string]string{
		":keep/a": {"file.path": "/keep/a (weak)", "file.mode": "493 (asserted)", "git.author": "a.author@example.org (weak)", "git.reachable": "true (weak)",
			"git.time": "2026-11-02 00:00:00 +0000 UTC (weak)", "git.remote": "https://git.example/app.git (weak)", "archive.kind": "git (verified)"},
		":lost":                   {"git.reachable": "false (weak)"},
		short(blobHash("staged")): {"git.reachable": "false (weak)", "git.commit": "<nil> (unavailable)", "file.path": "<nil> (unavailable)"},
	} {
		got, target := map[string]string{}, found(t, r, end)
		for name := range want {
			f := target.Facts.Fact(t.Context(), name)
			got[name] = fmt.Sprintf("%v (%v)", f.Value, f.Grade)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", end, diff)
		}
	}
}

func blobHash(s string) plumbing.Hash { return plumbing.ComputeHash(plumbing.BlobObject, []byte(s)) }

// gaps spells gaps as "kind reason count".
func gaps(r *sourcetest.Recorder) []string {
	var out []string
	for _, g := range r.Gaps() {
		out = append(out, fmt.Sprint(g.Kind, " ", g.Reason, " ", g.Count))
	}
	slices.Sort(out)
	return out
}

func TestLeftOut(t *testing.T) {
	made, want := history(t, t.TempDir())
	r := run(t, Config{Path: made.dir, MaxSize: 5, Keep: func(p string) bool { return p != "/b" }})
	if diff := cmp.Diff([]string{"skip excluded 2", "skip submodule 1", "skip too_large 54"}, gaps(r)); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	if got, want := len(r.Targets()), len(want)-56; got != want {
		t.Errorf("got %d targets %q, want %d", got, r.Names(), want)
	}
}

// TestShallow lacks the parents of a commit, once on purpose and once not.
func TestShallow(t *testing.T) {
	r := newRepo(t, t.TempDir())
	head := r.commit(1, map[string]string{"a": "a"}, plumbing.NewHash("1234"))
	r.ref("refs/heads/main", head)
	if diff := cmp.Diff([]string{"error missing 1"}, gaps(run(t, Config{Path: r.dir}))); diff != "" {
		t.Errorf("not told (-want +got):\n%s", diff)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "shallow"), []byte(head.String()+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"skip shallow 1"}, gaps(run(t, Config{Path: r.dir}))); diff != "" {
		t.Errorf("shallow (-want +got):\n%s", diff)
	}
}

// TestDamaged reads packs of which the pack or its index is changed or cut: what can
// be read is, and the rest is told.
func TestDamaged(t *testing.T) {
	for _, ending := range []string{".pack", ".idx"} {
		for _, cut := range []bool{false, true} {
			t.Run(fmt.Sprint(ending, " cut=", cut), func(t *testing.T) {
				r, _ := history(t, t.TempDir())
				r.pack()
				r.ref("refs/heads/loose", r.commit(9, map[string]string{"sound": "sound"}))
				all, _ := filepath.Glob(filepath.Join(r.dir, "objects/pack/*"+ending))
				content, err := os.ReadFile(all[0])
				if err != nil {
					t.Fatal(err)
				}
				for i := len(content) / 3; i < len(content)/2; i++ {
					content[i] ^= 0x55
				}
				if cut {
					content = content[:len(content)/2]
				}
				os.Chmod(all[0], 0o644)
				if err := os.WriteFile(all[0], content, 0o644); err != nil {
					t.Fatal(err)
				}
				rec := run(t, Config{Path: r.dir})
				found(t, rec, ":sound")
				told := len(rec.Gaps())
				for _, target := range rec.Targets() {
					if c, err := target.Open(t.Context()); err != nil {
						told++
					} else if h := plumbing.ComputeHash(plumbing.BlobObject, c.Bytes()); h == plumbing.ZeroHash {
						t.Error("no content")
					}
				}
				if told == 0 {
					t.Error("got no gap and no error")
				}
			})
		}
	}
}

// files is a source of files on disk.
type files []string

func (f files) Run(_ context.Context, to besra.Receiver) error {
	for _, name := range f {
		if err := to.Target(besra.Target{Name: name, Context: besra.ContextFile, Facts: besra.NoFacts{}}); err != nil {
			return err
		}
	}
	return nil
}

// TestWorkTree hands on the files whose content is no blob that was hunted.
func TestWorkTree(t *testing.T) {
	dir := t.TempDir()
	r := newRepo(t, filepath.Join(dir, ".git"))
	r.ref("refs/heads/main", r.commit(1, map[string]string{"same": "same", "changed": "before", "left/out": "left out"}))
	var list files
	for name, content := range map[string]string{"same": "same", "copy": "same", "changed": "behind", "new": "new", "out": "left out"} {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	rec := run(t, Config{Path: dir, Files: append(list, filepath.Join(dir, "missing")), Keep: func(p string) bool { return p != "/left/out" }})
	var got []string
	for _, n := range rec.Names() {
		got = append(got, filepath.Base(n[strings.LastIndexByte(n, ':')+1:]))
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"changed", "changed", "missing", "new", "out", "same"}, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// TestLocate finds a repository behind the ways in which one is kept.
func TestLocate(t *testing.T) {
	dir := t.TempDir()
	main := newRepo(t, filepath.Join(dir, "main", ".git"))
	main.ref("refs/heads/main", main.commit(1, map[string]string{"a": "a"}))
	own := filepath.Join(main.dir, "worktrees", "other")
	for name, content := range map[string]string{"other/.git": "gitdir: " + own + "\n", "main/.git/worktrees/other/commondir": "../..\n",
		"main/.git/worktrees/other/HEAD": "ref: refs/heads/main\n", "broken/.git": "nonsense"} {
		p := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(p), 0o755)
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, at := range []string{"main", "main/.git", "other"} {
		found(t, run(t, Config{Path: filepath.Join(dir, at)}), ":a")
	}
	for _, at := range []string{"", filepath.Join(dir, "broken"), filepath.Join(dir, "missing"), dir} {
		if _, err := New(Config{Path: at}); err == nil {
			t.Errorf("%q: got no error", at)
		}
	}
}

// TestUnread ends the run with an error where the format of a repository is not read.
func TestUnread(t *testing.T) {
	for _, extension := range []string{"objectformat = sha256", "objectFormat = SHA256", "refstorage = reftable"} {
		dir := t.TempDir()
		history(t, dir)
		config := "[core]\n\trepositoryformatversion = 1\n[extensions]\n\t" + extension + "\n"
		if err := os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o644); err != nil {
			t.Fatal(err)
		}
		r := &sourcetest.Recorder{}
		if err := newSource(t, Config{Path: dir}).Run(t.Context(), r); err == nil || len(r.Targets()) > 0 {
			t.Errorf("%s: got error %v and %d targets, want an error and none", extension, err, len(r.Targets()))
		}
	}
}

// TestGit compares with what git itself lists, of a repository that it packed.
func TestGit(t *testing.T) {
	tool, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git here")
	}
	r, want := history(t, t.TempDir())
	for _, args := range [][]string{{"gc", "-q", "--prune=never"}, {"fsck", "--no-progress"}} {
		cmd := exec.Command(tool, append([]string{"-C", r.dir}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	if got := run(t, Config{Path: r.dir}); len(got.Targets()) != len(want) {
		t.Errorf("got %d targets, want %d", len(got.Targets()), len(want))
	}
}
