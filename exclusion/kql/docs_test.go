package kql_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion/kql"
)

// TestDocs holds the table of facts in docs/exclusions.md to the tables; -update
// rewrites it.
func TestDocs(t *testing.T) {
	const name = "../../docs/exclusions.md"
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(page), "<!-- kql -->\n")
	_, tail, ended := strings.Cut(rest, "<!-- end -->")
	if !ok || !ended {
		t.Fatal("the page has no place for the facts of tables")
	}
	want := head + "<!-- kql -->\n" + factTable() + "<!-- end -->" + tail
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(page), want); diff != "" {
		t.Errorf("%s is stale; go test -run Docs -update ./exclusion/kql rewrites it (-have +want):\n%s", name, diff)
	}
}

// factTable lists, for each table, which facts its rows tell and how.
func factTable() string {
	var b strings.Builder
	for _, t := range kql.Tables() {
		fmt.Fprintf(&b, "**%s**", t.Name)
		if t.Bag != "" {
			fmt.Fprintf(&b, ": every fact; those without a column of their own stand in `%s` where they were asked for.", t.Bag)
		}
		b.WriteString("\n\n| Fact | Is |\n|---|---|\n")
		for _, def := range besra.Vocabulary() {
			if how := told(t, def.Name); how != "" && slices.ContainsFunc(t.Contexts, def.In) {
				fmt.Fprintf(&b, "| `%s` | %s |\n", def.Name, strings.TrimSuffix(how, "."))
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func told(t kql.Table, fact string) string {
	if c, ok := t.Column(fact); ok {
		return "`" + c.Name + "`"
	}
	for _, c := range t.Computed {
		if c.Fact == fact {
			return c.Doc
		}
	}
	return ""
}
