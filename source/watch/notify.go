package watch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/besra-hunt/besra"
	"github.com/fsnotify/fsnotify"
)

// notify watches directory by directory. Who changed something is not known.
type notify struct {
	watcher *fsnotify.Watcher
	dirs    []string
	to      besra.Receiver
}

// apart are the trees of file systems that the kernel makes up: their files
// change without being written.
var apart = []string{"/proc", "/sys", "/dev"}

func newNotify(dirs []string, to besra.Receiver) (notifier, error) {
	w, err := fsnotify.NewBufferedWatcher(4096)
	if err != nil {
		return nil, err
	}
	n := &notify{w, dirs, to}
	for _, d := range dirs {
		info, err := os.Stat(d)
		if err == nil && !info.IsDir() {
			err = &fs.PathError{Op: "watch", Path: d, Err: syscall.ENOTDIR}
		}
		if err != nil {
			return nil, errors.Join(err, w.Close())
		}
		n.tree(d)
	}
	if len(w.WatchList()) == 0 {
		return nil, errors.Join(errors.New("none of the directories can be watched"), w.Close())
	}
	return n, nil
}

// tree watches a directory and all below it. What cannot be watched is told.
func (n *notify) tree(top string) {
	filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			n.unwatched(p, err)
			return nil
		case !d.IsDir():
			return nil
		}
		for _, a := range apart {
			if p == a {
				return fs.SkipDir
			}
		}
		if err := n.watcher.Add(p); err != nil {
			n.unwatched(p, err)
		}
		return nil
	})
}

func (n *notify) unwatched(p string, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	n.to.Gap(besra.Gap{Kind: besra.GapError, Target: besra.Text(p), Reason: ReasonUnwatched, Detail: err.Error(), Count: 1})
}

// run implements notifier.
func (n *notify) run(to func(change)) error {
	events, errs := n.watcher.Events, n.watcher.Errors
	for events != nil || errs != nil {
		select {
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			n.event(e, to)
		case err, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			// An overflow, or anything else that kept notices from coming.
			to(change{lost: true})
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				n.unwatched("notices of changes", err)
			}
		}
	}
	return nil
}

// event notes a file that was made, moved here or written. A new directory is
// watched before it is read, so that nothing falls between.
func (n *notify) event(e fsnotify.Event, to func(change)) {
	if (e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename)) && slices.Contains(n.dirs, e.Name) {
		n.unwatched(e.Name, errors.New("it was removed or moved away: what is made in its place is not seen"))
		return
	}
	if !e.Has(fsnotify.Create) && !e.Has(fsnotify.Write) {
		return
	}
	info, err := os.Lstat(e.Name)
	if err == nil && info.IsDir() {
		if !e.Has(fsnotify.Create) {
			return
		}
		n.tree(e.Name)
	}
	to(change{path: e.Name})
}

// close implements notifier.
func (n *notify) close() error { return n.watcher.Close() }
