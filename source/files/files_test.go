package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/sourcetest"
)

// plant writes a file, and the directories it needs, below dir.
func plant(t testing.TB, dir, name, content string) string {
	t.Helper()
	p := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

func symlink(t testing.TB, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Skip("no right to make links here:", err)
	}
}

// realDir is a new directory, named without links.
func realDir(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func newSource(t testing.TB, c Config) *Source {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// walked runs the source to its end.
func walked(t testing.TB, s *Source) *sourcetest.Recorder {
	t.Helper()
	r := &sourcetest.Recorder{}
	if err := s.Run(context.Background(), r); err != nil {
		t.Fatalf("Run: got error %v, want none", err)
	}
	return r
}

// names lists the names of the targets below dir, relative to it.
func names(r *sourcetest.Recorder, dir string) []string {
	var list []string
	for _, n := range r.Names() {
		list = append(list, strings.TrimPrefix(n, canonical(dir)+"/"))
	}
	return list
}

// gaps lists the gaps as "kind reason target count", relative to dir, sorted.
func gaps(r *sourcetest.Recorder, dir string) []string {
	var list []string
	for _, g := range r.Gaps() {
		target := strings.TrimPrefix(strings.TrimPrefix(string(g.Target), canonical(dir)), "/")
		list = append(list, fmt.Sprintf("%s %s %q %d", g.Kind, g.Reason, target, g.Count))
	}
	slices.Sort(list)
	return list
}

func check(t *testing.T, what string, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// contractTree plants files of every size that matters.
func contractTree(t *testing.T, dir string) map[string][]byte {
	want := map[string][]byte{}
	add := func(name, content string) {
		want[name] = []byte(content)
		plant(t, dir, name, content)
	}
	add("empty", "")
	add("one", "1")
	add("deep/er/and/deep/er/file", "deep")
	add("full buffer", strings.Repeat("b", maxBuffered))
	add("mapped", strings.Repeat("m", maxBuffered+1))
	add("mapped pages", strings.Repeat("p", 2*maxBuffered))
	for i := range sourcetest.MinTargets {
		add(fmt.Sprintf("many/%d/%d.txt", i%7, i), fmt.Sprint(i))
	}
	return want
}

func TestContract(t *testing.T) {
	sourcetest.Test(t, func(t *testing.T) sourcetest.Place {
		dir := realDir(t)
		want := map[string][]byte{}
		for name, content := range contractTree(t, dir) {
			want[canonical(dir)+"/"+name] = content
		}
		symlink(t, "one", filepath.Join(dir, "link"))
		return sourcetest.Place{
			Source: newSource(t, Config{Paths: []string{dir, filepath.Join(dir, "missing")}}),
			Want:   want, Gaps: []string{ReasonSymlink, ReasonNotFound},
			Remove: func(name string) error { return os.Remove(filepath.FromSlash(name)) },
		}
	})
}

func TestContractInRoot(t *testing.T) {
	sourcetest.Test(t, func(t *testing.T) sourcetest.Place {
		dir := realDir(t)
		want := map[string][]byte{}
		for name, content := range contractTree(t, dir) {
			want["/"+name] = content
		}
		plant(t, dir, ".besra-owners", "/one 5 5 0600\n")
		return sourcetest.Place{
			Source: newSource(t, Config{Root: dir, Paths: []string{"/"}}),
			Want:   want, Gaps: []string{ReasonManifest},
			Remove: func(name string) error { return os.Remove(filepath.Join(dir, filepath.FromSlash(name))) },
		}
	})
}

func TestNewRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]Config{
		"no paths":         {},
		"malformed glob":   {Paths: []string{dir}, Exclude: []string{"ok", "[a"}},
		"empty glob":       {Paths: []string{dir}, Include: []string{"/"}},
		"no such root":     {Paths: []string{"/"}, Root: filepath.Join(dir, "none")},
		"root is a file":   {Paths: []string{"/"}, Root: plant(t, dir, "f", "")},
		"broken manifest":  {Paths: []string{"/"}, Root: filepath.Dir(plant(t, dir, "r/.besra-owners", "nonsense"))},
		"host without it":  {Paths: []string{"/"}, Root: dir, Host: newSource(t, Config{Paths: []string{dir}}).Host()},
		"root for no host": {Paths: []string{"/"}, Host: newSource(t, Config{Paths: []string{"/"}, Root: dir}).Host()},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := New(c); err == nil {
				t.Error("got no error")
			}
		})
	}
}

