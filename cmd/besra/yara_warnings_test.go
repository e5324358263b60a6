package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestYARAWarnings holds conditions to the warnings that yara 4.5 gives, and to
// no others.
func TestYARAWarnings(t *testing.T) {
	tests := []struct {
		src  string
		want []string
	}{
		{`0 of them`, []string{`consider using "none" keyword, it is less ambiguous.`}},
		{`3 of them`, []string{"expression always false - requesting 3 of 2."}},
		{`for 3 of them : ($)`, nil},
		{`2 of them at 0`, []string{"multiple strings at an offset is usually false."}},
		{`any of them at 0`, nil},
		{`all of them or entrypoint == 0`, []string{`using deprecated "entrypoint" keyword. Use the "entry_point" function from PE module instead.`}},
		{`not "x" and all of them`, []string{`using literal string "x" in a boolean operation.`}},
		{`filesize and 1.5 and all of them`, nil},
		{`all of them and uint8(0) == 0x100`, nil},
		{`any of them or true`, nil},
	}
	t.Chdir(t.TempDir())
	for _, test := range tests {
		writeFile(t, "r.yar", []byte(`rule r { strings: $a = "abcd" $b = "efgh" condition: `+test.src+" }"))
		_, stderr, _ := runBesra([]string{"yara", "r.yar", "r.yar"})
		var got []string
		for line := range strings.Lines(stderr) {
			got = append(got, strings.TrimPrefix(strings.TrimSpace(line), `warning: rule "r" in r.yar(1): `))
		}
		if d := cmp.Diff(test.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", test.src, d)
		}
	}
}

// TestOpenDot holds regexps of which yara says that they repeat a dot without
// end, and others.
func TestOpenDot(t *testing.T) {
	with := []string{`abcd.*e`, `abcd.+?e`, `.{2,}abcd`, `abcd.{0,}e`, `abc(.*x)y`, `abcd(a|b).*`, `[.].*`, `[]].*[^]]`, `\\.*`}
	without := []string{`abcd`, `abcd.{,5}e`, `abcd.{5}`, `abc(.*x|z)y`, `ab|.*cd`, `(abcd.*)+`, `abcd(.+)?`, `abcd(.)*`, `abc[.]*\.*`, `[]].`, `(`, `)`, `[`, `\`, `a)|.*`}
	for _, re := range slices.Concat(with, without) {
		if got, want := openDot(re), slices.Contains(with, re); got != want {
			t.Errorf("%s: got %v, want %v", re, got, want)
		}
	}
}
