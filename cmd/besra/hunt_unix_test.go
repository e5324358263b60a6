//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// hunt runs `besra hunt` and returns its output and exit code.
func hunt(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(append([]string{"hunt"}, args...), stdio{in: strings.NewReader(""), out: &out, err: &errs})
	return out.String(), errs.String(), code
}

const marker = `print("BinStore enabled implants.")` + "\n"

// TestHuntHostileTree hunts a tree with everything that is no plain file.
func TestHuntHostileTree(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Skip(err) // a file system that refuses the name
		}
	}
	write("new\nline", marker)
	write("bad\xff\xfeutf8", marker)
	write("esc\x1b[31m", marker)
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("..", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := hunt(t, dir)
	if code != exitDone || !strings.Contains(stderr, "3 targets, 3 matches") {
		t.Errorf("exit %d, stderr %q: want 3 targets and 3 matches", code, stderr)
	}
	if strings.Contains(stdout, "new\nline") || strings.Contains(stdout, "\x1b[31m") || strings.Contains(stdout, "\xff") {
		t.Errorf("a hostile name reached the table raw:\n%q", stdout)
	}
	for _, want := range []string{`new\x0aline`, "fifo 1", "symlink 1"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the table lacks %q:\n%s", want, stdout)
		}
	}
	checkExactNames(t, dir)
}

// checkExactNames reads the names back from the master record.
func checkExactNames(t *testing.T, dir string) {
	t.Helper()
	stdout, _, _ := hunt(t, "--format", "ndjson", dir)
	names := map[string]bool{}
	for line := range strings.Lines(stdout) {
		var rec struct {
			Type   string
			Target struct{ Name json.RawMessage }
		}
		if err := json.Unmarshal([]byte(line), &rec); err == nil && rec.Type == "finding" {
			names[string(rec.Target.Name)] = true
		}
	}
	if len(names) != 3 {
		t.Fatalf("got names %v, want 3", names)
	}
	for name := range names {
		if strings.Contains(name, "utf8") {
			t.Errorf("the invalid name %s was written as text", name)
		}
	}
}

// TestHuntSparseFile hunts a file of 20 GiB of holes: it must need neither
// memory nor disk for it, and still find what stands at its end.
func TestHuntSparseFile(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 20 GiB of zeros")
	}
	name := filepath.Join(t.TempDir(), "sparse")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(marker), 20<<30); err != nil {
		t.Skip(err) // no sparse files here
	}
	_, stderr, code := hunt(t, name)
	if code != exitDone || !strings.Contains(stderr, "1 targets, 1 matches") {
		t.Errorf("exit %d, stderr %q: want 1 target and 1 match", code, stderr)
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	// In KiB on Linux, in bytes on macOS; the file is 20 times as large.
	if runtime.GOOS == "linux" && usage.Maxrss > 1<<20 {
		t.Errorf("peak memory %d KiB", usage.Maxrss)
	}
}

// TestHuntInterrupted sends the signal of Ctrl-C to a hunt that has begun on a
// file it cannot finish soon, and expects the counts so far.
func TestHuntInterrupted(t *testing.T) {
	name := filepath.Join(t.TempDir(), "sparse")
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, 1<<40); err != nil {
		t.Skip(err) // no sparse files here
	}
	cmd := exec.Command(os.Args[0])
	cmd.Args = []string{"besra", "hunt", "--format", "ndjson", name} // see testscript.Main
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, `"type":"run"`) {
		t.Fatalf("got %q, %v: want the first record", line, err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	last, err := lines.ReadString('\n')
	if err != nil || !strings.Contains(last, `"type":"summary"`) || !strings.Contains(last, `"interrupted":true`) {
		t.Errorf("got %q, %v: want the summary of an interrupted run", last, err)
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit %d, want %d; stderr %q", code, exitInterrupted, stderr.String())
	}
	if !strings.Contains(stderr.String(), "0 targets, 0 matches") {
		t.Errorf("stderr %q: want the closing line", stderr.String())
	}
}
