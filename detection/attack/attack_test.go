package attack

import (
	"slices"
	"strings"
	"testing"
)

// TestTable holds the table together: every technique has a tactic that is
// there, every sub-technique its technique.
func TestTable(t *testing.T) {
	n := 0
	for o := range All() {
		n++
		if o.Name == "" || o.URL() == "" {
			t.Errorf("%s has no name or address", o.ID)
		}
		if _, ok := Lookup(Parent(o.ID)); !ok {
			t.Errorf("%s: no %s", o.ID, Parent(o.ID))
		}
		if strings.HasPrefix(o.ID, "T1") && len(o.Tactics) == 0 {
			t.Errorf("%s has no tactic", o.ID)
		}
		for _, tactic := range o.Tactics {
			if _, ok := Lookup(tactic); !ok {
				t.Errorf("%s: no tactic %s", o.ID, tactic)
			}
		}
	}
	if n < 800 || len(Tactics()) != 14 {
		t.Errorf("%d objects, %d tactics", n, len(Tactics()))
	}
	if got := Name("T1027"); got != "Obfuscated Files or Information" {
		t.Errorf("T1027 is %q", got)
	}
	if got := URL("T1003.001"); got != "https://attack.mitre.org/techniques/T1003/001/" {
		t.Error(got)
	}
}

func TestFind(t *testing.T) {
	var ids IDs
	ids.Find("TA0005, t1027.002 and https://attack.mitre.org/techniques/T1003/001; T1027.002 again, G0020, S0154, T10278, AT1027")
	if got := strings.Join(ids.Techniques, " "); got != "T1027.002 T1003.001" {
		t.Errorf("techniques %s", got)
	}
	if len(ids.Tactics) != 1 || len(ids.Groups) != 1 || len(ids.Software) != 1 || ids.Empty() {
		t.Errorf("%+v", ids)
	}
}

func TestSentinelTactics(t *testing.T) {
	got := SentinelTactics([]string{"TA0005", "TA0011", "TA0005", "T1027", "TA9999"})
	want := []string{"DefenseEvasion", "CommandAndControl"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
