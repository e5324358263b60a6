package eval

import (
	"encoding/binary"
	"math"

	"github.com/besra-hunt/besra/yara/internal/program"
)

// integer evaluates a node of kind Integer; ok is false where it is undefined.
func (s *State) integer(id program.NodeID) (i int64, ok bool) {
	n := &s.plan.prog.Nodes[id]
	switch n.Op {
	case program.OpInt:
		return n.V, true
	case program.OpSize:
		return s.size()
	case program.OpReadInt:
		offset, ok := s.integer(n.A)
		if !ok {
			return 0, false
		}
		return s.read(offset, program.ReadCode(n.V))
	case program.OpCount:
		return int64(s.patterns.Count(s.pattern(n.V))), true
	case program.OpCountIn:
		return s.countIn(n)
	case program.OpOffset, program.OpLength:
		return s.matchNumber(n)
	case program.OpEntry:
		return entryPoint(s.data)
	case program.OpTextLen:
		text, ok := s.text(n.A)
		return int64(len(text)), ok
	case program.OpItemLen:
		return s.items(n.A)
	case program.OpNegInt:
		i, ok := s.integer(n.A)
		return -i, ok
	case program.OpBitNot:
		i, ok := s.integer(n.A)
		return ^i, ok
	case program.OpToInt:
		t := s.truth(n.A)
		return int64(t & yes), t != undefined
	case program.OpUndef:
		return 0, false
	}
	if n.Op >= program.OpAddInt && n.Op <= program.OpShr {
		return s.arithmetic(n)
	}
	return s.given(id, n).Int()
}

func (s *State) arithmetic(n *program.Node) (int64, bool) {
	a, ok := s.integer(n.A)
	if !ok {
		return 0, false
	}
	b, ok := s.integer(n.B)
	if !ok {
		return 0, false
	}
	switch n.Op {
	case program.OpAddInt:
		return a + b, true
	case program.OpSubInt:
		return a - b, true
	case program.OpMulInt:
		return a * b, true
	case program.OpBitAnd:
		return a & b, true
	case program.OpBitOr:
		return a | b, true
	case program.OpBitXor:
		return a ^ b, true
	case program.OpDivInt, program.OpModInt:
		return s.divide(n.Op, a, b)
	}
	return s.shift(n.Op, a, b)
}

// divide is undefined for 0. The quotient of the least integer and -1 does not
// fit and is undefined; their remainder is 0, in libyara undefined too.
func (s *State) divide(op program.Op, a, b int64) (int64, bool) {
	overflow := a == math.MinInt64 && b == -1
	switch {
	case b == 0, overflow && (op == program.OpDivInt || s.plan.libyara):
		return 0, false
	case op == program.OpDivInt:
		return a / b, true
	}
	return a % b, true
}

// shift is 0 from a count of 64 on, to the right too. Of a negative count
// YARA-X takes the last six bits; to libyara it is undefined.
func (s *State) shift(op program.Op, a, count int64) (int64, bool) {
	switch {
	case count < 0 && s.plan.libyara:
		return 0, false
	case count < 0:
		count &= 63
	case count >= 64:
		return 0, true
	}
	if op == program.OpShl {
		return a << uint(count), true
	}
	return a >> uint(count), true
}

// size is filesize; ok is false for memory.
func (s *State) size() (size int64, ok bool) { return int64(len(s.data)), s.memory == nil }

// read reads an integer of the target; ok is false outside of it.
func (s *State) read(offset int64, code program.ReadCode) (i int64, ok bool) {
	b := s.bytesAt(offset, code.Width())
	if b == nil {
		return 0, false
	}
	u := load(b, code)
	if code.Signed() {
		unused := 64 - 8*uint(code.Width())
		return int64(u<<unused) >> unused, true
	}
	return int64(u), true
}

// bytesAt returns width bytes of the target, at most 8, valid until the next
// call; nil where not all of them are there.
func (s *State) bytesAt(offset int64, width int) []byte {
	switch {
	case offset < 0:
		return nil
	case s.memory != nil:
		if n, _ := s.memory.ReadAt(s.word[:width], offset); n < width {
			return nil
		}
		return s.word[:width]
	case offset > int64(len(s.data)-width):
		return nil
	}
	return s.data[offset:]
}

// load reads code.Width bytes in the code's order.
func load(data []byte, code program.ReadCode) uint64 {
	var order binary.ByteOrder = binary.LittleEndian
	if code.BigEndian() {
		order = binary.BigEndian
	}
	switch code.Width() {
	case 1:
		return uint64(data[0])
	case 2:
		return uint64(order.Uint16(data))
	case 4:
		return uint64(order.Uint32(data))
	}
	return order.Uint64(data)
}

// float evaluates a node of kind Float; ok is false where it is undefined.
func (s *State) float(id program.NodeID) (f float64, ok bool) {
	n := &s.plan.prog.Nodes[id]
	switch n.Op {
	case program.OpFloat:
		return math.Float64frombits(uint64(n.V)), true
	case program.OpToFlt:
		i, ok := s.integer(n.A)
		return float64(i), ok
	case program.OpReadFlt:
		return s.readFloat(n)
	case program.OpNegFlt:
		f, ok := s.float(n.A)
		return -f, ok
	case program.OpAddFlt, program.OpSubFlt, program.OpMulFlt, program.OpDivFlt:
		return s.floatArithmetic(n)
	case program.OpUndef:
		return 0, false
	}
	return s.given(id, n).Float()
}

func (s *State) floatArithmetic(n *program.Node) (float64, bool) {
	a, ok := s.float(n.A)
	if !ok {
		return 0, false
	}
	b, ok := s.float(n.B)
	switch n.Op {
	case program.OpAddFlt:
		return a + b, ok
	case program.OpSubFlt:
		return a - b, ok
	case program.OpMulFlt:
		return a * b, ok
	}
	return a / b, ok
}

func (s *State) readFloat(n *program.Node) (float64, bool) {
	offset, ok := s.integer(n.A)
	if !ok {
		return 0, false
	}
	code := program.ReadCode(n.V)
	b := s.bytesAt(offset, code.Width())
	if b == nil {
		return 0, false
	}
	u := load(b, code)
	if code.Width() == 4 {
		return float64(math.Float32frombits(uint32(u))), true
	}
	return math.Float64frombits(u), true
}
