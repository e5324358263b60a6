package watch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/files"
	"github.com/besra-hunt/besra/source/sourcetest"
)

// TestMain writes files where it is started for that: what the program that
// watches writes itself is no news to it.
func TestMain(m *testing.M) {
	if script := os.Getenv("WATCH_TEST_DO"); script != "" {
		for _, line := range strings.Split(script, "\n") {
			if err := obey(strings.Split(line, "|")); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
		return
	}
	os.Exit(m.Run())
}

func obey(words []string) error {
	switch words[0] {
	case "write":
		return os.WriteFile(words[1], []byte(words[2]), 0o600)
	case "mkdir":
		return os.MkdirAll(words[1], 0o700)
	case "rename":
		return os.Rename(words[1], words[2])
	case "symlink":
		os.Symlink(words[1], words[2]) // which not every Windows lets one do
		return nil
	case "remove":
		return os.Remove(words[1])
	}
	return errors.New(words[0])
}

// elsewhere does things in another process: lines of words.
func elsewhere(t *testing.T, lines ...string) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "WATCH_TEST_DO="+strings.Join(lines, "\n"))
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func filesAt(paths []string) (besra.Source, error) {
	return files.New(files.Config{Paths: paths, Real: true})
}

// running is a source that watches while a test changes files.
type running struct {
	*sourcetest.Recorder
	targets chan besra.Target
	stop    context.CancelFunc
	done    chan error
}

func watchIn(t *testing.T, c Config) *running {
	t.Helper()
	stopping, stop := context.WithCancel(t.Context())
	r := &running{targets: make(chan besra.Target, 1000), stop: stop, done: make(chan error, 1)}
	r.Recorder = &sourcetest.Recorder{On: func(t besra.Target) error { r.targets <- t; return nil }}
	ready := make(chan struct{})
	c.Files, c.Stop, c.Ready = filesAt, stopping, func(string, error) { close(ready) }
	if c.Quiet == 0 {
		c.Quiet = 20 * time.Millisecond
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	go func() { r.done <- s.Run(t.Context(), sourcetest.Answering(r)) }()
	select {
	case <-ready:
	case err := <-r.done:
		t.Fatal(err)
	}
	return r
}

// next waits for a target of that name and returns it; others before it pass.
func (r *running) next(t *testing.T, name string) besra.Target {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case got := <-r.targets:
			if filepath.Base(got.Name) == name {
				return got
			}
		case <-late:
			t.Fatalf("no target %s; got %q, gaps %+v", name, r.Names(), r.Gaps())
		}
	}
}

func (r *running) end(t *testing.T) {
	t.Helper()
	r.stop()
	if err := <-r.done; err != nil {
		t.Errorf("Run: got %v, want none", err)
	}
}

// methods are those that work here.
func methods(t *testing.T) []string {
	list := []string{MethodNotify}
	if n, err := newFanotify([]string{t.TempDir()}); err == nil {
		n.close()
		list = append(list, MethodFanotify)
	}
	return list
}

// TestGone tells that one of the directories is gone; the other is watched on.
func TestGone(t *testing.T) {
	gone, _ := filepath.EvalSymlinks(t.TempDir())
	dir, _ := filepath.EvalSymlinks(t.TempDir())
	r := watchIn(t, Config{Dirs: []string{gone, dir}, Method: MethodNotify})
	elsewhere(t, "remove|"+gone, "write|"+filepath.Join(dir, "last")+"|x")
	r.next(t, "last")
	r.end(t)
	if g := r.Gaps(); len(g) != 1 || g[0].Reason != ReasonUnwatched || g[0].Kind != besra.GapError || string(g[0].Target) != gone {
		t.Errorf("got gaps %+v, want one of %s", g, gone)
	}
}

