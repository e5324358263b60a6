package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/besra-hunt/besra"
)

// root is the image's own root as a container sees it, with the content of the
// records that facts are read from. It reads the layers when it is first asked,
// whole or not at all: where a layer cannot be read, nothing is known, because
// what is missing might say otherwise. It is safe for concurrent use, and
// implements [fs.ReadLinkFS] and [fs.ReadDirFS].
type root struct {
	ctx            context.Context // of the run: file systems know none
	place          string          // is opened anew: facts are asked for after a run, too
	image          *image
	members, bytes int64

	mu      sync.Mutex
	done    bool
	err     error
	nodes   map[string]*node
	below   map[string][]string // names in each directory
	digests []string            // of the layers
	left    int64               // bytes of records that may still be kept
}

// node is what the image has at a path.
type node struct {
	info  fs.FileInfo
	layer int
	link  string // where a symbolic link leads, or the path of a hard link
	hard  bool
	data  []byte
	kept  bool
}

// maxRecords bounds the records of one image, in bytes. The largest is a
// database of rpm.
const maxRecords = 512 << 20

// read reads the layers, once. A reading that was interrupted is none.
func (r *root) read() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done {
		return r.err
	}
	r.nodes, r.below, r.left = map[string]*node{}, map[string][]string{}, maxRecords
	st, err := openStore(r.ctx, r.place)
	if err != nil {
		return err
	}
	defer st.close()
	r.digests = make([]string, len(r.image.layers))
	var faults []error
	w := &walk{store: st, image: r.image, members: r.members, bytes: r.bytes, visit: r.add,
		gap:      func(g besra.Gap) { faults = append(faults, errors.New(string(g.Target)+": "+g.Detail)) },
		artifact: func(*layer, io.Reader) error { return nil },
		digests:  func(l *layer, sum string) { r.digests[l.number-1] = sum }}
	err = w.run(r.ctx)
	if r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	if len(faults) > 0 {
		err = errors.Join(errors.New("the image was not read whole"), faults[0])
	}
	r.done, r.err = true, err
	for name := range r.nodes {
		r.parents(name)
	}
	return err
}

// digest is that of a layer's unpacked content.
func (r *root) digest(l *layer) (string, error) {
	err := r.read()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.done {
		return "", err
	}
	if sum := r.digests[l.number-1]; sum != "" {
		return sum, nil
	}
	return "", errors.New("the layer was not read to its end")
}

// add takes an entry that the image shows. Of several for one path in a layer
// the last counts, and of layers the topmost.
func (r *root) add(f file, content io.Reader) error {
	name := strings.TrimPrefix(f.path, "/")
	if f.over > 0 || name == "" {
		return nil
	}
	if old := r.nodes[name]; old != nil && old.layer != f.layer.number {
		return nil // a directory that an upper layer has too
	}
	n := &node{info: infoOf(f.Header), layer: f.layer.number}
	switch {
	case f.Typeflag == tar.TypeSymlink:
		n.link = f.Linkname
	case f.Typeflag == tar.TypeLink:
		n.link, n.hard = path.Clean("/"+f.Linkname), true
	case hasContent(f.Header) && isRecord(f.path) && f.Size <= r.left:
		data, err := readAll(content, f.Size)
		if err != nil {
			break // the walk meets the same fault and tells it
		}
		n.data, n.kept = data, true
		r.left -= f.Size
	}
	r.nodes[name] = n
	return nil
}

// parents notes a path in its directory, and makes the directory where no layer
// states it: it then is root's.
func (r *root) parents(name string) {
	for name != "." {
		dir := path.Dir(name)
		_, known := r.below[dir]
		r.below[dir] = append(r.below[dir], path.Base(name))
		if dir == "." || known || r.nodes[dir] != nil {
			return
		}
		name = dir
	}
}

// records are the files, and the directories of files, that facts are read from.
var records = []string{"/etc/passwd", "/etc/group", "/etc/hostname", "/etc/timezone", "/etc/os-release", "/usr/lib/os-release",
	"/etc/crontab", "/etc/cron.d/", "/etc/crontabs/", "/var/spool/cron/",
	"/etc/systemd/system/", "/usr/local/lib/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/", "/run/systemd/system/",
	"/var/lib/dpkg/", "/lib/apk/db/installed", "/usr/lib/apk/db/installed", "/var/lib/rpm/", "/usr/lib/sysimage/rpm/"}

