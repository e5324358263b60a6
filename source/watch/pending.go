package watch

import (
	"context"
	"sync"
	"time"
)

// maxPending is how many changed files may wait; beyond it notices are dropped
// as the system would, and everything is looked at again.
const maxPending = 200_000

// pending holds what changed until it has been quiet for a while. It is safe for
// concurrent use.
type pending struct {
	quiet time.Duration

	mu      sync.Mutex
	waiting map[string]*waiting
	lost    int64
	wake    chan struct{} // holds something when there is news
}

// waiting is one file that changed.
type waiting struct {
	by          *writer
	first, last time.Time // notices of it
}

func newPending(quiet time.Duration) *pending {
	return &pending{quiet: quiet, waiting: map[string]*waiting{}, wake: make(chan struct{}, 1)}
}

// note takes one notice.
func (p *pending) note(c change) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	w := p.waiting[c.path]
	switch {
	case c.lost:
		p.lost++
	case w != nil:
		w.last = now
		if c.by != nil {
			w.by = c.by
		}
	case len(p.waiting) >= maxPending:
		p.lost++
		clear(p.waiting) // all of it is among what is looked at again
	default:
		p.waiting[c.path] = &waiting{by: c.by, first: now, last: now}
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// due is what is to be read now.
type due struct {
	changes map[string]*writer
	lost    int64
	last    bool // nothing more will come
}

// wait returns what has been quiet for long enough, at least one thing, or all
// that is there where stop or the noticing has ended. It returns at once where
// ctx has.
func (p *pending) wait(ctx, stop context.Context, ended <-chan struct{}) due {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		d, next := p.take(time.Now(), false)
		if len(d.changes) > 0 || d.lost > 0 {
			return d
		}
		timer.Reset(next)
		select {
		case <-ctx.Done():
			return due{}
		case <-stop.Done():
			return p.all()
		case <-ended:
			return p.all()
		case <-p.wake:
		case <-timer.C:
		}
	}
}

// all takes everything, for the last time.
func (p *pending) all() due {
	d, _ := p.take(time.Now(), true)
	d.last = true
	return d
}

// take removes what is due, and says when to look again.
func (p *pending) take(now time.Time, all bool) (due, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := due{changes: map[string]*writer{}, lost: p.lost}
	p.lost = 0
	next := time.Hour
	for path, w := range p.waiting {
		left := min(p.quiet-now.Sub(w.last), 10*p.quiet-now.Sub(w.first))
		if all || left <= 0 {
			d.changes[path] = w.by
			delete(p.waiting, path)
			continue
		}
		next = min(next, left)
	}
	return d, next
}
