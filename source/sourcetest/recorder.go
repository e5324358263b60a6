package sourcetest

import (
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/besra-hunt/besra"
)

// Recorder is a [besra.Receiver] that remembers what it is given. Its zero
// value is ready for use, by many goroutines at once.
type Recorder struct {
	// On, where set, is asked about each target after it was remembered; its
	// error is what Target returns.
	On func(besra.Target) error

	mu      sync.Mutex
	targets []besra.Target
	gaps    []besra.Gap
}

// Target implements [besra.Receiver].
func (r *Recorder) Target(t besra.Target) error {
	r.mu.Lock()
	r.targets = append(r.targets, t)
	r.mu.Unlock()
	if r.On != nil {
		return r.On(t)
	}
	return nil
}

// Gap implements [besra.Receiver].
func (r *Recorder) Gap(g besra.Gap) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gaps = append(r.gaps, g)
}

// Targets returns the targets in the order they came.
func (r *Recorder) Targets() []besra.Target {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.targets)
}

// Gaps returns the gaps in the order they came.
func (r *Recorder) Gaps() []besra.Gap {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.gaps)
}

// Names returns the names of the targets, sorted.
func (r *Recorder) Names() []string {
	var names []string
	for _, t := range r.Targets() {
		names = append(names, t.Name)
	}
	slices.Sort(names)
	return names
}

// Collect runs a source to its end, and returns what it gave.
func Collect(t testing.TB, s besra.Source) *Recorder {
	t.Helper()
	r := &Recorder{}
	if err := s.Run(t.Context(), r); err != nil {
		t.Fatalf("Run: got error %v, want none", err)
	}
	return r
}

// Serve runs a source that listens, and returns the address that it tells of and
// what Run will return.
func Serve(t testing.TB, s besra.Source, to besra.Receiver, listening <-chan net.Addr) (address string, done chan error) {
	t.Helper()
	done = make(chan error, 1)
	go func() { done <- s.Run(t.Context(), to) }()
	select {
	case a := <-listening:
		return a.String(), done
	case err := <-done:
		t.Fatal(err)
	}
	return "", done
}
