package exclusion_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

func TestReadList(t *testing.T) {
	upper := strings.Repeat("AB", 32)
	tests := []struct {
		name, text, column string
		want               []string
		err                string
	}{
		{"lines", "\ufeff# from the vendor\n /a b \n\n" + upper + "\r\n", "", []string{"/a b", strings.ToLower(upper)}, ""},
		{"empty", "\n# nothing\n", "", []string{}, ""},
		{"column", "\ufeffname,sha256\nx," + upper + "\n\"y, z\",\n", "sha256", []string{strings.ToLower(upper)}, ""},
		{"first column", "\ufeffname,sha256\nx,1\n", "name", []string{"x"}, ""},
		{"no such column", "name,sha256\n", "md5", nil, `no column "md5"`},
		{"no header", "", "md5", nil, "column names"},
		{"ragged", "a,b\n1\n", "a", nil, "wrong number of fields"},
	}
	for _, tt := range tests {
		got, err := exclusion.ReadList(strings.NewReader(tt.text), tt.column)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: members (-want +got):\n%s", tt.name, diff)
		}
		if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.err)
		}
	}
}

func TestLists(t *testing.T) {
	e, problems := exclusion.NewEnv(exclusion.Parameters{"golden": {Default: []any{"/a"}}},
		exclusion.Lists{"golden": {Source: "image 7", Values: []string{"aa"}}, "later": {Source: "vendor"}, "anon": {Values: []string{"aa"}}, "a.b": {Source: "x"}})
	if len(problems) != 2 || problems[0].Field != "lists.a.b" || problems[1].Field != "lists.anon" {
		t.Errorf("got problems %v, want one of each list that is wrong", problems)
	}
	for when, want := range map[string]besra.Outcome{
		`file.sha256 in lists.golden`:                               besra.OutcomeTrue,
		`file.sha256 in lists.later`:                                besra.OutcomeUnknown,
		`file.sha256 in lists.later || file.sha256 in lists.golden`: besra.OutcomeTrue,
		`file.sha256 in params.golden`:                              besra.OutcomeFalse,
	} {
		d := decide(t, spec(when), exclusion.Options{Env: e}, map[string]any{"file.sha256": "aa"})
		if d.Outcome != want {
			t.Errorf("%s: got %s (%s), want %s", when, d.Outcome, d.Why, want)
		}
	}
	if _, problems := exclusion.Compile(spec(`file.sha256 in lists.anon`), exclusion.Options{Env: e}); len(problems) != 1 || problems[0].Code != exclusion.CodeUnknownParameter {
		t.Errorf("a list without a source: got %v, want unknown-parameter", problems)
	}
}

// TestMatchFacts checks that a finding tells its exclusions which rule matched
// with what, and that this alone carries no suppression.
func TestMatchFacts(t *testing.T) {
	x := compile(t, spec(`rule.name == "R" && "$b" in match.patterns && match.count == 3 && rule.tags.all(t, t == "x")`), exclusion.Options{})
	f := besra.Finding{AuthorSeverity: besra.SeverityHigh, Rule: besra.RuleRef{Name: "R"}, Target: besra.TargetRef{Context: besra.ContextFile},
		Patterns: []besra.PatternHits{{ID: "$a", Count: 1}, {ID: "$b", Count: 2}}}
	exclusion.Apply(t.Context(), []*exclusion.Exclusion{x}, &f, besra.NoFacts{}, noon)
	if f.Verdict != besra.VerdictDowngraded || len(f.Facts) != 4 {
		t.Errorf("got %s with facts %v, want downgraded with four", f.Verdict, f.Facts)
	}
	f.Rule.Name = "S"
	exclusion.Apply(t.Context(), []*exclusion.Exclusion{x}, &f, besra.NoFacts{}, noon)
	if f.Verdict != besra.VerdictAlert {
		t.Errorf("another rule: got %s, want alert", f.Verdict)
	}
}
