package yara

import (
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/besra-hunt/besra/yara/internal/compile"
	"github.com/besra-hunt/besra/yara/internal/eval"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/internal/search"
	"github.com/besra-hunt/besra/yara/module"
)

// Rules is a compiled set of rules. It is immutable and may be shared by any
// number of goroutines.
type Rules struct {
	prog      *program.Program
	plan      *eval.Plan
	modules   []*module.Module // by the index that the program uses
	externals map[string]int   // by name, the index in the program
	// tables are made for the first scanner: rules that are only listed or
	// written need none.
	tables func() *search.Tables
}

// newRules makes rules of a program and the modules at hand, which find returns.
func newRules(prog *program.Program, find func(name string) *module.Module) (*Rules, error) {
	bound, err := prog.Bind(find)
	if err != nil {
		return nil, err
	}
	plan, err := eval.New(prog, bound)
	if err != nil {
		return nil, err
	}
	r := &Rules{
		prog:      prog,
		plan:      plan,
		modules:   bound,
		externals: make(map[string]int, len(prog.Externals)),
		tables:    sync.OnceValue(func() *search.Tables { return search.New(prog) }),
	}
	for i := range prog.Externals {
		r.externals[prog.Externals[i].Name] = i
	}
	return r, nil
}

// All yields every rule, private ones too, in source order.
func (r *Rules) All() iter.Seq[Rule] {
	return func(yield func(Rule) bool) {
		for i := range r.prog.Rules {
			if !yield(Rule{rules: r, index: int32(i)}) {
				return
			}
		}
	}
}

// Stats is the size of a set of rules.
type Stats struct {
	// Rules counts private ones, too.
	Rules int
	// Namespaces is the number of namespaces that have rules.
	Namespaces int
	// Patterns is the number of distinct patterns: equal patterns of several
	// rules count once, and so do first bytes that stand in for patterns.
	Patterns int
	// Anchored is the number of rules that a scan looks at only where one of
	// their patterns occurs, or the target begins as they ask. The others cost time on every target.
	Anchored int
	// Modules are the modules that the rules import.
	Modules []string
}

// Stats returns the size of the set.
func (r *Rules) Stats() Stats {
	s := Stats{Rules: len(r.prog.Rules), Namespaces: len(r.prog.Namespaces), Patterns: len(r.prog.Patterns)}
	for i := range r.prog.Rules {
		if r.prog.Rules[i].Anchors != nil {
			s.Anchored++
		}
	}
	for _, m := range r.prog.Modules {
		s.Modules = append(s.Modules, m.Name)
	}
	return s
}

// WriteTo writes the rules in their compiled form, for [ReadRules]. It
// implements [io.WriterTo].
func (r *Rules) WriteTo(w io.Writer) (int64, error) {
	counted := &countingWriter{w: w}
	err := r.prog.Encode(counted)
	return counted.n, err
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// ReadRules reads what [Rules.WriteTo] has written. Of the options only
// [WithModules] and [FindModules] count: the modules that the rules import must be given again,
// with the schema that the rules were compiled for. The form is checksummed
// but not signed: it is an error where it is damaged or of another version,
// and rules of strangers are as safe to run as their source.
func ReadRules(r io.Reader, opts ...Option) (*Rules, error) {
	var options compile.Options
	for _, o := range opts {
		o.apply(&options)
	}
	prog, err := program.DecodeUnbound(r)
	if err != nil {
		return nil, fmt.Errorf("yara: %w", err)
	}
	rules, err := newRules(prog, options.Module)
	if err != nil {
		return nil, fmt.Errorf("yara: %w", err)
	}
	return rules, nil
}
