package main

import (
	"crypto/sha256"
	"fmt"

	"github.com/besra-hunt/besra/cache"
	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/scan"
	"github.com/spf13/pflag"
)

// cacheFlags say whether the engine's answers are kept from hunt to hunt.
type cacheFlags struct {
	file string
	stat bool

	cache *cache.Cache
}

func (c *cacheFlags) register(f *pflag.FlagSet) {
	f.StringVar(&c.file, "cache", "", "keep what rules say of contents in this file, by SHA-256, and do not search those again")
	f.BoolVar(&c.stat, "cache-stat", false, "with --cache, do not even read a file in which nothing was found while its inode, size and times are the same")
}

// open opens the cache for the rules of a set, as this program understands them.
func (c *cacheFlags) open(set *detection.Set) (err error) {
	if c.stat && c.file == "" {
		return &hintError{fmt.Errorf("--cache-stat: no cache is given"), "--cache FILE names it"}
	}
	if c.file == "" {
		return nil
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %d", buildName(), set.Rules.Stats().Rules)
	for _, p := range set.Packs {
		fmt.Fprintf(h, " %q", p.Digest)
	}
	if c.cache, err = cache.Open(c.file, fmt.Sprintf("%x", h.Sum(nil))); err != nil {
		return fmt.Errorf("--cache: %w", err)
	}
	return nil
}

// asked returns the cache as a hunt takes it.
func (c *cacheFlags) asked() scan.Cache {
	if c.cache == nil {
		return nil
	}
	return answers{c.cache}
}

// answers gives the cache the face that a hunt knows.
type answers struct{ *cache.Cache }

func (a answers) Get(key [32]byte) ([]byte, bool) { return a.Cache.Get(key) }
func (a answers) Put(key [32]byte, answer []byte) { a.Cache.Put(key, answer) }

// close tells what the cache was good for. That it could not be written is no
// error of the hunt.
func (c *cacheFlags) close(stdio stdio) {
	if c.cache == nil {
		return
	}
	hits, put := c.cache.Counts()
	if err := c.cache.Close(); err != nil {
		fmt.Fprintf(stdio.err, "besra: warning: cache %s: %v\n", c.file, err)
	}
	c.cache = nil
	fmt.Fprintf(stdio.err, "cache %s: %d answers used, %d new\n", c.file, hits, put)
}
