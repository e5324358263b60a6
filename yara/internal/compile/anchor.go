package compile

import (
	"math"
	"slices"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
)

// need is a set of patterns one of which must occur. A negative item stands for
// the pattern in slot -(item+1), as in nodes. The zero need knows nothing.
type need struct {
	known bool
	cost  float64
	set   []int32
}

// demand is what a node's result says about the target. found holds where the
// result is true, defined where it is defined; a true result is defined, so
// found is never weaker. gate holds where the result is true, nil knows nothing.
// head is set of what is part of a module's value: how the targets begin that
// the module reads.
type demand struct {
	found, defined, head need
	gate                 *program.Gate
}

// ruleFacts is what later rules may know of a rule.
type ruleFacts struct {
	anchors []int32
	cost    float64
	gate    program.Gate
	effects bool
}

// derive works out what the condition demands, from the nodes since m, operands
// first. Rules with effects demand nothing: they must run on every target.
func (l *lowering) derive(m mark, root program.NodeID) ruleFacts {
	if l.effects {
		return ruleFacts{gate: unbounded(), effects: true}
	}
	l.c.unions = min(l.c.unions+unionShare, unionBudget)
	d := deriver{c: l.c, base: program.NodeID(m.nodes)}
	nodes := l.c.prog.Nodes[m.nodes:]
	d.demands = append(l.c.demands[:0], make([]demand, len(nodes))...)
	for i := range nodes {
		x := d.node(&nodes[i])
		x.gate = bothGates(x.gate, l.c.headGate(x.found))
		d.demands[i] = x
	}
	l.c.demands = d.demands
	top := d.of(root)
	facts := ruleFacts{gate: unbounded(), cost: math.Inf(1)}
	if top.gate != nil {
		facts.gate = *top.gate
	}
	if top.found.known && l.c.headGate(top.found) == nil { // which the gate asks for
		facts.anchors, facts.cost = top.found.set, top.found.cost
	}
	return facts
}

// deriver computes demands from the leaves up.
type deriver struct {
	c       *Compiler
	base    program.NodeID
	demands []demand
}

func (d *deriver) of(id program.NodeID) demand {
	if id < d.base {
		return demand{}
	}
	return d.demands[id-d.base]
}

func (d *deriver) list(n *program.Node) []int32 { return d.c.prog.Lists[n.L : n.L+n.N] }

func (d *deriver) node(n *program.Node) demand {
	switch n.Op {
	case program.OpFound, program.OpFoundIn:
		return demand{found: d.pattern(int32(n.V))}
	case program.OpFoundAt:
		return demand{found: d.pattern(int32(n.V)), gate: d.foundAtGate(n)}
	case program.OpOffset, program.OpLength:
		return both(d.pattern(int32(n.V))) // undefined unless it occurs
	case program.OpRule:
		return d.rule(int32(n.V))
	case program.OpAnd:
		return d.and(d.list(n))
	case program.OpOr:
		return d.or(d.list(n))
	case program.OpDefined:
		return demand{found: d.of(n.A).defined}
	case program.OpOfPatterns, program.OpOfRules, program.OpOfBools:
		return demand{found: d.ofSet(n)}
	case program.OpForOf, program.OpForRange, program.OpForList, program.OpForArray, program.OpForMap:
		return demand{found: d.loop(n)}
	case program.OpModule:
		return d.module(n)
	case program.OpField, program.OpIndex, program.OpLookup, program.OpCall:
		return d.member(n)
	case program.OpWith:
		body := d.of(n.C)
		return demand{found: body.found, gate: body.gate}
	}
	return d.strict(n)
}

// both is the demand of a result that is defined only where n is met.
func both(n need) demand { return demand{found: n, defined: n} }

// strict handles operations that are undefined where an operand is.
func (d *deriver) strict(n *program.Node) demand {
	var least need
	if n.Op == program.OpCall {
		for _, id := range d.list(n) {
			least = cheaper(least, d.of(program.NodeID(id)).defined)
		}
		return both(least)
	}
	for _, id := range [...]program.NodeID{n.A, n.B} {
		if id != program.None {
			least = cheaper(least, d.of(id).defined)
		}
	}
	r := both(least)
	if n.Op == program.OpToBool {
		r.found = cheaper(r.found, d.nonZero(n.A))
	}
	if n.Kind == module.Bool {
		r.found = cheaper(r.found, d.comparison(n))
		r.gate = d.comparisonGate(n)
	}
	return r
}

