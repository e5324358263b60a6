package scan

import (
	"context"
	"errors"

	"github.com/besra-hunt/besra"
)

// Evidence is a content in which something was found that no exclusion hides.
// It is valid until the call that it is handed to returns.
type Evidence struct {
	Target  besra.TargetRef
	Content []byte
	// Base is the address of a region of memory; nil elsewhere.
	Base     *int64
	Findings []*besra.Finding
	Facts    []besra.Fact // the times that are known of the target
}

// collect hands on what was found in a target: its bytes as they were searched,
// or, of a memory, each region that matches lie in, as it is now.
func (w *worker) collect(ctx context.Context, t besra.Target, data view, found []*besra.Finding) {
	if w.Collect == nil || len(found) == 0 {
		return
	}
	e := Evidence{Target: found[0].Target, Findings: found, Facts: times(ctx, t)}
	switch data := data.(type) {
	case whole:
		e.Content = data
		w.collectOne(t, e)
	case scattered:
		for r := range data.Regions() {
			if !inRegion(r, found) {
				continue
			}
			e.Base, e.Content = &r.Base, data.bytes(r.Base, r.Base+min(r.Size, w.Limits.Member))
			w.collectOne(t, e)
		}
	}
}

func (w *worker) collectOne(t besra.Target, e Evidence) {
	err := w.Collect(e)
	if err == nil {
		return
	}
	kind := besra.GapError
	var limit *besra.LimitError
	if errors.As(err, &limit) {
		kind = besra.GapSkip
	}
	w.tell(besra.Gap{Kind: kind, Target: besra.Text(t.Name), Reason: "not_collected", Detail: err.Error(), Count: 1})
}

// inRegion reports whether a match that was kept begins in a region.
func inRegion(r besra.Region, found []*besra.Finding) bool {
	for _, f := range found {
		for _, p := range f.Patterns {
			for _, m := range p.Matches {
				if m.Offset >= r.Base && m.Offset-r.Base < r.Size {
					return true
				}
			}
		}
	}
	return false
}

// times are the facts of a target that are points in time, as far as known.
func times(ctx context.Context, t besra.Target) (list []besra.Fact) {
	for _, def := range besra.Vocabulary() {
		if def.Type != besra.TypeTimestamp || !def.In(t.Context) || def.Name == "scan.time" {
			continue
		}
		if f := t.Facts.Fact(ctx, def.Name); f.Known() {
			list = append(list, f)
		}
	}
	return list
}
