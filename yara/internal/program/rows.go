package program

import (
	"encoding/binary"
	"unsafe"

	"github.com/besra-hunt/besra/yara/module"
)

// Nodes and lists of indexes are encoded as they lie in the memory of a
// little-endian machine, which then uses them where they were read. That is
// safe whatever the bytes: a Node holds integers only, and Check looks at each.

// nodeSize is the size of a Node, and where its fields are.
const nodeSize = 40

func (e *encoder) node(n *Node) {
	e.data = append(e.data, byte(n.Op), byte(n.Kind), 0, 0, byte(n.Quant.Kind), 0, 0, 0)
	for _, v := range [...]int32{int32(n.Quant.N), int32(n.A), int32(n.B), int32(n.C), n.L, n.N} {
		e.uint32(uint32(v))
	}
	e.uint64(uint64(n.V))
}

func (d *decoder) nodes(n int) []Node {
	if n < 0 || n > len(d.data)/nodeSize {
		d.fail()
		return nil
	}
	b := d.take(n * nodeSize)
	if list, ok := asMemory[Node](b, nodeSize); ok {
		return list
	}
	list := make([]Node, n)
	for i := range list {
		list[i] = decodeNode(b[i*nodeSize:])
	}
	return list
}

func decodeNode(b []byte) (n Node) {
	word := func(i int) int32 { return int32(binary.LittleEndian.Uint32(b[i:])) }
	n.Op, n.Kind, n.Quant.Kind = Op(b[0]), module.Kind(b[1]), QuantKind(b[4])
	n.Quant.N, n.A, n.B, n.C = NodeID(word(8)), NodeID(word(12)), NodeID(word(16)), NodeID(word(20))
	n.L, n.N = word(24), word(28)
	n.V = int64(binary.LittleEndian.Uint64(b[32:]))
	return n
}

func (d *decoder) words(n int) []int32 {
	if n < 0 || n > len(d.data)/4 {
		d.fail()
		return nil
	}
	b := d.take(4 * n)
	if list, ok := asMemory[int32](b, 4); ok {
		return list
	}
	list := make([]int32, n)
	for i := range list {
		list[i] = int32(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return list
}

// asMemory returns b as a list of rows, without copying, where the machine lays
// them out like that. T must have no value that is not valid.
func asMemory[T Node | int32](b []byte, size int) (list []T, ok bool) {
	var row T
	start := unsafe.SliceData(b)
	littleEndian := binary.NativeEndian.Uint16([]byte{1, 0}) == 1
	if len(b) == 0 || !littleEndian || int(unsafe.Sizeof(row)) != size || uintptr(unsafe.Pointer(start))%unsafe.Alignof(row) != 0 {
		return nil, len(b) == 0
	}
	return unsafe.Slice((*T)(unsafe.Pointer(start)), len(b)/size), true
}
