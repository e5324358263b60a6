//go:build !unix

package main

import (
	"errors"
	"io/fs"
	"os"
)

// yaraFile is an open file.
type yaraFile struct{ *os.File }

func openYARAFile(name string) (yaraFile, error) {
	f, err := os.Open(name)
	return yaraFile{f}, err
}

func (f yaraFile) stat() (mode fs.FileMode, size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	return info.Mode(), info.Size(), nil
}

// mmap maps no files here: they are read.
func (f yaraFile) mmap(int) ([]byte, func() error, error) {
	return nil, nil, errors.ErrUnsupported
}
