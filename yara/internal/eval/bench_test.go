package eval

import (
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/internal/search"
	"github.com/besra-hunt/besra/yara/module"
)

// BenchmarkUntouched runs 6,000 rules over a target that no anchor occurs in:
// what evaluation costs every target.
func BenchmarkUntouched(b *testing.B) {
	s := manyRules(b, 6000)
	f := &fake{}
	data := strings.Repeat("x", 1024)
	b.ReportAllocs()
	for b.Loop() {
		if err := run(s, data, f); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTouched has the anchors of 100 of the rules occur.
func BenchmarkTouched(b *testing.B) {
	s := manyRules(b, 6000)
	f := &fake{matches: map[int32][]search.Match{}}
	for p := range int32(100) {
		f.matches[p*60] = found(at(int64(p), 4))
	}
	data := strings.Repeat("x", 1024)
	b.ReportAllocs()
	for b.Loop() {
		f.asked = f.asked[:0]
		if err := run(s, data, f); err != nil {
			b.Fatal(err)
		}
	}
}

// manyRules makes rules of which 19 of 20 have an anchor; most of the others
// ask for the first bytes of an executable.
func manyRules(b *testing.B, n int) *State {
	b.Helper()
	mz := program.Gate{Headers: []program.Header{{Width: 2, Mask: 0xFFFF, Value: 0x5A4D}}}
	m := &builder{}
	m.prog.Patterns = make([]program.Pattern, n)
	for i := range int32(n) {
		condition := m.and(m.logic(program.OpLtInt, m.node(program.OpSize, module.Integer, 0), m.integer(1<<20)),
			m.node(program.OpFound, module.Bool, int64(i)))
		r := program.Rule{Condition: condition, Anchors: []int32{i}}
		if i%20 == 0 {
			r.Anchors = nil
			if i%100 != 0 {
				r.Gate = mz
			}
		}
		m.rule(r)
	}
	return m.state(b)
}
