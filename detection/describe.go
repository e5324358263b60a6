package detection

import (
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/yara"
)

// Describe returns what a finding says of a matching rule and its detection.
// For a rule without a detection file the rule's own meta speaks, read by the
// conventions of public rule repositories: description, author, license,
// source or reference, severity or score.
func (e *Entry) Describe(rule yara.Rule) (besra.DetectionRef, besra.RuleRef, besra.Severity) {
	d, p := e.Detection, e.Detection.Provenance
	det := besra.DetectionRef{ID: d.ID, Version: d.Version, Title: d.Title, Pack: e.Pack}
	ref := besra.RuleRef{Name: rule.Name(), Namespace: rule.Namespace(), Tags: slices.Clone(rule.Tags()),
		Author: p.Author, License: p.License, Source: p.Source, Meta: metaOf(rule)}
	if !d.Plain() {
		return det, ref, d.Severity
	}
	meta := ruleMeta(rule)
	det.Title = firstOf(meta["description"], rule.Name())
	ref.Author = meta["author"]
	ref.License = firstOf(meta["license"], meta["licence"])
	ref.Source = firstOf(meta["source_url"], meta["source"], meta["reference"])
	if ref.License == "" {
		ref.License, ref.Source = knownLicense(ref.Author, ref.Source)
	}
	return det, ref, metaSeverity(rule)
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

// metaSeverity reads a severity in words, or a score of 0 to 100 as THOR and
// signature-base give it. It is medium where the rule says nothing.
func metaSeverity(rule yara.Rule) besra.Severity {
	severity := besra.SeverityMedium
	for key, value := range rule.Meta() {
		switch v := value.(type) {
		case string:
			if s := besra.Severity(strings.ToLower(v)); key == "severity" && s.Rank() >= 0 {
				return s
			} else if key == "severity" && s == "critical" {
				return besra.SeverityHigh
			}
		case int64:
			if key == "score" {
				severity = scoreSeverity(v)
			}
		}
	}
	return severity
}

func scoreSeverity(score int64) besra.Severity {
	switch {
	case score >= 75:
		return besra.SeverityHigh
	case score >= 60:
		return besra.SeverityMedium
	case score >= 40:
		return besra.SeverityLow
	}
	return besra.SeverityInformational
}
