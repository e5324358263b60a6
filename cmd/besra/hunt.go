package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/detection/builtin"
	"github.com/besra-hunt/besra/facts"
	"github.com/besra-hunt/besra/ledger"
	"github.com/besra-hunt/besra/report"
	"github.com/besra-hunt/besra/scan"
	"github.com/besra-hunt/besra/source/process"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// huntFlags are the flags of `besra hunt`.
type huntFlags struct {
	output        outputFlags
	packs         []string
	trust         []string
	root          string
	include       []string
	exclude       []string
	tags          []string
	hostName      string
	params        []string
	maxSize       size
	workers       int
	timeout       time.Duration
	follow        bool
	oneFileSystem bool
	networkFS     bool
	failOn        string
	strict        bool
	ignoreInvalid bool
	noProgress    bool
	profile       profileFlag
	archives      archiveFlags
	stores        storeFlags
	regions       string
	skipProcesses []string
	pids          []int
	names         []string
	ledger        string
	facts         string
	baseline      string

	limits     limitFlags
	evidence   evidenceFlags
	cache      cacheFlags
	checkpoint checkpoint
	filesFrom  string
	dryRun     bool
}

func huntCommand(stdio stdio) *cobra.Command {
	var h huntFlags
	cmd := &cobra.Command{
		Use:   "hunt PLACE…",
		Short: "Hunt with detections in files and other places",
		Long: `Scan what is in a place with the rules of a pack, decide the known false positives, and write findings.
Without a pack the embedded one is used. What is skipped or unreadable is counted. Archives, and objects that
protocols carry, are opened up at every level. A place is one of:

` + placesHelp(),
		Example: "  besra hunt /srv /home\n  besra hunt --root /mnt/evidence /\n  besra hunt --pack detections/ --format ndjson / > hunt.ndjson\n  tcpdump -i eth0 -w - | besra hunt capture:-",
		RunE: func(cmd *cobra.Command, args []string) error {
			return h.run(cmd, stdio, args)
		},
	}
	f := cmd.Flags()
	h.register(f)
	h.registerPlaces(f)
	return grouped(cmd)
}

// register adds the flags of every kind of hunt: with what, how, to where.
func (h *huntFlags) register(f *pflag.FlagSet) {
	h.output.register(f)
	h.output.sink.register(f)
	f.StringArrayVarP(&h.packs, "pack", "p", nil, "folder of detections, a signed archive (.bpk), or a .yar file; may be repeated")
	f.StringArrayVar(&h.trust, "trust-key", nil, "file of a public key that may sign archives, besides those in trusted-keys of the configuration; may be repeated")
	f.StringArrayVar(&h.tags, "tag", nil, "tag of the host, the fact host.tags; may be repeated")
	f.StringVar(&h.hostName, "host", "", "name of the host, the fact host.name (default: its own)")
	f.StringArrayVar(&h.params, "param", nil, "NAME=VALUE or DETECTION/NAME=VALUE: set a parameter of detections; repeat it for a list")
	f.IntVarP(&h.workers, "workers", "j", runtime.GOMAXPROCS(0), "targets scanned at once")
	f.DurationVar(&h.timeout, "timeout", 0, "longest time for one target, such as 30s (default: no limit)")
	f.BoolVar(&h.ignoreInvalid, "ignore-invalid", false, "go on without rules and exclusions that are invalid; the run is then incomplete")
	h.archives.register(f)
	h.limits.register(f)
	h.evidence.register(f)
	h.cache.register(f)
	f.StringVar(&h.ledger, "ledger", "", "append the findings, suppressed or not, to this append-only file, too")
	f.StringVar(&h.facts, "facts", "", "facts recorded with a finding, besides those of whose the bytes are: asked (by its exclusions), all (default: all with --ledger or --sink, else asked)")
	f.BoolVar(&h.noProgress, "no-progress", false, "no progress bar")
	h.profile.register(f)
}

// registerPlaces adds the flags that choose among what lies in a place, and
// those of a hunt that comes to an end.
func (h *huntFlags) registerPlaces(f *pflag.FlagSet) {
	h.stores.register(f)
	f.StringVar(&h.root, "root", "", "hunt a mounted or unpacked foreign root: paths are shown and judged as on that host")
	f.StringArrayVar(&h.include, "include", nil, "only files that fit this glob (** for any depth); may be repeated")
	f.StringArrayVar(&h.exclude, "exclude", nil, "not the paths that fit this glob; they are counted; may be repeated")
	f.StringVar(&h.filesFrom, "files-from", "", "hunt in the files and directories that this file names, one a line or NUL-separated; - is standard input")
	f.BoolVar(&h.dryRun, "dry-run", false, "list what would be read, and count it; scan nothing")
	f.Var(&h.maxSize, "max-size", "skip larger files, such as 64MiB; they are counted (default: no limit)")
	f.BoolVarP(&h.follow, "follow", "L", false, "follow symbolic links")
	f.BoolVarP(&h.oneFileSystem, "one-file-system", "x", false, "stay on the file system of each path")
	f.BoolVar(&h.networkFS, "network-fs", false, "go into network file systems, too")
	f.StringVar(&h.failOn, "fail-on", "", "exit with 1 on a finding of this severity or above: informational, low, medium, high")
	f.BoolVar(&h.strict, "strict", false, "exit with 4 where something was not read")
	f.IntSliceVar(&h.pids, "pid", nil, "process whose memory is scanned, as process:PID; may be repeated")
	f.StringSliceVar(&h.names, "name", nil, "name of processes whose memory is scanned, as process:NAME; may be repeated")
	f.StringVar(&h.regions, "regions", string(process.Private), "regions of processes that are read: private, anonymous, executable, all")
	f.StringSliceVar(&h.skipProcesses, "skip-process", nil, "name of processes that are left alone; may be repeated")
	f.StringVar(&h.baseline, "baseline", "", "the ndjson record of an earlier hunt: show only findings that are not in it, with the same outcome")
	f.StringVar(&h.checkpoint.name, "checkpoint", "", "note what is done in this file, so that the hunt can go on after an interruption; it is removed at the end")
	f.StringVar(&h.checkpoint.resume, "resume", "", "go on with the interrupted hunt whose checkpoint this is")
}

