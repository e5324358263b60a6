package search

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/program"
)

// The reference: what a pattern matches, tried at every offset.

func naive(d program.Dialect, p *program.Pattern, data []byte) []Match {
	var out []Match
	for at := range data {
		best, have := Match{}, false
		for i := range p.Needles {
			if m, ok := naiveAt(d, &p.Needles[i], data, at); ok {
				if !have || (m.Length > best.Length) == p.Longest && m.Length != best.Length {
					best, have = m, true
				}
			}
		}
		if have && (p.At < 0 || p.At == int64(at)) {
			out = append(out, best)
		}
	}
	return out
}

func naiveAt(d program.Dialect, n *program.Needle, data []byte, at int) (Match, bool) {
	end := at + len(n.Bytes)
	if len(n.Bytes) == 0 || end > len(data) {
		return Match{}, false
	}
	m := Match{Offset: int64(at), Length: int64(len(n.Bytes))}
	got := data[at:end]
	switch n.Kind {
	case program.Xor:
		key := got[0] ^ n.Bytes[0]
		around := key
		if d == program.LibYARA {
			around = 0
		}
		m.Key, m.HasKey = key, true
		return m, n.XorLo <= key && key <= n.XorHi && bytes.Equal(xored(n.Bytes, key), got) &&
			naiveBoundary(n.Boundary, xored(data, around), at, end)
	case program.Base64:
		return m, bytes.Equal(n.Bytes, got) && naiveBase64(n.Base64, data, at)
	}
	if n.Fold {
		return m, bytes.Equal(ascii(got, 'A', 'Z'), ascii(n.Bytes, 'A', 'Z')) && naiveBoundary(n.Boundary, data, at, end)
	}
	return m, bytes.Equal(got, n.Bytes) && naiveBoundary(n.Boundary, data, at, end)
}

func xored(b []byte, key byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		out[i] = c ^ key
	}
	return out
}

// ascii returns b with the other case for the letters from..to.
func ascii(b []byte, from, to byte) []byte {
	out := slices.Clone(b)
	for i, c := range out {
		if from <= c && c <= to {
			out[i] ^= 0x20
		}
	}
	return out
}

func naiveBoundary(b program.Boundary, data []byte, start, end int) bool {
	isWord := func(i int) bool {
		if i < 0 || i >= len(data) {
			return false
		}
		return bytes.IndexByte([]byte("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"), data[i]) >= 0
	}
	isZero := func(i int) bool { return i >= 0 && i < len(data) && data[i] == 0 }
	switch b {
	case program.WordBoundary:
		return !isWord(start-1) && !isWord(end)
	case program.WideBoundary:
		return !(isZero(start-1) && isWord(start-2)) && !(isWord(end) && isZero(end+1))
	}
	return true
}

func naiveBase64(b *program.Base64Text, data []byte, at int) bool {
	if b.Plain == nil {
		return true
	}
	unit := 1
	if b.Wide {
		unit = 2
	}
	from := at - []int{0, 2, 3}[b.Padding]*unit
	if from < 0 {
		return false
	}
	text := data[from:min(len(data), from+(int(b.Padding)+len(b.Plain)+2)/3*4*unit)]
	if b.Wide {
		var low []byte
		for i, c := range text {
			if i%2 == 1 && c != 0 {
				return false
			}
			if i%2 == 0 && c != '=' {
				low = append(low, c)
			}
		}
		text = low
	} else if bytes.HasSuffix(text, []byte("==")) {
		text = text[:len(text)-2]
	} else if bytes.HasSuffix(text, []byte("=")) {
		text = text[:len(text)-1]
	}
	if bytes.ContainsAny(text, "\r\n") { // which the standard library would skip
		return false
	}
	plain, err := base64.NewEncoding(b.Alphabet).WithPadding(base64.NoPadding).Strict().DecodeString(string(text))
	return err == nil && len(plain) >= int(b.Padding)+len(b.Plain) && bytes.Equal(plain[b.Padding:int(b.Padding)+len(b.Plain)], b.Plain)
}

