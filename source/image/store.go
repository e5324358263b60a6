package image

import (
	"archive/tar"
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// store is where images are kept.
type store interface {
	// tops gives what the place was named for: images, and indexes of images.
	tops(context.Context) ([]top, error)
	manifest(context.Context, v1.Descriptor) ([]byte, error)
	blob(context.Context, v1.Descriptor) (io.ReadCloser, error)
	// rest lists the files that hold something and were not used.
	rest(used map[string]bool) []string
	// lost says why there may be more than can be read; nil where there is not.
	lost() error
	close() error
}

// document is a manifest or an index as it is stored.
type document struct {
	media types.MediaType
	body  []byte
}

// top is an entrance of a store: a document, or an image that docker save wrote
// without one.
type top struct {
	ref string // as the place calls it; empty where it does not
	document
	saved *savedImage
}

// savedImage is an entry of the file manifest.json of docker save: paths.
type savedImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

func openStore(_ context.Context, name string) (store, error) {
	if !isPath(name) {
		return openRegistry(name)
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	var f files
	if info.IsDir() {
		f, err = openFolder(name)
	} else {
		f, err = openTarball(name)
	}
	if err != nil {
		return nil, err
	}
	return &local{f}, nil
}

// files are the files of a layout or of what docker save wrote.
type files interface {
	open(name string) (io.ReadCloser, error)
	// names lists the regular files.
	names() []string
	// real is the name of the file that a name leads to.
	real(name string) string
	lost() error
	close() error
}

// local is the [store] of a folder or a tarball.
type local struct{ files }

// maxDocument bounds a manifest, an index or a configuration, in bytes.
const maxDocument = 16 << 20

func (l *local) read(name string) ([]byte, error) {
	r, err := l.open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readDocument(r)
}

func readDocument(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err == nil && len(b) > maxDocument {
		err = fmt.Errorf("a manifest or configuration of more than %d MiB", maxDocument>>20)
	}
	return b, err
}

// tops takes manifest.json of docker save and index.json of OCI. New versions of
// docker write both, for the same images.
func (l *local) tops(context.Context) ([]top, error) {
	var tops []top
	saved, err := l.read("manifest.json")
	if err == nil {
		var images []savedImage
		if err := json.Unmarshal(saved, &images); err != nil {
			return nil, fmt.Errorf("manifest.json: %w", err)
		}
		for _, im := range images {
			t := top{saved: &im}
			if len(im.RepoTags) > 0 {
				t.ref = im.RepoTags[0]
			}
			tops = append(tops, t)
		}
	}
	index, indexErr := l.read("index.json")
	if indexErr == nil {
		tops = append(tops, top{document: document{types.OCIImageIndex, index}})
	}
	if len(tops) == 0 {
		if !errors.Is(err, fs.ErrNotExist) || !errors.Is(indexErr, fs.ErrNotExist) {
			return nil, errors.Join(err, indexErr)
		}
		return nil, errors.New("it has neither a manifest.json nor an index.json: no image of docker or OCI")
	}
	return tops, nil
}

func blobName(d v1.Descriptor) string { return "blobs/" + d.Digest.Algorithm + "/" + d.Digest.Hex }

func (l *local) manifest(_ context.Context, d v1.Descriptor) ([]byte, error) {
	return l.read(blobName(d))
}

func (l *local) blob(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	return l.open(blobName(d))
}

// described are the files beside images that say how they are kept.
var described = []string{"oci-layout", "index.json", "manifest.json", "repositories"}

func (l *local) rest(used map[string]bool) (out []string) {
	for _, name := range l.names() {
		base := path.Base(name)
		// The old form of docker save has a file "json" and a "VERSION" beside each layer.
		if !used[name] && !slices.Contains(described, name) && base != "json" && base != "VERSION" {
			out = append(out, name)
		}
	}
	return out
}

// folder is [files] in a directory.
type folder struct{ root *os.Root }

func openFolder(dir string) (files, error) {
	root, err := os.OpenRoot(dir)
	return folder{root}, err
}

func (f folder) open(name string) (io.ReadCloser, error) {
	info, err := f.root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	return f.root.Open(name)
}

func (f folder) names() (out []string) {
	fs.WalkDir(f.root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out = append(out, p)
		}
		return nil
	})
	return out
}