func (d *deriver) pattern(p int32) need {
	if p < 0 { // not known yet which: neither rare nor frequent
		return need{known: true, cost: 1, set: []int32{p}}
	}
	return need{known: true, cost: d.c.patternCost(p), set: []int32{p}}
}

// patternCost is what it costs to have a pattern in the searched set.
func (c *Compiler) patternCost(p int32) float64 {
	pat := &c.prog.Patterns[p]
	if pat.At >= 0 {
		return anchoredCost
	}
	return float64(pat.Cost)
}

func (d *deriver) rule(r int32) demand {
	f := &d.c.facts[r]
	out := demand{found: need{known: f.anchors != nil, cost: f.cost, set: f.anchors}}
	if f.gate.MinSize > 0 || f.gate.MaxSize < math.MaxInt64 || len(f.gate.Headers) > 0 {
		out.gate = &f.gate
	}
	return out
}

// comparison is the need of #a and the like compared with a constant, where 0
// would make it false, or found greater than what is at least 0.
func (d *deriver) comparison(n *program.Node) need {
	x, y, op := n.A, n.B, n.Op
	if x == program.None || y == program.None {
		return need{}
	}
	if d.c.prog.Nodes[x].Op == program.OpInt {
		x, y, op = y, x, mirrored(op)
	}
	k := &d.c.prog.Nodes[y]
	switch {
	case k.Op == program.OpInt && !holdsForZero(op, k.V), op == program.OpGtInt && d.natural(y):
		return d.nonZero(x)
	case op == program.OpLtInt && d.natural(x):
		return d.nonZero(y)
	}
	return need{}
}

// mirrored is the operation that gives y op x for x op y.
func mirrored(op program.Op) program.Op {
	switch op {
	case program.OpLtInt:
		return program.OpGtInt
	case program.OpLeInt:
		return program.OpGeInt
	case program.OpGtInt:
		return program.OpLtInt
	case program.OpGeInt:
		return program.OpLeInt
	}
	return op
}

// holdsForZero reports whether 0 op k may hold.
func holdsForZero(op program.Op, k int64) bool {
	switch op {
	case program.OpEqInt:
		return k == 0
	case program.OpNeInt:
		return k != 0
	case program.OpLtInt:
		return 0 < k
	case program.OpLeInt:
		return 0 <= k
	case program.OpGtInt:
		return 0 > k
	case program.OpGeInt:
		return 0 >= k
	}
	return true
}

func (d *deriver) and(items []int32) demand {
	var r demand
	for _, id := range items {
		x := d.of(program.NodeID(id))
		r.found = cheaper(r.found, x.found)
		r.gate = bothGates(r.gate, x.gate)
	}
	return r
}

func (d *deriver) or(items []int32) demand {
	needs := make([]need, len(items))
	var gate *program.Gate
	for i, id := range items {
		x := d.of(program.NodeID(id))
		needs[i] = d.gated(x)
		if i == 0 {
			gate = x.gate
		} else {
			gate = eitherGate(gate, x.gate)
		}
	}
	return demand{found: d.anyOf(needs, 1), gate: gate}
}

// cheaper returns the better of two needs that both hold.
func cheaper(a, b need) need {
	if !a.known || b.known && (b.cost < a.cost || b.cost == a.cost && len(b.set) < len(a.set)) {
		return b
	}
	return a
}

// anyOf is the need of k of the conditions with these needs: any n-k+1 of them
// hold one that is true, so the cheapest are taken.
func (d *deriver) anyOf(needs []need, k int) need {
	take := len(needs) - k + 1
	if k < 1 || take < 1 {
		return need{}
	}
	if take < len(needs) {
		slices.SortStableFunc(needs, func(a, b need) int {
			switch {
			case a.known != b.known:
				return b2i(b.known) - b2i(a.known)
			case a.cost < b.cost:
				return -1
			case a.cost > b.cost:
				return 1
			}
			return 0
		})
	}
	return d.union(needs[:take])
}

// same reports whether all needs are one and the same list.
func same(needs []need) bool {
	first := needs[0].set
	for _, n := range needs[1:] {
		if len(n.set) != len(first) || len(first) > 0 && &n.set[0] != &first[0] {
			return false
		}
	}
	return true
}

// mostAnchors bounds the union of needs, unionBudget the items of all unions;
// each rule adds unionShare to it. Usual rules take some ten.
const (
	mostAnchors = 1 << 16
	unionBudget = 1 << 23
	unionShare  = 1 << 9
)

