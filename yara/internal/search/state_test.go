package search

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/program"
)

func literals(texts ...string) []program.Pattern {
	var list []program.Pattern
	for _, s := range texts {
		list = append(list, program.Pattern{At: -1, Needles: []program.Needle{{Bytes: []byte(s)}}})
	}
	return list
}

func run(t testing.TB, s *State, data []byte, o Options) {
	t.Helper()
	s.Begin(data, o)
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// TestBorders puts patterns of every length at every place around the borders
// of blocks and the ends of the data.
func TestBorders(t *testing.T) {
	var list []program.Pattern
	text := bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstuv"), 2)
	for n := 1; n <= 40; n++ {
		list = append(list, program.Pattern{At: -1, Positions: true, Needles: []program.Needle{{Bytes: text[:n]}}},
			program.Pattern{At: -1, Positions: true, Needles: []program.Needle{{Bytes: text[:n], Fold: true}}},
			program.Pattern{At: -1, Positions: true, Needles: []program.Needle{{Kind: program.Xor, Bytes: text[:n], XorLo: 0, XorHi: 9}}})
	}
	for _, more := range []int{0, manyLits} {
		prog := programOf(append(slices.Clone(list), madeLiterals(more)...), true)
		s := New(prog).NewState()
		for shift := -41; shift <= 8; shift++ {
			data := make([]byte, 2*blockSize+20)
			copy(data[blockSize+shift:], xored(text[:40], byte(-shift)&15))
			copy(data[min(len(data), len(data)+shift):], text[:40])
			copy(data[max(0, shift):], text[:40])
			run(t, s, data, Options{})
			for i := range list {
				want := at(prog, int32(i), data, max(0, shift), blockSize+shift, len(data)+shift)
				if got := s.Matches(int32(i)); !slices.Equal(got, want) {
					t.Fatalf("shift %d, %s:\ngot  %v\nwant %v", shift, show(&list[i]), clip(got), clip(want))
				}
			}
		}
	}
}

// at is the reference within 50 bytes of some offsets, in data that is zero elsewhere.
func at(prog *program.Program, p int32, data []byte, offsets ...int) []Match {
	var out []Match
	next := 0
	for _, o := range offsets {
		for i := max(next, o-50); i < min(len(data), o+50); i++ {
			if m, ok := naiveAt(prog.Dialect, &prog.Patterns[p].Needles[0], data, i); ok {
				out = append(out, m)
			}
			next = i + 1
		}
	}
	return out
}

func TestEmpty(t *testing.T) {
	for _, list := range [][]program.Pattern{nil, literals("a"), literals(""), madeLiterals(600)} {
		s := New(programOf(list, true)).NewState()
		for _, data := range [][]byte{nil, {}, {0}, {'a'}} {
			run(t, s, data, Options{})
			for i := range list {
				if got := s.Found(int32(i)); got != (string(data) == "a" && i == 0 && len(list) == 1 && len(list[0].Needles[0].Bytes) == 1) {
					t.Errorf("%d patterns, %q: Found(%d): got %v", len(list), data, i, got)
				}
			}
		}
	}
}

func TestMaxMatches(t *testing.T) {
	list := literals("aa", "aaaa", "ab")
	for _, more := range []int{0, 20, 400} {
		s := New(programOf(append(literals("aa", "aaaa", "ab"), madeLiterals(more)...), true)).NewState()
		data := []byte(strings.Repeat("a", 3*blockSize))
		run(t, s, data, Options{MaxMatches: 1000, AllPositions: true})
		for i, want := range []int{1000, 1000, 0} {
			if got := s.Count(int32(i)); got != want {
				t.Errorf("%d more: %q: got %d matches, want %d", more, list[i].Needles[0].Bytes, got, want)
			}
		}
	}
}

// TestLimitOfPlaces has more duplicates than the limit allows matches.
func TestLimitOfPlaces(t *testing.T) {
	r := newRecords(1)
	r.reset(100)
	for range 50 {
		for i := range 90 {
			r.add(0, Match{Offset: int64(90 - i), Length: int64(i)}, true, true)
		}
	}
	if r.status[0]&closed != 0 || len(r.sorted(0, true)) != 90 {
		t.Errorf("got %d matches, closed %v, want 90, open", len(r.sorted(0, true)), r.status[0]&closed != 0)
	}
	for i := range 90 {
		r.add(0, Match{Offset: int64(1000 + i)}, true, true)
	}
	if got := len(r.sorted(0, true)); got != 100 {
		t.Errorf("got %d matches, want 100", got)
	}
}

func TestContext(t *testing.T) {
	s := New(programOf(literals("needle"), true)).NewState()
	data := make([]byte, 100*blockSize)
	copy(data[len(data)-6:], "needle")
	ctx, cancel := context.WithCancel(context.Background())
	s.Begin(data, Options{Progress: func(done int64) {
		if done >= 10*blockSize {
			cancel()
		}
	}})
	if err := s.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: got %v, want %v", err, context.Canceled)
	}
	if s.Found(0) || !errors.Is(s.Err(), context.Canceled) {
		t.Errorf("Found goes on after the end: error %v", s.Err())
	}
	run(t, s, data, Options{})
	if !s.Found(0) {
		t.Error("the next scan does not find the pattern")
	}
}

func TestProgress(t *testing.T) {
	s := New(programOf(literals("needle"), true)).NewState()
	var last int64
	run(t, s, make([]byte, 2*blockSize+7), Options{Progress: func(done int64) { last = done }})
	if last != 2*blockSize+7 {
		t.Errorf("last progress: got %d, want %d", last, 2*blockSize+7)
	}
}

