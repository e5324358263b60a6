package main

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
)

// TestYARAQueueOrder has more targets than the ring holds, some of which are
// not to be scanned, and workers that finish them in any order.
func TestYARAQueueOrder(t *testing.T) {
	const targets = 3*window + 17
	printed := 0
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	q := newYARAQueue(ctx, cancel, func(j *yaraJob) error {
		if want := strconv.Itoa(printed); j.path != want || j.out.String() != "about "+want {
			t.Errorf("target %s: printed %q, %q", want, j.path, j.out.String())
		}
		printed++
		return nil
	})
	say := func(j *yaraJob) { j.out.WriteString("about " + j.path) }
	var workers sync.WaitGroup
	for range 3 {
		workers.Go(func() {
			for j := q.take(); j != nil; j = q.take() {
				say(j)
				q.finish(j)
			}
		})
	}
	for i := range targets {
		fill := say
		if i%5 != 0 {
			fill = nil
		}
		if err := q.put(ctx, strconv.Itoa(i), fill); err != nil {
			t.Fatal(err)
		}
	}
	q.close()
	workers.Wait()
	if printed != targets {
		t.Errorf("printed %d of %d targets", printed, targets)
	}
}

// TestYARAQueueEnd fills the ring with no worker there: who puts must not wait
// for ever once the run is over.
func TestYARAQueueEnd(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	q := newYARAQueue(ctx, cancel, nil)
	for i := range window {
		if err := q.put(ctx, strconv.Itoa(i), nil); err != nil {
			t.Fatal(err)
		}
	}
	over := errors.New("over")
	go cancel(over)
	if err := q.put(ctx, "one more", nil); !errors.Is(err, over) {
		t.Errorf("got %v, want %v", err, over)
	}
}

// TestYARAQueueFailure has output that cannot be written end the run.
func TestYARAQueueFailure(t *testing.T) {
	full := errors.New("disk full")
	ctx, cancel := context.WithCancelCause(context.Background())
	q := newYARAQueue(ctx, cancel, func(*yaraJob) error { return full })
	if err := q.put(ctx, "a", func(*yaraJob) {}); err != nil {
		t.Fatal(err)
	}
	if err := q.put(ctx, "b", nil); !errors.Is(err, full) {
		t.Errorf("got %v, want %v", err, full)
	}
}
