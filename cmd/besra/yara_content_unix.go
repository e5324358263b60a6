//go:build unix

package main

import (
	"io"
	"io/fs"

	"golang.org/x/sys/unix"
)

// yaraFile is an open file. Other than an os.File it is not made known to the
// runtime's poller, which takes more time than to read a small file.
type yaraFile struct{ fd int }

func openYARAFile(name string) (yaraFile, error) {
	fd, err := uninterrupted(func() (int, error) { return unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return yaraFile{}, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return yaraFile{fd}, nil
}

// stat returns the size and, of the mode, what kind of file it is.
func (f yaraFile) stat() (mode fs.FileMode, size int64, err error) {
	var s unix.Stat_t
	if err := unix.Fstat(f.fd, &s); err != nil {
		return 0, 0, err
	}
	switch s.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return 0, s.Size, nil
	case unix.S_IFDIR:
		return fs.ModeDir, s.Size, nil
	}
	return fs.ModeIrregular, s.Size, nil
}

// Read implements [io.Reader].
func (f yaraFile) Read(p []byte) (int, error) {
	n, err := uninterrupted(func() (int, error) { return unix.Read(f.fd, p) })
	if n == 0 && err == nil && len(p) > 0 {
		err = io.EOF
	}
	return max(n, 0), err
}

// Close implements [io.Closer].
func (f yaraFile) Close() error { return unix.Close(f.fd) }

// mmap maps the first n bytes, to be read from front to back.
func (f yaraFile) mmap(n int) (data []byte, unmap func() error, err error) {
	data, err = unix.Mmap(f.fd, 0, n, unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, err
	}
	_ = unix.Madvise(data, unix.MADV_SEQUENTIAL) // only advice
	return data, func() error { return unix.Munmap(data) }, nil
}

// uninterrupted repeats a call that a signal interrupted.
func uninterrupted(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}
