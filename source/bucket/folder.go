package bucket

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// folder is a directory that stands for a bucket: its files are objects, named
// by their paths in it. Links are not followed.
type folder struct{ root *os.Root }

func openFolder(p place) (store, error) {
	if p.bucket == "" {
		p.bucket = "/"
	}
	dir := filepath.FromSlash(p.bucket)
	if filepath.VolumeName(dir[1:]) != "" {
		dir = dir[1:] // file:///C:/samples
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &folder{root}, nil
}

func (f *folder) list(_ context.Context, prefix, after string) iter.Seq2[object, error] {
	return func(yield func(object, error) bool) { f.walk(".", prefix, after, yield) }
}

// walk lists a directory in the order of keys: one that goes on with a slash comes
// behind one that goes on with a dot.
func (f *folder) walk(dir, prefix, after string, yield func(object, error) bool) bool {
	entries, err := fs.ReadDir(f.root.FS(), dir)
	if err != nil {
		return yield(object{}, err)
	}
	key := func(e fs.DirEntry) string {
		k := path.Join(dir, e.Name())
		if e.IsDir() {
			k += "/"
		}
		return k
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(key(a), key(b)) })
	for _, e := range entries {
		k := key(e)
		on := true
		switch {
		case e.IsDir():
			on = !leads(k, prefix) || k < after && !strings.HasPrefix(after, k) || f.walk(path.Clean(k), prefix, after, yield)
		case strings.HasPrefix(k, prefix) && k > after:
			on = f.file(k, e, yield)
		}
		if !on {
			return false
		}
	}
	return true
}

// leads reports whether keys below a directory can begin with prefix.
func leads(dir, prefix string) bool {
	return strings.HasPrefix(dir, prefix) || strings.HasPrefix(prefix, dir)
}

func (f *folder) file(key string, e fs.DirEntry, yield func(object, error) bool) bool {
	info, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return true // gone since the directory was read, as in any bucket
	}
	if err != nil {
		return yield(object{}, err)
	}
	return yield(object{key: key, size: info.Size(), mtime: info.ModTime(), irregular: !info.Mode().IsRegular()}, nil)
}

func (f *folder) open(_ context.Context, o object, from int64) (io.ReadCloser, string, error) {
	file, err := f.root.Open(o.key)
	if err != nil {
		return nil, "", err
	}
	info, err := file.Stat()
	if err == nil && (info.Size() != o.size || !info.ModTime().Equal(o.mtime)) {
		err = errChanged
	}
	if err == nil {
		_, err = file.Seek(from, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, "", err
	}
	return file, "", nil
}

func (f *folder) tags(context.Context, object) ([]string, error) {
	return nil, errors.New("a folder keeps none")
}
