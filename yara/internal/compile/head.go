package compile

import (
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
)

// A head is the first two bytes of a target, little-endian, as a pattern: no
// rule has it, but it can be an anchor. So `uint16(0) == 0x5A4D and … or 5 of
// them` has anchors: those of the one half, and the head that the gate of the
// other asks for.

// head is the need of targets that begin with magic.
func (c *Compiler) head(magic uint16) need {
	low := c.heads[magic]
	if low == nil {
		low = &lowered{needles: []program.Needle{{Kind: program.Literal, Bytes: []byte{byte(magic), byte(magic >> 8)}}}}
		low.cost = costOf(low.needles)
		c.heads[magic] = low
	}
	return need{known: true, cost: anchoredCost, set: []int32{c.patternIndex(low, 0)}}
}

// headGate is the gate of a need that is one head and nothing else; nil where
// it is not.
func (c *Compiler) headGate(n need) *program.Gate {
	if !n.known || len(n.set) != 1 || n.set[0] < 0 || c.prog.Patterns[n.set[0]].At != 0 {
		return nil
	}
	needles := c.prog.Patterns[n.set[0]].Needles
	b := needles[0].Bytes
	if len(b) != 2 {
		return nil
	}
	magic := uint16(b[0]) | uint16(b[1])<<8
	if low := c.heads[magic]; low == nil || &low.needles[0] != &needles[0] {
		return nil // a rule's own pattern
	}
	g := unbounded()
	g.Headers = []program.Header{{Width: 2, Mask: 0xFFFF, Value: uint32(magic)}}
	return &g
}

// gated is what a condition needs, where it needs no pattern the head that its
// gate asks for.
func (d *deriver) gated(x demand) need {
	if x.found.known || x.gate == nil {
		return x.found
	}
	if magic, ok := x.gate.Magic(); ok {
		return d.c.head(magic)
	}
	return need{}
}

// module is the demand of a module's root value.
func (d *deriver) module(n *program.Node) demand {
	var heads []need
	for _, magic := range d.c.schemas[n.V].Magic {
		heads = append(heads, d.c.head(magic))
	}
	if len(heads) == 0 {
		return demand{}
	}
	return demand{head: d.union(heads)}
}

// member handles what is part of a module's value: see [module.Module.Magic]
// for what it may be in targets that begin otherwise.
func (d *deriver) member(n *program.Node) demand {
	r := d.strict(n)
	if r.head = d.of(n.A).head; !r.head.known {
		return r
	}
	switch call := n.Op == program.OpCall; {
	case n.Op == program.OpIndex, n.Op == program.OpLookup, // of what is empty
		n.Kind == module.String, n.Kind == module.Float, n.Kind == module.Integer && !call:
		r.found, r.defined = cheaper(r.found, r.head), cheaper(r.defined, r.head)
	case n.Kind == module.Bool:
		r.found = cheaper(r.found, r.head)
	}
	return r
}

// nonZero is the need of a number that is not zero.
func (d *deriver) nonZero(id program.NodeID) need {
	switch n := &d.c.prog.Nodes[id]; n.Op {
	case program.OpCount, program.OpCountIn:
		return d.pattern(int32(n.V))
	case program.OpCall:
		return d.of(id).head
	case program.OpToInt:
		return d.of(n.A).found
	case program.OpAddInt:
		return d.union([]need{d.nonZero(n.A), d.nonZero(n.B)})
	}
	return need{}
}

// mostAdded bounds constants in sums of counts, so that no sum wraps.
const mostAdded = 1 << 32

// natural reports whether a number is never below 0: a count, or a sum of such.
func (d *deriver) natural(id program.NodeID) bool {
	switch n := &d.c.prog.Nodes[id]; n.Op {
	case program.OpCount, program.OpCountIn:
		return true
	case program.OpInt:
		return n.V >= 0 && n.V <= mostAdded
	case program.OpAddInt:
		return d.natural(n.A) && d.natural(n.B)
	}
	return false
}
