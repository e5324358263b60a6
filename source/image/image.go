// Package image reads container images: from a registry, from what docker save
// and other tools write (a tarball, compressed or not), from a layout of OCI as
// a folder or a tarball. It is a [besra.Source]:
//
//	src, err := image.New(image.Config{Name: "registry.example/app:1.2"})
//
// # Targets
//
// Layers are read from the top one down as they stream by; nothing is unpacked
// to disk, and memory holds the files under way. A file that a container of
// the image sees is named by its path:
//
//	registry.example/app:1.2!/usr/bin/tool
//
// What an upper layer removed (a whiteout) or replaced is no longer seen by a
// container, and still in the hands of whoever has the image: a credential or a
// tool that one step of a build brought and the next one deleted is what an
// investigation looks for. It is hunted like every other file, named by its layer,
// counted from 1 at the bottom, and has the fact image.hidden:
//
//	registry.example/app:1.2!layer-3:/tmp/dropper
//
// So are the image's configuration (environment, entry point, the commands that
// made it), as "!image-config", and a layer that holds no files but some other
// artifact, as "!layer-1".
//
// # Facts
//
// Modes, owners and times are what the layers' headers say (asserted). Names of
// users, packages, schedules are those of the image's own records, as a
// container would see them: they are collected in a second reading of the layers, and only
// once a finding asks for one. That reading computes the digests, too: a fact that
// says which layer holds a file is never what a manifest merely claims.
package image

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Config says which image is read, and how far.
type Config struct {
	// Name is a path of a tarball or of a folder, or a reference to an image in
	// a registry. What exists as a file or begins like a path ("/", "./", "../")
	// is a path.
	Name string
	// Platform picks one image of several ("linux/arm64"), or "all" of them.
	// Empty means Linux on this machine's processor, and the first image where
	// there is none for that. Images that are not picked are counted.
	Platform string
	// Facts configures the host that an image's files are judged on: what the
	// operator calls it, and the time. Root and Files are of no use here.
	Facts facts.Config

	// Keep, where not nil, tells whether a file of this path is asked for; the
	// others are counted.
	Keep func(path string) bool

	// Members is how many files of one image are read at most (default
	// 1,000,000), Bytes how much is unpacked of one layer (default 8 GiB), and
	// Member how large a single file may be (default 256 MiB).
	Members, Bytes, Member int64
	// Held is how many bytes of files may wait for being scanned; a file that is
	// larger waits alone (default 64 MiB).
	Held int64
}

// The reasons of gaps.
const (
	ReasonPlatform     = "other_platform" // an image for another platform
	ReasonAttestation  = "attestation"    // a statement about an image, in its index
	ReasonUnreferenced = "unreferenced"   // in the tarball or folder, and in no image that was read
	ReasonForeign      = "foreign_layer"  // a layer that is kept elsewhere
	ReasonDamaged      = "damaged"        // it breaks its format, or ends early
	ReasonDigest       = "digest_mismatch"
	ReasonLimit        = "limit"
	ReasonExcluded     = "excluded" // by Config.Keep, counted for each layer
	ReasonIO           = "io"       // any other error of reading
)

// Source implements [besra.Source]. It is immutable; each Run reads anew.
type Source struct {
	config   Config
	platform *v1.Platform // nil for all
}

// New checks c and returns its source. Nothing is read yet.
func New(c Config) (*Source, error) {
	if c.Name == "" {
		return nil, errors.New("no image is named")
	}
	s := &Source{config: c}
	if c.Platform != "all" {
		want := c.Platform
		if want == "" {
			want = "linux/" + runtime.GOARCH
		}
		p, err := v1.ParsePlatform(want)
		if err != nil {
			return nil, fmt.Errorf("platform %q: %w", c.Platform, err)
		}
		s.platform = p
	}
	if !isPath(c.Name) {
		if _, err := parseReference(c.Name); err != nil {
			return nil, err
		}
	}
	defaultTo(&s.config.Members, 1_000_000)
	defaultTo(&s.config.Bytes, 8<<30)
	defaultTo(&s.config.Member, 256<<20)
	defaultTo(&s.config.Held, 64<<20)
	return s, nil
}

func defaultTo(p *int64, v int64) {
	if *p == 0 {
		*p = v
	}
}

// Run implements [besra.Source].
func (s *Source) Run(ctx context.Context, to besra.Receiver) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	st, err := openStore(ctx, s.config.Name)
	if err != nil {
		return fmt.Errorf("image %s: %w", s.config.Name, err)
	}
	defer st.close()
	p := &picker{source: s, store: st, to: to}
	images, err := p.images(ctx)
	if err != nil {
		return fmt.Errorf("image %s: %w", s.config.Name, err)
	}
	name(images, s.config.Name)
	for _, im := range images {
		if err := s.hunt(ctx, st, im, to); err != nil {
			return err
		}
	}
	return nil
}

// hunt yields what is in one image: its configuration, then its layers from the
// top one down.
func (s *Source) hunt(ctx context.Context, st store, im *image, to besra.Receiver) error {
	host, err := im.host(ctx, s.config)
	if err != nil {
		return err
	}
	y := &yielder{ctx: ctx, source: s, image: im, host: host, to: to, held: newHold(s.config.Held), excluded: map[*layer]int64{}}
	defer y.tell()
	if err := y.configuration(); err != nil {
		return err
	}
	w := &walk{store: st, image: im, members: s.config.Members, bytes: s.config.Bytes, gap: to.Gap, visit: y.file, artifact: y.artifact}
	return w.run(ctx)
}
