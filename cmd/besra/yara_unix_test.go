//go:build unix

package main

import (
	"bytes"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestShrinkingFile makes a mapped file shorter while it is read.
func TestShrinkingFile(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "f", bytes.Repeat([]byte("x"), 4*mapFrom))
	var c yaraContent
	err := c.lend("f", func(data []byte) error {
		if c.unmap == nil {
			t.Skip("files are not mapped here")
		}
		if err := os.Truncate("f", 10); err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(data, 'y') >= 0 {
			t.Error("found what is not there")
		}
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "became shorter") {
		t.Errorf("got %v, want an error that says why", err)
	}
	if c.unmap != nil {
		t.Error("the mapping was not released")
	}
}

// TestYARAPipe scans a named pipe, which has no size.
func TestYARAPipe(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "r.yar", []byte(`rule r { condition: filesize == 100000 }`))
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Skip(err)
	}
	go func() {
		_ = os.WriteFile("pipe", bytes.Repeat([]byte("x"), 100_000), 0)
	}()
	got, stderr, code := runBesra([]string{"yara", "r.yar", "pipe"})
	if got != "r pipe\n" || code != 0 {
		t.Errorf("got %q, exit %d, stderr %q", got, code, stderr)
	}
}