func (h *huntFlags) run(cmd *cobra.Command, stdio stdio, args []string) error {
	args, err := h.checkpoint.begin(stdio, cmd.Flags(), args)
	if err != nil {
		return err
	}
	defer h.checkpoint.close()
	paths := slices.Concat(args, h.processes())
	if h.dryRun {
		return h.survey(cmd.Context(), stdio, paths)
	}
	return h.hunt(cmd.Context(), stdio, paths, func(host *facts.Host, _ *detection.Set) (besra.Source, error) {
		return h.places(host, stdio.in, paths)
	})
}

// opener makes the source of a hunt, once it is known for whom and with what.
type opener func(host *facts.Host, set *detection.Set) (besra.Source, error)

// hunt runs one hunt from its content to the closing line.
func (h *huntFlags) hunt(ctx context.Context, stdio stdio, paths []string, open opener) error {
	if err := errors.Join(h.check(), h.limits.begin()); err != nil {
		return err
	}
	set, gaps, err := h.compile(stdio)
	if err != nil {
		return err
	}
	workers, limits, err := h.limits.fit(h.workers, h.archives.limits(), paths)
	if err != nil {
		return err
	}
	host, err := h.host()
	if err != nil {
		return err
	}
	source, err := open(host, set)
	if err != nil {
		return err
	}
	bar := newProgress(stdio, h.noProgress)
	stdio.out = bar.above(stdio.out)
	defer bar.done()
	run := h.describe(ctx, host, set, paths)
	rec, err := h.openRecord(ctx, stdio, set, &run)
	defer rec.close()
	if err != nil {
		return err
	}
	hunt := &scan.Hunt{Set: set, Source: source, Sink: rec.all, Run: run, Gaps: gaps,
		Journal: h.checkpoint.journal, Earlier: h.output.earlier.of(rec.all), Expanders: h.archives.expanders(), Limits: limits,
		Workers: workers, Pace: h.limits.pacer, Timeout: h.timeout, Progress: bar.update, Profile: h.profile.collect(), AllFacts: h.allFacts(),
		Cache: h.cache.asked(), CacheStat: h.cache.stat, Collect: h.evidence.collect(run)}
	sum, err := hunt.Execute(ctx)
	bar.done()
	err = errors.Join(err, rec.close())
	kept, checkErr := h.checkpoint.end(err != nil || sum.Interrupted)
	err = errors.Join(err, checkErr)
	h.profile.print(stdio.err)
	rec.tell()
	printExpiry(stdio.err, set, time.Now())
	for _, line := range []string{report.Identical(sum), report.Notice(sum), kept, report.ClosingLine(sum)} {
		if line != "" {
			fmt.Fprintln(stdio.err, line)
		}
	}
	return h.exit(sum, rec.worst, err)
}

func (h *huntFlags) host() (*facts.Host, error) {
	host, err := facts.NewHost(facts.Config{Root: h.root, Name: h.hostName, Tags: h.tags})
	if err != nil {
		return nil, &hintError{err, "--root takes the directory in which the other host's / lies"}
	}
	return host, nil
}

// ownFiles are those that the hunt itself writes, which it must not read: what
// it found stands in them.
func (h *huntFlags) ownFiles() []string {
	own := h.output.files()
	if h.ledger != "" {
		own = append(own, h.ledger, ledger.HeadFile(h.ledger))
	}
	for _, name := range []string{h.checkpoint.name, h.evidence.dir, h.cache.file} {
		if name != "" {
			own = append(own, name)
		}
	}
	return own
}

// processes are the places that --pid and --name stand for.
func (h *huntFlags) processes() []string {
	var places []string
	for _, pid := range h.pids {
		places = append(places, "process:"+strconv.Itoa(pid))
	}
	for _, name := range h.names {
		places = append(places, "process:"+name)
	}
	return places
}

