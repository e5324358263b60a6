package exclusion

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"github.com/besra-hunt/besra"
)

// evaluation is one run of an expression over one target's facts.
type evaluation struct {
	x       *Exclusion
	ctx     context.Context
	facts   *Memory
	open    []string // what was unknown; an unknown value carries indexes of it
	outcome besra.Outcome
	missing []string // what an unknown outcome waits for
	err     error    // of an outcome "error"
	state   interpreter.EvalState
}

// evaluate runs the expression. facts must remember.
func (x *Exclusion) evaluate(ctx context.Context, facts *Memory, program cel.Program) *evaluation {
	ev := &evaluation{x: x, ctx: ctx, facts: facts, state: interpreter.NewEvalState()}
	value, details, err := program.ContextEval(ctx, ev)
	if details != nil && details.State() != nil {
		ev.state = details.State()
	}
	ev.outcome = outcomeOf(value, err)
	switch ev.outcome {
	case besra.OutcomeUnknown:
		ev.missing = ev.names(value)
	case besra.OutcomeError:
		ev.err = explainError(err)
	}
	return ev
}

// outcomeOf reads the value of an expression or of a part of it.
func outcomeOf(value ref.Val, err error) besra.Outcome {
	switch {
	case err != nil || value == nil || types.IsError(value):
		return besra.OutcomeError
	case types.IsUnknown(value):
		return besra.OutcomeUnknown
	case value == types.True:
		return besra.OutcomeTrue
	case value == types.False:
		return besra.OutcomeFalse
	}
	return besra.OutcomeError
}

// explainError words an error of the evaluation.
func explainError(err error) error {
	var cancelled interpreter.EvalCancelledError
	switch {
	case err == nil:
		return errors.New("the expression has no yes or no")
	case errors.As(err, &cancelled) && cancelled.Cause == interpreter.CostLimitExceeded:
		return errors.New("cost: the evaluation was stopped at its limit")
	case errors.Is(err, interpreter.InterruptError{}):
		return errors.New("interrupted")
	}
	return err
}

