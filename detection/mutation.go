package detection

import (
	"fmt"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// mutants puts one fault after the other into an exclusion whose tests pass,
// and wants one of them to fail.
func (t *tester) mutants(d *Detection, spec exclusion.Spec) {
	x, err := t.compile(d, spec, exclusion.Fixture{}, nil)
	if err != nil {
		return // told by the fixtures
	}
	trials := t.trials(d, spec)
	for _, m := range mutants(x.Expr()) {
		spec.When = m.when
		if _, err := t.compile(d, spec, exclusion.Fixture{}, nil); err != nil || !m.changes(d, spec) {
			continue // no expression, or the same one
		}
		t.check(d, spec.ID, KindMutant, m.name, func() (string, string) {
			if t.noticed(d, spec, m, trials) {
				return "", ""
			}
			return "the tests do not notice the fault: all fixtures and twins give the same answers", m.hint()
		})
	}
}

// changes reports whether a mutant of parameters changes one that is set.
func (m mutant) changes(d *Detection, spec exclusion.Spec) bool {
	if m.params == nil {
		return true
	}
	for full, change := range m.params {
		kind, name, _ := strings.Cut(full, ".")
		values := []any{d.Parameters[name].Value, d.Parameters[name].Default}
		for _, f := range slices.Concat(spec.Tests.Benign, spec.Tests.Malicious) {
			values = append(values, f.Params[name])
		}
		if kind == "lists" {
			values = []any{d.Lists[name].Values}
		}
		for _, v := range values {
			if list := listOf(v); len(list) > 0 && !slices.Equal(list, change(list)) {
				return true
			}
		}
	}
	return false
}

// hint says which test is missing.
func (m mutant) hint() string {
	what := "what it is about"
	if len(m.facts) > 0 {
		what = strings.Join(m.facts, " or ")
	}
	if m.wider {
		return fmt.Sprintf("add a malicious twin that differs from a benign fixture in %s alone", what)
	}
	return fmt.Sprintf("add a benign fixture that needs this: one that holds by %s alone", what)
}

// trial is a fixture with the answer of the exclusion as it is.
type trial struct {
	fixture exclusion.Fixture
	facts   besra.Facts
	want    answer
}

// answer is what a test looks at.
type answer struct {
	holds  bool
	effect besra.Effect
}

func (t *tester) trials(d *Detection, spec exclusion.Spec) []trial {
	var out []trial
	for _, f := range slices.Concat(spec.Tests.Benign, spec.Tests.Malicious) {
		data, err := t.content(d, f.Text, f.Base64, f.File)
		if err != nil {
			continue
		}
		facts, err := f.Overlay(contentFacts(data))
		if err != nil {
			continue
		}
		want, err := t.answer(d, spec, trial{f, facts, answer{}}, nil)
		if err == nil {
			out = append(out, trial{f, facts, want})
		}
	}
	return out
}

func (t *tester) answer(d *Detection, spec exclusion.Spec, tr trial, change map[string]func([]string) []string) (answer, error) {
	x, err := t.compile(d, spec, tr.fixture, change)
	if err != nil {
		return answer{}, err
	}
	got := x.Decide(t.ctx, tr.facts, t.at, fixtureContext(spec, tr.fixture))
	if got.Outcome != besra.OutcomeTrue {
		return answer{}, nil
	}
	return answer{true, got.Effect}, nil
}

// noticed reports whether a fixture answers otherwise.
func (t *tester) noticed(d *Detection, spec exclusion.Spec, m mutant, trials []trial) bool {
	return slices.ContainsFunc(trials, func(tr trial) bool {
		got, err := t.answer(d, spec, tr, m.params)
		return err != nil || got != tr.want
	})
}

// listOf returns a parameter's value as a list of strings; nil where it is none.
func listOf(v any) []string {
	switch list := v.(type) {
	case []string:
		return list
	case []any:
		out := make([]string, 0, len(list))
		for _, e := range list {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}
