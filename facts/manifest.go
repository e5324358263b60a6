package facts

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

// Manifest is the path, on its host, of the ownership manifest of an unpacked
// root. It is about the root and not of it: a walk leaves it out.
const Manifest = "/.besra-owners"

// manifest says who owns the paths of an unpacked root.
type manifest struct {
	entries map[string]ownership
}

// ownership is what a stat would say on the host itself.
type ownership struct {
	uid, gid uint32
	mode     uint32    // permission bits with setuid, setgid and sticky
	mtime    time.Time // zero where not stated
}

// readManifest reads the manifest of a root; nil where it has none.
func readManifest(t tree) (*manifest, error) {
	m := &manifest{entries: map[string]ownership{}}
	err := eachLine(t, Manifest, m.line)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Manifest[1:], err)
	}
	return m, nil
}

// line takes the nth line.
func (m *manifest) line(n int, line []byte) error {
	fields := strings.Fields(string(line))
	if len(fields) == 0 || fields[0][0] == '#' {
		return nil
	}
	p, o, err := parseOwnership(fields)
	if err == nil {
		if _, dup := m.entries[p]; dup {
			err = errors.New("the path has a line already")
		}
	}
	if err != nil {
		return fmt.Errorf("line %d: %w (write: path uid gid mode [mtime], such as /opt/a.py 0 0 0644 2026-01-31T12:00:00Z)", n, err)
	}
	m.entries[p] = o
	return nil
}

func parseOwnership(fields []string) (p string, o ownership, err error) {
	if len(fields) < 4 || len(fields) > 5 {
		return "", o, fmt.Errorf("%d fields instead of 4 or 5", len(fields))
	}
	if p, err = unescapeOctal(fields[0]); err != nil {
		return "", o, err
	}
	if !path.IsAbs(p) || path.Clean(p) != p {
		return "", o, fmt.Errorf("%q is not a cleaned absolute path", p)
	}
	uid, okUID := number(fields[1])
	gid, okGID := number(fields[2])
	if !okUID || !okGID {
		return "", o, errors.New("user and group must be numbers")
	}
	mode, err := strconv.ParseUint(fields[3], 8, 16)
	if err != nil || mode > 0o7777 {
		return "", o, fmt.Errorf("%q is not an octal mode", fields[3])
	}
	o = ownership{uid: uid, gid: gid, mode: uint32(mode)}
	if len(fields) == 5 {
		if o.mtime, err = time.Parse(time.RFC3339, fields[4]); err != nil {
			return "", o, fmt.Errorf("%q is not a time", fields[4])
		}
	}
	return p, o, nil
}

// of returns what the manifest says of a path, and in which words it says so.
func (m *manifest) of(p string, dir bool) (ownership, string) {
	if o, ok := m.entries[p]; ok {
		return o, Manifest[1:]
	}
	if dir {
		return ownership{mode: 0o755}, "default of " + Manifest[1:]
	}
	return ownership{mode: 0o644}, "default of " + Manifest[1:]
}

// unescapeOctal undoes the escapes of manifests and of the kernel's mount
// table: a backslash and three octal digits stand for one byte.
func unescapeOctal(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		if i+4 > len(s) {
			return "", errors.New("a backslash needs three octal digits")
		}
		c, err := strconv.ParseUint(s[i+1:i+4], 8, 8)
		if err != nil {
			return "", errors.New("a backslash needs three octal digits")
		}
		b.WriteByte(byte(c))
		i += 3
	}
	return b.String(), nil
}
