package image

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
)

// yielder hands the files of one image to the receiver.
type yielder struct {
	ctx    context.Context
	source *Source
	image  *image
	host   *rooted
	to     besra.Receiver
	held   *hold

	excluded map[*layer]int64 // files that were not asked for
}

// tell counts what was excluded.
func (y *yielder) tell() {
	for _, l := range y.image.layers {
		if n := y.excluded[l]; n > 0 {
			y.to.Gap(besra.Gap{Kind: besra.GapSkip, Target: besra.Text(layerName(y.image, l)), Reason: ReasonExcluded, Count: n})
		}
	}
}

// configuration yields the image's configuration, which holds commands too.
func (y *yielder) configuration() error {
	if err := y.ctx.Err(); err != nil {
		return err
	}
	return y.whole(y.image.name+"!image-config", y.image.config)
}

// artifact yields a layer that holds no files as the bytes it is.
func (y *yielder) artifact(l *layer, r io.Reader) error {
	name := layerName(y.image, l)
	limit := min(y.source.config.Member, y.source.config.Bytes)
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if int64(len(data)) > limit {
		return &besra.LimitError{Limit: "member size", Max: limit}
	}
	if err != nil && len(data) == 0 {
		return err
	}
	if err := y.whole(name, data); err != nil {
		return fatal{err}
	}
	return err
}

// whole yields bytes that are no file of the image.
func (y *yielder) whole(name string, data []byte) error {
	given := facts.NewGiven(besra.ContextImage, y.host)
	for _, fact := range y.image.facts() {
		given.State(fact.Name, fact.Value, fact.Grade, fact.Source)
	}
	given.State("file.size", int64(len(data)), besra.GradeVerified, "content")
	return y.to.Target(besra.Target{Name: name, Context: besra.ContextImage, Size: int64(len(data)), Facts: given,
		Open: func(ctx context.Context) (besra.Content, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			return &content{data: data, give: func() {}}, nil
		}})
}

// name is the name of a file's target.
func (y *yielder) name(f file) string {
	name := y.image.name + "!" + f.path
	if f.over > 0 {
		name = layerName(y.image, f.layer) + ":" + f.path
	}
	if f.copy > 0 {
		name = fmt.Sprintf("%s#%d", name, f.copy+1)
	}
	return name
}

// file yields a regular file. Links and devices have no content of their own.
func (y *yielder) file(f file, r io.Reader) error {
	if !hasContent(f.Header) {
		return nil
	}
	if keep := y.source.config.Keep; keep != nil && !keep(f.path) {
		y.excluded[f.layer]++
		return nil
	}
	limit := y.source.config.Member
	if f.Size > limit {
		y.to.Gap(gapFor(y.name(f), &besra.LimitError{Limit: "member size", Max: limit, Size: f.Size}))
		return nil
	}
	if err := y.held.take(y.ctx, f.Size); err != nil {
		return err
	}
	data, err := readAll(r, f.Size)
	c := newContent(data, y.held, f.Size)
	if y.ctx.Err() != nil {
		return y.ctx.Err()
	}
	if err != nil {
		y.to.Gap(gapFor(y.name(f), err))
		if len(data) == 0 {
			return nil // the walk goes on to find the end of the layer
		}
	}
	return y.to.Target(besra.Target{Name: y.name(f), Context: besra.ContextImage, Size: int64(len(data)), Facts: y.facts(f),
		Open: func(ctx context.Context) (besra.Content, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			return c, nil
		}})
}

// readAll reads a file of an announced size, which is within the limits. Where
// the stream ends before it, what came is returned with the error.
func readAll(r io.Reader, size int64) ([]byte, error) {
	data := make([]byte, size)
	n, err := io.ReadFull(r, data)
	if err != nil && size > 0 {
		return data[:n], broken(err)
	}
	return data, nil
}

func hasContent(h *tar.Header) bool {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse, '7', 0: // 7 is a contiguous file, 0 the oldest form
		return !strings.HasSuffix(h.Name, "/")
	}
	return false
}
