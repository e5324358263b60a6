package search

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// A made block: data and filters of which the seed decides how full they are.
// A kernel that reads beyond the data is caught where the system can do that.
type block struct {
	data  []byte
	pairs pairTable
	grams gramFilter
	keep  uint64
	sieve sieve
	// triples and diffs are masks for the data and for its differences.
	triples, diffs tripleMasks
}

func newBlock(t testing.TB, seed uint64, data []byte) *block {
	g := rand.New(rand.NewPCG(seed, 1))
	data = edged(t, data, seed%2 == 0)
	b := &block{data: data, keep: math.MaxUint64 >> (8 * g.IntN(6))}
	for range 1 << (4 + g.IntN(14)) {
		b.pairs[uint16(g.Uint32())] |= g.Uint32() >> 2
	}
	count := 1 << g.IntN(14)
	if seed%20 == 7 {
		count = 1<<18 + 1 // the largest filter
	}
	grams := make([]gram, count)
	for i := range grams {
		grams[i].key = g.Uint64()
	}
	b.grams = newGramFilter(grams)
	b.sieve = sieve{windows: b.grams, fours: newGramFilter(grams[:len(grams)/2])}
	b.sieve.whole, b.sieve.short, b.sieve.tiny = g.Uint32()&(1<<buckets-1), g.Uint32()&g.Uint32()&(1<<buckets-1), g.Uint32()&3
	// What is in the data is found: some of its grams and pairs, dense or not.
	step := 1 + g.IntN(64)
	for p := 0; p+windowRoom <= len(data); p += step {
		word := load64(data[p:])
		for f := range 3 {
			b.pairs[uint16(word>>(16*f))] |= 1 << (f*buckets + p%buckets)
		}
		for _, key := range []uint64{merged(word) & b.keep, differences64(word) & b.keep} {
			b.grams.add(key)
		}
		b.sieve.windows.add(merged(word) & wholeKey)
		b.sieve.fours.add(merged(word) >> (p % 16) & fourKey)
		if g.IntN(4) == 0 {
			b.triples.add(word, p%8)
			b.diffs.add(differences64(word), p%8)
		}
	}
	return b
}

// walk collects what a kernel finds from from to to, going on where it stops
// with full candidates, and where it leaves the rest with that of goKernels.
func (b *block) walk(from, to int, step func(k *kernels, at int, out *[candidates]uint32) (n, next int), k *kernels) []uint32 {
	var found []uint32
	var out [candidates]uint32
	for at := from; at < to; {
		n, next := step(k, at, &out)
		if next == at {
			if n, next = step(&goKernels, at, &out); next == at {
				break
			}
		}
		for _, c := range out[:n] {
			found = append(found, c+uint32(at-from))
		}
		at = next
	}
	return found
}

// windows is every candidate before to that is left, as place and mask.
func (b *block) windows(k *kernels, from, to int) []uint64 {
	var found []uint64
	var out [candidates]uint32
	for at := from; at < to && at+windowRoom <= len(b.data); {
		n, next := k.window(&b.pairs, b.data, at, to, &out)
		if next == at {
			n, next = windowGo(&b.pairs, b.data, at, to, &out)
		}
		n = k.thin(&b.sieve, b.data[at:], out[:n])
		for _, c := range out[:n] {
			if p := at + int(c>>buckets); p < to {
				found = append(found, uint64(p)<<buckets|uint64(c)&(1<<buckets-1))
			}
		}
		at = next
	}
	return found
}

func (b *block) samples(k *kernels, diff bool, from, to int) []uint32 {
	found := b.walk(from, to, func(k *kernels, at int, out *[candidates]uint32) (n, next int) {
		if diff {
			return k.sampleDiff(&b.grams, b.keep, b.data, at, to, out)
		}
		return k.sample(&b.grams, b.keep, b.data, at, to, out)
	}, k)
	return slices.DeleteFunc(found, func(c uint32) bool { return from+int(c) >= to })
}

