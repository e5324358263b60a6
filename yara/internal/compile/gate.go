package compile

import (
	"math"
	"slices"

	"github.com/besra-hunt/besra/yara/internal/program"
)

// mostHeaders bounds the headers of a gate: a few decide.
const mostHeaders = 4

// bothGates is the gate where both hold.
func bothGates(a, b *program.Gate) *program.Gate {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	g := program.Gate{MinSize: max(a.MinSize, b.MinSize), MaxSize: min(a.MaxSize, b.MaxSize),
		Headers: slices.Clone(a.Headers)}
	for _, h := range b.Headers {
		if len(g.Headers) < mostHeaders && !slices.Contains(g.Headers, h) {
			g.Headers = append(g.Headers, h)
		}
	}
	return &g
}

// eitherGate is the gate where one of them holds.
func eitherGate(a, b *program.Gate) *program.Gate {
	if a == nil || b == nil {
		return nil
	}
	g := program.Gate{MinSize: min(a.MinSize, b.MinSize), MaxSize: max(a.MaxSize, b.MaxSize)}
	for _, h := range a.Headers {
		if slices.Contains(b.Headers, h) {
			g.Headers = append(g.Headers, h)
		}
	}
	if g.MinSize <= 0 && g.MaxSize == math.MaxInt64 && len(g.Headers) == 0 {
		return nil
	}
	return &g
}

// comparisonGate reads filesize < N, uint16(0) == N and the like.
func (d *deriver) comparisonGate(n *program.Node) *program.Gate {
	x, y, op := n.A, n.B, n.Op
	if x == program.None || y == program.None {
		return nil
	}
	if d.c.prog.Nodes[x].Op == program.OpInt {
		x, y, op = y, x, mirrored(op)
	}
	k := &d.c.prog.Nodes[y]
	if k.Op != program.OpInt {
		return nil
	}
	left := &d.c.prog.Nodes[x]
	switch {
	case left.Op == program.OpSize:
		return sizeGate(op, k.V)
	case op == program.OpEqInt:
		return d.headerGate(left, k.V)
	}
	return nil
}

// sizeGate is the gate of filesize op k.
func sizeGate(op program.Op, k int64) *program.Gate {
	g := unbounded()
	switch op {
	case program.OpEqInt:
		g.MinSize, g.MaxSize = k, k
	case program.OpLtInt:
		g.MaxSize = k - 1
		if k == math.MinInt64 {
			return nil
		}
	case program.OpLeInt:
		g.MaxSize = k
	case program.OpGtInt:
		if k == math.MaxInt64 {
			return nil
		}
		g.MinSize = k + 1
	case program.OpGeInt:
		g.MinSize = k
	default:
		return nil
	}
	g.MinSize = max(g.MinSize, 0)
	return &g
}

// headerGate is the gate of uint16(0) == k and uint32(0) & mask == k.
func (d *deriver) headerGate(n *program.Node, k int64) *program.Gate {
	mask := int64(-1)
	if n.Op == program.OpBitAnd {
		a, b := &d.c.prog.Nodes[n.A], &d.c.prog.Nodes[n.B]
		if a.Op == program.OpInt {
			a, b = b, a
		}
		if b.Op != program.OpInt || b.V < 0 {
			return nil
		}
		n, mask = a, b.V
	}
	if n.Op != program.OpReadInt {
		return nil
	}
	off := &d.c.prog.Nodes[n.A]
	code := program.ReadCode(n.V)
	width := code.Width()
	all := int64(1)<<(8*width) - 1
	if off.Op != program.OpInt || off.V < 0 || width > 4 {
		return nil
	}
	value := k
	if code.Signed() && mask == -1 && k < 0 && k >= -(all+1)/2 {
		value = k & all
	}
	if value < 0 || value > all {
		return nil // cannot hold; eval will see
	}
	mask &= all
	if value&^mask != 0 {
		return nil
	}
	if code.BigEndian() {
		value, mask = swapped(value, width), swapped(mask, width)
	}
	g := unbounded()
	g.Headers = []program.Header{{Offset: off.V, Width: uint8(width), Mask: uint32(mask), Value: uint32(value)}}
	return &g
}

func swapped(v int64, width int) int64 {
	var r int64
	for range width {
		r, v = r<<8|v&0xFF, v>>8
	}
	return r
}

// foundAtGate is the gate of `$a at N` where $a is one literal: its first
// bytes, as far as they fill an integer.
func (d *deriver) foundAtGate(n *program.Node) *program.Gate {
	at := &d.c.prog.Nodes[n.A]
	if n.V < 0 || at.Op != program.OpInt || at.V < 0 {
		return nil
	}
	needles := d.c.prog.Patterns[n.V].Needles
	if len(needles) != 1 || needles[0].Kind != program.Literal {
		return nil
	}
	b := needles[0].Bytes
	h := program.Header{Offset: at.V, Width: 1}
	for int(h.Width)*2 <= min(len(b), 4) {
		h.Width *= 2
	}
	for i := range int(h.Width) {
		mask := byte(0xFF)
		if c := b[i] | 0x20; needles[0].Fold && 'a' <= c && c <= 'z' {
			mask = 0xDF
		}
		h.Mask |= uint32(mask) << (8 * i)
		h.Value |= uint32(b[i]&mask) << (8 * i)
	}
	g := unbounded()
	g.MinSize = at.V + int64(len(b))
	if g.MinSize < 0 { // the offset is past every target
		g.MinSize = math.MaxInt64
	}
	g.Headers = []program.Header{h}
	return &g
}
