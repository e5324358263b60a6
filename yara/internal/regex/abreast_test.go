package regex

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// eachOf returns what MatchEach and StartsBeforeEach ask for: the first of
// places, which are sorted, from a place on, or the last up to one.
func eachOf(places []int) (from, to func(int) (int, bool)) {
	from = func(p int) (int, bool) {
		i, _ := slices.BinarySearch(places, p)
		if i == len(places) {
			return 0, false
		}
		return places[i], true
	}
	to = func(p int) (int, bool) {
		i, _ := slices.BinarySearch(places, p+1)
		if i == 0 {
			return 0, false
		}
		return places[i-1], true
	}
	return from, to
}

// checkAbreast compares runs that go abreast with a run from each place.
func checkAbreast(t *testing.T, machines map[string]*Machine, n *Node, data []byte, limit int, places []int) {
	t.Helper()
	p, back := mustCompile(t, n), mustCompile(t, n.Reverse())
	alone := new(Machine)
	from, to := eachOf(places)
	for name, m := range machines {
		var got, want [][2]int
		m.MatchEach(p, data, limit, from, func(start, end int) bool {
			got = append(got, [2]int{start, end})
			return true
		})
		for _, s := range places {
			end, ok := alone.MatchAt(p, data, s, limit)
			if !ok {
				end = -1
			}
			want = append(want, [2]int{s, end})
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s: %v on %q, limit %d: matches\ngot  %v\nwant %v", name, n, data, limit, got, want)
		}
		gotStarts, wantStarts := make([]bool, len(data)+1), make([]bool, len(data)+1)
		m.StartsBeforeEach(back, data, limit, to, func(start int) bool {
			gotStarts[start] = true
			return true
		})
		for _, e := range places {
			alone.StartsBefore(back, data, e, limit, func(start int) bool {
				wantStarts[start] = true
				return true
			})
		}
		if !slices.Equal(gotStarts, wantStarts) {
			t.Fatalf("%s: %v on %q, limit %d: starts before %v\ngot  %v\nwant %v", name, n, data, limit, places, gotStarts, wantStarts)
		}
	}
}

// abreastMachines are Machines with different room: so little that runs do not
// fit, and enough for some.
func abreastMachines() map[string]*Machine {
	return map[string]*Machine{"fast": {}, "small": {cache: cache{room: 400}}, "tiny": {cache: cache{room: 60}}}
}

func TestAbreastAgreesWithAlone(t *testing.T) {
	rounds := 4000
	if testing.Short() {
		rounds = 600
	}
	machines := abreastMachines()
	for seed := range rounds {
		checkAbreastSeed(t, machines, uint64(seed))
	}
}

func checkAbreastSeed(t *testing.T, machines map[string]*Machine, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 11))
	g := newNodeMaker(r)
	n := g.node(3)
	if r.IntN(3) == 0 {
		n = g.repeat(n)
	}
	if size(n, 0) > 300 {
		return
	}
	if r.IntN(6) == 0 {
		n = n.Wide()
	}
	for range 3 {
		data := g.bytes(r.IntN(80))
		if r.IntN(3) == 0 {
			data = []byte(strings.Repeat(string(g.bytes(1+r.IntN(3))), r.IntN(30)))
		}
		var places []int
		sparse := 1 + r.IntN(4)
		for p := range len(data) + 1 {
			if r.IntN(sparse) == 0 {
				places = append(places, p)
			}
		}
		checkAbreast(t, machines, n, data, []int{0, 1, 2, 5, 17, 60}[r.IntN(6)], places)
	}
}

func FuzzAbreast(f *testing.F) {
	f.Add("(a+)+$", []byte("aaaa"), uint8(3))
	f.Add("(?m)^a.*?b|c", []byte("aab\nacbaab"), uint8(0))
	machines := abreastMachines()
	f.Fuzz(func(t *testing.T, src string, data []byte, limit uint8) {
		n, err := Parse(src, Options{})
		if err != nil || size(n, 0) > 300 || len(data) > 300 {
			return
		}
		places := make([]int, len(data)+1)
		for i := range places {
			places[i] = i
		}
		checkAbreast(t, machines, n, data, int(limit), places)
	})
}

