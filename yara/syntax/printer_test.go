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

func TestCorporaPrint(t *testing.T) {
	for _, name := range corpora {
		t.Run(name, func(t *testing.T) {
			for _, src := range corpus(t, name) {
				f, _ := Parse(src)
				checkPrint(t, f)
			}
		})
	}
}

func TestVectorsPrint(t *testing.T) {
	for _, v := range vectors(t) {
		for _, s := range v.Sources {
			if f, l := Parse(&Source{Name: v.ID, Text: []byte(s[1])}); !l.HasErrors() {
				checkPrint(t, f)
			}
		}
	}
}
