package yara

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/besra-hunt/besra/yara/internal/eval"
	"github.com/besra-hunt/besra/yara/internal/search"
	"github.com/besra-hunt/besra/yara/module"
)

// Scanner scans targets, one after the other. It is not safe for concurrent
// use: make one a goroutine. Making one is cheap, reusing it is cheaper.
type Scanner struct {
	rules     *Rules
	search    *search.State
	eval      *eval.State
	externals []module.Value
	ask       func(external int32) module.Value // nil without AskExternals
	options   search.Options
	timeout   time.Duration
	results   Results
	buffer    []byte   // a piece of memory
	profile   *Profile // nil without Profiling
}

// ScannerOption steers a scanner; see [Rules.NewScanner].
type ScannerOption func(*Scanner)

// Timeout ends a scan with [ErrTimeout] after d. 0, the default, is no limit.
func Timeout(d time.Duration) ScannerOption {
	return func(s *Scanner) { s.timeout = d }
}

// MaxMatches limits how many matches of one pattern are kept; conditions see
// no more either. 0 means 1,000,000, which is YARA's limit.
func MaxMatches(n int) ScannerOption {
	return func(s *Scanner) { s.options.MaxMatches = n }
}

// AllMatches tells the scanner that the matches of matching rules will be asked
// for. [Pattern.Matches] yields the same without it, but then the target is
// looked at again for patterns of which conditions needed only one match.
func AllMatches() ScannerOption {
	return func(s *Scanner) { s.options.AllPositions = true }
}

// Console takes the lines that rules write with the module console, in the
// order of writing, during Scan. Without it they are dropped. Lines are text
// of hostile origin: escape them before showing them on a terminal.
func Console(f func(line string)) ScannerOption {
	return func(s *Scanner) { s.eval.Input.Console = f }
}

// AskExternals asks for the value of an external variable when a condition first
// needs it during a scan, from the same goroutine. nil, or a value of another
// kind than the variable was defined with, leaves it as [Scanner.SetExternal]
// has it.
func AskExternals(ask func(name string) any) ScannerOption {
	return func(s *Scanner) {
		s.ask = func(external int32) module.Value {
			x := &s.rules.prog.Externals[external]
			v, _ := valueAs(x.Value.Kind(), ask(x.Name))
			return v
		}
	}
}

// Progress is called during Scan, from the same goroutine, after every few
// kilobytes, with the number of bytes that were searched. What is before them
// is hardly looked at again.
func Progress(f func(done int64)) ScannerOption {
	return func(s *Scanner) { s.options.Progress = f }
}

// NewScanner returns a scanner for the rules.
func (r *Rules) NewScanner(opts ...ScannerOption) *Scanner {
	s := &Scanner{
		rules:     r,
		search:    r.tables().NewState(),
		eval:      r.plan.NewState(),
		externals: make([]module.Value, len(r.prog.Externals)),
	}
	for i := range r.prog.Externals {
		s.externals[i] = r.prog.Externals[i].Value
	}
	for _, o := range opts {
		o(s)
	}
	return s
}

// SetExternal sets an external variable for the scans to come. It fails where
// the rules were compiled without it, or with a value of another kind.
func (s *Scanner) SetExternal(name string, value any) error {
	i, ok := s.rules.externals[name]
	if !ok {
		return fmt.Errorf("yara: the rules were compiled without the external variable %q", name)
	}
	declared := s.rules.prog.Externals[i].Value
	v, ok := valueAs(declared.Kind(), value)
	if !ok {
		return fmt.Errorf("yara: the external variable %q was defined as %T, and cannot be %T", name, declared.Any(), value)
	}
	s.externals[i] = v
	return nil
}

// valueAs returns the value of an external variable that was defined with a
// kind, undefined where it is of another.
func valueAs(kind module.Kind, value any) (module.Value, bool) {
	v := valueOf(value)
	if whole, ok := v.Int(); ok && kind == module.Float {
		v = module.Float64(float64(whole))
	}
	if v.Kind() != kind {
		return module.Value{}, false
	}
	return v, true
}

// SetModuleData passes data to the module of that name for the scans to come,
// such as a sandbox report to cuckoo. nil takes it away.
func (s *Scanner) SetModuleData(name string, data []byte) {
	in := &s.eval.Input
	if in.Meta == nil {
		in.Meta = make(map[string][]byte)
	}
	if data == nil {
		delete(in.Meta, name)
		return
	}
	in.Meta[name] = data
}

// Scan scans data. The results are valid until the next Scan, as long as data
// does not change.
//
// The error is [ErrTimeout] or the context's where the scan was cut short;
// otherwise it tells which module failed on this target. The results are not
// nil then: they hold the rules that were found to match all the same, but say
// nothing of the others.
func (s *Scanner) Scan(ctx context.Context, data []byte) (*Results, error) {
	return s.run(ctx, func(ctx context.Context) error { return s.scan(ctx, data) })
}

// run makes a scan, within the time limit.
func (s *Scanner) run(ctx context.Context, scan func(context.Context) error) (*Results, error) {
	s.results = Results{rules: s.rules, search: s.search}
	if s.profile != nil {
		inner := scan
		scan = func(ctx context.Context) error { return s.profile.measure(func() error { return inner(ctx) }) }
	}
	if s.timeout <= 0 {
		return &s.results, scan(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, ErrTimeout)
	defer cancel()
	err := scan(ctx)
	if err != nil && errors.Is(context.Cause(ctx), ErrTimeout) {
		err = ErrTimeout
	}
	return &s.results, err
}

func (s *Scanner) scan(ctx context.Context, data []byte) error {
	if s.profile != nil {
		s.profile.Bytes += int64(len(data))
	}
	s.search.Begin(data, s.options)
	if err := s.search.Run(ctx); err != nil {
		return err
	}
	return s.evaluate(eval.Scan{Context: ctx, Data: data, Patterns: s.search, Externals: s.externals, Ask: s.ask, Time: time.Now()})
}

// evaluate decides the rules after the search.
func (s *Scanner) evaluate(scan eval.Scan) error {
	err := s.eval.Run(scan)
	s.results.matching = s.eval.Matching()
	if scan.Context.Err() == nil {
		// What results ask of the search from here on is not the scan's time.
		s.search.Resume(context.Background())
	}
	return err
}

// Results is what one scan has found. It belongs to its scanner, and to the
// same goroutine.
type Results struct {
	rules    *Rules
	search   *search.State
	matching []int32
	gaps     []Gap
}

// Matching yields the rules that match, in source order. Private rules are
// left out.
func (r *Results) Matching() iter.Seq[Rule] {
	return func(yield func(Rule) bool) {
		for _, i := range r.matching {
			if !yield(Rule{rules: r.rules, index: i, results: r}) {
				return
			}
		}
	}
}

// All yields every rule, private ones too, in source order, with what this scan
// found of its patterns, whether the rule matches ([Results.Matches]) or not.
func (r *Results) All() iter.Seq[Rule] {
	return func(yield func(Rule) bool) {
		for rule := range r.rules.All() {
			rule.results = r
			if !yield(rule) {
				return
			}
		}
	}
}

// Matches reports whether the rule, of [Rules.All] or of any results of the
// same rules, is among those that match.
func (r *Results) Matches(rule Rule) bool {
	_, found := slices.BinarySearch(r.matching, rule.index)
	return found && rule.rules == r.rules
}

// Len returns the number of rules that [Results.Matching] yields.
func (r *Results) Len() int { return len(r.matching) }
