package detection

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestPageForms reads one page in its three forms. What it says must not depend
// on the form; the golden of each also holds the lines.
func TestPageForms(t *testing.T) {
	var first *Page
	for _, name := range []string{"marker.txt", "marker.md", "marker.html"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("testdata", "page", name)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			page, err := ParsePage(name, text)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, file+".golden", page)
			if first == nil {
				first = page
			}
			opts := cmp.Options{cmpopts.IgnoreFields(Page{}, "RuleLine", "Unread"), cmpopts.IgnoreFields(PageScenario{}, "Line", "FilterLine")}
			if diff := cmp.Diff(first, page, opts); diff != "" {
				t.Errorf("the forms drift apart (-marker.txt +%s):\n%s", name, diff)
			}
			if _, err := DraftPage(name, name, page); err != nil {
				t.Error(err)
			}
		})
	}
}

// golden holds a value to the JSON of a file.
func golden(t *testing.T, file string, v any) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPageFormErrors(t *testing.T) {
	const rule = "rule r { strings: $a = \"xyz1\" condition: $a }"
	tests := []struct {
		name, page string
		line       int
		want       string
	}{
		{"open.md", "Look.\n## YARA Rule\n```\n" + rule, 3, "the code block opens here and is never closed"},
		{"early.md", "Look.\n```\n" + rule + "\n```\n", 3, "code before the rule"},
		{"twice.md", "Look.\n## YARA Rule\n" + rule + "\n## YARA Rule\n", 4, "does not belong here"},
		{"late.md", "Look.\n## YARA Rule\n" + rule + "\n## Hunt Hypothesis\n", 4, "does not belong here"},
		{"untitled.md", "Look.\n## YARA Rule\n" + rule + "\n### Scenario:\n**Description:** x\n", 4, "a scenario without a title"},
		{"open.html", "<p>Look.\n<h2>YARA Rule</h2>\n<pre>" + rule, 3, "<pre> opens here and is never closed"},
		{"nav.html", "<p>Look.\n<nav>\n<h2>YARA Rule</h2>", 2, "<nav> opens here and is never closed"},
		{"nopre.html", "<p>Look.\n<h2>YARA Rule</h2>\n<p>" + rule, 3, "the rule does not stand in a <pre>"},
		{"nothing.html", "<html><script>YARA Rule</script></html>", 0, "no rule found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParsePage(tt.name, []byte(tt.page))
			var pe *PageError
			if !errors.As(err, &pe) {
				t.Fatalf("got %v, want a *PageError", err)
			}
			if pe.Line != tt.line || !strings.Contains(pe.Msg, tt.want) {
				t.Errorf("got line %d %q, want line %d %q", pe.Line, pe.Msg, tt.line, tt.want)
			}
		})
	}
}

func TestPageForm(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       form
	}{
		{"a.md", "<html>", formMarkdown}, {"a.HTM", "x", formHTML}, {"a.txt", "# x", formPlain},
		{"-", " <!DOCTYPE html>", formHTML}, {"-", "# x", formMarkdown}, {"-", "x", formPlain},
	} {
		if got := pageForm(tt.name, []byte(tt.text)); got != tt.want {
			t.Errorf("%s %q: got %d, want %d", tt.name, tt.text, got, tt.want)
		}
	}
}

func TestInline(t *testing.T) {
	for in, want := range map[string]string{
		"**Scenario:** A `b*c*` *d*":             "Scenario: A b*c* d",
		"under /opt/*/jobs or `a_b_c` and a_b_c": "under /opt/*/jobs or a_b_c and a_b_c",
		"[text](https://example.org \"t\") x":    "text x",
		"`` a`b `` and ` open":                   " a`b  and ` open",
		"a \\* b &amp; c <!-- no --> d":          "a * b & c  d",
	} {
		if got := inline(in); got != want {
			t.Errorf("inline(%q): got %q, want %q", in, got, want)
		}
	}
}

func FuzzParsePageForms(f *testing.F) {
	for _, name := range []string{"marker.txt", "marker.md", "marker.html"} {
		text, err := os.ReadFile(filepath.Join("testdata", "page", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(pageForms[filepath.Ext(name)]), text)
	}
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		name := []string{"page.txt", "page.md", "page.html"}[which%3]
		page, err := ParsePage(name, text)
		if err != nil {
			if !IsPageError(err) {
				t.Fatalf("error of type %T: %v", err, err)
			}
			return
		}
		lines := strings.Count(string(text), "\n") + 1
		if page.Rule == "" || page.Hypothesis == "" || page.RuleLine < 1 || page.RuleLine > lines {
			t.Fatalf("a page without rule or hypothesis, or a line beyond its %d: %+v", lines, page)
		}
		for _, s := range page.Scenarios {
			if s.Title == "" || s.Line < 1 || s.Line > lines || s.FilterLine > lines {
				t.Fatalf("a scenario without title, or beyond line %d: %+v", lines, s)
			}
		}
	})
}

// TestPageWithoutContexts reads a page whose scenarios follow the rule's code.
func TestPageWithoutContexts(t *testing.T) {
	p, err := ParsePage("a.html", []byte("<p>Look.<h2>YARA Rule</h2><pre>rule r { condition: true }</pre><p>Scenario: One<p>Filter/Exclusion: files owned by root."))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Scenarios) != 1 || p.Scenarios[0].Filter != "files owned by root." || len(p.Unread) != 0 {
		t.Errorf("got %+v", p)
	}
}
