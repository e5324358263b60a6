package image

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// image is one image that was picked.
type image struct {
	name     string // that its targets begin with
	ref      string // as the place calls it; empty where it does not
	digest   string // of its manifest; empty for what docker saved without one
	config   []byte
	os       string
	platform string
	layers   []*layer // bottom first
}

// layer is one layer as the image lists it.
type layer struct {
	number    int // from 1 at the bottom
	listed    string
	diffID    string // as the configuration claims; empty where it does not
	createdBy string
	media     types.MediaType
	open      func(context.Context, store) (io.ReadCloser, error)
}

// picker finds the images of a place, and counts what it does not pick.
type picker struct {
	source *Source
	store  store
	to     besra.Receiver
	used   map[string]bool // files of a local store
	picked []*image
	last   string // gap's detail, which says why where nothing is picked
}

func (p *picker) images(ctx context.Context) ([]*image, error) {
	tops, err := p.store.tops(ctx)
	if err != nil {
		return nil, err
	}
	p.used = map[string]bool{}
	for _, t := range tops {
		if t.saved != nil {
			err = p.saved(t)
		} else {
			err = p.document(ctx, t.ref, t.document, 0)
		}
		if err != nil {
			p.fail(ctx, t.ref, err)
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err := p.store.lost(); err != nil {
		p.gap(besra.GapError, "", ReasonDamaged, err.Error(), 1)
	}
	if rest := p.store.rest(p.used); len(rest) > 0 {
		p.gap(besra.GapSkip, "", ReasonUnreferenced, strings.Join(rest[:min(len(rest), 3)], ", "), len(rest))
	}
	if len(p.picked) == 0 {
		return nil, fmt.Errorf("no image is read: %s", cmp.Or(p.last, "it holds none"))
	}
	return p.picked, nil
}

func (p *picker) gap(kind besra.GapKind, what, reason, detail string, count int) {
	target := p.source.config.Name
	p.last = detail
	if what != "" {
		target += "!" + what
	}
	p.to.Gap(besra.Gap{Kind: kind, Target: besra.Text(target), Reason: reason, Detail: detail, Count: int64(count)})
}

// fail counts an image that cannot be read; others go on.
func (p *picker) fail(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		p.gap(besra.GapError, what, reasonOf(err), err.Error(), 1)
	}
}

// maxNesting bounds indexes in indexes.
const maxNesting = 4

// document picks from an index, or takes a manifest.
func (p *picker) document(ctx context.Context, ref string, d document, nesting int) error {
	var manifests struct{ Manifests []v1.Descriptor }
	if !d.media.IsIndex() && !d.media.IsImage() {
		// Some registries and layouts name the kind nowhere but in the document.
		if err := json.Unmarshal(d.body, &manifests); err == nil && manifests.Manifests != nil {
			d.media = types.OCIImageIndex
		}
	}
	if !d.media.IsIndex() {
		return p.take(ctx, ref, d)
	}
	if nesting == maxNesting {
		return &damage{fmt.Errorf("an index in an index, %d deep", nesting)}
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(d.body))
	if err != nil {
		return &damage{fmt.Errorf("index: %w", err)}
	}
	for _, m := range p.choose(index.Manifests) {
		if err := p.follow(ctx, named(ref, m), m, nesting); err != nil {
			p.fail(ctx, m.Digest.String(), err)
		}
	}
	return nil
}

// named is what an image is called: by the annotation of its own entry, or as
// the index that lists it.
func named(ref string, d v1.Descriptor) string {
	for _, key := range []string{"io.containerd.image.name", "org.opencontainers.image.ref.name"} {
		if name := d.Annotations[key]; name != "" {
			return name
		}
	}
	return ref
}

func (p *picker) follow(ctx context.Context, ref string, d v1.Descriptor, nesting int) error {
	p.use(blobName(d))
	body, err := p.store.manifest(ctx, d)
	if err != nil {
		return err
	}
	if got := digest(body); got != d.Digest.String() {
		p.gap(besra.GapError, d.Digest.String(), ReasonDigest, "a manifest whose content is "+got, 1)
	}
	return p.document(ctx, ref, document{d.MediaType, body}, nesting+1)
}

func (p *picker) use(name string) {
	if l, ok := p.store.(*local); ok {
		p.used[l.real(name)] = true
	}
}

// choose takes the images of an index for the platform that is wanted.
func (p *picker) choose(all []v1.Descriptor) []v1.Descriptor {
	var images []v1.Descriptor
	attestations := 0
	for _, d := range all {
		if d.Platform != nil && d.Platform.OS == "unknown" {
			attestations++
			continue
		}
		images = append(images, d)
	}
	if attestations > 0 {
		p.gap(besra.GapSkip, "", ReasonAttestation, "statements about images", attestations)
	}
	fits := slices.Clone(images)
	if want := p.source.platform; want != nil {
		fits = slices.DeleteFunc(fits, func(d v1.Descriptor) bool { return d.Platform != nil && !d.Platform.Satisfies(*want) })
	}
	if len(fits) == 0 && len(images) > 0 && p.source.config.Platform == "" {
		fits = images[:1]
	}
	if others := len(images) - len(fits); others > 0 {
		p.gap(besra.GapSkip, "", ReasonPlatform, "there are images for "+platforms(images)+"; --platform picks one, or all", others)
	}
	return fits
}

func platforms(all []v1.Descriptor) string {
	var names []string
	for _, d := range all {
		if d.Platform != nil && !slices.Contains(names, d.Platform.String()) {
			names = append(names, d.Platform.String())
		}
	}
	return strings.Join(names, ", ")
}

// take makes an image of a manifest.
func (p *picker) take(ctx context.Context, ref string, d document) error {
	m, err := v1.ParseManifest(bytes.NewReader(d.body))
	if err != nil {
		return &damage{fmt.Errorf("manifest: %w", err)}
	}
	im := &image{ref: ref, digest: digest(d.body)}
	p.use(blobName(m.Config))
	if im.config, err = p.configuration(ctx, m.Config); err != nil {
		return err
	}
	for i, l := range m.Layers {
		p.use(blobName(l))
		im.layers = append(im.layers, &layer{number: i + 1, listed: l.Digest.String(), media: l.MediaType,
			open: func(ctx context.Context, s store) (io.ReadCloser, error) { return s.blob(ctx, l) }})
	}
	return p.add(im)
}

func (p *picker) configuration(ctx context.Context, d v1.Descriptor) ([]byte, error) {
	r, err := p.store.blob(ctx, d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	body, err := readDocument(r)
	if got := digest(body); err == nil && got != d.Digest.String() {
		p.gap(besra.GapError, d.Digest.String(), ReasonDigest, "a configuration whose content is "+got, 1)
	}
	return body, err
}

// saved makes an image of an entry of docker save.
func (p *picker) saved(t top) error {
	l, ok := p.store.(*local)
	if !ok {
		return errors.New("not in a registry")
	}
	p.use(t.saved.Config)
	config, err := l.read(t.saved.Config)
	if err != nil {
		return err
	}
	im := &image{ref: t.ref, config: config}
	for i, name := range t.saved.Layers {
		p.use(name)
		im.layers = append(im.layers, &layer{number: i + 1,
			open: func(_ context.Context, s store) (io.ReadCloser, error) { return s.(*local).open(name) }})
	}
	return p.add(im)
}

// add picks an image, unless it is one that was picked already: what docker
// saves is listed twice.
func (p *picker) add(im *image) error {
	if err := im.configure(); err != nil {
		return err
	}
	if want := p.source.platform; want != nil && p.source.config.Platform != "" && im.os != "" {
		have, err := v1.ParsePlatform(im.platform)
		if err != nil || !have.Satisfies(*want) {
			p.gap(besra.GapSkip, im.ref, ReasonPlatform, "it is an image for "+im.platform, 1)
			return nil
		}
	}
	for _, other := range p.picked {
		if bytes.Equal(other.config, im.config) && len(other.layers) == len(im.layers) {
			if other.digest == "" {
				other.digest = im.digest
			}
			return nil
		}
	}
	p.picked = append(p.picked, im)
	return nil
}

// configure reads what is needed of the configuration. Artifacts that are no
// images of files have an empty one.
func (im *image) configure() error {
	var c v1.ConfigFile
	if err := json.Unmarshal(im.config, &c); err != nil {
		return &damage{fmt.Errorf("configuration: %w", err)}
	}
	im.os = c.OS
	if p := c.Platform(); p != nil {
		im.platform = p.String()
	}
	for i, l := range im.layers {
		if i < len(c.RootFS.DiffIDs) {
			l.diffID = c.RootFS.DiffIDs[i].String()
		}
	}
	made := slices.DeleteFunc(c.History, func(h v1.History) bool { return h.EmptyLayer })
	if len(made) == len(im.layers) {
		for i, h := range made {
			im.layers[i].createdBy = h.CreatedBy
		}
	}
	return nil
}

// name gives each image the name that its targets begin with: that of the place,
// and where there are several what tells them apart.
func name(images []*image, place string) {
	taken := map[string]bool{}
	for _, im := range images {
		im.name = place
		if len(images) == 1 {
			return
		}
		label := im.platform
		if im.ref != "" && im.ref != place {
			label = im.ref
		}
		if label == "" || taken[label] {
			label = strings.TrimPrefix(digest(im.config), "sha256:")[:12]
		}
		taken[label] = true
		im.name = place + "!" + label
	}
}

// digest names bytes as images do.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// damage is content that breaks its format.
type damage struct{ err error }

func (d *damage) Error() string { return d.err.Error() }
func (d *damage) Unwrap() error { return d.err }

// Reason is the stable word of a gap.
func (*damage) Reason() string { return ReasonDamaged }

// broken is damage, unless the error has a word of its own.
func broken(err error) error {
	var known interface{ Reason() string }
	if errors.As(err, &known) {
		return err
	}
	return &damage{err}
}

// gapFor makes the gap of an error: a limit is reached on purpose.
func gapFor(target string, err error) besra.Gap {
	g := besra.Gap{Kind: besra.GapError, Target: besra.Text(target), Reason: reasonOf(err), Detail: err.Error(), Count: 1}
	if g.Reason == ReasonLimit {
		g.Kind = besra.GapSkip
	}
	return g
}

// reasonOf is the stable word for an error.
func reasonOf(err error) string {
	var known interface{ Reason() string }
	if errors.As(err, &known) {
		return known.Reason()
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return ReasonDamaged
	}
	return ReasonIO
}
