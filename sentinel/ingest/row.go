// Package ingest brings findings to Microsoft Sentinel by the Logs Ingestion
// API. [Encoder] makes a row of the findings' table of each; [Upload] sends rows
// and knows what the service's answers mean; [Shipper] delivers what waits in a
// spool, and [Conn] does both beside a hunt, which it never holds up.
package ingest

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/detection/attack"
	"github.com/besra-hunt/besra/exclusion/kql"
)

// Encoder makes rows of the findings of runs. It belongs to one goroutine, and
// is given the records of a run in order.
type Encoder struct {
	// NoSuppressed leaves out findings that an exclusion suppressed.
	NoSuppressed bool
	// Trimmed counts rows of which something was cut to fit the limits, and
	// LeftOut those left out.
	Trimmed, LeftOut int64

	columns []kql.Column
	run     besra.Run
	facts   map[string]besra.Fact // of the finding at hand, those that are known
	cells   []cell                // of the finding at hand
	buf     []byte                // their JSON
}

// NewEncoder returns an encoder.
func NewEncoder() *Encoder {
	return &Encoder{columns: kql.Findings().Columns, facts: map[string]besra.Fact{}}
}

// Encode returns the row of a finding as a JSON object of less than [MaxRow]
// bytes, and nothing for other records.
func (e *Encoder) Encode(r besra.Record) ([]byte, error) {
	if r.Run != nil {
		e.run = *r.Run
	}
	f := r.Finding
	if f == nil {
		return nil, nil
	}
	if e.NoSuppressed && f.Verdict == besra.VerdictSuppressed {
		e.LeftOut++
		return nil, nil
	}
	src := source{f: f, version: e.version(f), facts: e.known(f), buf: e.buf[:0]}
	cells := e.cells[:0]
	for _, c := range e.columns {
		v := src.value(c)
		if v == nil {
			continue
		}
		from, err := len(src.buf), error(nil)
		if src.buf, err = appendJSON(src.buf, v); err != nil {
			return nil, fmt.Errorf("finding %s: column %s: %w", f.ID, c.Name, err)
		}
		cells = append(cells, cell{c.Name, v, src.buf[from:len(src.buf):len(src.buf)]})
	}
	e.cells, e.buf = cells, src.buf
	row, trimmed := fit(cells)
	if trimmed {
		e.Trimmed++
	}
	return row, nil
}

// version is that of the sensor, where the finding's own run is known.
func (e *Encoder) version(f *besra.Finding) string {
	if e.run.ID != f.Run {
		return ""
	}
	return e.run.Version
}

// source is a finding that the values of columns are taken from.
type source struct {
	f       *besra.Finding
	version string
	facts   map[string]besra.Fact
	buf     []byte // JSON made so far; what lies in it stays
}

// known indexes the facts that have a value.
func (e *Encoder) known(f *besra.Finding) map[string]besra.Fact {
	clear(e.facts)
	for _, fact := range f.Facts {
		if fact.Known() {
			e.facts[fact.Name] = fact
		}
	}
	return e.facts
}

// value returns the value of a column: a string, int64, time.Time, []string or
// another value for a dynamic column; nil where there is none.
func (s *source) value(c kql.Column) any {
	if c.Fact != "" {
		if fact, ok := s.facts[c.Fact]; ok {
			if v := factValue(fact.Value); fitsType(v, c.Type) {
				return v
			}
		}
		return s.fallback(c.Fact)
	}
	make, ok := values[c.Name]
	if !ok {
		return nil
	}
	return make(s)
}

// factValue returns the value of a fact as a cell takes it.
func factValue(v any) any {
	switch v := v.(type) {
	case besra.Text:
		return text(v)
	case string:
		return text(besra.Text(v))
	case []string:
		if !slices.ContainsFunc(v, func(s string) bool { return !utf8.ValidString(s) }) {
			return v
		}
		out := make([]string, len(v))
		for i, s := range v {
			out[i] = text(besra.Text(s))
		}
		return out
	}
	return v
}

// text returns a text as it is where it is UTF-8, since exclusions compare it in
// Sentinel, too, and in printable form where it is not.
func text(t besra.Text) string {
	if utf8.ValidString(string(t)) {
		return string(t)
	}
	return t.Printable()
}

func fitsType(v any, t kql.Type) bool {
	switch v.(type) {
	case string:
		return t == kql.String
	case int64:
		return t == kql.Long
	case time.Time:
		return t == kql.DateTime
	case []string:
		return t == kql.Dynamic
	}
	return false
}

// fallback returns the value of a fact that was not recorded, where the finding
// itself says it.
func (s *source) fallback(fact string) any {
	f := s.f
	switch fact {
	case "host.name":
		return some(f.Host)
	case "file.path", "file.dir", "file.name":
		return s.pathPart(fact)
	case "file.size":
		if f.Target.Size >= 0 {
			return f.Target.Size
		}
	case "file.sha256":
		return some(f.Target.SHA256)
	case "rule.name":
		return some(f.Rule.Name)
	case "rule.tags":
		return someOf(f.Rule.Tags)
	case "match.patterns":
		return someOf(patternIDs(f.Patterns))
	case "match.count":
		n := int64(0)
		for _, p := range f.Patterns {
			n += int64(p.Count)
		}
		return n
	}
	return nil
}

// pathPart takes the path of a file from the target's name.
func (s *source) pathPart(fact string) any {
	if s.f.Target.Context != besra.ContextFile || s.f.Target.Name == "" {
		return nil
	}
	p := text(s.f.Target.Name)
	if known, ok := s.facts["file.path"]; ok {
		p, _ = factValue(known.Value).(string)
	}
	switch fact {
	case "file.dir":
		return some(path.Dir(p))
	case "file.name":
		return some(path.Base(p))
	}
	return some(p)
}

