package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestDiff applies diffs with the installed patch: each must lead from the one
// text to the other.
func TestDiff(t *testing.T) {
	patch, err := exec.LookPath("patch")
	if err != nil {
		t.Skip("no patch is installed")
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		before := randomLines(r, 40)
		after := bytes.Clone(before)
		for range r.IntN(5) {
			lines := bytes.SplitAfter(after, []byte("\n"))
			i := r.IntN(len(lines))
			lines[i] = randomLines(r, 3)
			after = bytes.Join(lines, nil)
		}
		if r.IntN(4) == 0 {
			after = bytes.TrimSuffix(after, []byte("\n"))
		}
		checkPatch(t, patch, before, after)
	}
}

func randomLines(r *rand.Rand, most int) (text []byte) {
	for range r.IntN(most) {
		text = append(text, "abc"[r.IntN(3)], '\n')
	}
	return text
}

func checkPatch(t *testing.T, patch string, before, after []byte) {
	t.Helper()
	var diff bytes.Buffer
	if err := writeDiff(&diff, "file", before, after); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(before, after) {
		if diff.Len() > 0 {
			t.Errorf("equal texts differ: %s", diff.String())
		}
		return
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	writeFile(t, name, before)
	cmd := exec.Command(patch, "-s", name)
	cmd.Stdin = bytes.NewReader(diff.Bytes())
	out, err := cmd.CombinedOutput()
	got, _ := os.ReadFile(name)
	if err != nil || !bytes.Equal(got, after) {
		t.Errorf("%v %s\nfrom %q\ngot  %q\nwant %q\n%s", err, out, before, got, after, diff.String())
	}
}
