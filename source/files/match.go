package files

import (
	"fmt"
	"path"
	"runtime"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// globs is a list of compiled globs. Those without a slash are tried on a
// path's last element, the others on the whole.
type globs []glob

type glob struct {
	pattern  string
	baseOnly bool
}

func compileGlobs(what string, patterns []string) (globs, error) {
	var list globs
	for i, p := range patterns {
		g, err := compileGlob(p)
		if err != nil {
			return nil, fmt.Errorf("%s glob %d, %q: %w", what, i+1, p, err)
		}
		list = append(list, g)
	}
	return list, nil
}

func compileGlob(p string) (glob, error) {
	if strings.TrimRight(p, "/") == "" {
		return glob{}, fmt.Errorf("matches nothing (write a file name such as *.log, or a path such as /var/log/**)")
	}
	g := glob{pattern: fold(strings.TrimRight(p, "/"))}
	g.baseOnly = !strings.Contains(g.pattern, "/")
	if !g.baseOnly && !isAbs(g.pattern) && !strings.HasPrefix(g.pattern, "**/") {
		g.pattern = "**/" + g.pattern
	}
	if !doublestar.ValidatePattern(g.pattern) {
		return glob{}, fmt.Errorf("malformed glob (a [ or { is not closed, or a backslash ends it)")
	}
	return g, nil
}

// isAbs reports whether a path begins at the top: with a slash or a drive.
func isAbs(p string) bool {
	return p[0] == '/' || runtime.GOOS == "windows" && len(p) > 1 && p[1] == ':'
}

// match reports whether one of the globs fits the path.
func (l globs) match(p string) bool {
	if len(l) == 0 {
		return false
	}
	p = fold(p)
	base := path.Base(p)
	for _, g := range l {
		name := p
		if g.baseOnly {
			name = base
		}
		if doublestar.MatchUnvalidated(g.pattern, name) {
			return true
		}
	}
	return false
}

// Scope returns what tells whether a path is asked for by globs as those of
// [Config], for other places than the file system.
func Scope(include, exclude []string) (func(path string) bool, error) {
	in, err := compileGlobs("include", include)
	if err != nil {
		return nil, err
	}
	out, err := compileGlobs("exclude", exclude)
	if err != nil {
		return nil, err
	}
	return func(p string) bool {
		for dir := p; ; dir = path.Dir(dir) {
			if out.match(dir) {
				return false
			}
			if dir == path.Dir(dir) {
				return len(in) == 0 || in.match(p)
			}
		}
	}, nil
}

// fold spells a path so that two spellings of one file are equal, where the
// system's file names ignore case.
func fold(p string) string {
	if runtime.GOOS == "windows" {
		return strings.ToLower(p)
	}
	return p
}
