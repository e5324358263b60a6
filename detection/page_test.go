package detection

import (
	"errors"
	"strings"
	"testing"
)

// smallPage is the least a page needs, with two scenarios.
const smallPage = `Look for it.
In two lines.
YARA Rule
rule r { strings: $a = "x" condition: $a }
This YARA rule can be deployed in the following contexts:
- File scanning
This rule contains 1 string patterns in its detection logic.
Scenario: First
Description: It happens.
Filter/Exclusion: Exclude files in a known backup directory (e.g., /backup/).
Scenario: Second
Description: It happens
more often.
Filter/Exclusion: Exclude files owned by`

func TestParsePage(t *testing.T) {
	p, err := ParsePage("page", []byte(smallPage))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.Hypothesis, "Look for it. In two lines."; got != want {
		t.Errorf("hypothesis: got %q, want %q", got, want)
	}
	if got, want := p.Rule, `rule r { strings: $a = "x" condition: $a }`; got != want || p.RuleLine != 4 {
		t.Errorf("rule: got %q at line %d, want %q at 4", got, p.RuleLine, want)
	}
	if len(p.Contexts) != 1 || p.Contexts[0] != "File scanning" || p.StatedPatterns != 1 {
		t.Errorf("contexts %q, patterns %d", p.Contexts, p.StatedPatterns)
	}
	if len(p.Scenarios) != 2 {
		t.Fatalf("got %d scenarios, want 2", len(p.Scenarios))
	}
	if s := p.Scenarios[0]; s.Title != "First" || s.Truncated || !strings.HasSuffix(s.Filter, "(e.g., /backup/).") {
		t.Errorf("first scenario: %+v", s)
	}
	if s := p.Scenarios[1]; s.Description != "It happens more often." || !s.Truncated || s.Line != 11 {
		t.Errorf("second scenario: %+v", s)
	}
}

func TestParsePageErrors(t *testing.T) {
	replace := func(old, new string) string { return strings.Replace(smallPage, old, new, 1) }
	tests := []struct {
		name, page string
		line       int
		want       string
	}{
		{"empty", " \n ", 0, "the page is empty"},
		{"too large", strings.Repeat("a", MaxPageSize+1), 0, "more than"},
		{"binary", "text\nfine\n\x00\x01", 3, "not text in UTF-8"},
		{"invalid UTF-8", "text\n\xff\xfe", 2, "not text in UTF-8"},
		{"no rule", "Look for it.\n", 0, "no rule found"},
		{"nothing under the heading", "Look.\nYARA Rule\n\n", 0, "nothing stands under"},
		{"no hypothesis", "YARA Rule\nrule r { condition: true }", 0, "no hypothesis"},
		{"scenario first", "Look.\nScenario: x", 2, "a scenario before the rule"},
		{"heading twice", replace("- File scanning", "YARA Rule"), 6, "does not belong here"},
		{"bad count", replace("contains 1 string", "contains many string"), 7, "cannot read the pattern count"},
		{"negative count", replace("contains 1 string", "contains -1 string"), 7, "cannot read the pattern count"},
		{"scenario without title", replace("Scenario: First", "Scenario:"), 8, "without a title"},
		{"scenario without filter", replace("Filter/Exclusion: Exclude files in", "Exclude files in"), 8, "has no \"Filter/Exclusion:\" line"},
		{"filter twice", replace("Description: It happens.\n", "Filter/Exclusion: a.\n"), 10, "a second"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParsePage("page", []byte(tt.page))
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

func FuzzParsePage(f *testing.F) {
	f.Add([]byte(smallPage))
	f.Add([]byte("YARA Rule\nYARA Rule"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePage("page", text)
		if err != nil {
			if !IsPageError(err) {
				t.Fatalf("error of type %T: %v", err, err)
			}
			return
		}
		if p.Rule == "" || p.Hypothesis == "" {
			t.Fatalf("a page without rule or hypothesis: %+v", p)
		}
		for _, s := range p.Scenarios {
			draftExclusion("x", s)
		}
	})
}
