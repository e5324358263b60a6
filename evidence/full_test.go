//go:build linux

package evidence

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFull fills a disk: what is as large as a content that did not fit is not
// tried again, smaller ones are, and nothing once a line of the manifest does not fit.
func TestFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("a disk of its own takes root: ", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	e := open(t, Config{Dir: dir})
	large := make([]byte, 100_000)
	rand.Read(large)
	err := e.Collect(item("large", string(large)))
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("got %v, want that the disk is full", err)
	}
	if err := e.Collect(item("as large", string(large))); !errors.Is(err, ErrFull) {
		t.Errorf("as large: got %v, want ErrFull", err)
	}
	if err := e.Collect(item("small", "x")); err != nil {
		t.Errorf("small: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "rest"), large, 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
	if err := e.Collect(item("known", "x")); err != nil {
		t.Fatalf("a line that fits its page: %v", err)
	}
	for err = nil; err == nil; {
		err = e.Collect(item("known", "x"))
	}
	if err := e.Collect(item("empty", "")); !errors.Is(err, ErrFull) {
		t.Errorf("after the manifest: got %v, want ErrFull", err)
	}
	if list := entries(t, dir); len(list) < 2 || list[0].Target != "small" {
		t.Errorf("%d lines", len(list))
	}
}
