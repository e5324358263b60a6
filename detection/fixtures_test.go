package detection

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/google/go-cmp/cmp"
)

// testedPack is a pack of one detection with one exclusion.
func testedPack(t *testing.T, when, tests, extra string) *Pack {
	t.Helper()
	text := `apiVersion: besra/v1
id: d
title: D
status: test
hypothesis: {statement: x, state: unknown}
rule: {file: r.yar, name: R, patterns: 1}
severity: high
parameters:
  dirs: {default: [/opt/tool]}
scenarios:
  - id: s
    title: S
    exclusions:
      - id: x
        when: '` + when + `'
        contexts: [file]
        owner: us
        reason: r
        expires: "2030-01-01"
        tests: ` + tests + `
samples: {positive: [{name: p, text: a marker}], negative: [{name: n, text: nothing}]}
provenance: {}
` + extra
	pack, errs := LoadPack("p", fstest.MapFS{"d.yaml": {Data: []byte(text)},
		"r.yar": {Data: []byte(`rule R { strings: $a = "marker" condition: $a }`)}})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return pack
}

var day = time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)

// failures runs the tests and returns the failed checks, one a line.
func failures(t *testing.T, p *Pack) []string {
	t.Helper()
	checks, err := Test(t.Context(), p, TestOptions{At: day})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range checks {
		if c.Failure != "" {
			out = append(out, string(c.Kind)+" "+c.Name+": "+c.Failure)
		}
	}
	return out
}

const (
	soundWhen  = `file.path.under(params.dirs) && file.owner.uid == 0`
	soundTests = `{benign: [{name: b, text: a marker, facts: {file.path: /opt/tool/x, file.owner.uid: 0}}],
          malicious: [{name: owner, text: a marker, facts: {file.path: /opt/tool/x, file.owner.uid: 7}},
                      {name: path, text: a marker, facts: {file.path: /opt/x, file.owner.uid: 0}}]}`
)

// TestFindsWhatIsWrong wants each fault of a detection's tests told.
func TestFindsWhatIsWrong(t *testing.T) {
	benign := `benign: [{name: b, text: a marker, facts: {file.path: /opt/tool/x, file.owner.uid: 0}}]`
	tests := []struct {
		name, when, tests string
		want              []string // beginnings
	}{
		{"sound", soundWhen, soundTests, nil},
		{"no twin", soundWhen, `{` + benign + `}`, []string{"fixture fixtures: want at least one"}},
		{"fixture without the rule", soundWhen, `{benign: [{name: b, text: nothing}], malicious: [{name: m, text: nothing}]}`,
			[]string{"fixture b: the rule does not match", "twin m: the rule does not match"}},
		{"benign one is not excluded", soundWhen, `{benign: [{name: b, text: a marker, facts: {file.path: /opt/tool/x, file.owner.uid: 9}}],
          malicious: [{name: m, text: a marker, facts: {file.path: /tmp/x, file.owner.uid: 0}}]}`, []string{"fixture b: the exclusion is false"}},
		{"benign one is only downgraded", `file.path.under("/opt/tool")`, `{benign: [{name: b, text: a marker, facts: {file.path: /opt/tool/x}}],
          malicious: [{name: m, text: a marker, facts: {file.path: /opt/x}}]}`, []string{"fixture b: the exclusion has the effect downgrade, not suppress"}},
		{"twin is excluded", `file.owner.uid == 0`, `{benign: [{name: b, text: a marker, facts: {file.owner.uid: 0}}],
          malicious: [{name: m, text: a marker, facts: {file.owner.uid: 0, file.path: /tmp/x}}]}`, []string{"twin m: exclusion x holds of the malicious twin"}},
		{"wrong polarity", `file.owner.name != "mallory"`, `{benign: [{name: b, text: a marker, facts: {file.owner.name: alice}}],
          malicious: [{name: m, text: a marker, facts: {file.owner.name: mallory}}]}`, []string{"probe control probe in context file: the exclusion blinds the rule"}},
		{"a part that no test needs", soundWhen, `{` + benign + `, malicious: [{name: owner, text: a marker, facts: {file.path: /opt/tool/x, file.owner.uid: 7}}]}`,
			[]string{"mutant without file.path.under(params.dirs)", "mutant with the directories of params.dirs widened"}},
		{"unknown fact", soundWhen, `{benign: [{name: b, text: a marker, facts: {file.pth: /x}}], malicious: [{name: m, text: a marker, facts: {file.path: 7}}]}`,
			[]string{`fixture b: fixture "b": there is no fact "file.pth"`, `twin m: fixture "m": the fact file.path has the value 7`}},
	}
	for _, tt := range tests {
		got := failures(t, testedPack(t, tt.when, tt.tests, ""))
		if len(got) != len(tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i], tt.want[i]) {
				t.Errorf("%s: got %q, want %q…", tt.name, got[i], tt.want[i])
			}
		}
	}
}

