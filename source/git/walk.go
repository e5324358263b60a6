package git

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// walk is one reading of a repository.
type walk struct {
	ctx     context.Context
	source  *Source
	repo    *repository
	to      besra.Receiver
	seen    map[plumbing.Hash]bool // commits, trees and blobs; true for what was handed on
	shallow map[plumbing.Hash]bool
	skipped map[string]int64

	stop error // why the receiver wants no more
}

func newWalk(ctx context.Context, s *Source, r *repository, to besra.Receiver) *walk {
	w := &walk{ctx: ctx, source: s, repo: r, to: to, seen: map[plumbing.Hash]bool{}, shallow: map[plumbing.Hash]bool{}, skipped: map[string]int64{}}
	for _, h := range r.shallow() {
		w.shallow[h] = true
	}
	return w
}

// commit is what is kept of a commit while all are listed.
type commit struct {
	hash plumbing.Hash
	when time.Time // by its committer
}

// first tells whether an object is met for the first time.
func (w *walk) first(h plumbing.Hash) bool {
	if _, dup := w.seen[h]; dup {
		return false
	}
	w.seen[h] = false
	return true
}

func (w *walk) run() error {
	for _, err := range w.repo.damaged {
		w.fault("pack", &Error{ReasonDamaged, err})
	}
	heads, err := w.repo.heads()
	if err != nil {
		w.fault("references", told(err))
	}
	if err := w.history(heads, true); err != nil {
		return err
	}
	return w.rest()
}

// rest walks what no reference leads to.
func (w *walk) rest() error {
	all, err := w.repo.all()
	if err != nil {
		w.fault("objects", told(err))
		return nil
	}
	var commits, trees, blobs []plumbing.Hash
	for _, h := range all {
		if _, seen := w.seen[h]; seen {
			continue
		}
		if w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		switch kind, err := w.repo.kind(h); {
		case err != nil:
			w.fault(short(h), told(err))
		case kind == plumbing.CommitObject:
			commits = append(commits, h)
		case kind == plumbing.TreeObject:
			trees = append(trees, h)
		case kind == plumbing.BlobObject:
			blobs = append(blobs, h)
		}
	}
	sortHashes(trees)
	sortHashes(blobs)
	if err := w.history(commits, false); err != nil {
		return err
	}
	for _, h := range trees {
		w.tree(h, &place{}, "", 0)
	}
	for _, h := range blobs {
		if w.first(h) {
			w.blob(h, &place{}, "", filemode.Regular)
		}
	}
	return w.stop
}

func sortHashes(list []plumbing.Hash) {
	slices.SortFunc(list, func(a, b plumbing.Hash) int { return slices.Compare(a[:], b[:]) })
}

// history walks the commits from heads back, the oldest first.
func (w *walk) history(heads []plumbing.Hash, reachable bool) error {
	commits, err := w.commits(heads)
	if err != nil {
		return err
	}
	slices.SortStableFunc(commits, func(a, b commit) int {
		return cmp.Or(a.when.Compare(b.when), slices.Compare(a.hash[:], b.hash[:]))
	})
	for _, c := range commits {
		if w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		full, err := w.repo.commit(c.hash)
		if err != nil {
			w.fault(short(c.hash), told(err))
			continue
		}
		w.tree(full.TreeHash, &place{commit: full, reachable: reachable}, "", 0)
		if w.stop != nil {
			return w.stop
		}
	}
	return nil
}

// commits lists what heads lead to and was not seen before. A head that is no
// commit but a tree or a blob is walked at once.
func (w *walk) commits(heads []plumbing.Hash) (out []commit, err error) {
	var queue []plumbing.Hash
	for _, h := range heads {
		to, kind, err := w.repo.peel(h)
		switch {
		case err != nil:
			w.fault(short(h), told(err))
		case kind == plumbing.CommitObject:
			queue = append(queue, to)
		case kind == plumbing.TreeObject:
			w.tree(to, &place{reachable: true}, "", 0)
		case kind == plumbing.BlobObject && w.first(to):
			w.blob(to, &place{reachable: true}, "", filemode.Regular)
		}
	}
	for len(queue) > 0 && w.stop == nil {
		if w.ctx.Err() != nil {
			return nil, w.ctx.Err()
		}
		h := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if !w.first(h) {
			continue
		}
		c, err := w.repo.commit(h)
		if err != nil {
			w.fault(short(h), told(err))
			continue
		}
		out = append(out, commit{h, c.Committer.When})
		if w.shallow[h] {
			w.skipped[ReasonShallow]++
			continue
		}
		queue = append(queue, c.ParentHashes...)
	}
	return out, w.stop
}

// place is where a blob was met.
type place struct {
	commit    *object.Commit // nil for none
	reachable bool
}

// maxDepth bounds directories in directories.
const maxDepth = 512

// tree walks a tree that was not seen before.
func (w *walk) tree(h plumbing.Hash, at *place, dir string, depth int) {
	if w.stop != nil || !w.first(h) {
		return
	}
	t, err := w.repo.tree(h)
	if err == nil && depth == maxDepth {
		err = &Error{ReasonDamaged, errors.New("directories in directories without an end")}
	}
	if err != nil {
		w.fault(name(at, dir, h), told(err))
		return
	}
	for _, e := range t.Entries {
		p := path.Join(dir, e.Name)
		switch {
		case w.stop != nil:
			return
		case e.Mode == filemode.Dir:
			w.tree(e.Hash, at, p, depth+1)
		case e.Mode == filemode.Submodule && w.first(e.Hash):
			w.skipped[ReasonSubmodule]++
		case e.Mode == filemode.Submodule:
		case w.first(e.Hash):
			w.blob(e.Hash, at, p, e.Mode)
		}
	}
}

// blob yields a blob.
func (w *walk) blob(h plumbing.Hash, at *place, p string, mode filemode.FileMode) {
	if w.stop = w.ctx.Err(); w.stop != nil {
		return
	}
	if keep := w.source.config.Keep; keep != nil && !keep("/"+p) {
		w.skipped[ReasonExcluded]++
		return
	}
	size, err := w.repo.size(h)
	switch {
	case err != nil:
		w.fault(name(at, p, h), told(err))
	case size > w.source.config.MaxSize:
		w.skipped[ReasonTooLarge]++
	default:
		w.stop = w.to.Target(w.target(h, at, p, mode, size))
		w.seen[h] = true
	}
}

// fault counts what cannot be read.
func (w *walk) fault(what string, err error) {
	var known *Error
	errors.As(err, &known)
	w.to.Gap(besra.Gap{Kind: besra.GapError, Target: besra.Text(w.source.config.Path + "!" + what), Reason: known.reason, Detail: err.Error(), Count: 1})
}

// tell counts what was left out, by reason.
func (w *walk) tell() {
	for reason, n := range w.skipped {
		w.to.Gap(besra.Gap{Kind: besra.GapSkip, Target: besra.Text(w.source.config.Path), Reason: reason, Count: n})
	}
}

func short(h plumbing.Hash) string { return h.String()[:10] }

// name is that of a blob or a tree in the repository.
func name(at *place, p string, h plumbing.Hash) string {
	switch {
	case at.commit != nil:
		return short(at.commit.Hash) + ":" + p
	case p != "":
		return "dangling:" + short(h) + ":" + p
	}
	return "dangling:" + short(h)
}
