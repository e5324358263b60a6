// Package git hunts in the whole history of a git repository: every blob once,
// whichever commits, branches and paths have it. It is a [besra.Source]:
//
//	src, err := git.New(git.Config{Path: "/srv/app", Host: host})
//
// # Targets
//
// A blob is named by the first commit that has it, and its path there:
//
//	/srv/app!3f2a9c01de:deploy/run.sh
//
// Commits that a reference leads to come first, from the oldest on. Then come those
// that none leads to any more (a branch that was deleted, a push that was forced),
// which git keeps for weeks and a clone does not bring; of such the fact
// git.reachable is false. At last come blobs that no commit has: what was staged
// and never committed.
//
//	/srv/app!dangling:9ae3b1c204
//
// Files of the work tree, given as a source of their own, are handed on where their content
// is no blob of the repository: new, changed, or below .git itself.
//
// A repository may be bare, shallow, or a work tree of another. What is damaged
// is a gap, and the walk goes on. Memory holds 20 bytes and some for each object, and
// no content but what is being scanned. Repositories that name objects by SHA-256 or keep
// references in reftables are not read, which is an error; objects that one borrows
// from another (alternates) are missing.
package git

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/besra-hunt/besra"
)

// Config says which repository is read.
type Config struct {
	// Path is the directory of a work tree or of a bare repository.
	Path string
	// Files are the files of the work tree; nil where they are not hunted. Their
	// targets are named by their paths.
	Files besra.Source
	// Keep, where not nil, tells whether a path, from "/" on, is asked for; blobs of
	// others are counted.
	Keep func(path string) bool
	// MaxSize leaves out larger blobs, in bytes (default 256 MiB).
	MaxSize int64
	// Host answers what is asked of the host that looks.
	Host besra.Facts
}

// The reasons of gaps.
const (
	ReasonExcluded  = "excluded"  // by Config.Keep
	ReasonTooLarge  = "too_large" // by Config.MaxSize
	ReasonShallow   = "shallow"   // commits whose parents a shallow clone did not bring
	ReasonSubmodule = "submodule" // a commit of another repository
	ReasonMissing   = "missing"   // an object that the repository lacks
	ReasonDamaged   = "damaged"   // one that breaks its format
)

// Source implements [besra.Source]. It is immutable; each Run reads anew.
type Source struct{ config Config }

// New checks c and returns its source.
func New(c Config) (*Source, error) {
	if c.Path == "" {
		return nil, errors.New("no repository is named")
	}
	abs, err := filepath.Abs(c.Path)
	if err != nil {
		return nil, err
	}
	c.Path = abs
	if _, err := locate(abs); err != nil {
		return nil, err
	}
	if c.MaxSize == 0 {
		c.MaxSize = 256 << 20
	}
	if c.Host == nil {
		c.Host = besra.NoFacts{}
	}
	return &Source{c}, nil
}

// Run implements [besra.Source].
func (s *Source) Run(ctx context.Context, to besra.Receiver) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := openRepository(s.config.Path)
	if err != nil {
		return fmt.Errorf("git %s: %w", s.config.Path, err)
	}
	w := newWalk(ctx, s, r, to)
	defer w.tell()
	if err := w.run(); err != nil {
		return err
	}
	if s.config.Files == nil {
		return ctx.Err()
	}
	return s.config.Files.Run(ctx, &fresh{w})
}
