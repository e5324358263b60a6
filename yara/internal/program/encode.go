package program

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"math"

	"github.com/besra-hunt/besra/yara/module"
)

// The encoding of a program:
//
//	magic    8 bytes
//	version  uint32, little-endian as all fixed integers
//	size     uint64, bytes of the body
//	checksum uint32, CRC-32C of the body
//	body     two parts, each with its size in front (uvarint): the fields in
//	         declaration order, then the bytes of all strings
//
// Counts, indexes and sizes are varints; nodes are rows of 36 bytes. Strings
// are kept apart so that loading makes one string of all of them and cuts it.
// The checksum finds damage, not forgery: Decode trusts nothing.
const (
	magic   = "BESRAYPR"
	version = 3
	// headerSize is the size of everything in front of the body.
	headerSize = 8 + 4 + 8 + 4
	nodeSize   = 36
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode writes the program. Equal programs give equal bytes.
func (p *Program) Encode(w io.Writer) error {
	e := encoder{data: make([]byte, 0, p.encodedSize()), text: make([]byte, 0, 512*len(p.Rules))}
	e.program(p)
	parts := [][]byte{nil, binary.AppendUvarint(nil, uint64(len(e.data))), e.data, binary.AppendUvarint(nil, uint64(len(e.text))), e.text}
	size, sum := 0, uint32(0)
	for _, b := range parts {
		size += len(b)
		sum = crc32.Update(sum, castagnoli, b)
	}
	head := append(make([]byte, 0, headerSize), magic...)
	head = binary.LittleEndian.AppendUint32(head, version)
	head = binary.LittleEndian.AppendUint64(head, uint64(size))
	parts[0] = binary.LittleEndian.AppendUint32(head, sum)
	for _, b := range parts {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// encodedSize guesses how much room the fields need beside their strings, so that little is copied.
func (p *Program) encodedSize() int {
	return nodeSize*len(p.Nodes) + 4*len(p.Lists) + 128*len(p.Patterns) + 256*len(p.Rules)
}

type encoder struct {
	data []byte
	text []byte
}

func (e *encoder) count(n int)     { e.data = binary.AppendUvarint(e.data, uint64(n)) }
func (e *encoder) int(i int64)     { e.data = binary.AppendVarint(e.data, i) }
func (e *encoder) byte(b byte)     { e.data = append(e.data, b) }
func (e *encoder) uint32(v uint32) { e.data = binary.LittleEndian.AppendUint32(e.data, v) }
func (e *encoder) uint64(v uint64) { e.data = binary.LittleEndian.AppendUint64(e.data, v) }

func (e *encoder) bool(b bool) {
	if b {
		e.byte(1)
		return
	}
	e.byte(0)
}

func (e *encoder) string(s string) {
	e.count(len(s))
	e.text = append(e.text, s...)
}

func (e *encoder) bytes(b []byte) {
	e.count(len(b))
	e.data = append(e.data, b...)
}

// ints writes a list, telling nil and empty apart.
func (e *encoder) ints(list []int32) {
	if list == nil {
		e.count(0)
		return
	}
	e.count(len(list) + 1)
	for _, v := range list {
		e.int(int64(v))
	}
}

func (e *encoder) program(p *Program) {
	e.byte(byte(p.Dialect))
	e.count(len(p.Namespaces))
	for i := range p.Namespaces {
		e.string(p.Namespaces[i].Name)
		e.ints(p.Namespaces[i].Globals)
	}
	e.count(len(p.Modules))
	for i := range p.Modules {
		e.string(p.Modules[i].Name)
		e.uint64(p.Modules[i].Shape)
	}
	e.count(len(p.Externals))
	for i := range p.Externals {
		e.string(p.Externals[i].Name)
		e.value(p.Externals[i].Value)
	}
	e.count(len(p.Texts))
	for _, s := range p.Texts {
		e.string(s)
	}
	e.count(len(p.Regexps))
	for i := range p.Regexps {
		e.string(p.Regexps[i].Source)
		e.prog(p.Regexps[i].Prog)
	}
	e.count(len(p.Patterns))
	for i := range p.Patterns {
		e.pattern(&p.Patterns[i])
	}
	e.count(len(p.Rules))
	for i := range p.Rules {
		e.rule(&p.Rules[i])
	}
	e.conditions(p)
}

// conditions writes the nodes and lists as rows.
func (e *encoder) conditions(p *Program) {
	e.count(len(p.Nodes))
	for i := range p.Nodes {
		n := &p.Nodes[i]
		e.data = append(e.data, byte(n.Op), byte(n.Kind), byte(n.Quant.Kind), 0)
		for _, v := range [...]int32{int32(n.Quant.N), int32(n.A), int32(n.B), int32(n.C), n.L, n.N} {
			e.uint32(uint32(v))
		}
		e.uint64(uint64(n.V))
	}
	e.count(len(p.Lists))
	for _, v := range p.Lists {
		e.uint32(uint32(v))
	}
}

func (e *encoder) value(v module.Value) {
	e.byte(byte(v.Kind()))
	switch v.Kind() {
	case module.Integer:
		i, _ := v.Int()
		e.int(i)
	case module.Float:
		f, _ := v.Float()
		e.uint64(math.Float64bits(f))
	case module.Bool:
		b, _ := v.Bool()
		e.bool(b)
	case module.String:
		s, _ := v.Text()
		e.string(s)
	}
}

func (e *encoder) pattern(p *Pattern) {
	e.bool(p.Positions)
	e.bool(p.Longest)
	e.int(p.At)
	e.uint32(math.Float32bits(p.Cost))
	e.count(len(p.Needles))
	for i := range p.Needles {
		e.needle(&p.Needles[i])
	}
}

func (e *encoder) needle(n *Needle) {
	e.data = append(e.data, byte(n.Kind), byte(n.Boundary), n.XorLo, n.XorHi, n.Padding)
	e.bool(n.Fold)
	e.bool(n.Wide)
	e.bytes(n.Bytes)
	e.string(n.Alphabet)
	e.bytes(n.Plain)
	e.int(int64(n.MinLen))
	e.prog(n.Forward)
	e.prog(n.Reverse)
	e.prog(n.Whole)
	e.count(len(n.Atoms))
	for i := range n.Atoms {
		e.atom(&n.Atoms[i])
	}
}

func (e *encoder) rule(r *Rule) {
	e.string(r.Name)
	e.int(int64(r.Namespace))
	e.bool(r.Global)
	e.bool(r.Private)
	e.count(len(r.Tags))
	for _, t := range r.Tags {
		e.string(t)
	}
	e.count(len(r.Meta))
	for i := range r.Meta {
		e.string(r.Meta[i].Key)
		e.value(r.Meta[i].Value)
	}
	e.count(len(r.Patterns))
	for i := range r.Patterns {
		p := &r.Patterns[i]
		e.string(p.ID)
		e.int(int64(p.Pattern))
		e.bool(p.Private)
		e.byte(byte(p.Kind))
	}
	e.int(int64(r.Condition))
	e.count(r.Slots)
	e.ints(r.Anchors)
	e.int(r.Gate.MinSize)
	e.int(r.Gate.MaxSize)
	e.count(len(r.Gate.Headers))
	for _, h := range r.Gate.Headers {
		e.int(h.Offset)
		e.byte(h.Width)
		e.uint32(h.Mask)
		e.uint32(h.Value)
	}
	e.string(r.Origin)
	e.int(int64(r.Line))
	e.int(int64(r.Column))
}
