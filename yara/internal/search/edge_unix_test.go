//go:build linux || darwin

package search

import (
	"os"
	"syscall"
	"testing"
)

// edged copies data to where a look behind its end, or before its start, is a
// fault.
func edged(t testing.TB, data []byte, behind bool) []byte {
	page := os.Getpagesize()
	size := (len(data)+page-1)/page*page + 2*page
	pages, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(pages); err != nil {
			t.Error(err)
		}
	})
	for _, guard := range [][]byte{pages[:page], pages[size-page:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	at := page
	if behind {
		at = size - page - len(data)
	}
	edged := pages[at : at+len(data) : at+len(data)]
	copy(edged, data)
	return edged
}
