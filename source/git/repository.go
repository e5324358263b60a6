package git

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"
)

// repository reads objects. It is safe for concurrent use: one is read at a time.
type repository struct {
	mu      sync.Mutex
	storage *filesystem.Storage
	remote  string  // URL of origin, without user and password; empty where there is none
	damaged []error // packs that are left out
}

// locations are where a repository has what: dir its own state, common what it shares
// with other work trees.
type locations struct{ dir, common string }

var errNone = errors.New("no git repository: it has neither a .git nor the files of a bare one")

// locate finds the repository at a path: in its .git, which may be a file that
// names the directory, or, for a bare one, the path itself.
func locate(path string) (locations, error) {
	dir := filepath.Join(path, ".git")
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		dir = path
	case err != nil:
		return locations{}, err
	case !info.IsDir():
		to, err := pointer(dir, "gitdir: ")
		if err != nil {
			return locations{}, err
		}
		dir = within(path, to)
	}
	at := locations{dir, dir}
	if to, err := pointer(filepath.Join(dir, "commondir"), ""); err == nil {
		at.common = within(dir, to)
	}
	if _, err := os.Stat(filepath.Join(at.common, "objects")); err != nil {
		return locations{}, fmt.Errorf("%s: %w", path, errNone)
	}
	return at, nil
}

// pointer reads a file of one line that names a directory.
func pointer(file, prefix string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 1<<16))
	to, ok := strings.CutPrefix(strings.TrimRight(string(b), "\r\n"), prefix)
	if err == nil && (!ok || to == "") {
		err = fmt.Errorf("%s names no directory", file)
	}
	return to, err
}

func within(dir, to string) string {
	if filepath.IsAbs(to) {
		return to
	}
	return filepath.Join(dir, to)
}

// Objects returns the directory of objects of the repository at a path, whose
// files are of no use as the bytes they are.
func Objects(path string) (string, error) {
	at, err := locate(path)
	return filepath.Join(at.common, "objects"), err
}

// cacheSize bounds the objects that are kept because others are deltas of them,
// in bytes.
const cacheSize = 64 << 20

func openRepository(path string) (*repository, error) {
	at, err := locate(path)
	if err != nil {
		return nil, err
	}
	r := &repository{}
	var files billy.Filesystem = osfs.New(at.dir)
	if at.common != at.dir {
		files = dotgit.NewRepositoryFilesystem(files, osfs.New(at.common))
	}
	files = &sound{files, r.unsound(files)}
	// Packs stay open while something may be read of them, which no one tells: their
	// files are closed with the repository, when it is garbage.
	r.storage = filesystem.NewStorageWithOptions(files, cache.NewObjectLRU(cacheSize), filesystem.Options{ExclusiveAccess: true, KeepDescriptors: true})
	config, err := r.storage.Config()
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	extensions := config.Raw.Section("extensions") // which the library knows to write, and not to read
	switch {
	case strings.EqualFold(extensions.Option("objectformat"), "sha256"):
		return nil, errors.New("it names objects by SHA-256, which is not read")
	case strings.EqualFold(extensions.Option("refstorage"), "reftable"):
		return nil, errors.New("it keeps its references in reftables, which are not read: git refs migrate --ref-format=files turns them into files")
	}
	if origin := config.Remotes["origin"]; origin != nil && len(origin.URLs) > 0 {
		r.remote = withoutUser(origin.URLs[0])
	}
	return r, nil
}

// withoutUser takes user and password out of a URL.
func withoutUser(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return text
	}
	u.User = nil
	return u.String()
}

const packs = "objects/pack"

// unsound finds the packs whose index cannot be read: one would keep all others
// from being read.
func (r *repository) unsound(files billy.Filesystem) map[string]bool {
	bad := map[string]bool{}
	list, err := files.ReadDir(packs)
	if err != nil {
		return bad
	}
	for _, info := range list {
		name, ok := strings.CutSuffix(info.Name(), ".idx")
		if !ok {
			continue
		}
		if err := readable(files, info.Name()); err != nil {
			bad[name] = true
			r.damaged = append(r.damaged, fmt.Errorf("%s: %w", info.Name(), err))
		}
	}
	return bad
}

func readable(files billy.Filesystem, name string) error {
	f, err := files.Open(files.Join(packs, name))
	if err != nil {
		return err
	}
	defer f.Close()
	return guard(func() error { return idxfile.NewDecoder(f).Decode(idxfile.NewMemoryIndex()) })
}

