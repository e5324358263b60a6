package files

import (
	"errors"
	"io/fs"

	"github.com/besra-hunt/besra"
)

// starts resolves the given paths to the nodes that the walk begins at.
func (w *walk) starts() []node {
	var nodes []node
	for _, p := range w.config.Paths {
		if n, ok := w.start(p); ok && w.claim(n.path) {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// start resolves one given path, or reports why the walk cannot begin there.
func (w *walk) start(p string) (node, bool) {
	at, err := w.given(p)
	if err != nil {
		w.to.Gap(givenGap(p, err))
		return node{}, false
	}
	real, info, err := w.tree.resolve(at)
	if err != nil {
		w.to.Gap(givenGap(at, err))
		return node{}, false
	}
	if w.config.Real && fold(real) != fold(at) {
		w.to.Gap(skipGap(at, ReasonSymlink, ""))
		return node{}, false
	}
	return w.startAt(real, info)
}

func givenGap(p string, err error) besra.Gap {
	g := errorGap(p, err)
	switch {
	case errors.Is(err, errLinkLoop):
		g.Reason = ReasonSymlink
	case errors.Is(err, fs.ErrNotExist), isReplaced(err):
		g.Reason = ReasonNotFound
	}
	return g
}

// startAt makes a node of a resolved path, unless it is left out as a whole.
func (w *walk) startAt(p string, info fs.FileInfo) (node, bool) {
	n := node{path: p, info: info, dev: deviceOf(info), check: info.IsDir()}
	if fsType := w.mounts.at(p); n.dev != w.base && w.skippedType(fsType) != "" {
		w.to.Gap(skipGap(p, w.skippedType(fsType), fsType))
		return n, false
	}
	if info.IsDir() && w.exclude.match(p) {
		w.to.Gap(skipGap(p, ReasonExcluded, "with all below it"))
		return n, false
	}
	return n, true
}

// link follows a link met in the walk, if that is asked for: where it leads,
// the next wave of the walk begins, unless the walk comes there anyway.
func (w *walk) link(p string, t *tally) {
	if !w.config.FollowSymlinks {
		t.add(skipGap(p, ReasonSymlink, ""))
		return
	}
	real, info, err := w.tree.resolve(p)
	if err != nil {
		t.add(skipGap(p, ReasonSymlink, "leads nowhere: "+cause(err)))
		return
	}
	if w.reached(real) {
		t.add(skipGap(p, ReasonSymlink, "leads to what is walked anyway"))
		return
	}
	if n, ok := w.startAt(real, info); ok && w.claim(real) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.followed = append(w.followed, n)
	}
}

// claim notes that the walk begins at a real path; false if it does already.
func (w *walk) claim(p string) bool {
	_, dup := w.claims.LoadOrStore(fold(p), true)
	return !dup
}

// claimed reports whether the walk begins at p.
func (w *walk) claimed(p string) bool {
	_, ok := w.claims.Load(fold(p))
	return ok
}

// reached reports whether the walk begins at p or above it.
func (w *walk) reached(p string) bool {
	found := false
	ancestors(p, func(dir string) bool {
		found = w.claimed(dir)
		return !found
	})
	return found
}
