package ledger

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// history returns what a ledger tells of findings with these facts: by id, the
// owner ("" is not known) and the exclusion that suppressed ("" is none).
func history(t *testing.T, marked string) *History {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x.ledger")
	l := open(t, name)
	s := l.Sink()
	for n, f := range []struct{ id, host, owner, by string }{
		{"f1", "web1", "root", "old"}, {"f2", "web1", "mallory", ""}, {"f3", "web2", "root", ""}, {"f4", "web2", "", ""},
	} {
		rec := finding(f.id)
		rec.Host, rec.Verdict, rec.Suppression, rec.Facts = f.host, besra.VerdictAlert, nil, nil
		rec.Time = noon.Add(time.Duration(n) * time.Hour)
		if f.by != "" {
			rec.Verdict, rec.Suppression = besra.VerdictSuppressed, &besra.Suppression{Exclusion: f.by, Effect: besra.EffectSuppress}
		}
		if f.owner != "" {
			rec.Facts = []besra.Fact{{Name: "file.owner.name", Value: f.owner, Grade: besra.GradeVerified}}
		}
		write(t, s, findingRecord(rec))
	}
	if marked != "" {
		if err := l.Mark(Mark{Finding: marked, Disposition: TruePositive}); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	h, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func compile(t *testing.T, s exclusion.Spec) *exclusion.Exclusion {
	t.Helper()
	s.Contexts = []besra.Context{besra.ContextFile}
	s.Owner, s.Reason = "soc", "it is known" // without them it would be a draft
	x, problems := exclusion.Compile(s, exclusion.Options{})
	if x == nil {
		t.Fatal(problems[0])
	}
	return x
}

// ids lists the findings of hits.
func ids(hits []Hit) (out []string) {
	for _, h := range hits {
		out = append(out, h.Finding)
	}
	return out
}

func TestBacktest(t *testing.T) {
	x := compile(t, exclusion.Spec{ID: "new", When: `file.owner.name == "root"`, Expires: "2001-01-01"})
	for marked, refused := range map[string][]string{"": nil, "f2": nil, "f3": {"f3"}} {
		trial := Backtest(t.Context(), history(t, marked), "d", x)
		if trial.Considered != 4 || fmt.Sprint(ids(trial.Suppressed), ids(trial.Undecided), trial.Missing) != "[f1 f3] [f4] map[file.owner.name:1]" {
			t.Errorf("got %+v", trial)
		}
		if trial.Suppressed[0].By != "old" || trial.Suppressed[1].Was != besra.VerdictAlert {
			t.Errorf("got %+v: want what became of them so far", trial.Suppressed)
		}
		if diff := cmp.Diff(refused, ids(trial.Refused())); diff != "" {
			t.Errorf("%q marked: refused (-want +got):\n%s", marked, diff)
		}
		if got := Hosts(trial.Suppressed); fmt.Sprint(got) != "[{web1 1} {web2 1}]" {
			t.Errorf("got hosts %v", got)
		}
	}
	other := Backtest(t.Context(), history(t, ""), "another", x)
	weak := Backtest(t.Context(), history(t, ""), "", compile(t, exclusion.Spec{ID: "w", When: `file.size >= 0 || file.owner.name == "root"`}))
	if other.Considered != 0 || len(weak.Downgraded)+len(weak.Suppressed)+len(weak.Undecided) != 4 {
		t.Errorf("got %+v, %+v", other, weak)
	}
}

func TestAudit(t *testing.T) {
	old := compile(t, exclusion.Spec{ID: "old", When: `file.owner.name == "root"`, Owner: "us", Expires: "2026-12-31"})
	same := compile(t, exclusion.Spec{ID: "same", When: `file.owner.name in ["root"]`, Expires: "2026-12-31"})
	idle := compile(t, exclusion.Spec{ID: "idle", When: `file.owner.name == "nobody"`})
	tests := []struct {
		day  string
		xs   []*exclusion.Exclusion
		want string
	}{
		{"2026-11-01", []*exclusion.Exclusion{old, idle}, "old active hid 1 shows 1, idle unused hid 0 shows 0"},
		{"2026-12-20", []*exclusion.Exclusion{old, same}, "old expiring hid 1 shows 0, same expiring hid 0 shows 0"},
		{"2027-01-01", []*exclusion.Exclusion{old}, "old expired hid 1 shows 1"},
		{"2026-12-31", []*exclusion.Exclusion{old}, "old expiring hid 1 shows 1"},
		{"2026-11-01", []*exclusion.Exclusion{idle}, "idle unused hid 0 shows 0, old gone hid 1 shows 0"},
	}
	for _, tt := range tests {
		at, err := time.Parse(time.DateOnly, tt.day)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, u := range Audit(t.Context(), history(t, "f1"), []Subject{{"d", tt.xs}}, at, 30*24*time.Hour) {
			if got != "" {
				got += ", "
			}
			got += fmt.Sprintf("%s %s hid %d shows %d", u.Exclusion, u.State, u.Hid, u.WouldShow)
			if u.Stale() != (u.State != StateActive && u.State != StateGone) || (u.Hid > 0) != (len(u.Confirmed) == 1) {
				t.Errorf("%s: got %+v", tt.day, u)
			}
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.day, got, tt.want)
		}
	}
}

func TestGroup(t *testing.T) {
	h := history(t, "f2")
	for by, want := range map[string]string{
		"host":      "web1 2 (1 hosts, 1 suppressed, 1 true), web2 2 (1 hosts, 0 suppressed, 0 true)",
		"exclusion": " 3 (2 hosts, 0 suppressed, 1 true), d/old 1 (1 hosts, 1 suppressed, 0 true)",
		"detection": "d 4 (2 hosts, 1 suppressed, 1 true)",
		"verdict":   "alert 3 (2 hosts, 0 suppressed, 1 true), suppressed 1 (1 hosts, 1 suppressed, 0 true)",
	} {
		groups, err := h.Group(by)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for n, g := range groups {
			if n > 0 {
				got += ", "
			}
			got += fmt.Sprintf("%s %d (%d hosts, %d suppressed, %d true)", g.Key, g.Findings, g.Hosts, g.Verdicts[besra.VerdictSuppressed], g.Marks[TruePositive])
		}
		if got != want {
			t.Errorf("by %s: got %s, want %s", by, got, want)
		}
	}
	if _, err := h.Group("colour"); err == nil {
		t.Error("findings were grouped by colour")
	}
	if got := len(h.Since(noon.Add(2 * time.Hour)).Findings); got != 2 {
		t.Errorf("got %d findings, want the last two", got)
	}
}
