package search

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/atom"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/internal/regex"
)

// regexpPattern lowers a regexp as compile does.
func regexpPattern(t testing.TB, text string, wide, fullword bool) (program.Pattern, bool) {
	t.Helper()
	node, err := regex.Parse(text, regex.Options{})
	if err != nil || node.MatchesEmpty() {
		return program.Pattern{}, false
	}
	p := program.Pattern{At: -1, Longest: node.IsGreedy()}
	if _, err := regex.Compile(node.Wide(), regex.Limits{Insts: 10_000}); err != nil {
		return p, false
	}
	p.Needles = appendNeedles(t, nil, node, fullword, program.WordBoundary)
	if wide {
		p.Needles = appendNeedles(t, p.Needles, node.Wide(), fullword, program.WideBoundary)
	}
	return p, true
}

func appendNeedles(t testing.TB, list []program.Needle, node *regex.Node, fullword bool, b program.Boundary) []program.Needle {
	compile := func(n *regex.Node) *regex.Prog {
		p, err := regex.Compile(n, regex.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	base := program.Needle{Kind: program.Regexp}
	if fullword {
		base.Boundary = b
	}
	whole := compile(node)
	split, ok := atom.Best(node)
	if !ok {
		base.Expression = &program.Expression{MinLen: node.MinLen(), Forward: whole, Reverse: compile(node.Reverse())}
		return append(list, base)
	}
	for _, part := range split.Parts {
		x := &program.Expression{MinLen: node.MinLen(), Atoms: part.Atoms, Forward: whole}
		if part.Suffix != node {
			x.Whole, x.Forward = whole, compile(part.Suffix)
		}
		if part.Prefix.Op != regex.OpEmpty {
			x.Reverse = compile(part.Prefix.Reverse())
		}
		n := base
		n.Expression = x
		list = append(list, n)
	}
	return list
}

// naiveRegexp tries the whole expression at every offset.
func naiveRegexp(n *program.Needle, data []byte, at int) (Match, bool) {
	var m regex.Machine
	whole := wholeOf(n.Expression)
	end, ok := m.MatchAt(whole, data, at, 0)
	ok = ok && (n.Boundary == program.NoBoundary || naiveBoundary(n.Boundary, data, at, end))
	return Match{Offset: int64(at), Length: int64(end - at)}, ok
}

// randomRegexp is a regexp over a few letters.
func randomRegexp(g *rand.Rand, depth int) string {
	lazy := ""
	if depth < 0 {
		lazy, depth = "?", -depth
	}
	sub := func() string {
		if lazy != "" {
			return randomRegexp(g, -(depth - 1))
		}
		return randomRegexp(g, depth-1)
	}
	if depth <= 1 {
		return []string{"a", "b", "ab", "aab", "abba", "bcab", ".", "[ab]", "[^a]", "c", "\\b", "^", "$"}[min(g.IntN(30), 12)%13]
	}
	switch g.IntN(8) {
	case 0:
		return "(" + sub() + "|" + sub() + ")"
	case 1:
		return "(" + sub() + ")" + []string{"*", "+", "{0,3}", "{2,4}", "{1,}", "?"}[g.IntN(6)] + lazy
	case 2:
		return sub() + []string{".*", ".+", ".{0,2}", "[ab]*", ".{300,}"}[min(g.IntN(9), 4)] + lazy + sub()
	}
	return sub() + sub()
}

func TestRegexps(t *testing.T) {
	for seed := range uint64(150) {
		g := &gen{rand.New(rand.NewPCG(seed, 5)), "abc\n"}
		var list []program.Pattern
		var texts []string
		for len(list) < 1+int(seed%20) {
			depth := 2 + g.IntN(4)
			if g.IntN(2) == 0 {
				depth = -depth
			}
			text := randomRegexp(g.Rand, depth)
			if p, ok := regexpPattern(t, text, g.IntN(4) == 0, g.IntN(4) == 0); ok {
				p.Positions = g.IntN(2) == 0
				list, texts = append(list, p), append(texts, text)
			}
		}
		for _, eager := range []bool{true, false} {
			prog := programOf(list, eager)
			prog.Dialect = program.Dialect(seed % 2)
			s := New(prog).NewState()
			for range 3 {
				data := g.bytes(g.IntN(80))
				if g.IntN(4) == 0 {
					data = widened(data)
				}
				if compareRegexps(t, prog, s, data, texts); t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		}
	}
}

func compareRegexps(t *testing.T, prog *program.Program, s *State, data []byte, texts []string) {
	t.Helper()
	run(t, s, data, Options{})
	for i := range prog.Patterns {
		p := &prog.Patterns[i]
		var want []Match
		for at := range data {
			var here list
			for j := range p.Needles {
				if m, ok := naiveRegexp(&p.Needles[j], data, at); ok {
					if here.matches == nil {
						here.matches = append(here.matches, m)
					}
					here.matches[0].prefer(m, p.Longest)
				}
			}
			want = append(want, here.matches...)
		}
		if i%2 == 0 {
			if got := s.Found(int32(i)); got != (len(want) > 0) {
				t.Errorf("/%s/ in %q: Found: got %v, want %v", texts[i], data, got, len(want) > 0)
			}
		}
		if got := s.Matches(int32(i)); !slices.Equal(got, want) {
			t.Errorf("/%s/ wide %v boundary %d in %q:\ngot  %v\nwant %v", texts[i], len(p.Needles) > 1, p.Needles[0].Boundary, data, got, want)
		}
	}
}

// TestLimits holds how far regexps go: 4096 bytes from an atom, but over any
// bytes as far as the data.
func TestLimits(t *testing.T) {
	data := []byte("xxab" + strings.Repeat("q", 5000) + "cdxx")
	for text, want := range map[string]int{
		"ab.*cd":         0,
		"ab[^z]*cd":      0,
		"(?s)ab.*cd":     1,
		"(?s)ab.{9,}?cd": 1,
		"ab":             1,
		"q+cd":           4094,
	} {
		p, ok := regexpPattern(t, text, false, false)
		if !ok {
			t.Fatal(text)
		}
		s := New(programOf([]program.Pattern{p}, true)).NewState()
		run(t, s, data, Options{})
		if got := s.Count(0); got != want && !(want > 1000 && got > 4000 && got < 4200) {
			t.Errorf("/%s/: got %d matches, want %d", text, got, want)
		}
	}
}

func BenchmarkRegexps(b *testing.B) {
	for _, text := range []string{"https?:\\/\\/[a-z0-9.]{4,60}\\/[a-z]+\\.exe", "[A-Za-z0-9+\\/]{40,}=", "a.*b.*c", "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}"} {
		p, ok := regexpPattern(b, text, false, false)
		if !ok {
			b.Fatal(text)
		}
		benchSet(b, fmt.Sprintf("/%s/", text), []program.Pattern{p}, inputs(b))
	}
}

// FuzzRegexps holds regexps, with all modifiers, against trying every offset.
func FuzzRegexps(f *testing.F) {
	f.Add("a.*b", []byte("aab\nab"), uint8(0))
	f.Add("(abc|ab.cd)[ab]+?", []byte("abxcdababca"), uint8(7))
	f.Add("(?s)ab.{201,}?cd", []byte("abcdabcdcd"), uint8(2))
	f.Fuzz(func(t *testing.T, text string, data []byte, mix uint8) {
		if len(text) > 40 || len(data) > 300 {
			return
		}
		p, ok := regexpPattern(t, text, mix&1 != 0, mix&2 != 0)
		if !ok {
			return
		}
		p.Positions = mix&4 != 0
		prog := programOf([]program.Pattern{p}, mix&8 != 0)
		prog.Dialect = program.Dialect(mix >> 4 & 1)
		s := New(prog).NewState()
		compareRegexps(t, prog, s, data, []string{text})
	})
}

// Of more matches than are kept, the first are: also of a regexp that is looked
// for from the end of the data.
func TestFirstMatchesAreKept(t *testing.T) {
	p, ok := regexpPattern(t, `[a-c][^x]`, false, false)
	if !ok {
		t.Fatal("does not compile")
	}
	p.Positions = true
	s := New(programOf([]program.Pattern{p}, true)).NewState()
	s.Begin([]byte(strings.Repeat("ab", 50)), Options{MaxMatches: 3})
	var got []int64
	for _, m := range s.Matches(0) {
		got = append(got, m.Offset)
	}
	if want := []int64{0, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
