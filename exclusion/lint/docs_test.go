package lint_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra/exclusion/lint"
)

var update = flag.Bool("update", false, "rewrite docs/lints.md")

// TestDocs holds docs/lints.md to the table of codes; -update rewrites it.
func TestDocs(t *testing.T) {
	const name, mark, end = "../../docs/lints.md", "<!-- lints -->\n", "<!-- end -->"
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(page), mark)
	_, tail, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatalf("%s has no %q", name, mark)
	}
	want := head + mark + explanations() + end + tail
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(page), want); diff != "" {
		t.Errorf("%s is stale; go test -run Docs -update ./exclusion/lint rewrites it (-have +want):\n%s", name, diff)
	}
}

func explanations() string {
	var b strings.Builder
	for _, c := range lint.Codes() {
		fmt.Fprintf(&b, "## %s\n\n*%s.* %s **Mend:** %s.\n\n", c.Code, c.Level, c.Why, strings.TrimSuffix(c.Mend, "."))
		if c.Bad != "" {
			fmt.Fprintf(&b, "```\n%s    // %s\n%s\n```\n\n", c.Bad, c.Code, c.Good)
		}
	}
	return b.String()
}
