// Compare measures Besra beside other YARA engines: whole program against
// whole program, the same compiled rules, the same files, interleaved in one
// run, with the answers compared.
//
//	go run ./bench/compare -rules signature-base=DIR
//
// It needs nothing but what the machine has: file trees are made of its own
// files, by a seed, and of the other engines those take part that are
// installed. Results are appended to a file of JSON lines, of which the
// Markdown and the chart are functions, so a long comparison can be made in
// parts.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	rules     pairs
	trees     pairs
	peers     pairs
	workloads string
	engines   string
	threads   string
	runs      int
	size      int64
	seed      uint64
	timeout   time.Duration
	work      string
	results   string
	markdown  string
	chart     string
	render    bool
	offsets   bool
	besra     string
	python    string
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("compare: ")
	if len(os.Args) > 3 && os.Args[1] == measureVerb {
		measureMain(os.Args[2:])
		return
	}
	o := parseFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if !o.render {
		if err := compare(ctx, o); err != nil {
			log.Fatal(err)
		}
	}
	if err := render(o); err != nil {
		log.Fatal(err)
	}
}

func parseFlags() *options {
	o := &options{}
	flag.Var(&o.rules, "rules", "a set of rules, as `NAME=PATH` of a file or folder; may be repeated")
	flag.Var(&o.trees, "tree", "files of yours to scan, as `NAME=PATH`; may be repeated")
	flag.Var(&o.peers, "peer", "another engine, as `NAME=PROGRAM` that speaks the driver's protocol (see driver.py); may be repeated")
	flag.StringVar(&o.workloads, "workload", "all", "what to scan: "+strings.Join(workloadNames(), ", ")+", cliffs, catastrophes, none; comma-separated")
	flag.StringVar(&o.engines, "engines", "", "which of the engines at hand take part beside Besra, comma-separated (default: all)")
	flag.StringVar(&o.threads, "threads", "1,2", "numbers of threads, comma-separated")
	flag.IntVar(&o.runs, "runs", 3, "runs of each engine, interleaved")
	flag.Int64Var(&o.size, "size", 64, "megabytes in each made tree; the one large file has 16 times that, up to 1024, and the small files are always 100,000")
	flag.Uint64Var(&o.seed, "seed", 1, "what the made trees are drawn by")
	flag.DurationVar(&o.timeout, "timeout", 10*time.Minute, "the longest that one run of one engine may take")
	flag.StringVar(&o.work, "work", filepath.Join(os.TempDir(), "besra-compare"), "folder for made trees and compiled rules; kept, so that the next call finds them")
	flag.StringVar(&o.results, "results", "", "file of results to append to (default WORK/results.ndjson)")
	flag.StringVar(&o.markdown, "markdown", "-", "file for the tables; - is standard output")
	flag.StringVar(&o.chart, "svg", "", "file for the chart")
	flag.BoolVar(&o.offsets, "offsets", false, "have every match printed, and compare offsets, too")
	flag.BoolVar(&o.render, "render", false, "measure nothing, render the results at hand")
	flag.StringVar(&o.besra, "besra", "", "program to measure (default: built from this source)")
	flag.StringVar(&o.python, "python", "python3", "Python that has the modules yara_x or yara")
	flag.Parse()
	if o.results == "" {
		o.results = filepath.Join(o.work, "results.ndjson")
	}
	return o
}

// compare measures every set of rules on every tree with every engine.
func compare(ctx context.Context, o *options) error {
	if err := os.MkdirAll(o.outputs(), 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(o.outputs())
	engines, err := findEngines(ctx, o)
	if err != nil {
		return err
	}
	jobs, err := o.jobs(ctx)
	if err != nil {
		return err
	}
	store, err := openResults(o.results)
	if err != nil {
		return err
	}
	defer store.close()
	for _, j := range jobs {
		if err := j.run(ctx, o, engines, store); err != nil {
			return fmt.Errorf("%s on %s: %w", j.rules.name, j.tree.name, err)
		}
	}
	return ctx.Err()
}

// outputs is the folder of what engines print, which is read and removed.
func (o *options) outputs() string { return filepath.Join(o.work, "outputs") }

// job is one set of rules on one tree.
type job struct {
	rules *ruleSet
	tree  tree
}

// jobs lists what is to be measured, and makes the trees.
func (o *options) jobs(ctx context.Context) ([]job, error) {
	var jobs []job
	sets := []*ruleSet{fewRules(o.work)}
	for _, p := range o.rules {
		set, err := loadRules(p.name, p.value)
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	trees, err := o.makeTrees(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range trees {
		for _, s := range sets {
			jobs = append(jobs, job{s, t})
		}
	}
	var cliffs []cliff
	if o.wants("cliffs") {
		cliffs = append(cliffs, cliffList()...)
	}
	if o.wants("catastrophes") {
		cliffs = append(cliffs, catastropheList()...)
	}
	more, err := o.cliffs(cliffs)
	return append(jobs, more...), err
}

// wants reports whether -workload names the workload.
func (o *options) wants(name string) bool {
	for w := range strings.SplitSeq(o.workloads, ",") {
		if w == name || w == "all" {
			return true
		}
	}
	return false
}

func (o *options) threadCounts() (counts []int, err error) {
	for text := range strings.SplitSeq(o.threads, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-threads %q: want numbers above 0", o.threads)
		}
		counts = append(counts, n)
	}
	return counts, nil
}

// pairs is a repeated flag of NAME=VALUE.
type pairs []pair

type pair struct{ name, value string }

func (p *pairs) String() string { return "" }

func (p *pairs) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" || value == "" {
		return fmt.Errorf("want NAME=VALUE")
	}
	*p = append(*p, pair{name, value})
	return nil
}
