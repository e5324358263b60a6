package facts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/besra-hunt/besra"
)

func liveFile(t *testing.T) *File {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("x"), 0o640); err != nil {
		t.Fatal(err)
	}
	return at(t, live(t), path)
}

func TestLiveFacts(t *testing.T) {
	f := liveFile(t)
	wantFacts(t, f, map[string]string{
		"file.mode":      "416 (verified)",
		"file.owner.uid": fmt.Sprintf("%d (verified)", os.Getuid()),
		"file.owner.sid": "unavailable: only Windows knows security identifiers",
	})
	for _, name := range []string{"file.ctime", "file.btime"} {
		got := f.Fact(t.Context(), name)
		if !got.Known() && name == "file.btime" && got.Source == errNoBirth.Error() {
			continue
		}
		when, ok := got.Value.(time.Time)
		if d := time.Since(when); !ok || got.Grade != besra.GradeVerified || d < -time.Hour || d > time.Hour {
			t.Errorf("%s: got %+v, want about now, verified", name, got)
		}
	}
	if got := f.Fact(t.Context(), "file.mount.type"); !got.Known() || got.Value == "" {
		t.Errorf("file.mount.type: got %+v, want one", got)
	}
}

func TestOrigin(t *testing.T) {
	f := liveFile(t)
	wantFacts(t, f, map[string]string{"file.origin_url": "unavailable: the file carries no note of its origin"})
	err := unix.Setxattr(f.path, "user.xdg.origin.url", []byte("https://example.org/x"), 0)
	if errors.Is(err, unix.ENOTSUP) {
		t.Skip("the file system keeps no attributes")
	}
	if err != nil {
		t.Fatal(err)
	}
	wantFacts(t, at(t, f.host, f.path), map[string]string{"file.origin_url": "https://example.org/x (weak)", "file.origin_host": "example.org (weak)"})
}

// TestLivePath judges directories that exist: the test's own is nobody else's,
// the temporary one is everybody's.
func TestLivePath(t *testing.T) {
	f := liveFile(t)
	tmp, err := os.Stat(os.TempDir())
	if err != nil || unixMode(tmp.Mode())&0o1002 != 0o1002 {
		t.Skip("the temporary directory is not everybody's")
	}
	wantFacts(t, f, map[string]string{"file.world_writable": "false (verified)", "file.foreign_writable": "true (verified)"})
	if err := os.Chmod(filepath.Dir(f.path), 0o777); err != nil {
		t.Fatal(err)
	}
	wantFacts(t, at(t, f.host, f.path), map[string]string{"file.world_writable": "true (verified)"})
}

// process makes what /proc shows of one process.
func process(t *testing.T, proc, pid, exe, maps string, open ...string) {
	t.Helper()
	dir := filepath.Join(proc, pid)
	if err := errors.Join(
		os.MkdirAll(filepath.Join(dir, "fd"), 0o755),
		os.WriteFile(filepath.Join(dir, "maps"), []byte(maps), 0o644),
		os.Symlink(exe, filepath.Join(dir, "exe")),
	); err != nil {
		t.Fatal(err)
	}
	for i, to := range open {
		if err := os.Symlink(to, filepath.Join(dir, "fd", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpeners(t *testing.T) {
	f := liveFile(t)
	s, _ := statOf(f.info)
	other := filepath.Join(filepath.Dir(f.path), "other")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	proc := t.TempDir()
	mapped := fmt.Sprintf("7f00-7f01 r--p 00000000 %s %d                 %s\n", s.device(), s.ino, f.path)
	strange := fmt.Sprintf("7f00-7f01 r--p 00000000 00:99 %d    %s\n", s.ino, f.path)
	elsewhere := fmt.Sprintf("7f00-7f01 r--p 00000000 00:99 %d    /another/file\n7f00-7f01 rw-p 0 00:00 0\n", s.ino)
	process(t, proc, "10", "/usr/bin/vim", "", "/dev/null", "pipe:[5]", f.path)
	process(t, proc, "11", "/usr/bin/mapper (deleted)", mapped)
	process(t, proc, "12", "/usr/bin/overlay", strange)
	process(t, proc, "13", "/usr/bin/innocent", elsewhere, other)
	process(t, proc, "14", "/usr/bin/vim", "", f.path)
	process(t, proc, "15", "/usr/bin/besra", mapped, f.path)
	process(t, proc, "not-a-process", "/usr/bin/no", mapped, f.path)
	if err := os.MkdirAll(filepath.Join(proc, "16"), 0o755); err != nil { // it ended
		t.Fatal(err)
	}
	list, err := openersIn(t.Context(), proc, f, 15)
	if err != nil {
		t.Fatal(err)
	}
	f.opened = &list
	me, _ := f.host.accounts().user(uint32(os.Getuid()))
	wantFacts(t, f, map[string]string{"opener.names": "[mapper overlay vim] (weak)", "opener.exes": "[/usr/bin/mapper /usr/bin/overlay /usr/bin/vim] (weak)",
		"opener.users": "[" + me + "] (verified)"})
	f = at(t, f.host, f.path)
	f.opened = &[]opener{{exe: "/bin/x", uid: 4_000_000}}
	wantFacts(t, f, map[string]string{"opener.users": "unavailable: /etc/passwd has no user 4000000"})
}

// TestOpenersOfLinked has a file of two names open by the other one.
func TestOpenersOfLinked(t *testing.T) {
	f := liveFile(t)
	second := filepath.Join(filepath.Dir(f.path), "second")
	if err := os.Link(f.path, second); err != nil {
		t.Skip("no hard links here:", err)
	}
	proc := t.TempDir()
	process(t, proc, "10", "/bin/cat", "", second)
	got, err := openersIn(t.Context(), proc, at(t, f.host, f.path), 0)
	if err != nil || len(got) != 1 || got[0].exe != "/bin/cat" {
		t.Errorf("openers: got %v, %v, want /bin/cat", got, err)
	}
}

func TestOpenersUnseen(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root sees every process")
	}
	got := liveFile(t).Fact(t.Context(), "opener.names")
	if got.Known() || !strings.Contains(got.Source, "may not be looked into") {
		t.Errorf("openers: got %+v, want unavailable, for root's processes are hidden", got)
	}
}

// TestPipeForPasswd must not wait for somebody to write to a pipe.
func TestPipeForPasswd(t *testing.T) {
	dir := root(t, map[string]string{"/f": "x", "/etc/group": ""})
	if err := unix.Mkfifo(filepath.Join(dir, "etc/passwd"), 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := NewHost(Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	wantFacts(t, at(t, h, "/f"), map[string]string{"file.owner.name": "unavailable: /etc/passwd: " + errIrregular.Error()})
}

// TestAccountsStayInside has a passwd file that links out of the root.
func TestAccountsStayInside(t *testing.T) {
	dir := root(t, map[string]string{"/f": "x", "/etc/group": ""})
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "etc/passwd")); err != nil {
		t.Fatal(err)
	}
	h, err := NewHost(Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got := at(t, h, "/f").Fact(t.Context(), "file.owner.name"); got.Known() {
		t.Errorf("file.owner.name: got %+v, which is not of the root", got)
	}
}