// Random patterns and data, over alphabets so small that all overlaps.

type gen struct {
	*rand.Rand
	alphabet string
}

func (g *gen) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = g.alphabet[g.IntN(len(g.alphabet))]
	}
	return b
}

const standard64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

func widened(b []byte) []byte {
	w := make([]byte, 2*len(b))
	for i, c := range b {
		w[2*i] = c
	}
	return w
}

func (g *gen) pattern(maxLen int) program.Pattern {
	p := program.Pattern{At: -1, Positions: g.IntN(2) == 0, Longest: g.IntN(2) == 0}
	if g.IntN(16) == 0 {
		p.At = int64(g.IntN(8))
	}
	kind := g.IntN(6)
	for range 1 + g.IntN(2) {
		p.Needles = append(p.Needles, g.needle(kind, 1+g.IntN(maxLen))...)
	}
	return p
}

func (g *gen) needle(kind, length int) []program.Needle {
	n := program.Needle{Bytes: g.bytes(length), Boundary: program.Boundary(g.IntN(3))}
	switch kind {
	case 0:
		n.Kind, n.XorLo, n.XorHi = program.Xor, byte(g.IntN(4)), byte(4+g.IntN(252))
	case 1:
		alphabet := standard64
		if g.IntN(2) == 0 {
			alphabet = standard64[1:] + "A"
		}
		return base64Needles(g.bytes(3+g.IntN(8)), alphabet, g.IntN(2) == 0)
	case 2, 3:
		n.Fold = true
	}
	return []program.Needle{n}
}

// base64Needles are the needles of a base64 pattern, as compile makes them.
func base64Needles(plain []byte, alphabet string, wide bool) []program.Needle {
	enc := base64.NewEncoding(alphabet).WithPadding(base64.NoPadding)
	var out []program.Needle
	for padding := range 3 {
		text := enc.EncodeToString(append(make([]byte, padding), plain...))
		if (padding+len(plain))%3 != 0 {
			text = text[:len(text)-1]
		}
		n := program.Needle{Kind: program.Base64, Bytes: []byte(text[[]int{0, 2, 3}[padding]:]),
			Base64: &program.Base64Text{Alphabet: alphabet, Padding: uint8(padding), Plain: plain, Wide: wide}}
		if wide {
			n.Bytes = widened(n.Bytes)
		}
		out = append(out, n)
	}
	return out
}

// plant writes needles at random places of data, whole or cut.
func (g *gen) plant(data []byte, p *program.Pattern) {
	if len(data) == 0 {
		return
	}
	for range 1 + g.IntN(4) {
		n := &p.Needles[g.IntN(len(p.Needles))]
		b := n.Bytes
		switch {
		case n.Kind == program.Xor:
			b = xored(b, byte(g.IntN(256)))
		case n.Kind == program.Base64 && g.IntN(4) > 0:
			enc := base64.NewEncoding(n.Base64.Alphabet)
			if g.IntN(2) == 0 {
				enc = enc.WithPadding(base64.NoPadding)
			}
			b = []byte(enc.EncodeToString(slices.Concat(g.bytes(g.IntN(4)), n.Base64.Plain, g.bytes(g.IntN(4)))))
			if n.Base64.Wide {
				b = widened(b)
			}
		case n.Fold && g.IntN(2) == 0:
			b = ascii(b, 'a', 'z')
		}
		copy(data[g.IntN(len(data)):], b)
	}
}

func programOf(patterns []program.Pattern, eager bool) *program.Program {
	r := program.Rule{}
	for i := range patterns {
		r.Patterns = append(r.Patterns, int32(i))
	}
	if !eager {
		r.Anchors = []int32{}
	}
	return &program.Program{Rules: []program.Rule{r}, Patterns: patterns}
}

