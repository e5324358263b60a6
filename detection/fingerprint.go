package detection

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"github.com/besra-hunt/besra/yara/syntax"
)

// Fingerprint returns "sha256:…" over the patterns and the condition of a
// rule, as the formatter writes them: name, tags, meta, comments and layout do
// not count, so that a rule that was only renamed or reformatted keeps it. It
// is empty where the source has an error.
func Fingerprint(src *syntax.Source, r *syntax.Rule) string {
	bare := *r
	bare.Name.Name, bare.Tags, bare.Meta = "_", nil, nil
	bare.MetaSpan.Start, bare.MetaSpan.End = 0, 0
	var text bytes.Buffer
	err := syntax.Print(&text, &syntax.File{Items: []syntax.Item{&bare}, Source: src}, syntax.PrintOptions{})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text.Bytes())
	return "sha256:" + hex.EncodeToString(sum[:])
}

// fingerprints returns the fingerprints of the rules of one source by name.
func fingerprints(origin string, text []byte) map[string]string {
	src := &syntax.Source{Name: origin, Text: text}
	file, _ := syntax.Parse(src)
	out := map[string]string{}
	if file == nil {
		return out
	}
	for _, item := range file.Items {
		if r, ok := item.(*syntax.Rule); ok {
			out[r.Name.Name] = Fingerprint(src, r)
		}
	}
	return out
}

// CheckFingerprints holds each rule against the fingerprint that its detection
// states. It reads every rule file again, so a hunt leaves it to the tests and
// to those who build archives, whose digests cover the files.
func CheckFingerprints(p *Pack) []Fault {
	var faults []Fault
	prints := map[string]map[string]string{}
	for _, d := range p.Detections {
		if d.Rule.Fingerprint == "" {
			continue
		}
		file := d.RulePath()
		if prints[file] == nil {
			prints[file] = fingerprints(file, p.Rules[file])
		}
		if got := prints[file][d.Rule.Name]; got != "" && got != d.Rule.Fingerprint {
			faults = append(faults, Fault{Pack: p.Name, Path: d.Path, Err: d.place.fault("rule.fingerprint",
				"review the rule, then state the new fingerprint", "rule %s has the fingerprint %s, not the one stated: it was changed", d.Rule.Name, got)})
		}
	}
	return faults
}

// RuleTexts returns the text of each rule of a source as it stands there, by
// name.
func RuleTexts(text []byte) map[string]string {
	out := map[string]string{}
	file, _ := syntax.Parse(&syntax.Source{Text: text})
	if file == nil {
		return out
	}
	for _, item := range file.Items {
		if r, ok := item.(*syntax.Rule); ok {
			out[r.Name.Name] = string(text[r.Span.Start:r.Span.End])
		}
	}
	return out
}
