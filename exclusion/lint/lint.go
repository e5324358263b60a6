// Package lint finds what is wrong with exclusions that may well work: the
// classic ways in which a false-positive filter blinds a detection.
//
// [Check] takes the exclusions of one detection, compiles each, and reports
// problems with a stable code, the place, and a way to mend it. [Codes] explains
// every code. Nothing here reads a host: what needs the rule or its fixtures,
// such as a scenario that can never fire, is told by the caller.
//
//	problems := lint.Check(detection.Exclusions, lint.Options{Parameters: detection.Parameters, KnownBad: hashes, At: time.Now()})
package lint

import (
	"cmp"
	"slices"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// Options is what the linter knows of the detection around the exclusions.
type Options struct {
	Parameters exclusion.Parameters
	Lists      exclusion.Lists
	KnownBad   []string        // hashes of malware that the detection names
	Severity   besra.Severity  // of the detection; empty skips what needs it
	Contexts   []besra.Context // the detection is meant for; empty is all
	At         time.Time       // now
	MaxAge     time.Duration   // longest life of an exclusion; 0 is 400 days
	CostLimit  uint64          // of one evaluation; 0 is exclusion.DefaultCostLimit
	// Dead reports whether the caller found that the scenario of an exclusion
	// cannot fire, because the rule does not match its benign fixture. Nil
	// knows nothing.
	Dead func(s exclusion.Spec) bool
}

const defaultMaxAge = 400 * 24 * time.Hour

// Check lints the exclusions of one detection. Problems come in the order of
// the exclusions and, within one, of their places; those of the parameters come
// first. An exclusion that does not compile is reported with what the compiler
// says, and with what can be told of its other members.
func Check(specs []exclusion.Spec, o Options) []*exclusion.Problem {
	o.MaxAge = cmp.Or(o.MaxAge, defaultMaxAge)
	env, problems := exclusion.NewEnv(o.Parameters, o.Lists)
	l := &linter{o: o, compile: exclusion.Options{Env: env, KnownBad: o.KnownBad, CostLimit: o.CostLimit}}
	var subjects []*subject
	for i, spec := range specs {
		s := l.subject(spec)
		s.first = !slices.ContainsFunc(specs[:i], func(other exclusion.Spec) bool { return other.ID == spec.ID })
		subjects = append(subjects, s)
	}
	for _, check := range checks {
		for _, s := range subjects {
			check(s)
		}
	}
	l.pairs(subjects)
	l.together(subjects)
	problems = append(problems, l.unusedParameters(subjects)...)
	for _, s := range subjects {
		slices.SortStableFunc(s.problems, func(a, b *exclusion.Problem) int { return cmp.Compare(a.Offset, b.Offset) })
		problems = append(problems, s.problems...)
	}
	return problems
}

// checks are the rules that look at one exclusion. Those that need the compiled
// expression do nothing without it.
var checks = []func(*subject){
	(*subject).members, (*subject).life, (*subject).fixtures, (*subject).scenario,
	(*subject).mixedLogic, (*subject).logic, (*subject).polarity, (*subject).breadth,
	(*subject).paths, (*subject).forms, (*subject).caseOf, (*subject).comparisons, (*subject).collections,
	(*subject).windows, (*subject).idleContexts, (*subject).knownBad, (*subject).evaluation,
}

type linter struct {
	o       Options
	compile exclusion.Options
}

// subject is one exclusion under the linter.
type subject struct {
	*linter
	spec     exclusion.Spec
	x        *exclusion.Exclusion // nil where it does not compile
	first    bool                 // no earlier exclusion has the same id
	branches []branch             // ways to be true; nil where there are too many
	problems []*exclusion.Problem
}

func (l *linter) subject(spec exclusion.Spec) *subject {
	s := &subject{linter: l, spec: spec}
	s.x, s.problems = exclusion.Compile(spec, l.compile)
	if s.x != nil {
		s.branches, _ = branches(s.x.Expr(), false)
	}
	return s
}

// suppresses reports whether the exclusion hides findings.
func (s *subject) suppresses() bool {
	return s.spec.Effect == "" || s.spec.Effect == besra.EffectSuppress
}

// field reports a problem of a member of the spec.
func (s *subject) field(name, code, message string) {
	s.problems = append(s.problems, problem(code, s.spec.ID, name, message))
}

// at reports a problem of a part of the expression.
func (s *subject) at(e *exclusion.Expr, code, message string) *exclusion.Problem {
	p := problem(code, s.spec.ID, "when", message)
	p.Offset, p.Line, p.Column = e.Offset, e.Line, e.Column
	s.problems = append(s.problems, p)
	return p
}

// problem fills in level and mend from the table of codes.
func problem(code, id, field, message string) *exclusion.Problem {
	c := codeNamed(code)
	return &exclusion.Problem{Code: code, Level: c.Level, Exclusion: id, Field: field, Message: message, Hint: c.Mend}
}
