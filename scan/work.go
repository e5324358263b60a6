package scan

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/yara"
)

// work scans targets until the queue is closed or the run is over.
func (r *run) work() {
	// A mapped file that another process truncates faults when it is read;
	// this turns the fault into a panic that scanBytes recovers.
	debug.SetPanicOnFault(true)
	w := &worker{run: r, purse: purse{free: freely}}
	opts := []yara.ScannerOption{yara.MaxMatches(maxCounted), yara.Progress(w.progress), yara.AskExternals(w.external)}
	if r.Profile != nil {
		opts = append(opts, yara.Profiling())
		defer func() {
			r.profile.Lock()
			defer r.profile.Unlock()
			r.Profile(w.scanner.Profile())
		}()
	}
	w.scanner = r.Set.Rules.NewScanner(opts...)
	for t := range r.targets {
		if err := r.ctx.Err(); err != nil {
			giveUp(t, err)
			continue
		}
		w.outermost(t)
		if r.Progress != nil {
			r.Progress(r.counts.totals())
		}
	}
}

// maxCounted bounds the matches of one pattern that are counted on one target.
const maxCounted = 100_000

// worker is what one goroutine reuses from target to target.
type worker struct {
	*run
	scanner  *yara.Scanner
	releaser besra.Releaser // of the content under way; nil where it has none
	released int64
	outer    besra.Releaser // of the source's target while it is opened up; nil where it has none
	outerLen int64
	passed   int64  // bytes of what lies in it, since its pages were given back
	mapped   []byte // the outermost content, where others can change it
	copied   []byte // a content that nobody else can change

	claim     claim // in the answer to the content under way
	identical bool  // the answer to it was known
	purse     purse
	paced     int64           // bytes of the content that the pacer knows of
	asked     context.Context // of the search under way
	facts     besra.Facts     // of its target

	depth  int           // how many targets the one under way lies in
	budget besra.Budget  // of the outermost of them
	around []byte        // content of the nearest of them
	held   int64         // bytes that are unpacked for them
	answer *besra.Answer // to who waits for the outermost; nil where nobody does
	key    Key           // of the outermost, for the journal
	part   part          // what was done of it
}

// outermost does all that is done with a target of the source. Where it was
// looked at to its end, whether it could be read or not, the journal learns so,
// and who waits for it is told.
func (w *worker) outermost(t besra.Target) {
	if w.Journal != nil {
		w.key, w.part = keyOf(w.ctx, t), part{}
	}
	if t.Done != nil {
		w.answer = &besra.Answer{}
	}
	w.scan(t)
	err := w.ctx.Err()
	if w.Journal != nil && err == nil {
		w.records <- noted{key: w.key, done: true, part: w.part}
	}
	if t.Done == nil {
		return
	}
	if err != nil {
		w.answer.AddGap(abandoned(t, err))
	}
	t.Done(*w.answer)
	w.answer = nil
}

// giveUp answers for a target that was taken and is not looked at, because the
// run is over. The summary says that it was interrupted.
func giveUp(t besra.Target, err error) {
	if t.Done != nil {
		var a besra.Answer
		a.AddGap(abandoned(t, err))
		t.Done(a)
	}
}

func abandoned(t besra.Target, err error) besra.Gap {
	return besra.Gap{Kind: besra.GapError, Target: besra.Text(t.Name), Reason: "interrupted", Detail: err.Error(), Count: 1}
}

// send hands on a record of the target under way.
func (w *worker) send(rec besra.Record) {
	w.counts.record(rec)
	w.records <- noted{Record: rec, key: w.key}
}

// done counts a target that was looked at to its end, and whether the answer was
// known from an identical content.
func (w *worker) done(size int64, identical bool) {
	p := part{targets: 1, bytes: size}
	if identical {
		p.identical = 1
	}
	w.counts.add(p)
	w.part.add(p)
}

// tell reports a gap in the target under way, also to who waits for it.
func (w *worker) tell(g besra.Gap) {
	if w.answer != nil {
		w.answer.AddGap(g)
	}
	w.send(besra.Record{Type: besra.RecordGap, Gap: &g})
}

