package content_test

import (
	"encoding/json"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/detection/builtin"
	"github.com/besra-hunt/besra/sentinel/content"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// bundle makes the content of the embedded pack.
func bundle(t *testing.T, o content.Options) *content.Bundle {
	t.Helper()
	p, errs := builtin.Pack()
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	b, faults := content.Build(o, p)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return b
}

// TestExport compares the export of the embedded pack with testdata, file by
// file, and wants that it keeps every limit.
func TestExport(t *testing.T) {
	b := bundle(t, content.Options{})
	for _, p := range b.Lint() {
		t.Error(p)
	}
	for dir, write := range map[string]func() (content.Files, error){"testdata/arm": b.ARM, "testdata/yaml": b.YAML} {
		files, err := write()
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			os.RemoveAll(dir)
			if _, err := files.Write(dir); err != nil {
				t.Fatal(err)
			}
		}
		compare(t, dir, files)
	}
}

func compare(t *testing.T, dir string, files content.Files) {
	t.Helper()
	want := content.Files{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || p == ".besra-export" {
			return err
		}
		want[p], err = os.ReadFile(filepath.Join(dir, p))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(files))); diff != "" {
		t.Errorf("%s: files (-want +got):\n%s", dir, diff)
	}
	for name := range want {
		if diff := cmp.Diff(string(want[name]), string(files[name])); diff != "" {
			t.Errorf("%s/%s (-want +got):\n%s", dir, name, diff)
		}
	}
}

// pack is a pack of one detection, with a change to its text.
func pack(t *testing.T, change ...string) *detection.Pack {
	t.Helper()
	text := `apiVersion: besra/v1
id: one
version: 1.0.0
status: test
title: One
hypothesis: {statement: Someone does one., state: unknown}
rule: {file: one.yar, name: One, patterns: 1}
severity: high
scenarios: []
`
	p, errs := detection.LoadPack("p", fstest.MapFS{
		"one.yaml": {Data: []byte(strings.NewReplacer(change...).Replace(text))},
		"one.yar":  {Data: []byte(`rule One { strings: $a = "one two three" condition: $a }`)},
	})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return p
}

func build(t *testing.T, p *detection.Pack) *content.Bundle {
	t.Helper()
	b, faults := content.Build(content.Options{}, p)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return b
}

// TestTemplateText wants that no text of a detection becomes an expression of a
// template.
func TestTemplateText(t *testing.T) {
	files, err := build(t, pack(t, "Someone does one.", `"[concat('a', 'b')]"`)).ARM()
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources []struct {
			Properties struct {
				Tags []struct{ Name, Value string }
			}
		}
	}
	if err := json.Unmarshal(files["Hunting/one.json"], &template); err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, tag := range template.Resources[0].Properties.Tags {
		if tag.Name == "description" {
			got = tag.Value
		}
	}
	if want := "[[concat('a', 'b')]"; got != want {
		t.Errorf("description %q, want %q", got, want)
	}
}

// TestExpressions wants every expression of the templates to be one that we
// mean.
func TestExpressions(t *testing.T) {
	files, err := bundle(t, content.Options{}).ARM()
	if err != nil {
		t.Fatal(err)
	}
	meant := regexp.MustCompile(`^\[(resourceGroup\(\)\.location|parameters\('location'\)|resourceId\('[A-Za-z./]+', parameters\('workspace'\)(, '[A-Za-z0-9._-]+')*\)|` +
		`concat\((parameters\('workspace'\)|resourceId\('[A-Za-z./]+', parameters\('workspace'\)\)), '[A-Za-z0-9/._-]+'\)|\[.*)\]?$`)
	n := 0
	for name, text := range files {
		for _, m := range regexp.MustCompile(`: "(\[(?:[^"\\]|\\.)*)"`).FindAllStringSubmatch(string(text), -1) {
			n++
			if !meant.MatchString(m[1]) {
				t.Errorf("%s: %s", name, m[1])
			}
		}
	}
	if n < 10 {
		t.Errorf("%d expressions found", n)
	}
}

// TestIdentifiers wants that no two kinds or names share a GUID, and that a
// GUID never changes.
func TestIdentifiers(t *testing.T) {
	if got, want := content.GUID("alertRules/findings-high"), "73c0a089-2675-5b14-aaee-d5c973e68cd3"; got != want {
		t.Errorf("GUID %s, want %s: rules that were deployed would be left behind", got, want)
	}
	seen := map[string]bool{}
	for _, r := range bundle(t, content.Options{}).Resources {
		if seen[r.Key()] {
			t.Errorf("two resources are %s", r.Key())
		}
		seen[r.Key()] = true
	}
}

// TestAttribution wants author and licence of a rule in its alerts and in every
// query made of it.
func TestAttribution(t *testing.T) {
	for _, r := range bundle(t, content.Options{}).Resources {
		if r.Kind == content.AlertRule && (!strings.Contains(r.Query(), "RuleAuthor") || !strings.Contains(r.Query(), "RuleLicense")) {
			t.Errorf("%s does not name the author", r.Title)
		}
		if r.Kind == content.HuntingQuery && !strings.Contains(r.Query(), "Florian Roth") {
			t.Errorf("%s does not name the author", r.Title)
		}
	}
}

func TestWithout(t *testing.T) {
	for _, r := range bundle(t, content.Options{Without: []*content.Kind{content.Hunt, content.HuntRelation}}).Resources {
		if r.Kind.Preview {
			t.Errorf("%s is there", r.Key())
		}
	}
}

// TestWriteRemoves wants that a file that is no longer part of an export goes,
// and one that never was does not.
func TestWriteRemoves(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := (content.Files{"a/b.json": nil, "c.json": []byte("1")}).Write(dir); err != nil {
		t.Fatal(err)
	}
	removed, err := content.Files{"c.json": []byte("2")}.Write(dir)
	if err != nil || !slices.Equal(removed, []string{"a/b.json"}) {
		t.Errorf("removed %q, %v", removed, err)
	}
	for name, want := range map[string]bool{"mine": true, "c.json": true, "a/b.json": false} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
