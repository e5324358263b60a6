package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// start measures a scan of an empty folder with each engine: what there is to
// do before the first file, which more threads do not make faster.
func (s *ruleSet) start(ctx context.Context, o *options, engines []*engine, store *results) error {
	if s.started {
		return nil
	}
	s.started = true
	empty := filepath.Join(o.outputs(), "empty")
	if err := os.MkdirAll(empty, 0o755); err != nil {
		return err
	}
	for i := range o.runs {
		for k := range engines {
			e := engines[(k+i)%len(engines)]
			m, _, err := run(ctx, o, e.scan(s.compiled[e.name], empty, 1, false))
			if err != nil {
				return fmt.Errorf("%s on an empty folder: %w", e.name, err)
			}
			log.Printf("%s, start, %s: wall %.3f s, cpu %.3f s", s.name, e.name, m.Wall, m.CPU)
			store.add(result{Phase: phaseStart, Rules: s.name, Engine: e.name, Version: e.version, Threads: 1, Run: i, measure: m})
		}
	}
	return nil
}

// writeScaling writes how much less time by the clock each engine needs with
// more threads, whole and without its start.
func writeScaling(b *strings.Builder, rows []*row, list []result) {
	head := "**Scaling.** Time by the clock on one thread, in times of that on more: median of the runs (least–most); ideal is the number of threads.\n" +
		"Trees of fewer files than threads are left out: one thread searches a file.\n\n" +
		"| Rules | Files | Engine | 1 thread, s | threads | s | start, s | times | without the start |\n|---|---|---|--:|--:|--:|--:|--:|--:|\n"
	for _, w := range rows {
		one := slices.IndexFunc(rows, func(v *row) bool { return v.rules == w.rules && v.tree == w.tree && v.threads == 1 })
		if w.threads == 1 || one < 0 || w.files < int64(w.threads) || strings.HasPrefix(w.tree, "cliff") {
			continue
		}
		for _, p := range w.engines() {
			b.WriteString(head)
			head = ""
			w.writeScaling(b, rows[one], p, startOf(list, w.rules, p.name))
		}
	}
	if head == "" {
		b.WriteString("\n")
	}
}

func (w *row) writeScaling(b *strings.Builder, one *row, p peer, start float64) {
	whole, ok := one.faster(p, 0)
	if !ok {
		return
	}
	net, ok := one.faster(p, start)
	without := "–"
	if ok && start > 0 {
		without = net.String()
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %d | %s | %s | **%s** | %s |\n", w.rules, w.describe(), p.name,
		short(medianOf(one.runsOf(p.name), wall)), w.threads, short(medianOf(p.runs, wall)), short(start), whole, without)
}

// faster compares the runs of an engine on one thread with those on more, less
// the start of both; ok is false where there is none to compare.
func (w *row) faster(p peer, start float64) (q ratio, ok bool) {
	return ratioOf(w.runsOf(p.name), p.runs, func(r result) float64 { return r.Wall - start })
}

// startOf is the median of the start of an engine with a set of rules, in seconds;
// 0 where it was not measured.
func startOf(list []result, rules, engine string) float64 {
	var runs []result
	for _, r := range list {
		if r.Phase == phaseStart && r.Rules == rules && r.Engine == engine {
			runs = append(runs, r)
		}
	}
	return medianOf(runs, wall)
}
