// Package eval decides which rules match: it evaluates conditions over the
// matches of patterns and the values of modules.
//
// A [Plan] is made once of a program and the modules it imports, and is shared
// by all scanners; a [State] belongs to one scanner and is reused from scan to
// scan without allocating. A scan touches only the rules that can match: those
// with an anchor that search has hit, and the few that have no anchor. They
// are evaluated in the program's order, so the rules that a condition refers
// to are decided before it.
//
// A condition is a tree of typed nodes (see package program). Each kind has
// its own evaluator (truth, integer, float, text), so that no value is boxed
// on the way; value is for what modules give. Undefined is the third value of
// every kind: the rules for it stand at the operations in package program.
package eval

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/internal/search"
	"github.com/besra-hunt/besra/yara/module"
)

// Patterns answers what conditions ask about patterns. A *search.State does.
type Patterns interface {
	// Hit lists the patterns with a match so far.
	Hit() []int32
	// Expect tells which patterns may be asked for, each once or more often.
	Expect(patterns iter.Seq[int32])
	// Found reports whether the pattern occurs.
	Found(pattern int32) bool
	// Count is the number of the pattern's matches.
	Count(pattern int32) int
	// Matches are the pattern's matches, sorted by offset, one an offset.
	Matches(pattern int32) []search.Match
}

// Scan is what one scan is of.
type Scan struct {
	Context context.Context
	// Data is the target, where it is in one piece.
	Data []byte
	// Memory is a target that is not: bytes at addresses, of which ReadAt
	// gives those that are there. It has no size, and no module knows
	// anything about it.
	Memory   io.ReaderAt
	Patterns Patterns
	// Externals are the external variables by their index in the program.
	Externals []module.Value
	// Ask, where not nil, is asked for an external variable when a condition
	// first needs it; undefined, and any other kind, leaves it as it is.
	Ask  func(external int32) module.Value
	Time time.Time
}

// State evaluates for one scanner. It is not safe for concurrent use.
type State struct {
	plan *Plan
	// Input is what modules see. The caller sets Meta and Console.
	Input module.Input

	ctx       context.Context
	data      []byte
	memory    io.ReaderAt
	word      [8]byte // what is read of memory
	patterns  Patterns
	externals []module.Value
	ask       func(int32) module.Value
	told      []module.Value // the externals of a scan that asks
	asked     bitset

	candidates, held bitset          // by rule
	mayAsk           iter.Seq[int32] // the patterns of candidates
	matching         []int32         // rules
	roots            []root          // by module
	matchers         []matcher

	slots   []module.Value // variables of the rule under evaluation
	args    []module.Value // stack of arguments of calls
	pending module.Call    // the call under way; calls do not nest

	budget int // steps until the context is looked at
	err    error

	profile *Profile      // nil where nobody asks
	loading time.Duration // of modules, for profile
}

// root is a module's root value, once it is loaded.
type root struct {
	loaded bool
	value  module.Value
}

// lookEvery is how many steps pass between two looks at the context. A step
// takes between some nanoseconds and some microseconds.
const lookEvery = 256

// NewState returns a state for one scanner.
func (p *Plan) NewState() *State {
	n := len(p.prog.Rules)
	s := &State{
		plan:       p,
		candidates: newBitset(n),
		held:       newBitset(n),
		roots:      make([]root, len(p.modules)),
		slots:      make([]module.Value, p.slots),
		matchers:   p.newMatchers(),
		asked:      newBitset(len(p.prog.Externals)),
	}
	s.Input.LibYARA = p.libyara
	s.mayAsk = s.patternsOfCandidates
	return s
}

// Run evaluates the rules over one target. Matching then lists those that
// match. The error is the context's where the scan was cut short, or tells
// which module failed; the other rules are evaluated nevertheless.
func (s *State) Run(scan Scan) error {
	s.begin(scan)
	s.choose()
	s.patterns.Expect(s.mayAsk)
	for r := range s.candidates.all() {
		if !s.step(1) {
			break
		}
		if s.holds(r) {
			s.held.set(r)
			s.matching = append(s.matching, r)
		}
	}
	s.matching = s.report(s.matching)
	s.end()
	return s.err
}

// Matching lists the rules that match and are not private, in the program's
// order. It is valid until the next Run.
func (s *State) Matching() []int32 { return s.matching }

// Holds reports whether the rule's own condition held, private or not.
func (s *State) Holds(rule int32) bool { return s.held.has(rule) }

