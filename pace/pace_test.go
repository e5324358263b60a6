package pace

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"
)

// fake is a clock that only moves by sleeping and working.
type fake struct {
	mu    sync.Mutex
	now   time.Time
	used  time.Duration
	slept time.Duration
	err   error
}

func (f *fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fake) CPU() (time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.used, f.err
}

func (f *fake) Sleep(ctx context.Context, d time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now, f.slept = f.now.Add(d), f.slept+d
	return ctx.Err()
}

// work lets one processor be busy for a while.
func (f *fake) work(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now, f.used = f.now.Add(d), f.used+d
}

func newPacer(t *testing.T, c Config) *Pacer {
	t.Helper()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestIOPS counts operations in every window of a second.
func TestIOPS(t *testing.T) {
	f := &fake{now: time.Unix(0, 0)}
	p := newPacer(t, Config{IOPS: 100, Clock: f})
	var at []time.Time
	for i := range 1000 {
		if err := p.IO(context.Background(), 1); err != nil {
			t.Fatal(err)
		}
		at = append(at, f.Now())
		if i == 500 {
			f.work(10 * time.Second) // being idle earns nothing
		}
	}
	for i := range at {
		if j := i + 101; j < len(at) && at[j].Sub(at[i]) < time.Second {
			t.Fatalf("operations %d to %d in %v: more than 100 a second", i, j, at[j].Sub(at[i]))
		}
	}
	if took := f.Now().Sub(time.Unix(0, 0)); took > 21*time.Second {
		t.Errorf("1000 operations took %v, want about 20s", took)
	}
	// A large one is paid for by those behind it.
	before := f.Now()
	p.IO(context.Background(), 50)
	p.IO(context.Background(), 1)
	if waited := f.Now().Sub(before); waited < 500*time.Millisecond {
		t.Errorf("after 50 operations the next waited %v, want at least 500ms", waited)
	}
}

// TestCPU works as hard as it is let, by itself and with long breaks.
func TestCPU(t *testing.T) {
	cores := float64(runtime.GOMAXPROCS(0))
	for _, share := range []float64{0.05, 0.25, 0.5, 1} {
		f := &fake{now: time.Unix(0, 0)}
		p := newPacer(t, Config{CPU: share / cores, Clock: f})
		for range 2000 {
			f.work(time.Millisecond)
			if err := p.CPU(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		got := f.used.Seconds() / f.now.Sub(time.Unix(0, 0)).Seconds()
		if got > share*1.02 || got < share*0.95 {
			t.Errorf("share %g of a processor: used %g", share, got)
		}
		// Being idle earns no more than the credit.
		f.Sleep(context.Background(), time.Hour)
		f.slept = 0
		start, used := f.now, f.used
		for range 1000 {
			f.work(time.Millisecond)
			p.CPU(context.Background())
		}
		if over := (f.used - used) - time.Duration(share*float64(f.now.Sub(start)+credit)); over > 2*least {
			t.Errorf("share %g: after a break %v more than its share", share, over)
		}
	}
}

func TestNoLimit(t *testing.T) {
	p := newPacer(t, Config{})
	if p != nil || p.IO(context.Background(), 1) != nil || p.CPU(context.Background()) != nil {
		t.Error("without a limit somebody is held back")
	}
	for _, c := range []Config{{CPU: -1}, {CPU: 1.5}, {IOPS: -1}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is no error", c)
		}
	}
	if _, err := New(Config{CPU: 0.5, Clock: &fake{err: ErrUnsupported}}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}

// TestInterrupted holds that a pause ends with the run.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p := newPacer(t, Config{IOPS: 0.001})
	p.IO(ctx, 1)
	if err := p.IO(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSystemClock(t *testing.T) {
	before, err := cpuTime()
	if errors.Is(err, ErrUnsupported) {
		t.Skip(err)
	}
	for after := before; after <= before; {
		if after, err = cpuTime(); err != nil {
			t.Fatal(err)
		}
	}
}
