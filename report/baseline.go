package report

import (
	"context"
	"fmt"
	"io"
	"maps"

	"github.com/besra-hunt/besra"
)

// Baseline is the findings of an earlier record, by which a hunt tells what is
// new.
type Baseline struct {
	known map[string]string // outcome by finding id
	// Warnings are what [Render] warned of.
	Warnings []error
}

// ReadBaseline reads a record.
func ReadBaseline(ctx context.Context, r io.Reader) (*Baseline, error) {
	all := outcomes{}
	res, err := Render(ctx, r, all)
	if err != nil {
		return nil, fmt.Errorf("the baseline: %w", err)
	}
	return &Baseline{all, res.Warnings}, nil
}

// outcomes is a sink that keeps what became of each finding.
type outcomes map[string]string

// Write implements [besra.Sink].
func (o outcomes) Write(_ context.Context, r besra.Record) error {
	if r.Finding != nil {
		o[r.Finding.ID] = briefOf(r.Finding).outcome()
	}
	return nil
}

// Close implements [besra.Sink].
func (outcomes) Close() error { return nil }

// New returns a sink that hands to another what the baseline does not know: the
// same rule on the same content at the same place with the same outcome is
// known. What was left out is told in front of the summary, as a gap of kind
// skip with the reason "baseline", and counted in it. The counts of matches
// stay those of the whole run.
func (b *Baseline) New(to besra.Sink) *NewOnly { return &NewOnly{base: b, to: to} }

// NewOnly is what [Baseline.New] returns.
type NewOnly struct {
	base *Baseline
	to   besra.Sink
	left int64 // of the run under way
	// Known and New count findings of all runs.
	Known, Fresh int64
}

// Write implements [besra.Sink].
func (n *NewOnly) Write(ctx context.Context, r besra.Record) error {
	switch {
	case r.Finding != nil && n.base.known[r.Finding.ID] == briefOf(r.Finding).outcome():
		n.left++
		n.Known++
		return nil
	case r.Finding != nil:
		n.Fresh++
	case r.Summary != nil && n.left > 0:
		gap := besra.Gap{Kind: besra.GapSkip, Target: "findings of the baseline", Reason: "baseline", Count: n.left}
		if err := n.to.Write(ctx, besra.Record{Type: besra.RecordGap, Gap: &gap}); err != nil {
			return err
		}
		sum := *r.Summary
		sum.Skips = maps.Clone(sum.Skips)
		if sum.Skips == nil {
			sum.Skips = map[string]int64{}
		}
		sum.Skips["baseline"] += n.left
		sum.Skipped += n.left
		r.Summary, n.left = &sum, 0
	}
	return n.to.Write(ctx, r)
}

// Close implements [besra.Sink].
func (n *NewOnly) Close() error { return n.to.Close() }
