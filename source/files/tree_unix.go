//go:build unix

package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// tree opens things by their path from the top: of this host, or of a foreign
// root. Paths are resolved: a link met on the way is refused, so that a tree
// that changes cannot lead out of itself.
type tree struct {
	top  int      // descriptor of the top directory
	file *os.File // owns top
	root *os.Root // of a foreign root; nil for this host
}

func openTree(root string) (*tree, error) {
	t := &tree{}
	name := "/"
	if root != "" {
		name = root
		r, err := os.OpenRoot(root)
		if err != nil {
			return nil, err
		}
		t.root = r
	}
	fd, err := retry(func() (int, error) {
		return unix.Open(name, searchFlags|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	t.top, t.file = fd, os.NewFile(uintptr(fd), name)
	return t, nil
}

// base is the file system that the top lies on.
func (t *tree) base() device {
	if info, err := t.lstat("/"); err == nil {
		return deviceOf(info)
	}
	return 0
}

// resolve returns the real path of p and what is there.
func (t *tree) resolve(p string) (string, fs.FileInfo, error) { return resolve(t, p) }

func (t *tree) lstat(p string) (fs.FileInfo, error) {
	if t.root != nil {
		return t.root.Lstat(below(p))
	}
	return os.Lstat(p)
}

func (t *tree) readlink(p string) (string, error) {
	if t.root != nil {
		return t.root.Readlink(below(p))
	}
	return os.Readlink(p)
}

// below spells a path as relative to the top.
func below(p string) string {
	if rel := strings.TrimPrefix(p, "/"); rel != "" {
		return rel
	}
	return "."
}

// openFlags opens for reading, and neither follows a link nor waits.
const openFlags = unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NOFOLLOW

func (t *tree) openDir(p string) (*dir, error) {
	return newDir(t.open(p, openFlags|unix.O_DIRECTORY))
}

// openFile opens the file at p, which had the stat seen when it was met. It
// leaves the time of access alone where the system lets it.
func (t *tree) openFile(p string, seen fs.FileInfo) (handle, error) {
	flags := openFlags | unix.O_NONBLOCK | unix.O_NOCTTY
	if quiet := quietFlag(seen); quiet != 0 {
		fd, err := t.open(p, flags|quiet)
		if !errors.Is(err, unix.EPERM) {
			return handle{fd}, err
		}
	}
	fd, err := t.open(p, flags)
	return handle{fd}, err
}

func (t *tree) open(p string, flags int) (int, error) {
	defer keep(t.file)
	if t.root == nil && !beneathIsFast {
		// Opening step by step needs the right to read every directory above.
		return retry(func() (int, error) { return unix.Open(p, flags, 0) })
	}
	return openBeneath(t.top, below(p), flags)
}

// stepwise opens rel one element at a time, refusing links.
func stepwise(top int, rel string, flags int) (int, error) {
	at := top
	for {
		name, rest, more := strings.Cut(rel, "/")
		use := flags
		if more {
			use = searchFlags | unix.O_DIRECTORY | unix.O_CLOEXEC | unix.O_NOFOLLOW
		}
		fd, err := retry(func() (int, error) { return unix.Openat(at, name, use, 0) })
		if at != top {
			unix.Close(at)
		}
		if err != nil || !more {
			return fd, err
		}
		at, rel = fd, rest
	}
}

// retry repeats a call that a signal interrupted.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// dir is an open directory. It belongs to one goroutine.
type dir struct {
	fd   int
	file *os.File // owns fd
}

// newDir takes the outcome of an open.
func newDir(fd int, err error) (*dir, error) {
	if err != nil {
		return nil, err
	}
	return &dir{fd, os.NewFile(uintptr(fd), "directory")}, nil
}

// open opens a directory below this one; rel has one element or more.
func (d *dir) open(rel string) (*dir, error) {
	return newDir(openBeneath(d.fd, rel, openFlags|unix.O_DIRECTORY))
}

// names returns up to n names, and io.EOF after the last.
func (d *dir) names(n int) ([]string, error) { return d.file.Readdirnames(n) }

func (d *dir) lstat(name string) (fs.FileInfo, error) {
	info := &fileInfo{name: name}
	_, err := retry(func() (int, error) {
		return 0, unix.Fstatat(d.fd, name, info.raw(), unix.AT_SYMLINK_NOFOLLOW)
	})
	if err != nil {
		return nil, err
	}
	return info, nil
}

// close may be called again.
func (d *dir) close() { d.file.Close() }

// handle is an open file. Unlike an os.File it is not known to the runtime's
// poller: the kernel never makes a regular file wait for its readiness.
type handle struct{ fd int }

func (h handle) close() { unix.Close(h.fd) }

func (h handle) stat(name string) (fs.FileInfo, error) {
	info := &fileInfo{name: name}
	_, err := retry(func() (int, error) { return 0, unix.Fstat(h.fd, info.raw()) })
	if err != nil {
		return nil, err
	}
	return info, nil
}

// read reads on; io.EOF at the end of the file.
func (h handle) read(p []byte) (int, error) {
	n, err := retry(func() (int, error) { return unix.Read(h.fd, p) })
	if n == 0 && err == nil {
		err = io.EOF
	}
	return max(n, 0), err
}

// mmapWhole maps the first n bytes and says that they are read from front to back.
func (h handle) mmapWhole(n int) ([]byte, error) {
	data, err := unix.Mmap(h.fd, 0, n, unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, err
	}
	_ = unix.Madvise(data, unix.MADV_SEQUENTIAL) // only advice
	return data, nil
}

// forget drops pages of a mapping from memory. They are read again if needed.
func forget(data []byte) { _ = unix.Madvise(data, unix.MADV_DONTNEED) }

func unmap(data []byte) error { return unix.Munmap(data) }

// isReplaced reports whether an open failed because something else is there
// than what was met: a link, a file in place of a directory, a socket.
func isReplaced(err error) bool {
	return errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.EMLINK) || errors.Is(err, unix.ENXIO)
}
