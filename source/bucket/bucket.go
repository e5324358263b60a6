// Package bucket hunts in object stores: S3 and what speaks its language, Azure
// Blob Storage, Google Cloud Storage, and a folder that stands for one. It is a
// [besra.Source]:
//
//	src, err := bucket.New(bucket.Config{URL: "s3://evidence/2026/?region=eu-west-1"})
//
//	s3://BUCKET/PREFIX         endpoint=URL, region=NAME for another store than Amazon's; requester_pays=true, restored=true
//	azblob://CONTAINER/PREFIX  account=NAME or endpoint=URL (with the account) where the environment names none
//	gs://BUCKET/PREFIX         endpoint=URL for an emulator or a private one; user_project=NAME pays
//	file:///DIR?prefix=PREFIX  a folder; its files are objects
//
// With anonymous=true nobody is asked to be known. Otherwise credentials are those that the
// store's own tools take: for S3 the environment (AWS_ACCESS_KEY_ID, …), the shared
// file and profile, the machine's role; for Azure a connection string, key or
// SAS of the environment (AZURE_STORAGE_…), else a login of Entra ID; for Google the
// application's default.
//
// # Targets
//
// Objects are listed page by page, in the order of their keys, and read when
// they are scanned: memory holds those under way. A target is named by its URL
// without parameters, "s3://evidence/2026/a.zip". A read that breaks off goes on where
// it ended, as long as the object is the same. What is kept offline (Glacier,
// the archive tier) is counted and left alone: asking for it costs money and hours.
// S3 lists an object that was restored from there as if it were not; with
// restored=true each is asked for, and told as offline where it is. Earlier versions,
// snapshots and what is deleted but kept are not listed.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
)

// Config says which objects are read.
type Config struct {
	// URL names the store, the bucket and what the keys begin with.
	URL string
	// After leaves out the keys up to this one.
	After string
	// Keep, where not nil, tells whether a key, as a path from "/" on, is asked
	// for; the others are counted.
	Keep func(path string) bool
	// MaxSize leaves out larger objects, in bytes (default 256 MiB).
	MaxSize int64
	// Host answers what is asked of the host that looks.
	Host besra.Facts
}

// The reasons of gaps.
const (
	ReasonExcluded  = "excluded"  // by Config.Keep
	ReasonTooLarge  = "too_large" // by Config.MaxSize
	ReasonOffline   = "offline"   // in a class that has to be restored first
	ReasonChanged   = "changed"   // became another object while it was read
	ReasonIrregular = "irregular" // of a folder: no regular file
)

// object is what a list says of one.
type object struct {
	key       string
	size      int64
	etag      string
	mtime     time.Time
	media     string // its type as the writer stated it; empty where the list does not say
	offline   bool
	irregular bool
}

// store is one bucket. It is safe for concurrent use. Its errors are
// [fs.ErrNotExist] and [fs.ErrPermission] where they mean that.
type store interface {
	// list yields the objects whose keys begin with prefix and come behind
	// after, in the order of keys. An error is the last it yields.
	list(ctx context.Context, prefix, after string) iter.Seq2[object, error]
	// open reads an object from an offset on. media is empty where it is not told.
	open(ctx context.Context, o object, from int64) (body io.ReadCloser, media string, err error)
	// tags returns an object's tags, each as key=value.
	tags(ctx context.Context, o object) ([]string, error)
}

// Source implements [besra.Source]. It is immutable; each Run lists anew.
type Source struct {
	config Config
	place  place
	store  store
}

// place is a URL in its parts.
type place struct {
	scheme, bucket, prefix string
	params                 url.Values
}

func (p place) is(param string) bool { return p.params.Get(param) == "true" }

func (p place) name(key string) string { return p.scheme + "://" + p.bucket + "/" + key }

// scheme is a kind of store, and the parameters that its URLs take.
type scheme struct {
	open   func(place) (store, error)
	params []string
}

// schemes are the kinds of store, by how their URLs begin.
var schemes = map[string]scheme{
	"s3":     {openS3, []string{"anonymous", "endpoint", "region", "requester_pays", "restored"}},
	"azblob": {openAzure, []string{"account", "anonymous", "endpoint"}},
	"gs":     {openGoogle, []string{"anonymous", "endpoint", "user_project"}},
	"file":   {openFolder, []string{"prefix"}},
}

// New checks c and returns its source. Nothing is read yet.
func New(c Config) (*Source, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	k, ok := schemes[u.Scheme]
	if !ok || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("%s: want s3://BUCKET/PREFIX, azblob://CONTAINER/PREFIX, gs://BUCKET/PREFIX or file:///DIR", c.URL)
	}
	p := place{scheme: u.Scheme, bucket: u.Host, prefix: strings.TrimPrefix(u.Path, "/"), params: u.Query()}
	if u.Scheme == "file" {
		p.bucket, p.prefix = strings.TrimRight(u.Host+u.Path, "/"), p.params.Get("prefix")
	}
	if p.bucket == "" && u.Scheme != "file" {
		return nil, errors.New(c.URL + ": names no bucket")
	}
	for name := range p.params {
		if !slices.Contains(k.params, name) {
			return nil, fmt.Errorf("%s: %s:// has no parameter %q, only %s", c.URL, u.Scheme, name, strings.Join(k.params, ", "))
		}
	}
	if c.MaxSize == 0 {
		c.MaxSize = 256 << 20
	}
	if c.Host == nil {
		c.Host = besra.NoFacts{}
	}
	s := &Source{config: c, place: p}
	if s.store, err = k.open(p); err != nil {
		return nil, fmt.Errorf("%s: %w", c.URL, err)
	}
	return s, nil
}

// Run implements [besra.Source].
func (s *Source) Run(ctx context.Context, to besra.Receiver) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	skipped := map[string]int64{}
	defer s.tell(skipped, to)
	for o, err := range s.store.list(ctx, s.place.prefix, s.config.After) {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("listing %s: %w", s.place.name(s.place.prefix), err)
		}
		if reason := s.leave(o); reason != "" {
			skipped[reason]++
		} else if err := to.Target(s.target(o)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// leave says why an object is not read; empty where it is.
func (s *Source) leave(o object) string {
	switch {
	case s.config.Keep != nil && !s.config.Keep("/"+o.key):
		return ReasonExcluded
	case o.irregular:
		return ReasonIrregular
	case o.offline:
		return ReasonOffline
	case o.size > s.config.MaxSize:
		return ReasonTooLarge
	}
	return ""
}

// tell counts what was left out, by reason.
func (s *Source) tell(skipped map[string]int64, to besra.Receiver) {
	for reason, n := range skipped {
		to.Gap(besra.Gap{Kind: besra.GapSkip, Target: besra.Text(s.place.name(s.place.prefix)), Reason: reason, Count: n})
	}
}
