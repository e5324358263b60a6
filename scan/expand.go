package scan

import (
	"context"
	"errors"
	"math"
	"unsafe"

	"github.com/besra-hunt/besra"
)

// Limits bounds what one outermost target may cost once it is opened up. Zero
// values mean the defaults.
type Limits struct {
	// Depth is how many levels of archives in archives are opened (default 8).
	Depth int
	// Members is how many targets may lie in one outermost target, at any
	// depth (default 1,000,000).
	Members int64
	// Bytes is how much may be unpacked of one outermost target (default 8 GiB).
	Bytes int64
	// Ratio is how much may be unpacked for each byte of the outermost target,
	// beyond the first 256 MiB (default 200).
	Ratio int64
	// Member is how much of a single member may be unpacked into memory at once
	// (default 256 MiB); what is larger is searched in windows. Members that lie
	// in their archive as they are have no such limit.
	Member int64
	// Held is how much of one outermost target may be unpacked in memory at one
	// time, at all levels (default: no limit but that of each member).
	Held int64
	// Release is how much of a mapped target is searched before its pages are
	// given back (default 64 MiB).
	Release int64
}

func (l *Limits) setDefaults() {
	defaultTo(&l.Depth, 8)
	defaultTo(&l.Members, 1_000_000)
	defaultTo(&l.Bytes, 8<<30)
	defaultTo(&l.Ratio, 200)
	defaultTo(&l.Member, 256<<20)
	defaultTo(&l.Held, math.MaxInt64)
	defaultTo(&l.Release, releaseStep)
}

// ratioFree is what may be unpacked whatever the ratio.
const ratioFree = 256 << 20

// fill gives a budget what a target of the source with so many bytes may cost.
func (l *Limits) fill(b *besra.Budget, size int64) {
	b.Members, b.Bytes, b.Ratio = l.Members, l.Bytes, 0
	if size >= l.Bytes/l.Ratio {
		return
	}
	if most := max(ratioFree, size*l.Ratio); most < l.Bytes {
		b.Bytes, b.Ratio = most, l.Ratio
	}
}

// expander finds who knows a way into a content; nil where nobody does.
func (w *worker) expander(t besra.Target, data []byte) besra.Expander {
	for _, e := range w.Expanders {
		if e.Kind(t, data) != "" {
			return e
		}
	}
	return nil
}

// expand opens up a target that was scanned and scans what lies inside, depth
// first, while its content is at hand.
func (w *worker) expand(ctx context.Context, e besra.Expander, t besra.Target, data []byte) error {
	if w.depth == w.Limits.Depth {
		return &besra.LimitError{Limit: "depth", Max: int64(w.depth)}
	}
	if w.depth == 0 {
		w.Limits.fill(&w.budget, int64(len(data)))
		w.held = 0
	}
	defer w.enter(data)()
	return e.Expand(ctx, t, data, &w.budget, (*inside)(w))
}

// enter goes a level down into a content, and returns what comes back up. What
// was unpacked for it stays in memory meanwhile, so that less may be unpacked
// below it; what lies in its archive as it is costs nothing.
func (w *worker) enter(data []byte) (leave func()) {
	around, held := w.around, w.held
	if (w.depth > 0 || within(w.copied, data)) && !within(around, data) {
		w.held += int64(len(data))
	}
	w.depth++
	w.around = data
	w.budget.Member = max(0, min(w.Limits.Member, w.Limits.Held-w.held))
	return func() {
		w.depth--
		w.around, w.held = around, held
		w.budget.Member = max(0, min(w.Limits.Member, w.Limits.Held-w.held))
	}
}

// within reports whether a slice lies in the memory of another.
func within(outer, inner []byte) bool {
	from, at := uintptr(unsafe.Pointer(unsafe.SliceData(outer))), uintptr(unsafe.Pointer(unsafe.SliceData(inner)))
	return at >= from && at+uintptr(len(inner)) <= from+uintptr(len(outer))
}

// inside receives what lies in the target under way and scans it at once.
type inside worker

// Target implements [besra.Receiver].
func (w *inside) Target(t besra.Target) error {
	(*worker)(w).scan(t)
	return w.ctx.Err()
}

// Gap implements [besra.Receiver].
func (w *inside) Gap(g besra.Gap) { (*worker)(w).tell(g) }

// limited tells a limit that was reached, which is on purpose, from a failure.
func limited(err error) bool {
	var limit *besra.LimitError
	return errors.As(err, &limit)
}
