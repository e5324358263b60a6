// Package sarif writes findings as a SARIF 2.1.0 log: a run of the log is a run
// of the record, a result a finding. Suppressed findings are results with a
// suppression, as the standard has it; gaps are notifications of the
// invocation, so that a reader sees what was not looked at.
//
// Results are written as they come. Rules, which a log names after them, and
// notifications are kept until the run ends: the first maxGaps of them, and a
// count of the others.
package sarif

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
)

const (
	schema = "https://json.schemastore.org/sarif-2.1.0.json"
	// maxGaps bounds the notifications of one run.
	maxGaps = 1000
)

// New returns a sink that writes to w, which the caller keeps and closes. The
// log is complete after Close. After an error of w nothing more is written.
func New(w io.Writer) besra.Sink { return &sink{w: w} }

type sink struct {
	w     io.Writer
	err   error // the first error of w, or errClosed
	begun bool  // the log is
	runs  int
	open  *run // nil between runs
}

var errClosed = errors.New("sarif: written to after Close")

// run is what is kept of the run under way.
type run struct {
	head    *besra.Run // nil where it was not seen
	results int
	rules   []rule
	index   map[string]int // of rules, by id
	gaps    []notification
	more    int64 // gaps that are not kept
	summary *besra.Summary
}

// Write implements [besra.Sink].
func (s *sink) Write(_ context.Context, r besra.Record) error {
	if s.err != nil {
		return s.err
	}
	switch {
	case r.Run != nil:
		s.end()
		s.begin(r.Run)
	case r.Finding != nil:
		s.begin(nil)
		s.result(r.Finding)
	case r.Gap != nil:
		s.begin(nil)
		s.open.gap(r.Gap)
	case r.Summary != nil:
		s.begin(nil)
		s.open.summary = r.Summary
		s.end()
	default:
		return errors.New("sarif: a record without its content")
	}
	return s.err
}

// Close implements [besra.Sink].
func (s *sink) Close() error {
	if s.err != nil {
		return nil // told by Write, or closed before
	}
	s.end()
	s.log()
	s.put("\n]}\n")
	err := s.err
	if err == nil {
		s.err = errClosed
	}
	return err
}

func (s *sink) put(text string) {
	if s.err == nil {
		_, s.err = io.WriteString(s.w, text)
	}
}

// log begins the log.
func (s *sink) log() {
	if !s.begun {
		s.begun = true
		s.put(`{"$schema":"` + schema + `","version":"2.1.0","runs":[`)
	}
}

func (s *sink) begin(head *besra.Run) {
	if s.open != nil {
		return
	}
	s.log()
	s.open = &run{head: head, index: map[string]int{}}
	s.put([]string{"\n", ",\n"}[min(s.runs, 1)] + `{"columnKind":"unicodeCodePoints","results":[`)
	s.runs++
}

// end completes the run under way.
func (s *sink) end() {
	if s.open == nil {
		return
	}
	tail, err := json.Marshal(s.open.tail())
	if err != nil && s.err == nil {
		s.err = err
	}
	s.put("\n]," + string(tail[1:]))
	s.open = nil
}

func (s *sink) result(f *besra.Finding) {
	b, err := json.Marshal(resultOf(f, s.open.rule(f)))
	if err != nil {
		s.err = err
		return
	}
	s.put([]string{"\n", ",\n"}[min(s.open.results, 1)] + string(b))
	s.open.results++
}

