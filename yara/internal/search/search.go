// Package search finds the patterns of a program in data: bytes in, verified
// matches out. It is where a scan spends its time.
//
// [Tables] are made once of a program and shared by all scanners; a [State]
// belongs to one scanner and is reused without allocating:
//
//	tables := search.New(prog)
//	state := tables.NewState()
//	state.Begin(data, search.Options{})
//	err := state.Run(ctx)          // the eager pass over the anchors
//	for _, p := range state.Hit()  // anchors that occur
//	state.Expect(others)           // what may be asked for next
//	state.Found(q)                 // any other pattern, looked for now
//	state.Matches(q)               // where, sorted, one an offset
//
// # Search less
//
// Only the anchors of rules are looked for in every target, and all patterns
// of rules that have no anchors. Any other pattern is looked for when a
// condition asks, in that target only: alone, or in large data together with
// what else may be asked for (together.go). Rules whose gate asks for
// certain first bytes have their anchors in the tables of that class of target
// (see classes.go), so a script is never searched for what only executables
// can match.
//
// # From bytes to matches
//
// Each needle has literals that every match of it must contain: itself, or the
// atoms of a regexp. They are split by length into filters that look at as few
// places of the data as they can (sample.go, window.go); few literals have their own
// (triple.go, rare.go). Their inner loops are kernels, in Go and in assembly
// (kernels.go). What passes a filter is a candidate: the gram at that
// place leads to the literals that hold it, and a compare with the data makes
// a hit. A hit is verified according to its needle's kind (verify.go,
// regexp.go) and recorded (record.go). Filters may say yes too often, never no.
//
// The data is walked in blocks that stay in the first-level cache, so that all
// filters read it from there.
package search

import (
	"context"
	"math"

	"github.com/besra-hunt/besra/yara/internal/regex"
)

// Match is one occurrence of a pattern.
type Match struct {
	// Offset and Length are in bytes.
	Offset, Length int64
	// Key is the byte that an xor pattern was XORed with; HasKey is set for
	// xor patterns, whatever the key.
	Key    byte
	HasKey bool
}

// Options are what a scan asks for.
type Options struct {
	// AllPositions makes the eager pass record every match of what it looks
	// for, as a caller that reports matches wants. Matches is complete without
	// it too, but then takes another look at the data for patterns that
	// conditions ask no positions of.
	AllPositions bool
	// MaxMatches is how many matches of a pattern are kept; where there are
	// more, the pattern is no longer looked for. 0 means DefaultMaxMatches.
	MaxMatches int
	// Progress, where not nil, is called by Run after every block with the
	// number of bytes done.
	Progress func(done int64)
}

// DefaultMaxMatches is the number of matches that YARA and YARA-X keep of a pattern.
const DefaultMaxMatches = 1_000_000

// blockSize is how many bytes all filters look at before the next: it fits
// the first-level cache together with the hot part of the filters.
const blockSize = 16 << 10

// candidates is how many candidates a filter collects before they are checked.
const candidates = 512

// State is one scanner's search. It is not safe for concurrent use. All
// results are valid until the next Begin.
type State struct {
	t       *Tables
	data    []byte
	opt     Options
	ctx     context.Context
	err     error
	eager   *eager
	machine *regex.Machine

	records
	// alone is set to the pattern that is looked for on its own, or -1.
	alone int32
	// all is set while every match is to be recorded, not only of patterns
	// whose positions conditions ask for.
	all bool
	// noisy is set where the data is full of the pairs that are thought rare.
	noisy bool
	// windowed is set for a target that comes in windows; base, from and to
	// are those of the window.
	profile        *Profile // nil where nobody asks
	windowed       bool
	base, from, to int64

	candidates [candidates]uint32
	diffs      []byte // a block's xor differences
	tail       [32]byte
	explored   explored
	grace      int // see stepsAByte
	decoded    []byte
	expected   []int32
}

// NewState returns a state for one scanner.
func (t *Tables) NewState() *State {
	s := &State{
		t:        t,
		records:  newRecords(len(t.prog.Patterns)),
		machine:  new(regex.Machine),
		alone:    -1,
		grace:    grace,
		explored: explored{slot: make([]int32, len(t.expressions))},
	}
	s.machine.Interrupted = s.interrupted
	return s
}

// Begin forgets the last target and takes the next. The data must not change
// until the next Begin.
func (s *State) Begin(data []byte, o Options) {
	if o.MaxMatches <= 0 {
		o.MaxMatches = DefaultMaxMatches
	}
	s.data, s.opt, s.err = data, o, nil
	s.ctx, s.eager, s.noisy = context.Background(), nil, false
	s.windowed, s.base, s.from, s.to = false, 0, 0, math.MaxInt64
	s.records.reset(o.MaxMatches)
	s.explored.reset()
}

// Run makes the eager pass: it looks for every anchor. The error is the
// context's where it was cut short; matches found until then stand.
func (s *State) Run(ctx context.Context) error {
	s.ctx = ctx
	s.eager = s.t.classOf(s.data)
	for _, p := range s.eager.pinned {
		s.searchAlone(p, s.opt.AllPositions)
	}
	s.all = s.opt.AllPositions
	s.scan(&s.eager.set, s.opt.Progress)
	for _, p := range s.eager.slow {
		s.searchAlone(p, s.opt.AllPositions)
	}
	return s.err
}

// Err returns the context's error where a search after Run was cut short by
// it; the answers given since are then not complete.
func (s *State) Err() error { return s.err }

// Resume lets searches after Run go on under another context: who reads the
// results of a scan is not bound by its time limit. It changes nothing where
// Run or a search after it was cut short.
func (s *State) Resume(ctx context.Context) { s.ctx = ctx }

// Hit lists the patterns that were found so far, each once, in the order of
// finding.
func (s *State) Hit() []int32 { return s.hit }

// Found reports whether the pattern occurs.
func (s *State) Found(p int32) bool {
	if s.status[p]&(found|searched) == 0 && !s.covers(p) {
		s.searchAlone(p, false)
	}
	return s.status[p]&found != 0
}

// Count is the number of the pattern's matches.
func (s *State) Count(p int32) int { return len(s.Matches(p)) }

// Matches are the pattern's matches, sorted by offset, one an offset.
func (s *State) Matches(p int32) []Match {
	if s.status[p]&searched == 0 && !s.covers(p) || s.status[p]&partial != 0 {
		s.forget(p)
		s.searchAlone(p, true)
	}
	return s.sorted(p, s.t.prog.Patterns[p].Longest)
}

// covers reports whether the eager pass has looked for the pattern.
func (s *State) covers(p int32) bool {
	return s.windowed || s.eager != nil && s.err == nil && s.eager.has(p)
}

// wantsAll reports whether the search under way records every match of p.
func (s *State) wantsAll(p int32) bool { return s.all || s.t.prog.Patterns[p].Positions }

// interrupted looks at the context and keeps its error.
func (s *State) interrupted() bool {
	if s.err == nil && s.ctx.Err() != nil {
		s.err = s.ctx.Err()
	}
	return s.err != nil
}
