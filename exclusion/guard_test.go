package exclusion_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// TestWeakEvidence checks when a true suppression is lowered.
func TestWeakEvidence(t *testing.T) {
	facts := map[string]any{
		"file.path": "/var/update/x", "file.name": "x", "file.size": 3, "host.os": "linux", "file.mtime": noon,
		"file.owner.name": "root", "file.sha256": "aa", "package.name": "p", "package.verified": true, "host.tags": []string{"dev"},
	}
	tests := []struct {
		when string
		weak bool
	}{
		{`file.path.under("/var/update")`, true},
		{`file.path.under("/var/update") && file.name == "x" && file.size < 9 && host.os == "linux"`, true},
		{`file.mtime.inWindow("10:00", "14:00", "UTC")`, true},
		{`!file.path.under("/tmp")`, true},
		{`true`, true},
		{`file.path.under("/var/update") || file.path.under("/opt")`, true},
		{`package.name == "p" && package.verified`, true},
		{`package.name == "p" && package.verified && file.path.under("/var/update")`, false},
		{`file.path.under("/var/update") && file.owner.name == "root"`, false},
		{`file.path.under("/var/update") && "dev" in host.tags`, false},
		{`file.sha256 == "aa"`, false},
		{`!(file.sha256 != "aa")`, false},
		// The second branch is not needed for the answer, but it is evidence.
		{`file.path.under("/var/update") || file.sha256 == "aa"`, false},
		{`file.sha256 == "aa" || file.path.under("/var/update")`, false},
		// This one is not: it does not hold.
		{`file.path.under("/var/update") || file.sha256 == "bb"`, true},
		{`(file.path.under("/opt") && file.owner.name == "root") || file.path.under("/var/update")`, true},
		{`host.os == "linux" ? file.path.under("/var/update") : file.owner.name == "root"`, true},
		{`host.os == "linux" ? file.owner.name == "root" : file.path.under("/var/update")`, false},
		{`file.owner.name == "root" ? file.path.under("/var/update") : false`, false},
	}
	for _, tt := range tests {
		d := decide(t, spec(tt.when), exclusion.Options{}, facts)
		want := besra.EffectSuppress
		if tt.weak {
			want = besra.EffectDowngrade
		}
		if d.Outcome != yes || d.Effect != want || (d.To == besra.SeverityLow) != tt.weak {
			t.Errorf("%s: got %s, %s to %q (%s), want %s", tt.when, d.Outcome, d.Effect, d.To, d.Why, want)
		}
	}
}

// TestDraft: what nobody answers for hides nothing, however good its evidence.
func TestDraft(t *testing.T) {
	facts := map[string]any{"file.owner.name": "root"}
	apply := func(s exclusion.Spec) *besra.Finding {
		f := &besra.Finding{AuthorSeverity: besra.SeverityHigh, Target: besra.TargetRef{Context: besra.ContextFile}}
		exclusion.Apply(t.Context(), []*exclusion.Exclusion{compile(t, s, exclusion.Options{})}, f, known(t, facts), noon)
		return f
	}
	if f := apply(spec(`file.owner.name == "root"`)); f.Verdict != besra.VerdictSuppressed {
		t.Fatalf("whole: got %s, want a suppression", f.Verdict)
	}
	for name, strip := range map[string]func(*exclusion.Spec){
		"an owner": func(s *exclusion.Spec) { s.Owner = "" }, "a reason": func(s *exclusion.Spec) { s.Reason = "" },
		"an expiry": func(s *exclusion.Spec) { s.Expires = "" },
	} {
		for _, effect := range []besra.Effect{besra.EffectSuppress, besra.EffectDowngrade} {
			s := spec(`file.owner.name == "root"`)
			if s.Effect = effect; effect == besra.EffectDowngrade {
				s.To = besra.SeverityLow
			}
			strip(&s)
			f := apply(s)
			if d := f.Decisions[0]; f.Verdict != besra.VerdictAlert || f.Severity != besra.SeverityHigh || !strings.Contains(d.Why, "a draft without "+name+" hides nothing") {
				t.Errorf("%s without %s: got %s, %s", effect, name, f.Verdict, d.Why)
			}
		}
	}
}

