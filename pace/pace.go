// Package pace holds a run back: to a share of the processors, to a number of
// disk operations a second, and to the lowest priority.
//
//	p, err := pace.New(pace.Config{CPU: 0.25, IOPS: 200})
//	err = p.IO(ctx, 1) // before each operation
//	err = p.CPU(ctx)   // now and then while computing
//
// Who asks waits until it is his turn. A nil [Pacer] holds nobody back.
package pace

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// Config says how fast a run may be. Zero values mean no limit.
type Config struct {
	// CPU is the share of all processors that the process may use, above 0 up
	// to 1, as an average over about a second.
	CPU float64
	// IOPS is how many operations a second there may be.
	IOPS float64
	// Clock stands in for time in tests; nil means the system's.
	Clock Clock
}

// Clock tells and spends time.
type Clock interface {
	Now() time.Time
	// Sleep waits, or returns ctx's error early.
	Sleep(ctx context.Context, d time.Duration) error
	// CPU is the processor time that the process has used since it began.
	CPU() (time.Duration, error)
}

// Pacer holds a run back. It is safe for concurrent use.
type Pacer struct {
	clock Clock
	rate  float64       // processors that may be busy; 0 is no limit
	every time.Duration // between two operations; 0 is no limit

	mu   sync.Mutex
	next time.Time     // when the next operation may begin
	from time.Time     // from here on processor time counts
	used time.Duration // until then
}

// New returns the pacer of a run that begins now, or nil where c has no limit.
func New(c Config) (*Pacer, error) {
	if c.CPU < 0 || c.CPU > 1 || c.IOPS < 0 {
		return nil, fmt.Errorf("a share of %g processors, %g operations a second: out of range", c.CPU, c.IOPS)
	}
	if c.CPU == 0 && c.IOPS == 0 {
		return nil, nil
	}
	p := &Pacer{clock: c.Clock, rate: c.CPU * float64(runtime.GOMAXPROCS(0))}
	if p.clock == nil {
		p.clock = system{}
	}
	if c.IOPS > 0 {
		p.every = time.Duration(float64(time.Second) / c.IOPS)
	}
	var err error
	p.from = p.clock.Now()
	if p.rate > 0 {
		p.used, err = p.clock.CPU()
	}
	return p, err
}

// IO waits until n operations may begin. Over any time there are no more than
// Config.IOPS a second, and n at its start.
func (p *Pacer) IO(ctx context.Context, n int64) error {
	if p == nil || p.every == 0 || n <= 0 {
		return nil
	}
	p.mu.Lock()
	now := p.clock.Now()
	if p.next.Before(now) {
		p.next = now
	}
	wait := p.next.Sub(now)
	p.next = p.next.Add(time.Duration(n) * p.every)
	p.mu.Unlock()
	if wait <= 0 {
		return nil
	}
	return p.clock.Sleep(ctx, wait)
}

const (
	// credit is how long a run may have been idle and make up for it.
	credit = 200 * time.Millisecond
	// least is the shortest pause that is worth making.
	least = 2 * time.Millisecond
)

// CPU waits while the process has used more than its share. Whoever computes
// asks every few milliseconds; what all others do in the process counts, too.
func (p *Pacer) CPU(ctx context.Context) error {
	if p == nil || p.rate == 0 {
		return nil
	}
	p.mu.Lock()
	wait, err := p.debt()
	p.mu.Unlock()
	if err != nil || wait < least {
		return err
	}
	return p.clock.Sleep(ctx, wait)
}

// debt is how long the process has to be idle.
func (p *Pacer) debt() (time.Duration, error) {
	used, err := p.clock.CPU()
	if err != nil {
		return 0, err
	}
	// The time that what was used should have taken.
	due := p.from.Add(time.Duration(float64(used-p.used) / p.rate))
	now := p.clock.Now()
	if late := now.Sub(due); late > credit {
		p.from = p.from.Add(late - credit)
	}
	return due.Sub(now), nil
}

// system is the clock of this system.
type system struct{}

func (system) Now() time.Time { return time.Now() }

func (system) CPU() (time.Duration, error) { return cpuTime() }

func (system) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ErrUnsupported says that the system does not tell or take what is needed.
var ErrUnsupported = errors.New("not supported on this system")
