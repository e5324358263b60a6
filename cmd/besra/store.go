package main

import (
	"errors"
	"io"
	"path/filepath"
	"slices"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
	"github.com/besra-hunt/besra/source/bucket"
	"github.com/besra-hunt/besra/source/files"
	"github.com/besra-hunt/besra/source/git"
	"github.com/besra-hunt/besra/source/image"
	"github.com/spf13/pflag"
)

// storeFlags say what is read of images and buckets.
type storeFlags struct {
	platform string
	after    string
}

func (s *storeFlags) register(f *pflag.FlagSet) {
	f.StringVar(&s.platform, "platform", "", "image of several that is read, such as linux/arm64, or all (default: Linux on this processor)")
	f.StringVar(&s.after, "after", "", "key of a bucket behind which to begin; keys come in order")
}

// largest is the size of the largest thing that is read into memory, where room
// bounds that: 0 does not.
func (h *huntFlags) largest(room int64) int64 {
	size := int64(h.archives.member)
	for _, limit := range []int64{int64(h.maxSize), room} {
		if limit > 0 {
			size = min(size, limit)
		}
	}
	return size
}

func openGit(h *huntFlags, host *facts.Host, _ io.Reader, what string) (besra.Source, error) {
	hint := "git:DIR, a work tree or a bare repository; one in a server's store is cloned first, with --mirror"
	if what == "" {
		return nil, &hintError{errors.New("git: names no directory"), hint}
	}
	if h.root != "" {
		return nil, &hintError{errors.New("git: repositories are read on this host, not in a foreign root"), "name the directory as it is here, without --root"}
	}
	objects, err := git.Objects(what)
	if err != nil {
		return nil, &hintError{err, hint}
	}
	keep, err := files.Scope(h.include, h.exclude)
	if err != nil {
		return nil, err
	}
	tree, err := files.New(files.Config{Host: host, Paths: []string{what}, Include: h.include, Exclude: append(slices.Clone(h.exclude), filepath.ToSlash(objects)),
		Own: h.ownFiles(), MaxSize: int64(h.maxSize), OneFileSystem: h.oneFileSystem, FollowSymlinks: h.follow, Network: h.networkFS})
	if err != nil {
		return nil, err
	}
	return git.New(git.Config{Path: what, Files: tree, Keep: keep, MaxSize: h.largest(h.limits.loaded), Host: host})
}

func openBucket(h *huntFlags, host *facts.Host, _ io.Reader, what string) (besra.Source, error) {
	keep, err := files.Scope(h.include, h.exclude)
	if err != nil {
		return nil, err
	}
	source, err := bucket.New(bucket.Config{URL: what, After: h.stores.after, Keep: keep, MaxSize: h.largest(h.limits.loaded), Host: host})
	if err != nil {
		return nil, &hintError{err, "besra hunt 'bucket:s3://evidence/2026/?region=eu-west-1'; credentials are those of the store's own tools"}
	}
	return source, nil
}

func openImage(h *huntFlags, _ *facts.Host, _ io.Reader, what string) (besra.Source, error) {
	if what == "" {
		return nil, &hintError{errors.New("image: names no image"), "image:registry.example/app:1.2, image:saved.tar, image:layout/"}
	}
	keep, err := files.Scope(h.include, h.exclude)
	if err != nil {
		return nil, err
	}
	// A file that was scanned stays in memory until the next one is, and is garbage then.
	held := h.limits.read / unpackedTimes
	return image.New(image.Config{Name: what, Platform: h.stores.platform, Keep: keep, Facts: facts.Config{Name: h.hostName, Tags: h.tags},
		Members: h.archives.members, Bytes: int64(h.archives.total), Member: h.largest(held), Held: held})
}