// names returns what an unknown value waits for, sorted.
func (ev *evaluation) names(value ref.Val) []string {
	var out []string
	for _, id := range value.(*types.Unknown).IDs() {
		if id >= 0 && int(id) < len(ev.open) {
			out = append(out, ev.open[id])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// unknown returns the value that stands for something that is not known.
func (ev *evaluation) unknown(name string) ref.Val {
	i := slices.Index(ev.open, name)
	if i < 0 {
		i = len(ev.open)
		ev.open = append(ev.open, name)
	}
	return types.NewUnknown(int64(i), types.NewAttributeTrail(name))
}

// ResolveName implements [cel.Activation]: it asks for a fact or parameter when
// the expression needs it.
func (ev *evaluation) ResolveName(name string) (any, bool) {
	if param, ok := ev.x.params[name]; ok {
		if param.value != nil {
			return param.value, true
		}
		return ev.unknown(name), true
	}
	if def, ok := besra.FactNamed(unmaskName(name)); ok {
		return ev.fact(def), true
	}
	return nil, false
}

func (ev *evaluation) fact(def besra.FactDef) ref.Val {
	f := ev.facts.Fact(ev.ctx, def.Name)
	if !f.Known() {
		return ev.unknown(def.Name)
	}
	value, err := factValue(def, f.Value)
	if err != nil {
		return types.WrapErr(err)
	}
	return value
}

// Parent implements [cel.Activation].
func (ev *evaluation) Parent() cel.Activation { return nil }

// ResolveFunction implements [cel.FunctionActivation] for the functions that
// depend on the host's system.
func (ev *evaluation) ResolveFunction(name string) (functions.LateBoundOp, bool) {
	var test pathTest
	switch name {
	case "under":
		test = Under
	case "glob":
		test = ev.x.globs.match
	default:
		return nil, false
	}
	return func(_ string, args ...ref.Val) ref.Val {
		return callPath(test, args, func() ref.Val {
			def, _ := besra.FactNamed("host.os")
			return ev.fact(def)
		})
	}, true
}

// outcomeAt returns the outcome of a part of the expression, or "" where it was
// not evaluated.
func (ev *evaluation) outcomeAt(e *Expr) besra.Outcome {
	value, ok := ev.state.Value(e.id)
	if !ok {
		value, ok = ev.bare(e)
	}
	if !ok {
		return ""
	}
	return outcomeOf(value, nil)
}

// bare returns the value of a fact that was asked for or of a parameter: CEL
// keeps no record of one that is a branch of a conditional by itself.
func (ev *evaluation) bare(e *Expr) (ref.Val, bool) {
	switch _, asked := ev.facts.facts[e.Name]; {
	case e.Kind == KindFact && asked, e.Kind == KindParam:
		name := e.Name
		if e.Kind == KindFact {
			name = maskName(name)
		}
		value, ok := ev.ResolveName(name)
		result, isValue := value.(ref.Val)
		return result, ok && isValue
	}
	return nil, false
}

// support returns the facts that make e have the outcome want (true or false):
// of a conjunction that is true all of its parts, of a disjunction that is true
// one part that is; the other way round for false. Where there is a choice it
// takes one that is good evidence if there is one. ok is false where e does not
// have that outcome.
func (ev *evaluation) support(e *Expr, want besra.Outcome) (facts []besra.Fact, ok bool) {
	switch {
	case e.Kind == KindNot:
		return ev.support(e.Args[0], opposite(want))
	case e.Kind == KindCond:
		return ev.branch(e, want)
	case e.Atom():
		return ev.known(e), ev.outcomeAt(e) == want
	case (e.Kind == KindAnd) == (want == besra.OutcomeTrue):
		return ev.every(e.Args, want)
	}
	return ev.anyOne(e.Args, want)
}

func opposite(o besra.Outcome) besra.Outcome {
	if o == besra.OutcomeTrue {
		return besra.OutcomeFalse
	}
	return besra.OutcomeTrue
}

func (ev *evaluation) every(parts []*Expr, want besra.Outcome) (facts []besra.Fact, ok bool) {
	for _, a := range parts {
		more, ok := ev.support(a, want)
		if !ok {
			return nil, false
		}
		facts = append(facts, more...)
	}
	return distinct(facts), true
}

func (ev *evaluation) anyOne(parts []*Expr, want besra.Outcome) (facts []besra.Fact, ok bool) {
	for _, a := range parts {
		found, has := ev.support(a, want)
		if !has {
			continue
		}
		if !ok || weakEvidence(facts) && !weakEvidence(found) {
			facts, ok = found, true
		}
	}
	return facts, ok
}

// branch supports a conditional by its condition and the branch it takes.
func (ev *evaluation) branch(e *Expr, want besra.Outcome) ([]besra.Fact, bool) {
	condition, taken := ev.support(e.Args[0], besra.OutcomeTrue)
	branch := e.Args[1]
	if !taken {
		if condition, taken = ev.support(e.Args[0], besra.OutcomeFalse); !taken {
			return nil, false
		}
		branch = e.Args[2]
	}
	facts, ok := ev.support(branch, want)
	return distinct(append(condition, facts...)), ok
}

// known returns the facts of an atom that were asked for and are known.
func (ev *evaluation) known(atom *Expr) []besra.Fact {
	var out []besra.Fact
	for _, name := range atom.Facts() {
		if f, ok := ev.facts.facts[name]; ok && f.Known() {
			out = append(out, f)
		}
	}
	return out
}

// distinct sorts facts by name and drops repetitions.
func distinct(facts []besra.Fact) []besra.Fact {
	slices.SortStableFunc(facts, byName)
	return slices.CompactFunc(facts, func(a, b besra.Fact) bool { return a.Name == b.Name })
}

func byName(a, b besra.Fact) int { return strings.Compare(a.Name, b.Name) }

// globs holds the patterns that are written out in an expression, compiled, by
// pattern: as they are, and folded.
type globs map[string][2]*regexp.Regexp

func compileGlobs(tree *Expr) globs {
	out := globs{}
	tree.Walk(func(e *Expr) bool {
		if e.Kind == KindCall && e.Name == "glob" {
			e.Args[len(e.Args)-1].Walk(func(a *Expr) bool {
				if pattern, ok := a.Value.(string); ok {
					out.add(pattern)
				}
				return true
			})
		}
		return true
	})
	return out
}

func (g globs) add(pattern string) {
	exact, err := GlobRegexp(pattern, false)
	if err != nil {
		return // reported as a bad argument
	}
	folded, err := GlobRegexp(pattern, true)
	if err == nil {
		g[pattern] = [2]*regexp.Regexp{exact, folded}
	}
}

// match is [Glob] with the patterns compiled before.
func (g globs) match(path, pattern string, fold bool) (bool, error) {
	compiled, ok := g[pattern]
	if !ok {
		return Glob(path, pattern, fold)
	}
	p, err := CleanPath(path)
	if err != nil {
		return false, err
	}
	if fold {
		return compiled[1].MatchString(p), nil
	}
	return compiled[0].MatchString(p), nil
}
