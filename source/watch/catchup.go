package watch

import (
	"context"
	"sync"

	"github.com/besra-hunt/besra"
)

// catchUp yields what changed before the watching began, where that is asked
// for. Where it is stopped before it is through, that is told.
func (s *Source) catchUp(ctx context.Context, to besra.Receiver) error {
	if s.config.Snapshot == nil && s.config.Since.IsZero() && !s.config.Once {
		return nil
	}
	part, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.config.Stop, cancel)()
	var err error
	if until := (stoppable{to, s.config.Stop}); s.config.Snapshot != nil {
		err = s.compare(part, until)
	} else {
		err = s.walk(part, s.config.Dirs, &changed{Receiver: until, since: s.config.Since})
	}
	if err == nil || ctx.Err() != nil || s.config.Stop.Err() == nil {
		return err
	}
	to.Gap(besra.Gap{Kind: besra.GapError, Target: besra.Text(s.config.Dirs[0]), Reason: ReasonInterrupted, Count: 1,
		Detail: "stopped before it had caught up with what changed earlier"})
	return nil
}

// stoppable takes nothing more once stop has ended.
type stoppable struct {
	besra.Receiver
	stop context.Context
}

// Target implements [besra.Receiver].
func (s stoppable) Target(t besra.Target) error {
	if err := s.stop.Err(); err != nil {
		return err
	}
	return s.Receiver.Target(t)
}

// compare yields what is not in the snapshot, and saves what is there now. What
// could not be read to its end is left out of it, and tried again the next time.
func (s *Source) compare(ctx context.Context, to besra.Receiver) error {
	old, err := s.config.Snapshot.load()
	if err != nil {
		return err
	}
	c := &comparison{Receiver: to, old: old}
	if err := s.walk(ctx, s.config.Dirs, c); err != nil {
		return err
	}
	if err := c.answered(ctx); err != nil {
		return err
	}
	return s.config.Snapshot.save(c.now)
}

// comparison passes on files that the old snapshot does not know.
type comparison struct {
	besra.Receiver
	old states

	mu      sync.Mutex
	now     []state
	waiting sync.WaitGroup
}

// Target implements [besra.Receiver].
func (c *comparison) Target(t besra.Target) error {
	st := stateOf(t)
	if c.old.has(st) {
		c.note(st)
		return nil
	}
	c.waiting.Add(1)
	done := t.Done
	t.Done = func(a besra.Answer) {
		defer c.waiting.Done()
		if a.Missed == 0 {
			c.note(st)
		}
		if done != nil {
			done(a)
		}
	}
	err := c.Receiver.Target(t)
	if err != nil {
		c.waiting.Done() // it was not taken, and nobody answers
	}
	return err
}

func (c *comparison) note(s state) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = append(c.now, s)
}

// answered waits until every file was scanned.
func (c *comparison) answered(ctx context.Context) error {
	all := make(chan struct{})
	go func() { c.waiting.Wait(); close(all) }()
	select {
	case <-all:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
