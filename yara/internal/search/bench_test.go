package search

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/program"
)

const benchSize = 8 << 20

type input struct {
	name string
	data []byte
}

func inputs(b *testing.B) []input {
	list := []input{
		{"random", randomData(benchSize)},
		{"zeros", make([]byte, benchSize)},
		{"text", textData(benchSize)},
	}
	if exe := goFile(b, "bin/go", benchSize); exe != nil {
		list = append(list, input{"exe", exe})
	}
	return list
}

// BenchmarkSearch is the eager pass over made literals.
func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000, 35_000} {
		benchSet(b, fmt.Sprint(n), madeLiterals(n), inputs(b))
	}
}

// BenchmarkRules is the eager pass over the literals of public rule sets.
func BenchmarkRules(b *testing.B) {
	for _, name := range []string{"signature-base", "reversinglabs-yara-rules", "binaryalert"} {
		list := ruleLiterals(b, name)
		benchSet(b, fmt.Sprintf("%s-%d", name, len(list)), list, inputs(b))
	}
}

// BenchmarkEverywhere has a match at every byte.
func BenchmarkEverywhere(b *testing.B) {
	list := []program.Pattern{
		{At: -1, Positions: true, Needles: []program.Needle{{Bytes: []byte("aaaa")}}},
		{At: -1, Needles: []program.Needle{{Bytes: []byte("aaaaaaaaaaaaaaaaaaaa")}}},
	}
	data := []byte(strings.Repeat("a", benchSize))
	benchSet(b, "2", list, []input{{"same", data}})
	benchSet(b, "1002", append(list, madeLiterals(1000)...), []input{{"same", data}})
}

func benchSet(b *testing.B, name string, patterns []program.Pattern, data []input) {
	t := New(programOf(patterns, true))
	for _, in := range data {
		s := t.NewState()
		b.Run(name+"/"+in.name, func(b *testing.B) {
			b.SetBytes(int64(len(in.data)))
			for b.Loop() {
				s.Begin(in.data, Options{})
				if err := s.Run(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(s.Hit())), "hits")
		})
	}
}

// BenchmarkAlone looks for one pattern of a large set that the eager pass has not looked for.
func BenchmarkAlone(b *testing.B) {
	t := New(programOf(madeLiterals(1000), false))
	for _, in := range inputs(b) {
		s := t.NewState()
		b.Run(in.name, func(b *testing.B) {
			b.SetBytes(int64(len(in.data)))
			for b.Loop() {
				s.Begin(in.data, Options{})
				s.Found(42)
			}
		})
	}
}

// BenchmarkNew builds tables and the sets of one class.
func BenchmarkNew(b *testing.B) {
	prog := programOf(madeLiterals(35_000), true)
	for b.Loop() {
		New(prog).classOf(nil)
	}
}