// sound hides packs that cannot be read.
type sound struct {
	billy.Filesystem
	bad map[string]bool
}

// ReadDir implements [billy.Filesystem].
func (s *sound) ReadDir(path string) ([]os.FileInfo, error) {
	list, err := s.Filesystem.ReadDir(path)
	if filepath.ToSlash(path) != packs {
		return list, err
	}
	var kept []os.FileInfo
	for _, info := range list {
		if name, _, _ := strings.Cut(info.Name(), "."); !s.bad[name] {
			kept = append(kept, info)
		}
	}
	return kept, err
}

// guard turns a panic of the library into an error: a hostile repository must
// not end the hunt.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it makes no sense: %v", p)
		}
	}()
	return f()
}

func (r *repository) locked(f func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return guard(f)
}

func (r *repository) commit(h plumbing.Hash) (c *object.Commit, err error) {
	err = r.locked(func() error { c, err = object.GetCommit(r.storage, h); return err })
	return c, err
}

func (r *repository) tree(h plumbing.Hash) (t *object.Tree, err error) {
	err = r.locked(func() error { t, err = object.GetTree(r.storage, h); return err })
	return t, err
}

func (r *repository) kind(h plumbing.Hash) (kind plumbing.ObjectType, err error) {
	err = r.locked(func() error {
		o, err := r.storage.EncodedObject(plumbing.AnyObject, h)
		if err == nil {
			kind = o.Type()
		}
		return err
	})
	return kind, err
}

func (r *repository) size(h plumbing.Hash) (n int64, err error) {
	err = r.locked(func() error { n, err = r.storage.EncodedObjectSize(h); return err })
	return n, err
}

// errOther says that a blob's content is not what its name says.
var errOther = &Error{ReasonDamaged, errors.New("the content is not that of the blob's name")}

// blob reads a blob and compares it with its name.
func (r *repository) blob(h plumbing.Hash, max int64) (data []byte, err error) {
	err = r.locked(func() error {
		o, err := r.storage.EncodedObject(plumbing.BlobObject, h)
		if err != nil {
			return err
		}
		in, err := o.Reader()
		if err != nil {
			return err
		}
		defer in.Close()
		var b bytes.Buffer
		b.Grow(int(min(o.Size(), max)) + bytes.MinRead)
		_, err = b.ReadFrom(io.LimitReader(in, max))
		data = b.Bytes()
		return err
	})
	if err == nil && plumbing.ComputeHash(plumbing.BlobObject, data) != h {
		err = errOther
	}
	return data, told(err)
}

// heads lists what references lead to: commits, and tags of them.
func (r *repository) heads() (out []plumbing.Hash, err error) {
	err = r.locked(func() error {
		all, err := r.storage.IterReferences()
		if err != nil {
			return err
		}
		defer all.Close()
		return all.ForEach(func(ref *plumbing.Reference) error {
			if ref.Type() == plumbing.HashReference {
				out = append(out, ref.Hash())
			}
			return nil
		})
	})
	return out, err
}

// peel follows tags to what they name.
func (r *repository) peel(h plumbing.Hash) (plumbing.Hash, plumbing.ObjectType, error) {
	for range 16 {
		kind, err := r.kind(h)
		if err != nil || kind != plumbing.TagObject {
			return h, kind, err
		}
		err = r.locked(func() error {
			t, err := object.GetTag(r.storage, h)
			if err == nil {
				h = t.Target
			}
			return err
		})
		if err != nil {
			return h, 0, err
		}
	}
	return h, 0, errors.New("tags of tags without an end")
}

// all lists every object that the repository itself holds.
func (r *repository) all() (out []plumbing.Hash, err error) {
	err = r.locked(func() error { out, err = r.storage.HashesWithPrefix(nil); return err })
	return out, err
}

// shallow lists the commits whose parents were not brought.
func (r *repository) shallow() (out []plumbing.Hash) {
	r.locked(func() error { out, _ = r.storage.Shallow(); return nil })
	return out
}

// Error is an error that has a word of its own in a gap.
type Error struct {
	reason string
	err    error
}

// Error implements error.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.err }

// Reason is the stable word of a gap.
func (e *Error) Reason() string { return e.reason }

// told gives an error of the library its word.
func told(err error) error {
	var known *Error
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.Is(err, plumbing.ErrObjectNotFound):
		return &Error{ReasonMissing, err}
	}
	return &Error{ReasonDamaged, err}
}
