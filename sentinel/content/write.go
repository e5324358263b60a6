package content

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// manifest lists the files of an export in its folder, so that the next one can
// remove what is no longer part of it, and nothing else.
const manifest = ".besra-export"

// Write writes the files below dir, which is made where it is absent. Files of
// an earlier export that are not among them are removed; others are left alone.
// It returns the names of those removed.
func (f Files) Write(dir string) (removed []string, err error) {
	names := slices.Sorted(maps.Keys(f))
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, f[name], 0o666); err != nil {
			return nil, err
		}
	}
	before, err := os.ReadFile(filepath.Join(dir, manifest))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for name := range strings.Lines(string(before)) {
		name = strings.TrimSuffix(name, "\n")
		if f[name] != nil || !filepath.IsLocal(filepath.FromSlash(name)) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err == nil {
			removed = append(removed, name)
		}
	}
	return removed, os.WriteFile(filepath.Join(dir, manifest), []byte(strings.Join(names, "\n")+"\n"), 0o666)
}
