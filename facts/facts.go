// Package facts gathers what is known about a target besides its bytes: who
// owns a file, when it changed, which package shipped it, who has it open, at
// which times its host runs what.
//
// A [Host] stands for the machine the bytes belong to: this one, or a foreign
// root that is mounted or unpacked in a directory, or packed in an image. It reads that machine's own
// passwd and group files, its package index and its mounts, each once and only
// when a fact needs it. [Host.File] gives the [besra.Facts] of one file:
//
//	host, err := facts.NewHost(facts.Config{Root: "/mnt/evidence"})
//	f := host.File("/usr/bin/id", info)
//	owner := f.Fact(ctx, "file.owner.name")
//
// # Grades
//
// A fact is graded by who could have made it up (see [besra.Grade]):
//
//	fact                        live host   foreign root
//	file.path, dir, name, ext   weak        weak        whoever places the bytes chooses them
//	file.size, magic, digests   verified    verified    computed from the bytes that were scanned
//	file.links, symlink         verified    asserted    stat
//	file.mtime                  weak        weak        the owner sets it at will
//	file.ctime, btime           verified    asserted    kept by the kernel
//	file.mode, owner, group     verified    asserted    stat, passwd, group
//	file.*_writable             verified    asserted    modes and owners of the path's directories
//	file.mount.*                verified    –
//	file.origin_*               weak        –           an attribute that the owner sets
//	package.*                   asserted    asserted    the index (dpkg, rpm, apk) is local and unsigned
//	git.*                       weak        weak        who may write beside a file may make a repository
//	opener.names, exes          weak        –           a program's name is the intruder's choice
//	opener.users                verified    –           the kernel
//	host.name, os, schedules    verified    asserted
//	host.tags, scan.time        verified    verified    given by the operator; this clock
//
// # Ownership manifest
//
// A root that was unpacked without the rights to give files away, or checked
// out of version control, belongs to whoever unpacked it. Such a root may hold
// the file .besra-owners at its top, with a line for each path:
//
//	path uid gid mode [mtime]
//	/opt/log-processing/normalize.py 998 998 0644 2026-11-20T02:10:00Z
//
// The path is absolute within the root; a byte that is a blank, a line end or
// a backslash is written as a backslash and three octal digits. The mode is
// octal, the time RFC 3339. Empty lines and lines that begin with "#" say
// nothing. Where there is a manifest, a path without a line belongs to
// root:root with mode 0644, or 0755 for a directory, and nothing is taken from
// the owner and mode on disk. Facts from it are asserted and name it.
package facts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/besra-hunt/besra"
)

// Config says which host facts are gathered from.
type Config struct {
	// Root is the directory that holds a foreign root. Empty means this host.
	Root string
	// Files, where not nil, is the foreign root itself, which is no directory: a
	// container image. It follows links within itself, what it opens is an
	// [io.ReaderAt], its Sys is an [*Owner]. FilesFrom says in a few words where
	// it has its modes and owners from.
	Files     fs.FS
	FilesFrom string
	// Name overrides the host's own name.
	Name string
	// Tags are what the operator calls the host.
	Tags []string
	// Now gives the time of the scan; nil means [time.Now].
	Now func() time.Time
}

// Host is a machine whose files are judged. It is safe for concurrent use; the
// facts of one file belong to one goroutine.
type Host struct {
	config Config
	tree   tree
	owners *manifest // nil without a manifest

	accounts func() *accounts
	packages func() *packageIndex
	repos    gitCache
	mounts   func() ([]Mount, error)
	os       func() besra.Fact
	system   func() besra.Fact // host.schedules
	users    func() besra.Fact // host.user_schedules
	name     func() besra.Fact
}

// NewHost returns the host that c describes. It fails where the root is not a
// directory or its ownership manifest cannot be used.
func NewHost(c Config) (*Host, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	h := &Host{config: c, tree: liveTree{}}
	if c.Files != nil {
		h.tree = packedTree{c.Files}
	}
	if c.Root != "" {
		if err := h.enter(c.Root); err != nil {
			return nil, err
		}
	}
	h.accounts = sync.OnceValue(func() *accounts { return readAccounts(h.tree) })
	h.packages = sync.OnceValue(func() *packageIndex { return readPackages(h.tree) })
	h.mounts = sync.OnceValues(Mounts)
	h.os = sync.OnceValue(h.readOS)
	h.name = sync.OnceValue(h.readName)
	h.system = sync.OnceValue(func() besra.Fact { return h.readSchedules("host.schedules") })
	h.users = sync.OnceValue(func() besra.Fact { return h.readSchedules("host.user_schedules") })
	return h, nil
}

