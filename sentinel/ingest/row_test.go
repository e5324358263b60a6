package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion/kql"
	"github.com/besra-hunt/besra/sink/sinktest"
)

// TestColumns holds the row to the table: every column is made by a fact or by a
// function, and no function is left over.
func TestColumns(t *testing.T) {
	byFunction := 0
	for _, c := range kql.Findings().Columns {
		_, ok := values[c.Name]
		if ok {
			byFunction++
		}
		if ok == (c.Fact != "") {
			t.Errorf("column %s: made by the fact %q and by a function: %v", c.Name, c.Fact, ok)
		}
		if def, known := besra.FactNamed(c.Fact); c.Fact != "" && (!known || !fitsType(example(def.Type), c.Type)) {
			t.Errorf("column %s of type %s holds the fact %s of type %s", c.Name, c.Type, c.Fact, def.Type)
		}
	}
	if byFunction != len(values) {
		t.Errorf("%d functions make columns, of %d", byFunction, len(values))
	}
}

func example(t besra.FactType) any {
	return map[besra.FactType]any{besra.TypeString: "", besra.TypeInt: int64(0), besra.TypeTimestamp: time.Time{}, besra.TypeStrings: []string{}}[t]
}

// TestTypes encodes records full of everything, and holds each value to its
// column's type.
func TestTypes(t *testing.T) {
	types := map[string]kql.Type{}
	for _, c := range kql.Findings().Columns {
		types[c.Name] = c.Type
	}
	seen := map[string]bool{}
	e := NewEncoder()
	for _, r := range append(sinktest.Rich(), full()...) {
		row := encode(t, e, r)
		for name, v := range row {
			seen[name] = true
			if err := typed(types[name], v); err != nil {
				t.Errorf("column %s: %v", name, err)
			}
		}
	}
	delete(types, "Trimmed")
	for name := range types {
		if !seen[name] {
			t.Errorf("no record has the column %s", name)
		}
	}
}

func typed(want kql.Type, v any) error {
	ok := false
	switch want {
	case kql.String:
		_, ok = v.(string)
	case kql.Long:
		n, is := v.(json.Number)
		_, err := n.Int64()
		ok = is && err == nil
	case kql.DateTime:
		s, is := v.(string)
		_, err := time.Parse(time.RFC3339Nano, s)
		ok = is && err == nil
	case kql.Dynamic:
		switch v.(type) {
		case []any, map[string]any:
			ok = true
		}
	}
	if !ok {
		return fmt.Errorf("%v (%T) is no %s", v, v, want)
	}
	return nil
}

func encode(t *testing.T, e *Encoder, r besra.Record) map[string]any {
	t.Helper()
	line, err := e.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	if line == nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var row map[string]any
	if err := d.Decode(&row); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	return row
}

// full returns a run, and a finding with every fact of the vocabulary.
func full() []besra.Record {
	f := besra.Finding{ID: "f1", Run: "r1", Time: time.Date(2026, 3, 1, 2, 3, 4, 5, time.FixedZone("x", 3600)), Host: "web1",
		Verdict: besra.VerdictSuppressed, Severity: besra.SeverityLow, AuthorSeverity: besra.SeverityHigh,
		Detection: besra.DetectionRef{ID: "d", Version: "1", Title: "t", Pack: "p", Status: "stable", Confidence: 70, Hypothesis: "h",
			Attack: &besra.AttackRef{Tactics: []string{"TA0005", "TA0010"}, Techniques: []string{"T1027"}}},
		Rule:        besra.RuleRef{Name: "R", Tags: []string{"a"}, Author: "au", License: "li", Source: "so"},
		Target:      besra.TargetRef{Name: "/srv/x\xff.py", Context: besra.ContextFile, Size: 12, SHA256: "ab"},
		Patterns:    []besra.PatternHits{{ID: "$a", Count: 3, Matches: []besra.Match{{Offset: 1, Length: 2, Data: []byte("\x00b")}}}},
		Suppression: &besra.Suppression{Exclusion: "x1", Reason: "because"},
		Decisions:   []besra.Decision{{Exclusion: "x1", Outcome: besra.OutcomeTrue}}}
	for _, def := range besra.Vocabulary() {
		v := example(def.Type)
		switch def.Type {
		case besra.TypeStrings:
			v = []string{"one"}
		case besra.TypeString:
			v = besra.Text(def.Name)
		case besra.TypeBool:
			v = true
		}
		f.Facts = append(f.Facts, besra.Fact{Name: def.Name, Value: v, Grade: besra.GradeVerified})
	}
	f.Facts = append(f.Facts, besra.Fact{Name: "file.unknown"})
	return []besra.Record{{Type: besra.RecordRun, Run: &besra.Run{ID: "r1", Version: "1.2.3"}}, {Type: besra.RecordFinding, Finding: &f}}
}