func TestWatch(t *testing.T) {
	for _, method := range methods(t) {
		t.Run(method, func(t *testing.T) {
			dir, _ := filepath.EvalSymlinks(t.TempDir())
			outside := t.TempDir()
			in := func(name string) string { return filepath.Join(dir, name) }
			elsewhere(t, "write|"+in("before")+"|x", "write|"+filepath.Join(outside, "moved")+"|x", "mkdir|"+filepath.Join(outside, "tree/inner"),
				"write|"+filepath.Join(outside, "tree/inner/deep")+"|x")
			r := watchIn(t, Config{Dirs: []string{dir}, Method: method})
			elsewhere(t, "write|"+in("new")+"|content")
			got := r.next(t, "new")
			for got.Size == 0 { // it was made, and is written only now: on a busy machine that takes longer than the quiet
				got = r.next(t, "new")
			}
			if method == MethodFanotify {
				wantWriter(t, got)
			} else if f := got.Facts.Fact(t.Context(), "writer.exe"); f.Known() || f.Source == "" {
				t.Errorf("writer.exe: got %+v, want unavailable", f)
			}
			elsewhere(t, "write|"+in("before")+"|changed")
			r.next(t, "before")
			elsewhere(t, "mkdir|"+in("a/b/c"), "write|"+in("a/b/c/below")+"|x")
			r.next(t, "below")
			elsewhere(t, "rename|"+filepath.Join(outside, "moved")+"|"+in("moved"))
			r.next(t, "moved")
			elsewhere(t, "rename|"+filepath.Join(outside, "tree")+"|"+in("tree"))
			r.next(t, "deep")
			elsewhere(t, "write|"+in("tree/inner/later")+"|x") // in a directory that came later
			r.next(t, "later")
			elsewhere(t, "write|"+filepath.Join(outside, "foreign")+"|x",
				"symlink|"+outside+"|"+in("link"), "write|"+in("last")+"|x")
			r.next(t, "last")
			r.end(t)
			if slices.ContainsFunc(r.Names(), func(n string) bool { return strings.HasSuffix(n, "foreign") }) {
				t.Errorf("got %q, want none from outside", r.Names())
			}
		})
	}
}

func wantWriter(t *testing.T, got besra.Target) {
	t.Helper()
	exe, _ := os.Executable()
	exe, _ = filepath.EvalSymlinks(exe)
	pid := got.Facts.Fact(t.Context(), "writer.pid")
	if n, ok := pid.Value.(int64); !ok || n == int64(os.Getpid()) || pid.Grade != besra.GradeVerified {
		t.Errorf("writer.pid: got %+v, want the child's", pid)
	}
	// The child may have ended before it was asked; then that is what stands there.
	f := got.Facts.Fact(t.Context(), "writer.exe")
	if f.Known() && fmt.Sprint(f.Value) != exe || !f.Known() && !strings.Contains(f.Source, "ended") {
		t.Errorf("writer.exe: got %+v, want %s", f, exe)
	}
	if f := got.Facts.Fact(t.Context(), "file.size"); f.Value != int64(7) {
		t.Errorf("file.size: got %+v, want what the file says", f)
	}
}

// TestVanished removes a file while it is waited for it to become quiet.
func TestVanished(t *testing.T) {
	for _, method := range methods(t) {
		dir := t.TempDir()
		r := watchIn(t, Config{Dirs: []string{dir}, Method: method, Quiet: 300 * time.Millisecond})
		name := filepath.Join(dir, "brief")
		elsewhere(t, "write|"+name+"|x", "remove|"+name, "write|"+filepath.Join(dir, "stays")+"|x")
		r.next(t, "stays")
		r.end(t)
		if g := r.Gaps(); len(g) != 1 || g[0].Reason != ReasonVanished || g[0].Kind != besra.GapSkip || g[0].Count != 1 {
			t.Errorf("%s: got gaps %+v, want one that vanished", method, g)
		}
	}
}

// TestStopYieldsWhatWaits stops before a change has become quiet.
func TestStopYieldsWhatWaits(t *testing.T) {
	s := &Source{Config{Files: filesAt, Dirs: []string{t.TempDir()}}}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	s.config.Stop = stopped
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newPending(time.Hour)
	p.note(change{path: name})
	r := &sourcetest.Recorder{}
	if err := s.follow(t.Context(), p, nil, r); err != nil || len(r.Targets()) != 1 {
		t.Errorf("got %v and %q, want the file", err, r.Names())
	}
}