func TestWeakEvidenceAllowed(t *testing.T) {
	s := spec(`file.path.under("/var/update")`)
	s.AllowWeak = "only root can write there, checked in CHG-7"
	d := decide(t, s, exclusion.Options{}, map[string]any{"file.path": "/var/update/x"})
	if d.Effect != besra.EffectSuppress || !strings.Contains(d.Why, s.AllowWeak) {
		t.Errorf("got %s (%s), want a suppression that tells the reason", d.Effect, d.Why)
	}
	s.AllowWeak, s.To = "", besra.SeverityInformational
	d = decide(t, s, exclusion.Options{}, map[string]any{"file.path": "/var/update/x"})
	if d.To != besra.SeverityInformational {
		t.Errorf("got a downgrade to %q, want the exclusion's own severity", d.To)
	}
}

func TestGradeOfTheCollectorCounts(t *testing.T) {
	x := compile(t, spec(`file.path.under("/var/update") && file.owner.name == "root"`), exclusion.Options{})
	for grade, want := range map[besra.Grade]besra.Effect{
		besra.GradeWeak: besra.EffectDowngrade, besra.GradeAsserted: besra.EffectSuppress, besra.GradeVerified: besra.EffectSuppress,
	} {
		facts := factsFunc(func(name string) besra.Fact {
			values := map[string]any{"file.path": besra.Text("/var/update/x"), "file.owner.name": "root"}
			return besra.Fact{Name: name, Value: values[name], Grade: grade, Source: "test"}
		})
		if d := x.Decide(context.Background(), facts, noon, besra.ContextFile); d.Outcome != yes || d.Effect != want {
			t.Errorf("facts that are %s: got %s %s (%s), want %s", grade, d.Outcome, d.Effect, d.Why, want)
		}
	}
}

// factsFunc answers from a function.
type factsFunc func(name string) besra.Fact

func (f factsFunc) Fact(_ context.Context, name string) besra.Fact { return f(name) }

func TestKnownBad(t *testing.T) {
	const bad = "e4d24e30e6cc3a0aa0032dbbd2b68c60bac216bef524eaf56296430aa05b3795"
	good := strings.Repeat("0", 64)
	options := exclusion.Options{KnownBad: []string{strings.ToUpper(bad)}}
	owner := spec(`file.owner.name == "root"`)
	tests := []struct {
		facts map[string]any
		want  besra.Outcome
		why   string
	}{
		{map[string]any{"file.owner.name": "root", "file.sha256": bad}, no, "never excluded"},
		{map[string]any{"file.owner.name": "root", "file.sha256": strings.ToUpper(bad)}, no, "never excluded"},
		{map[string]any{"file.owner.name": "root", "file.sha256": good}, yes, "holds"},
		{map[string]any{"file.owner.name": "root"}, unknown, "would be suppressed if file.sha256 were known"},
		{map[string]any{"file.owner.name": "bob"}, no, "does not hold"},
	}
	for _, tt := range tests {
		d := decide(t, owner, options, tt.facts)
		if d.Outcome != tt.want || !strings.Contains(d.Why, tt.why) {
			t.Errorf("%v: got %s (%s), want %s (%s…)", tt.facts, d.Outcome, d.Why, tt.want, tt.why)
		}
	}
	process := spec(`process.user == "backup"`, besra.ContextProcess)
	if d := decide(t, process, options, map[string]any{"process.user": "backup"}); d.Outcome != yes {
		t.Errorf("in a process: got %s (%s), want true: memory has no hash", d.Outcome, d.Why)
	}
	for _, effect := range []besra.Effect{besra.EffectDowngrade, besra.EffectAnnotate} {
		s := owner
		s.Effect, s.To = effect, besra.SeverityLow
		if d := decide(t, s, options, map[string]any{"file.owner.name": "root", "file.sha256": bad}); d.Outcome != no {
			t.Errorf("%s: got %s, want false", effect, d.Outcome)
		}
	}
	_, problems := exclusion.Compile(owner, exclusion.Options{KnownBad: []string{"zz", strings.Repeat("g", 64)}})
	if len(problems) != 2 || problems[0].Code != exclusion.CodeBadKnownBad || problems[0].Level != exclusion.LevelWarning {
		t.Errorf("hashes that are none: got %v, want two warnings", problems)
	}
}

