package process

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
	"github.com/besra-hunt/besra/source/sourcetest"
)

func liveHost(t testing.TB) *facts.Host {
	t.Helper()
	h, err := facts.NewHost(facts.Config{Name: "h"})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// fake is a proc file system of a few made processes.
type fake struct {
	t   *testing.T
	dir string
}

func newFake(t *testing.T) fake {
	f := fake{t, t.TempDir()}
	f.write("stat", "cpu 1 2 3\nbtime 1700000000\n")
	return f
}

func (f fake) write(name, content string) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// process makes a process whose heap, from the address 4096 on, holds content;
// without an executable, a thread of the kernel.
func (f fake) process(pid, ppid int, exe, content string) {
	f.t.Helper()
	p := strconv.Itoa(pid) + "/"
	flags := 0
	if exe == "" {
		flags = flagKernel
	}
	f.write(p+"stat", fmt.Sprintf("%d (%s (x)) S %d 0 0 0 0 %d %s 250 0 0", pid, filepath.Base(exe), ppid, flags, strings.Repeat("0 ", 12)))
	f.write(p+"status", "Name:\tx\nUid:\t0\t0\t0\t0\n")
	f.write(p+"cmdline", exe+"\x00--flag\x00a b\x00")
	f.write(p+"cgroup", "0::/system.slice/docker-"+strings.Repeat("ab", 32)+".scope\n")
	f.write(p+"maps", fmt.Sprintf("1000-%x rw-p 00000000 00:00 0 [heap]\n100000-101000 r--p 00000000 08:01 9 /lib/a.so\n", 4096+len(content)))
	f.write(p+"mem", strings.Repeat("\x00", 4096)+content)
	if exe != "" {
		if err := os.Symlink(exe, filepath.Join(f.dir, p, "exe")); err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f fake) source(c Config) *Source {
	f.t.Helper()
	c.Host = liveHost(f.t)
	s, err := New(c)
	if err != nil {
		f.t.Fatal(err)
	}
	s.system = proc(f.dir)
	return s
}

// read returns what a target's regions hold, joined.
func read(t *testing.T, target besra.Target) string {
	t.Helper()
	c, err := target.Open(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", target.Name, err)
	}
	defer c.Close()
	m := c.(besra.Memory)
	var b strings.Builder
	for r := range m.Regions() {
		buf := make([]byte, r.Size)
		if n, err := m.ReadAt(buf, r.Base); err != nil || n != len(buf) {
			t.Errorf("%s: read %d of %d bytes at %#x: %v", target.Name, n, len(buf), r.Base, err)
		}
		b.Write(buf)
	}
	return b.String()
}

func TestSelection(t *testing.T) {
	f := newFake(t)
	f.process(1, 0, "/sbin/init", "i")
	f.process(2, 0, "", "")
	f.process(20, 2, "", "")
	f.process(101, 1, "/usr/sbin/sshd", "s")
	f.process(102, 101, "/usr/bin/bash", "b")
	f.process(os.Getpid(), 1, "/tmp/besra", "self")
	tests := []struct {
		name   string
		config Config
		want   []string
		gaps   []string
	}{
		{"all", Config{}, []string{"process:101:/usr/sbin/sshd", "process:102:/usr/bin/bash", "process:1:/sbin/init"}, []string{"kernel-thread", "kernel-thread", "self"}},
		{"by number", Config{PIDs: []int{102}}, []string{"process:102:/usr/bin/bash"}, nil},
		{"by name", Config{Names: []string{"ss*"}}, []string{"process:101:/usr/sbin/sshd"}, nil},
		{"by either", Config{PIDs: []int{1}, Names: []string{"bash"}}, []string{"process:102:/usr/bin/bash", "process:1:/sbin/init"}, nil},
		{"left alone", Config{Names: []string{"*"}, Skip: []string{"bash"}}, []string{"process:101:/usr/sbin/sshd", "process:1:/sbin/init"}, []string{"excluded", "kernel-thread", "kernel-thread", "self"}},
		{"none of that number", Config{PIDs: []int{999}}, nil, []string{"vanished"}},
		{"none of that name", Config{PIDs: []int{999}, Names: []string{"s*d", "x*"}}, []string{"process:101:/usr/sbin/sshd"}, []string{"unknown-name", "vanished"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r sourcetest.Recorder
			if err := f.source(tt.config).Run(t.Context(), &r); err != nil {
				t.Fatal(err)
			}
			if got := r.Names(); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			var gaps []string
			for _, g := range r.Gaps() {
				gaps = append(gaps, g.Reason)
			}
			slices.Sort(gaps)
			if !slices.Equal(gaps, tt.gaps) {
				t.Errorf("gaps: got %q, want %q", gaps, tt.gaps)
			}
		})
	}
}

func TestMemoryAndFacts(t *testing.T) {
	f := newFake(t)
	f.process(1, 0, "/sbin/init", "i")
	f.process(101, 1, "/usr/sbin/sshd (deleted)", "the heap")
	var r sourcetest.Recorder
	if err := f.source(Config{PIDs: []int{101}}).Run(t.Context(), &r); err != nil || len(r.Targets()) != 1 {
		t.Fatalf("got %d targets and error %v", len(r.Targets()), err)
	}
	target := r.Targets()[0]
	if got := read(t, target); got != "the heap" {
		t.Errorf("content: got %q", got)
	}
	if g := r.Gaps(); len(g) != 1 || g[0].Reason != ReasonRegions {
		t.Errorf("gaps: got %+v, want the regions that were left out", g)
	}
	for name, want := range map[string]string{
		"process.pid": "101", "process.name": "sshd", "process.exe": "/usr/sbin/sshd", "process.deleted": "true",
		"process.cmdline": "/usr/sbin/sshd (deleted) --flag a b", "process.uid": "0", "process.user": "root",
		"process.container": strings.Repeat("ab", 32), "process.ancestors": "[init]",
		"process.start": "2023-11-14 22:13:22.5 +0000 UTC", "host.name": "h",
	} {
		if got := target.Facts.Fact(t.Context(), name); fmt.Sprint(got.Value) != want {
			t.Errorf("%s: got %v, want %s", name, got.Value, want)
		}
	}
}

// TestAnotherProcess: a number that was given to another process since it was
// listed is not scanned under the old name.
func TestAnotherProcess(t *testing.T) {
	f := newFake(t)
	f.process(101, 1, "/usr/sbin/sshd", "s")
	var r sourcetest.Recorder
	if err := f.source(Config{}).Run(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	f.write("101/stat", "101 (sshd) S 1 "+strings.Repeat("0 ", 17)+"999 0 0")
	_, err := r.Targets()[0].Open(t.Context())
	var e *openError
	if !errors.As(err, &e) || e.Reason() != ReasonVanished {
		t.Errorf("got error %v, want that the process is gone", err)
	}
}

// TestNumberTwo: in a container, the children of number 2 are no threads of the
// kernel.
func TestNumberTwo(t *testing.T) {
	f := newFake(t)
	f.process(2, 1, "/bin/sh", "s")
	f.process(3, 2, "/bin/x", "x")
	var r sourcetest.Recorder
	if err := f.source(Config{Kinds: Anonymous}).Run(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if got, want := r.Names(), []string{"process:2:/bin/sh", "process:3:/bin/x"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestEnded: a zombie is no process any more, and one of which only the first
// thread has ended is read by another.
func TestEnded(t *testing.T) {
	f := newFake(t)
	stat := func(pid int, state string, threads int) string {
		return fmt.Sprintf("%d (x) %s 1 %s%d 0 250", pid, state, strings.Repeat("0 ", 15), threads)
	}
	f.write("100/stat", stat(100, "Z", 1))
	f.write("101/stat", stat(101, "Z", 3))
	f.write("101/maps", "")
	f.write("101/task/101/stat", stat(101, "Z", 3))
	f.write("101/task/102/stat", stat(102, "Z", 3))
	f.process(103, 1, "/bin/x", "the heap")
	if err := os.Rename(filepath.Join(f.dir, "103"), filepath.Join(f.dir, "101/task/103")); err != nil {
		t.Fatal(err)
	}
	var all, asked sourcetest.Recorder
	if err := f.source(Config{Kinds: Anonymous}).Run(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	if got, want := all.Names(), []string{"process:101:/bin/x"}; !slices.Equal(got, want) || len(all.Gaps()) != 0 {
		t.Fatalf("got %q and gaps %+v, want %q and none", got, all.Gaps(), want)
	}
	if got := read(t, all.Targets()[0]); got != "the heap" {
		t.Errorf("content: got %q", got)
	}
	if err := f.source(Config{PIDs: []int{100}}).Run(t.Context(), &asked); err != nil {
		t.Fatal(err)
	}
	if g := asked.Gaps(); len(g) != 1 || g[0].Reason != ReasonVanished {
		t.Errorf("asked for: got gaps %+v, want that it has ended", g)
	}
}

func TestParseStat(t *testing.T) {
	st, err := parseStat("7 (a) b (c) S 3 " + strings.Repeat("0 ", 17) + "42 0")
	if err != nil || st != (stat{comm: "a) b (c", ppid: 3, start: 42}) {
		t.Errorf("got %+v, %v", st, err)
	}
	if st, err := parseStat("7 (a) Z 3 " + strings.Repeat("0 ", 15) + "2 0 42"); err != nil || !st.ended || st.threads != 2 {
		t.Errorf("ended: got %+v, %v", st, err)
	}
	for _, bad := range []string{"", "7", "7 (a", "7 (a) S", ") ("} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q: got no error", bad)
		}
	}
}

func TestParseGroups(t *testing.T) {
	id := strings.Repeat("0f", 32)
	for in, want := range map[string][2]string{
		"0::/system.slice/logproc.service\n":                           {"logproc.service", ""},
		"12:cpu:/docker/" + id + "\n1:name=systemd:/docker/" + id:      {"", id},
		"0::/system.slice/docker-" + id + ".scope\n":                   {"docker-" + id + ".scope", id},
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice\n": {"user@1000.service", ""},
		"": {"", ""},
	} {
		if unit, container := parseGroups(in); unit != want[0] || container != want[1] {
			t.Errorf("%q: got %q, %q, want %q", in, unit, container, want)
		}
	}
}

// TestContract runs the suite of sources on made processes. Their content is
// memory, which the suite reads as no bytes.
func TestContract(t *testing.T) {
	sourcetest.Test(t, func(t *testing.T) sourcetest.Place {
		f := newFake(t)
		want := map[string][]byte{}
		for i := range sourcetest.MinTargets {
			f.process(1000+i, 1, "/bin/x", "content")
			want[fmt.Sprintf("process:%d:/bin/x", 1000+i)] = nil
		}
		return sourcetest.Place{Source: f.source(Config{Kinds: All}), Want: want,
			Remove: func(name string) error {
				return os.RemoveAll(filepath.Join(f.dir, strings.Split(name, ":")[1]))
			}}
	})
}

// childOf is the environment variable that makes a run of the test a child.
const childOf = "BESRA_TEST_CHILD"

// childText is what a child has in its memory and no other process has.
func childText(pid int) string {
	return strings.ToUpper("BinStore enabled implants.") + strconv.Itoa(pid)
}

// live is what a child does: it says a line and waits until its parent is done.
func live(line string) {
	fmt.Println(line)
	io.Copy(io.Discard, os.Stdin)
}

// startChild runs the test again as a child that lives as long as the test, and
// returns the line that it says.
func startChild(t *testing.T) (pid int, line string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	child.Env = append(os.Environ(), childOf+"=1")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); io.Copy(io.Discard, out); child.Wait() })
	line, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return child.Process.Pid, strings.TrimSpace(line)
}

// openChild opens the memory of a child, until the test ends.
func openChild(t *testing.T, pid int) (besra.Target, besra.Memory) {
	t.Helper()
	s, err := New(Config{Host: liveHost(t), PIDs: []int{pid}})
	if err != nil {
		t.Fatal(err)
	}
	var r sourcetest.Recorder
	if err := s.Run(t.Context(), &r); err != nil || len(r.Targets()) != 1 {
		t.Fatalf("got %d targets, error %v and gaps %+v", len(r.Targets()), err, r.Gaps())
	}
	target := r.Targets()[0]
	c, err := target.Open(t.Context())
	if errors.Is(err, os.ErrPermission) {
		t.Skip("no right to read the memory of a child")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return target, c.(besra.Memory)
}

// find returns the addresses of a text.
func find(m besra.Memory, text string) (at []int64) {
	for r := range m.Regions() {
		b := make([]byte, r.Size)
		n, _ := m.ReadAt(b, r.Base)
		for from := 0; ; from++ {
			i := bytes.Index(b[from:n], []byte(text))
			if i < 0 {
				break
			}
			from += i
			at = append(at, r.Base+int64(from))
		}
	}
	return at
}

// TestLiveProcess reads the memory of a child that holds the text.
func TestLiveProcess(t *testing.T) {
	if os.Getenv(childOf) != "" {
		text := childText(os.Getpid())
		live(text[:1])
		fmt.Fprint(io.Discard, text)
		return
	}
	pid, _ := startChild(t)
	target, m := openChild(t, pid)
	if len(find(m, childText(pid))) == 0 {
		t.Error("the text is in no region")
	}
	if got := target.Facts.Fact(t.Context(), "process.sha256"); !got.Known() {
		t.Errorf("process.sha256: %s", got.Source)
	}
}

// TestReserved reads the memory of a child that has reserved much and touched
// next to nothing of it.
func TestReserved(t *testing.T) {
	const flags = syscall.MAP_PRIVATE | syscall.MAP_ANON | syscall.MAP_NORESERVE
	var reserve int64 = 8 << 30
	if os.Getenv(childOf) != "" {
		b, err := syscall.Mmap(-1, 0, int(reserve), syscall.PROT_READ|syscall.PROT_WRITE, flags)
		if err != nil {
			live(err.Error())
			return
		}
		there := b[reserve/8*5+100:]
		copy(there, childText(os.Getpid()))
		live(fmt.Sprintf("%p", there))
		return
	}
	pid, line := startChild(t)
	want, err := strconv.ParseInt(line, 0, 64)
	if err != nil {
		t.Skip("a child cannot reserve memory: " + line)
	}
	_, m := openChild(t, pid)
	size := int64(0)
	for r := range m.Regions() {
		size += r.Size
	}
	if size > reserve/8 {
		t.Fatalf("regions of %d bytes are read, want those that are touched", size)
	}
	if at := find(m, childText(pid)); !slices.Contains(at, want) {
		t.Errorf("found at %#x, want %#x", at, want)
	}
}
