//go:build unix

package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/besra-hunt/besra"
)

func socket(t *testing.T, at string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: at, Net: "unix"})
	if err != nil {
		t.Skip("no sockets here:", err)
	}
	t.Cleanup(func() { l.Close() })
}

// shortDir is a new directory whose path is short enough for a socket's name.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "b")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	return real
}

func TestKinds(t *testing.T) {
	dir := shortDir(t)
	plant(t, dir, "file", "x")
	if err := unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	socket(t, filepath.Join(dir, "s0"))
	socket(t, filepath.Join(dir, "s1"))
	symlink(t, "file", filepath.Join(dir, "link"))
	symlink(t, "nowhere", filepath.Join(dir, "dangling"))
	symlink(t, "self", filepath.Join(dir, "self"))
	r := walked(t, newSource(t, Config{Paths: []string{dir}}))
	check(t, "targets", names(r, dir), []string{"file"})
	check(t, "gaps", gaps(r, dir), []string{`skip fifo "fifo" 1`, `skip socket "" 2`, `skip symlink "" 3`})
}

func TestGivenKinds(t *testing.T) {
	dir := shortDir(t)
	plant(t, dir, "tree/file", "x")
	if err := unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	symlink(t, "tree", filepath.Join(dir, "link"))
	symlink(t, filepath.Join(dir, "link", "file"), filepath.Join(dir, "file"))
	symlink(t, "loop", filepath.Join(dir, "loop"))
	symlink(t, "none", filepath.Join(dir, "dangling"))
	for name, c := range map[string]struct{ want, gaps []string }{
		"link":      {[]string{"tree/file"}, nil},
		"link/file": {[]string{"tree/file"}, nil},
		"file":      {[]string{"tree/file"}, nil},
		"fifo":      {nil, []string{`skip fifo "fifo" 1`}},
		"loop":      {nil, []string{`error symlink "loop" 1`}},
		"dangling":  {nil, []string{`error not_found "dangling" 1`}},
	} {
		t.Run(name, func(t *testing.T) {
			r := walked(t, newSource(t, Config{Paths: []string{filepath.Join(dir, name)}}))
			check(t, "targets", names(r, dir), c.want)
			check(t, "gaps", gaps(r, dir), c.gaps)
		})
	}
	for _, name := range []string{"link", "link/file", "file"} {
		r := walked(t, newSource(t, Config{Paths: []string{filepath.Join(dir, name)}, Real: true, FollowSymlinks: true}))
		check(t, "targets of a real "+name, names(r, dir), nil)
		check(t, "gaps", gaps(r, dir), []string{`skip symlink "` + name + `" 1`})
	}
}

func TestFollowSymlinks(t *testing.T) {
	dir := realDir(t)
	plant(t, dir, "walk/a", "x")
	plant(t, dir, "out/b", "x")
	plant(t, dir, "out/in/c", "x")
	plant(t, dir, "far/d", "x")
	for at, to := range map[string]string{
		"walk/up":     "..",         // above the walk: all of it, once
		"walk/self":   ".",          // where the walk is
		"walk/out":    "../out",     // elsewhere
		"walk/in":     "../out/in",  // within what another link leads to
		"walk/file":   "../far/d",   // a file
		"walk/file2":  "file",       // the same, by another link
		"far/back":    "../walk",    // where the walk came from
		"walk/broken": "../nothing", // nowhere
	} {
		symlink(t, to, filepath.Join(dir, at))
	}
	for _, workers := range []int{1, 4} {
		r := walked(t, newSource(t, Config{Paths: []string{dir + "/walk"}, FollowSymlinks: true, Workers: workers}))
		check(t, "targets", names(r, dir), []string{"far/d", "out/b", "out/in/c", "walk/a"})
		for _, g := range r.Gaps() {
			if g.Reason != ReasonSymlink || g.Kind != besra.GapSkip {
				t.Errorf("got gap %+v, want only skipped links", g)
			}
		}
	}
}

