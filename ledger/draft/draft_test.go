package draft

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/ledger"
)

// found is a finding with its facts, as NAME=VALUE of the grade verified, or
// weak after a question mark.
type found struct {
	mark  ledger.Disposition
	facts string
}

const (
	benign = ledger.Benign
	bad    = ledger.TruePositive
	open   = ledger.Disposition("")
)

// history writes findings to a ledger and reads it back.
func history(t *testing.T, list []found) *ledger.History {
	t.Helper()
	name := filepath.Join(t.TempDir(), "l")
	l, err := ledger.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	sink := l.Sink()
	write := func(r besra.Record) {
		if err := sink.Write(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	write(besra.Record{Type: besra.RecordRun, Run: &besra.Run{ID: "r"}})
	for n, x := range list {
		f := besra.Finding{ID: fmt.Sprintf("f%02d", n), Run: "r", Time: time.Unix(int64(n), 0), Verdict: besra.VerdictAlert, Severity: besra.SeverityHigh,
			Detection: besra.DetectionRef{ID: "d"}, Target: besra.TargetRef{Context: besra.ContextFile, Size: -1}}
		for _, text := range strings.Fields(x.facts) {
			name, value, _ := strings.Cut(text, "=")
			grade := besra.GradeVerified
			if v, weak := strings.CutPrefix(value, "?"); weak {
				value, grade = v, besra.GradeWeak
			}
			f.Facts = append(f.Facts, besra.Fact{Name: name, Value: valueOf(value), Grade: grade})
		}
		write(besra.Record{Type: besra.RecordFinding, Finding: &f})
		if x.mark != open {
			if err := l.Mark(ledger.Mark{Finding: f.ID, Disposition: x.mark}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	h, err := ledger.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func valueOf(text string) any {
	switch {
	case text == "true" || text == "false":
		return text == "true"
	case strings.Contains(text, ","):
		return strings.Split(text, ",")
	}
	return besra.Text(text)
}

func compile(_ string, s exclusion.Spec) (*exclusion.Exclusion, error) {
	x, problems := exclusion.Compile(s, exclusion.Options{})
	if x == nil {
		return nil, errors.New(problems[0].Message)
	}
	return x, nil
}

func TestPropose(t *testing.T) {
	for _, x := range []struct {
		name  string
		found []found
		when  string
		down  bool
	}{
		{"a directory and an owner", []found{
			{benign, "file.path=?/opt/job/a.py file.owner.name=svc"}, {benign, "file.path=?/opt/job/b/c.py file.owner.name=svc"},
			{benign, "file.path=?/opt/job/b/d.py file.owner.name=svc"}, {bad, "file.path=?/opt/job/x.py file.owner.name=www"}, {bad, "file.path=?/tmp/x.py file.owner.name=svc"},
			{open, "file.path=?/opt/job/z.py file.owner.name=www"},
		}, `file.path in ["/opt/job/a.py", "/opt/job/b/c.py", "/opt/job/b/d.py"] && file.owner.name == "svc"`, false},
		{"too many to name", []found{
			{benign, "file.path=?/opt/job/1 file.owner.name=svc"}, {benign, "file.path=?/opt/job/2 file.owner.name=svc"}, {benign, "file.path=?/opt/job/3 file.owner.name=svc"},
			{benign, "file.path=?/opt/job/4 file.owner.name=svc"}, {benign, "file.path=?/opt/job/5 file.owner.name=svc"}, {benign, "file.path=?/opt/job/6 file.owner.name=svc"},
			{benign, "file.path=?/opt/job/7 file.owner.name=svc"}, {benign, "file.path=?/opt/job/8 file.owner.name=svc"}, {benign, "file.path=?/opt/job/9 file.owner.name=svc"},
			{bad, "file.path=?/opt/job/x file.owner.name=www"}, {bad, "file.path=?/tmp/x file.owner.name=svc"},
		}, `file.path.under("/opt/job") && file.owner.name == "svc"`, false},
		{"only weak facts", []found{{benign, "file.path=?/opt/job/a host.tags=build,web"}, {bad, "file.path=?/tmp/a host.tags=web"}},
			`file.path == "/opt/job/a" && "build" in host.tags`, false},
		{"forgeable", []found{{benign, "file.path=?/opt/job/a file.origin_host=?x.example"}, {bad, "file.path=?/tmp/a file.origin_host=?x.example"}},
			`file.path == "/opt/job/a" && file.origin_host == "x.example"`, true},
		{"the same facts", []found{{benign, "file.owner.name=svc package.verified=true"}, {bad, "file.owner.name=svc package.verified=true"}}, "", false},
		{"one fact", []found{{benign, "file.owner.name=svc"}, {bad, "file.owner.name=www"}}, "", false},
		{"a fact that one lacks", []found{{benign, "file.owner.name=svc package.verified=true"}, {benign, "file.owner.name=svc"}}, "", false},
		{"quotes and lines", []found{{benign, "file.path=?/opt/j\"o\\b/a file.owner.name=s\u00e9\u200b"}}, `file.path == "/opt/j\"o\\b/a" && file.owner.name == "sé\u200b"`, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			h := history(t, x.found)
			drafts := Propose(context.Background(), h, compile)
			if len(drafts) != 1 {
				t.Fatalf("got %d drafts, want one", len(drafts))
			}
			d := drafts[0]
			if d.Spec.When != x.when || d.Downgrades != x.down {
				t.Errorf("got %s (downgrades %v, %s), want %s", d.Spec.When, d.Downgrades, d.Why, x.when)
			}
			if d.Spec.When != "" && (d.Trial == nil || len(d.Trial.Refused()) > 0 || len(d.Spec.Tests.Benign) != 1) {
				t.Errorf("the draft was not tried: %+v", d)
			}
			if d.Spec.When == "" && d.Why == "" {
				t.Error("no draft, and no reason")
			}
		})
	}
}

// TestNothing wants no draft where nobody has said that anything is benign, nor
// for what is suppressed already.
func TestNothing(t *testing.T) {
	h := history(t, []found{{bad, "file.owner.name=svc host.name=a"}, {open, "file.owner.name=svc host.name=a"}, {benign, "file.owner.name=svc host.name=a"}})
	h.Findings[2].Finding.Verdict = besra.VerdictSuppressed
	if drafts := Propose(context.Background(), h, compile); len(drafts) != 0 {
		t.Errorf("got %+v", drafts)
	}
}
