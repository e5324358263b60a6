package eval

import (
	"fmt"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
)

// Plan is a program made ready for evaluation. It is immutable and shared.
type Plan struct {
	prog    *program.Program
	modules []*module.Module // by the program's index
	libyara bool
	// slots is the most variables that a rule needs.
	slots int
	// anchored lists the rules that a pattern is an anchor of; the others are
	// in unanchored by the first two bytes that their gates ask for, or in
	// ungated.
	anchored   groups
	unanchored map[uint16][]int32
	ungated    []int32
	// callees is what each OpCall node calls, by node.
	callees map[program.NodeID]callee
}

// New makes a plan. modules are those that the program imports, in the order
// of its table, as Program.Bind returns them.
func New(prog *program.Program, modules []*module.Module) (*Plan, error) {
	if len(modules) != len(prog.Modules) {
		return nil, fmt.Errorf("the rules import %d modules, %d are at hand", len(prog.Modules), len(modules))
	}
	p := &Plan{prog: prog, modules: modules, libyara: prog.Dialect == program.LibYARA, unanchored: make(map[uint16][]int32)}
	for i := range prog.Rules {
		p.slots = max(p.slots, prog.Rules[i].Slots)
		if prog.Rules[i].Anchors == nil {
			p.addUnanchored(int32(i))
		}
	}
	p.anchored = groupByAnchor(prog)
	var err error
	p.callees, err = resolveCalls(prog, p.modules)
	return p, err
}

// addUnanchored files a rule without anchors under its first two bytes: a
// target meets only those of its own.
func (p *Plan) addUnanchored(r int32) {
	if magic, ok := p.prog.Rules[r].Gate.Magic(); ok {
		p.unanchored[magic] = append(p.unanchored[magic], r)
	} else {
		p.ungated = append(p.ungated, r)
	}
}

// groups is a list of lists in two slices: list i is items[start[i]:start[i+1]].
type groups struct {
	start []int32
	items []int32
}

func (g *groups) of(i int32) []int32 { return g.items[g.start[i]:g.start[i+1]] }

// groupByAnchor inverts Rule.Anchors: for each pattern the rules it anchors.
func groupByAnchor(prog *program.Program) groups {
	g := groups{start: make([]int32, len(prog.Patterns)+1)}
	for i := range prog.Rules {
		for _, p := range prog.Rules[i].Anchors {
			g.start[p+1]++
		}
	}
	for p := range prog.Patterns {
		g.start[p+1] += g.start[p]
	}
	g.items = make([]int32, g.start[len(prog.Patterns)])
	next := append([]int32(nil), g.start...)
	for i := range prog.Rules {
		for _, p := range prog.Rules[i].Anchors {
			g.items[next[p]] = int32(i)
			next[p]++
		}
	}
	return g
}
