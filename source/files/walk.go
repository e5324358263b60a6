package files

import (
	"context"
	"io"
	"io/fs"
	"path"
	"sync"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
)

const (
	// batch is how many names are read from a directory at a time.
	batch = 512
	// inodesRead is how many inodes one disk operation is taken to read: a block
	// of 4 KiB holds 16 of ext4's.
	inodesRead = 16
	// maxPending is how many directories are set aside before they are walked:
	// until then the directory that holds them can be closed first.
	maxPending = 1024
	// shallow is the depth up to which every directory on the way down is kept
	// open; below it, every directory at a multiple of it. So a child opens by
	// a short path, and a tree of any depth needs few descriptors.
	shallow = 64
)

// walk is one run of a source.
type walk struct {
	*Source
	ctx    context.Context
	cancel context.CancelFunc
	to     besra.Receiver
	mounts mountTable
	// base is the file system of the host's root, which is always read.
	base device

	// jobs hands directories to walkers that have nothing to do. It holds
	// none: a directory that nobody waits for is walked by who found it.
	jobs    chan node
	pending sync.WaitGroup

	claims   sync.Map // real paths the walk begins at
	mu       sync.Mutex
	followed []node // starts that links led to, for the next wave
	failure  error  // what the receiver said
}

// node is a directory to walk, or a file where the walk starts.
type node struct {
	path  string
	info  fs.FileInfo
	depth int
	dev   device
	// check asks for the type of file system when the directory is open.
	check bool
}

// anchor is an open directory above one that is to be opened.
type anchor struct {
	dir  *dir
	path string
}

func newWalk(ctx context.Context, cancel context.CancelFunc, s *Source, to besra.Receiver) *walk {
	w := &walk{Source: s, ctx: ctx, cancel: cancel, to: to}
	w.mounts, w.base = newMountTable(s.host.Root()), s.tree.base()
	return w
}

// run walks from the given nodes, and then from where links led, until there
// is nothing left.
func (w *walk) run(starts []node) error {
	for len(starts) > 0 && w.ctx.Err() == nil {
		w.wave(starts)
		starts, w.followed = w.followed, nil
	}
	if w.failure != nil {
		return w.failure
	}
	return w.ctx.Err()
}

// wave walks from each start and returns when all of it is done.
func (w *walk) wave(starts []node) {
	w.jobs = make(chan node)
	var workers sync.WaitGroup
	for range w.config.Workers {
		workers.Go(func() {
			for n := range w.jobs {
				w.begin(n)
				w.pending.Done()
			}
		})
	}
	for _, n := range starts {
		w.pending.Add(1)
		select {
		case w.jobs <- n:
		case <-w.ctx.Done():
			w.pending.Done()
		}
	}
	w.pending.Wait()
	close(w.jobs)
	workers.Wait()
}

// begin walks a node that was handed over.
func (w *walk) begin(n node) {
	switch {
	case w.ctx.Err() != nil:
	case n.info == nil || n.info.IsDir():
		w.descend(anchor{}, n)
	default:
		t := tally{dir: path.Dir(n.path)}
		w.file(n.path, n.info, &t)
		t.flush(w.to)
	}
}

// offer hands a directory to a walker that waits for one, if there is one. Deep
// directories are not handed over: they would be opened by their long path.
func (w *walk) offer(n node) bool {
	if n.depth >= shallow {
		return false
	}
	w.pending.Add(1)
	select {
	case w.jobs <- n:
		return true
	default:
		w.pending.Done()
		return false
	}
}

// descend walks a directory: first its files, then the directories below it.
func (w *walk) descend(at anchor, n node) {
	h, err := w.enter(at, n)
	if err != nil {
		w.to.Gap(errorGap(n.path, err))
		return
	}
	defer h.close()
	if reason, fsType := w.forbidden(h, n); reason != "" {
		w.to.Gap(skipGap(n.path, reason, fsType))
		return
	}
	next := at
	if n.depth < shallow || n.depth%shallow == 0 || at.dir == nil {
		next = anchor{h, n.path}
	}
	rest := w.list(h, next, n)
	if len(rest) == 0 || next.dir != h {
		h.close()
	}
	w.children(next, rest)
}

func (w *walk) enter(at anchor, n node) (*dir, error) {
	if err := w.fail("list", n.path); err != nil {
		return nil, err
	}
	if at.dir == nil {
		return w.tree.openDir(n.path)
	}
	return at.dir.open(relative(at.path, n.path))
}

// forbidden asks the open directory for its file system where the walk came to
// a new one that the table of mounts did not tell of.
func (w *walk) forbidden(h *dir, n node) (reason, fsType string) {
	if !n.check || n.dev == w.base {
		return "", ""
	}
	fsType = h.fsType()
	return w.skippedType(fsType), fsType
}