// union is the need of one of several conditions.
func (d *deriver) union(needs []need) need {
	size := 0
	for _, n := range needs {
		if !n.known {
			return need{}
		}
		size += len(n.set)
	}
	if same(needs) {
		return needs[0]
	}
	if size > mostAnchors || size > d.c.unions {
		return need{} // no anchors cost time at each scan, too many cost memory
	}
	d.c.unions -= size
	r := need{known: true, set: make([]int32, 0, size)}
	for _, n := range needs {
		r.set = append(r.set, n.set...)
	}
	slices.Sort(r.set)
	r.set = slices.Compact(r.set)
	for _, p := range r.set {
		if p >= 0 {
			r.cost += d.c.patternCost(p)
		}
	}
	return r
}

// atLeast returns how many of n items a quantifier demands, 0 where that is
// not known or may be none.
func (d *deriver) atLeast(q program.Quant, n int) int {
	switch q.Kind {
	case program.QuantAll:
		return n
	case program.QuantAny:
		return 1
	case program.QuantNone:
		return 0
	}
	k := &d.c.prog.Nodes[q.N]
	switch {
	case k.Op != program.OpInt || k.V <= 0:
		return 0
	case q.Kind == program.QuantPercent:
		return max(1, (n*int(min(k.V, 100))+99)/100)
	}
	return int(min(k.V, math.MaxInt32))
}

func (d *deriver) ofSet(n *program.Node) need {
	items := d.list(n)
	needs := make([]need, len(items))
	for i, item := range items {
		switch n.Op {
		case program.OpOfPatterns:
			needs[i] = d.pattern(item)
		case program.OpOfRules:
			needs[i] = d.rule(item).found
		default:
			needs[i] = d.of(program.NodeID(item)).found
		}
	}
	return d.anyOf(needs, d.atLeast(n.Quant, len(items)))
}

// loop is the need of a for: where one iteration at least must hold, the
// body's own. `all` and percentages hold for no iterations too, so they count
// only where there are some.
func (d *deriver) loop(n *program.Node) need {
	body := d.of(n.C).found
	counts := n.Quant.Kind == program.QuantAny || n.Quant.Kind == program.QuantN
	if counts && (n.Op == program.OpForArray || n.Op == program.OpForMap) {
		body = cheaper(body, d.of(n.A).head) // of what is empty nothing holds
	}
	if !body.known {
		return need{}
	}
	if n.Op == program.OpForOf {
		items := d.list(n)
		needs := make([]need, len(items))
		for i, p := range items {
			needs[i] = d.bind(body, -int32(n.V)-1, p)
		}
		return d.anyOf(needs, d.atLeast(n.Quant, len(items)))
	}
	if !counts && !d.iterates(n) || d.atLeast(n.Quant, 1) < 1 {
		return need{}
	}
	return body
}

// iterates reports whether a loop is sure to have an iteration.
func (d *deriver) iterates(n *program.Node) bool {
	switch n.Op {
	case program.OpForList:
		return n.N > 0
	case program.OpForRange:
		lo, hi := &d.c.prog.Nodes[n.A], &d.c.prog.Nodes[n.B]
		return lo.Op == program.OpInt && hi.Op == program.OpInt && lo.V <= hi.V
	}
	return false
}

// bind puts a pattern in the place of a slot.
func (d *deriver) bind(n need, slot, p int32) need {
	if !slices.Contains(n.set, slot) {
		return n
	}
	set := slices.Clone(n.set)
	for i := range set {
		if set[i] == slot {
			set[i] = p
		}
	}
	return d.union([]need{{known: true, set: set}, {known: true}})
}

// applyGlobals lets every rule demand what the global rules of its namespace
// do: it cannot match without them.
func (c *Compiler) applyGlobals() {
	all := make([]ruleFacts, len(c.prog.Namespaces))
	for i := range all {
		all[i] = ruleFacts{gate: unbounded(), cost: math.Inf(1)}
		for _, g := range c.prog.Namespaces[i].Globals {
			global := &c.facts[g]
			all[i].gate = *bothGates(&all[i].gate, &global.gate)
			if global.anchors != nil && global.cost < all[i].cost {
				all[i].anchors, all[i].cost = global.anchors, global.cost
			}
		}
	}
	for i := range c.prog.Rules {
		r, global := &c.prog.Rules[i], &all[c.prog.Rules[i].Namespace]
		if c.facts[i].effects || len(c.prog.Namespaces[r.Namespace].Globals) == 0 {
			continue
		}
		r.Gate = *bothGates(&r.Gate, &global.gate)
		if global.anchors != nil && (r.Anchors == nil || global.cost < c.facts[i].cost) {
			r.Anchors = global.anchors
		}
	}
}
