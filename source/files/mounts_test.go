//go:build unix

package files

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/facts"
	"github.com/besra-hunt/besra/source/sourcetest"
)

func TestMountTable(t *testing.T) {
	all := []facts.Mount{
		{Point: "/", Type: "ext4"}, {Point: "/proc", Type: "proc"}, {Point: "/mnt/a", Type: "autofs"},
		{Point: "/mnt/a", Type: "nfs4"}, {Point: "/evidence/root", Type: "nfs"}, {Point: "/evidence/root/proc", Type: "proc"},
		{Point: "/evidence/rootless/x", Type: "proc"},
	}
	live := mountsBelow(all, "")
	for p, want := range map[string]string{
		"/usr/bin": "ext4", "/": "ext4", "/proc/1/exe": "proc", "/mnt": "ext4", "/mnt/a": "nfs4", "/mnt/a/b": "nfs4", "/procs": "ext4",
	} {
		if got := live.at(p); got != want {
			t.Errorf("at(%s): got %q, want %q", p, got, want)
		}
	}
	check(t, "in /mnt", []string{live.in("/mnt")["a"]}, []string{"nfs4"})
	foreign := mountsBelow(all, "/evidence/root")
	for p, want := range map[string]string{"/proc/x": "proc", "/": "", "/less/x": "", "/usr": ""} {
		if got := foreign.at(p); got != want {
			t.Errorf("foreign at(%s): got %q, want %q", p, got, want)
		}
	}
}

// TestForbiddenMounts walks as if a directory were another file system.
func TestForbiddenMounts(t *testing.T) {
	dir := realDir(t)
	plant(t, dir, "ok", "x")
	plant(t, dir, "nfs/file", "x")
	plant(t, dir, "proc/file", "x")
	table := mountsBelow([]facts.Mount{{Point: dir + "/nfs", Type: "nfs4"}, {Point: dir + "/proc", Type: "proc"}}, "")
	for _, c := range []struct {
		network    bool
		want, gaps []string
	}{
		{false, []string{"ok"}, []string{`skip network_filesystem "nfs" 1`, `skip pseudo_filesystem "proc" 1`}},
		{true, []string{"nfs/file", "ok"}, []string{`skip pseudo_filesystem "proc" 1`}},
	} {
		s := newSource(t, Config{Paths: []string{dir}, Network: c.network})
		s.fault = func(_, p string) error {
			if strings.HasPrefix(p, dir+"/proc") || !c.network && strings.HasPrefix(p, dir+"/nfs") {
				t.Errorf("touched %s, which lies on a file system that must be left alone", p)
			}
			return nil
		}
		r := &sourcetest.Recorder{}
		ctx, cancel := context.WithCancel(context.Background())
		w := newWalk(ctx, cancel, s, r)
		w.mounts = table
		if err := w.run(w.starts()); err != nil {
			t.Fatal(err)
		}
		cancel()
		check(t, "targets", names(r, dir), c.want)
		check(t, "gaps", gaps(r, dir), c.gaps)
	}
}

// TestRealPseudo walks where this machine has a file system of the kernel's.
func TestRealPseudo(t *testing.T) {
	if _, err := os.Stat("/proc/self/mountinfo"); err != nil {
		t.Skip("no /proc here")
	}
	r := walked(t, newSource(t, Config{Paths: []string{"/proc", "/proc/self/status"}}))
	check(t, "targets", r.Names(), nil)
	for _, g := range r.Gaps() {
		if g.Reason != ReasonPseudo {
			t.Errorf("got gap %+v, want reason %s", g, ReasonPseudo)
		}
	}
	// Without the table of mounts the open directory tells.
	s := newSource(t, Config{Paths: []string{"/proc"}})
	r = &sourcetest.Recorder{}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w := newWalk(ctx, cancel, s, r)
	w.mounts = mountTable{}
	if err := w.run(w.starts()); err != nil {
		t.Fatal(err)
	}
	check(t, "gaps by statfs", gaps(r, "/"), []string{`skip pseudo_filesystem "proc" 1`})
}

func TestOneFileSystem(t *testing.T) {
	dir := realDir(t)
	plant(t, dir, "sub/file", "x")
	s := newSource(t, Config{Paths: []string{dir}, OneFileSystem: true})
	w := newWalk(context.Background(), func() {}, s, &sourcetest.Recorder{})
	info, err := os.Lstat(dir + "/sub")
	if err != nil {
		t.Fatal(err)
	}
	here := deviceOf(info)
	if _, ok := w.directory(node{path: dir, dev: here}, dir+"/sub", info); !ok {
		t.Error("the same file system is left out")
	}
	if _, ok := w.directory(node{path: dir, dev: here + 1}, dir+"/sub", info); ok {
		t.Error("another file system is walked")
	}
	check(t, "gaps", gaps(w.to.(*sourcetest.Recorder), dir), []string{`skip other_filesystem "sub" 1`})
}