func TestGlobs(t *testing.T) {
	dir := realDir(t)
	for _, f := range []string{"a.py", "a.txt", "sub/b.py", "sub/c.txt", "cache/d.py", "cache/e/f.py", "sub/cache/g.py"} {
		plant(t, dir, f, "x")
	}
	for _, c := range []struct {
		name             string
		include, exclude []string
		want, gaps       []string
	}{
		{"name anywhere", []string{"*.py"}, nil,
			[]string{"a.py", "cache/d.py", "cache/e/f.py", "sub/b.py", "sub/cache/g.py"},
			[]string{`skip excluded "a.txt" 1`, `skip excluded "sub/c.txt" 1`}},
		{"directories anywhere", nil, []string{"cache"},
			[]string{"a.py", "a.txt", "sub/b.py", "sub/c.txt"},
			[]string{`skip excluded "cache" 1`, `skip excluded "sub/cache" 1`}},
		{"from the top", nil, []string{canonical(dir) + "/cache/**"},
			[]string{"a.py", "a.txt", "sub/b.py", "sub/c.txt", "sub/cache/g.py"},
			[]string{`skip excluded "cache" 1`}},
		{"a path anywhere", nil, []string{"sub/*.txt"},
			[]string{"a.py", "a.txt", "cache/d.py", "cache/e/f.py", "sub/b.py", "sub/cache/g.py"},
			[]string{`skip excluded "sub/c.txt" 1`}},
		{"both", []string{"*.py"}, []string{"cache/"},
			[]string{"a.py", "sub/b.py"},
			[]string{`skip excluded "a.txt" 1`, `skip excluded "cache" 1`, `skip excluded "sub/c.txt" 1`, `skip excluded "sub/cache" 1`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := walked(t, newSource(t, Config{Paths: []string{dir}, Include: c.include, Exclude: c.exclude}))
			check(t, "targets", names(r, dir), c.want)
			check(t, "gaps", gaps(r, dir), c.gaps)
		})
	}
}

func TestGivenPaths(t *testing.T) {
	dir := realDir(t)
	file := plant(t, dir, "tree/sub/file", "x")
	plant(t, dir, "tree/other", "x")
	tree, sub := filepath.Join(dir, "tree"), filepath.Join(dir, "tree", "sub")
	for _, c := range []struct {
		name       string
		paths      []string
		want, gaps []string
	}{
		{"a file", []string{file}, []string{"tree/sub/file"}, nil},
		{"twice", []string{file, file, sub + "/../sub/file"}, []string{"tree/sub/file"}, nil},
		{"nested", []string{tree, sub, file}, []string{"tree/other", "tree/sub/file"}, nil},
		{"nested, the other way", []string{file, sub, tree}, []string{"tree/other", "tree/sub/file"}, nil},
		{"missing", []string{filepath.Join(dir, "none"), file}, []string{"tree/sub/file"}, []string{`error not_found "none" 1`}},
		{"below a file", []string{filepath.Join(file, "none")}, nil, []string{`error not_found "tree/sub/file/none" 1`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := walked(t, newSource(t, Config{Paths: c.paths}))
			check(t, "targets", names(r, dir), c.want)
			check(t, "gaps", gaps(r, dir), c.gaps)
		})
	}
}

func TestRelativePath(t *testing.T) {
	dir := realDir(t)
	plant(t, dir, "file", "x")
	t.Chdir(dir)
	r := walked(t, newSource(t, Config{Paths: []string{"."}}))
	check(t, "targets", r.Names(), []string{canonical(dir) + "/file"})
}

