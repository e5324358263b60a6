package scan

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/yara"
)

// view is what a finding shows the surroundings of its matches from.
type view interface {
	// bytes copies what lies between two offsets, as far as there is anything.
	bytes(from, to int64) []byte
	size() int64
}

// whole is a content in one piece.
type whole []byte

func (d whole) size() int64 { return int64(len(d)) }

func (d whole) bytes(from, to int64) []byte {
	return slices.Clone(d[max(0, from):min(d.size(), to)])
}

// scattered is a content of regions, which may have changed since it was
// searched: what is shown is what is there now.
type scattered struct {
	besra.Memory
	total int64
}

func (m scattered) size() int64 { return m.total }

// page is the unit in which memory is readable or not.
const page = 4096

// bytes reads what can be read: where the first bytes are in no region, those
// from the start of the last page on.
func (m scattered) bytes(from, to int64) []byte {
	buf := make([]byte, max(0, to-max(0, from)))
	n, _ := m.ReadAt(buf, max(0, from))
	if last := (to - 1) &^ (page - 1); n == 0 && last > from {
		n, _ = m.ReadAt(buf[:to-last], last)
	}
	return buf[:n]
}

// Memory gives a memory the face that the engine knows.
func Memory(m besra.Memory) yara.Memory { return regions{m} }

type regions struct{ besra.Memory }

// Regions implements [yara.Memory].
func (m regions) Regions() iter.Seq[yara.Region] {
	return func(yield func(yara.Region) bool) {
		for r := range m.Memory.Regions() {
			if !yield(yara.Region(r)) {
				return
			}
		}
	}
}

// scanMemory searches a target of regions. It is named by its facts, not by a
// digest: no two looks at a memory see the same bytes.
func (w *worker) scanMemory(ctx context.Context, t besra.Target, m besra.Memory) error {
	w.asked, w.facts = ctx, t.Facts
	results, err := w.scanner.ScanMemory(ctx, Memory(m))
	if err != nil && ctx.Err() != nil {
		return err
	}
	total := int64(0)
	for r := range m.Regions() {
		total += r.Size
	}
	total -= w.unread(t, results.Gaps())
	w.findings(ctx, replyOf(results, w.MaxMatches), t, scattered{m, total}, func() string { return "" })
	if err == nil {
		w.done(total, false)
	}
	return err
}

// unread reports the regions that could not be read, as one gap, and returns
// how many bytes they are.
func (w *worker) unread(t besra.Target, gaps []yara.Gap) (bytes int64) {
	for _, g := range gaps {
		bytes += g.Size
	}
	if len(gaps) > 0 {
		w.tell(besra.Gap{Kind: besra.GapError, Target: besra.Text(t.Name), Reason: "unreadable", Count: 1,
			Detail: fmt.Sprintf("%d bytes in %d places, the first at %#x: %v", bytes, len(gaps), gaps[0].Base, gaps[0].Err)})
	}
	return bytes
}
