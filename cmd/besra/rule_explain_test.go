package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/docs"
)

// codesOf checks a rule and returns the codes of what is said of it, with
// their severity.
func codesOf(t *testing.T, text string, flags []string) map[string]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rule.yar")
	writeFile(t, file, []byte(text+"\n"))
	out, stderr, _ := runBesra(append([]string{"rule", "check", "-f", "json", file}, flags...))
	var report struct {
		Diagnostics []struct{ Code, Severity string }
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v: %s %s", err, out, stderr)
	}
	codes := make(map[string]string)
	for _, d := range report.Diagnostics {
		codes[d.Code] = d.Severity
	}
	return codes
}

// TestDiagnosticsPage holds the page of diagnostics to what the compiler says.
func TestDiagnosticsPage(t *testing.T) {
	for _, topic := range readTopics(docs.Diagnostics) {
		if topic.summary == "" || topic.severity != "error" && topic.severity != "warning" {
			t.Errorf("%s: no summary, or severity %q", topic.code, topic.severity)
		}
		if topic.bad == "" {
			continue
		}
		if got := codesOf(t, topic.bad, topic.badFlags); got[topic.code] != topic.severity {
			t.Errorf("%s: the example gives %v, not this %s", topic.code, got, topic.severity)
		}
		if topic.mend == "" {
			t.Errorf("%s: it does not say how to mend it", topic.code)
		}
		got := codesOf(t, topic.good, topic.goodFlags)
		_, still := got[topic.code]
		if still || slices.Contains(slices.Collect(values(got)), "error") {
			t.Errorf("%s: the mended example gives %v", topic.code, got)
		}
	}
}

func values(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

// notCodes are words in the form of codes that are none.
var notCodes = map[string]bool{"version_info": true, "is_signed": true, "dll_name": true, "compile_error": true}

// TestDiagnosticsComplete looks for codes in the sources that report them: each
// must be on the page, and nothing else.
func TestDiagnosticsComplete(t *testing.T) {
	documented := make(map[string]bool)
	for _, topic := range readTopics(docs.Diagnostics) {
		documented[topic.code] = true
	}
	used := map[string]bool{"unterminated_regexp": true} // made of two words
	for _, dir := range []string{"../../yara", "../../yara/syntax", "../../yara/internal/compile", "../../yara/internal/regex", "."} {
		for code := range codesIn(t, dir) {
			used[code] = true
			if !documented[code] {
				t.Errorf("%s reports %q, which docs/diagnostics.md does not have", dir, code)
			}
		}
	}
	for code := range documented {
		if !used[code] {
			t.Errorf("docs/diagnostics.md has %q, which nothing reports", code)
		}
	}
}

var codeForm = regexp.MustCompile(`^[a-z]+(_[a-z0-9]+)+$|^lookaround$|^backreference$`)

// codesIn lists the codes in the functions that report, and in constants.
func codesIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	codes := make(map[string]bool)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") ||
			dir == "." && e.Name() != "rule_schema.go" && e.Name() != "yara_rules.go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if tag, ok := n.(*ast.Field); ok && tag.Tag != nil {
				return false
			}
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			if s, _ := strconv.Unquote(lit.Value); codeForm.MatchString(s) && !notCodes[s] {
				codes[s] = true
			}
			return true
		})
	}
	return codes
}
