package process

import (
	"context"
	"encoding/binary"
	"io"
	"os"
	"slices"

	"github.com/besra-hunt/besra"
)

// What is used of /proc/PID/pagemap: an entry of eight bytes a page, with two
// bits that say where the page is (Documentation/admin-guide/mm/pagemap.rst).
const (
	pageEntry    = 8
	pageInMemory = 1 << 63
	pageInSwap   = 1 << 62
)

const (
	// pagemapPiece is how many bytes of a pagemap are read at once.
	pagemapPiece = 64 << 10
	// hole is the least run of untouched bytes that divides a region. No match
	// is lost by it: longer ones are not found for certain in any memory.
	hole = 64 << 10
)

// touched implements [handle]. A page of private anonymous memory that is
// neither in memory nor in swap was never written to, or was given back: it
// reads as zeros, or as what the process itself would bring there by
// userfaultfd and has not. Reading it shows nothing, costs the process a page
// table, and takes minutes where hundreds of gigabytes are reserved. Where the
// kernel does not say where pages are, all of them are read.
func (p *linuxProcess) touched(ctx context.Context, maps []mapping) (regions []besra.Region, err error) {
	f, err := p.live.Open("pagemap")
	if err != nil {
		return whole(maps), nil
	}
	defer f.Close()
	pages := pagemap{f, int64(os.Getpagesize()), make([]byte, pagemapPiece)}
	for _, m := range maps {
		if !m.zeroed() {
			regions = append(regions, m.region())
			continue
		}
		parts, err := pages.touched(ctx, m)
		if err != nil {
			return nil, err
		}
		regions = append(regions, parts...)
	}
	return regions, nil
}

// pagemap says where the pages of a process are.
type pagemap struct {
	io.ReaderAt
	page int64 // bytes of a page
	buf  []byte
}

// touched returns a mapping without its holes. What the pagemap does not tell
// of counts as touched.
func (p pagemap) touched(ctx context.Context, m mapping) ([]besra.Region, error) {
	parts := []besra.Region{{Base: m.start}}
	touch := func(from, to int64) {
		last := &parts[len(parts)-1]
		if from-(last.Base+last.Size) < hole {
			last.Size = to - last.Base
		} else {
			parts = append(parts, besra.Region{Base: from, Size: to - from})
		}
	}
	at := m.start
	for at < m.end && ctx.Err() == nil {
		want := min(int64(len(p.buf)), (m.end-at)/p.page*pageEntry)
		n, _ := p.ReadAt(p.buf[:want], at/p.page*pageEntry)
		if n < pageEntry {
			break
		}
		for b := p.buf[:n]; len(b) >= pageEntry; b = b[pageEntry:] {
			if binary.NativeEndian.Uint64(b)&(pageInMemory|pageInSwap) != 0 {
				touch(at, at+p.page)
			}
			at += p.page
		}
	}
	touch(at, m.end) // what was not told of; else a hole, which is empty if it divides
	return slices.DeleteFunc(parts, func(r besra.Region) bool { return r.Size == 0 }), ctx.Err()
}
