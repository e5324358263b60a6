package eval

import (
	"errors"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
)

// callee is an overload of a function, and the module it is of by its index in
// the program.
type callee struct {
	fn     *module.Func
	module int32
}

// origin is the type of a module's value, and the module. The zero origin is
// that of every other value.
type origin struct {
	typ    *module.Type
	module int32
}

// elem is the origin of an array's items or a map's values.
func (o origin) elem() origin {
	if o.typ == nil {
		return origin{}
	}
	return origin{o.typ.Elem, o.module}
}

// resolver finds the function of each call. A node knows the index of its
// function in a struct, not the struct's type: that follows from the module's
// schema, and in a loop from what the loop is over.
type resolver struct {
	prog    *program.Program
	modules []*module.Module
	slots   []origin // of the variables in scope
	callees map[program.NodeID]callee
	err     error
}

func resolveCalls(prog *program.Program, modules []*module.Module) (map[program.NodeID]callee, error) {
	r := &resolver{prog: prog, modules: modules, callees: map[program.NodeID]callee{}}
	next := program.NodeID(0) // the first node of the rule: those of a rule stand together
	for i := range prog.Rules {
		rule := &prog.Rules[i]
		if calls(prog.Nodes[next : rule.Condition+1]) {
			r.slots = make([]origin, rule.Slots)
			r.walk(rule.Condition)
		}
		next = rule.Condition + 1
	}
	return r.callees, r.err
}

func calls(nodes []program.Node) bool {
	for i := range nodes {
		if nodes[i].Op == program.OpCall {
			return true
		}
	}
	return false
}

// walk visits the operands of a node before the node itself, and binds the
// variables of a loop before its body.
func (r *resolver) walk(id program.NodeID) {
	if id == program.None {
		return
	}
	n := &r.prog.Nodes[id]
	if n.Quant.Kind == program.QuantN || n.Quant.Kind == program.QuantPercent {
		r.walk(n.Quant.N)
	}
	r.walk(n.A)
	r.walk(n.B)
	switch n.Op {
	case program.OpAnd, program.OpOr, program.OpOfBools, program.OpForList:
		r.walkList(n)
	case program.OpCall:
		r.walkList(n)
		r.call(id, n)
	case program.OpOfPatterns:
		r.walk(n.C)
	}
	if n.Op >= program.OpForOf && n.Op <= program.OpWith {
		r.bind(n)
		r.walk(n.C)
	}
}

func (r *resolver) walkList(n *program.Node) {
	for _, id := range r.prog.Lists[n.L : n.L+n.N] {
		r.walk(program.NodeID(id))
	}
}

// bind gives the variables of a loop or with their origins.
func (r *resolver) bind(n *program.Node) {
	switch n.Op {
	case program.OpForArray:
		r.slots[n.V] = r.originOf(n.A).elem()
	case program.OpForMap:
		r.slots[n.V], r.slots[n.V+1] = origin{}, r.originOf(n.A).elem()
	case program.OpWith:
		r.slots[n.V] = r.originOf(n.A)
	default:
		r.slots[n.V] = origin{}
	}
}

func (r *resolver) originOf(id program.NodeID) origin {
	n := &r.prog.Nodes[id]
	switch n.Op {
	case program.OpModule:
		return origin{r.modules[n.V].Schema, int32(n.V)}
	case program.OpSlot:
		return r.slots[n.V]
	case program.OpField:
		if o := r.originOf(n.A); o.typ != nil && int(n.V) < len(o.typ.Fields) {
			return origin{o.typ.Fields[n.V].Type, o.module}
		}
	case program.OpIndex, program.OpLookup:
		return r.originOf(n.A).elem()
	case program.OpCall:
		if c, ok := r.callees[id]; ok {
			return origin{c.fn.Result, c.module}
		}
	case program.OpWith:
		return r.originOf(n.C)
	}
	return origin{}
}

func (r *resolver) call(id program.NodeID, n *program.Node) {
	o := r.originOf(n.A)
	if o.typ == nil || int(n.V) >= len(o.typ.Fields) || int(n.C) >= len(o.typ.Fields[n.V].Funcs) {
		r.err = errors.New("a condition calls a function that its module does not have")
		return
	}
	r.callees[id] = callee{o.typ.Fields[n.V].Funcs[n.C], o.module}
}
