//go:build unix

package files

import (
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fileInfo is the stat of a file that was met in a directory. Package os can
// only stat by path, which a tree that changes would lead astray.
type fileInfo struct {
	name string
	sys  syscall.Stat_t
}

// Both packages generate their type from the same C structure; were their sizes
// to differ, one of these arrays would have a negative length.
var (
	_ [unsafe.Sizeof(syscall.Stat_t{}) - unsafe.Sizeof(unix.Stat_t{})]byte
	_ [unsafe.Sizeof(unix.Stat_t{}) - unsafe.Sizeof(syscall.Stat_t{})]byte
)

// raw views the stat as the system calls of package unix fill it.
func (i *fileInfo) raw() *unix.Stat_t { return (*unix.Stat_t)(unsafe.Pointer(&i.sys)) }

func (i *fileInfo) Name() string { return i.name }
func (i *fileInfo) Size() int64  { return i.sys.Size }
func (i *fileInfo) IsDir() bool  { return i.sys.Mode&unix.S_IFMT == unix.S_IFDIR }
func (i *fileInfo) Sys() any     { return &i.sys }

func (i *fileInfo) ModTime() time.Time { return time.Unix(i.raw().Mtim.Unix()) }

func (i *fileInfo) Mode() fs.FileMode {
	raw := uint32(i.sys.Mode)
	mode := fs.FileMode(raw&0o777) | typeOf(raw)
	if raw&unix.S_ISUID != 0 {
		mode |= fs.ModeSetuid
	}
	if raw&unix.S_ISGID != 0 {
		mode |= fs.ModeSetgid
	}
	if raw&unix.S_ISVTX != 0 {
		mode |= fs.ModeSticky
	}
	return mode
}

func typeOf(raw uint32) fs.FileMode {
	switch raw & unix.S_IFMT {
	case unix.S_IFREG:
		return 0
	case unix.S_IFDIR:
		return fs.ModeDir
	case unix.S_IFLNK:
		return fs.ModeSymlink
	case unix.S_IFSOCK:
		return fs.ModeSocket
	case unix.S_IFIFO:
		return fs.ModeNamedPipe
	case unix.S_IFCHR:
		return fs.ModeDevice | fs.ModeCharDevice
	case unix.S_IFBLK:
		return fs.ModeDevice
	}
	return fs.ModeIrregular
}

// device tells file systems apart.
type device uint64

func deviceOf(info fs.FileInfo) device {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return device(s.Dev)
	}
	return 0
}

// keep holds a descriptor's owner until the call that uses it is over.
func keep(f *os.File) { runtime.KeepAlive(f) }
