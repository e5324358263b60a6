package content_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/sentinel/content"
)

// withExclusion is the text of scenarios with one exclusion.
func withExclusion(when, rest string) string {
	return fmt.Sprintf(`scenarios:
  - id: s
    title: S
    exclusions:
      - {id: x, when: '%s', contexts: [file], owner: me, reason: known, %s}`, when, rest)
}

// TestTranslations wants each exclusion to have in Sentinel the effect that it
// has at the sensor, or none and a reason.
func TestTranslations(t *testing.T) {
	for _, tt := range []struct{ name, when, rest, effect, why string }{
		{"strong", `file.owner.uid == 0 && file.path.under("/srv")`, `expires: "2040-01-01"`, "suppress", ""},
		{"weak", `file.path.under("/srv")`, `expires: "2040-01-01"`, "downgrade", "an intruder can arrange"},
		{"allowed", `file.path.under("/srv")`, `expires: "2040-01-01", allow_weak: nobody else writes there`, "suppress", ""},
		{"downgrade", `file.owner.uid == 0`, `expires: "2040-01-01", effect: downgrade, to: low`, "downgrade", ""},
		{"draft", `file.owner.uid == 0`, `text: no expiry`, "", "a draft excludes nothing"},
		{"not portable", `file.owner.uid == 0 && "02:00-04:00" in host.schedules`, `expires: "2040-01-01"`, "", "when:1:41: host.schedules is not in its rows"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := build(t, pack(t, "scenarios: []", withExclusion(tt.when, tt.rest)))
			got := b.Report.Exclusions[0]
			if got.Table != "BesraFindings_CL" || got.Effect != tt.effect || !strings.Contains(got.Why, tt.why) {
				t.Errorf("got %+v, want effect %q because %q", got, tt.effect, tt.why)
			}
			named := strings.Contains(b.Report.Markdown(), "| one | x | "+map[bool]string{true: "**none**", false: tt.effect}[tt.effect == ""])
			if !named {
				t.Errorf("the report does not name it:\n%s", b.Report.Markdown())
			}
			if has := alias(b, "BesraFindings_one") != nil; has != (tt.effect != "") {
				t.Errorf("a function of the detection is there: %v", has)
			}
		})
	}
}

func alias(b *content.Bundle, name string) *content.Resource {
	for _, r := range b.Of(content.Function) {
		if r.Alias() == name {
			return r
		}
	}
	return nil
}

// TestOtherTables wants an exclusion that another table can say to be there as
// a function of its rows.
func TestOtherTables(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	b := build(t, pack(t, "scenarios: []", withExclusion(`file.sha256 == "`+hash+`"`, `expires: "2040-01-01"`)))
	for _, name := range []string{"Besra_DeviceFileEvents_one", "Besra_imFileEvent_one"} {
		r := alias(b, name)
		if r == nil {
			t.Errorf("there is no %s", name)
			continue
		}
		if q := r.Query(); !strings.Contains(q, "where not(coalesce(") || !strings.Contains(q, hash) || !strings.Contains(q, "TimeGenerated < datetime(2040-01-02") {
			t.Errorf("%s:\n%s", name, q)
		}
	}
}

// TestLists wants a short list in the query and a long one in its watchlist.
func TestLists(t *testing.T) {
	for n, want := range map[int]string{3: `"0002"`, 101: `_GetWatchlist("besra-one-vendor")`} {
		values := make([]string, n)
		for i := range values {
			values[i] = fmt.Sprintf("%q", fmt.Sprintf("%04d", i))
		}
		b := build(t, pack(t, "scenarios: []", "lists: {vendor: {source: the vendor, values: ["+strings.Join(values, ", ")+"]}}\n"+
			withExclusion("file.sha256 in lists.vendor", `expires: "2040-01-01"`)))
		if q := alias(b, "BesraFindings_one").Query(); !strings.Contains(q, want) {
			t.Errorf("%d members: want %s in\n%s", n, want, q)
		}
		if list := b.Of(content.Watchlist); len(list) != 1 || len(list[0].Items) != n {
			t.Errorf("%d members: watchlists %v", n, list)
		}
	}
}

func TestDraftsHaveNoHunt(t *testing.T) {
	b := build(t, pack(t, "status: test", "status: draft"))
	if n := len(b.Of(content.Hunt)); n != 0 || b.Report.Drafts != 1 || !strings.Contains(b.Report.Markdown(), "1 detections are drafts") {
		t.Errorf("%d hunts, %d drafts", n, b.Report.Drafts)
	}
}

// TestLongTexts wants a title that is a whole description, and many hashes, to
// keep the limits.
func TestLongTexts(t *testing.T) {
	var hashes []string
	for i := range 250 {
		hashes = append(hashes, fmt.Sprintf("\"%064x\"", i))
	}
	b := build(t, pack(t, "title: One", "title: "+strings.Repeat("\u00e9t\u00e9 ", 200), "patterns: 1", "patterns: 1, knownBad: ["+strings.Join(hashes, ", ")+"]"))
	for _, p := range b.Lint() {
		t.Error(p)
	}
	if n := len(b.Of(content.HuntingQuery)); n != 4 {
		t.Errorf("%d hunting queries, want one of the findings and three of hashes", n)
	}
}
