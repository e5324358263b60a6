package facts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// openers lists the processes that have the file open or mapped now, this one
// left out. Where a process cannot be looked into the list would be short, and
// "not in the list" would be no answer: that is an error.
func (f *File) openers(ctx context.Context) ([]opener, error) {
	if !f.host.Live() {
		return nil, errForeign
	}
	return openersIn(ctx, "/proc", f, os.Getpid())
}

// openersIn looks through the processes that proc shows, but for self.
func openersIn(ctx context.Context, proc string, f *File, self int) ([]opener, error) {
	target, ok := statOf(f.info)
	if !ok {
		return nil, errors.New("the file's inode is not known")
	}
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil, err
	}
	found, blind := []opener{}, 0
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err != nil || pid == self {
			continue
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		dir := filepath.Join(proc, e.Name())
		open, err := hasOpen(dir, f.path, target)
		switch {
		case errors.Is(err, fs.ErrPermission):
			blind++
		case err == nil && open:
			found = append(found, f.host.opener(dir))
		}
	}
	if blind > 0 {
		return nil, fmt.Errorf("%d processes may not be looked into", blind)
	}
	return found, nil
}

// opener describes the process of a directory of proc, which belongs to its user.
func (h *Host) opener(dir string) opener {
	o := opener{exe: "?"}
	if exe, err := os.Readlink(filepath.Join(dir, "exe")); err == nil {
		o.exe = strings.TrimSuffix(exe, " (deleted)")
	}
	if info, err := os.Stat(dir); err == nil {
		if s, ok := statOf(info); ok {
			o.uid = s.uid
			o.user, _ = h.accounts().user(s.uid)
		}
	}
	return o
}

// hasOpen reports whether the process has the file among its descriptors or
// mappings. A process that ended has not.
func hasOpen(dir, path string, target stat) (bool, error) {
	open, err := hasDescriptor(filepath.Join(dir, "fd"), path, target)
	if open || err != nil {
		return open, gone(err)
	}
	open, err = hasMapping(filepath.Join(dir, "maps"), path, target)
	return open, gone(err)
}

// gone makes the end of a process no error.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// hasDescriptor compares inodes. To spare a stat of everything that is open,
// which may lie on a file system that does not answer, it looks first at the
// name, which can differ only where the file has several or was renamed.
func hasDescriptor(dir, name string, target stat) (bool, error) {
	fds, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	for _, fd := range fds {
		at := filepath.Join(dir, fd.Name())
		to, err := os.Readlink(at)
		if err != nil || !strings.HasPrefix(to, "/") {
			continue
		}
		if target.links == 1 && path.Base(to) != path.Base(name) {
			continue
		}
		if info, err := os.Stat(at); err == nil {
			if s, ok := statOf(info); ok && s.dev == target.dev && s.ino == target.ino {
				return true, nil
			}
		}
	}
	return false, nil
}

// hasMapping looks through the lines of a maps file:
// address perms offset dev inode path. Some file systems show another device
// there than stat does, so the path may stand in for it.
func hasMapping(file, name string, target stat) (bool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	inode := strconv.FormatUint(target.ino, 10)
	for line := range bytes.Lines(data) {
		f := bytes.Fields(line)
		if len(f) < 6 || string(f[4]) != inode {
			continue
		}
		shown := bytes.TrimSpace(line[bytes.Index(line, f[5]):])
		if string(shown) == name || string(f[3]) == target.device() {
			return true, nil
		}
	}
	return false, nil
}
