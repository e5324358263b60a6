package exclusion

import (
	"context"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
)

// Apply asks the exclusions about a finding, in their order, and writes into it
// Decisions, Facts, Verdict, Severity and Suppression; Target.Context and
// AuthorSeverity must be set. Exclusions that do not list the target's context
// are not asked and leave no decision.
//
// The first suppression that is true wins, and ends the asking. Otherwise the
// true downgrade to the lowest severity wins, if it is below the author's.
// Otherwise the finding is undecided if a suppression or a downgrade is
// unknown, and an alert if none is.
func Apply(ctx context.Context, exclusions []*Exclusion, f *besra.Finding, facts besra.Facts, at time.Time) {
	memory := Remember(matchFacts{f, facts})
	f.Verdict, f.Severity, f.Suppression, f.Decisions = besra.VerdictAlert, f.AuthorSeverity, nil, nil
	for _, x := range exclusions {
		if !x.For(f.Target.Context) {
			continue
		}
		d, _ := x.decide(ctx, memory, at, f.Target.Context)
		x.disarm(&d)
		f.Decisions = append(f.Decisions, d)
		if x.settle(f, d) {
			break
		}
	}
	f.Facts = memory.Asked()
}

// matchFacts answers the groups rule and match from the finding, and the rest
// from what is known of its target.
type matchFacts struct {
	finding *besra.Finding
	besra.Facts
}

// Fact implements [besra.Facts].
func (m matchFacts) Fact(ctx context.Context, name string) besra.Fact {
	var value any
	switch name {
	case "rule.name":
		value = m.finding.Rule.Name
	case "rule.tags":
		value = append([]string{}, m.finding.Rule.Tags...)
	case "match.patterns":
		value = m.patterns()
	case "match.count":
		value = m.count()
	default:
		return m.Facts.Fact(ctx, name)
	}
	return besra.Fact{Name: name, Value: value, Grade: besra.GradeVerified, Source: "match"}
}

func (m matchFacts) patterns() []string {
	out := []string{}
	for _, p := range m.finding.Patterns {
		out = append(out, p.ID)
	}
	return out
}

func (m matchFacts) count() (n int64) {
	for _, p := range m.finding.Patterns {
		n += int64(p.Count)
	}
	return n
}

// disarm keeps a draft, which lacks an owner, a reason or an expiry, from doing
// more than to annotate: nobody answers for it yet. [Exclusion.Decide] tells
// what it is meant to do, for tests and backtests.
func (x *Exclusion) disarm(d *besra.Decision) {
	lacks := x.spec.lacks()
	if len(lacks) == 0 || d.Effect == besra.EffectAnnotate {
		return
	}
	if d.Outcome == besra.OutcomeTrue {
		d.Why += "; a draft without " + strings.Join(lacks, ", ") + " hides nothing"
	}
	d.Effect, d.To = besra.EffectAnnotate, ""
}

// settle lets one decision act on the finding and reports whether it is final.
func (x *Exclusion) settle(f *besra.Finding, d besra.Decision) bool {
	switch {
	case d.Outcome == besra.OutcomeTrue && d.Effect == besra.EffectSuppress:
		f.Verdict, f.Severity, f.Suppression = besra.VerdictSuppressed, f.AuthorSeverity, x.mark(d)
		return true
	case d.Outcome == besra.OutcomeTrue && d.Effect == besra.EffectDowngrade:
		if d.To.Rank() < f.Severity.Rank() {
			f.Verdict, f.Severity, f.Suppression = besra.VerdictDowngraded, d.To, x.mark(d)
		}
	case d.Outcome == besra.OutcomeUnknown && d.Effect != besra.EffectAnnotate && f.Verdict == besra.VerdictAlert:
		f.Verdict = besra.VerdictUndecided
	}
	return false
}

// mark is what the exclusion leaves on a finding.
func (x *Exclusion) mark(d besra.Decision) *besra.Suppression {
	return &besra.Suppression{Exclusion: d.Exclusion, Scenario: d.Scenario, Effect: d.Effect,
		Owner: x.spec.Owner, Reason: x.spec.Reason, Ticket: x.spec.Ticket, Expires: x.spec.Expires}
}