func TestKnownBadByEveryAlgorithm(t *testing.T) {
	for fact, digits := range map[string]int{"file.md5": 32, "file.sha1": 40, "file.sha256": 64} {
		bad := strings.Repeat("ab", digits/2)
		d := decide(t, spec(`file.owner.name == "root"`), exclusion.Options{KnownBad: []string{bad}},
			map[string]any{"file.owner.name": "root", fact: bad})
		if d.Outcome != no || !strings.Contains(d.Why, fact) {
			t.Errorf("%s: got %s (%s), want false", fact, d.Outcome, d.Why)
		}
	}
}

func TestExpiry(t *testing.T) {
	s := spec(`file.owner.name == "root"`)
	s.Expires = "2026-03-10"
	x := compile(t, s, exclusion.Options{})
	tests := []struct {
		at   string
		want besra.Outcome
	}{
		{"2026-03-09T00:00:00Z", yes},
		{"2026-03-10T00:00:00Z", yes},
		{"2026-03-10T23:59:59.999999999Z", yes},
		{"2026-03-11T00:00:00Z", besra.OutcomeExpired},
		{"2026-03-10T23:30:00-05:00", besra.OutcomeExpired}, // already the 11th in UTC
		{"2026-03-11T03:00:00+05:00", yes},                  // still the 10th in UTC
		{"2036-03-11T00:00:00Z", besra.OutcomeExpired},
	}
	for _, tt := range tests {
		at, err := time.Parse(time.RFC3339Nano, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		d := x.Decide(context.Background(), known(t, map[string]any{"file.owner.name": "root"}), at, besra.ContextFile)
		if d.Outcome != tt.want {
			t.Errorf("at %s: got %s (%s), want %s", tt.at, d.Outcome, d.Why, tt.want)
		}
	}
	s.Expires = ""
	if d := decide(t, s, exclusion.Options{}, map[string]any{"file.owner.name": "root"}); d.Outcome != yes {
		t.Errorf("without a date: got %s, want true", d.Outcome)
	}
}

// TestNotAsked checks that neither an expired exclusion nor one for another
// context asks for a fact.
func TestNotAsked(t *testing.T) {
	x := compile(t, spec(`file.owner.name == "root"`, besra.ContextFile, besra.ContextImage), exclusion.Options{})
	asked := factsFunc(func(name string) besra.Fact {
		t.Errorf("%s was asked for", name)
		return besra.Unavailable(name, "")
	})
	d := x.Decide(context.Background(), asked, noon, besra.ContextNetwork)
	if want := "not for context network, only for file, image"; d.Outcome != no || d.Why != want {
		t.Errorf("another context: got %s (%s), want false (%s)", d.Outcome, d.Why, want)
	}
	d = x.Decide(context.Background(), asked, noon.AddDate(5, 0, 0), besra.ContextFile)
	if want := "expired after 2026-12-31: soc renews it or removes it"; d.Outcome != besra.OutcomeExpired || d.Why != want {
		t.Errorf("late: got %s (%s), want expired (%s)", d.Outcome, d.Why, want)
	}
}

func TestUnknownSaysWhy(t *testing.T) {
	x := compile(t, spec(`file.owner.name == "root" && file.path.under(params.dirs)`),
		exclusion.Options{Env: env(t, exclusion.Parameters{"dirs": {Type: "strings"}})})
	facts := factsFunc(func(name string) besra.Fact { return besra.Unavailable(name, "no passwd file in the root") })
	d := x.Decide(context.Background(), facts, noon, besra.ContextFile)
	want := "would be suppressed if file.owner.name and file.path and params.dirs were known: no passwd file in the root; the parameter is not set"
	if d.Why != want {
		t.Errorf("got  %s\nwant %s", d.Why, want)
	}
	if diff := cmp.Diff([]string{"params.dirs"}, x.Unresolved()); diff != "" {
		t.Errorf("unresolved (-want +got):\n%s", diff)
	}
}

// TestFactsThatLie checks values that a collector must not give.
func TestFactsThatLie(t *testing.T) {
	for _, value := range []any{3, []int{1}, struct{}{}, true} {
		facts := factsFunc(func(name string) besra.Fact {
			return besra.Fact{Name: "something.else", Value: value, Grade: besra.GradeVerified}
		})
		x := compile(t, spec(`file.owner.name != "root"`), exclusion.Options{})
		if d := x.Decide(context.Background(), facts, noon, besra.ContextFile); d.Outcome != failed || !strings.Contains(d.Why, "file.owner.name") {
			t.Errorf("%v: got %s (%s), want an error that names the fact", value, d.Outcome, d.Why)
		}
	}
	none := factsFunc(func(name string) besra.Fact { return besra.Fact{Name: name, Grade: besra.GradeVerified} })
	x := compile(t, spec(`file.owner.name != "root"`), exclusion.Options{})
	if d := x.Decide(context.Background(), none, noon, besra.ContextFile); d.Outcome != unknown {
		t.Errorf("a fact without a value: got %s, want unknown", d.Outcome)
	}
	panics := factsFunc(func(name string) besra.Fact { panic("collector") })
	if d := x.Decide(context.Background(), panics, noon, besra.ContextFile); d.Outcome != failed {
		t.Errorf("a collector that panics: got %s, want error", d.Outcome)
	}
}

func TestCostLimit(t *testing.T) {
	big := make([]string, 100_000)
	for i := range big {
		big[i] = fmt.Sprintf("%064x", i)
	}
	e := env(t, exclusion.Parameters{"big": {Value: big}})
	facts := map[string]any{"file.sha256": big[len(big)-1], "file.path": "/a/b"}
	for _, when := range []string{
		`params.big.exists(h, h.endsWith(file.sha256))`,
		`params.big.all(h, params.big.exists(g, g == h))`,
		`file.path.under(params.big) || params.big.exists(x, false)`,
	} {
		d := decide(t, spec(when), exclusion.Options{Env: e}, facts)
		if d.Outcome != failed || !strings.Contains(d.Why, "cost") {
			t.Errorf("%s: got %s (%s), want an error about cost", when, d.Outcome, d.Why)
		}
	}
	if d := decide(t, spec(`file.sha256 in params.big`), exclusion.Options{Env: e}, facts); d.Outcome != yes {
		t.Errorf("in a long list: got %s (%s), want true: it is a set", d.Outcome, d.Why)
	}
	if d := decide(t, spec(`file.sha256 in ["a"] || file.path == "/a"`), exclusion.Options{CostLimit: 1}, facts); d.Outcome != failed {
		t.Errorf("limit 1: got %s, want error", d.Outcome)
	}
}

func TestInterrupt(t *testing.T) {
	e := env(t, exclusion.Parameters{"list": {Value: make([]string, 10_000)}})
	x := compile(t, spec(`params.list.exists(h, h == "x")`), exclusion.Options{Env: e})
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("stopped"))
	d := x.Decide(ctx, besra.NoFacts{}, noon, besra.ContextFile)
	if d.Outcome != failed || !strings.Contains(d.Why, "interrupted") {
		t.Errorf("got %s (%s), want an error: interrupted", d.Outcome, d.Why)
	}
}