const (
	// releaseStep is how many bytes are searched before pages are given back.
	releaseStep = 64 << 20
	// paceStep is how many bytes are searched before the pacer is asked.
	paceStep = 1 << 20
	// readUnit is how many bytes one disk operation reads: what Linux reads ahead.
	readUnit = 128 << 10
)

// progress is called while bytes are searched.
func (w *worker) progress(done int64) {
	if w.releaser != nil && done-w.released >= w.Limits.Release {
		w.releaser.Release(done)
		w.released = done
	}
	if w.depth > 0 {
		w.pass(done - w.released)
		w.released = done
	}
	if w.Pace != nil && done-w.paced >= paceStep {
		// A mapped file is read as it is searched.
		if w.releaser != nil {
			w.Pace.IO(w.ctx, (done-w.paced)/readUnit)
		}
		w.Pace.CPU(w.ctx)
		w.paced = done
	}
}

// pass counts bytes of what lies in the target under way. The pages of that target
// that were read for them are given back, wherever in it they are.
func (w *worker) pass(n int64) {
	if w.passed += n; w.outer != nil && w.passed >= w.Limits.Release {
		w.outer.Release(w.outerLen)
		w.passed = 0
	}
}

// external tells the engine what a condition asks of the target.
func (w *worker) external(name string) any { return detection.External(w.asked, name, w.facts) }

// mayOpen waits until a target of the source may be opened. What it will read
// at once counts, what it maps counts as it is searched.
func (w *worker) mayOpen(t besra.Target) error {
	if w.Pace == nil || w.depth > 0 {
		return nil
	}
	if err := w.Pace.CPU(w.ctx); err != nil {
		return err
	}
	return w.Pace.IO(w.ctx, 1+min(max(t.Size, 0), paceStep)/readUnit)
}

// scan does all that is done with one target.
func (w *worker) scan(t besra.Target) {
	if w.knownEmpty(t) {
		w.done(t.Size, true)
		return
	}
	if w.mayOpen(t) != nil {
		return // the run is over
	}
	content, err := t.Open(w.ctx)
	if err != nil {
		if w.ctx.Err() == nil {
			w.gapFor(t, err)
		}
		return
	}
	defer content.Close()
	w.releaser, _ = content.(besra.Releaser)
	w.released, w.paced = 0, 0
	ctx, cancel := w.targetContext()
	defer cancel()
	if err := w.scanContent(ctx, t, content); err != nil && w.ctx.Err() == nil {
		w.gapFor(t, err)
	}
}

func (r *run) targetContext() (context.Context, context.CancelFunc) {
	if r.Timeout > 0 {
		return context.WithTimeout(r.ctx, r.Timeout)
	}
	return r.ctx, func() {}
}

// scanContent searches the bytes, and opens them up where something lies
// inside. They are looked at here and nowhere else, so that a fault in them ends
// here.
func (w *worker) scanContent(ctx context.Context, t besra.Target, content besra.Content) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.claim.settle()
			err = faultError(p)
		}
	}()
	if m, ok := content.(besra.Memory); ok {
		return w.scanMemory(ctx, t, m)
	}
	data := w.identify(ctx, t, content.Bytes())
	if f, ok := t.Facts.(besra.ContentFacts); ok {
		f.SetContent(data)
		defer f.SetContent(nil)
	}
	empty, err := w.search(ctx, t, data)
	if err == nil {
		w.done(int64(len(data)), w.identical)
	}
	if w.depth == 0 {
		w.outer, w.outerLen, w.passed = w.releaser, int64(len(data)), 0
	} else {
		w.pass(int64(len(data)) - w.released)
	}
	w.releaser = nil
	if ctx.Err() != nil {
		return err
	}
	e := w.expander(t, data)
	if e == nil {
		if empty {
			w.rememberEmpty(ctx, t)
		}
		return err
	}
	return errors.Join(err, w.expand(ctx, e, t, data))
}