// TestRootIsNotLeft plants links that lead out of a foreign root, were they
// followed on this host.
func TestRootIsNotLeft(t *testing.T) {
	dir := realDir(t)
	plant(t, dir, "secret", "outside")
	plant(t, dir, "etc/passwd", "outside")
	root := filepath.Join(dir, "root")
	plant(t, root, "etc/passwd", "inside")
	plant(t, root, "run/file", "inside")
	symlink(t, "/run", filepath.Join(root, "var"))
	symlink(t, "../../../../etc/passwd", filepath.Join(root, "up"))
	symlink(t, "../secret", filepath.Join(root, "out"))
	symlink(t, filepath.Join(dir, "secret"), filepath.Join(root, "absolute"))
	for given, want := range map[string]string{
		"/var/file":              "/run/file",
		"var/file":               "/run/file",
		"../../var/../var/file":  "/run/file",
		"/up":                    "/etc/passwd",
		"/out":                   "",
		"/absolute":              "",
		"/../secret":             "",
		dir + "/root/etc/passwd": "",
	} {
		r := walked(t, newSource(t, Config{Root: root, Paths: []string{given}}))
		if want == "" {
			check(t, given, r.Names(), nil)
			if len(r.Gaps()) != 1 || r.Gaps()[0].Reason != ReasonNotFound {
				t.Errorf("%s: got gaps %+v, want one of reason %s", given, r.Gaps(), ReasonNotFound)
			}
			continue
		}
		check(t, given, r.Names(), []string{want})
		if got := content(t, r.Targets()[0]); got != "inside" {
			t.Errorf("%s: got %q, want what is inside the root", given, got)
		}
	}
	r := walked(t, newSource(t, Config{Root: root, Paths: []string{"/"}, FollowSymlinks: true}))
	check(t, "the whole root", r.Names(), []string{"/etc/passwd", "/run/file"})
	if c := r.Targets()[0].Context; c != besra.ContextImage {
		t.Errorf("context: got %q, want %q", c, besra.ContextImage)
	}
}

func content(t *testing.T, target besra.Target) string {
	t.Helper()
	c, err := target.Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return string(c.Bytes())
}

// TestSwappedFiles replaces a file after the walk by what must not be opened.
func TestSwappedFiles(t *testing.T) {
	for name, swap := range map[string]func(at string) error{
		"fifo":      func(at string) error { return unix.Mkfifo(at, 0o600) },
		"link":      func(at string) error { return os.Symlink("/etc/passwd", at) },
		"directory": func(at string) error { return os.Mkdir(at, 0o700) },
		"nothing":   func(string) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			dir := realDir(t)
			file := plant(t, dir, "sub/file", "x")
			target := walked(t, newSource(t, Config{Paths: []string{dir}})).Targets()[0]
			if err := errors.Join(os.Remove(file), swap(file)); err != nil {
				t.Fatal(err)
			}
			_, err := target.Open(context.Background())
			var open *OpenError
			if !errors.As(err, &open) || open.Reason() != ReasonVanished {
				t.Errorf("Open: got error %v, want an OpenError of reason %s", err, ReasonVanished)
			}
		})
	}
}

// TestSwappedDirectory replaces a directory on a target's path by a link.
func TestSwappedDirectory(t *testing.T) {
	dir := realDir(t)
	plant(t, dir, "sub/file", "x")
	plant(t, dir, "elsewhere/file", "not this")
	s := newSource(t, Config{Paths: []string{dir + "/sub"}})
	target := walked(t, s).Targets()[0]
	if err := os.RemoveAll(dir + "/sub"); err != nil {
		t.Fatal(err)
	}
	symlink(t, "elsewhere", dir+"/sub")
	if c, err := target.Open(context.Background()); err == nil {
		t.Errorf("Open: got %q, want an error: the path leads through a link now", c.Bytes())
	} else if errorReason(errors.Unwrap(err)) != ReasonVanished {
		t.Errorf("Open: got %v, want reason %s", err, ReasonVanished)
	}
}

func TestNames(t *testing.T) {
	dir := realDir(t)
	want := []string{"new\nline", "tab\tand \\ backslash", "\xff\xfe not UTF-8", "*[a]{b}", "-dash", " "}
	for _, name := range want {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Skip("the file system takes no such name:", err)
		}
	}
	r := walked(t, newSource(t, Config{Paths: []string{dir}, Exclude: []string{"**/x/*"}}))
	slices.Sort(want)
	check(t, "targets", names(r, dir), want)
	for _, target := range r.Targets() {
		if got := content(t, target); got != filepath.Base(target.Name) {
			t.Errorf("%q: got content %q", target.Name, got)
		}
	}
	if got := errorGap("a\nb", os.ErrPermission); got.Target != "a\nb" {
		t.Errorf("gap: got target %q, want the name as it is", got.Target)
	}
}

