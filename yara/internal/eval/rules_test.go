package eval

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/internal/search"
	"github.com/besra-hunt/besra/yara/module"
)

// names runs the rules and returns the names of those that match.
func names(t *testing.T, b *builder, data string, f *fake) string {
	t.Helper()
	s := b.state(t)
	if err := run(s, data, f); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, r := range s.Matching() {
		list = append(list, b.prog.Rules[r].Name)
	}
	return strings.Join(list, " ")
}

func TestOnlyTouchedRulesAreEvaluated(t *testing.T) {
	b := &builder{}
	b.prog.Patterns = make([]program.Pattern, 4)
	for p := range int32(4) {
		b.rule(program.Rule{Name: string('a' + p), Condition: b.node(program.OpFound, module.Bool, int64(p)), Anchors: []int32{p}})
	}
	b.rule(program.Rule{Name: "two", Condition: b.node(program.OpFound, module.Bool, 1), Anchors: []int32{0, 1}})
	b.rule(program.Rule{Name: "free", Condition: b.node(program.OpFound, module.Bool, 3)})
	b.rule(program.Rule{Name: "never", Condition: b.truth(true), Anchors: []int32{}})
	f := &fake{matches: map[int32][]search.Match{1: found(at(0, 1)), 2: found(at(1, 1))}}
	if got, want := names(t, b, "xy", f), "b c two"; got != want {
		t.Errorf("matching: got %q, want %q", got, want)
	}
	if want := []int32{1, 2, 1, 3}; !slices.Equal(f.asked, want) {
		t.Errorf("patterns asked for: got %v, want %v", f.asked, want)
	}
}

func TestGate(t *testing.T) {
	mz := []program.Header{{Offset: 0, Width: 2, Mask: 0xFFFF, Value: 0x5A4D}}
	tests := []struct {
		name string
		gate program.Gate
		want bool
	}{
		{"nothing asked", program.Gate{MaxSize: math.MaxInt64}, true},
		{"size fits", program.Gate{MinSize: 8, MaxSize: 8}, true},
		{"too small", program.Gate{MinSize: 9, MaxSize: 100}, false},
		{"too large", program.Gate{MaxSize: 7}, false},
		{"header", program.Gate{MaxSize: 100, Headers: mz}, true},
		{"other header", program.Gate{MaxSize: 100, Headers: []program.Header{{Offset: 2, Width: 2, Mask: 0xFFFF, Value: 0x5A4D}}}, false},
		{"masked header", program.Gate{MaxSize: 100, Headers: []program.Header{{Offset: 0, Width: 4, Mask: 0xFF, Value: 'M'}}}, true},
		{"header beyond the end", program.Gate{MaxSize: 100, Headers: []program.Header{{Offset: 6, Width: 4, Mask: 0, Value: 0}}}, false},
		{"two headers", program.Gate{MaxSize: 100, Headers: append(slices.Clone(mz), program.Header{Offset: 7, Width: 1, Mask: 0xFF, Value: 7})}, true},
		{"second header fails", program.Gate{MaxSize: 100, Headers: append(slices.Clone(mz), program.Header{Offset: 7, Width: 1, Mask: 0xFF, Value: 8})}, false},
	}
	for _, tt := range tests {
		b := &builder{}
		b.prog.Patterns = make([]program.Pattern, 1)
		b.rule(program.Rule{Name: "free", Condition: b.truth(true), Gate: tt.gate})
		b.rule(program.Rule{Name: "anchored", Condition: b.truth(true), Gate: tt.gate, Anchors: []int32{0}})
		f := &fake{matches: map[int32][]search.Match{0: found(at(0, 1))}}
		want := ""
		if tt.want {
			want = "free anchored"
		}
		if got := names(t, b, "MZ\x02\x03\x04\x05\x06\x07", f); got != want {
			t.Errorf("%s: got %q, want %q", tt.name, got, want)
		}
	}
}

