package syntax

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// printed returns what Print makes of a file.
func printed(t testing.TB, f *File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Print(&b, f, PrintOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// checkPrint holds Print to its promises on a file that parsed: the same tree
// and comments come back, and printing again changes nothing.
func checkPrint(t testing.TB, f *File) {
	t.Helper()
	once := printed(t, f)
	again, l := Parse(&Source{Name: f.Source.Name, Text: once})
	if l.HasErrors() {
		t.Fatalf("%s: printed text does not parse: %v\n%s\n--- from\n%s", f.Source.Name, l, once, f.Source.Text)
	}
	if d := difference(f.Items, again.Items); d != "" {
		t.Fatalf("%s: printed text means something else: %s\n%s\n--- from\n%s", f.Source.Name, d, once, f.Source.Text)
	}
	if a, b := commentTexts(f), commentTexts(again); !slices.Equal(a, b) {
		t.Fatalf("%s: comments changed\ngot  %q\nwant %q", f.Source.Name, b, a)
	}
	if twice := printed(t, again); !bytes.Equal(once, twice) {
		t.Fatalf("%s: printing again changes it: %s", f.Source.Name, firstDifference(once, twice))
	}
}

// firstDifference shows the lines around where two texts begin to differ.
func firstDifference(a, b []byte) string {
	x, y := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	part := func(l []string) string { return strings.Join(l[max(0, n-2):min(len(l), n+3)], "\n") }
	return fmt.Sprintf("line %d\n--- once\n%s\n--- twice\n%s", n+1, part(x), part(y))
}

func TestPrintRefusesWhatIsIncomplete(t *testing.T) {
	f, _ := Parse(&Source{Text: []byte("rule a { condition: true } rule b {")})
	var b bytes.Buffer
	if err := Print(&b, f, PrintOptions{}); err != ErrIncomplete || b.Len() > 0 {
		t.Errorf("got %v and %q, want ErrIncomplete and nothing", err, b.String())
	}
}

func TestPrintIndent(t *testing.T) {
	f, _ := Parse(&Source{Text: []byte("rule a { condition: (\ntrue) }")})
	var b bytes.Buffer
	if err := Print(&b, f, PrintOptions{Indent: 4}); err != nil {
		t.Fatal(err)
	}
	want := "rule a {\n    condition:\n        (\n            true)\n}\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

// TestPrintBuilt prints a file that was built and not parsed.
func TestPrintBuilt(t *testing.T) {
	f := &File{Items: []Item{
		&Import{Name: StringLit{Value: "pe"}},
		&Rule{
			Private: true, Global: true, Name: Ident{Name: "built"}, Tags: []Ident{{Name: "tag"}},
			Meta: []*Meta{{Key: Ident{Name: "score"}, Value: &IntLit{Value: -3}}, {Key: Ident{Name: "a"}, Value: &BoolLit{}}},
			Patterns: []*Pattern{
				{ID: Ident{Name: "$text"}, Text: &StringLit{Value: "a\n"}, Modifiers: []*Modifier{{Name: "xor", HasRange: true, Lo: 1, Hi: 9}, {Name: "wide"}}},
				{ID: Ident{Name: "$h"}, Hex: &Hex{Tokens: []HexToken{
					&HexByte{Value: 0xab, Mask: 0xff}, &HexJump{Min: 2, Max: -1}, &HexByte{Value: 0xa0, Mask: 0xf0, Not: true},
					&HexJump{Max: -1}, &HexByte{}, &HexJump{Min: 4, Max: 4}, &HexJump{Min: 4, Max: 5},
					&HexAlt{Alts: [][]HexToken{{&HexByte{Value: 1, Mask: 0xff}}, {&HexByte{Value: 2, Mask: 0x0f}}}},
				}}},
				{ID: Ident{Name: "$r"}, Regexp: &RegexpLit{Text: "a", DotAll: true}},
			},
			Condition: &Of{Patterns: &PatternSet{Them: true}},
		},
	}}
	want := `import "pe"

global private rule built: tag {
  meta:
    score = -3
    a     = false

  strings:
    $text = "a\n" xor(1-9) wide
    $h    = { AB [2-] ~A? [-] ?? [4] [4-5] (01 | ?2) }
    $r    = /a/s

  condition:
    all of them
}
`
	if got := string(printed(t, f)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
