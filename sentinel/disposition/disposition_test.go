package disposition

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/ledger"
)

// TestFindingsIn reads custom details in every form that they come in.
func TestFindingsIn(t *testing.T) {
	for _, x := range []struct{ raw, want string }{
		{`"{\"FindingId\":[\"a\",\"b\"],\"Other\":[\"c\"]}"`, "a b"},
		{`{"FindingId":["a"]}`, "a"},
		{`"{\"FindingId\":\"[\\\"a\\\",\\\"b\\\"]\"}"`, "a b"},
		{`{"FindingId":"a"}`, "a"},
		{`{"FindingId":[]}`, ""},
		{`{"FindingId":null}`, ""},
		{`{"Other":["c"]}`, ""},
		{`"not JSON"`, ""},
		{`[1]`, ""},
		{``, ""},
	} {
		if got := strings.Join(findingsIn(json.RawMessage(x.raw)), " "); got != x.want {
			t.Errorf("%s has %q, want %q", x.raw, got, x.want)
		}
	}
}

func history(t *testing.T, marks ...ledger.Mark) *ledger.History {
	t.Helper()
	name := filepath.Join(t.TempDir(), "l")
	l, err := ledger.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		f := besra.Finding{ID: fmt.Sprint("f", n), Run: "r", Time: time.Unix(1, 0)}
		if err := l.Sink().Write(t.Context(), besra.Record{Type: besra.RecordFinding, Finding: &f}); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range marks {
		if err := l.Mark(m); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	h, err := ledger.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestWeigh(t *testing.T) {
	closed := func(n int, classification string, ids ...string) Incident {
		return Incident{Number: n, Classification: classification, Findings: ids}
	}
	analyst := ledger.Mark{Finding: "f0", Disposition: ledger.TruePositive, Source: "besra ledger mark"}
	for _, x := range []struct {
		name      string
		marks     []ledger.Mark
		incidents []Incident
		overrule  bool
		want      string
	}{
		{"every word", nil, []Incident{closed(1, "TruePositive", "f0"), closed(2, "BenignPositive", "f1"), closed(3, "FalsePositive", "f2"), closed(4, "Undetermined", "f3"), closed(5, "", "f3"), closed(6, "TruePositive")},
			false, "f0=true-positive f1=benign f2=benign; 0 conflicts, 0 known, 0 foreign, 2 undetermined, 1 without"},
		{"known already", []ledger.Mark{analyst}, []Incident{closed(1, "TruePositive", "f0", "f9")}, false, "; 0 conflicts, 1 known, 1 foreign, 0 undetermined, 0 without"},
		{"against an analyst", []ledger.Mark{analyst}, []Incident{closed(1, "BenignPositive", "f0")}, false, "; 1 conflicts, 0 known, 0 foreign, 0 undetermined, 0 without"},
		{"overruled", []ledger.Mark{analyst}, []Incident{closed(1, "BenignPositive", "f0")}, true, "f0=benign; 0 conflicts, 0 known, 0 foreign, 0 undetermined, 0 without"},
		{"a later one", nil, []Incident{closed(1, "BenignPositive", "f0"), closed(2, "TruePositive", "f0"), closed(3, "FalsePositive", "f0")}, false,
			"f0=benign f0=true-positive; 1 conflicts, 0 known, 0 foreign, 0 undetermined, 0 without"},
		{"the same one", []ledger.Mark{{Finding: "f0", Disposition: ledger.TruePositive, Source: "Microsoft Sentinel incident 1"}}, []Incident{closed(1, "FalsePositive", "f0")}, false,
			"f0=benign; 0 conflicts, 0 known, 0 foreign, 0 undetermined, 0 without"},
	} {
		t.Run(x.name, func(t *testing.T) {
			w := Weigh(x.incidents, history(t, x.marks...), x.overrule)
			var marks []string
			for _, m := range w.Marks {
				marks = append(marks, m.Finding+"="+string(m.Disposition))
			}
			got := fmt.Sprintf("%s; %d conflicts, %d known, %d foreign, %d undetermined, %d without", strings.Join(marks, " "), len(w.Conflicts), w.Known, w.Foreign, w.Undetermined, w.Without)
			if got != x.want {
				t.Errorf("got  %s\nwant %s", got, x.want)
			}
		})
	}
}
