// Package sourcetest is the contract that every [besra.Source] keeps, as a
// suite of tests:
//
//	func TestContract(t *testing.T) {
//		sourcetest.Test(t, func(t *testing.T) sourcetest.Place { … })
//	}
//
// [Recorder] is a [besra.Receiver] that remembers, for tests of one source.
package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
)

// Place is a source over things whose content is known.
type Place struct {
	// Source is the source under test.
	Source besra.Source
	// Want holds the content of every target that the source yields, by name.
	// There must be MinTargets or more, so that stopping early can be told.
	Want map[string][]byte
	// Gaps lists the reasons of the gaps that a run must report, each once.
	Gaps []string
	// Remove makes a target go away; nil where targets cannot.
	Remove func(name string) error
}

// MinTargets is how many targets a place must have: more than a source may have
// in its hands at once.
const MinTargets = 50

// Factory makes a new place for one check.
type Factory func(t *testing.T) Place

// Test holds the factory's source to the contract. The checks count
// goroutines, so the caller must not run in parallel with other tests.
func Test(t *testing.T, f Factory) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			p := f(t)
			if len(p.Want) < MinTargets {
				t.Fatalf("the place has %d targets, want %d or more", len(p.Want), MinTargets)
			}
			before := runtime.NumGoroutine()
			if err := c.check(p); err != nil {
				t.Error(err)
			}
			if err := settled(before, patience); err != nil {
				t.Error(err)
			}
		})
	}
}

type contractCheck struct {
	name  string
	check func(Place) error
}

var checks = []contractCheck{
	{"yields every target once", checkTargets},
	{"opens to the bytes", checkContent},
	{"facts answer", checkFacts},
	{"gaps are counted", checkGaps},
	{"runs twice", checkTwice},
	{"stops when cancelled before", checkCancelledBefore},
	{"stops when cancelled in the middle", checkCancelledWithin},
	{"stops when cancelled while the pipe is full", checkCancelledBlocked},
	{"stops when the receiver says so", checkReceiverError},
	{"opening what was removed is an error", checkRemoved},
	{"opening when cancelled is an error", checkOpenCancelled},
}

// patience bounds what must happen promptly. It is generous, so that a slow
// machine does not fail.
const patience = 20 * time.Second

// settled waits until no more goroutines run than before.
func settled(before int, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			buf := make([]byte, 64<<10)
			return fmt.Errorf("got %d goroutines after the run, want the %d of before:\n%s",
				runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
		runtime.Gosched()
	}
	return nil
}

// run runs the source and fails where it does not end promptly.
func run(ctx context.Context, s besra.Source, to besra.Receiver) error {
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, to) }()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case err := <-done:
		return err
	case <-late.C:
		return errLate
	}
}

var errLate = fmt.Errorf("the run did not end within %v", patience)

// runAll runs the source to its end.
func runAll(p Place) (*Recorder, error) {
	r := &Recorder{}
	if err := run(context.Background(), p.Source, r); err != nil {
		return nil, fmt.Errorf("source: Run gave error %w, want none", err)
	}
	return r, nil
}

func checkTargets(p Place) error {
	r, err := runAll(p)
	if err != nil {
		return err
	}
	names := r.Names()
	want := slices.Sorted(maps.Keys(p.Want))
	if !slices.Equal(names, want) {
		return fmt.Errorf("names: got %q, want %q", names, want)
	}
	for _, t := range r.Targets() {
		switch {
		case !slices.Contains(besra.Contexts(), t.Context):
			return fmt.Errorf("%q: context %q is none of the vocabulary", t.Name, t.Context)
		case t.Open == nil:
			return fmt.Errorf("%q: Open is nil", t.Name)
		case t.Size < -1:
			return fmt.Errorf("%q: got size %d, want the size or -1", t.Name, t.Size)
		}
	}
	return nil
}

func checkContent(p Place) error {
	r, err := runAll(p)
	if err != nil {
		return err
	}
	for _, t := range r.Targets() {
		if err := opensTo(t, p.Want[t.Name]); err != nil {
			return fmt.Errorf("%q: %w", t.Name, err)
		}
	}
	return nil
}

func opensTo(t besra.Target, want []byte) error {
	c, err := t.Open(context.Background())
	if err != nil {
		return fmt.Errorf("source: Open: %w", err)
	}
	if !bytes.Equal(c.Bytes(), want) {
		err = fmt.Errorf("got %d bytes %.40q, want %d bytes %.40q", len(c.Bytes()), c.Bytes(), len(want), want)
	}
	if t.Size >= 0 && t.Size != int64(len(want)) {
		err = errors.Join(err, fmt.Errorf("got size %d, want %d", t.Size, len(want)))
	}
	return errors.Join(err, c.Close())
}

