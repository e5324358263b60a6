package report

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
)

// found is a line of a finding.
func found(target, sha, verdict string) string {
	return fmt.Sprintf(`{"type":"finding","v":"besra/v1","id":"%s-%s","run":"r1","host":"h","verdict":%q,"severity":"high","detection":{"id":"d"},"rule":{"name":"R"},"target":{"name":%q,"context":"file","sha256":%q}}`,
		target, sha, verdict, target, sha)
}

func TestDiff(t *testing.T) {
	before := lines(runLine, found("same", "1", "alert"), found("edited", "1", "alert"), found("hidden", "1", "alert"), found("gone", "1", "alert"), summaryLine)
	after := lines(runLine, found("new", "1", "alert"), found("same", "1", "alert"), found("edited", "2", "alert"), found("hidden", "1", "suppressed"), summaryLine)
	d, err := Diff(t.Context(), strings.NewReader(before), strings.NewReader(after))
	if err != nil {
		t.Fatal(err)
	}
	want := `+ alert high  h  new  R
~ alert high  h  edited  R (was alert high, its content has changed)
~ suppressed high  h  hidden  R (was alert high)
- alert high  h  gone  R
1 new, 2 changed, 1 gone, 1 the same
`
	if diff := cmp.Diff(want, d.Text()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	cut, err := Diff(t.Context(), strings.NewReader(before), strings.NewReader(lines(runLine)))
	if err != nil || !cut.Incomplete || len(cut.Gone) != 4 || len(cut.Warnings) != 1 || !strings.Contains(cut.Text(), "incomplete") {
		t.Errorf("got %+v, %v: want what is gone in doubt", cut, err)
	}
	for _, bad := range [][2]string{{"garbage", after}, {before, ""}} {
		if _, err := Diff(t.Context(), strings.NewReader(bad[0]), strings.NewReader(bad[1])); err == nil {
			t.Errorf("no error of %.10q and %.10q", bad[0], bad[1])
		}
	}
}

// kept is a sink that remembers.
type kept struct{ recs []besra.Record }

func (k *kept) Write(_ context.Context, r besra.Record) error {
	k.recs = append(k.recs, r)
	return nil
}
func (*kept) Close() error { return nil }

func TestBaseline(t *testing.T) {
	base, err := ReadBaseline(t.Context(), strings.NewReader(lines(runLine, found("a", "1", "alert"), found("b", "1", "suppressed"), summaryLine)))
	if err != nil {
		t.Fatal(err)
	}
	var out kept
	sink := base.New(&out)
	after := lines(runLine, found("a", "1", "alert"), found("b", "1", "alert"), found("a", "2", "alert"), summaryLine, runLine, summaryLine)
	if _, err := Render(t.Context(), strings.NewReader(after), sink); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range out.recs {
		switch {
		case r.Finding != nil:
			got = append(got, r.Finding.ID+" "+string(r.Finding.Verdict))
		case r.Gap != nil:
			got = append(got, fmt.Sprint(r.Gap.Reason, " ", r.Gap.Count))
		case r.Summary != nil:
			got = append(got, fmt.Sprint("skipped ", r.Summary.Skipped, r.Summary.Skips, " of ", r.Summary.Matches))
		}
	}
	want := []string{"b-1 alert", "a-2 alert", "baseline 1", "skipped 1 map[baseline:1] of 1", "skipped 0 map[] of 1"}
	if diff := cmp.Diff(want, got); diff != "" || sink.Known != 1 || sink.Fresh != 2 {
		t.Errorf("known %d, fresh %d (-want +got):\n%s", sink.Known, sink.Fresh, diff)
	}
}
