package files

import (
	"errors"
	"io/fs"
	"path"
	"strings"
)

// links is what resolving needs of a tree. Paths begin with a slash and hold
// no link but for their last element.
type links interface {
	lstat(path string) (fs.FileInfo, error)
	readlink(path string) (string, error)
}

// maxLinks bounds the links followed for one path, as the kernel does.
const maxLinks = 40

var errLinkLoop = errors.New("too many links, or a loop of links")

// resolve returns the real path of p, and what is there. It reads the links
// itself, so that one that begins with a slash counts from the top of the tree,
// and ".." cannot lead above it.
func resolve(t links, p string) (string, fs.FileInfo, error) {
	done, rest := "/", elements(p)
	for followed := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			done = path.Dir(done)
			continue
		}
		at := join(done, name)
		info, err := t.lstat(at)
		if err != nil {
			return at, nil, err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done = at
			continue
		}
		if followed++; followed > maxLinks {
			return at, nil, &fs.PathError{Op: "resolve", Path: p, Err: errLinkLoop}
		}
		to, err := t.readlink(at)
		if err != nil {
			return at, nil, err
		}
		if strings.HasPrefix(to, "/") {
			done = "/"
		}
		rest = append(elements(to), rest...)
	}
	info, err := t.lstat(done)
	return done, info, err
}

// elements splits a path, leaving out what means nothing.
func elements(p string) []string {
	all := strings.Split(p, "/")
	kept := all[:0]
	for _, e := range all {
		if e != "" && e != "." {
			kept = append(kept, e)
		}
	}
	return kept
}