// add lets three bytes of a word pass in a bucket.
func (m *tripleMasks) add(word uint64, bucket int) {
	for i := range m {
		c := byte(word >> (8 * i))
		m[i].low[c&0xF] |= 1 << bucket
		m[i].high[c>>4] |= 1 << bucket
	}
}

// triplesOf is every place that passes the masks, and its buckets.
func (b *block) triplesOf(k *kernels, diff bool, from, to int) []uint64 {
	kernel, rest, m, reach := k.triple, tripleGo, &b.triples, tripleSize
	if diff {
		kernel, rest, m, reach = k.tripleDiff, tripleDiffGo, &b.diffs, tripleSize+1
	}
	var found []uint64
	var out [candidates]uint32
	to = min(to, len(b.data)-reach+1)
	for at := from; at < to; {
		n, next := 0, at
		if kernel != nil {
			n, next = kernel(m, b.data, at, to, &out)
		}
		if next == at {
			n, next = rest(m, b.data, at, to, &out)
		}
		for _, c := range out[:n] {
			found = append(found, uint64(at+int(c>>8))<<8|uint64(c)&0xFF)
		}
		at = next
	}
	return found
}

// pairsOf is every place of a pair.
func (b *block) pairsOf(k *kernels, x *bytePair, diff bool, from, to int) []uint32 {
	reach := 0
	if diff {
		reach = 1
	}
	from, to = x.within(from, to, len(b.data), reach)
	return b.walk(from, to, func(k *kernels, at int, out *[candidates]uint32) (n, next int) {
		if diff {
			return k.pairDiff(x, b.data, at, to, out)
		}
		return k.pair(x, b.data, at, to, out)
	}, k)
}

// pair chooses a pair that is somewhere in the data, in any case where it folds.
func (b *block) pair(g *rand.Rand, diff bool) *bytePair {
	x := &bytePair{firstMask: 0xFF, secondMask: 0xFF, distance: g.IntN(200) - 100}
	at := g.IntN(max(1, len(b.data)-1))
	from, to := x.within(at, at+1, len(b.data), 1)
	if from >= to {
		return x
	}
	x.first, x.second = b.data[from], b.data[from+x.distance]
	if diff {
		x.first, x.second = x.first^b.data[from+1], x.second^b.data[from+x.distance+1]
	} else if isLower(lower(x.first)) && g.IntN(2) == 0 {
		x.first, x.firstMask = lower(x.first), bothCases
	}
	return x
}

// sameAsGo holds kernels to goKernels on a block.
func (b *block) sameAsGo(t *testing.T, k *kernels, from, to int) {
	t.Helper()
	if got, want := b.windows(k, from, to), b.windows(&goKernels, from, to); !slices.Equal(got, want) {
		t.Errorf("%s: windows in %d of %d..%d: got %d, want %d", k.name, len(b.data), from, to, len(got), len(want))
	}
	for _, diff := range []bool{false, true} {
		if got, want := b.samples(k, diff, from, to), b.samples(&goKernels, diff, from, to); !slices.Equal(got, want) {
			t.Errorf("%s: samples (diff %v) in %d of %d..%d: got %d, want %d", k.name, diff, len(b.data), from, to, len(got), len(want))
		}
		b.sameTriplesAsGo(t, k, diff, from, to)
		b.samePairsAsGo(t, k, b.pair(rand.New(rand.NewPCG(b.keep, uint64(len(b.data)))), diff), diff, from, to)
	}
}

func (b *block) sameTriplesAsGo(t *testing.T, k *kernels, diff bool, from, to int) {
	t.Helper()
	if got, want := b.triplesOf(k, diff, from, to), b.triplesOf(&goKernels, diff, from, to); !slices.Equal(got, want) {
		t.Errorf("%s: triples (diff %v) in %d of %d..%d: got %d, want %d", k.name, diff, len(b.data), from, to, len(got), len(want))
	}
}

func (b *block) samePairsAsGo(t *testing.T, k *kernels, x *bytePair, diff bool, from, to int) {
	t.Helper()
	if got, want := b.pairsOf(k, x, diff, from, to), b.pairsOf(&goKernels, x, diff, from, to); !slices.Equal(got, want) {
		t.Errorf("%s: pair %+v (diff %v) in %d of %d..%d: got %d, want %d", k.name, x, diff, len(b.data), from, to, len(got), len(want))
	}
}