func TestRuleReferences(t *testing.T) {
	b := &builder{}
	b.prog.Patterns = make([]program.Pattern, 1)
	ref := func(r int32) id { return b.node(program.OpRule, module.Bool, int64(r)) }
	hit := b.rule(program.Rule{Name: "hit", Condition: b.truth(true)})
	miss := b.rule(program.Rule{Name: "miss", Condition: b.undef(module.Bool)})
	unanchored := b.rule(program.Rule{Name: "untouched", Condition: b.truth(true), Anchors: []int32{0}})
	hidden := b.rule(program.Rule{Name: "hidden", Private: true, Condition: b.truth(true)})
	b.rule(program.Rule{Name: "refers", Condition: ref(hit)})
	b.rule(program.Rule{Name: "refers_to_miss", Condition: ref(miss)})
	b.rule(program.Rule{Name: "not_miss", Condition: b.logic(program.OpNot, ref(miss))})
	b.rule(program.Rule{Name: "not_untouched", Condition: b.logic(program.OpNot, ref(unanchored))})
	b.rule(program.Rule{Name: "refers_to_hidden", Condition: ref(hidden)})
	n := func(v int64) program.Quant { return program.Quant{Kind: program.QuantN, N: b.integer(v)} }
	b.rule(program.Rule{Name: "two_of", Condition: b.list(program.OpOfRules, module.Bool, 0, n(2), program.None, hit, miss, hidden)})
	b.rule(program.Rule{Name: "three_of", Condition: b.list(program.OpOfRules, module.Bool, 0, n(3), program.None, hit, miss, hidden)})
	want := "hit refers not_miss not_untouched refers_to_hidden two_of"
	if got := names(t, b, "", &fake{}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGlobalRules(t *testing.T) {
	build := func(global bool) *builder {
		b := &builder{}
		b.rule(program.Rule{Name: "before", Condition: b.truth(true)})
		b.rule(program.Rule{Name: "global", Global: true, Condition: b.truth(global)})
		b.rule(program.Rule{Name: "after", Condition: b.truth(true)})
		b.rule(program.Rule{Name: "other", Namespace: 1, Condition: b.truth(true)})
		b.rule(program.Rule{Name: "private", Namespace: 1, Private: true, Global: true, Condition: b.truth(true)})
		return b
	}
	if got, want := names(t, build(true), "", &fake{}), "before global after other"; got != want {
		t.Errorf("where the global rule holds: got %q, want %q", got, want)
	}
	if got, want := names(t, build(false), "", &fake{}), "other"; got != want {
		t.Errorf("where it does not: got %q, want %q", got, want)
	}
}

// A global rule that cannot be evaluated, as no anchor of it was hit, fails.
func TestUntouchedGlobalRule(t *testing.T) {
	b := &builder{}
	b.prog.Patterns = make([]program.Pattern, 1)
	b.rule(program.Rule{Name: "global", Global: true, Condition: b.truth(true), Anchors: []int32{0}})
	b.rule(program.Rule{Name: "after", Condition: b.node(program.OpFound, module.Bool, 0)})
	f := &fake{}
	if got := names(t, b, "", f); got != "" {
		t.Errorf("got %q, want none", got)
	}
	if len(f.asked) > 0 {
		t.Errorf("a rule was evaluated that cannot match: it asked for patterns %v", f.asked)
	}
}

func TestState(t *testing.T) {
	b := &builder{}
	b.prog.Patterns = make([]program.Pattern, 1)
	r := b.rule(program.Rule{Name: "r", Condition: b.truth(true), Anchors: []int32{0}})
	b.rule(program.Rule{Name: "not_r", Condition: b.logic(program.OpNot, b.node(program.OpRule, module.Bool, int64(r)))})
	s := b.state(t)
	hit := &fake{matches: map[int32][]search.Match{0: found(at(0, 1))}}
	for i, f := range []*fake{hit, {}, hit, {}} {
		if err := run(s, "x", f); err != nil {
			t.Fatal(err)
		}
		if got, want := s.Matching(), int32(i%2); len(got) != 1 || got[0] != want {
			t.Errorf("scan %d: got rules %v, want [%d]", i, got, want)
		}
		if got, want := s.Holds(r), i%2 == 0; got != want {
			t.Errorf("scan %d: rule 0 holds: got %v, want %v", i, got, want)
		}
	}
}

// Loops end when the context does, wherever they stand; these would not end by
// themselves.
func TestCancellation(t *testing.T) {
	loop := func(b *builder, body id, v int64) id {
		all := program.Quant{Kind: program.QuantAll, N: program.None}
		return b.loop(program.OpForRange, all, v, body, b.integer(0), b.integer(math.MaxInt64))
	}
	conditions := map[string]func(b *builder) id{
		"loop":        func(b *builder) id { return loop(b, b.truth(true), 0) },
		"nested loop": func(b *builder) id { return loop(b, loop(b, b.truth(true), 1), 0) },
		"negated":     func(b *builder) id { return b.logic(program.OpNot, loop(b, b.truth(true), 0)) },
		"or": func(b *builder) id {
			return b.or(loop(b, b.truth(true), 0), b.logic(program.OpNot, loop(b, b.truth(true), 0)), b.truth(true))
		},
	}
	for name, build := range conditions {
		b := &builder{}
		b.rule(program.Rule{Name: "early", Condition: b.truth(true)})
		b.rule(program.Rule{Name: "slow", Condition: build(b)})
		b.rule(program.Rule{Name: "late", Condition: b.truth(true)})
		s := b.state(t)
		ctx, cancel := context.WithCancel(context.Background())
		timer := time.AfterFunc(20*time.Millisecond, cancel)
		err := s.Run(Scan{Context: ctx, Patterns: &fake{}})
		timer.Stop()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got error %v, want %v", name, err, context.Canceled)
		}
		if m := s.Matching(); len(m) != 1 || m[0] != 0 {
			t.Errorf("%s: got rules %v, want only the one before", name, m)
		}
	}
}

func TestCancelledBefore(t *testing.T) {
	b := &builder{}
	b.rule(program.Rule{Name: "r", Condition: b.truth(true)})
	s := b.state(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := s.Run(Scan{Context: ctx, Patterns: &fake{}})
	if !errors.Is(err, context.Canceled) || len(s.Matching()) != 0 {
		t.Errorf("got %v and rules %v, want %v and none", err, s.Matching(), context.Canceled)
	}
	if err := run(s, "", &fake{}); err != nil || len(s.Matching()) != 1 {
		t.Errorf("the next scan: got %v and rules %v, want no error and one rule", err, s.Matching())
	}
}

func TestNoAllocations(t *testing.T) {
	b := &builder{}
	b.prog.Patterns = make([]program.Pattern, 1)
	b.modules = []*module.Module{sample()}
	b.prog.Modules = []program.Module{{Name: "sample"}}
	one := program.Quant{Kind: program.QuantAny, N: program.None}
	root := b.node(program.OpModule, module.Struct, 0)
	call := b.list(program.OpCall, module.Integer, fieldSum, program.Quant{}, 0, int32(b.integer(1)), int32(b.integer(2)))
	b.prog.Nodes[call].A = root
	b.rule(program.Rule{Name: "calls", Condition: b.logic(program.OpEqInt, call, b.integer(4))})
	b.rule(program.Rule{Name: "loops", Condition: b.loop(program.OpForRange, one, 0,
		b.logic(program.OpEqInt, b.slot(module.Integer, 0), b.integer(-1)), b.integer(0), b.integer(50))})
	b.rule(program.Rule{Name: "of", Condition: b.list(program.OpOfPatterns, module.Bool, 0, one, program.None, 0)})
	s := b.state(t)
	f := &quiet{}
	scan := Scan{Context: context.Background(), Data: make([]byte, 100), Patterns: f}
	if n := testing.AllocsPerRun(100, func() {
		if err := s.Run(scan); err != nil || len(s.Matching()) != 0 {
			t.Errorf("got %v and rules %v", err, s.Matching())
		}
	}); n != 0 {
		t.Errorf("a scan without a match allocates %v times", n)
	}
}

// quiet is a search that finds nothing.
type quiet struct{}

func (*quiet) Expect(iter.Seq[int32]) {}

func (*quiet) Hit() []int32                 { return nil }
func (*quiet) Found(int32) bool             { return false }
func (*quiet) Count(int32) int              { return 0 }
func (*quiet) Matches(int32) []search.Match { return nil }
