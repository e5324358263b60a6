package scan

import (
	"context"
	"errors"

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
	// Member is how large a single member may be that has to be unpacked into
	// memory (default 256 MiB). Members that lie in their archive as they are
	// have no such limit.
	Member int64
}

func (l *Limits) setDefaults() {
	defaultTo(&l.Depth, 8)
	defaultTo(&l.Members, 1_000_000)
	defaultTo(&l.Bytes, 8<<30)
	defaultTo(&l.Member, 256<<20)
}

// expand opens up a target that was scanned and scans what lies inside, depth
// first, while its content is at hand.
func (w *worker) expand(ctx context.Context, t besra.Target, data []byte) error {
	for _, e := range w.Expanders {
		kind := e.Kind(t, data)
		if kind == "" {
			continue
		}
		if w.depth == w.Limits.Depth {
			return &besra.LimitError{Limit: "depth", Max: int64(w.depth)}
		}
		if w.depth == 0 {
			w.budget = besra.Budget{Members: w.Limits.Members, Bytes: w.Limits.Bytes, Member: w.Limits.Member}
		}
		w.depth++
		err := e.Expand(ctx, t, data, &w.budget, (*inside)(w))
		w.depth--
		return err
	}
	return nil
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