func TestApply(t *testing.T) {
	make := func(id string, effect besra.Effect, to besra.Severity, when string) *exclusion.Exclusion {
		s := spec(when)
		s.ID, s.Effect, s.To, s.Ticket = id, effect, to, "CHG-"+id
		return compile(t, s, exclusion.Options{})
	}
	var (
		hides   = make("hides", besra.EffectSuppress, "", `file.owner.name == "root"`)
		hides2  = make("hides2", besra.EffectSuppress, "", `file.owner.name != "bob"`)
		not     = make("not", besra.EffectSuppress, "", `file.owner.name == "bob"`)
		weak    = make("weak", besra.EffectSuppress, "", `file.path.under("/opt")`)
		low     = make("low", besra.EffectDowngrade, besra.SeverityLow, `file.owner.name == "root"`)
		info    = make("info", besra.EffectDowngrade, besra.SeverityInformational, `file.owner.name == "root"`)
		same    = make("same", besra.EffectDowngrade, besra.SeverityMedium, `file.owner.name == "root"`)
		high    = make("high", besra.EffectDowngrade, besra.SeverityHigh, `file.owner.name == "root"`)
		open    = make("open", besra.EffectSuppress, "", `file.group.name == "adm"`)
		openLow = make("openlow", besra.EffectDowngrade, besra.SeverityLow, `file.group.name == "adm"`)
		note    = make("note", besra.EffectAnnotate, "", `file.owner.name == "root"`)
		noteOpn = make("noteopen", besra.EffectAnnotate, "", `file.group.name == "adm"`)
		fails   = make("fails", besra.EffectSuppress, "", `host.tags[0] == "x"`)
		elsewh  = compile(t, spec(`process.name == "x"`, besra.ContextProcess), exclusion.Options{})
	)
	tests := []struct {
		name     string
		list     []*exclusion.Exclusion
		verdict  besra.Verdict
		severity besra.Severity
		by       string // exclusion of the suppression
		asked    string // decisions
	}{
		{"none", nil, "alert", "medium", "", ""},
		{"suppressed", []*exclusion.Exclusion{not, hides}, "suppressed", "medium", "hides", "not hides"},
		{"the first suppression wins and ends it", []*exclusion.Exclusion{hides, hides2, open}, "suppressed", "medium", "hides", "hides"},
		{"suppression after downgrade", []*exclusion.Exclusion{info, hides}, "suppressed", "medium", "hides", "info hides"},
		{"suppression after unknown", []*exclusion.Exclusion{open, hides}, "suppressed", "medium", "hides", "open hides"},
		{"lowest downgrade", []*exclusion.Exclusion{low, info, low}, "downgraded", "informational", "info", "low info low"},
		{"a downgrade never raises", []*exclusion.Exclusion{high}, "alert", "medium", "", "high"},
		{"nor does it stay", []*exclusion.Exclusion{same}, "alert", "medium", "", "same"},
		{"downgrade beats unknown", []*exclusion.Exclusion{open, low}, "downgraded", "low", "low", "open low"},
		{"downgrade stays before unknown", []*exclusion.Exclusion{low, open}, "downgraded", "low", "low", "low open"},
		{"weak suppression", []*exclusion.Exclusion{weak}, "downgraded", "low", "weak", "weak"},
		{"undecided", []*exclusion.Exclusion{not, open}, "undecided", "medium", "", "not open"},
		{"undecided downgrade", []*exclusion.Exclusion{openLow}, "undecided", "medium", "", "openlow"},
		{"annotation", []*exclusion.Exclusion{note, noteOpn}, "alert", "medium", "", "note noteopen"},
		{"error", []*exclusion.Exclusion{fails}, "alert", "medium", "", "fails"},
		{"another context", []*exclusion.Exclusion{elsewh, not}, "alert", "medium", "", "not"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := besra.Finding{AuthorSeverity: besra.SeverityMedium, Target: besra.TargetRef{Context: besra.ContextFile}}
			facts := known(t, map[string]any{"file.owner.name": "root", "file.path": "/opt/x", "host.tags": []string{}})
			exclusion.Apply(context.Background(), tt.list, &f, facts, noon)
			var asked []string
			for _, d := range f.Decisions {
				asked = append(asked, d.Exclusion)
			}
			by := ""
			if f.Suppression != nil {
				by = f.Suppression.Exclusion
				if f.Suppression.Ticket != "CHG-"+by || f.Suppression.Owner != "soc" || f.Suppression.Expires != "2026-12-31" || f.Suppression.Reason == "" {
					t.Errorf("the mark is incomplete: %+v", f.Suppression)
				}
			}
			if f.Verdict != tt.verdict || f.Severity != tt.severity || by != tt.by || strings.Join(asked, " ") != tt.asked {
				t.Errorf("got %s %s by %q after %q, want %s %s by %q after %q", f.Verdict, f.Severity, by, asked, tt.verdict, tt.severity, tt.by, tt.asked)
			}
		})
	}
}

