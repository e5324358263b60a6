package syntax

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// hexUnit is what can stand between blanks in a hex pattern.
var hexUnit = regexp.MustCompile(`~?[0-9a-fA-F?]{2}|\[[^\]]*\]|[(|)}]`)

// pieces cuts a text without comments into what blanks can be put between.
func pieces(text string) []string {
	l := &lexer{src: text, valid: true}
	var all []string
	for previous := tEOF; ; {
		t := l.scan()
		if t.kind == tEOF {
			return all
		}
		all = append(all, text[t.start:t.end])
		for previous == tAssign && t.kind == tLBrace && all[len(all)-1] != "}" {
			at := hexUnit.FindStringIndex(text[l.pos:])
			all = append(all, text[l.pos+at[0]:l.pos+at[1]])
			l.pos += at[1]
		}
		previous = t.kind
	}
}

// between are the blanks and comments that can stand anywhere.
var between = []string{
	" ", " ", " ", "\n", "\n", "\n\n\n", "\t", "\r\n", "\u00a0",
	"/* c */", " /* c */ ", "// c\n", " // d\n", "\n// e\n", "\n\n/* f */\n\n", " /* g\n   h\n\ti */ ", "\n  /*\n  j\n  */ ", "/**/",
	"\n\t\t// k\n", "\n  /* o\n\n  p */\n", "\n/* q\n\nr */\n", "          // l\n          // m\n", "// n \r\n",
}

// shake puts random blanks between the pieces of a text, in places only where
// calm is above 0.
func shake(rng *rand.Rand, all []string, calm int) string {
	text := ""
	for _, s := range all {
		text += s
		if calm > 0 && rng.IntN(calm) > 0 {
			text += " "
			continue
		}
		for range 1 + rng.IntN(2) {
			text += between[rng.IntN(len(between))]
		}
	}
	return text
}

// TestShake checks that blanks and comments, wherever they stand, change
// neither the tree nor what Print promises.
func TestShake(t *testing.T) {
	files, err := filepath.Glob("testdata/shake/*.yar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	rounds := 60
	if testing.Short() {
		rounds = 20
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		calmly, l := Parse(&Source{Name: name, Text: text})
		if l.HasErrors() {
			t.Fatal(l)
		}
		all := pieces(string(text))
		rng := rand.New(rand.NewPCG(uint64(len(text)), 7))
		for n := range rounds {
			src := &Source{Name: name, Text: []byte(shake(rng, all, n%30))}
			shaken, l := Parse(src)
			if l.HasErrors() {
				t.Fatalf("%s does not parse: %v", src.Text, l)
			}
			if d := difference(calmly.Items, shaken.Items); d != "" {
				t.Fatalf("%s means something else: %s", src.Text, d)
			}
			checkPrint(t, shaken)
		}
	}
}

// mutate drops, doubles, swaps and moves some pieces.
func mutate(rng *rand.Rand, all []string) []string {
	m := slices.Clone(all)
	for range 1 + rng.IntN(3) {
		i, j := rng.IntN(len(m)), rng.IntN(len(m))
		switch rng.IntN(4) {
		case 0:
			m = slices.Delete(m, i, i+1)
		case 1:
			m = slices.Insert(m, i, m[i])
		case 2:
			m[i], m[j] = m[j], m[i]
		case 3:
			m = slices.Insert(m, i, m[j])
		}
	}
	return m
}

// TestMutate checks rules with small mistakes: whatever is wrong in them, the
// rule behind survives, and what still parses prints as promised.
func TestMutate(t *testing.T) {
	files, err := filepath.Glob("testdata/shake/*.yar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	parsed := 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range strings.SplitAfter(string(text), "\n}\n") {
			all := pieces(rule)
			if len(all) == 0 {
				continue
			}
			for range 200 {
				src := &Source{Name: name, Text: []byte(strings.Join(mutate(rng, all), " ") + "\nrule intact { condition: true }")}
				f, l := Parse(src)
				if n := len(f.Items); n == 0 || f.Items[n-1].(*Rule).Name.Name != "intact" {
					t.Fatalf("%s: lost the last rule: %v", src.Text, l)
				}
				checkSpans(t, f)
				if !l.HasErrors() {
					parsed++
					checkPrint(t, f)
				}
			}
		}
	}
	if parsed == 0 {
		t.Errorf("nothing parsed")
	}
}
