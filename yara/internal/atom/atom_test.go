package atom

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/regex"
)

func parse(t testing.TB, src string) *regex.Node {
	t.Helper()
	n, err := regex.Parse(src, regex.Options{Matches: true})
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return n
}

// show lists a split's atoms as text: (?i) for folded, then the offset or ~
// where it is variable, ! where exact.
func show(s Split) string {
	var parts []string
	for _, p := range s.Parts {
		var atoms []string
		for _, a := range p.Atoms {
			text := fmt.Sprintf("%q", a.Bytes)
			if a.Fold {
				text = "(?i)" + text
			}
			switch {
			case a.Offset < 0:
				text += fmt.Sprintf("~%d", a.Delta)
			case a.Offset > 0:
				text += fmt.Sprintf("+%d", a.Offset)
			}
			if a.Exact {
				text += "!"
			}
			atoms = append(atoms, text)
		}
		parts = append(parts, strings.Join(atoms, " "))
	}
	return strings.Join(parts, " / ")
}

func TestBest(t *testing.T) {
	tests := []struct{ src, want string }{
		{`foobar`, `"foobar"!`},
		{`(?i)powershell`, `(?i)"powershell"!`},
		{`(?i)a1-b2`, `(?i)"a1-b2"!`},
		{`[Pp]owerShell`, `"owerShell"+1`},
		{`[PQ]ow`, `"Pow"! "Qow"!`},
		{`foo.*barbaz`, `"barbaz"~0`},
		{`foobar.*baz`, `"foobar"`},
		{`foo.{4}barbaz`, `"barbaz"+7`},
		{`foo.{4}\bbarbaz`, `"barbaz"+7`},
		{`(http|https|ftp)://[a-z]+`, `"http://" "https://" "ftp://"`},
		{`%([Pp]ublic|PUBLIC)%`, `(?i)"%public%"`},
		{`x{3}(abc|abcd)`, `"xxxabc"`},
		{`(abcx|abcy)!`, `"abcx!"! "abcy!"!`},
		{`(foobar|foo)`, `"foo"`},
		{`(foo|ba+r)baz`, `"baz"~0`},
		{`(a+foo|b+bars)`, `"foo"~0 / "bars"~0`},
		{`(foobar){2,}`, `"foobarfoobar"`},
		{`(foo|bar)+qux`, `"qux"~0`},
		{`\x00\x00\x00\x00\x00\x00KERNEL`, `"\x00\x00\x00\x00\x00\x00KERNEL"!`},
		{`\x00{40}.?rareword`, `"rareword"~0`},
		{`[0-9]x[0-9]\.tmpfile`, `".tmpfile"+3`},
		{`^abcdef$`, `"abcdef"`},
		{`a\bb`, `"ab"`},
	}
	for _, test := range tests {
		s, ok := Best(parse(t, test.src))
		if got := show(s); !ok || got != strings.TrimSpace(test.want) {
			t.Errorf("%s: got %s %v, want %s", test.src, got, ok, test.want)
		}
	}
}

