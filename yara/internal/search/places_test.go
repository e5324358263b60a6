package search

import (
	"math/rand/v2"
	"testing"
)

func TestPlaces(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var p places
	for range 300 {
		n := 1 + rnd.IntN(300_000)
		p = p.again(n)
		has := make([]bool, n)
		for range rnd.IntN(12) {
			i := rnd.IntN(n)
			if p.add(i) == has[i] {
				t.Fatalf("%d of %d: had %v, and add says otherwise", i, n, has[i])
			}
			has[i] = true
		}
		for range 20 {
			lo := rnd.IntN(n)
			hi := lo + rnd.IntN(n)
			first, last := -1, -1
			for i := lo; i <= min(hi, n-1); i++ {
				if has[i] {
					last = i
					if first < 0 {
						first = i
					}
				}
			}
			for _, w := range []struct {
				last bool
				want int
			}{{false, first}, {true, last}} {
				got, ok := p.between(lo, hi, w.last)
				if ok != (w.want >= 0) || ok && got != w.want {
					t.Fatalf("%d of %d..%d in %d: got %d, %v, want %d", n, lo, hi, n, got, ok, w.want)
				}
			}
		}
	}
}
