package detection

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/besra-hunt/besra"
)

// rulesPack is a pack of bare rule files, one of which includes another, one
// of which is broken.
func rulesPack() fstest.MapFS {
	return fstest.MapFS{
		"lib/common.yar": {Data: []byte(`rule Common { strings: $a = "common" condition: $a }`)},
		"a/uses.yar": {Data: []byte(`include "../lib/common.yar"
rule Uses {
  meta: Description = "Uses it" author = "Someone" License = "MIT" score = 85
  strings: $a = "uses"
  condition: $a and Common
}`)},
		"broken.yar": {Data: []byte(`rule Broken { condition: $x } rule Fine { condition: true }`)},
		"note.txt":   {Data: []byte("no rule")},
	}
}

func TestPlainRules(t *testing.T) {
	pack, errs := LoadPack("rules", rulesPack())
	if len(errs) > 0 || len(pack.Detections) != 3 {
		t.Fatalf("got %d detections, errors %v", len(pack.Detections), errs)
	}
	set, faults := Compile(pack)
	if len(faults) != 1 || faults[0].Path != "broken.yar" || !strings.Contains(faults[0].Error(), "unknown_pattern") {
		t.Fatalf("got faults %v, want one of broken.yar", faults)
	}
	if g := faults[0].Gap(); g.Kind != besra.GapContent || g.Reason != "invalid_rule" || g.Target != "rules/broken.yar" {
		t.Errorf("got gap %+v", g)
	}
	results, err := set.Rules.NewScanner().Scan(t.Context(), []byte("common uses"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for rule := range results.Matching() {
		e := set.Entry(rule)
		if e == nil {
			continue // the included copy of Common
		}
		names = append(names, rule.Name())
		det, ref, severity := e.Describe(rule)
		if rule.Name() == "Uses" && (det.Title != "Uses it" || ref.Author != "Someone" || ref.License != "MIT" || severity != besra.SeverityHigh) {
			t.Errorf("got %+v, %+v, %s", det, ref, severity)
		}
	}
	if got := strings.Join(names, " "); got != "Uses Fine Common" {
		t.Errorf("got %s: want each rule once, the sound one of the broken file too", got)
	}
}

func TestIncludeStaysInThePack(t *testing.T) {
	pack, _ := LoadPack("p", fstest.MapFS{"a.yar": {Data: []byte(`include "../../etc/passwd"` + "\nrule r { condition: true }")}})
	if _, faults := Compile(pack); len(faults) != 1 {
		t.Errorf("got faults %v, want one", faults)
	}
}

func TestParseErrors(t *testing.T) {
	const good = `apiVersion: besra/v1
id: x
title: X
status: test
hypothesis: {statement: s, state: unknown}
rule: {file: x.yar, name: x, patterns: 1}
severity: low
provenance: {}
`
	if _, err := Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ old, new, want string }{
		{"apiVersion: besra/v1", "apiVersion: besra/v2", "apiVersion"},
		{"id: x", "id: X_1", `id "X_1"`},
		{"title: X", "title: ''", "title is missing"},
		{"status: test", "status: old", "status"},
		{"state: unknown", "state: maybe", "hypothesis.state"},
		{"file: x.yar", "file: ../x.yar", "rule.file"},
		{"patterns: 1", "patterns: -1", "rule.patterns"},
		{"severity: low", "severity: urgent", "severity"},
		{"severity: low", "severity: low\ncontexts: [moon]", "context"},
		{"patterns: 1", "patterns: 1, knownBad: [12]", "knownBad"},
		{"title: X", "titel: X", "[3:1]"},
		{"id: x", "id: [", "[2:5]"},
	}
	for _, tt := range tests {
		_, err := Parse([]byte(strings.Replace(good, tt.old, tt.new, 1)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q in it", tt.new, err, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("apiVersion: besra/v1\nid: x\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if d, err := Parse(text); err == nil && d.ID == "" {
			t.Fatal("a detection without an id")
		}
	})
}