// TestAbreastStops checks that yield ends the runs, and that the Machine is good
// for others then.
func TestAbreastStops(t *testing.T) {
	data := []byte(strings.Repeat("a", 100))
	p := compileText(t, `a+`, Options{})
	m := new(Machine)
	from, to := eachOf([]int{10, 20, 30})
	calls := 0
	stop := func() bool {
		calls++
		if end, ok := m.MatchAt(p, data, 50, 10); !ok || end != 60 {
			t.Errorf("within: got %d %v, want 60", end, ok)
		}
		return false
	}
	for range 2 {
		m.MatchEach(p, data, 5, from, func(start, end int) bool {
			if start != 10 || end != 15 {
				t.Errorf("got %d..%d, want 10..15", start, end)
			}
			return stop()
		})
		m.StartsBeforeEach(p, data, 5, to, func(start int) bool {
			if start != 29 {
				t.Errorf("got %d, want 29", start)
			}
			return stop()
		})
	}
	if calls != 4 {
		t.Errorf("got %d calls, want 4", calls)
	}
}

// stepsAByte are regexps that runs from every place make expensive, with how
// many steps a byte they may take together.
var stepsAByte = []struct {
	src, data string // the data is repeated
	most      int
}{
	{`(a+)+$`, "a", 8},
	{`(a|a)*y`, "a", 8},
	{`(a|aa)+`, "a", 8},
	{`[^\n]*[^\n]*[^\n]*=[^\n]*`, "a", 8},
	{`[^\n]*[^\n]*[^\n]*=[^\n]*`, strings.Repeat("a", 2000) + "=", 8},
	{`(a+b?)+c`, "aab", 12},
	{`[a-c]+?d`, "abc", 8},
	{`(?m)(a+)+$`, "a", 30},
	{`(?m)^?(a|b)+?$`, "ab", 40},
	{`(a|b)*a(a|b){6}x`, "abbabaaab", 200},
	{`(aa|aaa)+b`, "a", 16},
}

// TestAbreastSteps counts steps: they must be in proportion to the data, and few
// a byte, however long the runs are and however many begin.
func TestAbreastSteps(t *testing.T) {
	for _, c := range stepsAByte {
		n, err := Parse(c.src, Options{Matches: true})
		if err != nil {
			t.Fatal(err)
		}
		p, back := mustCompile(t, n), mustCompile(t, n.Reverse())
		for _, size := range []int{64 << 10, 1 << 20} {
			if size == 1<<20 && testing.Short() {
				continue
			}
			for _, limit := range []int{4096, 8192} {
				data := []byte(strings.Repeat(c.data, size/len(c.data)))
				m := new(Machine)
				every := func(p int) (int, bool) { return p, p >= 0 && p <= len(data) }
				m.MatchEach(p, data, limit, every, func(int, int) bool { return true })
				forth := m.Steps()
				m.StartsBeforeEach(back, data, limit, every, func(int) bool { return true })
				if most := c.most*len(data) + 1<<16; forth > most || m.Steps()-forth > most {
					t.Errorf("/%s/ on %.9q… of %d bytes, limit %d: got %d and %d steps, want at most %d", c.src, c.data, size, limit, forth, m.Steps()-forth, most)
				}
			}
		}
	}
}

func BenchmarkAbreast(b *testing.B) {
	for _, c := range stepsAByte {
		n, err := Parse(c.src, Options{Matches: true})
		if err != nil {
			b.Fatal(err)
		}
		p := mustCompile(b, n)
		data := []byte(strings.Repeat(c.data, (1<<20)/len(c.data)))
		b.Run(fmt.Sprintf("%s on %.9q", c.src, c.data), func(b *testing.B) {
			m := new(Machine)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				m.MatchEach(p, data, 4096, func(p int) (int, bool) { return p, p <= len(data) }, func(int, int) bool { return true })
			}
		})
	}
}

func BenchmarkSweep(b *testing.B) {
	data := []byte(strings.Repeat(strings.Repeat("a", 2000)+"b", 16))
	for _, src := range []string{`(a{1,50}){1,40}b`, `a.{0,200}a.{0,200}a.{0,200}a.{0,200}b`, `(foo|ba?r)[a-z]{2,6}x`} {
		p := compileText(b, src, Options{})
		b.Run(src, func(b *testing.B) {
			m := new(Machine)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				m.MatchEach(p, data, 0, func(p int) (int, bool) { return p, p <= len(data) }, func(int, int) bool { return true })
			}
			b.ReportMetric(float64(p.Insts()), "insts")
		})
	}
}