func (h *huntFlags) check() error {
	if h.failOn != "" && besra.Severity(h.failOn).Rank() < 0 {
		return fmt.Errorf("--fail-on %q: want informational, low, medium or high", h.failOn)
	}
	if h.facts != "" && h.facts != "asked" && h.facts != "all" {
		return fmt.Errorf("--facts %q: want asked or all", h.facts)
	}
	if h.workers < 1 {
		return fmt.Errorf("--workers %d: want at least 1", h.workers)
	}
	return nil
}

// allFacts reports whether findings hold all facts: on a ledger and in Sentinel
// they do, unless told otherwise, so that a new exclusion can be tried on them.
func (h *huntFlags) allFacts() bool {
	return h.facts == "all" || h.facts == "" && (h.ledger != "" || h.output.sink.any())
}

// compile loads and compiles the packs. Invalid content ends the run before
// anything is read, unless the user said to go on without it.
func (h *huntFlags) compile(stdio stdio) (*detection.Set, []besra.Gap, error) {
	packs, err := loadPacks(h.packs, h.trust...)
	if err != nil && (!h.ignoreInvalid || len(packs) == 0) {
		return nil, nil, &exitError{exitContent, err}
	}
	if err := detection.SetParameters(packs, h.params); err != nil {
		return nil, nil, &hintError{err, "--param development_dirs=/srv/dev sets one of the parameters under which a detection lists what it leaves to the site"}
	}
	gaps := contentGaps(err)
	set, faults := detection.Compile(packs...)
	for _, f := range faults {
		f.Render(stdio.err, colorful(stdio.err))
		gaps = append(gaps, f.Gap())
	}
	if set == nil || len(faults) > 0 && !h.ignoreInvalid {
		return nil, nil, &exitError{exitContent, &hintError{fmt.Errorf("%d parts of the packs are invalid", len(faults)),
			"mend them, or go on without them with --ignore-invalid"}}
	}
	return set, gaps, nil
}

// describe fills the record's first line. The host of a foreign root is named
// as that root names itself, and by the root's directory where it does not.
func (h *huntFlags) describe(ctx context.Context, host *facts.Host, set *detection.Set, paths []string) besra.Run {
	var id [8]byte
	rand.Read(id[:]) // never fails
	r := besra.Run{ID: hex.EncodeToString(id[:]), Version: currentVersion().Version, Started: time.Now().UTC(),
		OS: runtime.GOOS, Packs: set.Packs, Rules: set.Rules.Stats().Rules}
	if name, ok := host.Fact(ctx, "host.name").Text(); ok {
		r.Host = name
	} else if h.root != "" {
		r.Host, _ = filepath.Abs(h.root)
	}
	for _, p := range paths {
		r.Targets = append(r.Targets, besra.Text(p))
	}
	for _, p := range h.params {
		r.Parameters = append(r.Parameters, besra.Text(p))
	}
	return r
}

func (h *huntFlags) exit(sum besra.Summary, worst *worstFinding, err error) error {
	switch {
	case err != nil:
		return &exitError{exitUsage, err}
	case sum.Interrupted:
		return &exitError{exitInterrupted, nil}
	case h.failOn != "" && worst.rank > besra.Severity(h.failOn).Rank():
		return &exitError{exitFindings, nil}
	case h.strict && !sum.Complete:
		return &exitError{exitIncomplete, nil}
	}
	return nil
}

// loadPacks reads the packs that were named, or the embedded one. The error
// joins the faults of single files; the packs hold what could be read. trust
// names the files of public keys that may sign archives, besides those of the
// configuration.
func loadPacks(names []string, trust ...string) ([]*detection.Pack, error) {
	if len(names) == 0 {
		p, errs := builtin.Pack()
		return []*detection.Pack{p}, errors.Join(errs...)
	}
	var packs []*detection.Pack
	var errs []error
	for _, name := range names {
		p, faults, err := openPack(name, trust)
		if err != nil {
			return nil, err
		}
		packs, errs = append(packs, p), append(errs, faults...)
	}
	return packs, errors.Join(errs...)
}

// openPack reads a folder, a signed archive, or a single rule or detection file.
func openPack(name string, trust []string) (*detection.Pack, []error, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, &hintError{err, "--pack takes a folder of detections, or a .yar file"}
	}
	base := filepath.Base(filepath.Clean(name))
	if isArchive(name) && !info.IsDir() {
		return openArchive(name, trust)
	}
	if info.IsDir() {
		p, errs := detection.LoadPack(base, os.DirFS(name))
		return p, errs, nil
	}
	p, errs := detection.LoadFile(base, os.DirFS(filepath.Dir(name)), filepath.Base(name))
	return p, errs, nil
}

// contentGaps turns the joined faults of single files into gaps.
func contentGaps(err error) []besra.Gap {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var gaps []besra.Gap
	for _, e := range joined.Unwrap() {
		var fault *detection.Error
		if !errors.As(e, &fault) {
			gaps = append(gaps, contentGaps(e)...)
			continue
		}
		gaps = append(gaps, besra.Gap{Kind: besra.GapContent, Target: besra.Text(fault.Path),
			Reason: "invalid_detection", Detail: fault.Err.Error(), Count: 1})
	}
	return gaps
}
