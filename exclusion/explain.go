package exclusion

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
)

// Explanation is a decision with everything that led to it.
type Explanation struct {
	Decision besra.Decision `json:"decision"`
	When     string         `json:"when"`
	// Tree is the expression with the outcome of each part; nil where the
	// exclusion was not asked.
	Tree *Step `json:"tree,omitempty"`
	// Facts holds what was asked for, sorted by name.
	Facts []besra.Fact `json:"facts,omitempty"`
}

// Step is one part of an expression: logic, with its parts, or an atom, with
// its facts.
type Step struct {
	Kind Kind   `json:"kind"`
	Text string `json:"text"` // the part in CEL
	// Outcome is empty where the part was not needed for the answer.
	Outcome besra.Outcome `json:"outcome,omitempty"`
	// Facts holds the facts of an atom that it asked for.
	Facts []besra.Fact `json:"facts,omitempty"`
	// Params holds the parameters and lists of an atom that are set, each as
	// "name = value" with what of a long value fits.
	Params []string `json:"params,omitempty"`
	// Missing names those that are not.
	Missing []string `json:"missing,omitempty"`
	// Steps holds the parts of logic that was needed.
	Steps []*Step `json:"steps,omitempty"`
	Expr  *Expr   `json:"-"`
}

// Explain decides as [Exclusion.Decide] does, and tells how.
func (x *Exclusion) Explain(ctx context.Context, facts besra.Facts, at time.Time, target besra.Context) Explanation {
	memory := Remember(facts)
	d, ev := x.decide(ctx, memory, at, target)
	out := Explanation{Decision: d, When: x.spec.When, Facts: memory.Asked()}
	if ev != nil {
		out.Tree = ev.steps(x.tree)
	}
	return out
}

// ExplainFinding decides as [Apply] does, which also knows the facts of groups
// rule and match, and tells how.
func (x *Exclusion) ExplainFinding(ctx context.Context, f *besra.Finding, facts besra.Facts, at time.Time) Explanation {
	return x.Explain(ctx, matchFacts{f, facts}, at, f.Target.Context)
}

// Trace evaluates the expression with nothing left out, even where the answer is
// decided already, and tells the outcome of each part. It ignores context, date
// and guards: it is for judging the expression itself.
func (x *Exclusion) Trace(ctx context.Context, facts besra.Facts) *Step {
	return x.evaluate(ctx, Remember(facts), x.full).steps(x.tree)
}

// steps returns the tree of e with outcomes.
func (ev *evaluation) steps(e *Expr) *Step {
	s := &Step{Kind: e.Kind, Text: e.String(), Outcome: ev.outcomeAt(e), Expr: e}
	if s.Outcome == "" {
		return s
	}
	if !e.Atom() {
		for _, a := range e.Args {
			s.Steps = append(s.Steps, ev.steps(a))
		}
		return s
	}
	for _, name := range e.Facts() {
		if f, ok := ev.facts.facts[name]; ok {
			s.Facts = append(s.Facts, f)
		}
	}
	ev.x.settings(s, e)
	return s
}

// settings tells the parameters and lists of an atom.
func (x *Exclusion) settings(s *Step, atom *Expr) {
	for _, name := range atom.Params() {
		if value := x.Param(name); value == nil {
			s.Missing = append(s.Missing, name)
		} else {
			s.Params = append(s.Params, name+" = "+valueText(value))
		}
	}
}

// Text renders the explanation for a terminal: the decision, and the tree with
// a line for each part and each fact.
func (e Explanation) Text() string { return e.render(palette{}) }

// Color is [Explanation.Text] with the outcomes in colour.
func (e Explanation) Color() string { return e.render(colors) }

// palette holds the terminal sequence that begins the colour of an outcome; an
// empty one has no colours.
type palette map[besra.Outcome]string

var colors = palette{besra.OutcomeTrue: "\x1b[32m", besra.OutcomeFalse: "\x1b[31m", besra.OutcomeUnknown: "\x1b[33m",
	besra.OutcomeError: "\x1b[35m", besra.OutcomeExpired: "\x1b[35m", "": "\x1b[2m"}

func (p palette) paint(o besra.Outcome, text string) string {
	if begin := p[o]; begin != "" {
		return begin + text + "\x1b[0m"
	}
	return text
}

func (e Explanation) render(p palette) string {
	var b strings.Builder
	d := e.Decision
	fmt.Fprintf(&b, "%s: %s (%s)\n  %s\n", d.Exclusion, p.paint(d.Outcome, string(d.Outcome)), d.Effect, d.Why)
	if e.Tree != nil {
		e.Tree.write(&b, p, 1)
	}
	return b.String()
}

// outcomeWords are the outcomes in columns of the rendered tree.
var outcomeWords = map[besra.Outcome]string{
	besra.OutcomeTrue: "TRUE   ", besra.OutcomeFalse: "FALSE  ", besra.OutcomeUnknown: "UNKNOWN",
	besra.OutcomeError: "ERROR  ", "": "·      ",
}

// labels head the parts of logic.
var labels = map[Kind]string{KindAnd: "all of", KindOr: "any of", KindNot: "not", KindCond: "if, then, else"}

func (s *Step) write(b *strings.Builder, p palette, depth int) {
	indent := strings.Repeat("  ", depth)
	label := labels[s.Kind]
	switch {
	case s.Outcome == "":
		label = p.paint("", s.Text+"  (not needed)")
	case label == "":
		label = s.Text
	}
	fmt.Fprintf(b, "%s%s  %s\n", indent, p.paint(s.Outcome, outcomeWords[s.Outcome]), label)
	for _, f := range s.Facts {
		fmt.Fprintf(b, "%s           %s\n", indent, factLine(f))
	}
	for _, setting := range s.Params {
		fmt.Fprintf(b, "%s           %s\n", indent, setting)
	}
	for _, name := range s.Missing {
		fmt.Fprintf(b, "%s           %s is not set\n", indent, name)
	}
	for _, part := range s.Steps {
		part.write(b, p, depth+1)
	}
}

func factLine(f besra.Fact) string {
	if !f.Known() {
		return fmt.Sprintf("%s is not known: %s", f.Name, printable(f.Source))
	}
	return fmt.Sprintf("%s = %s, %s, from %s", f.Name, valueText(f.Value), f.Grade, printable(f.Source))
}