func TestMaxSize(t *testing.T) {
	dir := realDir(t)
	plant(t, dir, "fits", "1234")
	plant(t, dir, "large", "12345")
	r := walked(t, newSource(t, Config{Paths: []string{dir}, MaxSize: 4}))
	check(t, "targets", names(r, dir), []string{"fits"})
	check(t, "gaps", gaps(r, dir), []string{`skip too_large "large" 1`})
}

// TestErrors puts the system's errors where a test that runs as root cannot
// have them for real.
func TestErrors(t *testing.T) {
	dir := realDir(t)
	plant(t, dir, "ok", "x")
	plant(t, dir, "bad/file", "x")
	plant(t, dir, "bad/other", "x")
	for _, c := range []struct {
		op, path   string
		err        error
		want, gaps []string
	}{
		{"list", "bad", os.ErrPermission, []string{"ok"}, []string{`error permission "bad" 1`}},
		{"list", "bad", os.ErrNotExist, []string{"ok"}, []string{`error vanished "bad" 1`}},
		{"list", "bad", errors.New("broken disk"), []string{"ok"}, []string{`error io "bad" 1`}},
		{"stat", "bad/file", os.ErrNotExist, []string{"bad/other", "ok"}, []string{`error vanished "bad/file" 1`}},
		{"stat", "bad/", os.ErrPermission, []string{"ok"}, []string{`error permission "bad" 2`}},
	} {
		t.Run(c.op+" "+c.err.Error(), func(t *testing.T) {
			s := newSource(t, Config{Paths: []string{dir}})
			s.fault = faultAt(c.op, canonical(dir)+"/"+c.path, c.err)
			r := walked(t, s)
			check(t, "targets", names(r, dir), c.want)
			check(t, "gaps", gaps(r, dir), c.gaps)
		})
	}
}

// faultAt fails op on a path, or on all below it if that ends with a slash.
func faultAt(op, at string, err error) func(string, string) error {
	return func(o, p string) error {
		if o == op && (p == at || strings.HasSuffix(at, "/") && strings.HasPrefix(p, at)) {
			return &os.PathError{Op: op, Path: p, Err: err}
		}
		return nil
	}
}

func TestOpenErrors(t *testing.T) {
	dir := realDir(t)
	plant(t, dir, "file", "x")
	for _, c := range []struct {
		op     string
		err    error
		reason string
	}{
		{"open", os.ErrPermission, ReasonPermission},
		{"open", os.ErrNotExist, ReasonVanished},
		{"read", errors.New("broken disk"), ReasonIO},
	} {
		s := newSource(t, Config{Paths: []string{dir}})
		s.fault = faultAt(c.op, canonical(dir)+"/file", c.err)
		_, err := walked(t, s).Targets()[0].Open(context.Background())
		var open *OpenError
		if !errors.As(err, &open) || open.Reason() != c.reason || !errors.Is(err, c.err) {
			t.Errorf("Open with %v at %s: got error %#v, want an OpenError of reason %s", c.err, c.op, err, c.reason)
		}
	}
}