func TestBestOfHexPatterns(t *testing.T) {
	any4 := regex.Repeat(regex.Class(regex.AnyByte()), 4, 4, false)
	tests := []struct {
		name string
		n    *regex.Node
		want string
	}{
		{"wildcards", regex.Concat(regex.Literal([]byte("\x68")), any4, regex.Literal([]byte("\xE8\x12\x9A\x77"))), `"\xe8\x12\x9aw"+5`},
		{"nibble", regex.Concat(regex.Literal([]byte("\x9A\x77")), regex.Masked(0x0E, 0x0F), regex.Literal([]byte("\x31"))), "16 atoms"},
		{"not", regex.Concat(regex.Literal([]byte("\x9A\x77\x12\x13")), regex.Class(regex.RangeSet(0, 0).Complement())), `"\x9aw\x12\x13"`},
	}
	for _, test := range tests {
		s, ok := Best(test.n)
		got := show(s)
		if n := strings.Count(got, `"`) / 2; n > 4 {
			got = fmt.Sprintf("%d atoms", n)
		}
		if !ok || got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

func TestNothingOfUse(t *testing.T) {
	for _, src := range []string{`.*`, `a+b*`, `[a-z]+`, `(foo|bar|.)`, `a`, `\b`, `()`, `[^a][^b]`, `\x00\x00`, `(abcdef)*`, `(abcdef)?.+`} {
		if s, ok := Best(parse(t, src)); ok {
			t.Errorf("%s: got %s", src, show(s))
		}
	}
	any2 := regex.Repeat(regex.Class(regex.AnyByte()), 2, 2, false)
	if s, ok := Best(any2); ok {
		t.Errorf("{ ?? ?? }: got %s", show(s))
	}
	if s, ok := Best(regex.Concat(regex.Literal([]byte("abcdef")), regex.Class(regex.Set{}))); !ok || len(s.Parts) != 1 {
		t.Errorf("what never matches: got %s, want its atom", show(s))
	}
}

func TestQuality(t *testing.T) {
	terrible := []string{"\x00\x00\x00\x00", "\x00\x00\x00\x00\x00\x00\x00\x00", "    ", "\xCC\xCC\xCC\xCC\xCC\xCC",
		"\xFF\xFF\xFF\xFF", "\x90\x90\x90\x90\x90", "\x01\x00\x00\x00", "\x00\x00\x00\x01\x00\x00\x00", " \x00 \x00"}
	for _, b := range terrible {
		if q := Quality([]byte(b), false); q > 12*Bit {
			t.Errorf("%q: got %d, want terrible", b, q)
		}
	}
	fine := []string{"kernel32", "\x12\x9A\xE3\x77", "EvilName", "Mutex_77"}
	for _, b := range fine {
		if q := Quality([]byte(b), false); q < 24*Bit {
			t.Errorf("%q: got %d, want fine", b, q)
		}
	}
	if plain, folded := Quality([]byte("shell"), false), Quality([]byte("shell"), true); folded >= plain {
		t.Errorf("folded %d is as rare as plain %d", folded, plain)
	}
}

func TestQualityOfLongRunsIsFinite(t *testing.T) {
	if q := Quality(bytes.Repeat([]byte{0x12, 0x9A}, 1000), false); q < 1000 || q > 1<<20 {
		t.Errorf("got %d", q)
	}
}

// randomRegexp makes a regexp of words and classes.
func randomRegexp(r *rand.Rand, depth int, lazy string) string {
	var b strings.Builder
	for range 1 + r.IntN(4) {
		switch r.IntN(8) {
		case 0, 1, 2:
			b.WriteString([]string{"abc", "bca", "xy", "zzz", "Ab", "q"}[r.IntN(6)])
		case 3:
			b.WriteString([]string{"[ab]", "[xX]", ".", "[a-c]", `\b`, "[^a]"}[r.IntN(6)])
		case 4:
			b.WriteString([]string{"a", "[xyz]", ".", "[A-Za-z]"}[r.IntN(4)] + []string{"*", "+", "?", "{2,3}", "{0,5}"}[r.IntN(5)] + lazy)
		case 5:
			b.WriteString("(?i:" + []string{"abc", "xyz", "b"}[r.IntN(3)] + ")")
		default:
			if depth > 0 {
				alts := make([]string, 1+r.IntN(3))
				for i := range alts {
					alts[i] = randomRegexp(r, depth-1, lazy)
				}
				b.WriteString("(" + strings.Join(alts, "|") + ")" + []string{"", "", "+" + lazy, "{2}", "?" + lazy}[r.IntN(5)])
			}
		}
	}
	return b.String()
}

// searchBy finds starts, and the ends that hits give them, as a search does: by
// the atoms.
func searchBy(t *testing.T, m *regex.Machine, s Split, data []byte) map[int][]int {
	t.Helper()
	found := map[int][]int{}
	for _, p := range s.Parts {
		suffix, prefix := compile(t, p.Suffix), compile(t, p.Prefix.Reverse())
		for _, a := range p.Atoms {
			for at := 0; at+len(a.Bytes) <= len(data); at++ {
				here := data[at : at+len(a.Bytes)]
				if !bytes.Equal(here, a.Bytes) && !(a.Fold && bytes.Equal(bytes.ToLower(here), a.Bytes)) {
					continue
				}
				if a.Exact {
					found[at] = append(found[at], at+len(a.Bytes))
					continue
				}
				if end, ok := m.MatchAt(suffix, data, at-a.Delta, 0); ok {
					m.StartsBefore(prefix, data, at-a.Delta, 0, func(start int) bool {
						found[start] = append(found[start], end)
						return true
					})
				}
			}
		}
	}
	return found
}

func compile(t testing.TB, n *regex.Node) *regex.Prog {
	t.Helper()
	p, err := regex.Compile(n, regex.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestEveryMatchHasAnAtom checks that searching by the atoms finds what trying
// every place does.
func TestEveryMatchHasAnAtom(t *testing.T) {
	rounds := 3000
	if testing.Short() {
		rounds = 300
	}
	m := new(regex.Machine)
	chosen, several := 0, 0
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		src := randomRegexp(r, 2, []string{"", "?"}[r.IntN(2)])
		n := parse(t, src)
		if r.IntN(5) == 0 {
			n = n.Wide()
		}
		s, ok := Best(n)
		if !ok {
			continue
		}
		chosen++
		several += min(len(s.Parts)-1, 1)
		whole := compile(t, n)
		for range 5 {
			data := randomData(r)
			found := searchBy(t, m, s, data)
			for at := range len(data) + 1 {
				end, ok := m.MatchAt(whole, data, at, 0)
				if ok != (len(found[at]) > 0) || ok && !slices.Contains(found[at], end) {
					t.Fatalf("%s by %s on %q at %d: got ends %v, want %d %v", src, show(s), data, at, found[at], end, ok)
				}
			}
		}
	}
	if chosen < rounds/2 || several == 0 {
		t.Errorf("only %d of %d had atoms, %d in parts", chosen, rounds, several)
	}
}

func randomData(r *rand.Rand) []byte {
	var b []byte
	for range r.IntN(20) {
		b = append(b, []string{"abc", "bca", "xy", "zzz", "Ab", "q", "ABC", "a", "b", " ", "\n", "X"}[r.IntN(12)]...)
	}
	if r.IntN(5) == 0 {
		wide := make([]byte, 0, 2*len(b))
		for _, c := range b {
			wide = append(wide, c, 0)
		}
		return wide
	}
	return b
}

func TestLimits(t *testing.T) {
	words := func(n int, behind string) string {
		alts := make([]string, n)
		for i := range alts {
			alts[i] = fmt.Sprintf("word%04d%s", i, behind)
		}
		return strings.Join(alts, "|")
	}
	tests := []struct {
		src   string
		least int
		most  int
	}{
		{words(300, "[0-9a-f]+x"), 300, 300},
		{words(2000, ""), 2000, 2000},
		{words(5000, ""), 0, 0},
		{"[ab][ab][ab][ab][ab][ab][ab][ab][ab][ab][ab]", 2, maxVariants},
		{"(" + words(300, "") + ")(a|b+c)(d|e+f)", 1, 300},
	}
	for _, test := range tests {
		s, ok := Best(parse(t, test.src))
		total := 0
		for _, p := range s.Parts {
			total += len(p.Atoms)
		}
		if ok != (test.least > 0) || total < test.least || total > test.most {
			t.Errorf("%.40s: got %d atoms, want %d to %d", test.src, total, test.least, test.most)
		}
	}
}

func TestAtomsAreDistinct(t *testing.T) {
	s, _ := Best(parse(t, `(?i:(foo|FOO|Foo)bar)|foobar`))
	if got, want := show(s), `(?i)"foobar"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !slices.IsSortedFunc(quads[:], func(a, b struct {
		bytes uint32
		bits  int32
	}) int {
		return int(int64(a.bytes) - int64(b.bytes))
	}) {
		t.Error("quads are not sorted")
	}
}

func BenchmarkBest(b *testing.B) {
	word := regex.Literal([]byte("\x6A\x40\x68\x00\x30"))
	gap := regex.Repeat(regex.Class(regex.AnyByte()), 4, 20, false)
	for name, n := range map[string]*regex.Node{
		"regexp": parse(b, `(http|https|ftp)://[a-z0-9.-]{1,20}\.(com|net|org)/[^ ]{1,30}\.(exe|dll|scr)`),
		"hex":    regex.Concat(word, regex.Masked(0x40, 0xF0), word, gap, word, regex.Class(regex.AnyByte()), word),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Best(n)
			}
		})
	}
}