// TestListMutants wants an allow-list that no fixture needs to be told.
func TestListMutants(t *testing.T) {
	const lists = "lists: {owners: {source: us, values: [alice]}, unused: {source: us, values: [bob]}}\n"
	const when = `file.path.under("/opt") && (file.owner.name in lists.owners || file.owner.uid == 0)`
	const twin = `malicious: [{name: path, text: a marker, facts: {file.path: /srv/x, file.owner.name: alice, file.owner.uid: 0}},
                      {name: owner, text: a marker, facts: {file.path: /opt/x, file.owner.name: eve, file.owner.uid: 7}}]`
	const byUID = `{name: u, text: a marker, facts: {file.path: /opt/x, file.owner.name: root, file.owner.uid: 0}}`
	const byList = `{name: l, text: a marker, facts: {file.path: /opt/x, file.owner.name: alice, file.owner.uid: 7}}`
	if got := failures(t, testedPack(t, when, `{benign: [`+byUID+`, `+byList+`], `+twin+`}`, lists)); len(got) != 0 {
		t.Errorf("sound: got %q", got)
	}
	got := failures(t, testedPack(t, when, `{benign: [`+byUID+`], `+twin+`}`, lists))
	if !slices.ContainsFunc(got, func(s string) bool {
		return strings.HasPrefix(s, "mutant with lists.owners emptied: the tests do not notice")
	}) {
		t.Errorf("a list that no fixture needs: got %q", got)
	}
}

func TestExpiredExclusionFails(t *testing.T) {
	checks, err := Test(t.Context(), testedPack(t, soundWhen, soundTests, ""), TestOptions{At: day.AddDate(9, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range checks {
		if c.Kind == KindFixture && !strings.Contains(c.Failure, "expired after 2030-01-01") {
			t.Errorf("got %+v, want that it has expired", c)
		}
		if c.Kind == KindMutant {
			t.Errorf("a mutant of an exclusion whose tests fail was tried: %+v", c)
		}
	}
}

func TestNoMutation(t *testing.T) {
	checks, err := Test(t.Context(), testedPack(t, soundWhen, soundTests, ""), TestOptions{At: day, NoMutation: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range checks {
		if c.Kind == KindMutant {
			t.Errorf("got %+v", c)
		}
	}
}

// TestMutants wants the faults of an expression that has every kind of part.
func TestMutants(t *testing.T) {
	env, problems := exclusion.NewEnv(exclusion.Parameters{"dirs": {Default: []any{"/opt"}}}, nil)
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	x, problems := exclusion.Compile(exclusion.Spec{ID: "x", Contexts: []besra.Context{besra.ContextFile}, When: `
		(file.path.under("/var/update") || file.name in ["a", "b"]) && !file.world_writable && file.size >= 10
		&& file.mtime.inWindow("02:00", "04:00", "UTC") && file.dir.under(params.dirs)`}, exclusion.Options{Env: env})
	if x == nil {
		t.Fatal(problems[0])
	}
	var got []string
	for _, m := range mutants(x.Expr()) {
		side := "narrower"
		if m.wider {
			side = "wider"
		}
		got = append(got, side+" ["+strings.Join(m.facts, " ")+"] "+m.name)
	}
	want := []string{
		`wider [file.path file.name] without file.path.under("/var/update") || file.name in ["a", "b"]`,
		`wider [file.world_writable] without !file.world_writable`,
		`wider [file.size] without file.size >= 10`,
		`wider [file.mtime] without file.mtime.inWindow("02:00", "04:00", "UTC")`,
		`wider [file.dir] without file.dir.under(params.dirs)`,
		`wider [file.path file.name file.world_writable file.size file.mtime file.dir] with "or" in place of "and" in ` + x.Expr().String(),
		`narrower [file.path] without file.path.under("/var/update")`,
		`narrower [file.name] without file.name in ["a", "b"]`,
		`narrower [file.path file.name] with "and" in place of "or" in file.path.under("/var/update") || file.name in ["a", "b"]`,
		`wider [file.path] with "/var/update" widened to "/var"`,
		`narrower [file.name] without "a" in file.name in ["a", "b"]`,
		`narrower [file.name] without "b" in file.name in ["a", "b"]`,
		`narrower [file.name] with an empty list in file.name in ["a", "b"]`,
		`wider [file.world_writable] without the negation of file.world_writable`,
		`narrower [file.size] with > in place of >= in file.size >= 10`,
		`wider [file.mtime] with "02:00" widened to "00:00"`,
		`wider [file.mtime] with "04:00" widened to "23:59"`,
		`narrower [file.dir] with params.dirs emptied`,
		`wider [file.dir] with the directories of params.dirs widened to their parents`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