// The parts of a log that we write; the names are the standard's.
type (
	message struct {
		Text string `json:"text"`
	}
	rule struct {
		ID         string         `json:"id"`
		Name       string         `json:"name,omitempty"`
		Short      *message       `json:"shortDescription,omitempty"`
		Full       message        `json:"fullDescription"`
		Help       message        `json:"help"`
		HelpURI    string         `json:"helpUri,omitempty"`
		Default    configuration  `json:"defaultConfiguration"`
		Properties map[string]any `json:"properties"`
	}
	configuration struct {
		Level string `json:"level"`
	}
	tail struct {
		Tool        tool         `json:"tool"`
		Automation  *automation  `json:"automationDetails,omitempty"`
		Invocations []invocation `json:"invocations"`
	}
	tool struct {
		Driver driver `json:"driver"`
	}
	driver struct {
		Name           string `json:"name"`
		Version        string `json:"version,omitempty"`
		InformationURI string `json:"informationUri"`
		Rules          []rule `json:"rules"`
	}
	automation struct {
		ID string `json:"id"`
	}
	invocation struct {
		Successful    bool           `json:"executionSuccessful"`
		Start         string         `json:"startTimeUtc,omitempty"`
		End           string         `json:"endTimeUtc,omitempty"`
		Machine       string         `json:"machine,omitempty"`
		Notifications []notification `json:"toolExecutionNotifications"`
	}
	notification struct {
		Level      string     `json:"level"`
		Message    message    `json:"message"`
		Descriptor reference  `json:"descriptor"`
		Locations  []location `json:"locations,omitempty"`
	}
	reference struct {
		ID string `json:"id"`
	}
	location struct {
		Physical *physical `json:"physicalLocation,omitempty"`
		Logical  []logical `json:"logicalLocations,omitempty"`
		Message  *message  `json:"message,omitempty"`
	}
	logical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
	physical struct {
		Artifact artifact `json:"artifactLocation"`
		Region   *region  `json:"region,omitempty"`
	}
	artifact struct {
		URI string `json:"uri"`
	}
	region struct {
		Offset  int64    `json:"byteOffset"`
		Length  int64    `json:"byteLength"`
		Snippet *snippet `json:"snippet,omitempty"`
	}
	snippet struct {
		Binary []byte `json:"binary"` // base64
	}
	suppression struct {
		Kind          string         `json:"kind"`
		Status        string         `json:"status"`
		Justification string         `json:"justification"`
		Properties    map[string]any `json:"properties"`
	}
	result struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Kind         string            `json:"kind"`
		Level        string            `json:"level"`
		Message      message           `json:"message"`
		Locations    []location        `json:"locations"`
		Fingerprints map[string]string `json:"fingerprints,omitempty"`
		Suppressions []suppression     `json:"suppressions"`
		Properties   map[string]any    `json:"properties"`
	}
)

func shown[S ~string](s S) string { return besra.Text(s).Printable() }

// levels are SARIF's words for severities.
var levels = map[besra.Severity]string{besra.SeverityHigh: "error", besra.SeverityMedium: "warning", besra.SeverityLow: "note", besra.SeverityInformational: "note"}

func level(s besra.Severity) string {
	if l, ok := levels[s]; ok {
		return l
	}
	return "warning"
}

// scores are what code hosts order results by, 0 to 10.
var scores = map[besra.Severity]string{besra.SeverityHigh: "8.0", besra.SeverityMedium: "5.5", besra.SeverityLow: "3.0", besra.SeverityInformational: "1.0"}

// rule returns the index of a finding's rule and notes the rule.
func (r *run) rule(f *besra.Finding) int {
	id := ruleID(f)
	if n, ok := r.index[id]; ok {
		return n
	}
	n := len(r.rules)
	r.index[id] = n
	out := rule{ID: id, Name: shown(f.Rule.Name), Full: message{description(f)}, Help: message{help(f)}, Default: configuration{level(f.AuthorSeverity)}, Properties: map[string]any{
		"tags": tags(f.Rule.Tags), "author": shown(f.Rule.Author), "license": shown(f.Rule.License), "source": shown(f.Rule.Source)}}
	if f.Detection.Title != "" {
		out.Short = &message{shown(f.Detection.Title)}
	}
	if score, ok := scores[f.AuthorSeverity]; ok {
		out.Properties["security-severity"] = score
	}
	if u, err := url.Parse(f.Rule.Source); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		out.HelpURI = u.String()
	}
	r.rules = append(r.rules, out)
	return n
}

