package scan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/detection"
)

const rule = `rule Marker { meta: author = "us" strings: $a = "marker" condition: $a }`

// testSet compiles one rule and one detection with two exclusions.
func testSet(t *testing.T) *detection.Set {
	t.Helper()
	const yaml = `apiVersion: besra/v1
id: marker
title: Marker
status: test
hypothesis: {statement: x, state: unknown}
rule: {file: marker.yar, name: Marker, patterns: 1}
severity: high
scenarios:
  - id: s
    title: S
    exclusions:
      - {id: good, when: 'file.owner.name == "good"', contexts: [file], owner: us, reason: r, expires: "2030-01-01"}
      - {id: lesser, when: 'file.owner.name == "lesser"', effect: downgrade, to: low, contexts: [file], owner: us, reason: r, expires: "2030-01-01"}
provenance: {author: us}
`
	return setOf(t, fstest.MapFS{"marker.yaml": {Data: []byte(yaml)}, "marker.yar": {Data: []byte(rule)}})
}

func setOf(t *testing.T, files fstest.MapFS) *detection.Set {
	t.Helper()
	pack, errs := detection.LoadPack("test", files)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	set, faults := detection.Compile(pack)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return set
}

// memory is content held in memory.
type memory []byte

func (m memory) Bytes() []byte { return m }
func (memory) Close() error    { return nil }

// ownedBy knows an owner.
type ownedBy string

func (o ownedBy) Fact(_ context.Context, name string) besra.Fact {
	if name == "file.owner.name" && o != "" {
		return besra.Fact{Name: name, Value: string(o), Grade: besra.GradeVerified}
	}
	return besra.Unavailable(name, "test")
}

func target(name, owner, content string) besra.Target {
	return besra.Target{Name: name, Context: besra.ContextFile, Size: int64(len(content)), Facts: ownedBy(owner),
		Open: func(context.Context) (besra.Content, error) { return memory(content), nil }}
}

func failing(name string, err error) besra.Target {
	return besra.Target{Name: name, Context: besra.ContextFile, Facts: besra.NoFacts{},
		Open: func(context.Context) (besra.Content, error) { return nil, err }}
}

// list is a source of fixed targets and gaps.
type list struct {
	targets []besra.Target
	gaps    []besra.Gap
	err     error
}

func (l list) Run(_ context.Context, to besra.Receiver) error {
	for _, g := range l.gaps {
		to.Gap(g)
	}
	for _, t := range l.targets {
		if err := to.Target(t); err != nil {
			return err
		}
	}
	return l.err
}

// keep is a sink that remembers, and fails after some records.
type keep struct {
	records []besra.Record
	fail    int // 0 is never
}

func (k *keep) Write(_ context.Context, r besra.Record) error {
	k.records = append(k.records, r)
	if k.fail > 0 && len(k.records) >= k.fail {
		return errors.New("disk full")
	}
	return nil
}
func (k *keep) Close() error { return nil }

func (k *keep) verdicts() map[string]besra.Verdict {
	out := map[string]besra.Verdict{}
	for _, r := range k.records {
		if r.Finding != nil {
			out[string(r.Finding.Target.Name)] = r.Finding.Verdict
		}
	}
	return out
}