// compare holds every answer of a state against the reference.
func compare(t *testing.T, prog *program.Program, s *State, data []byte, o Options) {
	t.Helper()
	s.Begin(data, o)
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i := range prog.Patterns {
		p := int32(i)
		want := naive(prog.Dialect, &prog.Patterns[i], data)
		if i%3 > 0 {
			if got := s.Found(p); got != (len(want) > 0) {
				t.Errorf("pattern %d %s: Found: got %v, want %v", p, show(&prog.Patterns[i]), got, len(want) > 0)
			}
		}
		if i%3 > 1 {
			if got := s.Count(p); got != len(want) {
				t.Errorf("pattern %d: Count: got %d, want %d", p, got, len(want))
			}
		}
		if got := s.Matches(p); !slices.Equal(got, want) {
			t.Errorf("pattern %d %s in %q:\ngot  %v\nwant %v", p, show(&prog.Patterns[i]), data[:min(len(data), 200)], clip(got), clip(want))
		}
		if got := slices.Contains(s.Hit(), p); got != (len(want) > 0) {
			t.Errorf("pattern %d: in Hit: got %v, want %v", p, got, len(want) > 0)
		}
	}
	hits := slices.Clone(s.Hit())
	slices.Sort(hits)
	if len(slices.Compact(hits)) != len(s.Hit()) {
		t.Errorf("Hit has duplicates: %v", s.Hit())
	}
}

func clip(m []Match) []Match { return m[:min(len(m), 20)] }

func show(p *program.Pattern) string {
	out := fmt.Sprintf("at %d longest %v:", p.At, p.Longest)
	for _, n := range p.Needles {
		out += fmt.Sprintf(" {%d %q boundary %d fold %v keys %d-%d base64 %+v}",
			n.Kind, n.Bytes, n.Boundary, n.Fold, n.XorLo, n.XorHi, n.Base64)
	}
	return out
}

// TestAgainstNaive tries random patterns on random data, with the sizes of set
// that choose each of the filters.
func TestAgainstNaive(t *testing.T) {
	for _, c := range []struct {
		patterns, length, data, rounds int
	}{
		{1, 4, 40, 200}, {3, 12, 80, 100}, {6, 3, 20, 100}, {30, 8, 200, 20}, {60, 20, 300, 10}, {700, 30, 400, 2},
	} {
		for _, alphabet := range []string{"ab", "aB \x00", "abcdefgh0\x00\x01\xFF@`[{"} {
			t.Run(fmt.Sprintf("%d of %d %q", c.patterns, c.length, alphabet), func(t *testing.T) {
				for seed := range uint64(c.rounds) {
					g := &gen{rand.New(rand.NewPCG(seed, uint64(c.patterns))), alphabet}
					if testRound(t, g, c.patterns, c.length, c.data); t.Failed() {
						t.Fatalf("seed %d", seed)
					}
				}
			})
		}
	}
}

func testRound(t *testing.T, g *gen, patterns, length, size int) {
	list := make([]program.Pattern, patterns)
	for i := range list {
		list[i] = g.pattern(length)
	}
	for _, eager := range []bool{true, false} {
		prog := programOf(list, eager)
		prog.Dialect = program.Dialect(g.IntN(2))
		s := New(prog).NewState()
		for range 3 {
			data := g.bytes(g.IntN(size))
			for range patterns/10 + 1 {
				g.plant(data, &list[g.IntN(len(list))])
			}
			compare(t, prog, s, data, Options{AllPositions: g.IntN(2) == 0})
		}
	}
}

// A filter that goes back finds again what was found before: that is one match,
// in order, and the longer where the longer counts.
func TestRecordsAgain(t *testing.T) {
	r := newRecords(1)
	r.reset(100)
	for _, m := range []Match{{Offset: 1, Length: 3}, {Offset: 5, Length: 3}, {Offset: 9, Length: 3},
		{Offset: 5, Length: 7}, {Offset: 7, Length: 3}, {Offset: 1, Length: 2}, {Offset: 11, Length: 3}} {
		r.add(0, m, true, true)
	}
	want := []Match{{Offset: 1, Length: 3}, {Offset: 5, Length: 7}, {Offset: 7, Length: 3}, {Offset: 9, Length: 3}, {Offset: 11, Length: 3}}
	if got := r.sorted(0, true); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
