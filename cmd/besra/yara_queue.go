package main

import (
	"bytes"
	"context"
	"sync"
)

// yaraJob is one target of a run, and what is to be printed about it.
type yaraJob struct {
	path     string
	size     int64 // of a file that is skipped
	skipped  bool
	single   bool // the only target
	out, err bytes.Buffer
	matches  []jsonMatch
	failed   bool
	done     bool
}

// keptOutput is how much room for output a job keeps for its next target.
const keptOutput = 1 << 10

// reset makes the job ready for another target.
func (j *yaraJob) reset(path string) {
	*j = yaraJob{path: path, out: emptied(j.out), err: emptied(j.err)}
}

func emptied(b bytes.Buffer) bytes.Buffer {
	if b.Cap() > keptOutput {
		return bytes.Buffer{}
	}
	b.Reset()
	return b
}

// yaraQueue hands targets to workers, and prints them in the order in which
// they came in. Its jobs are a ring that is used again and again, and neither
// side is woken for a single target: with small files that would take more
// time than to scan them.
type yaraQueue struct {
	print func(*yaraJob) error
	stop  context.CancelCauseFunc

	mu         sync.Mutex
	work, room sync.Cond // for workers; for who puts
	// jobs holds targets head..tail-1, of which those before next are taken.
	jobs             []yaraJob
	head, next, tail int
	waiting          int // workers
	full             bool
	closed, printing bool
}

// window is how many targets may be under way or wait for one before them to
// be printed.
const window = 4096

// newYARAQueue makes a queue that lets go of everybody who waits when ctx ends.
// An error of print ends it through stop.
func newYARAQueue(ctx context.Context, stop context.CancelCauseFunc, print func(*yaraJob) error) *yaraQueue {
	q := &yaraQueue{print: print, stop: stop, jobs: make([]yaraJob, window)}
	q.work.L, q.room.L = &q.mu, &q.mu
	context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.room.Broadcast()
	})
	return q
}

func (q *yaraQueue) at(i int) *yaraJob { return &q.jobs[i%len(q.jobs)] }

// put adds a target. fill, where not nil, says what there is to print of a
// target that is not to be scanned.
func (q *yaraQueue) put(ctx context.Context, path string, fill func(*yaraJob)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.full = q.tail-q.head == len(q.jobs)
	for q.full && ctx.Err() == nil {
		q.room.Wait()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	job := q.at(q.tail)
	job.reset(path)
	q.tail++
	if fill != nil {
		fill(job)
		job.done = true
		q.flush()
	} else if q.waiting > 0 {
		q.work.Signal()
	}
	return nil
}

// take waits for the next target; nil where there are no more.
func (q *yaraQueue) take() *yaraJob {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for q.next < q.tail {
			q.next++
			if job := q.at(q.next - 1); !job.done {
				return job
			}
		}
		if q.closed {
			return nil
		}
		q.waiting++
		q.work.Wait()
		q.waiting--
	}
}

// finish says that a target is scanned.
func (q *yaraQueue) finish(job *yaraJob) {
	q.mu.Lock()
	defer q.mu.Unlock()
	job.done = true
	q.flush()
}

// flush prints the targets at the head that are done, unless another goroutine
// is at it already.
func (q *yaraQueue) flush() {
	if q.printing {
		return
	}
	q.printing = true
	for q.head < q.tail && q.at(q.head).done {
		job := q.at(q.head)
		q.mu.Unlock()
		err := q.print(job)
		q.mu.Lock()
		if err != nil {
			q.stop(err)
		}
		q.head++
		q.next = max(q.next, q.head)
	}
	q.printing = false
	if q.full && q.tail-q.head <= len(q.jobs)/2 {
		q.full = false
		q.room.Signal()
	}
}

// close says that no more targets come.
func (q *yaraQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.work.Broadcast()
}
