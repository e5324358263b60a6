package report_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/report"
)

// BenchmarkRead is what a command pays for each finding of a record.
func BenchmarkRead(b *testing.B) {
	f := besra.Finding{ID: "0123456789abcdef", Run: "r", Time: time.Unix(1e9, 0), Host: "h", Verdict: besra.VerdictAlert,
		Detection: besra.DetectionRef{ID: "d", Title: "A title", Pack: "p", Hypothesis: "A statement of some length, as they have it."},
		Rule:      besra.RuleRef{Name: "r", Author: "a", License: "l", Meta: []besra.Meta{{Key: "date", Value: besra.Text("2016-08-16")}, {Key: "score", Value: int64(75)}}},
		Target:    besra.TargetRef{Name: "/a/b", Context: besra.ContextFile, Size: 7}}
	for range 3 {
		f.Patterns = append(f.Patterns, besra.PatternHits{ID: "$a", Count: 1, Matches: []besra.Match{{Offset: 7, Length: 26, Before: make([]byte, 32), Data: make([]byte, 26), After: make([]byte, 32)}}})
	}
	for _, d := range besra.Vocabulary()[:24] {
		f.Facts = append(f.Facts, besra.Fact{Name: d.Name, Value: besra.Text("/some/value"), Source: "stat", Grade: besra.GradeVerified})
	}
	line, err := json.Marshal(besra.Record{Type: besra.RecordFinding, Finding: &f})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range report.Read(bytes.NewReader(line)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
