package eval

import (
	"context"
	"iter"
	"math"
	"slices"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/internal/search"
	"github.com/besra-hunt/besra/yara/module"
)

type id = program.NodeID

// builder makes programs by hand.
type builder struct {
	prog    program.Program
	modules []*module.Module
}

func (b *builder) node(op program.Op, kind module.Kind, v int64, operands ...id) id {
	n := program.Node{Op: op, Kind: kind, V: v, A: program.None, B: program.None, C: program.None}
	for i, o := range operands {
		*[]*id{&n.A, &n.B, &n.C}[i] = o
	}
	return b.add(n)
}

// loop makes a node with a body in slot v; over is the one or two operands.
func (b *builder) loop(op program.Op, q program.Quant, v int64, body id, over ...id) id {
	i := b.node(op, module.Bool, v, over...)
	b.prog.Nodes[i].Quant, b.prog.Nodes[i].C = q, body
	return i
}

func (b *builder) add(n program.Node) id {
	b.prog.Nodes = append(b.prog.Nodes, n)
	return id(len(b.prog.Nodes) - 1)
}

// list makes a node with a list of operands.
func (b *builder) list(op program.Op, kind module.Kind, v int64, q program.Quant, c id, items ...int32) id {
	l := int32(len(b.prog.Lists))
	b.prog.Lists = append(b.prog.Lists, items...)
	return b.add(program.Node{Op: op, Kind: kind, V: v, Quant: q, A: program.None, B: program.None, C: c, L: l, N: int32(len(items))})
}

func (b *builder) ids(op program.Op, q program.Quant, v int64, c id, items ...id) id {
	var list []int32
	for _, i := range items {
		list = append(list, int32(i))
	}
	return b.list(op, module.Bool, v, q, c, list...)
}

func (b *builder) integer(v int64) id { return b.node(program.OpInt, module.Integer, v) }
func (b *builder) float(f float64) id {
	return b.node(program.OpFloat, module.Float, int64(math.Float64bits(f)))
}
func (b *builder) truth(v bool) id {
	if v {
		return b.node(program.OpBool, module.Bool, 1)
	}
	return b.node(program.OpBool, module.Bool, 0)
}
func (b *builder) text(s string) id {
	b.prog.Texts = append(b.prog.Texts, s)
	return b.node(program.OpText, module.String, int64(len(b.prog.Texts)-1))
}
func (b *builder) undef(k module.Kind) id         { return b.node(program.OpUndef, k, 0) }
func (b *builder) slot(k module.Kind, v int64) id { return b.node(program.OpSlot, k, v) }

// logic makes nodes of kind Bool, whose operands are mostly other nodes.
func (b *builder) logic(op program.Op, operands ...id) id {
	return b.node(op, module.Bool, 0, operands...)
}
func (b *builder) and(items ...id) id {
	return b.ids(program.OpAnd, program.Quant{}, 0, program.None, items...)
}
func (b *builder) or(items ...id) id {
	return b.ids(program.OpOr, program.Quant{}, 0, program.None, items...)
}

func (b *builder) rule(r program.Rule) int32 {
	if len(b.prog.Namespaces) == 0 {
		b.prog.Namespaces = make([]program.Namespace, 2)
	}
	if r.Gate.MaxSize == 0 {
		r.Gate.MaxSize = math.MaxInt64
	}
	r.Slots = 4
	index := int32(len(b.prog.Rules))
	if r.Global {
		ns := &b.prog.Namespaces[r.Namespace]
		ns.Globals = append(ns.Globals, index)
	}
	b.prog.Rules = append(b.prog.Rules, r)
	return index
}

func (b *builder) state(t testing.TB) *State {
	t.Helper()
	p, err := New(&b.prog, b.modules)
	if err != nil {
		t.Fatal(err)
	}
	return p.NewState()
}

// fake is a search that knows its answers.
type fake struct {
	matches map[int32][]search.Match
	asked   []int32
}

func (f *fake) Expect(iter.Seq[int32]) {}

func (f *fake) Hit() []int32 {
	var hit []int32
	for p := range f.matches {
		hit = append(hit, p)
	}
	slices.Sort(hit)
	return hit
}
func (f *fake) Found(p int32) bool {
	f.asked = append(f.asked, p)
	return len(f.matches[p]) > 0
}
func (f *fake) Count(p int32) int              { return len(f.matches[p]) }
func (f *fake) Matches(p int32) []search.Match { return f.matches[p] }
func at(offset, length int64) search.Match     { return search.Match{Offset: offset, Length: length} }
func found(ms ...search.Match) []search.Match  { return ms }
func run(s *State, data string, f *fake) error {
	return s.Run(Scan{Context: context.Background(), Data: []byte(data), Patterns: f})
}
