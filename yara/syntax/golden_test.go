package syntax

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra/yara/diag"
)

var update = flag.Bool("update", false, "rewrite the expectations under testdata")

// golden compares a text with the file beside an input, or rewrites it. An
// empty text has no file.
func golden(t *testing.T, input, ext, got string) {
	t.Helper()
	name := strings.TrimSuffix(input, ".yar") + ext
	if *update {
		os.Remove(name)
		if got != "" {
			if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

// inputs calls test for every rule file of a folder under testdata.
func inputs(t *testing.T, folder string, test func(t *testing.T, name string, src *Source)) {
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.yar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no inputs in %s: %v", folder, err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yar"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			test(t, name, &Source{Name: filepath.Base(name), Text: text})
		})
	}
}

// render shows diagnostics as a person sees them.
func render(t *testing.T, l diag.List, src *Source) string {
	t.Helper()
	var b bytes.Buffer
	lookup := func(int32) (string, []byte, bool) { return src.Name, src.Text, true }
	if err := diag.Render(&b, l, lookup, diag.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestParse compares the trees of testdata/parse with the outlines beside them.
func TestParse(t *testing.T) {
	inputs(t, "parse", func(t *testing.T, name string, src *Source) {
		f, l := Parse(src)
		golden(t, name, ".tree", dump(f))
		golden(t, name, ".diag", render(t, l, src))
		checkSpans(t, f)
		if !l.HasErrors() {
			checkPrint(t, f)
		}
	})
}

var okRule = regexp.MustCompile(`\brule (ok_\w+)`)

// TestErrors compares what is said of the faulty rules of testdata/errors with
// the texts beside them. In every file the rules named ok… are right and must
// survive the others.
func TestErrors(t *testing.T) {
	inputs(t, "errors", func(t *testing.T, name string, src *Source) {
		f, l := Parse(src)
		golden(t, name, ".diag", render(t, l, src))
		if !l.HasErrors() || !f.Incomplete {
			t.Errorf("got no error")
		}
		var got []string
		for _, item := range f.Items {
			if r, ok := item.(*Rule); ok {
				got = append(got, r.Name.Name)
			}
		}
		var want []string
		for _, m := range okRule.FindAllSubmatch(src.Text, -1) {
			want = append(want, string(m[1]))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("rules that survived (-want +got):\n%s", d)
		}
	})
}

// TestPrint compares the printed files of testdata/print with those beside
// them.
func TestPrint(t *testing.T) {
	inputs(t, "print", func(t *testing.T, name string, src *Source) {
		f, l := Parse(src)
		if l.HasErrors() {
			t.Fatal(render(t, l, src))
		}
		golden(t, name, ".fmt", string(printed(t, f)))
		checkPrint(t, f)
	})
}
