package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// cliff is rules that engines tend to fall off at.
type cliff struct {
	name  string
	rules func(*rand.Rand) string
	// data makes what is scanned; nil stands for a mixed tree.
	data func(m *maker) error
}

func cliffList() []cliff {
	fixed := func(source string) func(*rand.Rand) string {
		return func(*rand.Rand) string { return source }
	}
	return []cliff{
		{"one byte", fixed(rule("$a = { 41 } $b = { 7A }", "#a > 10 and #b > 10")), nil},
		{"two bytes", fixed(rule("$a = { 4D 5A } $b = \"%s\" $c = { FF 25 }", "#a + #b + #c > 5")), nil},
		{"zeroes", fixed(rule("$a = { 00 00 00 00 }", "#a > 100")), nil},
		{"zeroes, jump", fixed(rule("$a = { 00 00 00 00 [4-8] 00 00 00 01 }", "$a")), nil},
		{"leading .*", fixed(rule("$a = /.*foobar/", "$a")), nil},
		{"regexp, no atom", fixed(rule("$a = /[0-9]{3}-[0-9]{2}-[0-9]{4}/ $b = /[a-z]+@[a-z]+\\.[a-z]{2,4}/", "any of them")), nil},
		{"regexp, bitcoin", fixed(rule("$a = /\\b[13][a-km-zA-HJ-NP-Z1-9]{25,34}\\b/", "#a > 0")), nil},
		{"nocase", words(func(i int, w string) string { return fmt.Sprintf("$s%d = \"%s\" nocase", i, w) }), nil},
		{"nocase wide", words(func(i int, w string) string { return fmt.Sprintf("$s%d = \"%s\" nocase wide ascii", i, w) }), nil},
		{"xor", words(func(i int, w string) string { return fmt.Sprintf("$s%d = \"%s\" xor", i, w) }), nil},
		{"base64", words(func(i int, w string) string { return fmt.Sprintf("$s%d = \"%s\" base64 base64wide", i, w) }), nil},
		{"wide regexps", words(func(i int, w string) string { return fmt.Sprintf("$s%d = /%s[a-z0-9]{2,8}\\.%d/ wide", i, w, i) }), nil},
		{"100k domains", domains, nil},
		{"100k hashes", hashes, nil},
		{"match a byte", fixed(rule("$a = \"aaaa\" $b = /a{3,9}/", "#a > 2 and #b > 2")), (*maker).runs},
		{"match a word", fixed(rule("$a = /foo.{0,100}bar/ $b = \"foo\" nocase", "#a > 2 and #b > 2")), (*maker).foos},
	}
}

func rule(patterns, condition string) string {
	return "rule cliff { strings: " + patterns + " condition: " + condition + " }\n"
}

// cliffData is how many megabytes a cliff is measured on: some engines need
// minutes for that.
const cliffData = 16

// cliffs makes a job of each: its own rules on its own data.
func (o *options) cliffs(list []cliff) (jobs []job, err error) {
	trees := make(map[string]tree)
	for _, c := range list {
		name, fill := "mixed", (*maker).mixed
		if c.data != nil {
			name, fill = strings.ReplaceAll(c.name, " ", "-"), c.data
		}
		if _, made := trees[name]; !made {
			t := tree{name: c.name, path: filepath.Join(o.work, fmt.Sprintf("cliff-%s-%d", name, o.seed))}
			if _, err := os.Stat(t.path); err != nil {
				small := *o
				small.size = cliffData
				if err := small.make(context.Background(), t.path, fill); err != nil {
					return nil, err
				}
			}
			if err := t.count(); err != nil {
				return nil, err
			}
			trees[name] = t
		}
		t := trees[name]
		t.name = "cliff: " + c.name
		source := c.rules(rand.New(rand.NewPCG(o.seed, 1)))
		jobs = append(jobs, job{writeRules(o.work, "cliff-"+strings.ReplaceAll(c.name, " ", "-"), []byte(source)), t})
	}
	return jobs, nil
}

// syllables make words that look like words and are in few files.
var syllables = []string{"ba", "che", "dor", "fin", "gul", "hys", "kra", "lom", "mer", "nox", "pri", "qua", "ris", "sto", "tur", "vex", "wil", "zan"}

func word(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(syllables[r.IntN(len(syllables))])
	}
	return b.String()
}

// words makes rules of 200 patterns.
func words(pattern func(i int, word string) string) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		var b strings.Builder
		for i := range 200 {
			b.WriteString(pattern(i, word(r, 2+r.IntN(3))) + "\n")
		}
		return rule(b.String(), "any of them")
	}
}

// indicators is how many a list holds, in rules of 1000 each.
const indicators = 100_000

func list(make func(i int) string) string {
	var b strings.Builder
	for first := 0; first < indicators; first += 1000 {
		fmt.Fprintf(&b, "rule list%d { strings:\n", first)
		for i := first; i < first+1000; i++ {
			fmt.Fprintf(&b, "$s%d = \"%s\"\n", i, make(i))
		}
		b.WriteString("condition: any of them }\n")
	}
	return b.String()
}

func domains(r *rand.Rand) string {
	top := []string{"com", "net", "org", "info", "biz", "ru", "cn", "io", "top", "xyz"}
	return list(func(i int) string { return fmt.Sprintf("%s%d.%s", word(r, 2+r.IntN(3)), i, top[r.IntN(len(top))]) })
}

func hashes(r *rand.Rand) string {
	return list(func(int) string { return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()) })
}

// runs makes a file of one letter: a pattern matches at every byte.
func (m *maker) runs() error {
	return m.put("runs", []byte(strings.Repeat("a", 1<<20)))
}

// foos makes a file in which patterns begin everywhere and some end.
func (m *maker) foos() error {
	return m.put("foos", []byte(strings.Repeat(strings.Repeat("foo ", 30)+"bar ", 8<<10)))
}
