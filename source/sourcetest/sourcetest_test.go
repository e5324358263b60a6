package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
)

// memory is a source of texts by name that keeps the contract, unless one of
// its faults is set.
type memory struct {
	content map[string][]byte
	fault   string
	runs    int
	end     chan struct{}
}

func (m *memory) Run(ctx context.Context, to besra.Receiver) error {
	m.runs++
	to.Gap(m.gap())
	switch m.fault {
	case "runs once":
		if m.runs > 1 {
			return nil
		}
	case "repeats a name":
		defer to.Target(m.target(slices.Sorted(maps.Keys(m.content))[0]))
	case "leaks a goroutine":
		go func() { <-m.end }()
	}
	for _, name := range slices.Sorted(maps.Keys(m.content)) {
		if err := ctx.Err(); err != nil && m.fault != "ignores the context" {
			return err
		}
		if err := to.Target(m.target(name)); err != nil && m.fault != "ignores the receiver" {
			return err
		}
	}
	return nil
}

func (m *memory) gap() besra.Gap {
	g := besra.Gap{Kind: besra.GapSkip, Target: "x", Reason: "symlink", Count: 1}
	switch m.fault {
	case "counts nothing":
		g.Count = 0
	case "gives no reason":
		g.Reason = ""
	}
	return g
}

func (m *memory) target(name string) besra.Target {
	t := besra.Target{
		Name: name, Context: besra.ContextFile, Size: int64(len(m.content[name])), Facts: sized(len(m.content[name])),
		Open: func(ctx context.Context) (besra.Content, error) { return m.open(ctx, name) },
	}
	switch m.fault {
	case "has no facts":
		t.Facts = nil
	case "knows no size":
		t.Facts = besra.NoFacts{}
	case "claims another size":
		t.Size++
	case "has no context":
		t.Context = ""
	}
	return t
}

func (m *memory) open(ctx context.Context, name string) (besra.Content, error) {
	if err := ctx.Err(); err != nil && m.fault != "opens though cancelled" {
		return nil, err
	}
	b, ok := m.content[name]
	if !ok && m.fault != "opens what is gone" {
		return nil, errors.New("gone")
	}
	if m.fault == "gives other bytes" {
		b = []byte("other")
	}
	return text(b), nil
}

type text []byte

func (t text) Bytes() []byte { return t }
func (t text) Close() error  { return nil }

type sized int64

func (s sized) Fact(_ context.Context, name string) besra.Fact {
	if name == "file.size" {
		return besra.Fact{Name: name, Value: int64(s), Grade: besra.GradeVerified, Source: "test"}
	}
	return besra.Unavailable(name, "test")
}

func place(fault string) Place {
	m := &memory{content: map[string][]byte{}, fault: fault}
	for i := range MinTargets {
		m.content[fmt.Sprintf("%02d", i)] = []byte(strings.Repeat("x", i))
	}
	return Place{
		Source: m, Want: maps.Clone(m.content), Gaps: []string{"symlink"},
		Remove: func(name string) error { delete(m.content, name); return nil },
	}
}

func TestGoodSourcePasses(t *testing.T) {
	Test(t, func(*testing.T) Place { return place("") })
}

func TestFaultsAreFound(t *testing.T) {
	for fault, check := range map[string]string{
		"runs once":              "runs twice",
		"repeats a name":         "yields every target once",
		"ignores the context":    "stops when cancelled before",
		"ignores the receiver":   "stops when the receiver says so",
		"counts nothing":         "gaps are counted",
		"gives no reason":        "gaps are counted",
		"has no facts":           "facts answer",
		"knows no size":          "facts answer",
		"claims another size":    "opens to the bytes",
		"has no context":         "yields every target once",
		"opens what is gone":     "opening what was removed is an error",
		"opens though cancelled": "opening when cancelled is an error",
		"gives other bytes":      "opens to the bytes",
	} {
		t.Run(fault, func(t *testing.T) {
			i := slices.IndexFunc(checks, func(c contractCheck) bool { return c.name == check })
			if i < 0 {
				t.Fatalf("no check is named %q", check)
			}
			if err := checks[i].check(place(fault)); err == nil {
				t.Errorf("check %q: got no error for a source that %s", check, fault)
			}
		})
	}
	if err := checkCancelledWithin(place("ignores the context")); err == nil {
		t.Error("cancelled in the middle: got no error for a source that ignores the context")
	}
}

func TestLeakIsFound(t *testing.T) {
	p := place("leaks a goroutine")
	end := make(chan struct{})
	p.Source.(*memory).end = end
	const alone = 2 // the runner's goroutine and this one: those of other tests must have ended
	if err := settled(alone, patience); err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	if _, err := runAll(p); err != nil {
		t.Fatal(err)
	}
	if settled(before, time.Millisecond) == nil {
		t.Error("got no error for a goroutine that stays behind")
	}
	close(end)
	if err := settled(before, patience); err != nil {
		t.Error(err)
	}
}
