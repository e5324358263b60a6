package besra

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFactDocs holds the table of facts in docs/exclusions.md to the vocabulary;
// -update-docs rewrites it.
func TestFactDocs(t *testing.T) {
	const mark, end = "<!-- facts -->\n", "<!-- end -->"
	name := filepath.Join("docs", "exclusions.md")
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(page), mark)
	_, tail, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatalf("%s has no %q", name, mark)
	}
	want := head + mark + factTable() + end + tail
	if *updateDocs {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(page), want); diff != "" {
		t.Errorf("%s is stale; go test -run FactDocs -update-docs . rewrites it (-have +want):\n%s", name, diff)
	}
}

func factTable() string {
	var b strings.Builder
	b.WriteString("| Fact | Type | Grade | Means |\n|---|---|---|---|\n")
	group := ""
	for _, d := range Vocabulary() {
		if g, _, _ := strings.Cut(d.Name, "."); g != group {
			group = g
			fmt.Fprintf(&b, "| **%s** | | | |\n", g)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.Name, d.Type, d.GradeText(), strings.ReplaceAll(d.Doc, "|", `\|`))
	}
	return b.String()
}

// TestVocabulary checks that names are unique and that the words of a schedule
// come back as they went.
func TestVocabulary(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range Vocabulary() {
		if seen[d.Name] || d.Doc == "" || len(d.Contexts()) == 0 {
			t.Errorf("%s: twice, or without words or a context", d.Name)
		}
		seen[d.Name] = true
	}
	s := Schedule{Names: []string{"a.timer", "a.service"}, When: "Mon 02:00", Zone: "Europe/Berlin"}
	back, err := ParseSchedule(s.Text())
	if diff := cmp.Diff(s, back); err != nil || diff != "" || !back.Named("a.service") || back.Named("a") {
		t.Errorf("got %v, %v back of %q", back, err, s.Text())
	}
	if _, err := ParseSchedule("a | b"); err == nil {
		t.Error("got no error of two parts")
	}
}

// TestRecorded answers from a finding: its facts, and what it says of its target.
func TestRecorded(t *testing.T) {
	f := &Finding{Facts: []Fact{{Name: "file.path", Value: Text("/a"), Grade: GradeWeak, Source: "path"}}, Target: TargetRef{SHA256: "aa", Size: 3}}
	for name, want := range map[string]string{"file.path": "/a weak", "file.sha256": "aa verified", "file.size": "3 verified", "file.md5": "<nil> unavailable"} {
		got := Recorded(f).Fact(t.Context(), name)
		if say := fmt.Sprint(got.Value, " ", got.Grade); say != want || got.Name != name || got.Source == "" {
			t.Errorf("%s: got %+v, want %s", name, got, want)
		}
	}
}
