//go:build unix

package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/ledger"
	"github.com/besra-hunt/besra/report"
	"github.com/google/go-cmp/cmp"
)

// slowRule takes its time on each target, so that a kill comes in the middle.
const slowRule = `rule Slow { strings: $a = "BinStore enabled implants." condition: $a and for all i in (0..1000) : (i < 30000) }`

// TestResumeAfterKill kills a hunt at random points, goes on with it each time,
// and compares what it found in the end with a hunt that nobody disturbed.
func TestResumeAfterKill(t *testing.T) {
	dir := t.TempDir()
	writeHaystack(t, filepath.Join(dir, "data"))
	write(t, filepath.Join(dir, "slow.yar"), []byte(slowRule))
	whole, code := huntIn(t, dir, -1, syscall.SIGKILL, "--pack", "slow.yar", "-f", "ndjson", "data", "nowhere")
	if code != exitDone {
		t.Fatalf("undisturbed: exit %d", code)
	}
	args := []string{"--pack", "slow.yar", "-f", "ndjson", "--checkpoint", "run.ckpt", "--ledger", "ledger", "data", "nowhere"}
	step, want := 8, 24
	if testing.Short() {
		step, want = 30, 2
	}
	out, kills := huntUntilDone(t, dir, step, args...)
	compareRuns(t, whole, out)
	compareLedger(t, whole, filepath.Join(dir, "ledger"))
	if kills < want {
		t.Errorf("it was done after %d kills: too few to mean anything", kills)
	}
	t.Logf("killed %d times", kills)
	if _, err := os.Stat(filepath.Join(dir, "run.ckpt")); err == nil {
		t.Error("the checkpoint of a finished hunt is still there")
	}
}

// huntUntilDone stops a hunt at random points, each within so many lines of what it
// had written before, and goes on with it each time. It returns the last output,
// and how often it was stopped.
func huntUntilDone(t *testing.T, dir string, step int, args ...string) (out []byte, stops int) {
	rng := rand.New(rand.NewPCG(1, 2))
	for seen := 0; stops < 100; stops++ {
		sig := syscall.SIGKILL
		if stops%5 == 4 {
			sig = os.Interrupt.(syscall.Signal)
		}
		out, code := huntIn(t, dir, seen+rng.IntN(step), sig, args...)
		if code == exitDone {
			return out, stops
		}
		if _, err := os.Stat(filepath.Join(dir, "run.ckpt")); err == nil {
			args = []string{"--resume", "run.ckpt"}
			seen = bytes.Count(out, []byte("\n"))
		}
	}
	t.Fatalf("it is not done although it was stopped %d times", stops)
	return nil, 0
}

// writeHaystack writes files of which every third has the marker, some in archives.
func writeHaystack(t *testing.T, dir string) {
	for i := range 300 {
		text := []byte(fmt.Sprintf("file %d\n", i))
		if i%3 == 0 {
			text = append(text, marker...)
		}
		name := fmt.Sprintf("%s/%d/%d/f%d", dir, i%3, i%7, i)
		if i%25 == 0 {
			name, text = name+".zip", zipOf(t, text)
		}
		write(t, name, text)
	}
}

func zipOf(t *testing.T, text []byte) []byte {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range []string{"a", "b"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(text)
	}
	z.Close()
	return buf.Bytes()
}

func write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// huntIn runs a hunt in a directory and sends it a signal once it has written so
// many lines; none where lines is negative. It returns its output and exit code.
func huntIn(t *testing.T, dir string, lines int, sig syscall.Signal, args ...string) ([]byte, int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Args, cmd.Dir = append([]string{"besra", "hunt"}, args...), dir // see testscript.Main
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var out []byte
	in := bufio.NewReader(stdout)
	for n := 0; ; n++ {
		if n == lines {
			cmd.Process.Signal(sig)
		}
		line, err := in.ReadBytes('\n')
		out = append(out, line...)
		if err != nil {
			break
		}
	}
	cmd.Wait()
	code := cmd.ProcessState.ExitCode()
	if code != exitDone && code != exitInterrupted && code != -1 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	if code == exitInterrupted && len(args) > 3 && !strings.Contains(stderr.String(), "checkpoint kept: besra hunt --resume run.ckpt goes on") {
		t.Errorf("stderr %q does not say how to go on", stderr.String())
	}
	return out, code
}

// outcome is what a record of a run says, without what differs from run to run.
type outcome struct {
	Findings map[string]int
	Gaps     map[string]int64
	Summary  besra.Summary
}

func outcomeOf(t *testing.T, ndjson []byte) outcome {
	o := outcome{Findings: map[string]int{}, Gaps: map[string]int64{}}
	for rec, err := range report.Read(bytes.NewReader(ndjson)) {
		switch {
		case err != nil:
			t.Fatal(err)
		case rec.Finding != nil:
			o.Findings[rec.Finding.ID]++
		case rec.Gap != nil:
			o.Gaps[string(rec.Gap.Target)+": "+rec.Gap.Reason] += rec.Gap.Count
		case rec.Summary != nil:
			o.Summary = *rec.Summary
			o.Summary.Duration = 0
		}
	}
	return o
}

func compareRuns(t *testing.T, want, got []byte) {
	t.Helper()
	if diff := cmp.Diff(outcomeOf(t, want), outcomeOf(t, got)); diff != "" {
		t.Errorf("resumed (+) and undisturbed (-) differ:\n%s", diff)
	}
}

// compareLedger holds the ledger to the record: each finding is there, and none
// else; one that was under way at a kill may have been made twice.
func compareLedger(t *testing.T, record []byte, name string) {
	t.Helper()
	h, err := ledger.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	want := outcomeOf(t, record).Findings
	for _, item := range h.Findings {
		if want[item.Finding.ID] == 0 {
			t.Errorf("the ledger has the finding %s of %s, the record has not", item.Finding.ID, item.Finding.Target.Name)
		}
		delete(want, item.Finding.ID)
	}
	if len(want) > 0 {
		t.Errorf("the ledger lacks %d findings", len(want))
	}
}
