package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/report"
)

// record is all that a hunt writes.
type record struct {
	flags *huntFlags
	stdio stdio
	book  *book
	out   besra.Sink
	worst *worstFinding
	fresh *report.NewOnly
	all   besra.Sink // where records go: to the ledger, then through the baseline to the outputs
}

// openRecord opens what the hunt writes, the outputs last: they are overwritten.
// run becomes what the record is to say of it. The record is to be closed with an
// error, too.
func (h *huntFlags) openRecord(ctx context.Context, stdio stdio, set *detection.Set, run *besra.Run) (*record, error) {
	r := &record{flags: h, stdio: stdio}
	base, err := h.readBaseline(ctx, stdio)
	if err != nil {
		return r, err
	}
	if r.book, err = openBook(stdio, h.ledger); err != nil {
		return r, err
	}
	if err := errors.Join(h.evidence.open(), h.cache.open(set)); err != nil {
		return r, err
	}
	if err := h.checkpoint.open(run, r.book.sync, h.baseline, h.filesFrom); err != nil {
		return r, err
	}
	if r.out, err = h.output.open(stdio); err != nil {
		return r, err
	}
	r.worst = &worstFinding{sink: r.out}
	r.fresh = base.New(r.worst)
	r.all = r.book.before(r.fresh, &h.output.earlier)
	return r, nil
}

// close completes what is open. The second time it does nothing.
func (r *record) close() error {
	var errs []error
	if r.out != nil {
		errs = append(errs, r.out.Close())
		r.out = nil
	}
	if r.book != nil {
		errs = append(errs, r.book.close())
	}
	errs = append(errs, r.flags.evidence.close(r.stdio))
	r.flags.cache.close(r.stdio)
	return errors.Join(errs...)
}

// tell says what the baseline knew.
func (r *record) tell() {
	if name := r.flags.baseline; name != "" {
		fmt.Fprintf(r.stdio.err, "baseline %s: %d findings are known, %d are new\n", name, r.fresh.Known, r.fresh.Fresh)
	}
}

// worstFinding remembers the highest severity of what is not suppressed.
type worstFinding struct {
	sink besra.Sink
	rank int // of besra.Severity, plus one: 0 is none
}

// Write implements [besra.Sink].
func (w *worstFinding) Write(ctx context.Context, r besra.Record) error {
	if f := r.Finding; f != nil && f.Verdict != besra.VerdictSuppressed {
		w.rank = max(w.rank, f.Severity.Rank()+1)
	}
	return w.sink.Write(ctx, r)
}

// Close implements [besra.Sink].
func (w *worstFinding) Close() error { return w.sink.Close() }