// TestDeep makes a tree whose paths are longer than the system takes at once.
func TestDeep(t *testing.T) {
	const depth, name = 700, "directory"
	dir := realDir(t)
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range depth {
		if err := unix.Mkdirat(fd, name, 0o700); err != nil {
			t.Fatal(err)
		}
		next, err := unix.Openat(fd, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		unix.Close(fd)
		if err != nil {
			t.Fatal(err)
		}
		fd = next
	}
	file, err := unix.Openat(fd, "bottom", unix.O_CREAT|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	unix.Write(file, []byte("deep"))
	unix.Close(file)
	unix.Close(fd)
	for _, root := range []string{"", dir} {
		paths := []string{dir}
		if root != "" {
			paths = []string{"/"}
		}
		r := walked(t, newSource(t, Config{Root: root, Paths: paths}))
		if n := len(r.Targets()); n != 1 {
			t.Fatalf("root %q: got %d targets and gaps %v, want the one file", root, n, gaps(r, dir))
		}
		target := r.Targets()[0]
		if n := strings.Count(target.Name, "/"+name); n != depth {
			t.Errorf("root %q: got a path %d deep, want %d", root, n, depth)
		}
		if root != "" || beneathIsFast {
			if got := content(t, target); got != "deep" {
				t.Errorf("root %q: got content %q", root, got)
			}
		}
	}
}

// TestSparse opens a file that is larger than memory.
func TestSparse(t *testing.T) {
	const size = 20 << 30
	dir := realDir(t)
	file := plant(t, dir, "sparse", "begin")
	if err := os.Truncate(file, size); err != nil {
		t.Skip("no sparse files here:", err)
	}
	target := walked(t, newSource(t, Config{Paths: []string{dir}})).Targets()[0]
	if target.Size != size {
		t.Errorf("size: got %d, want %d", target.Size, int64(size))
	}
	c, err := target.Open(context.Background())
	if err != nil {
		if ^uint(0)>>32 == 0 {
			t.Skip("no address space for it:", err)
		}
		t.Fatal(err)
	}
	data := c.Bytes()
	if len(data) != size || !bytes.HasPrefix(data, []byte("begin")) || data[len(data)-1] != 0 {
		t.Errorf("got %d bytes that begin with %q", len(data), data[:5])
	}
	before := resident(t)
	page, sum := os.Getpagesize(), byte(0)
	for at := 0; at < 256<<20; at += page {
		sum |= data[at]
		if at%(16<<20) == 0 {
			c.(interface{ Release(int64) }).Release(int64(at))
		}
	}
	if grown := resident(t) - before; grown > 64<<20 {
		t.Errorf("scanning 256 MiB took %d MiB of memory, want about 16 (sum %d)", grown>>20, sum)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if c.Bytes() != nil || c.Close() != nil {
		t.Error("a closed content still has bytes, or fails to close again")
	}
}

// resident is the memory this process holds, in bytes; 0 where unknown.
func resident(t *testing.T) int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(data), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

func TestReleaseKeepsBytes(t *testing.T) {
	dir := realDir(t)
	file := plant(t, dir, "f", strings.Repeat("0123456789abcdef", maxBuffered/8))
	c, err := walked(t, newSource(t, Config{Paths: []string{file}})).Targets()[0].Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m := c.(*mapped)
	for _, upTo := range []int64{-1, 0, 5, 8192, 100, 1 << 40} {
		m.Release(upTo)
		if got := string(c.Bytes()[:16]); got != "0123456789abcdef" {
			t.Errorf("after Release(%d): got %q", upTo, got)
		}
	}
}

func TestUnreadableDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything; TestErrors stands in")
	}
	dir := realDir(t)
	plant(t, dir, "ok", "x")
	plant(t, dir, "closed/file", "x")
	plant(t, dir, "secret", "x")
	if err := errors.Join(os.Chmod(dir+"/closed", 0), os.Chmod(dir+"/secret", 0)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir+"/closed", 0o700) })
	r := walked(t, newSource(t, Config{Paths: []string{dir}}))
	check(t, "targets", names(r, dir), []string{"ok", "secret"})
	check(t, "gaps", gaps(r, dir), []string{`error permission "closed" 1`})
	i := slices.IndexFunc(r.Targets(), func(t besra.Target) bool { return filepath.Base(t.Name) == "secret" })
	_, err := r.Targets()[i].Open(context.Background())
	if errorReason(errors.Unwrap(err)) != ReasonPermission {
		t.Errorf("Open: got %v, want a permission error", err)
	}
}

