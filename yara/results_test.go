package yara_test

import (
	"context"
	"slices"
	"testing"

	"github.com/besra-hunt/besra/yara"
)

// TestResultsAll asks rules that do not match for their patterns.
func TestResultsAll(t *testing.T) {
	rules, err := yara.Compile(`
		rule no { strings: $a = "abc" $b = "xyz" private condition: $a and $b and filesize > 100 }
		rule yes { strings: $c = "bc" condition: #c == 2 }
		private rule hidden { condition: true }`)
	if err != nil {
		t.Fatal(err)
	}
	results, err := rules.NewScanner().Scan(context.Background(), []byte("abc abc xyz"))
	if err != nil {
		t.Fatal(err)
	}
	var names, found []string
	for rule := range results.All() {
		names = append(names, rule.Name())
		if got, want := results.Matches(rule), rule.Name() == "yes"; got != want {
			t.Errorf("Matches(%s): got %t, want %t", rule.Name(), got, want)
		}
		for p := range rule.Patterns() {
			for range p.Matches() {
				found = append(found, p.ID())
			}
			if got, want := p.Positional(), p.ID() == "$c"; got != want {
				t.Errorf("%s.Positional: got %t, want %t", p.ID(), got, want)
			}
		}
	}
	if want := []string{"no", "yes", "hidden"}; !slices.Equal(names, want) {
		t.Errorf("rules: got %q, want %q", names, want)
	}
	if want := []string{"$a", "$a", "$c", "$c"}; !slices.Equal(found, want) {
		t.Errorf("matches: got %q, want %q", found, want)
	}
}