func TestGrowingFile(t *testing.T) {
	dir := realDir(t)
	for name, size := range map[string]int{"small": 10, "mapped": maxBuffered + 10} {
		file := plant(t, dir, name, strings.Repeat("a", size))
		s := newSource(t, Config{Paths: []string{file}})
		// It grows after it was opened and before it is read.
		s.fault = func(op, p string) error {
			if op == "read" {
				f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
				if err != nil {
					return err
				}
				defer f.Close()
				_, err = f.WriteString("more")
				return err
			}
			return nil
		}
		c, err := walked(t, s).Targets()[0].Open(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Bytes()) != size {
			t.Errorf("%s: got %d bytes, want the %d of when it was opened", name, len(c.Bytes()), size)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestShrinkingFile(t *testing.T) {
	dir := realDir(t)
	file := plant(t, dir, "small", "0123456789")
	s := newSource(t, Config{Paths: []string{file}})
	s.fault = func(op, p string) error {
		if op == "read" {
			return os.Truncate(file, 4)
		}
		return nil
	}
	c, err := walked(t, s).Targets()[0].Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := string(c.Bytes()); got != "0123" {
		t.Errorf("got %q, want %q", got, "0123")
	}
}

// TestFactsAreOfTheOpenedFile replaces a file between the walk and its opening.
func TestFactsAreOfTheOpenedFile(t *testing.T) {
	dir := realDir(t)
	file := plant(t, dir, "file", "old")
	target := walked(t, newSource(t, Config{Paths: []string{dir}})).Targets()[0]
	plant(t, dir, "file.new", "replaced")
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	c, err := target.Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := target.Facts.Fact(context.Background(), "file.size").Value; got != int64(len(c.Bytes())) {
		t.Errorf("file.size: got %v, want %d, the size of what was opened", got, len(c.Bytes()))
	}
}

// TestStreams checks that a directory is not read ahead of a receiver that is
// slow: memory must not grow with the directory.
func TestStreams(t *testing.T) {
	dir := realDir(t)
	for i := range 3 * batch {
		plant(t, dir, fmt.Sprint(i), "")
	}
	s := newSource(t, Config{Paths: []string{dir}, Workers: 4})
	looked := 0
	s.fault = func(op, _ string) error {
		if op == "stat" {
			looked++ // one directory has one walker
		}
		return nil
	}
	given := 0
	r := &sourcetest.Recorder{On: func(besra.Target) error {
		if given++; looked > given {
			t.Errorf("looked at %d files when %d were handed on", looked, given)
		}
		return nil
	}}
	if err := s.Run(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	if given != 3*batch {
		t.Errorf("got %d targets, want %d", given, 3*batch)
	}
}

// TestManyDirectories has more directories in one place than are set aside.
func TestManyDirectories(t *testing.T) {
	dir := realDir(t)
	const n = maxPending + 100
	for i := range n {
		plant(t, dir, fmt.Sprintf("%d/f", i), "")
	}
	r := walked(t, newSource(t, Config{Paths: []string{dir}, Workers: 2}))
	if got := len(r.Targets()); got != n {
		t.Errorf("got %d targets, want %d", got, n)
	}
	check(t, "gaps", gaps(r, dir), nil)
}

func TestCanonicalWindows(t *testing.T) {
	for in, want := range map[string]string{
		`C:\Users\me\a.txt`:              "C:/Users/me/a.txt",
		`c:\`:                            "C:/",
		`c:`:                             "C:/",
		`c:/Mixed\Slashes/`:              "C:/Mixed/Slashes",
		`C:\a\..\b\.\c`:                  "C:/b/c",
		`C:\..\..\x`:                     "C:/x",
		`\\?\C:\very\long`:               "C:/very/long",
		`\??\d:\nt`:                      "D:/nt",
		`\\.\C:\x`:                       "C:/x",
		`\\server\share\dir\f`:           "//server/share/dir/f",
		`\\?\UNC\server\share\f`:         "//server/share/f",
		`\\?\unc\server\share\..\..\..\`: "//",
		`\\?\GLOBALROOT\Device\X`:        "//?/GLOBALROOT/Device/X",
		`\\.\PhysicalDrive0`:             "//./PhysicalDrive0",
	} {
		if got := canonicalWindows(in); got != want {
			t.Errorf("canonicalWindows(%q): got %q, want %q", in, got, want)
		}
	}
}

func FuzzCanonicalWindows(f *testing.F) {
	for _, s := range []string{`C:\a`, `\\?\UNC\a\b`, `\??\c:`, ``, `\\.\c:\..`, `.\c:.`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := canonicalWindows(s)
		if strings.Contains(once, `\`) {
			t.Errorf("canonicalWindows(%q) = %q keeps a backslash", s, once)
		}
		if hasDrive(once) && canonicalWindows(once) != once {
			t.Errorf("canonicalWindows(%q) = %q, and of that %q", s, once, canonicalWindows(once))
		}
	})
}

func TestAncestors(t *testing.T) {
	for p, want := range map[string][]string{
		"/a/b":     {"/a/b", "/a", "/"},
		"/":        {"/"},
		"C:/a/b":   {"C:/a/b", "C:/a", "C:/"},
		"relative": {"relative"},
	} {
		var got []string
		ancestors(p, func(s string) bool { got = append(got, s); return true })
		check(t, p, got, want)
	}
}
