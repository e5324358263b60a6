package detection

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
)

const full = `apiVersion: besra/v1
id: x
version: 1.0.0
title: X
status: test
hypothesis: {statement: s, state: unknown}
rule: {file: x.yar, name: x, patterns: 1}
severity: low
confidence: 75
attack:
  version: "17.0"
  techniques:
    - T1027
    - T1027.002
scenarios:
  - id: one
    title: One
    exclusions:
      - id: a
        when: "true"
        contexts: [file]
provenance: {tlp: amber+strict}
`

// TestFieldErrors wants each fault at the line and column of its field.
func TestFieldErrors(t *testing.T) {
	tests := []struct {
		old, new, field string
		line, column    int
	}{
		{"severity: low", "severity: urgent", "severity", 8, 11},
		{"confidence: 75", "confidence: 750", "confidence", 9, 13},
		{"T1027.002", "1027", "attack.techniques[1]", 14, 7},
		{`version: "17.0"`, `groups: [G0020]`, "attack", 11, 3},
		{"title: X", "title: X\ntlp: red", "tlp", 5, 1},
		{"amber+strict", "orange", "provenance.tlp", 22, 19},
		{"id: one", "id: One", "scenarios[0].id", 16, 9},
		{"title: X\n", "", "title", 1, 1},
		{"file: x.yar, ", "", "rule", 7, 8},
		{"confidence: 75", "confidence: often", "", 9, 13},
	}
	for _, tt := range tests {
		_, err := Parse([]byte(strings.Replace(full, tt.old, tt.new, 1)))
		var f *FieldError
		if !errors.As(err, &f) || f.Field != tt.field || f.Line != tt.line || f.Column != tt.column {
			t.Errorf("%s: got %+v (%v), want %s at %d:%d", tt.new, f, err, tt.field, tt.line, tt.column)
		}
	}
	if _, err := Parse([]byte(full)); err != nil {
		t.Error(err)
	}
}

// TestSharedRuleFile has two detections of one rule file, one of an inline rule
// and a helper that is none's.
func TestSharedRuleFile(t *testing.T) {
	const rules = `rule Helper { strings: $h = "help" condition: $h }
rule A { strings: $a = "aaaa" condition: $a and Helper }
rule B { strings: $b = "bbbb" condition: $b }`
	of := func(id, rule string) string {
		return strings.NewReplacer("id: x", "id: "+id, "name: x", "name: "+rule, "x.yar", "r.yar").Replace(full)
	}
	inline := strings.NewReplacer("id: x", "id: c", "{file: x.yar, name: x, patterns: 1}",
		`{inline: 'rule C { strings: $c = "cccc" condition: $c }', name: C, patterns: 1}`).Replace(full)
	pack, errs := LoadPack("p", fstest.MapFS{"r.yar": {Data: []byte(rules)},
		"r.yaml": {Data: []byte(of("a", "A") + "---\n" + of("b", "B"))}, "c.yml": {Data: []byte(inline)}})
	if len(errs) > 0 || len(pack.Detections) != 3 {
		t.Fatalf("%d detections, %v", len(pack.Detections), errs)
	}
	set, faults := Compile(pack)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	results, err := set.Rules.NewScanner().Scan(t.Context(), []byte("help aaaa bbbb cccc"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for rule := range results.Matching() {
		if e := set.Entry(rule); e != nil {
			got = append(got, e.Detection.ID+"="+rule.Name())
		}
	}
	if want := "c=C a=A b=B"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestOneRuleIsOneDetection(t *testing.T) {
	text := full + "---\n" + strings.Replace(full, "id: x", "id: y", 1)
	pack, errs := LoadPack("p", fstest.MapFS{"x.yar": {Data: []byte(`rule x { strings: $a = "aaaa" condition: $a }`)}, "x.yaml": {Data: []byte(text)}})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if _, faults := Compile(pack); len(faults) != 1 || !strings.Contains(faults[0].Error(), "already that of the detection x") {
		t.Errorf("got %v", faults)
	}
}

func TestFingerprint(t *testing.T) {
	of := func(text string) string {
		for _, f := range fingerprints("r.yar", []byte(text)) {
			return f
		}
		return ""
	}
	first := of(`rule a : tag { meta: author = "x" strings: $a = "aa" condition: $a }`)
	if same := of("rule b {\n  strings:\n    $a = \"aa\" // why\n  condition:\n    $a\n}"); first == "" || first != same {
		t.Errorf("a renamed rule: got %s, want %s", same, first)
	}
	if other := of(`rule a { strings: $a = "ab" condition: $a }`); other == first {
		t.Error("another pattern has the same fingerprint")
	}
	if other := of(`rule a { strings: $a = "aa" condition: not $a }`); other == first {
		t.Error("another condition has the same fingerprint")
	}
}

func TestCheckFingerprints(t *testing.T) {
	rule := []byte(`rule x { strings: $a = "aaaa" condition: $a }`)
	check := func(stated string) []Fault {
		text := strings.Replace(full, "patterns: 1", "patterns: 1, fingerprint: '"+stated+"'", 1)
		p, errs := LoadPack("p", fstest.MapFS{"x.yar": {Data: rule}, "x.yaml": {Data: []byte(text)}})
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		return CheckFingerprints(p)
	}
	if faults := check(fingerprints("x.yar", rule)["x"]); len(faults) > 0 {
		t.Errorf("the right one: %v", faults)
	}
	if faults := check("sha256:00"); len(faults) != 1 || !strings.Contains(faults[0].Error(), "[7:56] rule x has the fingerprint") {
		t.Errorf("a wrong one: %v", faults)
	}
}
