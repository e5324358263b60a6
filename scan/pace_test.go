package scan

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/pace"
)

// ticking is a clock on which every look at the processor time costs some, and
// only sleeping takes time besides.
type ticking struct {
	mu        sync.Mutex
	now       time.Time
	used, per time.Duration
}

func (c *ticking) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *ticking) CPU() (time.Duration, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used, c.now = c.used+c.per, c.now.Add(c.per)
	return c.used, nil
}

func (c *ticking) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// mappedContent counts as mapped: its pages can be given back.
type mappedContent struct{ memory }

func (mappedContent) Release(int64) {}

// TestPace counts what a hunt asks the pacer for: an operation for each target
// that is opened, and for every 128 KiB of one that is mapped.
func TestPace(t *testing.T) {
	clock := &ticking{now: time.Unix(0, 0)}
	p, err := pace.New(pace.Config{IOPS: 10, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 8<<20)
	targets := []besra.Target{target("a", "", "x"), target("b", "", "y"), target("c", "", "z"),
		{Name: "big", Context: besra.ContextFile, Size: int64(len(big)), Facts: besra.NoFacts{},
			Open: func(context.Context) (besra.Content, error) { return mappedContent{big}, nil }},
		target("last", "", "x")}
	h := &Hunt{Set: testSet(t), Sink: &keep{}, Source: list{targets: targets}, Pace: p}
	if _, err := h.Execute(context.Background()); err != nil {
		t.Fatal(err)
	}
	// 3 small ones, 1 + 8 for the first MiB of the big one, 8 for each other MiB
	// as it is searched; the last waits until all that is paid for.
	want := time.Duration(3+9+7*8) * time.Second / 10
	if got := clock.now.Sub(time.Unix(0, 0)); got < want-time.Second || got > want+time.Second {
		t.Errorf("5 targets took %v at 10 operations a second, want about %v", got, want)
	}
	// A tenth of the processors: what was used takes that much longer.
	clock = &ticking{now: time.Unix(0, 0), per: 50 * time.Millisecond}
	if p, err = pace.New(pace.Config{CPU: 0.1, Clock: clock}); err != nil {
		t.Fatal(err)
	}
	h = &Hunt{Set: h.Set, Sink: &keep{}, Source: list{targets: targets}, Pace: p}
	if _, err := h.Execute(context.Background()); err != nil {
		t.Fatal(err)
	}
	took, rate := clock.now.Sub(time.Unix(0, 0)), 0.1*float64(runtime.GOMAXPROCS(0))
	if least := time.Duration(float64(clock.used)/rate) - 2*time.Second; clock.used < 600*time.Millisecond || took < least {
		t.Errorf("used %v in %v, want at least 600ms in %v", clock.used, took, least)
	}
}

// nest is an expander that finds one target inside each, unpacked, and notes
// what may be unpacked next.
type nest struct {
	size   int
	budget *[]int64
}

func (n nest) Kind(besra.Target, []byte) string { return "nest" }

func (n nest) Expand(_ context.Context, outer besra.Target, content []byte, b *besra.Budget, to besra.Receiver) error {
	*n.budget = append(*n.budget, b.Member)
	if int64(n.size) > b.Member {
		return &besra.LimitError{Limit: "member size", Max: b.Member}
	}
	return to.Target(target(outer.Name+"!x", "", string(make([]byte, n.size))))
}

// TestHeld holds that what is unpacked at all levels together is bounded.
func TestHeld(t *testing.T) {
	var budget []int64
	h := &Hunt{Set: testSet(t), Sink: &keep{}, Source: list{targets: []besra.Target{target("a", "", "x")}},
		Expanders: []besra.Expander{nest{1000, &budget}}, Limits: Limits{Held: 3500, Member: 2000}}
	sum, err := h.Execute(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int64{2000, 2000, 1500, 500} {
		if i >= len(budget) || budget[i] != want {
			t.Fatalf("budgets %v: want 2000, 2000, 1500, 500", budget)
		}
	}
	if sum.Skips["limit"] != 1 || sum.Targets != 4 {
		t.Errorf("got %+v", sum)
	}
}