func TestRow(t *testing.T) {
	e := NewEncoder()
	recs := full()
	encode(t, e, recs[0])
	row := encode(t, e, recs[1])
	for name, want := range map[string]string{"TimeGenerated": "2026-03-01T01:03:04.000000005Z", "SensorVersion": "1.2.3", "Severity": "Low", "AuthorSeverity": "High",
		"Tactics": "[DefenseEvasion Exfiltration]", "Disposition": "BenignPositive", "ExclusionId": "x1", "ExclusionReason": "because", "TargetName": `/srv/x\xff.py`,
		"FilePath": "file.path", "Confidence": "70", "Verdict": "suppressed"} {
		if got := fmt.Sprint(row[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if bag := row["Facts"].(map[string]any); bag["process.pid"] != json.Number("0") || bag["file.world_writable"] != true || len(bag) != len(besra.Vocabulary()) {
		t.Errorf("the facts are %v", bag)
	}
	recs[1].Finding.Facts, recs[1].Finding.Verdict = nil, besra.VerdictAlert
	recs[1].Finding.Run = "another"
	row = encode(t, e, recs[1])
	for name, want := range map[string]string{"FilePath": `/srv/x\xff.py`, "FileDirectory": "/srv", "FileName": `x\xff.py`, "SHA256": "ab", "FileSize": "12",
		"HostName": "web1", "MatchCount": "3", "MatchPatterns": "[$a]", "Disposition": "Undetermined", "FileOwner": "<nil>", "SensorVersion": "<nil>"} {
		if got := fmt.Sprint(row[name]); got != want {
			t.Errorf("without facts %s is %s, want %s", name, got, want)
		}
	}
}

func TestNoSuppressed(t *testing.T) {
	e := NewEncoder()
	e.NoSuppressed = true
	for _, r := range full() {
		if row := encode(t, e, r); row != nil {
			t.Errorf("got %v", row)
		}
	}
	if e.LeftOut != 1 {
		t.Errorf("%d left out, want 1", e.LeftOut)
	}
}

// TestTrim makes fields and rows too long.
func TestTrim(t *testing.T) {
	long := strings.Repeat("日", 1<<15)
	for _, x := range []struct {
		name string
		make func(f *besra.Finding)
		want string
	}{
		{"a string", func(f *besra.Finding) { f.Detection.Hypothesis = long }, "[Hypothesis]"},
		{"many patterns", func(f *besra.Finding) { f.Patterns, f.Facts = patterns(5000, 10), nil }, "[MatchPatterns Patterns]"},
		{"many matches", func(f *besra.Finding) { f.Patterns = patterns(500, 100) }, "[Patterns]"},
		{"a decision", func(f *besra.Finding) { f.Decisions[0].Why = long }, "[Decisions]"},
		{"a fact", func(f *besra.Finding) {
			f.Facts = append(f.Facts, besra.Fact{Name: "process.cmdline2", Value: besra.Text(long), Grade: besra.GradeWeak})
		}, "[Facts]"},
		{"everything", func(f *besra.Finding) {
			control := strings.Repeat("\x01", 80_000)
			f.Patterns = patterns(500, 100)
			f.Detection.Hypothesis, f.Detection.Title, f.Rule.Author, f.Rule.Source, f.Rule.License = control, control, control, control, control
		}, "[DetectionTitle Hypothesis Patterns RuleAuthor RuleLicense RuleSource]"},
	} {
		t.Run(x.name, func(t *testing.T) {
			e := NewEncoder()
			r := full()[1]
			x.make(r.Finding)
			line, err := e.Encode(r)
			if err != nil || len(line) > MaxRow {
				t.Fatalf("%d bytes, %v", len(line), err)
			}
			row := encode(t, e, r)
			if got := fmt.Sprint(row["Trimmed"]); got != x.want {
				t.Errorf("trimmed %s, want %s", got, x.want)
			}
			for name, v := range row {
				text, _ := json.Marshal(v)
				if s, ok := v.(string); ok {
					text = []byte(s)
				}
				if len(text) > 64<<10 || !bytes.Equal(bytes.ToValidUTF8(text, nil), text) {
					t.Errorf("%s has %d bytes", name, len(text))
				}
			}
			if e.Trimmed != 2 || row["FindingId"] != "f1" {
				t.Errorf("%d rows counted as trimmed, want 2", e.Trimmed)
			}
		})
	}
}

func patterns(n, matches int) []besra.PatternHits {
	list := make([]besra.PatternHits, n)
	for i := range list {
		list[i] = besra.PatternHits{ID: fmt.Sprintf("$pattern_number_%d", i), Count: matches}
		for range matches {
			list[i].Matches = append(list[i].Matches, besra.Match{Data: []byte(strings.Repeat("z", 200))})
		}
	}
	return list
}

func BenchmarkEncode(b *testing.B) {
	e := NewEncoder()
	recs := full()
	for b.Loop() {
		line, _ := e.Encode(recs[1])
		b.SetBytes(int64(len(line)))
	}
}
