package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// tree opens things by their path: of this host, with its drives and shares, or
// of a foreign root.
type tree struct {
	root *os.Root // of a foreign root; nil for this host
}

func openTree(root string) (*tree, error) {
	if root == "" {
		return &tree{}, nil
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	return &tree{root: r}, nil
}

// base is the file system that the top of a foreign root lies on; the drives
// and shares of this host have no common top.
func (t *tree) base() device {
	if t.root == nil {
		return 0
	}
	return sameDevice
}

// resolve returns the real path of p and what is there.
func (t *tree) resolve(p string) (string, fs.FileInfo, error) {
	if t.root != nil {
		return resolve(t, p)
	}
	real, err := filepath.EvalSymlinks(filepath.FromSlash(p))
	if err != nil {
		return p, nil, err
	}
	info, err := os.Lstat(real)
	return canonical(real), info, err
}

func (t *tree) lstat(p string) (fs.FileInfo, error) {
	if t.root != nil {
		return t.root.Lstat(below(p))
	}
	return os.Lstat(filepath.FromSlash(p))
}

func (t *tree) readlink(p string) (string, error) {
	if t.root != nil {
		to, err := t.root.Readlink(below(p))
		return filepath.ToSlash(to), err
	}
	return os.Readlink(filepath.FromSlash(p))
}

// below spells a path as relative to the top.
func below(p string) string {
	if rel := strings.TrimPrefix(p, "/"); rel != "" {
		return filepath.FromSlash(rel)
	}
	return "."
}

func (t *tree) openDir(p string) (*dir, error) {
	if t.root != nil {
		return newDir(t.root.OpenRoot(below(p)))
	}
	return newDir(os.OpenRoot(filepath.FromSlash(p)))
}

// openFile opens the file at p.
func (t *tree) openFile(p string, _ fs.FileInfo) (handle, error) {
	if t.root != nil {
		f, err := t.root.Open(below(p))
		return handle{f}, err
	}
	f, err := os.Open(filepath.FromSlash(p))
	return handle{f}, err
}

// dir is an open directory. It belongs to one goroutine.
type dir struct {
	root *os.Root
	list *os.File
}

// newDir takes the outcome of an open.
func newDir(root *os.Root, err error) (*dir, error) {
	if err != nil {
		return nil, err
	}
	list, err := root.Open(".")
	if err != nil {
		root.Close()
		return nil, err
	}
	return &dir{root, list}, nil
}

// open opens a directory below this one; rel has one element or more.
func (d *dir) open(rel string) (*dir, error) { return newDir(d.root.OpenRoot(filepath.FromSlash(rel))) }

// names returns up to n names, and io.EOF after the last.
func (d *dir) names(n int) ([]string, error) { return d.list.Readdirnames(n) }

func (d *dir) lstat(name string) (fs.FileInfo, error) { return d.root.Lstat(name) }

// fsType returns "remote" for a drive or share of another machine.
func (d *dir) fsType() string {
	volume, err := windows.UTF16PtrFromString(filepath.VolumeName(d.list.Name()) + `\`)
	if err == nil && windows.GetDriveType(volume) == windows.DRIVE_REMOTE {
		return "remote"
	}
	return ""
}

// close may be called again.
func (d *dir) close() {
	d.list.Close()
	d.root.Close()
}

// handle is an open file.
type handle struct{ *os.File }

func (h handle) close() { h.File.Close() }

func (h handle) stat(string) (fs.FileInfo, error) { return h.Stat() }

// read reads on; io.EOF at the end of the file.
func (h handle) read(p []byte) (int, error) { return h.Read(p) }

var errNoMapping = errors.New("the file cannot be mapped")

// mmap maps the first n bytes. Windows lets nobody truncate a mapped file.
func (h handle) mmap(n int) ([]byte, error) {
	size := uint64(n)
	m, err := windows.CreateFileMapping(windows.Handle(h.Fd()), nil, windows.PAGE_READONLY, uint32(size>>32), uint32(size), nil)
	if err != nil {
		return nil, err
	}
	defer windows.CloseHandle(m) // the view keeps the mapping
	at, err := windows.MapViewOfFile(m, windows.FILE_MAP_READ, 0, 0, uintptr(n))
	if err != nil {
		return nil, err
	}
	if at == 0 {
		return nil, errNoMapping
	}
	// The address is none of Go's memory; read it as a pointer rather than
	// compute one.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&at)), n), nil
}

// forget would drop pages of a mapping; the system does so by itself.
func forget([]byte) {}

func unmap(data []byte) error {
	return windows.UnmapViewOfFile(uintptr(unsafe.Pointer(unsafe.SliceData(data))))
}

// device tells file systems apart. Windows crosses them only through links,
// which the walk does not follow.
type device uint64

const sameDevice device = 1

func deviceOf(fs.FileInfo) device { return sameDevice }

// isReplaced reports whether an open failed because something else is there
// than what was met.
func isReplaced(err error) bool { return errors.Is(err, windows.ERROR_DIRECTORY) }

// awayAttributes mark a file whose content is on a tape or in a cloud.
const awayAttributes = windows.FILE_ATTRIBUTE_OFFLINE | windows.FILE_ATTRIBUTE_RECALL_ON_OPEN | windows.FILE_ATTRIBUTE_RECALL_ON_DATA_ACCESS

// isOffline reports whether reading the file would fetch it from elsewhere.
func isOffline(info fs.FileInfo) bool {
	d, ok := info.Sys().(*syscall.Win32FileAttributeData)
	return ok && d.FileAttributes&awayAttributes != 0
}

var _ io.Reader = handle{}
