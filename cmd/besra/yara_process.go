package main

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
	"github.com/besra-hunt/besra/scan"
	"github.com/besra-hunt/besra/source/process"
)

// isNumber reports whether a target can be the number of a process.
func isNumber(target string) bool { return target != "" && strings.Trim(target, "0123456789") == "" }

// process scans everything that can be read of a process, as yara does.
func (s *yaraScan) process(ctx context.Context, target string) error {
	pid, err := strconv.Atoi(target)
	if err != nil {
		return err
	}
	host, err := facts.NewHost(facts.Config{})
	if err != nil {
		return err
	}
	source, err := process.New(process.Config{Host: host, PIDs: []int{pid}, Kinds: process.All})
	if err != nil {
		return err
	}
	job := &yaraJob{path: target, single: true}
	return s.one(job, func(w *yaraWorker) {
		if err := source.Run(ctx, &memoryReceiver{ctx, w, job}); err != nil {
			job.fail(err)
		}
	})
}

// memoryReceiver scans the process that a source hands over.
type memoryReceiver struct {
	ctx context.Context
	w   *yaraWorker
	job *yaraJob
}

// Gap implements [besra.Receiver]: as one process was asked for, one that has
// no memory is an error as well.
func (r *memoryReceiver) Gap(g besra.Gap) { r.job.fail(gapError(cmp.Or(g.Detail, g.Reason))) }

// gapError is the detail of a gap as an error.
type gapError string

func (e gapError) Error() string { return string(e) }

// Target implements [besra.Receiver].
func (r *memoryReceiver) Target(t besra.Target) error {
	content, err := t.Open(r.ctx)
	if err != nil {
		r.job.fail(err)
		return nil
	}
	defer content.Close()
	r.w.job = r.job
	m := content.(besra.Memory)
	results, err := r.w.scanner.ScanMemory(r.ctx, scan.Memory(m))
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	matching := r.w.print(r.job, results, func(address, length int64) []byte {
		buf := make([]byte, length)
		n, _ := m.ReadAt(buf, address)
		return buf[:n]
	})
	r.w.run.flags.printCount(r.job, matching)
	return err
}