// enter makes the host that of the foreign root at dir.
func (h *Host) enter(dir string) error {
	real, err := filepath.Abs(dir)
	if err == nil {
		real, err = filepath.EvalSymlinks(real)
	}
	if err != nil {
		return fmt.Errorf("root %s: %w", dir, err)
	}
	root, err := os.OpenRoot(real)
	if err != nil {
		return fmt.Errorf("root %s: %w", dir, err)
	}
	h.config.Root, h.tree = real, rootTree{root}
	h.owners, err = readManifest(h.tree)
	if err != nil {
		return fmt.Errorf("root %s: %w", dir, err)
	}
	return nil
}

// Live reports whether this is the host that Besra runs on.
func (h *Host) Live() bool { return h.config.Root == "" && h.config.Files == nil }

// Root returns the directory that holds the foreign root, absolute and without
// links, or the empty string for this host and for one without a directory.
func (h *Host) Root() string { return h.config.Root }

// detached reports whether the inodes at hand, where there are any, are not
// those of the host.
func (h *Host) detached() bool { return h.owners != nil || h.config.Files != nil }

// stat says where modes, owners and times come from.
func (h *Host) stat() string {
	if h.config.Files != nil {
		return h.config.FilesFrom
	}
	return "stat"
}

// Context is the context of the host's files.
func (h *Host) Context() besra.Context {
	if h.Live() {
		return besra.ContextFile
	}
	return besra.ContextImage
}

// grade is the grade of what a host's own records say.
func (h *Host) grade() besra.Grade {
	if h.Live() {
		return besra.GradeVerified
	}
	return besra.GradeAsserted
}

// Fact answers the facts of the group host, and scan.time.
func (h *Host) Fact(_ context.Context, name string) besra.Fact {
	switch name {
	case "host.name":
		return h.name()
	case "host.os":
		return h.os()
	case "host.tags":
		return known(name, append([]string{}, h.config.Tags...), besra.GradeVerified, "given by the operator")
	case "host.schedules":
		return h.system()
	case "host.user_schedules":
		return h.users()
	case "scan.time":
		return known(name, h.config.Now().UTC(), besra.GradeVerified, "clock of the scanning host")
	}
	return besra.Unavailable(name, "not a fact of a host")
}

func (h *Host) readName() besra.Fact {
	const name = "host.name"
	if h.config.Name != "" {
		return known(name, besra.Text(h.config.Name), besra.GradeVerified, "given by the operator")
	}
	if h.Live() {
		s, err := os.Hostname()
		if err != nil {
			return besra.Unavailable(name, err.Error())
		}
		return known(name, besra.Text(s), besra.GradeVerified, "kernel")
	}
	line, err := firstLine(h.tree, "/etc/hostname")
	if err != nil {
		return besra.Unavailable(name, reason("/etc/hostname", err))
	}
	return known(name, besra.Text(line), besra.GradeAsserted, "/etc/hostname")
}

// marks are paths that tell an operating system, most telling first.
var marks = []struct{ path, os string }{
	{"/Windows/System32", "windows"},
	{"/System/Library/CoreServices", "darwin"},
	{"/bin/freebsd-version", "freebsd"},
	{"/etc/os-release", "linux"},
	{"/usr/lib/os-release", "linux"},
	{"/etc/passwd", "linux"},
}

func (h *Host) readOS() besra.Fact {
	const name = "host.os"
	if h.Live() {
		return known(name, runtime.GOOS, besra.GradeVerified, "this program")
	}
	for _, m := range marks {
		if _, err := h.tree.lstat(m.path); err == nil {
			return known(name, m.os, besra.GradeAsserted, m.path+" exists")
		}
	}
	return besra.Unavailable(name, "nothing in the root tells its operating system")
}

// known returns a fact that has a value.
func known(name string, value any, g besra.Grade, source string) besra.Fact {
	return besra.Fact{Name: name, Value: value, Grade: g, Source: source}
}

// reason says in a few words why path could not be used.
func reason(path string, err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return path + ": " + err.Error()
}
