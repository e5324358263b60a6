package main

import (
	"errors"
	"io"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
	"github.com/besra-hunt/besra/source/bucket"
	"github.com/besra-hunt/besra/source/files"
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

// largest is the size of the largest thing that is read into memory.
func (h *huntFlags) largest() int64 {
	if limit := int64(h.maxSize); limit > 0 {
		return min(limit, int64(h.archives.member))
	}
	return int64(h.archives.member)
}

func openBucket(h *huntFlags, host *facts.Host, _ io.Reader, what string) (besra.Source, error) {
	keep, err := files.Scope(h.include, h.exclude)
	if err != nil {
		return nil, err
	}
	source, err := bucket.New(bucket.Config{URL: what, After: h.stores.after, Keep: keep, MaxSize: h.largest(), Host: host})
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
	return image.New(image.Config{Name: what, Platform: h.stores.platform, Keep: keep, Facts: facts.Config{Name: h.hostName, Tags: h.tags},
		Members: h.archives.members, Bytes: int64(h.archives.total), Member: h.largest()})
}
