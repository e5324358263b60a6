// Package watch yields files as they are written, for as long as it runs, and
// those that changed while nobody watched. It is a [besra.Source].
//
//	src, err := watch.New(watch.Config{Dirs: []string{"/srv"}, Files: files})
//
// # Watching
//
// On Linux, with the rights for it, fanotify tells of every file that is closed
// after writing, made or moved anywhere below the directories, and which process
// did it: the facts of the group writer. Otherwise, and on other systems, each
// directory is watched on its own (inotify, kqueue, ReadDirectoryChangesW).
//
// A file is yielded once nothing has happened to it for a while ([Config.Quiet]),
// so that one which is written in many pieces is read once. Where the system
// drops notices because too many come at once, what changed since is looked for
// in the whole of the directories, and the loss is told. A file that is gone
// before it is read is a skip.
//
// # Catching up
//
// Before it waits, and instead of it with [Config.Once], the source yields what
// changed since a time, or since a snapshot was taken. See [Snapshot].
package watch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/besra-hunt/besra"
)

// Config says what is watched.
type Config struct {
	// Dirs are the directories, with all below them.
	Dirs []string
	// Files makes the source of what lies at paths: files, or whole directories.
	Files func(paths []string) (besra.Source, error)
	// Quiet is how long nothing must happen to a file before it is read (default
	// 500 ms); it is read after ten times that whatever happens.
	Quiet time.Duration
	// Method is how changes are noticed: "fanotify", "notify" (directory by
	// directory), or "auto" for the best that works (default).
	Method string
	// Since, where set, has what changed after it yielded first.
	Since time.Time
	// Snapshot, where set, has what changed since it yielded first, and is
	// brought up to date.
	Snapshot *Snapshot
	// Once ends the run when it has caught up.
	Once bool
	// Stop ends the watching; what was noticed is yielded first.
	Stop context.Context
	// Ready, where set, is told by which method changes are noticed, and why not
	// by a better one.
	Ready func(method string, why error)
}

// The methods.
const (
	MethodAuto     = "auto"
	MethodFanotify = "fanotify"
	MethodNotify   = "notify"
)

// The reasons of gaps.
const (
	ReasonVanished  = "vanished"  // gone before it was read
	ReasonOverflow  = "overflow"  // the system dropped notices; everything is looked at again
	ReasonUnwatched = "unwatched" // a directory that cannot be watched
	// ReasonInterrupted says that it was stopped before it had caught up.
	ReasonInterrupted = "interrupted"
)

// Source watches. Each Run begins anew.
type Source struct{ config Config }

// New returns the source that c describes.
func New(c Config) (*Source, error) {
	if len(c.Dirs) == 0 {
		return nil, errors.New("no directory to watch")
	}
	var dirs []string
	for _, d := range c.Dirs {
		abs, err := filepath.Abs(d)
		if err == nil {
			abs, err = filepath.EvalSymlinks(abs)
		}
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, abs)
	}
	c.Dirs = dirs
	if c.Quiet <= 0 {
		c.Quiet = 500 * time.Millisecond
	}
	if c.Stop == nil {
		c.Stop = context.Background()
	}
	switch c.Method {
	case "":
		c.Method = MethodAuto
	case MethodAuto, MethodFanotify, MethodNotify:
	default:
		return nil, fmt.Errorf("method %q: want %s, %s or %s", c.Method, MethodAuto, MethodFanotify, MethodNotify)
	}
	return &Source{c}, nil
}

// change is one notice: something happened at a path.
type change struct {
	path string
	by   *writer // nil where it is not known
	lost bool    // notices were dropped; there is no path
}

// notifier notices changes.
type notifier interface {
	// run hands over each change until close.
	run(to func(change)) error
	close() error
}

// Run implements [besra.Source].
func (s *Source) Run(ctx context.Context, to besra.Receiver) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.config.Once {
		return s.catchUp(ctx, to)
	}
	n, err := s.open(to) // first, so that nothing is missed while it catches up
	if err != nil {
		return err
	}
	p := newPending(s.config.Quiet)
	var noticing error
	ended := make(chan struct{})
	go func() {
		noticing = n.run(p.note)
		close(ended)
	}()
	err = s.catchUp(ctx, to)
	if err == nil {
		err = s.follow(ctx, p, ended, to)
	}
	err = errors.Join(err, n.close())
	<-ended
	return errors.Join(err, noticing)
}

// open begins to notice by the best method that works.
func (s *Source) open(to besra.Receiver) (notifier, error) {
	var why error
	if s.config.Method != MethodNotify {
		n, err := newFanotify(s.config.Dirs)
		if err == nil {
			s.ready(MethodFanotify, nil)
			return n, nil
		}
		if why = fmt.Errorf("fanotify: %w", err); s.config.Method == MethodFanotify {
			return nil, why
		}
	}
	n, err := newNotify(s.config.Dirs, to)
	if err != nil {
		return nil, errors.Join(why, err)
	}
	s.ready(MethodNotify, why)
	return n, nil
}

func (s *Source) ready(method string, why error) {
	if s.config.Ready != nil {
		s.config.Ready(method, why)
	}
}

// follow yields what is noticed until it is told to stop.
func (s *Source) follow(ctx context.Context, p *pending, ended <-chan struct{}, to besra.Receiver) error {
	since := time.Now()
	for {
		due := p.wait(ctx, s.config.Stop, ended)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if due.lost > 0 {
			began := time.Now()
			if err := s.lookAgain(ctx, since, due.lost, to); err != nil {
				return err
			}
			since = began
		}
		if err := s.read(ctx, due.changes, to); err != nil {
			return err
		}
		if due.last {
			return nil
		}
	}
}

// margin is how much clocks and the notices of a loss may be apart.
const margin = time.Minute

// lookAgain yields what changed since notices may be lost.
func (s *Source) lookAgain(ctx context.Context, since time.Time, lost int64, to besra.Receiver) error {
	to.Gap(besra.Gap{Kind: besra.GapSkip, Target: besra.Text(s.config.Dirs[0]), Reason: ReasonOverflow, Count: lost,
		Detail: "the system dropped notices of changes: everything that changed since " + since.UTC().Format(time.RFC3339) + " is looked at again"})
	return s.walk(ctx, s.config.Dirs, &changed{Receiver: to, since: since.Add(-margin)})
}

// batch is how many changed files are read by one source of files.
const batch = 500

// read yields changed files.
func (s *Source) read(ctx context.Context, changes map[string]*writer, to besra.Receiver) error {
	paths := make([]string, 0, batch)
	for path := range changes {
		if paths = append(paths, path); len(paths) < batch {
			continue
		}
		if err := s.walk(ctx, paths, &written{to, changes}); err != nil {
			return err
		}
		paths = paths[:0]
	}
	return s.walk(ctx, paths, &written{to, changes})
}

func (s *Source) walk(ctx context.Context, paths []string, to besra.Receiver) error {
	if len(paths) == 0 {
		return nil
	}
	source, err := s.config.Files(paths)
	if err != nil {
		return err
	}
	return source.Run(ctx, to)
}
