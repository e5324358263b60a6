package main

import (
	"fmt"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/evidence"
	"github.com/besra-hunt/besra/scan"
	"github.com/spf13/pflag"
)

// evidenceFlags say whether copies of what was found are kept.
type evidenceFlags struct {
	dir, password string
	size, total   size

	collector *evidence.Collector
}

func (e *evidenceFlags) register(f *pflag.FlagSet) {
	f.StringVar(&e.dir, "collect", "", "keep a copy of every target with findings that are not suppressed in this directory: zip files with a password, and a manifest")
	f.StringVar(&e.password, "collect-password", "infected", "password of the copies")
	e.size, e.total = 64<<20, 10<<30
	f.Var(&e.size, "collect-max-size", "size of the largest content that is copied; others are counted")
	f.Var(&e.total, "collect-max-total", "size of all copies in the directory together")
}

// open makes the directory; without one nothing is collected.
func (e *evidenceFlags) open() (err error) {
	if e.dir == "" {
		return nil
	}
	e.collector, err = evidence.Open(evidence.Config{Dir: e.dir, Password: e.password, MaxSize: int64(e.size), MaxTotal: int64(e.total)})
	if err != nil {
		return fmt.Errorf("--collect: %w", err)
	}
	return nil
}

// collect returns what a hunt calls with each target; nil where nothing is kept.
func (e *evidenceFlags) collect(run besra.Run) func(scan.Evidence) error {
	if e.collector == nil {
		return nil
	}
	return func(v scan.Evidence) error {
		return e.collector.Collect(evidence.Item{Run: run.ID, Host: run.Host, Target: v.Target, Base: v.Base,
			Content: v.Content, Findings: v.Findings, Facts: v.Facts})
	}
}

// close tells what was kept.
func (e *evidenceFlags) close(stdio stdio) error {
	if e.collector == nil {
		return nil
	}
	copies, targets := e.collector.Kept()
	err := e.collector.Close()
	e.collector = nil
	fmt.Fprintf(stdio.err, "evidence %s: %d targets noted, %d new copies\n", e.dir, targets, copies)
	return err
}
