package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
)

// yaraWalk visits the files of directories as yara does: in the order in which
// the file system lists them, a directory where it is met, regular files only,
// and paths made with a slash and no cleaning.
type yaraWalk struct {
	recursive, follow bool
	skipLarger        int64 // 0 for no limit
	// visit takes a file, skip one that is too large, fail a directory that
	// cannot be read. Their errors end the walk.
	visit func(path string) error
	skip  func(path string, size int64) error
	fail  func(path string, err error) error

	// ancestors are the directories being read. A link to one of them is not
	// followed; yara goes round until the system refuses.
	ancestors []fs.FileInfo
}

// readBatch is how many entries of a directory are read at once.
const readBatch = 256

func (w *yaraWalk) dir(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return w.fail(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return w.fail(path, err)
	}
	w.ancestors = append(w.ancestors, info)
	defer func() { w.ancestors = w.ancestors[:len(w.ancestors)-1] }()
	for {
		entries, err := f.ReadDir(readBatch)
		for _, e := range entries {
			if err := w.entry(ctx, path+string(os.PathSeparator)+e.Name(), e); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return w.fail(path, err)
		}
	}
}

func (w *yaraWalk) entry(ctx context.Context, path string, e fs.DirEntry) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	link := e.Type()&fs.ModeSymlink != 0
	if link && !w.follow {
		return nil
	}
	if e.Type().IsRegular() && w.skipLarger == 0 {
		return w.visit(path) // the directory says enough: no need to ask for more
	}
	info, err := os.Stat(path)
	switch {
	case err != nil: // gone, or a link that leads nowhere
		return nil
	case info.Mode().IsRegular():
		return w.file(path, info.Size())
	case info.IsDir() && w.recursive && !(link && w.within(info)):
		return w.dir(ctx, path)
	}
	return nil
}

func (w *yaraWalk) file(path string, size int64) error {
	if w.skipLarger > 0 && size >= w.skipLarger {
		return w.skip(path, size)
	}
	return w.visit(path)
}

// within reports whether a directory is being read already.
func (w *yaraWalk) within(dir fs.FileInfo) bool {
	for _, a := range w.ancestors {
		if os.SameFile(a, dir) {
			return true
		}
	}
	return false
}

// list visits what a list names, one a line.
func (w *yaraWalk) list(ctx context.Context, list []byte) error {
	for line := range bytes.Lines(list) {
		path := string(bytes.TrimSuffix(line, []byte("\n")))
		err := context.Cause(ctx)
		switch {
		case err != nil:
		case isDir(path):
			err = w.dir(ctx, path)
		default:
			err = w.visit(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// isMissing reports whether nothing is there under a name.
func isMissing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}
