package facts

import (
	"errors"
	"io/fs"
	"path"
	"strings"
)

// packedTree is a foreign root that is no directory.
type packedTree struct{ files fs.FS }

// within turns the path on the host into one of the file system.
func within(p string) string {
	if rel := strings.TrimPrefix(path.Clean("/"+p), "/"); rel != "" {
		return rel
	}
	return "."
}

var errNotKept = errors.New("its content is not kept")

func (t packedTree) open(p string) (opened, error) {
	f, err := t.files.Open(within(p))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errIrregular
	}
	o, ok := f.(opened)
	if err == nil && !ok {
		err = errNotKept
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return o, nil
}

func (t packedTree) lstat(p string) (fs.FileInfo, error) { return fs.Lstat(t.files, within(p)) }

func (t packedTree) readlink(p string) (string, error) { return fs.ReadLink(t.files, within(p)) }

func (t packedTree) names(p string) ([]string, error) {
	entries, err := fs.ReadDir(t.files, within(p))
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}
