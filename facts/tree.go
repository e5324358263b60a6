package facts

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// tree reads a host's files by their path on that host. Only regular files
// open, so that a pipe in a hostile root cannot hold us up.
type tree interface {
	open(path string) (opened, error)
	lstat(path string) (fs.FileInfo, error)
	readlink(path string) (string, error)
	// names lists a directory.
	names(path string) ([]string, error)
}

// opened is a record of a host that is read: an [os.File], or what a foreign
// root that is no directory gives.
type opened interface {
	fs.File
	io.ReaderAt
}

// liveTree is this host.
type liveTree struct{}

func (liveTree) open(path string) (opened, error) {
	return regular(os.OpenFile(filepath.FromSlash(path), os.O_RDONLY|syscall.O_NONBLOCK, 0))
}

func (liveTree) lstat(path string) (fs.FileInfo, error) { return os.Lstat(filepath.FromSlash(path)) }

func (liveTree) readlink(path string) (string, error) { return os.Readlink(filepath.FromSlash(path)) }

func (liveTree) names(path string) ([]string, error) {
	return listed(os.Open(filepath.FromSlash(path)))
}

// rootTree is a foreign root. Links are followed inside it and never out of it.
type rootTree struct{ root *os.Root }

// inside turns the path on the host into one relative to the root.
func inside(path string) string {
	if rel := strings.TrimLeft(path, "/"); rel != "" {
		return filepath.FromSlash(rel)
	}
	return "."
}

func (t rootTree) open(path string) (opened, error) {
	return regular(t.root.OpenFile(inside(path), os.O_RDONLY|syscall.O_NONBLOCK, 0))
}

func (t rootTree) lstat(path string) (fs.FileInfo, error) { return t.root.Lstat(inside(path)) }

func (t rootTree) readlink(path string) (string, error) { return t.root.Readlink(inside(path)) }

func (t rootTree) names(path string) ([]string, error) { return listed(t.root.Open(inside(path))) }

var errIrregular = errors.New("not a regular file")

func regular(f *os.File, err error) (opened, error) {
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errIrregular
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func listed(f *os.File, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// maxRecord bounds each of a host's own records that is read: a passwd file, a
// package index. What is larger is not what it claims to be.
const maxRecord = 64 << 20

// eachLine calls do for each line of the file at path, without its line end.
// The line is valid during the call only.
func eachLine(t tree, path string, do func(n int, line []byte) error) error {
	f, err := t.open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return scanLines(f, do)
}

func scanLines(r io.Reader, do func(n int, line []byte) error) error {
	limited := &io.LimitedReader{R: r, N: maxRecord}
	lines := bufio.NewScanner(limited)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if err := do(n, lines.Bytes()); err != nil {
			return err
		}
	}
	if limited.N == 0 {
		return fmt.Errorf("longer than %d MiB", maxRecord>>20)
	}
	return lines.Err()
}

var errStop = errors.New("enough")

// firstLine returns the first line of the file at path that is not empty.
func firstLine(t tree, path string) (string, error) {
	found := ""
	err := eachLine(t, path, func(_ int, line []byte) error {
		if found = strings.TrimSpace(string(line)); found != "" {
			return errStop
		}
		return nil
	})
	if err == nil {
		err = errors.New("empty")
	}
	if err == errStop {
		err = nil
	}
	return found, err
}