// search asks the engine and hands on what matched; empty tells that all was
// searched and nothing did.
func (w *worker) search(ctx context.Context, t besra.Target, data []byte) (empty bool, err error) {
	r, err := w.ask(ctx, t, data)
	if r == nil {
		return false, err
	}
	w.findings(ctx, r, t, whole(data), func() string { return contentDigest(ctx, t, data) })
	return err == nil && len(r.Rules) == 0, err
}

// findings hands on what matched. digest names the content, where anything did.
func (w *worker) findings(ctx context.Context, r *reply, t besra.Target, data view, digest func() string) {
	sum := ""
	var shown []*besra.Finding
	for _, m := range r.Rules {
		if sum == "" {
			sum = digest()
		}
		if f := w.finding(ctx, m, t, data, sum); f != nil {
			if w.answer != nil {
				w.answer.AddFinding(f)
			}
			if f.Verdict != besra.VerdictSuppressed {
				shown = append(shown, f)
			}
			w.send(besra.Record{Type: besra.RecordFinding, Finding: f})
		}
	}
	w.collect(ctx, t, data, shown)
}

// contentDigest returns the SHA-256 of the bytes that were scanned. The facts
// share it, so that it is computed once.
func contentDigest(ctx context.Context, t besra.Target, data []byte) string {
	if v, ok := t.Facts.Fact(ctx, "file.sha256").Text(); ok {
		return v
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// errFault says that the bytes went away while they were read.
var errFault = errors.New("the file was truncated while it was read")

// faultError tells a memory fault of a mapped file from a defect of ours: the
// latter goes on as the panic it is.
func faultError(p any) error {
	if e, ok := p.(interface{ Addr() uintptr }); ok && e != nil {
		return errFault
	}
	panic(p)
}

// gapFor records why a target was not scanned to its end, or not opened up.
func (w *worker) gapFor(t besra.Target, err error) {
	kind := besra.GapError
	if limited(err) {
		kind = besra.GapSkip
	}
	w.tell(besra.Gap{Kind: kind, Target: besra.Text(t.Name), Reason: gapReason(err), Detail: err.Error(), Count: 1})
}

func gapReason(err error) string {
	var known interface{ Reason() string }
	switch {
	case errors.As(err, &known):
		return known.Reason()
	case errors.Is(err, os.ErrPermission):
		return "permission"
	case errors.Is(err, os.ErrNotExist):
		return "vanished"
	case errors.Is(err, errFault):
		return "truncated"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, yara.ErrTimeout):
		return "timeout"
	}
	return "io"
}

// finding makes the record of one matching rule and lets the exclusions decide.
// It returns nil for a rule that is no detection of its own (a helper).
func (r *run) finding(ctx context.Context, m matched, t besra.Target, data view, digest string) *besra.Finding {
	entry := r.Set.Entry(m.rule)
	if entry == nil {
		return nil
	}
	det, ref, severity := entry.Describe(m.rule)
	f := &besra.Finding{
		Run: r.Run.ID, Time: r.Now().UTC(), Host: r.Run.Host,
		Verdict: besra.VerdictAlert, Severity: severity, AuthorSeverity: severity,
		Detection: det,
		Rule:      ref,
		Target:    besra.TargetRef{Name: besra.Text(t.Name), Context: t.Context, Size: data.size(), SHA256: digest},
		Patterns:  r.patterns(m, data),
	}
	f.ID = findingID(f)
	facts := exclusion.Remember(t.Facts)
	exclusion.Apply(ctx, entry.Exclusions, f, facts, r.start)
	f.Facts = r.facts(ctx, f, facts)
	return f
}

// findingID is deterministic: delivering a finding twice is harmless.
func findingID(f *besra.Finding) string {
	h := sha256.New()
	for _, s := range []string{f.Detection.ID, f.Rule.Name, f.Host, string(f.Target.Context), string(f.Target.Name), f.Target.SHA256} {
		fmt.Fprintf(h, "%d:%s;", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