// skippedType returns the reason for which file systems of a type are left out.
func (w *walk) skippedType(fsType string) string {
	switch class := classOf(fsType); class {
	case ReasonNetwork:
		if w.config.Network {
			return ""
		}
		return class
	default:
		return class
	}
}

func (w *walk) children(at anchor, nodes []node) {
	for _, n := range nodes {
		if w.ctx.Err() != nil {
			return
		}
		if !w.offer(n) {
			w.descend(at, n)
		}
	}
}

// list hands on the directory's files and returns its directories, or what is
// left of them: of very many it walks most at once.
func (w *walk) list(h *dir, next anchor, n node) []node {
	t := &tally{dir: n.path}
	defer t.flush(w.to)
	points := w.mounts.in(n.path)
	var found []node
	for {
		w.pace(1)
		names, err := h.names(batch)
		w.pace(int64(len(names)) / inodesRead)
		for _, name := range names {
			if w.ctx.Err() != nil {
				return nil
			}
			if sub, ok := w.entry(h, n, name, points[name], t); ok {
				found = append(found, sub)
			}
			if len(found) == maxPending {
				w.children(next, found)
				found = found[:0]
			}
		}
		if err == io.EOF {
			return found
		}
		if err != nil {
			t.add(errorGap(n.path, err))
			return found
		}
	}
}

// pace holds the walk back; that the run is over it learns elsewhere.
func (w *walk) pace(n int64) {
	if w.config.Pace != nil && n > 0 {
		w.config.Pace(w.ctx, n)
	}
}

// entry looks at one name of a directory. What has to be walked is returned;
// all else is handed on or counted. A mount whose type is forbidden is not even
// looked at: its server may be gone.
func (w *walk) entry(h *dir, parent node, name, mounted string, t *tally) (node, bool) {
	p := join(parent.path, name)
	if reason := w.skippedType(mounted); reason != "" {
		w.to.Gap(skipGap(p, reason, mounted))
		return node{}, false
	}
	err := w.fail("stat", p)
	var info fs.FileInfo
	if err == nil {
		info, err = h.lstat(name)
	}
	switch {
	case err != nil:
		t.add(errorGap(p, err))
	case info.IsDir():
		return w.directory(parent, p, info)
	case info.Mode()&fs.ModeSymlink != 0:
		w.link(p, t)
	case !w.claimed(p):
		w.file(p, info, t)
	}
	return node{}, false
}

// directory decides whether a directory is walked.
func (w *walk) directory(parent node, p string, info fs.FileInfo) (node, bool) {
	dev := deviceOf(info)
	switch {
	case w.claimed(p): // a start of its own
		return node{}, false
	case w.isOwn(p):
		w.to.Gap(skipGap(p, ReasonOwn, "with all below it"))
		return node{}, false
	case w.exclude.match(p):
		w.to.Gap(skipGap(p, ReasonExcluded, "with all below it"))
		return node{}, false
	case dev != parent.dev && w.config.OneFileSystem:
		w.to.Gap(skipGap(p, ReasonOtherFS, "with all below it"))
		return node{}, false
	}
	return node{path: p, depth: parent.depth + 1, dev: dev, check: dev != parent.dev}, true
}

// file hands on a file that is met by its own name, or counts why not.
func (w *walk) file(p string, info fs.FileInfo, t *tally) {
	if reason, detail := w.leftOut(p, info); reason != "" {
		t.add(skipGap(p, reason, detail))
		return
	}
	if err := w.to.Target(w.target(p, info)); err != nil {
		w.stop(err)
	}
}

// kinds gives the reason for which each kind of file has no content to read.
var kinds = []struct {
	mode   fs.FileMode
	reason string
}{
	{fs.ModeSymlink, ReasonSymlink},
	{fs.ModeSocket, ReasonSocket},
	{fs.ModeNamedPipe, ReasonFIFO},
	{fs.ModeDevice | fs.ModeCharDevice, ReasonDevice},
	{fs.ModeIrregular, ReasonIrregular},
}

func (w *walk) leftOut(p string, info fs.FileInfo) (reason, detail string) {
	for _, k := range kinds {
		if info.Mode()&k.mode != 0 {
			return k.reason, ""
		}
	}
	switch {
	case !w.host.Live() && p == facts.Manifest:
		return ReasonManifest, ""
	case w.isOwn(p):
		return ReasonOwn, ""
	case w.exclude.match(p):
		return ReasonExcluded, ""
	case len(w.include) > 0 && !w.include.match(p):
		return ReasonExcluded, "not among the included"
	case w.config.MaxSize > 0 && info.Size() > w.config.MaxSize:
		return ReasonTooLarge, ""
	case isOffline(info):
		return ReasonOffline, ""
	}
	return "", ""
}

// stop ends the run because the receiver said so.
func (w *walk) stop(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failure == nil {
		w.failure = err
	}
	w.cancel()
}

func (s *Source) fail(op, path string) error {
	if s.fault == nil {
		return nil
	}
	return s.fault(op, path)
}
