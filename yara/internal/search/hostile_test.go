package search

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/program"
)

// TestVerifiedTogether compares hits that are verified together with hits that
// are verified one by one, with limits that are reached.
func TestVerifiedTogether(t *testing.T) {
	rounds := uint64(2000)
	if testing.Short() {
		rounds = 300
	}
	for seed := range rounds {
		g := &gen{rand.New(rand.NewPCG(seed, 6)), "abc\n"}
		depth := 2 + g.IntN(4)
		if g.IntN(2) == 0 {
			depth = -depth
		}
		text := randomRegexp(g.Rand, depth)
		p, ok := regexpPattern(t, text, g.IntN(4) == 0, g.IntN(4) == 0)
		if !ok {
			continue
		}
		p.Positions = g.IntN(2) == 0
		for range 4 {
			data := g.bytes(g.IntN(150))
			if g.IntN(3) == 0 {
				data = []byte(strings.Repeat(string(g.bytes(1+g.IntN(5))), 30))
			}
			if compareTogether(t, p, data, []int{3, 8, 20, 60}[g.IntN(4)], g.IntN(2) == 0); t.Failed() {
				t.Fatalf("seed %d: /%s/", seed, text)
			}
		}
	}
}

func compareTogether(t *testing.T, p program.Pattern, data []byte, limit int, eager bool) {
	t.Helper()
	var results [2][]Match
	var found [2]bool
	for i, grace := range []int{1 << 30, math.MinInt32} {
		s := New(programOf([]program.Pattern{p}, eager)).NewState()
		s.grace = grace
		for j := range s.t.needles {
			x := s.t.needles[j].expr
			for _, l := range []*int{&x.forward, &x.backward, &x.whole} {
				*l = min(*l, limit)
			}
		}
		run(t, s, data, Options{})
		found[i], results[i] = s.Found(0), slices.Clone(s.Matches(0))
	}
	if found[0] != found[1] || !slices.Equal(results[0], results[1]) {
		t.Errorf("limit %d, data %q:\none by one %v %v\ntogether   %v %v", limit, data, found[0], results[0], found[1], results[1])
	}
}

// hostileRegexps have data on which a careless search takes time quadratic in
// it, or thousands of steps a byte.
var hostileRegexps = []struct {
	text, data string // the data is repeated
	tail       string
}{
	{"a.*b", "a", ""},
	{"a.*b", "b", ""},
	{"a.*b", "a", "b"},
	{".*foo.*", "foo", ""},
	{"(?s)abcd.*wxyz", "abcd", ""},
	{"(?s)abcd.*wxyz", "abcd", "wxyz"},
	{"(?s)abcd.*?wxyz", "wxyz", ""},
	{"(?s)abcd.*?wxyz.*?abcd", "abcd", ""},
	{`(?s)\x00.*?\x00`, "\x00", ""},
	{`(?s)\x00.*?\x01`, "\x00", ""},
	{"[ab]+c", "ab", ""},
	{"[ab]+c", "ab", "c"},
	{"[ab]+c", strings.Repeat("a", 1000) + "c", ""},
	{"(a+)+$", "a", ""},
	{"(?m)(a+)+$", "a", ""},
	{"(a|a)*y", "a", "y"},
	{"(a|a)+y", "a", ""},
	{"[^=]*.*.*=.*", "a", ""},
	{"[^=]*.*.*=.*", strings.Repeat("a", 500) + "=", ""},
	{"[a-d]+cd[a-d]+", "cd", ""},
	{"[a-d]+cd[a-d]+", "abcd", ""},
	{"[a-z]*xyz[a-z]*[0-9]", "xyz", ""},
	{"[A-Za-z0-9+/]{40,}=", "QUJD", ""},
	{"abcd(e|f+|[a-f]+)*", "abcd", ""},
	{"(abcd|abce)[a-z]+!", "abcdabce", ""},
	{"([ab]{1,9}){1,4}b", "a", "b"},
	{"([ab]{1,9}){1,4}b", "ab", ""},
	{"a.{0,30}a.{0,30}b", "aaaaaaaaaaaaaaaaaaaaaaaaaaab", ""},
	{"(?m)([ab]{1,9}){1,4}b$", "ab", ""},
	{"([ab]{1,9}){1,4}abcde", "abcde", ""},
}

// TestHostileSteps counts the steps of scans, which must be in proportion to the
// data: a few for each byte.
func TestHostileSteps(t *testing.T) {
	const most = 40
	for _, c := range hostileRegexps {
		for _, positions := range []bool{false, true} {
			for _, size := range []int{64 << 10, 1 << 20} {
				if size == 1<<20 && (testing.Short() || !positions) {
					continue
				}
				p, ok := regexpPattern(t, c.text, false, false)
				if !ok {
					t.Fatal(c.text)
				}
				p.Positions = positions
				s := New(programOf([]program.Pattern{p}, true)).NewState()
				data := strings.Repeat(c.data, size/len(c.data)) + c.tail
				run(t, s, []byte(data), Options{})
				n := s.Count(0)
				steps := s.machine.Steps()
				perByte := most
				if whole := wholeOf(p.Needles[0].Expression); whole.MaxLen() >= 0 {
					perByte = 4 * whole.Insts()
				}
				if steps > perByte*len(data)+4*grace {
					t.Errorf("/%s/ on %.9q… of %d bytes, positions %v: %d matches in %d steps, want at most %d a byte", c.text, c.data, size, positions, n, steps, perByte)
				}
			}
		}
	}
}

func BenchmarkHostileRegexps(b *testing.B) {
	for _, c := range hostileRegexps {
		p, ok := regexpPattern(b, c.text, false, false)
		if !ok {
			b.Fatal(c.text)
		}
		p.Positions = true
		s := New(programOf([]program.Pattern{p}, true)).NewState()
		data := []byte(strings.Repeat(c.data, (1<<20)/len(c.data)) + c.tail)
		b.Run(fmt.Sprintf("%s on %.9q", c.text, c.data), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				run(b, s, data, Options{})
				s.Count(0)
			}
		})
	}
}

// TestLimitTogether holds that of more matches than are kept the first are, also
// where they are verified together, and that the work ends with them.
func TestLimitTogether(t *testing.T) {
	for _, text := range []string{`[a-c]+`, `[a-c]{1,30}`, `ab[a-c]+`, `[a-c]+ab`} {
		p, ok := regexpPattern(t, text, false, false)
		if !ok {
			t.Fatal(text)
		}
		p.Positions = true
		s := New(programOf([]program.Pattern{p}, true)).NewState()
		s.grace = math.MinInt32
		s.Begin([]byte(strings.Repeat("ab", 100_000)), Options{MaxMatches: 3})
		if got := s.Matches(0); len(got) != 3 || got[0].Offset != 0 || got[2].Offset > 4 {
			t.Errorf("/%s/: got %v, want the first three", text, got)
		}
	}
}
