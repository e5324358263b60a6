package exclusion

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
)

// Decide answers whether the exclusion holds for a target in a context, at a
// time. It asks facts only for what the expression needs, each once. Every
// outcome but [besra.OutcomeTrue] leaves the finding as it is:
//
//   - A context that the exclusion does not list gives false, without asking
//     (see [Exclusion.For]).
//   - A date that has passed gives expired, without asking. The date itself, in
//     UTC, still counts.
//   - A true suppression that rests on forgeable facts alone comes back with
//     Effect downgrade and To set, unless the exclusion allows weak evidence.
//   - A true outcome for a file with a known-bad hash is turned to false; where
//     the hash is not available it is turned to unknown, but in a process.
//   - An evaluation that fails, costs too much or is interrupted by ctx gives
//     error.
//
// Decide may be called from any number of goroutines, each with its own facts.
func (x *Exclusion) Decide(ctx context.Context, facts besra.Facts, at time.Time, target besra.Context) besra.Decision {
	d, _ := x.decide(ctx, Remember(facts), at, target)
	return d
}

// decide also returns the evaluation, nil where the exclusion was not asked.
func (x *Exclusion) decide(ctx context.Context, facts *Memory, at time.Time, target besra.Context) (besra.Decision, *evaluation) {
	d := besra.Decision{Exclusion: x.spec.ID, Scenario: x.spec.Scenario, Effect: x.spec.effect(), To: x.to()}
	switch {
	case !x.For(target):
		d.Outcome = besra.OutcomeFalse
		d.Why = fmt.Sprintf("not for context %s, only for %s", target, strings.Join(contextNames(x.spec.Contexts), ", "))
		return d, nil
	case x.expired(at):
		d.Outcome = besra.OutcomeExpired
		d.Why = "expired after " + x.spec.Expires + ": " + x.Renewer() + " renews it or removes it"
		return d, nil
	}
	ev := x.evaluate(ctx, facts, x.quick)
	d.Outcome, d.Missing = ev.outcome, ev.missing
	switch ev.outcome {
	case besra.OutcomeTrue:
		ev = x.grant(ctx, facts, target, ev, &d)
	case besra.OutcomeUnknown:
		d.Why = x.whyUnknown(d.Effect, ev.missing, facts)
	case besra.OutcomeError:
		d.Why = "the expression failed: " + ev.err.Error()
	default:
		found, _ := ev.support(x.tree, besra.OutcomeFalse)
		d.Why = "does not hold: " + describe(found)
	}
	return d, ev
}

// to returns the severity that a downgrade by this exclusion leads to; it has
// none where the effect is another.
func (x *Exclusion) to() besra.Severity {
	if x.spec.effect() == besra.EffectDowngrade {
		return x.spec.To
	}
	return ""
}

// Renewer names who answers for the exclusion: its owner, in words that fit a
// sentence where it has none.
func (x *Exclusion) Renewer() string {
	if x.spec.Owner == "" {
		return "its owner"
	}
	return x.spec.Owner
}

// grant makes what a true expression may do out of it: the guards against
// known-bad content and weak evidence.
func (x *Exclusion) grant(ctx context.Context, facts *Memory, target besra.Context, ev *evaluation, d *besra.Decision) *evaluation {
	if x.guard(ctx, facts, target, d) {
		return ev
	}
	found, _ := ev.support(x.tree, besra.OutcomeTrue)
	if d.Effect == besra.EffectSuppress && weakEvidence(found) {
		// Another branch, not needed for the answer, may be better evidence.
		if all := x.evaluate(ctx, facts, x.full); all.outcome == besra.OutcomeTrue {
			ev = all
			found, _ = ev.support(x.tree, besra.OutcomeTrue)
		}
	}
	d.Why = "holds: " + describe(found)
	if d.Effect != besra.EffectSuppress || !weakEvidence(found) {
		return ev
	}
	if x.spec.AllowWeak != "" {
		d.Why += "; weak evidence allowed: " + x.spec.AllowWeak
		return ev
	}
	d.Effect, d.To = besra.EffectDowngrade, besra.SeverityLow
	if x.spec.To != "" {
		d.To = x.spec.To
	}
	d.Why += "; lowered to a downgrade, because an intruder can arrange this"
	return ev
}

// guard keeps what the detection knows as malware from being excluded. It
// reports whether it changed the outcome. The memory of a process has no hash
// that could be on a list; elsewhere a hash that is not known leaves it open.
func (x *Exclusion) guard(ctx context.Context, facts *Memory, target besra.Context, d *besra.Decision) bool {
	for _, name := range []string{"file.sha256", "file.sha1", "file.md5"} {
		if len(x.bad[name]) == 0 {
			continue
		}
		f := facts.Fact(ctx, name)
		if !f.Known() {
			if target != besra.ContextProcess {
				d.Missing = append(d.Missing, name)
			}
			continue
		}
		if hash := strings.ToLower(fmt.Sprint(f.Value)); slices.Contains(x.bad[name], hash) {
			d.Outcome, d.Missing = besra.OutcomeFalse, nil
			d.Why = fmt.Sprintf("never excluded: %s %s is known-bad", name, hash)
			return true
		}
	}
	if len(d.Missing) == 0 {
		return false
	}
	slices.Sort(d.Missing)
	d.Outcome = besra.OutcomeUnknown
	d.Why = x.whyUnknown(d.Effect, d.Missing, facts) + "; it must not be a hash that is known-bad"
	return true
}

// done names the effects in a sentence.
var done = map[besra.Effect]string{
	besra.EffectSuppress: "suppressed", besra.EffectDowngrade: "downgraded", besra.EffectAnnotate: "annotated",
}

// whyUnknown says what would have to be known, and why it is not.
func (x *Exclusion) whyUnknown(effect besra.Effect, missing []string, facts *Memory) string {
	var reasons []string
	for _, name := range missing {
		reason := printable(facts.facts[name].Source)
		switch group, _, _ := strings.Cut(name, "."); group {
		case "params":
			reason = "the parameter is not set"
		case "lists":
			reason = "the list was not read"
		}
		if reason != "" && !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	why := fmt.Sprintf("would be %s if %s were known", done[effect], strings.Join(missing, " and "))
	if len(reasons) > 0 {
		why += ": " + strings.Join(reasons, "; ")
	}
	return why
}

// describe lists facts with their values and grades.
func describe(facts []besra.Fact) string {
	if len(facts) == 0 {
		return "no fact is needed"
	}
	parts := make([]string, len(facts))
	for i, f := range facts {
		parts[i] = fmt.Sprintf("%s is %s (%s)", f.Name, valueText(f.Value), weigh(f))
	}
	return strings.Join(parts, ", ")
}

// maxShown bounds how much of a value a sentence shows, in bytes.
const maxShown = 120

// valueText returns a fact's value in one line.
func valueText(v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(cut(v))
	case besra.Text:
		return strconv.Quote(cut(string(v)))
	case []string:
		return cut(fmt.Sprintf("%q", v[:min(len(v), maxShown)]))
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	}
	return printable(cut(fmt.Sprint(v)))
}

// printable returns s, quoted if a terminal might obey it.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

func cut(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return s[:maxShown] + "…"
}
