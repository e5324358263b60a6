package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/charmbracelet/x/term"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress shows the totals of a hunt on standard error while it is a
// terminal. The size of a tree is not known before it is walked, so there is a
// spinner and numbers that count up, and no promise of an end.
type progress struct {
	targets, bytes, findings atomic.Int64

	bars *mpb.Progress
	bar  *mpb.Bar
}

func newProgress(stdio stdio, off bool) *progress {
	p := &progress{}
	f, ok := stdio.err.(*os.File)
	if off || !ok || !term.IsTerminal(f.Fd()) || os.Getenv("TERM") == "dumb" {
		return p
	}
	p.start(f)
	return p
}

func (p *progress) start(w io.Writer) {
	p.bars = mpb.New(mpb.WithOutput(w), mpb.WithWidth(12))
	p.bar = p.bars.New(-1, mpb.SpinnerStyle(), mpb.BarRemoveOnComplete(),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return p.text() })))
}

func (p *progress) text() string {
	return fmt.Sprintf(" %d targets, % .1f, %d matches", p.targets.Load(), decor.SizeB1024(p.bytes.Load()), p.findings.Load())
}

// update takes new totals; it is safe for concurrent use.
func (p *progress) update(targets, bytes, findings int64) {
	p.targets.Store(targets)
	p.bytes.Store(bytes)
	p.findings.Store(findings)
}

// above returns a writer for results that shows them above the bar, where both
// are on the terminal; otherwise w itself.
func (p *progress) above(w io.Writer) io.Writer {
	f, ok := w.(*os.File)
	if p.bars == nil || !ok || !term.IsTerminal(f.Fd()) {
		return w
	}
	return &aboveBar{f, p.bars}
}

// aboveBar is a terminal that a bar is drawn on.
type aboveBar struct {
	*os.File
	bars *mpb.Progress
}

// Write writes above the bar, and as to any file once the bar is gone.
func (a *aboveBar) Write(b []byte) (int, error) {
	n, err := a.bars.Write(b)
	if errors.Is(err, mpb.ErrDone[*mpb.Progress]{}) {
		return a.File.Write(b)
	}
	return n, err
}

// done takes the bar away; the second time it does nothing.
func (p *progress) done() {
	if p.bars == nil {
		return
	}
	p.bar.SetTotal(1, true)
	p.bars.Wait()
}

// colorful reports whether w is a terminal that may be written to in colour.
func colorful(w io.Writer) bool {
	f, ok := w.(*os.File)
	_, plain := os.LookupEnv("NO_COLOR")
	return ok && !plain && term.IsTerminal(f.Fd()) && os.Getenv("TERM") != "dumb"
}
