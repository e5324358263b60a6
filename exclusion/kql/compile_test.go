package kql_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/exclusion/kql"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// params and lists are the parameters of every expression of these tests.
var (
	params = exclusion.Parameters{
		"dirs": {Default: []any{"/var/update", "/opt/Tool/"}}, "users": {Default: []any{"root", "backup"}}, "none": {Default: []any{}},
		"unset": {Type: "strings"}, "size": {Default: int64(4096)}, "nets": {Default: []any{"10.0.0.0/8", "fd00::/8", "::/0"}},
		"typo": {Default: []any{"10.0.0.0/99", "10.0.0.0/8"}}, "climb": {Default: []any{"/a/../b", "/var"}}, "on": {Default: true}, "dir": {Default: "/srv"},
	}
	lists = exclusion.Lists{"vendor": {Source: "the vendor", Values: []string{"aa", "bb"}}}
)

// compile compiles an exclusion that somebody answers for.
func compile(t testing.TB, when string, contexts ...besra.Context) *exclusion.Exclusion {
	t.Helper()
	env, problems := exclusion.NewEnv(params, lists)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s := exclusion.Spec{ID: "x", When: when, Contexts: contexts, Owner: "soc", Reason: "known", Expires: "2027-05-31"}
	x, problems := exclusion.Compile(s, exclusion.Options{Env: env})
	if x == nil {
		t.Fatalf("%s: %v", when, problems)
	}
	return x
}

// TestGoldens compiles each expression of testdata/*.txt for each table. A file
// holds blocks of an expression, after "when:", and what it becomes.
func TestGoldens(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	if len(files) == 0 {
		t.Fatal("no goldens")
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for line := range strings.Lines(string(text)) {
			if when, ok := strings.CutPrefix(line, "when: "); ok {
				b.WriteString(line)
				b.WriteString(rendered(t, strings.TrimSpace(when)))
			}
		}
		if *update {
			if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if diff := cmp.Diff(string(text), b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// rendered is an expression over every table; the contexts are those that know
// its facts.
func rendered(t *testing.T, when string) string {
	x := compile(t, when, exclusion.Evaluable(compile(t, when, besra.Contexts()[0]).Expr())...)
	var b strings.Builder
	for _, table := range kql.Tables() {
		q, problems := kql.Compile(x, table, kql.Options{Detection: "d", Watchlists: map[string]string{"lists.vendor": "Vendor"}})
		if len(problems) == 0 {
			fmt.Fprintf(&b, "%s\n%s\n", table.Name, kql.Pipe(q))
		}
		for _, p := range problems {
			fmt.Fprintf(&b, "%s: %v\n", table.Name, p)
		}
	}
	return b.String() + "\n"
}

// TestAt wants the lapse of an exclusion judged at the instant that is asked for.
func TestAt(t *testing.T) {
	x := compile(t, `file.path == "/a"`, besra.ContextFile)
	for at, want := range map[string]string{"": "now() < datetime(2027-06-01T", "TimeGenerated": "TimeGenerated < datetime(2027-06-01T"} {
		q, problems := kql.Compile(x, kql.Findings(), kql.Options{At: at})
		if len(problems) > 0 || !strings.Contains(q.When, want) {
			t.Errorf("at %q: %v, %s, want %s", at, problems, q.When, want)
		}
		if has := strings.Contains(fmt.Sprint(q.Columns), "TimeGenerated"); has != (at != "") {
			t.Errorf("at %q: columns %v", at, q.Columns)
		}
	}
}