// TestApplyAsksOnce checks that a fact is asked for once for all exclusions,
// and that the finding lists it once, sorted.
func TestApplyAsksOnce(t *testing.T) {
	count := map[string]int{}
	facts := factsFunc(func(name string) besra.Fact {
		count[name]++
		return besra.Fact{Name: name, Value: "v", Grade: besra.GradeVerified, Source: "test"}
	})
	list := []*exclusion.Exclusion{
		compile(t, spec(`file.owner.name == "a" && file.name == "x"`), exclusion.Options{}),
		compile(t, spec(`file.owner.name == "b" || file.group.name == "b"`), exclusion.Options{}),
		compile(t, spec(`file.group.name == "c" || file.dir == "d"`), exclusion.Options{}),
	}
	f := besra.Finding{AuthorSeverity: besra.SeverityHigh, Target: besra.TargetRef{Context: besra.ContextFile}}
	exclusion.Apply(context.Background(), list, &f, facts, noon)
	var names []string
	for _, fact := range f.Facts {
		names = append(names, fact.Name)
	}
	if diff := cmp.Diff([]string{"file.dir", "file.group.name", "file.owner.name"}, names); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	for name, n := range count {
		if n != 1 {
			t.Errorf("%s was asked for %d times, want once", name, n)
		}
	}
}

