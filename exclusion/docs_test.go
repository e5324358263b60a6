package exclusion_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra/exclusion"
)

// TestDocs holds the table of functions in docs/exclusions.md to the language;
// -update rewrites it. That of facts is held by the package of the vocabulary.
func TestDocs(t *testing.T) {
	const name = "../docs/exclusions.md"
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want := between(t, string(page), "<!-- functions -->\n", functionTable())
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(page), want); diff != "" {
		t.Errorf("%s is stale; go test -run Docs -update ./exclusion rewrites it (-have +want):\n%s", name, diff)
	}
}

// between puts text between a mark and the end mark that follows it.
func between(t *testing.T, page, mark, text string) string {
	t.Helper()
	head, rest, ok := strings.Cut(page, mark)
	_, tail, ended := strings.Cut(rest, "<!-- end -->")
	if !ok || !ended {
		t.Fatalf("the page has no %q", mark)
	}
	return head + mark + text + "<!-- end -->" + tail
}

// cell escapes what would end a cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func functionTable() string {
	var b strings.Builder
	b.WriteString("| Function | Means | Example |\n|---|---|---|\n")
	for _, f := range exclusion.Functions() {
		var forms []string
		for _, s := range f.Signatures {
			forms = append(forms, "`"+cell(s)+"`")
		}
		fmt.Fprintf(&b, "| %s | %s | `%s` |\n", strings.Join(forms, "<br>"), cell(f.Doc), cell(f.Example))
	}
	return b.String()
}
