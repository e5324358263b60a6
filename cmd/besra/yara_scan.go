package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/besra-hunt/besra/yara"
)

// yaraScan is one run of `besra yara`.
type yaraScan struct {
	flags      *yaraFlags
	rules      *yara.Rules
	moduleData map[string][]byte
	stdio      stdio
	deadline   time.Time

	// total counts the matching rules of all targets for --max-rules, which
	// has one worker only.
	total atomic.Int64
	// matches are those of all targets, for the json format.
	matches []jsonMatch
	counts  []jsonCount
}

// errYARATimeout ends a run whose time is over.
var errYARATimeout = errors.New("scanning timed out")

func (s *yaraScan) run(ctx context.Context, target string) error {
	runCtx, cancel := context.WithDeadlineCause(ctx, s.deadline, errYARATimeout)
	defer cancel()
	err := s.target(runCtx, target)
	if ctx.Err() != nil {
		return &exitError{exitInterrupted, nil}
	}
	if err == nil && s.flags.format == "json" {
		err = s.writeJSON()
	}
	return err
}

func (s *yaraScan) target(ctx context.Context, target string) error {
	w := &yaraWalk{recursive: s.flags.recursive, follow: !s.flags.noFollow, skipLarger: s.flags.skipLarger}
	switch {
	case s.flags.scanList && isDir(target):
		return errors.New("a directory cannot be a list of files: leave out --scan-list")
	case s.flags.scanList:
		list, err := readRules(s.stdio, target)
		if err != nil {
			return notOpened("error: could not open file \"%s\".", target, err)
		}
		return s.many(ctx, w, func(ctx context.Context) error { return w.list(ctx, list) })
	case isDir(target):
		return s.many(ctx, w, func(ctx context.Context) error { return w.dir(ctx, target) })
	case isMissing(target) && isNumber(target):
		return s.process(ctx, target)
	}
	return s.single(ctx, target)
}

// single scans one file.
func (s *yaraScan) single(ctx context.Context, path string) error {
	job := &yaraJob{path: path, single: true}
	return s.one(job, func(w *yaraWorker) { w.scan(ctx, job) })
}

// one scans a single target. Other than in a directory an error is that of the run.
func (s *yaraScan) one(job *yaraJob, scan func(w *yaraWorker)) error {
	w, err := s.newWorker()
	if err != nil {
		return err
	}
	scan(w)
	s.flags.profile.add(w.scanner.Profile())
	if err := s.print(job); err != nil {
		return err
	}
	if job.failed {
		return &exitError{exitYARA, nil}
	}
	return nil
}

// many scans what a walk visits. Workers share the targets, and what there is
// to print is printed in the order of the walk, so that more threads give the
// same lines.
func (s *yaraScan) many(ctx context.Context, walk *yaraWalk, visit func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := newYARAQueue(ctx, cancel, s.print)
	var workers sync.WaitGroup
	threads := s.flags.threads
	if s.flags.maxRules > 0 {
		threads = 1 // the limit counts in order
	}
	var list []*yaraWorker
	for range threads {
		w, err := s.newWorker()
		if err != nil {
			queue.close()
			return err
		}
		list = append(list, w)
		workers.Go(func() { w.work(ctx, queue) })
	}
	s.hand(ctx, walk, queue)
	err := visit(ctx)
	queue.close()
	workers.Wait()
	for _, w := range list {
		s.flags.profile.add(w.scanner.Profile())
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if errors.Is(err, errYARATimeout) && !s.flags.scanList {
		fmt.Fprintln(s.stdio.err, "error: "+errYARATimeout.Error())
		return nil // yara's exit code, too
	}
	return err
}

// hand makes a walk put what it meets into the queue.
func (s *yaraScan) hand(ctx context.Context, walk *yaraWalk, queue *yaraQueue) {
	walk.visit = func(path string) error { return queue.put(ctx, path, nil) }
	walk.skip = func(path string, size int64) error {
		return queue.put(ctx, path, func(j *yaraJob) { j.size, j.skipped = size, true })
	}
	walk.fail = func(path string, err error) error {
		return queue.put(ctx, path, func(j *yaraJob) { j.skipped = true; j.fail(err) })
	}
}

// print writes what there is to print about a target.
func (s *yaraScan) print(job *yaraJob) error {
	if job.size > 0 && !s.flags.noWarnings {
		fmt.Fprintf(&job.err, "skipping %s (%d bytes) because it's larger than %d bytes.\n", job.path, job.size, s.flags.skipLarger)
	}
	s.matches = append(s.matches, job.matches...)
	if s.flags.format == "json" && s.flags.count && !job.skipped && !job.failed {
		s.counts = append(s.counts, jsonCount{jsonText(job.path), len(job.matches)})
	}
	return errors.Join(writeSome(s.stdio.out, &job.out), writeSome(s.stdio.err, &job.err))
}

// writeSome writes what there is: writing nothing would still be a call of the
// system.
func writeSome(w io.Writer, b *bytes.Buffer) error {
	if b.Len() == 0 {
		return nil
	}
	_, err := w.Write(b.Bytes())
	return err
}

// fail notes why a target was not scanned, or not to its end.
func (j *yaraJob) fail(err error) {
	j.failed = true
	var path *fs.PathError
	switch {
	case errors.Is(err, errYARATimeout), errors.Is(err, yara.ErrTimeout):
		err = errYARATimeout
	case errors.As(err, &path) && path.Op == "open":
		err = errors.New("could not open file") // yara does not say why
	}
	fmt.Fprintf(&j.err, "error scanning %s: %s\n", j.path, err)
}

// yaraWorker scans targets, one after the other.
type yaraWorker struct {
	run     *yaraScan
	scanner *yara.Scanner
	content yaraContent
	job     *yaraJob // the one under way
}

func (s *yaraScan) newWorker() (*yaraWorker, error) {
	w := &yaraWorker{run: s, content: yaraContent{stdin: s.stdio.in}}
	opts := []yara.ScannerOption{yara.Console(func(line string) { w.log(line) })}
	if s.flags.wantsMatches() {
		opts = append(opts, yara.AllMatches())
	}
	if s.flags.profile.on {
		opts = append(opts, yara.Profiling())
	}
	w.scanner = s.rules.NewScanner(opts...)
	for name, data := range s.moduleData {
		w.scanner.SetModuleData(name, data)
	}
	return w, s.flags.setExternals(w.scanner)
}

// log takes what rules write with the console module. It must not get between
// the objects of JSON.
func (w *yaraWorker) log(line string) {
	switch {
	case w.run.flags.noConsole:
	case w.run.flags.format == "text":
		fmt.Fprintln(&w.job.out, line)
	default:
		fmt.Fprintf(&w.job.err, "%s: %s\n", w.job.path, line)
	}
}

func (w *yaraWorker) work(ctx context.Context, queue *yaraQueue) {
	for job := queue.take(); job != nil; job = queue.take() {
		if ctx.Err() == nil {
			w.scan(ctx, job)
		}
		queue.finish(job)
	}
}

// scan scans one target, and prints what it found also where a module failed:
// the rules that need it are missing then.
func (w *yaraWorker) scan(ctx context.Context, job *yaraJob) {
	w.job = job
	matching := 0
	err := w.content.lend(job.path, func(data []byte) error {
		w.printModules(ctx, job, data)
		results, err := w.scanner.Scan(ctx, data)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		matching = w.print(job, results, ofFile(data))
		return err
	})
	if err != nil {
		job.fail(err)
	}
	w.run.flags.printCount(job, matching)
}