// TestClasses has rules that are gated by their first bytes: what the tables of
// a class leave out is still found when asked for.
func TestClasses(t *testing.T) {
	prog := &program.Program{}
	for i := range 60 {
		r := program.Rule{Anchors: []int32{int32(i)}}
		if i < 40 {
			r.Gate.Headers = []program.Header{{Width: 2, Mask: 0xFFFF, Value: []uint32{0x5A4D, 0x457F}[i%2]}}
		}
		prog.Rules = append(prog.Rules, r)
		prog.Patterns = append(prog.Patterns, literals(fmt.Sprintf("pattern-%02d", i))...)
	}
	var body string
	for i := range 60 {
		body += fmt.Sprintf("pattern-%02d", i)
	}
	s := New(prog).NewState()
	for _, c := range []struct {
		magic string
		hits  int
	}{{"MZ", 40}, {"\x7FE", 40}, {"XX", 20}, {"", 20}} {
		data := []byte(c.magic + body)
		run(t, s, data, Options{})
		if got := len(s.Hit()); got != c.hits {
			t.Errorf("%q: got %d hits, want %d", c.magic, got, c.hits)
		}
		for i := range 60 {
			if got := s.Matches(int32(i)); len(got) != 1 || got[0].Offset != int64(len(c.magic)+10*i) {
				t.Errorf("%q: pattern %d: got %v", c.magic, i, got)
			}
		}
	}
}

// TestSteady holds that scans allocate nothing once the state has grown.
func TestSteady(t *testing.T) {
	g := &gen{rand.New(rand.NewPCG(1, 2)), "abcdefgh0\x00"}
	for _, n := range []int{3, 50, 500} {
		var list []program.Pattern
		for range n {
			list = append(list, g.pattern(30))
		}
		s := New(programOf(list, true)).NewState()
		lazy := New(programOf(list, false)).NewState()
		data := g.bytes(2 * blockSize)
		for range 20 {
			g.plant(data, &list[g.IntN(n)])
		}
		ctx := context.Background()
		if got := testing.AllocsPerRun(5, func() {
			for _, s := range []*State{s, lazy} {
				s.Begin(data, Options{AllPositions: true})
				s.Run(ctx)
				for i := range min(n, 20) {
					s.Found(int32(i))
					s.Matches(int32(i))
				}
			}
		}); got != 0 {
			t.Errorf("%d patterns: got %v allocations a scan, want 0", n, got)
		}
	}
}

// TestShared scans with one Tables from many goroutines.
func TestShared(t *testing.T) {
	list := madeLiterals(400)
	tables := New(programOf(list, true))
	alone := New(programOf(list, false))
	data := textData(4 * blockSize)
	for i := range 50 {
		copy(data[i*1000:], list[i].Needles[0].Bytes)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			a, b := tables.NewState(), alone.NewState()
			a.Begin(data, Options{})
			b.Begin(data, Options{})
			a.Run(context.Background())
			for i := range 60 {
				if got, want := b.Found(int32(i)), a.Found(int32(i)); got != want {
					t.Errorf("pattern %d: alone %v, eagerly %v", i, got, want)
				}
			}
		})
	}
	wg.Wait()
}

// FuzzSearch holds all kinds of needle, in sets of all sizes, against the reference.
func FuzzSearch(f *testing.F) {
	f.Add(uint64(1), uint64(1), uint8(3), uint8(9), []byte("aabab\x00a\x00b\x00"))
	f.Add(uint64(2), uint64(9), uint8(40), uint8(20), []byte("abcabc==YWJj"))
	f.Fuzz(func(t *testing.T, seed, mix uint64, patterns, length uint8, data []byte) {
		if len(data) > 4096 || patterns == 0 || length == 0 {
			return
		}
		g := &gen{rand.New(rand.NewPCG(seed, mix)), "ab\x00"}
		if len(data) > 0 {
			g.alphabet = string(data[:min(len(data), 64)])
		}
		list := make([]program.Pattern, patterns)
		for i := range list {
			list[i] = g.pattern(int(length))
			// Some needles straight from the data.
			if n := &list[i].Needles[0]; len(data) > 0 && n.Kind == program.Literal {
				from := g.IntN(len(data))
				n.Bytes = slices.Clone(data[from:min(len(data), from+1+g.IntN(int(length)))])
			}
		}
		prog := programOf(list, mix%2 == 0)
		s := New(prog).NewState()
		compare(t, prog, s, data, Options{AllPositions: mix%3 == 0})
		data = slices.Clone(data)
		g.plant(data, &list[0])
		compare(t, prog, s, data, Options{AllPositions: mix%5 == 0})
	})
}

// TestNoise has few patterns, and data of which some blocks are full of their
// rarest bytes, so that the search changes its means between two blocks.
func TestNoise(t *testing.T) {
	list := literals("zq", "qz~qz~", "a quizzical zebra~", "~")
	for i := range list {
		list[i].Positions = true
	}
	prog := programOf(list, true)
	s := New(prog).NewState()
	g := &gen{rand.New(rand.NewPCG(5, 5)), "zq~ a"}
	for round := range 20 {
		data := make([]byte, 4*blockSize)
		copy(data[(1+round%2)*blockSize:][:blockSize], g.bytes(blockSize))
		for b := 1; b < 4; b++ {
			for i := range list {
				copy(data[b*blockSize-g.IntN(20):], list[i].Needles[0].Bytes)
			}
		}
		compare(t, prog, s, data, Options{})
	}
}
