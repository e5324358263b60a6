package syntax

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/besra-hunt/besra/yara/diag"
)

// seed adds every rule file under testdata to a corpus.
func seed(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.yar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
}

// FuzzParse checks that no text breaks the parser, that what it reports lies
// in the text and can be shown, and that it holds its own promises.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		file, l := Parse(&Source{Name: "f", Text: text})
		if file.Incomplete != l.HasErrors() {
			t.Errorf("got Incomplete %v with %v", file.Incomplete, l)
		}
		for _, d := range l {
			if d.Span.Start > d.Span.End || d.Span.Start < 0 || int(d.Span.End) > len(text) {
				t.Errorf("%v: span %v lies outside of %d bytes", d, d.Span, len(text))
			}
		}
		checkSpans(t, file)
		lookup := func(int32) (string, []byte, bool) { return "f", text, true }
		diag.Resolve(l, lookup)
		if err := diag.Render(&bytes.Buffer{}, l, lookup, diag.Options{}); err != nil {
			t.Error(err)
		}
	})
}

// checkSpans checks that every expression lies inside the one above it.
func checkSpans(t *testing.T, file *File) {
	var check func(x Expr, in diag.Span)
	check = func(x Expr, in diag.Span) {
		Walk(x, func(y Expr) bool {
			at := y.Pos()
			if at.Start < in.Start || at.End > in.End || at.Start >= at.End {
				t.Errorf("%T at %v lies outside of %v", y, at, in)
			}
			if y == x {
				return true
			}
			check(y, x.Pos())
			return false
		})
	}
	for _, item := range file.Items {
		if r, ok := item.(*Rule); ok {
			check(r.Condition, r.Span)
		}
	}
}

// FuzzPrint checks Print on every text that parses.
func FuzzPrint(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		file, l := Parse(&Source{Name: "f", Text: text})
		if l.HasErrors() {
			return
		}
		checkPrint(t, file)
		for _, item := range file.Items {
			if r, ok := item.(*Rule); ok {
				checkExprString(t, r)
			}
		}
	})
}

// checkExprString checks that a condition in one line is the same condition.
func checkExprString(t *testing.T, r *Rule) {
	text := "rule r { condition: " + ExprString(r.Condition) + "\n}"
	again, l := Parse(&Source{Text: []byte(text)})
	if l.HasErrors() {
		t.Fatalf("%s does not parse: %v", text, l)
	}
	a, b := *r, *again.Items[0].(*Rule)
	want := &Rule{Condition: a.Condition}
	if d := difference([]Item{want}, []Item{&Rule{Condition: b.Condition}}); d != "" {
		t.Fatalf("%s means something else: %s", text, d)
	}
}