func TestVerdictsAndCounts(t *testing.T) {
	k := &keep{}
	h := &Hunt{Set: testSet(t), Sink: k, Workers: 3, Source: list{
		targets: []besra.Target{
			target("a", "bad", "a marker"), target("b", "good", "a marker"), target("c", "lesser", "a marker"),
			target("d", "", "a marker"), target("e", "bad", "nothing"), failing("f", os.ErrPermission),
		},
		gaps: []besra.Gap{{Kind: besra.GapSkip, Target: "s", Reason: "socket", Count: 4}},
	}}
	sum, err := h.Execute(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]besra.Verdict{"a": besra.VerdictAlert, "b": besra.VerdictSuppressed,
		"c": besra.VerdictDowngraded, "d": besra.VerdictUndecided}
	if got := k.verdicts(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	sum.Duration = 0
	wantSum := besra.Summary{Targets: 5, Bytes: 39, Matches: 4, Suppressed: 1, Downgraded: 1, Exclusions: 1,
		Undecided: 1, Errors: 1, Skipped: 4, Identical: 3, Skips: map[string]int64{"socket": 4}}
	if fmt.Sprint(sum) != fmt.Sprint(wantSum) {
		t.Errorf("got %+v\nwant %+v", sum, wantSum)
	}
	first, last := k.records[0].Type, k.records[len(k.records)-1].Type
	if first != besra.RecordRun || last != besra.RecordSummary {
		t.Errorf("the record goes from %s to %s", first, last)
	}
}

func TestFindingIsComplete(t *testing.T) {
	k := &keep{}
	h := &Hunt{Set: testSet(t), Sink: k, Source: list{targets: []besra.Target{target("a", "bad", "xx marker yy")}}, Excerpt: 2}
	if _, err := h.Execute(t.Context()); err != nil {
		t.Fatal(err)
	}
	f := k.records[1].Finding
	m := f.Patterns[0].Matches[0]
	if m.Offset != 3 || m.Length != 6 || string(m.Before) != "x " || string(m.Data) != "marker" || string(m.After) != " y" {
		t.Errorf("got match %+v", m)
	}
	if f.Target.SHA256 == "" || f.Rule.Author != "us" || f.Severity != besra.SeverityHigh || f.ID == "" {
		t.Errorf("got finding %+v", f)
	}
	again := &keep{}
	h.Sink = again
	if _, err := h.Execute(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again.records[1].Finding.ID != f.ID {
		t.Error("the finding's ID differs between two runs")
	}
}

// endless yields targets until the run is over.
type endless struct{ cancel func() }

func (e endless) Run(_ context.Context, to besra.Receiver) error {
	for i := 0; ; i++ {
		if i == 100 {
			e.cancel()
		}
		if err := to.Target(target(fmt.Sprint(i), "bad", "a marker")); err != nil {
			return err
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	k := &keep{}
	h := &Hunt{Set: testSet(t), Sink: k, Source: endless{cancel}, Workers: 2}
	sum, err := h.Execute(ctx)
	if err != nil {
		t.Fatalf("an interruption is no error, got %v", err)
	}
	if !sum.Interrupted || sum.Complete || sum.Targets == 0 {
		t.Errorf("got %+v, want an interrupted run with some targets", sum)
	}
	if last := k.records[len(k.records)-1]; last.Summary == nil || !last.Summary.Interrupted {
		t.Errorf("the record ends with %+v, want the summary", last)
	}
}

func TestSinkFails(t *testing.T) {
	h := &Hunt{Set: testSet(t), Sink: &keep{fail: 3}, Source: endless{func() {}}, Workers: 2}
	sum, err := h.Execute(t.Context())
	if err == nil || err.Error() != "disk full" {
		t.Errorf("got %v, want the sink's error", err)
	}
	if sum.Complete || sum.Interrupted {
		t.Errorf("got %+v, want a run that is neither complete nor interrupted", sum)
	}
}

func TestSourceFails(t *testing.T) {
	h := &Hunt{Set: testSet(t), Sink: &keep{}, Source: list{err: errors.New("no network")}}
	sum, err := h.Execute(t.Context())
	if err == nil || sum.Complete {
		t.Errorf("got %v, complete %v: want the source's error and an incomplete run", err, sum.Complete)
	}
}

func TestTimeout(t *testing.T) {
	k := &keep{}
	h := &Hunt{Set: testSet(t), Sink: k, Timeout: time.Nanosecond, Source: list{targets: []besra.Target{target("a", "bad", "a marker")}}}
	sum, err := h.Execute(t.Context())
	if err != nil || sum.Errors != 1 || sum.Targets != 0 {
		t.Fatalf("got %v, %+v: want one error and no target", err, sum)
	}
	if g := k.records[1].Gap; g == nil || g.Reason != "timeout" {
		t.Errorf("got %+v, want a gap for the timeout", k.records[1])
	}
}

func TestUnusableContentIsCounted(t *testing.T) {
	k := &keep{}
	h := &Hunt{Set: testSet(t), Sink: k, Source: list{},
		Gaps: []besra.Gap{{Kind: besra.GapContent, Target: "x.yar", Reason: "invalid_rule", Count: 1}}}
	sum, err := h.Execute(t.Context())
	if err != nil || sum.Complete || sum.Errors != 1 {
		t.Errorf("got %v, %+v: want an incomplete run", err, sum)
	}
}