// TestOverflow loses notices and wants what changed found all the same.
func TestOverflow(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "unnoticed"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	s := &Source{Config{Files: filesAt, Dirs: []string{dir}, Stop: t.Context()}}
	p := newPending(time.Hour)
	p.note(change{lost: true})
	r := &sourcetest.Recorder{On: func(besra.Target) error { close(ended); return nil }}
	if err := s.follow(t.Context(), p, ended, r); err != nil {
		t.Fatal(err)
	}
	if g := r.Gaps(); len(r.Targets()) != 1 || len(g) != 1 || g[0].Reason != ReasonOverflow || g[0].Count != 1 {
		t.Errorf("got %q and gaps %+v, want the file and the loss", r.Names(), g)
	}
}

func TestPending(t *testing.T) {
	p := newPending(time.Second)
	p.note(change{path: "a"})
	p.note(change{path: "a", by: &writer{pid: 7}})
	p.note(change{path: "a"})
	now := time.Now()
	if d, next := p.take(now, false); len(d.changes) != 0 || next <= 0 || next > time.Second {
		t.Errorf("at once: got %v, next %v", d, next)
	}
	if d, _ := p.take(now.Add(2*time.Second), false); len(d.changes) != 1 || d.changes["a"].pid != 7 {
		t.Errorf("when quiet: got %v, want a with its writer", d)
	}
	p.note(change{path: "busy"})
	p.waiting["busy"].first = now.Add(-20 * time.Second)
	if d, _ := p.take(time.Now(), false); len(d.changes) != 1 {
		t.Errorf("never quiet: got %v, want it read all the same", d)
	}
	for i := range maxPending + 1 {
		p.note(change{path: fmt.Sprint(i)})
	}
	if d, _ := p.take(now, false); d.lost != 1 || len(p.waiting) != 0 {
		t.Errorf("too many: got %d lost, %d waiting", d.lost, len(p.waiting))
	}
}

