package compile_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra/yara/internal/compile"
	"github.com/besra-hunt/besra/yara/internal/eval"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/internal/search"
	"github.com/besra-hunt/besra/yara/module"
)

// TestAnchorsAndGatesAreSound evaluates random rules on random data twice: as
// compiled, and with anchors and gates taken away. Both must agree, or a rule
// that matches would never be looked at.
func TestAnchorsAndGatesAreSound(t *testing.T) {
	rounds := 3000
	if testing.Short() {
		rounds = 300
	}
	matched, skipped := 0, 0
	for seed := range rounds {
		g := &generator{rand.New(rand.NewPCG(uint64(seed), 7))}
		src := g.source()
		c := compile.New(compile.Options{Externals: map[string]module.Value{"ext": module.Int(2)},
			Dialect: program.Dialect(seed % 2), Modules: []*module.Module{beginsAB}})
		c.Add("", "random", []byte(src))
		p, _ := c.Build()
		if len(p.Rules) == 0 {
			continue
		}
		bare := *p
		bare.Rules = slices.Clone(p.Rules)
		for i := range bare.Rules {
			bare.Rules[i].Anchors, bare.Rules[i].Gate = nil, program.Gate{MaxSize: math.MaxInt64}
			skipped += min(1, len(p.Rules[i].Anchors))
		}
		for range 12 {
			data := g.data()
			got, want := matching(t, p, data), matching(t, &bare, data)
			matched += len(want)
			if !slices.Equal(got, want) {
				var dump bytes.Buffer
				program.Dump(&dump, p)
				t.Fatalf("seed %d, data %q: got %v, want %v\n%s\n%s", seed, data, got, want, src, dump.String())
			}
		}
	}
	if matched < rounds || skipped < rounds {
		t.Errorf("the test is too weak: %d matches, %d rules with anchors", matched, skipped)
	}
}

func matching(t *testing.T, p *program.Program, data []byte) []string {
	t.Helper()
	plan, err := eval.New(p, []*module.Module{beginsAB}[:len(p.Modules)])
	if err != nil {
		t.Fatal(err)
	}
	s := plan.NewState()
	externals := []module.Value{module.Int(2)}
	if err := s.Run(eval.Scan{Context: context.Background(), Data: data, Patterns: naive{p, data}, Externals: externals,
		Time: time.Unix(0, 0)}); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range s.Matching() {
		names = append(names, p.Rules[r].Name)
	}
	return names
}

// beginsAB is a module that reads targets which begin with ab.
var beginsAB = newBeginsAB()

func newBeginsAB() *module.Module {
	integer := &module.Type{Kind: module.Integer}
	text, truth := &module.Type{Kind: module.String}, &module.Type{Kind: module.Bool}
	reads := func(in *module.Input) bool { return bytes.HasPrefix(in.Data, []byte("ab")) }
	schema := &module.Type{Kind: module.Struct, Name: "m", Fields: []*module.Field{
		{Name: "is", Type: truth},
		{Name: "number", Type: integer},
		{Name: "word", Type: text},
		{Name: "list", Type: &module.Type{Kind: module.Array, Elem: integer}},
		{Name: "yes", Funcs: []*module.Func{{Result: truth, Call: func(c *module.Call, _ []module.Value) module.Value {
			return module.Boolean(reads(c.Input))
		}}}},
		{Name: "count", Funcs: []*module.Func{{Result: integer, Call: func(c *module.Call, _ []module.Value) module.Value {
			if !reads(c.Input) {
				return module.Int(0)
			}
			return module.Int(int64(len(c.Input.Data)))
		}}}},
	}}
	load := func(in *module.Input) module.Value {
		r := module.NewRecord(schema)
		r.Set(0, module.Boolean(reads(in)))
		if !reads(in) {
			r.Set(3, module.ArrayOf(module.Items{}))
			return module.StructOf(r)
		}
		r.Set(1, module.Int(int64(len(in.Data))-4))
		r.Set(2, module.Text("w"))
		r.Set(3, module.ArrayOf(module.Items{module.Int(0), module.Int(int64(len(in.Data)))}))
		return module.StructOf(r)
	}
	return &module.Module{Name: "m", Schema: schema, Load: load, Magic: []uint16{'a' | 'b'<<8}}
}

// naive finds literals by looking at every offset.
type naive struct {
	p    *program.Program
	data []byte
}

func (n naive) Matches(p int32) []search.Match {
	var list []search.Match
	pattern := &n.p.Patterns[p]
	for _, needle := range pattern.Needles {
		for at := range n.data {
			if bytes.HasPrefix(n.data[at:], needle.Bytes) && (pattern.At < 0 || pattern.At == int64(at)) {
				list = append(list, search.Match{Offset: int64(at), Length: int64(len(needle.Bytes))})
			}
		}
	}
	return list
}

func (n naive) Found(p int32) bool { return n.Count(p) > 0 }
func (n naive) Count(p int32) int  { return len(n.Matches(p)) }

func (n naive) Expect(iter.Seq[int32]) {}

func (n naive) Hit() []int32 {
	var list []int32
	for p := range n.p.Patterns {
		if n.Found(int32(p)) {
			list = append(list, int32(p))
		}
	}
	return list
}

