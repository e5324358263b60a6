package sourcetest

import (
	"context"
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

// Answering returns a receiver that answers each target that to takes, as a run does.
func Answering(to besra.Receiver) besra.Receiver { return answering{to} }

type answering struct{ besra.Receiver }

// Target implements [besra.Receiver].
func (a answering) Target(t besra.Target) error {
	err := a.Receiver.Target(t)
	if err == nil && t.Done != nil {
		t.Done(besra.Answer{})
	}
	return err
}

// Server is a source that listens while a test talks to it.
type Server struct {
	Address string
	Stop    context.CancelFunc // asks the source to end
	done    chan error
}

// Serve runs the source that start makes. The source listens on the address
// given, tells of the one it got, and ends once the context is done.
func Serve(t testing.TB, to besra.Receiver, start func(ctx context.Context, listen string, listening func(net.Addr)) (besra.Source, error)) *Server {
	t.Helper()
	stopping, stop := context.WithCancel(t.Context())
	addresses := make(chan net.Addr, 1)
	source, err := start(stopping, "127.0.0.1:0", func(a net.Addr) { addresses <- a })
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Stop: stop, done: make(chan error, 1)}
	go func() { s.done <- source.Run(t.Context(), to) }()
	select {
	case a := <-addresses:
		s.Address = a.String()
	case err := <-s.done:
		t.Fatal(err)
	}
	return s
}

// Alive reports whether the source still runs.
func (s *Server) Alive() bool { return len(s.done) == 0 }

// End stops the source and wants it to end without an error.
func (s *Server) End(t testing.TB) {
	t.Helper()
	s.Stop()
	if err := <-s.done; err != nil {
		t.Errorf("Run: got %v, want none", err)
	}
}
