//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps the first n bytes of a file, to be read from front to back.
func mapFile(f *os.File, n int) (data []byte, unmap func() error, err error) {
	data, err = unix.Mmap(int(f.Fd()), 0, n, unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, err
	}
	_ = unix.Madvise(data, unix.MADV_SEQUENTIAL) // only advice
	return data, func() error { return unix.Munmap(data) }, nil
}
