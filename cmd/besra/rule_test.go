package main

import (
	"archive/tar"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/syntax"
)

func TestWriteAtomic(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "old", []byte("old"))
	if err := os.Chmod("old", 0o640); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"old", "new"} {
		if err := writeAtomic(name, []byte("text")); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); string(got) != "text" || err != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	if info, _ := os.Stat("old"); runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("permissions: got %v, want 0640", info.Mode().Perm())
	}
	if err := writeAtomic("gone/x", nil); err == nil {
		t.Error("a directory that is not there: got no error")
	}
	if err := os.Mkdir("dir", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := writeAtomic("dir", nil); err == nil {
		t.Error("a directory: got no error")
	}
	if left, _ := filepath.Glob("*.tmp"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestFormatCorpora formats real rules: nothing changes but the form.
func TestFormatCorpora(t *testing.T) {
	archives, _ := filepath.Glob("../../../shared/corpora/rules/*.tar.gz")
	if len(archives) == 0 {
		t.Skip("no corpora at hand")
	}
	for _, archive := range archives {
		for name, text := range archivedRules(t, archive) {
			if _, diags, err := formatRules(name, text, 2); err != nil || diags.HasErrors() {
				t.Errorf("%s: %v %v", name, err, diags)
			}
		}
	}
}

// archivedRules reads the rule files of an archive, of a large one every
// tenth.
func archivedRules(t *testing.T, archive string) map[string][]byte {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	r := tar.NewReader(unzipped)
	for n := 0; ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if ext := filepath.Ext(h.Name); ext != ".yar" && ext != ".yara" {
			continue
		}
		if n++; n > 100 && n%10 != 0 {
			continue
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSameTree is the guard of the formatter: it must see every difference.
func TestSameTree(t *testing.T) {
	parse := func(text string) *syntax.File {
		f, diags := syntax.Parse(&syntax.Source{Text: []byte(text)})
		if diags.HasErrors() {
			t.Fatalf("%s: %v", text, diags)
		}
		return f
	}
	const base = `import "pe" rule a : t { meta: m = 1 strings: $a = "x" wide $h = { 41 [2-3] 4? } condition: $a and #h > 2 /* c */ }`
	same := []string{base, strings.ReplaceAll(base, " ", "\n  "), strings.Replace(base, "4?", "4?  ", 1)}
	for _, text := range same {
		a, b := parse(base), parse(text)
		if !sameTree(reflect.ValueOf(a.Items), reflect.ValueOf(b.Items)) || !sameComments(a, b) {
			t.Errorf("%s: got different, want the same", text)
		}
	}
	for _, change := range []string{"pe|elf", "a :|b :", "t {|u {", "m = 1|m = 2", "m = 1|m = true", `"x"|"y"`, "wide|ascii", "wide| ",
		"41|42", "2-3|2-4", "4?|5?", "4?|?4", "and|or", "#h|@h", "> 2|> 3", "/* c */|/* d */", "/* c */| ", "$a and|$a and not"} {
		from, to, _ := strings.Cut(change, "|")
		text := strings.Replace(base, from, to, 1)
		a, b := parse(base), parse(text)
		if sameTree(reflect.ValueOf(a.Items), reflect.ValueOf(b.Items)) && sameComments(a, b) {
			t.Errorf("%s: got the same, want different", text)
		}
	}
}

// FuzzSchema holds any rules to a schema with every kind of demand.
func FuzzSchema(f *testing.F) {
	name := filepath.Join(f.TempDir(), "schema.yaml")
	const schema = `
rule_name: {regexp: "^[A-Z]"}
metadata: {a: {type: hash, required: true}, b: {type: string, regexp: "^x", allowed: [x, xx], error: true}, c: {type: float}}
tags: {allowed: [t], required: true}`
	if err := os.WriteFile(name, []byte(schema), 0o666); err != nil {
		f.Fatal(err)
	}
	s, err := readSchema(name)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("// suppress: missing_tag\nrule r : u { meta: a = 1 /* suppress: invalid_metadata, x */ b = \"y\"\n condition: true } // suppress:")
	f.Add("rule r { // suppress: missing_tag\n condition: true }")
	f.Fuzz(func(t *testing.T, text string) {
		tree, _ := syntax.Parse(&syntax.Source{Text: []byte(text)})
		for _, d := range s.check(tree) {
			if d.Span.Start < 0 || d.Span.End > int32(len(text)) || d.Span.Start > d.Span.End || d.Code == "" {
				t.Errorf("%q: got the diagnostic %+v", text, d)
			}
		}
	})
}