func (s *State) begin(scan Scan) {
	s.ctx, s.data, s.patterns, s.externals = scan.Context, scan.Data, scan.Patterns, scan.Externals
	s.memory = scan.Memory
	if s.ask = scan.Ask; s.ask != nil {
		s.told = append(s.told[:0], scan.Externals...)
		s.externals = s.told
		s.asked.clear()
	}
	s.Input.Reset(scan.Context, scan.Data, scan.Time)
	s.candidates.clear()
	s.held.clear()
	s.matching, s.args, s.err = s.matching[:0], s.args[:0], nil
	s.budget = lookEvery
}

// end lets go of what the scan held, so that the target can be freed.
func (s *State) end() {
	if err := s.ctx.Err(); err != nil {
		s.err = err
	}
	s.ctx, s.data, s.memory, s.patterns, s.externals, s.ask = nil, nil, nil, nil, nil, nil
	s.Input.Reset(context.Background(), nil, time.Time{})
	clear(s.roots)
	clear(s.slots)
	clear(s.args[:cap(s.args)])
	s.pending = module.Call{}
}

// choose marks the rules that can match: an anchor was hit or there is none,
// and the target passes the gate.
func (s *State) choose() {
	for _, r := range s.plan.ungated {
		s.nominate(r)
	}
	if len(s.data) >= 2 {
		for _, r := range s.plan.unanchored[binary.LittleEndian.Uint16(s.data)] {
			s.nominate(r)
		}
	}
	for _, p := range s.patterns.Hit() {
		for _, r := range s.plan.anchored.of(p) {
			s.nominate(r)
		}
	}
}

func (s *State) nominate(r int32) {
	if !s.candidates.has(r) && s.passes(&s.plan.prog.Rules[r].Gate) {
		s.candidates.set(r)
	}
}

func (s *State) patternsOfCandidates(yield func(int32) bool) {
	for r := range s.candidates.all() {
		for _, p := range s.plan.prog.Rules[r].Patterns {
			if !yield(p) {
				return
			}
		}
	}
}

// passes reports whether the target satisfies the gate. Where it has no size,
// conditions decide what that means.
func (s *State) passes(g *program.Gate) bool {
	if size, ok := s.size(); ok && (size < g.MinSize || size > g.MaxSize) {
		return false
	}
	for i := range g.Headers {
		h := &g.Headers[i]
		v, ok := s.read(h.Offset, program.MakeRead(int(h.Width), false, false))
		if !ok || uint32(v)&h.Mask != h.Value {
			return false
		}
	}
	return true
}

// holds evaluates a rule's condition. A rule of a namespace whose earlier
// global rule failed cannot match, and is not evaluated.
func (s *State) holds(r int32) (held bool) {
	rule := &s.plan.prog.Rules[r]
	for _, g := range s.plan.prog.Namespaces[rule.Namespace].Globals {
		if g < r && !s.held.has(g) {
			return false
		}
	}
	defer s.recovered(rule)
	s.args = s.args[:0]
	return s.condition(r, rule.Condition) == yes && s.ctx.Err() == nil
}

func (s *State) condition(r int32, root program.NodeID) truth {
	if s.profile != nil {
		return s.profileCondition(r, root)
	}
	return s.truth(root)
}

// recovered turns a panic of a module, or of this package, into the scan's
// error: a target made to crash a parser must not end the process, and must
// not keep other rules from being evaluated.
func (s *State) recovered(rule *program.Rule) {
	if p := recover(); p != nil && s.err == nil {
		s.err = fmt.Errorf("evaluating rule %s: panic: %v", rule.Name, p)
	}
}

// report drops, in place, the rules that are private or whose namespace has a
// global rule that does not match.
func (s *State) report(rules []int32) []int32 {
	kept := rules[:0]
	for _, r := range rules {
		if !s.plan.prog.Rules[r].Private && s.open(s.plan.prog.Rules[r].Namespace) {
			kept = append(kept, r)
		}
	}
	return kept
}

// open reports whether all global rules of the namespace match.
func (s *State) open(namespace int32) bool {
	for _, g := range s.plan.prog.Namespaces[namespace].Globals {
		if !s.held.has(g) {
			return false
		}
	}
	return true
}

// step spends steps and reports whether to go on. It looks at the context
// now and then.
func (s *State) step(steps int) bool {
	s.budget -= steps
	if s.budget > 0 {
		return true
	}
	return s.look()
}

// look asks the context. Once it is over, every later step says so too.
func (s *State) look() bool {
	if s.ctx.Err() != nil {
		s.budget = 0
		return false
	}
	s.budget = lookEvery
	return true
}
