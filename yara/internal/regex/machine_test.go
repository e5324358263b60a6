package regex

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func mustCompile(t testing.TB, n *Node) *Prog {
	t.Helper()
	p, err := Compile(n, Limits{})
	if err != nil {
		t.Fatalf("compile %v: %v", n, err)
	}
	return p
}

// checkNode compares every way to run n over data with the reference.
func checkNode(t *testing.T, machines map[string]*Machine, n *Node, data []byte) {
	t.Helper()
	p, back := mustCompile(t, n), mustCompile(t, n.Reverse())
	ref := &reference{data: data, memo: map[refKey][]int{}}
	ends := make([][]int, len(data)+1)
	var starts []int
	for s := range ends {
		if ends[s] = ref.ends(n, s); len(ends[s]) > 0 {
			starts = append(starts, s)
		}
	}
	for name, m := range machines {
		for s := range ends {
			end, ok := m.MatchAt(p, data, s, 0)
			if ok != (len(ends[s]) > 0) || ok && !loopsOverEmpty(n) && end != ends[s][0] {
				t.Fatalf("%s: %v on %q at %d: got %d %v, want %v", name, n, data, s, end, ok, ends[s])
			}
			var got []int
			m.EndsAt(p, data, s, 0, func(e int) bool { got = append(got, e); return true })
			if want := slices.Sorted(slices.Values(ends[s])); !slices.Equal(got, want) {
				t.Fatalf("%s: %v on %q: ends at %d: got %v, want %v", name, n, data, s, got, want)
			}
		}
		for e := range ends {
			var got, want []int
			m.StartsBefore(back, data, e, 0, func(s int) bool { got = append(got, s); return true })
			for s := e; s >= 0; s-- {
				if slices.Contains(ends[s], e) {
					want = append(want, s)
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%s: %v on %q: starts before %d: got %v, want %v", name, n, data, e, got, want)
			}
		}
		if got := m.Find(p, data, 0); got != (len(starts) > 0) {
			t.Fatalf("%s: find %v in %q: got %v", name, n, data, got)
		}
		var got []int
		m.Starts(back, data, 0, len(data)+1, func(s int) bool { got = append(got, s); return true })
		slices.Reverse(got)
		if !slices.Equal(got, starts) {
			t.Fatalf("%s: %v on %q: all starts: got %v, want %v", name, n, data, got, starts)
		}
	}
}

// testMachines are Machines that take all ways through the code: one with so
// little room that states are forgotten all the time.
func testMachines() map[string]*Machine {
	return map[string]*Machine{"fast": {}, "simulation": {simulate: true}, "small": {cache: cache{room: 600}}}
}

func TestMachinesAgreeWithReference(t *testing.T) {
	rounds := 3000
	if testing.Short() {
		rounds = 300
	}
	machines := testMachines()
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		g := newNodeMaker(r)
		n := g.node(3)
		if size(n, 0) > 300 {
			continue
		}
		if r.IntN(6) == 0 {
			n = n.Wide()
		}
		for range 3 {
			checkNode(t, machines, n, g.bytes(r.IntN(30)))
		}
	}
}

// TestChainsAgreeWithReference is the same for what is a chain.
func TestChainsAgreeWithReference(t *testing.T) {
	rounds := 3000
	if testing.Short() {
		rounds = 300
	}
	machines := testMachines()
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 8))
		g := newNodeMaker(r)
		g.mixed, g.looks = false, append(g.looks, WordBoundary, WordBoundary|wide)
		n := g.chain()
		unitTwo := r.IntN(3) == 0
		if unitTwo {
			n = n.Wide()
		}
		if newChain(n) == nil {
			t.Fatalf("%v is no chain", n)
		}
		for range 3 {
			data := g.bytes(r.IntN(40))
			if unitTwo {
				data = widen(g, data)
			}
			checkNode(t, machines, n, data)
		}
	}
}

// chain returns a sequence of parts and gaps.
func (g *nodeMaker) chain() *Node {
	var subs []*Node
	for range 2 + g.IntN(6) {
		switch g.IntN(5) {
		case 0, 1:
			subs = append(subs, Literal(g.bytes(1)))
		case 2:
			subs = append(subs, Class(g.set()))
		case 3:
			if g.IntN(3) == 0 {
				subs = append(subs, Assert(g.looks[g.IntN(len(g.looks))]))
			}
		}
		subs = append(subs, g.repeat(Class(g.set())))
	}
	return Concat(subs...)
}

// widen puts a NUL behind most bytes.
func widen(g *nodeMaker, data []byte) []byte {
	var out []byte
	for _, b := range data {
		if out = append(out, b); g.IntN(15) > 0 {
			out = append(out, 0)
		}
	}
	return out
}
