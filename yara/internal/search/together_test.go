package search

import (
	"bytes"
	"maps"
	"slices"
	"testing"
)

// TestExpect looks for patterns together and holds every answer to that of a
// search one by one.
func TestExpect(t *testing.T) {
	list := madeLiterals(300)
	for i := range list {
		list[i].Positions = i%4 == 0
	}
	for _, n := range []int{fewExpected, fewExpected + 1, fewLits + 1, len(list)} {
		prog := programOf(list[:n], false)
		data := textData(largeData + 5)
		for i := 0; i < n; i += 2 {
			for at := i * 1000; at < len(data); at += 300_000 {
				copy(data[at:], list[i].Needles[0].Bytes)
			}
		}
		tables := New(prog)
		one, all := tables.NewState(), tables.NewState()
		run(t, one, data, Options{})
		run(t, all, data, Options{})
		all.Expect(func(yield func(int32) bool) {
			for p := range int32(n) {
				for range 2 { // a pattern may be named twice
					if !yield(p) {
						return
					}
				}
			}
		})
		if got, want := len(all.Hit()) > 0, n > fewExpected; got != want {
			t.Errorf("%d patterns: looked for together: got %v, want %v", n, got, want)
		}
		for p := range int32(n) {
			if got, want := all.Found(p), one.Found(p); got != want {
				t.Errorf("%d patterns: Found(%d): got %v, want %v", n, p, got, want)
			}
			if got, want := all.Matches(p), one.Matches(p); !slices.Equal(got, want) {
				t.Errorf("%d patterns: Matches(%d): got %v, want %v", n, p, clip(got), clip(want))
			}
		}
	}
}

// TestExpectCostly leaves patterns with many false hits to who asks for them.
func TestExpectCostly(t *testing.T) {
	list := madeLiterals(20)
	list[3].Cost = costly
	s := New(programOf(list, false)).NewState()
	run(t, s, bytes.Repeat(list[3].Needles[0].Bytes, largeData), Options{})
	s.Expect(func(yield func(int32) bool) {
		for p := range int32(len(list)) {
			if !yield(p) {
				return
			}
		}
	})
	if len(s.Hit()) != 0 {
		t.Errorf("got %v, want no search for a costly pattern", s.Hit())
	}
	if !s.Found(3) {
		t.Error("not found when asked for")
	}
}

// TestExpectSmall leaves small data to later searches.
func TestExpectSmall(t *testing.T) {
	s := New(programOf(literals("a", "b", "c", "d", "e"), false)).NewState()
	run(t, s, []byte("abcde"), Options{})
	s.Expect(maps.Keys(map[int32]bool{0: true, 1: true, 2: true, 3: true}))
	if got := s.Hit(); len(got) != 0 {
		t.Errorf("found %v, want nothing yet", got)
	}
}
