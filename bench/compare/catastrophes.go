package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// catastropheSize is how much data there is of each: a quarter of a megabyte is
// too much for some engines.
const catastropheSize = 128 << 10

// catastropheList is regexps, and data made for them, that take a matcher which
// tries each start by itself, or each way through, the square of the data or more.
func catastropheList() []cliff {
	made := func(name, regexp, data string) cliff {
		source := rule("$a = /"+regexp+"/", "#a > 2")
		return cliff{name, func(*rand.Rand) string { return source }, func(m *maker) error {
			return m.put("made", []byte(strings.Repeat(data, catastropheSize/len(data))))
		}}
	}
	as := strings.Repeat("a", 2000)
	return []cliff{
		made("nested plus", `(a+)+$`, "a"),
		made("same ways", `(x|x)*y`, strings.Repeat("x", 2000)+"y"),
		made("many stars", `.*.*.*=.*`, as+"="),
		made("optional", `(a?){50}a{50}$`, "a"),
		made("counted", `(a{1,50}){1,40}b`, as+"b"),
		made("counted gaps", `a.{0,200}a.{0,200}a.{0,200}a.{0,200}b`, as+"b"),
		made("states", `(a|b)*a(a|b){14}x`, strings.Repeat("abbabaaab", 400)+"x"),
		made("atom everywhere", `abcd[a-d]+wxyz`, "abcd"),
		made("runs to atoms", `[a-d]+wxyz`, strings.Repeat("abcd", 500)+"wxyz"),
		{"10k alternatives", alternatives, func(m *maker) error {
			return m.put("made", []byte(strings.Repeat("word12 word77777 word4242x ", catastropheSize/27)))
		}},
	}
}

// alternatives is a regexp of ten thousand words; YARA-X's limit, and Besra's, is
// 64 KB of text.
func alternatives(*rand.Rand) string {
	words := make([]string, 10_000)
	for i := range words {
		words[i] = fmt.Sprintf("%x", i*7919%10_007)
	}
	return rule("$a = /word("+strings.Join(words, "|")+")/", "#a > 2")
}