func TestKernelsAgree(t *testing.T) {
	for _, k := range machineKernels() {
		for seed := range uint64(60) {
			g := rand.New(rand.NewPCG(seed, 2))
			data := textData(g.IntN(3 * blockSize))
			if seed%3 == 0 {
				data = randomData(g.IntN(700))
			}
			b := newBlock(t, seed, data)
			from := g.IntN(len(data)/64+1) * 64
			b.sameAsGo(t, &k, from, len(data))
			b.sameAsGo(t, &k, from, min(len(data), from+blockSize))
		}
	}
}

// TestKernelsAgreeAtEdges has every rest that groups of places can leave.
func TestKernelsAgreeAtEdges(t *testing.T) {
	for _, k := range machineKernels() {
		for seed := range uint64(4) {
			data := textData(400)
			b := newBlock(t, seed, data)
			for size := range data {
				b.data = edged(t, data[:size], seed%2 == 0)
				b.sameAsGo(t, &k, 0, size)
			}
		}
	}
}

// TestKernelsAgreeOnRuns has more pairs and triples in a row than a list of candidates holds,
// behind every number of others.
func TestKernelsAgreeOnRuns(t *testing.T) {
	x := &bytePair{firstMask: 0xFF, secondMask: 0xFF, distance: 1}
	for _, k := range machineKernels() {
		for lead := range 64 {
			b := &block{data: edged(t, make([]byte, 2*candidates), true)}
			for i := range b.data[:lead] {
				b.data[i] = byte(i + 1)
			}
			b.triples.add(0, lead%8)
			b.diffs.add(0, lead%8)
			for _, diff := range []bool{false, true} {
				b.samePairsAsGo(t, &k, x, diff, 0, len(b.data))
				b.sameTriplesAsGo(t, &k, diff, 0, len(b.data))
			}
		}
	}
}

func FuzzKernels(f *testing.F) {
	f.Add(uint64(1), []byte("some text that is long enough for a group of places, and what is behind it: some text that is long enough"))
	f.Fuzz(func(t *testing.T, seed uint64, data []byte) {
		for _, k := range machineKernels() {
			newBlock(t, seed, data).sameAsGo(t, &k, 0, len(data))
		}
	})
}

// BenchmarkKernels is a filter alone, where nothing passes; for the sieve,
// where all windows pass but none is left.
func BenchmarkKernels(b *testing.B) {
	data := textData(blockSize)
	empty := &block{data: data, grams: gramFilter{make([]uint64, 1<<14), 64 - 14}, keep: math.MaxUint64}
	full := &block{data: data, sieve: sieve{windows: empty.grams, fours: empty.grams, whole: 0x3F8, short: 7}}
	for i := range full.pairs {
		full.pairs[i] = math.MaxUint32 >> 2
	}
	for _, k := range append(machineKernels(), goKernels) {
		bench := func(name string, f func()) {
			b.Run(fmt.Sprintf("%s/%s", name, k.name), func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				for b.Loop() {
					f()
				}
			})
		}
		bench("window", func() { empty.windows(&k, 0, len(data)) })
		bench("sieve", func() { full.windows(&k, 0, len(data)) })
		bench("sample", func() { empty.samples(&k, false, 0, len(data)) })
		x := &bytePair{first: 'Q', firstMask: 0xFF, second: '#', secondMask: 0xFF, distance: 5}
		bench("pair", func() { empty.pairsOf(&k, x, false, 0, len(data)) })
		bench("pairDiff", func() { empty.pairsOf(&k, x, true, 0, len(data)) })
		bench("triple", func() { empty.triplesOf(&k, false, 0, len(data)) })
		bench("tripleDiff", func() { empty.triplesOf(&k, true, 0, len(data)) })
		bench("sampleDiff", func() { empty.samples(&k, true, 0, len(data)) })
	}
}