// gitRecords are those of a git repository, by their names in it.
var gitRecords = []string{"config", "index", "commondir", ".git"}

func isRecord(p string) bool {
	if strings.HasPrefix(p, "/var/lib/dpkg/info/") {
		return strings.HasSuffix(p, ".md5sums") || strings.HasSuffix(p, ".list")
	}
	for _, r := range records {
		if p == r || strings.HasSuffix(r, "/") && strings.HasPrefix(p, r) {
			return true
		}
	}
	return strings.Contains(p, "/.git") && slices.Contains(gitRecords, path.Base(p))
}

// maxLinks bounds the links on one path.
const maxLinks = 40

// find resolves a path; links on it are followed, the last one only where asked.
func (r *root) find(name string, follow bool) (string, *node, error) {
	if err := r.read(); err != nil {
		return "", nil, err
	}
	at, rest := ".", strings.Split(name, "/")
	for links := 0; len(rest) > 0; {
		next := path.Join(at, rest[0])
		rest = rest[1:]
		if next == ".." || strings.HasPrefix(next, "../") {
			next = "." // as for a process whose root this is
		}
		n := r.nodes[next]
		if n == nil && next != "." && r.below[next] == nil {
			return "", nil, fs.ErrNotExist
		}
		if n == nil || n.link == "" || n.hard || len(rest) == 0 && !follow {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", nil, errors.New("too many links")
		}
		to := strings.Split(strings.TrimPrefix(n.link, "/"), "/")
		if path.IsAbs(n.link) {
			at = "."
		}
		rest = append(to, rest...)
	}
	return at, r.nodes[at], nil
}

func failed(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: "/" + name, Err: err}
}

// describe is the info of a node; a directory that no layer states has one, too.
func describe(name string, n *node) fs.FileInfo {
	if n == nil {
		return infoOf(&tar.Header{Name: name + "/", Typeflag: tar.TypeDir, Mode: 0o755})
	}
	return n.info
}

// Lstat implements [fs.ReadLinkFS].
func (r *root) Lstat(name string) (fs.FileInfo, error) {
	at, n, err := r.find(name, false)
	if err != nil {
		return nil, failed("lstat", name, err)
	}
	return describe(at, n), nil
}

// ReadLink implements [fs.ReadLinkFS].
func (r *root) ReadLink(name string) (string, error) {
	_, n, err := r.find(name, false)
	if err == nil && (n == nil || n.link == "" || n.hard) {
		err = errors.New("no symbolic link")
	}
	if err != nil {
		return "", failed("readlink", name, err)
	}
	return n.link, nil
}

// ReadDir implements [fs.ReadDirFS].
func (r *root) ReadDir(name string) ([]fs.DirEntry, error) {
	at, _, err := r.find(name, true)
	if err != nil {
		return nil, failed("readdir", name, err)
	}
	var out []fs.DirEntry
	for _, base := range r.below[at] {
		p := path.Join(at, base)
		out = append(out, fs.FileInfoToDirEntry(describe(p, r.nodes[p])))
	}
	return out, nil
}

// Open implements [fs.FS].
func (r *root) Open(name string) (fs.File, error) {
	at, n, err := r.find(name, true)
	if err == nil && n != nil && n.hard {
		n, err = r.linked(n)
	}
	if err == nil && n != nil && n.info.Mode().IsRegular() && !n.kept {
		err = errors.New("its content is not kept")
	}
	if err != nil {
		return nil, failed("open", name, err)
	}
	o := &record{info: describe(at, n)}
	if n != nil {
		o.Reader = *bytes.NewReader(n.data)
	}
	return o, nil
}

// linked is the file that a hard link of its layer names.
func (r *root) linked(link *node) (*node, error) {
	n := r.nodes[strings.TrimPrefix(link.link, "/")]
	if n == nil || n.layer != link.layer || n.hard {
		return nil, errors.New("the content of a hard link is not kept")
	}
	return n, nil
}

// record is an open record.
type record struct {
	bytes.Reader
	info fs.FileInfo
}

func (r *record) Stat() (fs.FileInfo, error) { return r.info, nil }
func (r *record) Close() error               { return nil }

var (
	_ fs.ReadLinkFS = (*root)(nil)
	_ fs.ReadDirFS  = (*root)(nil)
)
