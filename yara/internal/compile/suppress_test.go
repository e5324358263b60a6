package compile

import (
	"slices"
	"strings"
	"testing"
)

// TestSuppressions holds comments that silence warnings to the codes that are
// left, sorted.
func TestSuppressions(t *testing.T) {
	tests := []struct{ name, src, left string }{
		{"nothing", "rule r { condition: true }", "invariant_expr"},
		{"before the rule", "// suppress: invariant_expr\nrule r { condition: true }", ""},
		{"another code", "// suppress: slow_pattern\nrule r { condition: true }", "invariant_expr"},
		{"several codes", "// suppress: slow_pattern, invariant_expr\nrule r { strings: $a = \"a\" condition: $a or true }", ""},
		{"several comments", "// suppress: slow_pattern\n// note\n// suppress: invariant_expr\nrule r { strings: $a = \"a\" condition: $a or true }", ""},
		{"a block comment", "/* suppress: invariant_expr */ rule r { condition: true }", ""},
		{"this rule only", "// suppress: invariant_expr\nrule r { condition: true }\nrule s { condition: true }", "invariant_expr"},
		{"before the pattern", "rule r { strings:\n// suppress: text_as_hex\n$a = { 61\n62 } $b = { 61 63 } condition: all of them }", "text_as_hex"},
		{"behind the pattern", "rule r { strings:\n$a = { 61 62 } // suppress: text_as_hex\n$b = { 61 63 } condition: all of them }", "text_as_hex"},
		{"behind the line", "rule r { condition:\n true // suppress: invariant_expr\n}", ""},
		{"before the line", "rule r { condition:\n // suppress: invariant_expr\n true\n}", ""},
		{"one line of two", "rule r { condition:\n filesize // suppress: invariant_expr\n and false }", "invariant_expr non_bool_expr"},
		{"the rule of two lines", "// suppress: invariant_expr,non_bool_expr\nrule r { condition:\n filesize\n and false }", ""},
		{"a label", "rule r { strings: $a = \"abc\" // suppress: duplicate_pattern_value\n $b = \"abc\" condition: all of them }", ""},
		{"no error", "// suppress: unknown_pattern\nrule r { condition: $a }", "unknown_pattern"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := New(options())
			var codes []string
			for _, d := range c.Add("", "t.yar", []byte(test.src)) {
				codes = append(codes, d.Code)
			}
			slices.Sort(codes)
			if got := strings.Join(codes, " "); got != test.left {
				t.Errorf("got %q, want %q", got, test.left)
			}
		})
	}
}
