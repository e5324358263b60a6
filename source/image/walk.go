package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/inflate"
	"github.com/klauspost/compress/zstd"
)

// walk reads the layers of an image from the top one down. What cannot be read
// is a gap, and the walk goes on with the next layer.
type walk struct {
	store          store
	image          *image
	members, bytes int64 // what may still be read of the image, and of each layer
	gap            func(besra.Gap)
	// visit takes each entry of a layer that is no whiteout; an error ends the walk.
	visit func(file, io.Reader) error
	// artifact takes a layer that holds no files.
	artifact func(*layer, io.Reader) error
	// digests takes the digest of each layer that was read to its end.
	digests func(*layer, string)

	cover cover
}

// file is an entry of a layer.
type file struct {
	*tar.Header
	layer   *layer
	path    string // cleaned, absolute
	over    int    // number of the layer that hides it; 0 for none
	removed bool   // by a whiteout there
	copy    int    // how many entries of its layer had the path before
}

// fatal is an error that ends a walk.
type fatal struct{ error }

func (w *walk) run(ctx context.Context) error {
	w.cover = cover{}
	for i := len(w.image.layers) - 1; i >= 0; i-- {
		l := w.image.layers[i]
		err := w.layer(ctx, l)
		var end fatal
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &end):
			return end.error
		default:
			w.fail(l, err)
		}
		if w.members <= 0 && i > 0 {
			w.fail(w.image.layers[i-1], &besra.LimitError{Limit: "members"})
			return nil
		}
	}
	return nil
}

// fail counts what cannot be read of a layer.
func (w *walk) fail(l *layer, err error) {
	g := gapFor(layerName(w.image, l), err)
	if l.media != "" && l.media.IsLayer() && !l.media.IsDistributable() {
		g.Kind, g.Reason = besra.GapSkip, ReasonForeign
	}
	w.gap(g)
}

func layerName(im *image, l *layer) string { return fmt.Sprintf("%s!layer-%d", im.name, l.number) }

func (w *walk) layer(ctx context.Context, l *layer) error {
	blob, err := l.open(ctx, w.store)
	if err != nil {
		return err
	}
	defer blob.Close()
	in := bufio.NewReaderSize(&interruptible{ctx, blob}, 1<<20)
	if l.media != "" && !l.media.IsLayer() {
		return w.artifact(l, in)
	}
	plain, err := decompress(in)
	if err != nil {
		return err
	}
	defer plain.Close()
	sum := &summing{r: plain, hash: sha256.New(), left: w.bytes, max: w.bytes}
	var entries []entry
	err = w.files(l, sum, &entries)
	if l.number > 1 {
		w.cover.add(l.number, entries)
	}
	if err != nil {
		return err
	}
	return w.end(l, sum)
}

// files walks the entries of a layer.
func (w *walk) files(l *layer, r io.Reader, entries *[]entry) error {
	seen := map[string]int{}
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return broken(err)
		}
		if w.members--; w.members < 0 {
			return &besra.LimitError{Limit: "members"}
		}
		p := path.Clean("/" + h.Name)
		f := file{Header: h, layer: l, path: p, copy: seen[p]}
		seen[p]++
		e := classify(p, h.Typeflag == tar.TypeDir)
		*entries = append(*entries, e)
		if (e.kind == isRemoval || e.kind == isOpaque) && h.Size == 0 {
			continue
		}
		f.over, f.removed = w.cover.over(p)
		if err := w.visit(f, tr); err != nil {
			return fatal{err}
		}
	}
}

// end reads what follows the archive, and compares the digest. What stands behind
// the end of an archive is unpacked by nobody, and so a place to hide in.
func (w *walk) end(l *layer, sum *summing) error {
	behind, buf := int64(0), make([]byte, 64<<10)
	for {
		n, err := sum.Read(buf)
		behind += int64(n - bytes.Count(buf[:n], []byte{0}))
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	got := "sha256:" + hex.EncodeToString(sum.hash.Sum(nil))
	if w.digests != nil {
		w.digests(l, got)
	}
	if l.diffID != "" && l.diffID != got {
		w.gap(besra.Gap{Kind: besra.GapError, Target: besra.Text(layerName(w.image, l)), Reason: ReasonDigest,
			Detail: "the configuration lists " + l.diffID + ", the content is " + got, Count: 1})
	}
	if behind > 0 {
		return &damage{fmt.Errorf("%d bytes that are not zero behind the end of the archive", behind)}
	}
	return nil
}

// compression tells how content is compressed by its first bytes; empty for not.
func compression(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "gzip"
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "zstd"
	}
	return ""
}

// maxWindow bounds what a zstd stream may ask to be kept, in bytes.
const maxWindow = 128 << 20

// decompress undoes gzip and zstd, by what the content is and not by what a
// manifest calls it.
func decompress(in *bufio.Reader) (io.ReadCloser, error) {
	head, err := in.Peek(4)
	switch compression(head) {
	case "gzip":
		r, err := inflate.NewGzipReader(in)
		if err != nil {
			return nil, &damage{err}
		}
		return io.NopCloser(r), nil
	case "zstd":
		r, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, &damage{err}
		}
		return r.IOReadCloser(), nil
	}
	if err != nil && err != io.EOF {
		return nil, err
	}
	return io.NopCloser(in), nil
}

// interruptible ends a stream when the context does.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}

// summing computes the digest of what is read, and ends at a limit.
type summing struct {
	r         io.Reader
	hash      hash.Hash
	left, max int64
}

func (s *summing) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, &besra.LimitError{Limit: "bytes", Max: s.max}
	}
	n, err := s.r.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	s.hash.Write(p[:n])
	return n, err
}