// tree writes so many files and returns their contents by name.
func tree(t *testing.T, n int) (string, map[string][]byte) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{}
	for i := range n {
		name := filepath.Join(dir, fmt.Sprintf("f%02d", i))
		want[filepath.ToSlash(name)] = fmt.Append(nil, "content ", i)
		if err := os.WriteFile(name, want[filepath.ToSlash(name)], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, want
}

func TestContract(t *testing.T) {
	sourcetest.Test(t, func(t *testing.T) sourcetest.Place {
		dir, want := tree(t, 2*sourcetest.MinTargets)
		s, err := New(Config{Dirs: []string{dir}, Files: filesAt, Once: true})
		if err != nil {
			t.Fatal(err)
		}
		return sourcetest.Place{Source: s, Want: want, Remove: os.Remove}
	})
}

// once runs a source that only catches up and returns the names of its files.
func once(t *testing.T, c Config) []string {
	t.Helper()
	c.Files, c.Once = filesAt, true
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	r := &sourcetest.Recorder{}
	if err := s.Run(t.Context(), sourcetest.Answering(r)); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range r.Names() {
		names = append(names, filepath.Base(n))
	}
	return names
}

func TestSnapshot(t *testing.T) {
	dir, _ := tree(t, 3)
	snap := &Snapshot{File: filepath.Join(t.TempDir(), "snapshot"), Tag: "rules 1"}
	c := Config{Dirs: []string{dir}, Snapshot: snap}
	if got := once(t, c); len(got) != 3 {
		t.Errorf("first: got %q, want all", got)
	}
	if got := once(t, c); len(got) != 0 {
		t.Errorf("second: got %q, want none", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "f01"), []byte("other content"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := once(t, c); !slices.Equal(got, []string{"f01"}) {
		t.Errorf("changed: got %q, want f01", got)
	}
	snap.Tag = "rules 2"
	if got := once(t, c); len(got) != 3 {
		t.Errorf("other rules: got %q, want all", got)
	}
	for _, bad := range []string{"", "nonsense", magic, magic + strings.Repeat("x", 80)} {
		if err := os.WriteFile(snap.File, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		s, _ := New(Config{Dirs: []string{dir}, Snapshot: snap, Files: filesAt, Once: true})
		if err := s.Run(t.Context(), &sourcetest.Recorder{}); err == nil {
			t.Errorf("snapshot %q: got no error", bad)
		}
	}
}

// TestSnapshotOfGaps wants a file that was not read to its end tried again.
func TestSnapshotOfGaps(t *testing.T) {
	dir, _ := tree(t, 2)
	snap := &Snapshot{File: filepath.Join(t.TempDir(), "snapshot")}
	s, err := New(Config{Dirs: []string{dir}, Snapshot: snap, Files: filesAt, Once: true})
	if err != nil {
		t.Fatal(err)
	}
	var missed besra.Answer
	missed.AddGap(besra.Gap{Reason: "timeout"})
	r := &sourcetest.Recorder{On: func(t besra.Target) error {
		if strings.HasSuffix(t.Name, "f00") {
			t.Done(missed)
		} else {
			t.Done(besra.Answer{})
		}
		return nil
	}}
	if err := s.Run(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if got := once(t, Config{Dirs: []string{dir}, Snapshot: snap}); !slices.Equal(got, []string{"f00"}) {
		t.Errorf("got %q, want what was not read to its end", got)
	}
}

// TestStopWhileCatchingUp stops at the first file and wants it told.
func TestStopWhileCatchingUp(t *testing.T) {
	dir, _ := tree(t, 200)
	stopping, stop := context.WithCancel(t.Context())
	snap := &Snapshot{File: filepath.Join(t.TempDir(), "snapshot")}
	s, err := New(Config{Dirs: []string{dir}, Snapshot: snap, Files: filesAt, Method: MethodNotify, Stop: stopping})
	if err != nil {
		t.Fatal(err)
	}
	r := &sourcetest.Recorder{On: func(besra.Target) error { stop(); return nil }}
	if err := s.Run(t.Context(), sourcetest.Answering(r)); err != nil {
		t.Fatal(err)
	}
	if g := r.Gaps(); len(r.Targets()) == 200 || len(g) != 1 || g[0].Reason != ReasonInterrupted {
		t.Errorf("got %d files and gaps %+v, want some and the interruption", len(r.Targets()), g)
	}
	if _, err := os.Stat(snap.File); err == nil {
		t.Error("a snapshot was saved of what was not looked at")
	}
}

func TestSince(t *testing.T) {
	dir, want := tree(t, 3)
	for name := range maps.Keys(want) { // their owner sets them back; the inode tells
		if err := os.Chtimes(filepath.FromSlash(name), time.Unix(0, 0), time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
	}
	changed := 3
	if runtime.GOOS == "windows" {
		changed = 0
	}
	if got := once(t, Config{Dirs: []string{dir}, Since: time.Now().Add(-time.Hour)}); len(got) != changed {
		t.Errorf("an hour: got %q, want %d", got, changed)
	}
	if got := once(t, Config{Dirs: []string{dir}, Since: time.Now().Add(time.Hour)}); len(got) != 0 {
		t.Errorf("the future: got %q, want none", got)
	}
}

func TestNew(t *testing.T) {
	for name, c := range map[string]Config{"nothing": {}, "no such": {Dirs: []string{"/no/such/dir"}}, "method": {Dirs: []string{t.TempDir()}, Method: "x"}} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o600)
	for _, method := range methods(t) {
		s, err := New(Config{Dirs: []string{file}, Method: method, Files: filesAt})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Run(t.Context(), &sourcetest.Recorder{}); err == nil {
			t.Errorf("%s: a file is watched as a directory: got no error", method)
		}
	}
}

// FuzzSnapshot wants any bytes to be a snapshot or an error.
func FuzzSnapshot(f *testing.F) {
	s := &Snapshot{File: filepath.Join(f.TempDir(), "s"), Tag: "t"}
	if err := s.save(states{{1}, {2}}); err != nil {
		f.Fatal(err)
	}
	whole, _ := os.ReadFile(s.File)
	f.Add(whole)
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := s.decode(b)
		if err == nil && len(list) > len(b)/len(state{}) {
			t.Errorf("%d states of %d bytes", len(list), len(b))
		}
	})
}