// some returns nil for an empty string: an empty cell is not sent.
func some(s string) any {
	if s == "" {
		return nil
	}
	return text(besra.Text(s))
}

func someOf(list []string) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

func patternIDs(hits []besra.PatternHits) []string {
	var ids []string
	for _, h := range hits {
		ids = append(ids, h.ID)
	}
	return ids
}

// Dispositions of rows, in the words of Sentinel's classifications.
const (
	Undetermined   = "Undetermined"
	BenignPositive = "BenignPositive"
)

// values make the columns that hold no fact.
var values = map[string]func(*source) any{
	"TimeGenerated":    func(s *source) any { return s.f.Time },
	"FindingId":        func(s *source) any { return some(s.f.ID) },
	"RunId":            func(s *source) any { return some(s.f.Run) },
	"SensorVersion":    func(s *source) any { return some(s.version) },
	"Context":          func(s *source) any { return some(string(s.f.Target.Context)) },
	"TargetName":       func(s *source) any { return some(string(s.f.Target.Name)) },
	"DetectionId":      func(s *source) any { return some(s.f.Detection.ID) },
	"DetectionVersion": func(s *source) any { return some(s.f.Detection.Version) },
	"DetectionTitle":   func(s *source) any { return some(s.f.Detection.Title) },
	"DetectionStatus":  func(s *source) any { return some(s.f.Detection.Status) },
	"Hypothesis":       func(s *source) any { return some(s.f.Detection.Hypothesis) },
	"Pack":             func(s *source) any { return some(s.f.Detection.Pack) },
	"RuleAuthor":       func(s *source) any { return some(s.f.Rule.Author) },
	"RuleLicense":      func(s *source) any { return some(s.f.Rule.License) },
	"RuleSource":       func(s *source) any { return some(s.f.Rule.Source) },
	"Severity":         func(s *source) any { return some(Severity(s.f.Severity)) },
	"AuthorSeverity":   func(s *source) any { return some(Severity(s.f.AuthorSeverity)) },
	"Confidence":       (*source).confidence,
	"Tactics":          (*source).tactics,
	"Techniques":       (*source).techniques,
	"Patterns":         (*source).patterns,
	"Verdict":          func(s *source) any { return some(string(s.f.Verdict)) },
	"Disposition":      func(s *source) any { return disposition(s.f) },
	"ExclusionId":      func(s *source) any { return some(s.suppression().Exclusion) },
	"ExclusionReason":  func(s *source) any { return some(s.suppression().Reason) },
	"Decisions":        (*source).decisions,
	"Facts":            (*source).factBag,
	"Trimmed":          func(*source) any { return nil }, // set where something is
}

// Severity returns a severity in Sentinel's words: Informational, Low, Medium,
// High; another word as it is.
func Severity(s besra.Severity) string {
	if s.Rank() < 0 {
		return string(s)
	}
	return strings.ToUpper(string(s[:1])) + string(s[1:])
}

func disposition(f *besra.Finding) string {
	if f.Verdict == besra.VerdictSuppressed {
		return BenignPositive
	}
	return Undetermined
}

func (s *source) suppression() besra.Suppression {
	if s.f.Suppression == nil {
		return besra.Suppression{}
	}
	return *s.f.Suppression
}

func (s *source) confidence() any {
	if s.f.Detection.Confidence == 0 {
		return nil
	}
	return int64(s.f.Detection.Confidence)
}

func (s *source) tactics() any {
	if s.f.Detection.Attack == nil {
		return nil
	}
	return someOf(attack.SentinelTactics(s.f.Detection.Attack.Tactics))
}

func (s *source) techniques() any {
	if s.f.Detection.Attack == nil {
		return nil
	}
	return someOf(s.f.Detection.Attack.Techniques)
}

// Bounds of what a row shows of the matches of one pattern.
const (
	maxMatches = 5
	maxExcerpt = 128 // bytes
)

type patternCell struct {
	ID      string      `json:"id"`
	Count   int         `json:"count"`
	Matches []matchCell `json:"matches,omitempty"`
}

type matchCell struct {
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
	XorKey *byte  `json:"xor_key,omitempty"`
	Data   string `json:"data"` // printable
}

func (s *source) patterns() any {
	list := make([]patternCell, 0, len(s.f.Patterns))
	for _, p := range s.f.Patterns {
		out := patternCell{ID: p.ID, Count: p.Count}
		for _, m := range p.Matches[:min(len(p.Matches), maxMatches)] {
			data := besra.Text(m.Data[:min(len(m.Data), maxExcerpt)]).Printable()
			out.Matches = append(out.Matches, matchCell{m.Offset, m.Length, m.XorKey, data})
		}
		list = append(list, out)
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

func (s *source) decisions() any {
	if len(s.f.Decisions) == 0 {
		return nil
	}
	return s.f.Decisions
}

// factBag holds every fact that is known, by its name, in the finding's order.
func (s *source) factBag() any {
	bag := make([]fact, 0, len(s.facts))
	for _, f := range s.f.Facts {
		if !f.Known() {
			continue
		}
		from, err := len(s.buf), error(nil)
		if s.buf, err = appendJSON(s.buf, factValue(f.Value)); err == nil {
			bag = append(bag, fact{f.Name, s.buf[from:len(s.buf):len(s.buf)]})
		}
	}
	if len(bag) == 0 {
		return nil
	}
	return bag
}
