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
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/besra-hunt/besra"
)

// openers names the programs that have the file open or mapped now, this one
// left out. Where a process cannot be looked into the list would be short, and
// "not in the list" would be no answer: the fact is then unavailable.
func (f *File) openers(ctx context.Context) besra.Fact {
	if !f.host.Live() {
		return unknown("no process runs on a foreign root")
	}
	return openersIn(ctx, "/proc", f, os.Getpid())
}

// openersIn looks through the processes that proc shows, but for self.
func openersIn(ctx context.Context, proc string, f *File, self int) besra.Fact {
	target, ok := statOf(f.info)
	if !ok {
		return unknown("the file's inode is not known")
	}
	entries, err := os.ReadDir(proc)
	if err != nil {
		return unknown(reason(proc, err))
	}
	names, blind := []string{}, 0
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err != nil || pid == self {
			continue
		}
		if ctx.Err() != nil {
			return unknown(ctx.Err().Error())
		}
		dir := filepath.Join(proc, e.Name())
		open, err := hasOpen(dir, f.path, target)
		switch {
		case errors.Is(err, fs.ErrPermission):
			blind++
		case err == nil && open:
			names = append(names, program(dir))
		}
	}
	if blind > 0 {
		return unknown(fmt.Sprintf("%d processes may not be looked into", blind))
	}
	slices.Sort(names)
	return fact(slices.Compact(names), besra.GradeWeak, proc)
}

// program returns the base name of a process's executable.
func program(dir string) string {
	exe, err := os.Readlink(filepath.Join(dir, "exe"))
	if err != nil {
		return "?"
	}
	return path.Base(strings.TrimSuffix(exe, " (deleted)"))
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