// TestSearchableDirectory opens a file below a directory that may be passed
// through but not read.
func TestSearchableDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	dir := realDir(t)
	file := plant(t, dir, "pass/file", "x")
	if err := os.Chmod(dir+"/pass", 0o100); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir+"/pass", 0o700) })
	r := walked(t, newSource(t, Config{Paths: []string{file}}))
	check(t, "targets", names(r, dir), []string{"pass/file"})
	if got := content(t, r.Targets()[0]); got != "x" {
		t.Errorf("got content %q", got)
	}
}

func TestStepwise(t *testing.T) {
	dir := realDir(t)
	plant(t, dir, "a/b/file", "x")
	symlink(t, "b", dir+"/a/link")
	symlink(t, "file", dir+"/a/b/link")
	tree, err := openTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	for rel, ok := range map[string]bool{
		"a/b/file": true, "a/link/file": false, "a/b/link": false, "a/none/file": false, "a/b/file/x": false,
	} {
		fd, err := stepwise(tree.top, rel, openFlags)
		if (err == nil) != ok {
			t.Errorf("stepwise %s: got error %v, want success %v", rel, err, ok)
		}
		fd2, err2 := openBeneath(tree.top, rel, openFlags)
		if (err2 == nil) != ok {
			t.Errorf("openBeneath %s: got error %v, want success %v", rel, err2, ok)
		}
		for _, fd := range []int{fd, fd2} {
			if ok {
				unix.Close(fd)
			}
		}
	}
}

// TestInfo holds our stat against that of package os.
func TestInfo(t *testing.T) {
	dir := shortDir(t)
	plant(t, dir, "file", "12345")
	if err := errors.Join(
		os.Chmod(dir+"/file", 0o751|os.ModeSetuid|os.ModeSetgid),
		os.Mkdir(dir+"/dir", 0o700), os.Chmod(dir+"/dir", 0o777|os.ModeSticky),
		unix.Mkfifo(dir+"/fifo", 0o640), os.Symlink("file", dir+"/link"),
	); err != nil {
		t.Fatal(err)
	}
	socket(t, dir+"/socket")
	tree, err := openTree("")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{dir + "/file", dir + "/dir", dir + "/fifo", dir + "/link", dir + "/socket", "/dev/null"} {
		d, err := tree.openDir(filepath.Dir(p))
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.lstat(filepath.Base(p))
		d.close()
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.Lstat(p)
		if err != nil {
			t.Fatal(err)
		}
		if got.Name() != want.Name() || got.Mode() != want.Mode() || got.Size() != want.Size() ||
			got.IsDir() != want.IsDir() || !got.ModTime().Equal(want.ModTime()) || deviceOf(got) != deviceOf(want) {
			t.Errorf("%s: got %v %v %d %v, want %v %v %d %v", p, got.Name(), got.Mode(), got.Size(), got.ModTime(),
				want.Name(), want.Mode(), want.Size(), want.ModTime())
		}
	}
}

func TestAccessTimeStays(t *testing.T) {
	dir := realDir(t)
	file := plant(t, dir, "file", "x")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if quietFlag(info) == 0 {
		t.Skip("this system has no such flag")
	}
	h, err := newSource(t, Config{Paths: []string{dir}}).tree.openFile(file, info)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	flags, err := unix.FcntlInt(uintptr(h.fd), unix.F_GETFL, 0)
	if err != nil || flags&quietFlag(info) == 0 {
		t.Errorf("got flags %#x (%v), want the access time left alone", flags, err)
	}
}