// generator makes rules and data over a small alphabet, so that patterns are
// as often found as not.
type generator struct{ *rand.Rand }

func (g *generator) pick(words ...string) string { return words[g.IntN(len(words))] }

func (g *generator) data() []byte {
	b := make([]byte, g.IntN(9))
	for i := range b {
		b[i] = "abcx"[g.IntN(4)]
	}
	return b
}

func (g *generator) source() string {
	var b strings.Builder
	b.WriteString("import \"m\"\n")
	for i := range 5 {
		head := g.pick("", "", "", "", "private ", "global ")
		fmt.Fprintf(&b, "%srule r%d {\n strings: $a = \"a\" $b = \"b\" $ab = \"ab\" $c1 = \"cc\" $c2 = \"aab\"\n condition: none of them and false or (%s)\n}\n",
			head, i, g.condition(i, g.IntN(5), false))
	}
	return b.String()
}

// condition makes a condition of the rule with the number; within is set in a
// for … of.
func (g *generator) condition(rule, depth int, within bool) string {
	sub := func() string { return g.condition(rule, depth-1, within) }
	if depth == 0 {
		return g.leaf(rule, within)
	}
	switch g.IntN(12) {
	case 0, 1, 2:
		return "(" + sub() + " and " + sub() + ")"
	case 3, 4, 5:
		return "(" + sub() + " or " + sub() + ")"
	case 6:
		return "not " + sub()
	case 7:
		return "defined " + g.pick(g.number(rule, within), "("+sub()+")")
	case 8:
		return fmt.Sprintf("%s of (%s, %s, %s)", g.quantifier(), sub(), sub(), sub())
	case 9:
		return fmt.Sprintf("for %s of %s : (%s)", g.quantifier(), g.set(), g.condition(rule, depth-1, true))
	case 10:
		return fmt.Sprintf("for %s i in (%s..%s) : (%s)", g.quantifier(), g.pick("0", "1", "#a"), g.pick("2", "3", "#b", "filesize"), sub())
	}
	return g.leaf(rule, within)
}

func (g *generator) leaf(rule int, within bool) string {
	id := g.id(within)
	switch g.IntN(14) {
	case 0, 1:
		return "$" + id
	case 2:
		return fmt.Sprintf("$%s at %s", id, g.pick("0", "1", g.number(rule, within)))
	case 3:
		return fmt.Sprintf("$%s in (%d..%d)", id, g.IntN(3), 3+g.IntN(4))
	case 4:
		return fmt.Sprintf("%s of %s", g.quantifier(), g.set())
	case 5:
		return fmt.Sprintf("%s of %s %s", g.quantifier(), g.set(), g.pick("at 0", "in (0..2)", "at 1"))
	case 6:
		return fmt.Sprintf("%s of (r*)", g.pick("any", "all", "none", "1"))
	case 7:
		if rule > 0 {
			return fmt.Sprintf("r%d", g.IntN(rule))
		}
		return "#" + id
	case 8:
		return fmt.Sprintf("uint8(%d) == %d", g.IntN(3), 'a'+g.IntN(3))
	case 9:
		return g.pick("uint16(0) == 0x6261", "uint16be(0) == 0x6161", "uint32(0) == 0x61626261", "$ab at 0 and uint16(0) == 0x6261")
	case 10:
		return g.pick("m.is", "m.yes()", "m.word == \"w\"", "defined m.word", "for any x in m.list : (x > 1)",
			"for all x in m.list : (x > 1)", "for none x in m.list : (x > 1)", "for any i in (0..m.number) : (m.list[i] > 1)")
	case 11:
		return fmt.Sprintf("#%s + #%s %s #%s + %d", g.id(false), g.id(false), g.pick("<", "<=", "==", "!=", ">", ">="), g.id(false), g.IntN(3)-1)
	}
	return fmt.Sprintf("%s %s %s", g.number(rule, within), g.pick("<", "<=", "==", "!=", ">", ">="), g.number(rule, within))
}

func (g *generator) id(within bool) string {
	if within && g.IntN(2) == 0 {
		return ""
	}
	return g.pick("a", "b", "ab", "c1", "c2")
}

func (g *generator) number(rule int, within bool) string {
	id := g.id(within)
	switch g.IntN(10) {
	case 9:
		return g.pick("m.number", "m.list[0]", "m.count()", "m.list.len()")
	case 0:
		return "#" + id
	case 1:
		return fmt.Sprintf("#%s in (0..%d)", id, g.IntN(5))
	case 2:
		return fmt.Sprintf("@%s[%d]", id, 1+g.IntN(2))
	case 3:
		return "!" + id
	case 4:
		return "filesize"
	case 5:
		return fmt.Sprintf("uint16(%s)", g.pick("0", "filesize", "#a"))
	case 6:
		return fmt.Sprintf("(%s %s %s)", g.number(rule, within), g.pick("+", "-", "*", "\\", "%", "&"), g.number(rule, within))
	case 7:
		return g.pick("ext", "filesize")
	}
	return fmt.Sprint(g.IntN(5))
}

func (g *generator) quantifier() string {
	return g.pick("any", "all", "none", "0", "1", "2", "3", "50%", "#a", "ext")
}

func (g *generator) set() string {
	return g.pick("them", "($a, $b)", "($c*)", "($a*, $c1)", "($a)", "($*)")
}
