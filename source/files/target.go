package files

import (
	"context"
	"io/fs"
	"path"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
)

// target makes the target of a regular file.
func (s *Source) target(p string, info fs.FileInfo) besra.Target {
	f := s.host.File(p, info)
	stamp, shared := stampOf(info)
	return besra.Target{
		Name: p, Context: s.host.Context(), Size: info.Size(), Facts: f, Stamp: stamp, Shared: shared,
		Open: func(ctx context.Context) (besra.Content, error) {
			c, err := s.open(ctx, p, info, f)
			if err != nil {
				return nil, err
			}
			return c, nil
		},
	}
}

// open gives the content of the file that is at p now. It never waits: what
// has become a pipe or a link since the walk is refused.
func (s *Source) open(ctx context.Context, p string, seen fs.FileInfo, f *facts.File) (besra.Content, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err := s.fail("open", p)
	if err != nil {
		return nil, openError(p, err)
	}
	h, err := s.tree.openFile(p, seen)
	if err != nil {
		return nil, openError(p, err)
	}
	defer h.close()
	info, err := h.stat(path.Base(p))
	if err == nil && !info.Mode().IsRegular() {
		err = errChanged
	}
	if err != nil {
		return nil, openError(p, err)
	}
	f.Opened(info)
	if err = s.fail("read", p); err != nil {
		return nil, openError(p, err)
	}
	c, err := s.content(h, info.Size())
	if err != nil {
		return nil, openError(p, err)
	}
	return c, nil
}
