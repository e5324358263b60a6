// Package ecs writes findings as documents of the Elastic Common Schema 8: one
// JSON object a line, as Elasticsearch's bulk loaders and Filebeat take them.
// What the schema has no field for is under besra. Runs, gaps and summaries
// have no document.
package ecs

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sink/lines"
)

// Version is the version of the schema.
const Version = "8.17.0"

// New returns a sink that writes to w; see [lines.New].
func New(w io.Writer) besra.Sink { return lines.New("ecs", w, Encode) }

type document struct {
	Timestamp time.Time `json:"@timestamp"`
	Message   string    `json:"message"`
	ECS       struct {
		Version string `json:"version"`
	} `json:"ecs"`
	Event event `json:"event"`
	Rule  rule  `json:"rule"`
	Host  *host `json:"host,omitempty"`
	File  *file `json:"file,omitempty"`
	origin
	Labels labels `json:"labels"`
	Besra  extra  `json:"besra"`
}

type event struct {
	Kind     string   `json:"kind"`
	Category []string `json:"category"`
	Type     []string `json:"type"`
	Action   string   `json:"action"`
	ID       string   `json:"id"`
	Module   string   `json:"module"`
	Dataset  string   `json:"dataset"`
	Severity int      `json:"severity"`
	Reason   string   `json:"reason,omitempty"`
}

type rule struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Ruleset     string   `json:"ruleset,omitempty"`
	Version     string   `json:"version,omitempty"`
	Description string   `json:"description,omitempty"`
	Author      []string `json:"author,omitempty"`
	License     string   `json:"license,omitempty"`
	Reference   string   `json:"reference,omitempty"`
}

type host struct {
	Name string `json:"name"`
}

type file struct {
	Path      string  `json:"path"`
	Name      string  `json:"name"`
	Directory string  `json:"directory,omitempty"`
	Size      *int64  `json:"size,omitempty"`
	Hash      *digest `json:"hash,omitempty"`
}

type digest struct {
	SHA256 string `json:"sha256"`
}

// labels are keywords that people filter by.
type labels struct {
	Verdict  string `json:"verdict"`
	Severity string `json:"severity"`
	Context  string `json:"context"`
}

type extra struct {
	Run         string             `json:"run"`
	Target      target             `json:"target"`
	Facts       lines.Facts        `json:"facts,omitempty"`
	Patterns    []pattern          `json:"patterns,omitempty"`
	Suppression *besra.Suppression `json:"suppression,omitempty"`
	Decisions   []besra.Decision   `json:"decisions,omitempty"`
}

// target is what a finding says of its target, whatever kind of thing it is.
type target struct {
	Name   string `json:"name"`
	Size   *int64 `json:"size,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
}

type pattern struct {
	ID      string  `json:"id"`
	Count   int     `json:"count"`
	Offsets []int64 `json:"offsets,omitempty"`
}

// Encode returns the document of a finding, and nothing for other records.
func Encode(r besra.Record) ([]byte, error) {
	f := r.Finding
	if f == nil {
		return nil, nil
	}
	facts := lines.FactsOf(f)
	d := document{Timestamp: f.Time.UTC(), Message: message(f), Event: eventOf(f), Rule: ruleOf(f), File: fileOf(f.Target), origin: originOf(f.Target, facts),
		Labels: labels{string(f.Verdict), string(f.Severity), string(f.Target.Context)},
		Besra:  extra{Run: f.Run, Target: targetOf(f.Target), Facts: facts, Suppression: f.Suppression, Decisions: f.Decisions}}
	d.ECS.Version = Version
	if f.Host != "" {
		d.Host = &host{f.Host}
	}
	for _, p := range f.Patterns {
		out := pattern{ID: p.ID, Count: p.Count}
		for _, m := range p.Matches {
			out.Offsets = append(out.Offsets, m.Offset)
		}
		d.Besra.Patterns = append(d.Besra.Patterns, out)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	if err := enc.Encode(d); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

func message(f *besra.Finding) string {
	return besra.Text(strings.TrimSpace(f.Detection.Title + ": " + string(f.Target.Name))).Printable()
}

// severities are numbers of event.severity: ours, spread over 0 to 100.
var severities = map[besra.Severity]int{besra.SeverityInformational: 10, besra.SeverityLow: 21, besra.SeverityMedium: 47, besra.SeverityHigh: 73}

func eventOf(f *besra.Finding) event {
	e := event{Kind: "alert", Category: categories(f.Target), Type: []string{"info"}, Action: "yara-match", ID: f.ID,
		Module: "besra", Dataset: "besra.finding", Severity: severities[f.Severity]}
	if f.Verdict == besra.VerdictSuppressed {
		e.Kind = "event"
	}
	if f.Suppression != nil {
		e.Reason = f.Suppression.Reason
	}
	return e
}

// categories are malware and what kind of thing it was found in.
func categories(t besra.TargetRef) []string {
	list := []string{"malware"}
	switch {
	case t.Context == besra.ContextProcess:
		return append(list, "process")
	case t.Context == besra.ContextNetwork:
		return append(list, "network")
	case t.Context == besra.ContextMail:
		return append(list, "email")
	case lines.IsFile(t):
		return append(list, "file")
	}
	return list
}

func ruleOf(f *besra.Finding) rule {
	r := rule{ID: f.Detection.ID, Name: f.Rule.Name, Ruleset: f.Detection.Pack, Version: f.Detection.Version,
		Description: f.Detection.Title, License: f.Rule.License, Reference: f.Rule.Source}
	if f.Rule.Author != "" {
		r.Author = []string{f.Rule.Author}
	}
	return r
}

func targetOf(t besra.TargetRef) target {
	out := target{Name: t.Name.Printable(), SHA256: t.SHA256}
	if t.Size >= 0 {
		out.Size = &t.Size
	}
	return out
}

func fileOf(t besra.TargetRef) *file {
	if !lines.IsFile(t) {
		return nil
	}
	base := t.Name.Base()
	out := &file{Path: t.Name.Printable(), Name: base.Printable(), Directory: directory(t.Name, base)}
	if t.Size >= 0 {
		out.Size = &t.Size
	}
	if t.SHA256 != "" {
		out.Hash = &digest{t.SHA256}
	}
	return out
}

// directory is what of a name stands before its base, without what parts them
// where that is not all of it.
func directory(name, base besra.Text) string {
	dir := name[:len(name)-len(base)]
	if len(dir) > 1 {
		dir = dir[:len(dir)-1]
	}
	return dir.Printable()
}