func checkFacts(p Place) error {
	r, err := runAll(p)
	if err != nil {
		return err
	}
	for i, t := range r.Targets() {
		if t.Facts == nil {
			return fmt.Errorf("%q: Facts is nil", t.Name)
		}
		size := int64(len(p.Want[t.Name]))
		if f := t.Facts.Fact(context.Background(), "file.size"); t.Context != besra.ContextProcess && (f.Value != size || !f.Known()) {
			return fmt.Errorf("%q: file.size: got %v (%v), want %d", t.Name, f.Value, f.Grade, size)
		}
		if i > 2 {
			continue // some facts take long to gather
		}
		if err := factsAnswer(t.Facts); err != nil {
			return fmt.Errorf("%q: %w", t.Name, err)
		}
	}
	return nil
}

// factsAnswer asks for the whole vocabulary, and for what is not in it.
func factsAnswer(facts besra.Facts) error {
	ctx := context.Background()
	for _, def := range besra.Vocabulary() {
		f := facts.Fact(ctx, def.Name)
		switch {
		case f.Name != def.Name:
			return fmt.Errorf("%s: got a fact named %q", def.Name, f.Name)
		case f.Known() != (f.Value != nil):
			return fmt.Errorf("%s: got value %v with grade %v", def.Name, f.Value, f.Grade)
		case f.Source == "":
			return fmt.Errorf("%s: got no source, want one, or why it is not known", def.Name)
		case f.Known() && !hasType(f.Value, def.Type):
			return fmt.Errorf("%s: got a %T, want the type of the vocabulary", def.Name, f.Value)
		}
	}
	if f := facts.Fact(ctx, "no.such.fact"); f.Known() || f.Source == "" {
		return fmt.Errorf("no.such.fact: got %+v, want unavailable with a reason", f)
	}
	return nil
}

func hasType(v any, t besra.FactType) bool {
	switch v.(type) {
	case string, besra.Text:
		return t == besra.TypeString
	case int64:
		return t == besra.TypeInt
	case bool:
		return t == besra.TypeBool
	case time.Time:
		return t == besra.TypeTimestamp
	case []string:
		return t == besra.TypeStrings
	}
	return false
}

func checkGaps(p Place) error {
	r, err := runAll(p)
	if err != nil {
		return err
	}
	var reasons []string
	for _, g := range r.Gaps() {
		reasons = append(reasons, g.Reason)
		switch {
		case g.Kind != besra.GapSkip && g.Kind != besra.GapError:
			return fmt.Errorf("gap %+v: got kind %q, want skip or error", g, g.Kind)
		case g.Reason == "" || g.Target == "":
			return fmt.Errorf("gap %+v: want a reason and a target", g)
		case g.Count < 1:
			return fmt.Errorf("gap %+v: got count %d, want 1 or more", g, g.Count)
		}
	}
	slices.Sort(reasons)
	want := slices.Sorted(slices.Values(p.Gaps))
	if !slices.Equal(reasons, want) {
		return fmt.Errorf("reasons of gaps: got %q, want %q", reasons, want)
	}
	return nil
}

func checkTwice(p Place) error {
	first, err := runAll(p)
	if err != nil {
		return err
	}
	second, err := runAll(p)
	if err != nil {
		return fmt.Errorf("second run: %w", err)
	}
	if !slices.Equal(first.Names(), second.Names()) {
		return fmt.Errorf("second run: got %q, want %q", second.Names(), first.Names())
	}
	return nil
}

func checkCancelledBefore(p Place) error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := &Recorder{}
	if err := run(ctx, p.Source, r); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("source: Run gave error %v, want %v", err, context.Canceled)
	}
	return nil
}

func checkCancelledWithin(p Place) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r := &Recorder{On: func(besra.Target) error { cancel(); return nil }}
	if err := run(ctx, p.Source, r); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("source: Run gave error %v, want %v", err, context.Canceled)
	}
	if n := len(r.Targets()); n == len(p.Want) {
		return fmt.Errorf("got all %d targets although the run was cancelled at the first", n)
	}
	return nil
}

func checkCancelledBlocked(p Place) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r := &Recorder{On: func(besra.Target) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}}
	if err := run(ctx, p.Source, r); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("source: Run gave error %v, want %v", err, context.Canceled)
	}
	return nil
}

var errOver = errors.New("the run is over")

func checkReceiverError(p Place) error {
	r := &Recorder{On: func(besra.Target) error { return errOver }}
	if err := run(context.Background(), p.Source, r); !errors.Is(err, errOver) {
		return fmt.Errorf("source: Run gave error %v, want %v", err, errOver)
	}
	if len(r.Targets()) == len(p.Want) {
		return fmt.Errorf("got all %d targets although the receiver refused the first", len(p.Want))
	}
	return nil
}

func checkRemoved(p Place) error {
	if p.Remove == nil {
		return nil
	}
	r, err := runAll(p)
	if err != nil {
		return err
	}
	t := r.Targets()[0]
	if err := p.Remove(t.Name); err != nil {
		return err
	}
	if c, err := t.Open(context.Background()); err == nil {
		c.Close()
		return fmt.Errorf("%q: Open of a removed target: got no error", t.Name)
	}
	return nil
}

func checkOpenCancelled(p Place) error {
	r, err := runAll(p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if c, err := r.Targets()[0].Open(ctx); err == nil {
		c.Close()
		return errors.New("source: Open with a cancelled context gave no error")
	}
	return nil
}
