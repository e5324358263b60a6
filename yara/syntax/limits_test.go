package syntax

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// repeats write conditions that are nested or chained n times.
var repeats = map[string]func(n int) string{
	"parentheses": func(n int) string { return strings.Repeat("(", n) + "1" + strings.Repeat(")", n) },
	"not":         func(n int) string { return strings.Repeat("not ", n) + "1" },
	"minus":       func(n int) string { return strings.Repeat("-", n) + "1" },
	"index":       func(n int) string { return strings.Repeat("a[", n) + "1" + strings.Repeat("]", n) },
	"call":        func(n int) string { return strings.Repeat("a(", n) + "1" + strings.Repeat(")", n) },
	"for":         func(n int) string { return strings.Repeat("for any of them : (", n) + "1" + strings.Repeat(")", n) },
	"with":        func(n int) string { return strings.Repeat("with a = 1 : (", n) + "1" + strings.Repeat(")", n) },
	"of":          func(n int) string { return strings.Repeat("any of (", n) + "1" + strings.Repeat(")", n) },
	"range":       func(n int) string { return strings.Repeat("#a in (1..", n) + "1" + strings.Repeat(")", n) },
	"offset":      func(n int) string { return strings.Repeat("@a[", n) + "1" + strings.Repeat("]", n) },
	"or":          func(n int) string { return strings.Repeat("1 or ", n) + "1" },
	"and":         func(n int) string { return strings.Repeat("1 and ", n) + "1" },
	"sum":         func(n int) string { return strings.Repeat("1 + ", n) + "1" },
	"comparison":  func(n int) string { return strings.Repeat("1 == ", n) + "1" },
	"fields":      func(n int) string { return "a" + strings.Repeat(".a", n) },
	"indices":     func(n int) string { return "a" + strings.Repeat("[1]", n) },
	"calls":       func(n int) string { return "a" + strings.Repeat("()", n) },
	"chained deep": func(n int) string {
		return strings.Repeat("(", 500) + strings.Repeat("1+", n) + "1" + strings.Repeat(")", 500)
	},
	"left deep": func(n int) string {
		return strings.Repeat("(", 900) + "1" + strings.Repeat(strings.Repeat("+1", n/100)+")", 900)
	},
}

// TestNesting checks that nesting is bounded: hundreds of levels parse, a
// million is refused, in little stack and with the rule behind intact.
func TestNesting(t *testing.T) {
	for name, text := range repeats {
		t.Run(name, func(t *testing.T) {
			for _, tt := range []struct {
				n  int
				ok bool
			}{{400, true}, {200_000, false}} {
				src := "rule r { condition: " + text(tt.n) + " }\nrule after { condition: true }"
				f, l := Parse(&Source{Text: []byte(src)})
				if tt.ok {
					if l.HasErrors() {
						t.Fatalf("%d: got %v, want none", tt.n, l)
					}
					checkPrint(t, f)
					continue
				}
				if len(l) != 1 || l[0].Code != "nesting_too_deep" || len(f.Items) != 1 {
					t.Errorf("%d: got %d rules and %v, want one and nesting_too_deep", tt.n, len(f.Items), l)
				}
			}
		})
	}
}

func TestHexNesting(t *testing.T) {
	text := func(n int) *Source {
		return &Source{Text: []byte("rule r { strings: $a = { " + strings.Repeat("( 01 ", n) + strings.Repeat(")", n) + " } condition: $a }")}
	}
	if _, l := Parse(text(1000)); l.HasErrors() {
		t.Errorf("got %v, want none", l)
	}
	if _, l := Parse(text(200_000)); len(l) != 1 || l[0].Code != "nesting_too_deep" {
		t.Errorf("got %v, want nesting_too_deep", l)
	}
}

// TestLongConditions checks that lists of indicators, which are long chains,
// are well within the limits.
func TestLongConditions(t *testing.T) {
	var b strings.Builder
	b.WriteString("rule r { condition: false")
	for i := range 20_000 {
		fmt.Fprintf(&b, "\n or hash.md5(0, filesize) == \"%032x\"", i)
	}
	b.WriteString("}")
	f, l := Parse(&Source{Text: []byte(b.String())})
	if l.HasErrors() {
		t.Fatal(l)
	}
	n := 0
	Walk(f.Items[0].(*Rule).Condition, func(x Expr) bool {
		if _, ok := x.(*TextLit); ok {
			n++
		}
		return true
	})
	if n != 20_000 {
		t.Errorf("got %d texts, want 20000", n)
	}
}

// TestLinear checks that hostile texts cost what honest ones of their length
// cost, by allocated bytes: repeated scanning would show there or never end.
func TestLinear(t *testing.T) {
	for name, unit := range map[string]string{
		"quotes": `"`, "triple quotes": `"""`, "slashes": "/ ", "stars": "/*", "braces": "{", "brackets": "{ [",
		"rules": "rule ", "globals": "global ", "rule names": "rule a", "backslashes": `\`, "hex": "rule a { strings: $a = { (",
		"dots": ".", "ofs": "any of (", "newlines": "\n", "bad bytes": "\xff", "imports": "import ", "alternatives": "(01|",
		"conditions": "rule a { condition: ",
	} {
		t.Run(name, func(t *testing.T) {
			const size = 1 << 20
			text := []byte(strings.Repeat(unit, size/len(unit)))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, l := Parse(&Source{Text: text})
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 600*size {
				t.Errorf("got %d bytes allocated for %d", used, size)
			}
			if name != "newlines" && !l.HasErrors() {
				t.Errorf("got no error")
			}
		})
	}
}
