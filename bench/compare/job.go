package main

import (
	"context"
	"log"
	"os"
	"path/filepath"
	"strings"
)

// run measures the job: the scan of each engine with every number of threads,
// the engines taking turns.
func (j job) run(ctx context.Context, o *options, engines []*engine, store *results) error {
	if err := j.rules.compile(ctx, o, engines, store); err != nil {
		return err
	}
	engines = j.rules.taking(engines)
	counts, err := o.threadCounts()
	if err != nil {
		return err
	}
	if len(counts) > 1 && !j.tree.cliff() {
		if err := j.rules.start(ctx, o, engines, store); err != nil {
			return err
		}
	}
	expected, err := j.expected(ctx, o, engines)
	if err != nil {
		return err
	}
	failed := make(map[string]bool) // by engine: an overlong run is not repeated
	for i := range o.runs {
		for _, threads := range counts {
			for k := range engines {
				e := engines[(k+i)%len(engines)]
				if failed[e.name] {
					continue
				}
				r := j.measure(ctx, o, e, threads, expected)
				if ctx.Err() != nil {
					return ctx.Err() // what was cut short is no result
				}
				r.Run = i
				store.add(r)
				failed[e.name] = r.Error != ""
			}
		}
	}
	return nil
}

// measure runs one engine once, and compares its answers with Besra's.
func (j job) measure(ctx context.Context, o *options, e *engine, threads int, expected map[string]answers) result {
	r := result{Phase: phaseScan, Rules: j.rules.name, Tree: j.tree.name, Files: j.tree.files, Bytes: j.tree.bytes,
		ELF: j.tree.elf, PE: j.tree.pe, Engine: e.name, Version: e.version, Threads: threads}
	m, out, err := run(ctx, o, e.scan(j.rules.compiled[e.name], j.tree.path, threads, o.offsets))
	defer os.Remove(out)
	if r.measure = m; err != nil {
		r.Error = err.Error()
	} else {
		got := readAnswers(out, j.tree.path)
		r.Matches = len(got)
		r.Differ = got.compare(expected[e.reads], e.name)
	}
	log.Printf("%s on %s, %d threads, %s: wall %.2f s, cpu %.2f s, %d MB, %d matches %s",
		r.Rules, r.Tree, threads, e.name, m.Wall, m.CPU, m.RSS>>10, r.Matches, r.Error)
	return r
}

// expected is what Besra answers in each dialect: where YARA and YARA-X
// themselves differ, each is compared with Besra's reading of it.
func (j job) expected(ctx context.Context, o *options, engines []*engine) (map[string]answers, error) {
	expected := make(map[string]answers)
	for _, e := range engines {
		if expected[e.reads] != nil {
			continue
		}
		compiled := filepath.Join(o.work, "expected."+e.reads)
		reader := besra(o.besra, e.reads)
		if _, _, err := run(ctx, o, reader.compile(j.rules.files, compiled)); err != nil {
			return nil, err
		}
		_, out, err := run(ctx, o, reader.scan(compiled, j.tree.path, 1, o.offsets))
		if err != nil {
			return nil, err
		}
		expected[e.reads] = readAnswers(out, j.tree.path)
		os.Remove(out)
	}
	return expected, nil
}

// answers counts lines: a rule and a file, or those and a match.
type answers map[string]int

// readAnswers reads what an engine printed. Paths are taken relative to the
// target, and of matches the offset and the pattern: engines keep different
// parts of long matches.
func readAnswers(file, target string) answers {
	got := make(answers)
	text, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	rule := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "0x") {
			if f := strings.SplitN(line, ":", 4); len(f) > 2 {
				got[rule+" "+f[0]+" "+f[2]]++
			}
			continue
		}
		name, path, _ := strings.Cut(line, " ")
		path, ok := strings.CutPrefix(path, target)
		if !ok {
			continue // what a rule logs
		}
		rule = name + " " + strings.TrimPrefix(path, "/")
		got[rule]++
	}
	return got
}

// shownDifferences is how many differences of one run are printed.
const shownDifferences = 5

// compare returns the number of answers in which got is not what is expected,
// and prints the first.
func (got answers) compare(want answers, name string) (differ int) {
	tell := func(line, what string) {
		if differ++; differ <= shownDifferences {
			log.Printf("  difference: %s %s: %s", name, what, line)
		}
	}
	for line, n := range got {
		if want[line] != n {
			tell(line, "has, where Besra has not")
		}
	}
	for line := range want {
		if got[line] == 0 {
			tell(line, "has not, where Besra has")
		}
	}
	return differ
}
