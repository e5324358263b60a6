package table

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"

	"github.com/besra-hunt/besra"
)

// maxNamed is the number of targets or packs that a run's line names.
const maxNamed = 3

// run writes the line above the findings of a run.
func (p *page) run(r *besra.Run) {
	what := "Hunt"
	if len(r.Targets) > 0 {
		what += " of " + list(r.Targets, func(t besra.Text) string { return name(t) })
	}
	if r.Host != "" {
		what += " on " + name(r.Host)
	}
	rules := plural(int64(r.Rules), "rule", "rules")
	if len(r.Packs) > 0 {
		rules += " of " + list(r.Packs, func(k besra.PackRef) string { return strings.TrimSpace(name(k.Name) + " " + name(k.Version)) })
	}
	p.line(span{p.faint, dots(what, rules, r.Started.UTC().Format(time.DateTime+" UTC"))})
}

// list names the first things and says how many more there are.
func list[T any](things []T, show func(T) string) string {
	var names []string
	for _, t := range things[:min(len(things), maxNamed)] {
		names = append(names, show(t))
	}
	if more := len(things) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

// finding writes the block of one finding.
func (p *page) finding(f *besra.Finding) {
	p.head(f)
	p.wrapped("rule", span{p.bold, orElse(prose(f.Rule.Name), "unnamed")}, span{text: after(" · ", prose(f.Detection.Title))})
	p.patterns(f)
	p.suppression(f)
	p.decisions(f)
	if f.Target.SHA256 != "" {
		p.field("sha256", span{p.faint, prose(f.Target.SHA256)})
	}
	p.attribution(&f.Rule)
}

// after returns text behind a separator, and nothing where there is none.
func after(separator, text string) string {
	if text == "" {
		return ""
	}
	return separator + text
}

// orElse returns text, or what stands for it where there is none.
func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// head writes verdict, severity and target.
func (p *page) head(f *besra.Finding) {
	spans := []span{p.badge(p.verdict(f.Verdict).badge, orElse(prose(f.Verdict), "finding")), {text: "  "}}
	spans = append(spans, p.severity(f)...)
	spans = append(spans, span{p.bold, name(f.Target.Name)})
	about := after("  ", dots(aboutContext(f.Target.Context), humanSize(f.Target.Size)))
	if spansWidth(spans)+lipgloss.Width(about) <= p.width {
		p.line(append(spans, span{p.faint, about})...)
		return
	}
	p.line(spans...)
	p.wrapped("target", span{p.faint, about})
}

// severity shows a finding's severity, quietly where nobody is to act on it.
func (p *page) severity(f *besra.Finding) []span {
	if f.Severity == "" {
		return nil
	}
	style := p.severities[f.Severity]
	if style == nil || f.Verdict == besra.VerdictSuppressed {
		style = p.faint
	}
	was := ""
	if f.Verdict == besra.VerdictDowngraded && f.AuthorSeverity != f.Severity {
		was = " (was " + prose(f.AuthorSeverity) + ")"
	}
	return []span{{style, prose(f.Severity)}, {p.faint, was}, {text: "  "}}
}

func spansWidth(spans []span) int {
	w := 0
	for _, s := range spans {
		w += lipgloss.Width(s.text)
	}
	return w
}

// aboutContext names the contexts that the target's name does not tell.
func aboutContext(c besra.Context) string {
	if c == besra.ContextFile || c == besra.ContextImage {
		return ""
	}
	return prose(c)
}

func humanSize(n int64) string {
	if n <= 0 {
		return ""
	}
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n)/1024, 0
	for f >= 1023.95 && unit < 5 {
		f /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %ciB", f, "KMGTPE"[unit])
}

// suppression tells why a finding was suppressed or downgraded.
func (p *page) suppression(f *besra.Finding) {
	s := f.Suppression
	if s == nil {
		return
	}
	label := "because"
	if s.Reason != "" {
		p.wrapped(label, span{text: prose(s.Reason)})
		label = ""
	}
	owner, expires := "", ""
	if s.Owner != "" {
		owner = "owner " + prose(s.Owner)
	}
	if s.Expires != "" {
		expires = "expires " + prose(s.Expires)
	}
	p.parts(label, p.faint, scenario(s.Exclusion, s.Scenario), owner, prose(s.Ticket), expires)
	for i := range f.Decisions {
		if d := &f.Decisions[i]; d.Exclusion == s.Exclusion && d.Outcome == besra.OutcomeTrue {
			p.wrapped("", span{p.faint, prose(d.Why)})
			return
		}
	}
}

// decisions tells of exclusions that are still to be decided or do not work,
// and of annotations.
func (p *page) decisions(f *besra.Finding) {
	if f.Verdict == besra.VerdictSuppressed {
		return // one that is true makes the others idle
	}
	for i := range f.Decisions {
		d := &f.Decisions[i]
		switch {
		case d.Outcome == besra.OutcomeUnknown, d.Outcome == besra.OutcomeExpired, d.Outcome == besra.OutcomeError:
			p.wrapped("exclusion", span{p.verdict(besra.VerdictUndecided).match, scenario(d.Exclusion, d.Scenario) + ":"}, span{text: why(d)})
		case d.Outcome == besra.OutcomeTrue && d.Effect == besra.EffectAnnotate:
			p.wrapped("note", span{p.bold, scenario(d.Exclusion, d.Scenario) + ":"}, span{text: why(d)})
		}
	}
}

// scenario names an exclusion and the scenario it answers, once where both
// have the same name.
func scenario(exclusion, scenario string) string {
	named := orElse(prose(exclusion), "unnamed")
	if scenario == "" || scenario == exclusion {
		return named
	}
	return named + " (" + prose(scenario) + ")"
}

// why returns a decision's sentence, or makes one.
func why(d *besra.Decision) string {
	if d.Why != "" {
		return prose(d.Why)
	}
	switch d.Outcome {
	case besra.OutcomeExpired:
		return "has expired and was not asked"
	case besra.OutcomeError:
		return "failed"
	case besra.OutcomeUnknown:
		effect := "suppressed"
		if d.Effect == besra.EffectDowngrade {
			effect = "downgraded"
		}
		if len(d.Missing) == 0 {
			return "would be " + effect + " if more were known"
		}
		return "would be " + effect + " if " + prose(strings.Join(d.Missing, " and ")) + " were known"
	}
	return ""
}

// attribution names the rule's author, licence and source, as DRL 1.1 and
// others ask of every message based on a match.
func (p *page) attribution(r *besra.RuleRef) {
	source := orElse(prose(r.Source), prose(reference(r.Meta)))
	p.parts("by", p.faint, orElse(prose(r.Author), "author not stated"), prose(r.License), source)
}

// reference returns what the rule's meta section gives as its reference.
func reference(meta []besra.Meta) string {
	for _, m := range meta {
		if text, ok := m.Value.(besra.Text); ok && strings.EqualFold(m.Key, "reference") {
			return string(text)
		}
	}
	return ""
}
