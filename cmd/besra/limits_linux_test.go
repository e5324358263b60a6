package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestHuntMaxMemory gives a hunt archives of which each unpacks to more than it
// may have, and one that fits: it stays below, finds what fits, and counts the
// rest.
func TestHuntMaxMemory(t *testing.T) {
	if racing {
		t.Skip("the race detector takes more memory than the limit leaves")
	}
	const most = 192 << 20
	dir := t.TempDir()
	large := packedZeros(t, 256)
	for _, name := range []string{"a", "b", "c"} {
		write(t, filepath.Join(dir, name+".gz"), large)
	}
	write(t, filepath.Join(dir, "small.gz"), packedZeros(t, 1))
	write(t, filepath.Join(dir, "a.yar"), []byte(`rule A { strings: $a = "BinStore enabled implants." condition: $a }`))
	cmd := exec.Command(os.Args[0])
	cmd.Args, cmd.Dir = []string{"besra", "hunt", "-p", "a.yar", "-j", "4", "--max-memory", "192MiB", "--include", "*.gz", "."}, dir // see testscript.Main
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	if !strings.Contains(out.String(), "small.gz!small") || !strings.Contains(out.String(), "limit 3") {
		t.Errorf("got %s: want a finding in the small one, and 3 skipped", out.String())
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if got := usage.Maxrss << 10; got > most {
		t.Errorf("peak memory %d MiB, allowed are %d", got>>20, int64(most)>>20)
	}
}

// packedZeros packs some MiB of zeros with the marker behind them.
func packedZeros(t *testing.T, mib int) []byte {
	t.Helper()
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range mib {
		z.Write(zeros)
	}
	z.Write([]byte(marker))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
