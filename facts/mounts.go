package facts

import (
	"bytes"
	"io"
	"strings"
)

// Mount is one mounted file system of this host.
type Mount struct {
	Point string // absolute path of the directory it is mounted on
	Type  string // such as "ext4", "nfs4", "fuse.sshfs"
}

// Mounts lists the mounted file systems of this host in the order they were
// mounted, so that the last of several at one point is the visible one. It is
// read from the kernel without touching a mount, so that one whose server is
// gone cannot hold it up. Where the system has no such table (Windows) the list
// is empty.
func Mounts() ([]Mount, error) { return readMounts() }

// parseMountinfo reads the kernel's table of mounts, /proc/self/mountinfo. A
// line that makes no sense is left out.
func parseMountinfo(r io.Reader) ([]Mount, error) {
	var all []Mount
	err := scanLines(r, func(_ int, line []byte) error {
		left, right, ok := bytes.Cut(line, []byte(" - "))
		before, after := bytes.Fields(left), bytes.Fields(right)
		if !ok || len(before) < 5 || len(after) < 1 {
			return nil
		}
		point, err := unescapeOctal(string(before[4]))
		if err == nil {
			all = append(all, Mount{Point: point, Type: string(after[0])})
		}
		return nil
	})
	return all, err
}

// mountOf returns the mount that an absolute path lies on.
func mountOf(all []Mount, path string) (Mount, bool) {
	best, found := Mount{}, false
	for _, m := range all {
		if len(m.Point) >= len(best.Point) && under(path, m.Point) {
			best, found = m, true
		}
	}
	return best, found
}

// under reports whether path is dir or below it.
func under(path, dir string) bool {
	dir = strings.TrimSuffix(dir, "/")
	return path == dir || strings.HasPrefix(path, dir) && path[len(dir)] == '/'
}
