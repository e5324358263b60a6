package compile

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/standard"
	"github.com/besra-hunt/besra/yara/syntax"
)

// formatted prints a source, or returns it as it is where it does not parse.
func formatted(t *testing.T, text []byte) []byte {
	t.Helper()
	f, diags := syntax.Parse(&syntax.Source{Text: text})
	if diags.HasErrors() {
		return text
	}
	var b bytes.Buffer
	if err := syntax.Print(&b, f, syntax.PrintOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// meaning is a program without the places of its rules, and the codes of its
// diagnostics.
func meaning(t *testing.T, p *program.Program, diags diag.List) (encoded []byte, codes map[string]int) {
	t.Helper()
	for i := range p.Rules {
		label := p.Label(int32(i))
		label.Line, label.Column = 0, 0
	}
	var b bytes.Buffer
	if err := p.Encode(&b); err != nil {
		t.Fatal(err)
	}
	codes = make(map[string]int)
	for _, d := range diags {
		codes[d.Code]++
	}
	return b.Bytes(), codes
}

func compileBytes(text []byte, opt Options) (*program.Program, diag.List) {
	c := New(opt)
	list := c.Add("", "rule", text)
	p, more := c.Build()
	return p, append(list, more...)
}

// stride leaves most files of the corpora out, as they are much alike; with 1
// all are compiled, which takes some seconds.
const stride = 5

// TestFormatKeepsMeaning compiles rules before and after they are formatted:
// the programs must be equal to the byte, and what is said of them the same.
func TestFormatKeepsMeaning(t *testing.T) {
	check := func(name string, text []byte, opt Options) bool {
		t.Helper()
		after := formatted(t, text)
		p, diags := compileBytes(text, opt)
		q, again := compileBytes(after, opt)
		want, wantCodes := meaning(t, p, diags)
		got, gotCodes := meaning(t, q, again)
		if !bytes.Equal(want, got) {
			t.Errorf("%s: formatting changes what the rules compile to\n%.2000s\n--- from\n%.2000s", name, after, text)
		}
		for code, n := range wantCodes {
			if gotCodes[code] != n {
				t.Errorf("%s: %d times %s, after formatting %d times", name, n, code, gotCodes[code])
			}
		}
		return !bytes.Equal(text, after)
	}
	changed := 0
	opt := Options{Modules: standard.Modules(), Externals: map[string]module.Value{}, RelaxedRegexps: true}
	for _, v := range readVectors(t) {
		for _, s := range v.Sources {
			if check(v.ID, []byte(s[1]), opt) {
				changed++
			}
		}
	}
	if changed < 1000 {
		t.Errorf("only %d sources were formatted", changed)
	}
	sets, err := filepath.Glob(filepath.Join(shared(t, "corpora"), "rules", "*.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range sets {
		for i, f := range corpus(t, set) {
			if i%stride != 0 {
				continue
			}
			check(f.name, f.text, corpusOptions())
		}
	}
}