// TestShared decides one exclusion from many goroutines; run it with -race.
func TestShared(t *testing.T) {
	e := env(t, exclusion.Parameters{"dirs": {Default: []any{"/var/update", "/opt"}}, "hashes": {Default: []any{"aa"}}})
	x := compile(t, spec(`file.path.under(params.dirs) || file.path.glob("/srv/*/x") || file.sha256 in params.hashes`), exclusion.Options{Env: e})
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for j := range 50 {
				path := []string{"/opt/x", "/srv/a/x", "/tmp/x"}[(i+j)%3]
				want := []besra.Outcome{yes, yes, no}[(i+j)%3]
				facts := known(t, map[string]any{"file.path": path, "file.sha256": "bb", "host.os": "linux"})
				if got := x.Explain(context.Background(), facts, noon, besra.ContextFile); got.Decision.Outcome != want {
					t.Errorf("%s: got %s, want %s", path, got.Decision.Outcome, want)
				}
			}
			if _, problems := exclusion.Compile(spec(`file.path.under(params.dirs)`), exclusion.Options{Env: e}); len(problems) > 0 {
				t.Errorf("got %v", problems)
			}
		})
	}
	all.Wait()
}

// TestBareBranch holds a conditional to the evidence of the fact that its branch
// is by itself.
func TestBareBranch(t *testing.T) {
	e := env(t, exclusion.Parameters{"on": {Default: true}})
	for _, when := range []string{`file.owner.name == "x" || (params.on ? file.foreign_writable : false)`,
		`file.symlink || (params.on ? file.foreign_writable : file.symlink)`} {
		d := decide(t, spec(when), exclusion.Options{Env: e}, map[string]any{"file.foreign_writable": true})
		if d.Outcome != yes || d.Effect != besra.EffectSuppress {
			t.Errorf("%s: got %s with effect %s (%s), want it to suppress", when, d.Outcome, d.Effect, d.Why)
		}
	}
}
