// Package files is the source that yields the files of a directory tree: of
// this host, or of a foreign root that is mounted or unpacked in a directory.
//
//	src, err := files.New(files.Config{Paths: []string{"/usr"}})
//	err = src.Run(ctx, receiver)
//
// # What is walked
//
// Each given path is resolved first: links on it are followed, in a foreign
// root inside that root and never out of it. From there on the walk follows no
// link unless asked to, and opens every directory relative to its parent, so
// that a tree that changes under the walk cannot lead it elsewhere. A target is
// named by its real path on its own host, and so once, however many links lead
// to it; hard links are targets of their own.
//
// Several goroutines walk at once. Directories are read in batches and files
// are handed on as they are met: memory does not grow with the tree.
//
// # What is left out
//
// Every file that is not handed on is counted as a [besra.Gap] with one of the
// Reason constants. Gaps of one kind in one directory are counted together.
// Pseudo file systems (proc, sysfs, devices) and, unless asked for, network
// file systems are skipped before they are touched, except for the file system
// that the root of the host lies on.
package files

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
)

// Config says which files to yield.
type Config struct {
	// Paths are the files and directories to walk. On this host a relative
	// path counts from the working directory; in a foreign root every path
	// counts from the root's top.
	Paths []string
	// Root is the directory that holds a foreign root; empty means this host.
	Root string
	// Host gathers the facts of the files. Nil means a new one for Root. One
	// that is given must be of the same Root.
	Host *facts.Host

	// Include, where not empty, keeps only files whose path matches one of the
	// globs; Exclude leaves out files and whole directories that match. "**"
	// spans directories. A glob without a slash is tried on the last element
	// of the path, one that does not begin with a slash at any depth.
	Include, Exclude []string
	// Own names what the run itself writes, files and whole directories; it is
	// left out wherever the walk meets it.
	Own []string
	// MaxSize leaves out larger files, in bytes; 0 means no limit.
	MaxSize int64
	// OneFileSystem stays on the file system of each given path.
	OneFileSystem bool
	// FollowSymlinks follows links that are met in the walk.
	FollowSymlinks bool
	// Real says that the given paths are without links: where one has come in
	// between since, it is left out like a link that is met in the walk. Otherwise
	// who gives a path means what it leads to.
	Real bool
	// Network reads network file systems too.
	Network bool
	// Pace waits until the walk may make n more disk operations; nil means that
	// it never waits.
	Pace func(ctx context.Context, n int64) error
	// Workers is the number of goroutines that walk; 0 means one a processor,
	// at most 8.
	Workers int
}

// The reasons of gaps. Those of skips say what a file is, those of errors what
// went wrong.
const (
	ReasonSymlink    = "symlink"           // a link that is not followed, leads nowhere, or leads where the walk has been
	ReasonSocket     = "socket"            //
	ReasonFIFO       = "fifo"              //
	ReasonDevice     = "device"            //
	ReasonIrregular  = "irregular"         // none of the kinds that have content
	ReasonOffline    = "offline"           // content that is kept elsewhere and would have to be fetched
	ReasonPseudo     = "pseudo_filesystem" // a file system that the kernel makes up
	ReasonNetwork    = "network_filesystem"
	ReasonOtherFS    = "other_filesystem" // with Config.OneFileSystem
	ReasonExcluded   = "excluded"         // by Config.Exclude, or not by Config.Include
	ReasonTooLarge   = "too_large"        // by Config.MaxSize, or for the address space
	ReasonOwn        = "own"              // written by this run, by Config.Own
	ReasonManifest   = "manifest"         // the ownership manifest of an unpacked root
	ReasonNotFound   = "not_found"        // a given path that does not exist
	ReasonVanished   = "vanished"         // gone, or become something else, since the walk saw it
	ReasonPermission = "permission"       //
	ReasonIO         = "io"               // any other error of the system
)

// Source implements [besra.Source]. It is immutable: Run may be called again,
// and at once.
type Source struct {
	config  Config
	host    *facts.Host
	tree    *tree
	include globs
	exclude globs
	own     map[string]bool
	buffers *sync.Pool
	// fault stands in for the system's errors in tests; nil otherwise. It is
	// asked before op ("open", "list", "stat", "read") on a path.
	fault func(op, path string) error
}

// New checks c and returns its source.
func New(c Config) (*Source, error) {
	if len(c.Paths) == 0 {
		return nil, errors.New("no paths to walk: name at least one file or directory")
	}
	s := &Source{config: c, host: c.Host, buffers: newBuffers()}
	if s.config.Workers <= 0 {
		s.config.Workers = min(runtime.GOMAXPROCS(0), 8)
	}
	var err error
	if s.include, err = compileGlobs("include", c.Include); err != nil {
		return nil, err
	}
	if s.exclude, err = compileGlobs("exclude", c.Exclude); err != nil {
		return nil, err
	}
	if s.host == nil {
		if s.host, err = facts.NewHost(facts.Config{Root: c.Root}); err != nil {
			return nil, err
		}
	}
	if s.host.Live() != (c.Root == "") {
		return nil, fmt.Errorf("root %q: the host given with it is another one (%q)", c.Root, s.host.Root())
	}
	if s.tree, err = openTree(s.host.Root()); err != nil {
		return nil, fmt.Errorf("root %s: %w", c.Root, err)
	}
	s.own = ownPaths(s.host, c.Own)
	return s, nil
}

// Host returns the host whose files are walked, with its facts.
func (s *Source) Host() *facts.Host { return s.host }

// Run implements [besra.Source].
func (s *Source) Run(ctx context.Context, to besra.Receiver) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := newWalk(ctx, cancel, s, to)
	return w.run(w.starts())
}
