package regex

import (
	"fmt"
	"strings"
	"testing"
)

// catastrophes are regexps that make a backtracking matcher, or an automaton
// without bounds, run away.
func catastrophes() map[string]struct{ src, data string } {
	as := strings.Repeat("a", 4000)
	var words []string
	for i := range 10000 {
		words = append(words, fmt.Sprintf("word%d", i*7919%100003))
	}
	return map[string]struct{ src, data string }{
		"nested plus":       {`(a+)+$`, as + "b"},
		"same alternatives": {`(a|a)*y`, as},
		"many stars":        {`.*.*.*=.*`, as},
		"optional":          {`(a?){50}a{50}$`, as + "b"},
		"10k alternatives":  {strings.Join(words, "|"), "word" + as},
		"counted":           {`(a{1,50}){1,40}b`, as},
		"gaps":              {`a.{0,200}a.{0,200}a.{0,200}a.{0,200}b`, as},
		"lazy gaps":         {`a.{0,200}?a.{0,200}?a.{0,200}?a.{0,200}?b`, as},
		"states":            {`(a|b)*a(a|b){14}x`, strings.Repeat("abbabaaab", 450)},
		"wide gaps":         {`a[^b]+c[^d]*?e|a+b`, as},
	}
}

// TestCatastrophes bounds the work by counting: none of them may take long
// enough to be noticed by the test's own limit, each being linear.
func TestCatastrophes(t *testing.T) {
	m := new(Machine)
	for name, c := range catastrophes() {
		n, err := Parse(c.src, Options{Matches: true})
		if err != nil {
			t.Fatal(err)
		}
		p, back := mustCompile(t, n), mustCompile(t, n.Reverse())
		data := []byte(c.data)
		if _, ok := m.MatchAt(p, data, 0, 0); ok {
			t.Errorf("%s: matches", name)
		}
		if m.Find(p, data, 0) {
			t.Errorf("%s: found", name)
		}
		m.StartsBefore(back, data, len(data), 0, func(s int) bool { t.Errorf("%s: start %d", name, s); return false })
		m.Starts(back, data, 0, len(data), func(s int) bool { t.Errorf("%s: start %d", name, s); return false })
	}
}

func BenchmarkCatastrophes(b *testing.B) {
	for name, c := range catastrophes() {
		n, err := Parse(c.src, Options{Matches: true})
		if err != nil {
			b.Fatal(err)
		}
		p := mustCompile(b, n)
		b.Run(name, func(b *testing.B) {
			m, data := new(Machine), []byte(c.data)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				m.MatchAt(p, data, 0, 0)
			}
		})
	}
}

func BenchmarkMatchAt(b *testing.B) {
	line := []byte("GET /owa/auth/Current/themes/resources/logon.css?x=" + strings.Repeat("abcdefgh", 40) + " 200 curl/7.58\n")
	for _, bm := range []struct{ name, src string }{
		{"literal", `GET /owa/auth/Current/`},
		{"masked", `GET /.wa/[a-z]uth/C[^a]`},
		{"chain", `GET /owa/[^\n]{100,600} 200 curl`},
		{"lazy chain", `GET /owa/.*? 200 .*?curl`},
		{"dfa", `(GET|POST) /(owa|ecp)/[^\n]{100,600} (200|301|302) (curl|wget)`},
		{"dfa fails at once", `(GET|POST) /(ecp|ews)/.*`},
	} {
		p := compileText(b, bm.src, Options{})
		b.Run(bm.name, func(b *testing.B) {
			m := new(Machine)
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				m.MatchAt(p, line, 0, 4096)
			}
		})
	}
}

func BenchmarkFind(b *testing.B) {
	data := []byte(strings.Repeat("lorem ipsum dolor sit amet, consectetur 12.3 ", 1000))
	p := compileText(b, `[0-9]+\.[0-9]+\.[0-9]+|(foo|bar)baz`, Options{Matches: true})
	m := new(Machine)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		m.Find(p, data, 0)
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, src := range []string{`foobar`, `GET /owa/[^\n]{100,600} 200 curl`, `(GET|POST) /(owa|ecp)/[^\n]{1,60} (200|301|302)`} {
		b.Run(src, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n, _ := Parse(src, Options{})
				p := mustCompile(b, n)
				p.nfa()
			}
		})
	}
}

func BenchmarkStartsBefore(b *testing.B) {
	data := []byte(strings.Repeat("lorem ipsum dolor sit amet ", 200))
	p := mustCompile(b, Concat(Repeat(Class(setDot), 0, -1, true), Literal([]byte("merol"))))
	m := new(Machine)
	b.SetBytes(4096)
	for b.Loop() {
		m.StartsBefore(p, data, len(data), 4096, func(int) bool { return true })
	}
}
