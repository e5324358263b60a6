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
	"fmt"
	"sync"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/pace"
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

	// Cache, where not nil, is asked what the engine has said of a content before.
	// With CacheStat a file in which nothing was found, and that by its
	// [besra.Target.Stamp] is still the same, is not even read.
	Cache     Cache
	CacheStat bool
	// Collect, where not nil, is called by any worker with each target in which
	// something was found that no exclusion hides.
	Collect func(Evidence) error
	// Pace holds the run back; nil means that nothing does.
	Pace *pace.Pacer

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
	// Journal, where not nil, notes what is done, so that an interrupted run can
	// go on. One from [OpenJournal] leaves out what an earlier part of the run
	// has done, and gives its records to Earlier before anything else is read.
	Journal *Journal
	Earlier besra.Sink
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
	r := &run{Hunt: h, ctx: ctx, cancel: cancel, start: h.Now(), recall: newRecall(),
		rules: rulesByName(h.Set.Rules), unsteady: unsteady(h.Set.Rules),
		targets: make(chan besra.Target, 2*h.Workers),
		records: make(chan noted, 4*h.Workers)}
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
	ctx      context.Context
	cancel   context.CancelCauseFunc
	start    time.Time
	targets  chan besra.Target
	records  chan noted
	counts   counts
	sinkErr  error // owned by write until records is closed and drained
	recall   *recall
	rules    func() map[[2]string]yara.Rule
	unsteady bool       // the rules may say something else of the same content
	profile  sync.Mutex // is held while Profile is called
}

// noted is a record on its way to the sink, with the target that it is of, or
// the word that this target is done, which comes behind all its records.
type noted struct {
	besra.Record
	key  Key  // none where the record is of no target
	done bool // Record is empty
	part part
}

// part is what was done with one outermost target.
type part struct{ targets, bytes, identical int64 }

func (p *part) add(q part) {
	p.targets += q.targets
	p.bytes += q.bytes
	p.identical += q.identical
}

// errSink is the cause of a run that stopped because its sink failed.
var errSink = errors.New("the sink failed")

// open writes the first records.
func (r *run) open() {
	rec := r.Run
	r.records <- noted{Record: besra.Record{Type: besra.RecordRun, Run: &rec}}
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
	if r.Journal != nil && t.Done == nil && len(r.Journal.past.keys) > 0 && r.Journal.past.known(keyOf(r.ctx, t)) {
		return context.Cause(r.ctx)
	}
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
	r.records <- noted{Record: besra.Record{Type: besra.RecordGap, Gap: &g}}
}

// write is the one goroutine that talks to the sink and the journal. After one
// of them failed it keeps draining, so that nobody blocks, and stops the run.
func (r *run) write() {
	ctx := context.WithoutCancel(r.ctx)
	for n := range r.records {
		if r.sinkErr != nil {
			continue
		}
		if r.sinkErr = r.writeOne(ctx, n); r.sinkErr != nil {
			r.cancel(errSink)
		}
	}
	if r.Journal != nil && r.sinkErr == nil {
		r.sinkErr = r.Journal.keep(r.Now().Sub(r.start))
	}
}

func (r *run) writeOne(ctx context.Context, n noted) error {
	if !n.done {
		if err := r.Sink.Write(ctx, n.Record); err != nil {
			return err
		}
	}
	if n.Run != nil {
		return r.replay(ctx)
	}
	return r.note(n)
}

// note writes to the journal what it is to know, and sees to it that nothing
// stays unwritten while there is nothing to do.
func (r *run) note(n noted) (err error) {
	switch {
	case r.Journal == nil:
		return nil
	case n.done:
		err = r.Journal.done(n.key, n.part)
	case n.key != Key{}:
		err = r.Journal.record(n.key, n.Record)
	}
	if err == nil && len(r.records) == 0 {
		err = r.Journal.flush(r.Now().Sub(r.start))
	}
	if err != nil {
		err = fmt.Errorf("the checkpoint: %w", err)
	}
	return err
}

// replay gives what an earlier part of the run has found to the sink for it.
func (r *run) replay(ctx context.Context) error {
	if r.Journal == nil || len(r.Journal.past.keys) == 0 {
		return nil
	}
	r.counts.add(r.Journal.past.done)
	for rec, err := range r.Journal.records() {
		if err == nil {
			r.counts.record(rec)
			err = r.Earlier.Write(ctx, rec)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// finish writes the summary and closes the record.
func (r *run) finish(sourceErr error) (besra.Summary, error) {
	interrupted := r.ctx.Err() != nil && context.Cause(r.ctx) != errSink
	took := r.Now().Sub(r.start)
	if r.Journal != nil {
		took += r.Journal.past.elapsed
	}
	sum := r.counts.summary(interrupted, took)
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