func (f folder) real(name string) string { return path.Clean(name) }

func (f folder) lost() error { return nil }

func (f folder) close() error { return f.root.Close() }

// tarball is [files] in a tar. One that is compressed is read from its beginning
// for each file.
type tarball struct {
	path    string
	file    *os.File
	entries map[string]tarEntry
	packed  bool
	damage  error // why the files are not all of them
}

type tarEntry struct {
	offset, size int64
	link         string // the name that it leads to; empty for a file
}

func openTarball(path string) (files, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	t := &tarball{path: path, file: f, entries: map[string]tarEntry{}}
	t.damage = t.index()
	if len(t.entries) == 0 && t.damage != nil {
		f.Close()
		return nil, fmt.Errorf("no tarball: %w", t.damage)
	}
	return t, nil
}

// stream begins anew at the tar's first byte.
func (t *tarball) stream() (io.Reader, error) {
	if _, err := t.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return t.file, nil
}

// maxEntries bounds the files of one tarball.
const maxEntries = 1 << 20

func (t *tarball) index() error {
	head := make([]byte, 4)
	n, err := io.ReadFull(t.file, head)
	if err != nil && n == 0 {
		return errors.New("the file is empty")
	}
	t.packed = compression(head) != ""
	return t.walk(func(name string, h *tar.Header, _ *tar.Reader) error {
		if len(t.entries) == maxEntries {
			return fmt.Errorf("more than %d files", maxEntries)
		}
		e := tarEntry{size: h.Size}
		switch h.Typeflag {
		case tar.TypeReg:
			if !t.packed {
				e.offset, _ = t.file.Seek(0, io.SeekCurrent)
			}
		case tar.TypeSymlink:
			e.link = path.Join(path.Dir(name), h.Linkname)
		case tar.TypeLink:
			e.link = path.Clean(h.Linkname)
		default:
			return nil
		}
		t.entries[name] = e
		return nil
	})
}

var errFound = errors.New("found")

// walk calls do for each entry, until it returns an error.
func (t *tarball) walk(do func(string, *tar.Header, *tar.Reader) error) error {
	r, err := t.stream()
	if err != nil {
		return err
	}
	if t.packed {
		d, err := decompress(bufio.NewReaderSize(r, 1<<20))
		if err != nil {
			return err
		}
		defer d.Close()
		r = d
	}
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = do(strings.TrimPrefix(path.Clean("/"+h.Name), "/"), h, tr)
		}
		if err != nil {
			return err
		}
	}
}

func (t *tarball) names() (out []string) {
	for name, e := range t.entries {
		if e.link == "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (t *tarball) real(name string) string {
	name = path.Clean(name)
	for range 8 {
		e, ok := t.entries[name]
		if !ok || e.link == "" {
			break
		}
		name = e.link
	}
	return name
}

func (t *tarball) open(name string) (io.ReadCloser, error) {
	name = t.real(name)
	e, ok := t.entries[name]
	if !ok || e.link != "" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if !t.packed {
		return io.NopCloser(io.NewSectionReader(t.file, e.offset, e.size)), nil
	}
	return t.unpack(name)
}

// unpack streams one file of a compressed tarball, through a file handle of its
// own.
func (t *tarball) unpack(name string) (io.ReadCloser, error) {
	f, err := os.Open(t.path)
	if err != nil {
		return nil, err
	}
	again := &tarball{file: f, packed: true}
	pr, pw := io.Pipe()
	go func() {
		defer f.Close()
		err := again.walk(func(at string, _ *tar.Header, r *tar.Reader) error {
			if at != name {
				return nil
			}
			if _, err := io.CopyBuffer(pw, onlyReader{r}, make([]byte, 256<<10)); err != nil {
				return err
			}
			return errFound
		})
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		if err == errFound {
			err = nil
		}
		pw.CloseWithError(err)
	}()
	return pr, nil
}

// onlyReader hides what else a reader can do, so that it is read in large steps.
type onlyReader struct{ io.Reader }

func (t *tarball) lost() error { return t.damage }

func (t *tarball) close() error { return t.file.Close() }
