//go:build linux || darwin

package facts

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// attribute reads an extended attribute of the file; empty where it has none.
func (f *File) attribute(name string) (string, error) {
	opened, err := f.reopen()
	if err != nil {
		return "", err
	}
	defer opened.Close()
	file, ok := opened.(*os.File)
	if !ok {
		return "", nil
	}
	buf := make([]byte, 64<<10) // the kernel's limit for one attribute
	n, err := unix.Fgetxattr(int(file.Fd()), name, buf)
	if errors.Is(err, errNoAttribute) || errors.Is(err, unix.ENOTSUP) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

// hasACL reports whether the path has an access list beyond its mode.
func (h *Host) hasACL(path string) bool {
	if h.detached() {
		return false
	}
	n, err := unix.Lgetxattr(filepath.Join(h.config.Root, path), "system.posix_acl_access", nil)
	return err == nil && n > 0
}
