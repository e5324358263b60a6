package files

import (
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// given returns the absolute, cleaned and slash-separated path on the host that
// a path of the command line means.
func (s *Source) given(p string) (string, error) {
	if !s.host.Live() {
		return path.Clean("/" + filepath.ToSlash(p)), nil
	}
	abs, err := filepath.Abs(p)
	if err != nil {
		return "", err
	}
	return canonical(abs), nil
}

// canonical spells an absolute path of this host with slashes.
func canonical(p string) string {
	if runtime.GOOS == "windows" {
		return canonicalWindows(p)
	}
	return path.Clean(p)
}

// canonicalWindows spells an absolute Windows path in one way: slashes, an
// upper-case drive letter, none of the prefixes that only tell the system how
// to parse it (\\?\, \??\, \\.\ before a drive). A share is //server/share/….
func canonicalWindows(p string) string {
	p = strings.ReplaceAll(p, `\`, "/")
	for _, prefix := range []string{"//?/UNC/", "/??/UNC/"} {
		if len(p) >= len(prefix) && strings.EqualFold(p[:len(prefix)], prefix) {
			return "/" + path.Clean("/"+p[len(prefix):])
		}
	}
	for _, prefix := range []string{"//?/", "/??/", "//./"} {
		if rest, ok := strings.CutPrefix(p, prefix); ok && hasDrive(rest) {
			p = rest
		}
	}
	switch {
	case strings.HasPrefix(p, "//./"): // a device: its name is not a path
		return p
	case hasDrive(p):
		return strings.ToUpper(p[:1]) + ":" + path.Clean("/"+p[2:])
	case strings.HasPrefix(p, "//"):
		return "/" + path.Clean(p[1:])
	}
	if p = path.Clean(p); hasDrive(p) { // ".\c:x" is a name, and must not become a drive
		return "./" + p
	}
	return p
}

func hasDrive(p string) bool {
	return len(p) >= 2 && p[1] == ':' && ('a' <= p[0]|0x20 && p[0]|0x20 <= 'z')
}

// join appends a name to a cleaned path.
func join(dir, name string) string {
	if strings.HasSuffix(dir, "/") {
		return dir + name
	}
	return dir + "/" + name
}

// relative returns the path of p below dir; p must lie there.
func relative(dir, p string) string {
	return strings.TrimPrefix(strings.TrimPrefix(p, dir), "/")
}

// ancestors calls do for p and each directory above it, nearest first, until
// do returns false.
func ancestors(p string, do func(string) bool) {
	for {
		if !do(p) {
			return
		}
		up := path.Dir(p)
		if hasDrive(up) && len(up) == 2 {
			up += "/"
		}
		if up == p || up == "." {
			return
		}
		p = up
	}
}
