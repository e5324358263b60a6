package scan

import (
	"context"
	"errors"
	"testing"

	"github.com/besra-hunt/besra"
)

// TestAnswer holds the run to telling what it found in one target, at every
// depth, to who waits for it, and nothing of other targets.
func TestAnswer(t *testing.T) {
	tests := []struct {
		name    string
		target  besra.Target
		matches int64
		missed  int64
		worst   besra.Severity // empty where nothing is left
	}{
		{"clean", target("t", "", "nothing"), 0, 0, ""},
		{"found", target("t", "", "marker"), 1, 0, besra.SeverityHigh},
		{"suppressed", target("t", "good", "marker"), 1, 0, ""},
		{"downgraded", target("t", "lesser", "marker"), 1, 0, besra.SeverityLow},
		{"inside", target("t", "", "box\nbox%a marker\nb marker"), 4, 0, besra.SeverityHigh}, // each box holds the bytes, too
		{"not to the end", target("t", "", "box\na marker\nbroken"), 2, 1, besra.SeverityHigh},
		{"not opened", failing("t", errors.New("no")), 0, 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []besra.Answer
			tt.target.Done = func(a besra.Answer) { got = append(got, a) }
			h := &Hunt{Set: testSet(t), Sink: &keep{}, Expanders: []besra.Expander{lines{}},
				Source: list{targets: []besra.Target{target("before", "", "marker"), tt.target, target("after", "", "marker")}}}
			if _, err := h.Execute(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 {
				t.Fatalf("got %d answers, want one", len(got))
			}
			a := got[0]
			worst := besra.Severity("")
			if a.Worst != nil {
				worst = a.Worst.Severity
			}
			if a.Matches != tt.matches || a.Missed != tt.missed || worst != tt.worst {
				t.Errorf("got %d matches, %d missed, worst %q, want %d, %d, %q", a.Matches, a.Missed, worst, tt.matches, tt.missed, tt.worst)
			}
		})
	}
}

// TestAnswerOfInterrupted wants an answer for a target that was taken and
// never looked at.
func TestAnswerOfInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	waiting := target("t", "", "marker")
	var got []besra.Answer
	waiting.Done = func(a besra.Answer) { got = append(got, a) }
	first := target("first", "", "x")
	first.Open = func(context.Context) (besra.Content, error) { cancel(); return memory("x"), nil }
	h := &Hunt{Set: testSet(t), Sink: &keep{}, Source: list{targets: []besra.Target{first, waiting}}}
	if _, err := h.Execute(ctx); err != nil {
		t.Fatal(err)
	}
	if len(got) > 1 || len(got) == 1 && (got[0].Missed != 1 || got[0].Gaps[0].Reason != "interrupted") {
		t.Errorf("got %+v, want the interruption told", got)
	}
}

// TestAnswerIsBounded wants no more findings kept than the limit, and the worst
// of all of them.
func TestAnswerIsBounded(t *testing.T) {
	var a besra.Answer
	for range besra.AnswerLimit + 5 {
		a.AddFinding(&besra.Finding{Severity: besra.SeverityLow})
		a.AddGap(besra.Gap{Count: 2})
	}
	a.AddFinding(&besra.Finding{Severity: besra.SeverityHigh, Verdict: besra.VerdictSuppressed})
	a.AddFinding(&besra.Finding{Severity: besra.SeverityMedium})
	if len(a.Findings) != besra.AnswerLimit || len(a.Gaps) != besra.AnswerLimit {
		t.Errorf("got %d findings and %d gaps, want %d", len(a.Findings), len(a.Gaps), besra.AnswerLimit)
	}
	if a.Matches != besra.AnswerLimit+7 || a.Missed != 2*(besra.AnswerLimit+5) || a.Worst.Severity != besra.SeverityMedium {
		t.Errorf("got %d matches, %d missed, worst %s", a.Matches, a.Missed, a.Worst.Severity)
	}
}
