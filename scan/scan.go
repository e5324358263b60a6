// Package scan is the pipeline of one run: targets from a source, through the
// engine and the exclusions, to a sink.
//
// A [Hunt] names the parts and [Hunt.Run] runs it. The queue between source
// and workers is short and bounded, so a hunt over any number of targets needs
// the memory of a few: one scanner and one open target a worker. Whatever is
// not read becomes a gap and a count, and the summary says whether the run was
// complete.
package scan

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/yara"
)

// Hunt is one run. Set, Source and Sink must be given; zero values elsewhere
// mean the documented default.
type Hunt struct {
	Set    *detection.Set
	Source besra.Source
	Sink   besra.Sink
	// Run opens the record; ID, Started, Host and OS are filled where empty.
	Run besra.Run
	// Gaps are known before the run: content that could not be used.
	Gaps []besra.Gap

	// Expanders open up what has targets inside, the first that knows a
	// content; without any, an archive is scanned as the bytes it is.
	Expanders []besra.Expander
	Limits    Limits

	Workers int           // default 1
	Timeout time.Duration // a target; 0 means none
	// MaxMatches is how many matches of a pattern a finding holds (default
	// 10); all are counted.
	MaxMatches int
	// Excerpt is how many bytes before and after a match a finding holds
	// (default 32), and MaxData how many of the match itself (default 128).
	Excerpt, MaxData int
	// AllFacts gathers every fact that the target's context can give for each
	// finding, not only those that its exclusions asked for, so that another
	// exclusion can be asked about it later without a scan.
	AllFacts bool
	// Progress is called now and then from any worker with the totals so far.
	Progress func(targets, bytes, findings int64)
	// Profile, where not nil, makes every worker measure what rules and patterns
	// cost, and is called by each at its end, by one at a time.
	Profile func(*yara.Profile)
	// Now gives the time of the run, for exclusions and records; default time.Now.
	Now func() time.Time
}

// Execute runs the hunt to its end and returns the counts. When ctx ends early,
// the targets under way are finished or abandoned, the record is closed with
// what was done, and the summary says so; that is not an error. An error means
// that the source or the sink failed.
func (h *Hunt) Execute(ctx context.Context) (besra.Summary, error) {
	h.setDefaults()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &run{Hunt: h, ctx: ctx, cancel: cancel, start: h.Now(),
		targets: make(chan besra.Target, 2*h.Workers),
		records: make(chan besra.Record, 4*h.Workers)}
	written := make(chan struct{})
	go func() { defer close(written); r.write() }()
	r.open()
	sourceErr := r.pump()
	close(r.records)
	<-written
	return r.finish(sourceErr)
}

func (h *Hunt) setDefaults() {
	defaultTo(&h.Workers, 1)
	defaultTo(&h.MaxMatches, 10)
	defaultTo(&h.Excerpt, 32)
	defaultTo(&h.MaxData, 128)
	h.Limits.setDefaults()
	if h.Now == nil {
		h.Now = time.Now
	}
}

func defaultTo[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// run is the state of one Execute.
type run struct {
	*Hunt
	ctx     context.Context
	cancel  context.CancelCauseFunc
	start   time.Time
	targets chan besra.Target
	records chan besra.Record
	counts  counts
	sinkErr error      // owned by write until records is closed and drained
	profile sync.Mutex // is held while Profile is called
}

// errSink is the cause of a run that stopped because its sink failed.
var errSink = errors.New("the sink failed")

// open writes the first records.
func (r *run) open() {
	rec := r.Run
	r.send(besra.Record{Type: besra.RecordRun, Run: &rec})
	for _, g := range r.Gaps {
		r.Gap(g)
	}
}

// pump runs the source and the workers until the source is done and the queue
// is empty, and returns the source's error.
func (r *run) pump() error {
	var workers sync.WaitGroup
	for range r.Workers {
		workers.Go(func() { r.work() })
	}
	err := r.Source.Run(r.ctx, r)
	close(r.targets)
	workers.Wait()
	return err
}

// Target implements [besra.Receiver].
func (r *run) Target(t besra.Target) error {
	select {
	case r.targets <- t:
		return nil
	case <-r.ctx.Done():
		return context.Cause(r.ctx)
	}
}

// Gap implements [besra.Receiver].
func (r *run) Gap(g besra.Gap) {
	r.counts.gap(g)
	r.send(besra.Record{Type: besra.RecordGap, Gap: &g})
}

func (r *run) send(rec besra.Record) { r.records <- rec }

// write is the one goroutine that talks to the sink. After a sink failed it
// keeps draining, so that nobody blocks, and stops the run.
func (r *run) write() {
	ctx := context.WithoutCancel(r.ctx)
	for rec := range r.records {
		if r.sinkErr != nil {
			continue
		}
		if err := r.Sink.Write(ctx, rec); err != nil {
			r.sinkErr = err
			r.cancel(errSink)
		}
	}
}

// finish writes the summary and closes the record.
func (r *run) finish(sourceErr error) (besra.Summary, error) {
	interrupted := r.ctx.Err() != nil && context.Cause(r.ctx) != errSink
	sum := r.counts.summary(interrupted, r.Now().Sub(r.start))
	if r.ctx.Err() != nil {
		sourceErr = nil // it only says that the run was over
	}
	if sourceErr != nil || r.sinkErr != nil {
		sum.Complete = false
	}
	if r.sinkErr == nil {
		s := sum
		r.sinkErr = r.Sink.Write(context.WithoutCancel(r.ctx), besra.Record{Type: besra.RecordSummary, Summary: &s})
	}
	return sum, errors.Join(sourceErr, r.sinkErr)
}