// tags are those of a rule and what kind of rule it is, each once.
func tags(list []string) []string {
	out := []string{"yara"}
	for _, s := range list {
		if tag := shown(s); !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	return out
}

// description is what the detection takes for granted or, where nobody has
// written that down, its title.
func description(f *besra.Finding) string {
	return orElse(shown(f.Detection.Hypothesis), orElse(shown(f.Detection.Title), ruleID(f)))
}

// help says what to do about a finding, and whose rule it is.
func help(f *besra.Finding) string {
	parts := []string{}
	for _, s := range slices.Concat(f.Detection.Questions, f.Detection.References, []string{f.Rule.Author, f.Rule.License, f.Rule.Source}) {
		if s != "" {
			parts = append(parts, shown(s))
		}
	}
	return orElse(strings.Join(parts, "\n"), ruleID(f))
}

// ruleID names a rule; with its detection where that has another name.
func ruleID(f *besra.Finding) string {
	id := shown(f.Rule.Name)
	if f.Detection.ID != "" {
		id = shown(f.Detection.ID) + "/" + id
	}
	if id == "" {
		return "unnamed"
	}
	return id
}

func resultOf(f *besra.Finding, index int) result {
	r := result{RuleID: ruleID(f), RuleIndex: index, Kind: "fail", Level: level(f.Severity), Message: message{text(f)},
		Locations: locations(f), Suppressions: []suppression{}, Properties: properties(f)}
	if f.ID != "" {
		r.Fingerprints = map[string]string{"besra/v1": shown(f.ID)}
	}
	if s := f.Suppression; s != nil && f.Verdict == besra.VerdictSuppressed {
		r.Suppressions = append(r.Suppressions, suppression{"external", "accepted", shown(s.Reason), map[string]any{
			"exclusion": shown(s.Exclusion), "scenario": shown(s.Scenario), "owner": shown(s.Owner), "ticket": shown(s.Ticket), "expires": shown(s.Expires)}})
	}
	return r
}

func text(f *besra.Finding) string {
	t := fmt.Sprintf("%s: rule %s matches %s", f.Detection.Title, f.Rule.Name, f.Target.Name)
	if f.Verdict == besra.VerdictUndecided {
		for _, d := range f.Decisions {
			if d.Outcome == besra.OutcomeUnknown {
				t += ". " + d.Exclusion + ": " + d.Why
			}
		}
	}
	return shown(t)
}

func properties(f *besra.Finding) map[string]any {
	return map[string]any{"verdict": shown(f.Verdict), "severity": shown(f.Severity), "host": shown(f.Host), "context": shown(f.Target.Context),
		"sha256": shown(f.Target.SHA256), "size": f.Target.Size, "time": f.Time.UTC().Format(time.RFC3339Nano), "author": shown(f.Rule.Author), "license": shown(f.Rule.License)}
}

// locations has one for each match that the finding holds, and one for the
// target where it holds none.
func locations(f *besra.Finding) []location {
	where := artifact{uri(f.Target.Name)}
	var out []location
	for _, p := range f.Patterns {
		for _, m := range p.Matches {
			if m.Offset < 0 || m.Length < 0 {
				continue
			}
			reg := &region{Offset: m.Offset, Length: m.Length}
			if len(m.Data) > 0 {
				reg.Snippet = &snippet{m.Data}
			}
			out = append(out, location{Physical: &physical{where, reg}, Message: &message{"pattern " + shown(p.ID)}})
		}
	}
	if out == nil {
		out = []location{{Physical: &physical{Artifact: where}}}
	}
	return out
}

// uri names a target: an absolute path as a file URI, anything else as a
// relative reference. Any bytes are escaped.
func uri(name besra.Text) string {
	parts := strings.Split(string(name), "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	path := strings.Join(parts, "/")
	if strings.HasPrefix(path, "/") {
		return "file://" + path
	}
	if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ":") {
		return "./" + path // a colon would make it a scheme
	}
	return path
}

func (r *run) gap(g *besra.Gap) {
	if len(r.gaps) == maxGaps {
		r.more++
		return
	}
	lvl := "error"
	if g.Kind == besra.GapSkip {
		lvl = "note"
	}
	text := fmt.Sprintf("%s: %s", g.Kind, g.Reason)
	if g.Detail != "" {
		text += ": " + g.Detail
	}
	if g.Count > 1 {
		text += fmt.Sprintf(" (%d targets)", g.Count)
	}
	r.gaps = append(r.gaps, notification{lvl, message{shown(text)}, reference{"besra/" + orElse(shown(g.Reason), "gap")},
		[]location{{Physical: &physical{Artifact: artifact{uri(g.Target)}}}}})
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// tail is what a log has behind the results of a run.
func (r *run) tail() tail {
	inv := invocation{Notifications: append([]notification{}, r.gaps...)}
	if r.more > 0 {
		inv.Notifications = append(inv.Notifications, notification{"warning", message{fmt.Sprintf("%d more gaps are not listed", r.more)}, reference{"besra/more"}, nil})
	}
	if r.summary == nil {
		inv.Notifications = append(inv.Notifications, notification{"error", message{"the run has no summary: it was stopped, and what it did not look at is not known"}, reference{"besra/unfinished"}, nil})
	} else {
		inv.Successful = r.summary.Complete
	}
	t := tail{Tool: tool{driver{Name: "Besra", InformationURI: "https://github.com/besra-hunt/besra", Rules: append([]rule{}, r.rules...)}}}
	if h := r.head; h != nil {
		t.Tool.Driver.Version = shown(h.Version)
		inv.Machine = shown(h.Host)
		if y := h.Started.UTC().Year(); y > 1 && y <= 9999 {
			inv.Start = h.Started.UTC().Format(time.RFC3339Nano)
			if r.summary != nil {
				inv.End = h.Started.Add(r.summary.Duration).UTC().Format(time.RFC3339Nano)
			}
		}
		if h.ID != "" {
			t.Automation = &automation{"besra/" + shown(h.ID)}
		}
	}
	t.Invocations = []invocation{inv}
	return t
}
