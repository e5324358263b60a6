package main

import (
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

// done takes the bar away.
func (p *progress) done() {
	if p.bars == nil {
		return
	}
	p.bar.Abort(true)
	p.bars.Wait()
}

// colorful reports whether w is a terminal that may be written to in colour.
func colorful(w io.Writer) bool {
	f, ok := w.(*os.File)
	_, plain := os.LookupEnv("NO_COLOR")
	return ok && !plain && term.IsTerminal(f.Fd()) && os.Getenv("TERM") != "dumb"
}
