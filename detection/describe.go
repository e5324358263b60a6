package detection

import (
	"slices"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/yara"
)

// Describe returns what a finding says of a matching rule and its detection.
// For a rule without a detection file the rule's own meta speaks, read by the
// conventions of public rule repositories (see meta.go).
func (e *Entry) Describe(rule yara.Rule) (besra.DetectionRef, besra.RuleRef, besra.Severity) {
	d := e.Described(rule)
	p := d.Provenance
	det := besra.DetectionRef{ID: d.ID, Version: d.Version, Title: d.Title, Pack: e.Pack, Status: string(d.Status), Confidence: d.Confidence,
		Attack: d.Attack.ref(), Hypothesis: d.Hypothesis.Statement, References: d.References, Questions: d.questions(), TLP: string(p.TLP)}
	ref := besra.RuleRef{Name: rule.Name(), Namespace: rule.Namespace(), Tags: slices.Clone(rule.Tags()),
		Author: p.Author, License: p.License, Source: p.Source, Attribution: p.Attribution, Meta: metaOf(rule)}
	return det, ref, d.Severity
}

// Described returns the detection of a matching rule; for a rule without a
// detection file, one with what the rule says of itself.
func (e *Entry) Described(rule yara.Rule) *Detection {
	if !e.Detection.Plain() {
		return e.Detection
	}
	d := *e.Detection
	d.Title, d.Severity, d.Status = "", "", ""
	f := readMeta(rule.Name(), rule.Meta(), rule.Tags())
	f.apply(&d)
	if d.Provenance.Source == "" && len(f.references) > 0 {
		d.Provenance.Source = f.references[0]
	}
	return &d
}

func (a Attack) ref() *besra.AttackRef {
	if a.Version == "" {
		return nil
	}
	return &besra.AttackRef{Version: a.Version, Tactics: a.Tactics, Techniques: a.Techniques, Groups: a.Groups, Software: a.Software}
}

// questions lists what a machine cannot check, of all scenarios.
func (d *Detection) questions() []string {
	var out []string
	for _, s := range d.Scenarios {
		out = append(out, s.Questions...)
	}
	return out
}

func metaOf(rule yara.Rule) []besra.Meta {
	var list []besra.Meta
	for key, value := range rule.Meta() {
		if s, ok := value.(string); ok {
			value = besra.Text(s)
		}
		list = append(list, besra.Meta{Key: key, Value: value})
	}
	return list
}
