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
//	body     four uint32: the number of nodes, of lists' items, of rules'
//	         indexes, and of bytes of labels; these four, in this order, but the
//	         labels last, behind the other fields in declaration order
//
// Nodes and indexes lie as in memory (rows.go); counts, indexes elsewhere and
// sizes are varints. Labels are decoded one by one, when they are needed, and
// share strings: in front of one is twice its length, or an odd number, of
// which the half is where among all labels the string is written out.
// The checksum finds damage, not forgery: Decode trusts nothing.
const (
	// leastShared is how long a string of labels must be to be written once.
	leastShared = 4

	magic   = "BESRAYPR"
	version = 6
	// headerSize is the size of everything in front of the body.
	headerSize = 8 + 4 + 8 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode writes the program. Equal programs give equal bytes.
func (p *Program) Encode(w io.Writer) error {
	rows, fields, labels := encodeRows(p), encoder{}, encoder{known: make(map[string]int)}
	fields.data = make([]byte, 0, 64*len(p.Patterns)+64*len(p.Rules))
	labels.data = make([]byte, 0, 512*len(p.Rules))
	fields.program(p, &labels)
	rows.putLabels(len(labels.data))
	parts := [][]byte{nil, rows.data, fields.data, labels.data}
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

// encodeRows writes what lies as in memory, and the counts in front of it.
func encodeRows(p *Program) *encoder {
	indexes := 0
	for i := range p.Rules {
		indexes += len(p.Rules[i].Patterns) + len(p.Rules[i].Anchors)
	}
	e := &encoder{data: make([]byte, 0, 16+nodeSize*len(p.Nodes)+4*(len(p.Lists)+indexes))}
	for _, n := range [...]int{len(p.Nodes), len(p.Lists), indexes, 0} {
		e.uint32(uint32(n))
	}
	for i := range p.Nodes {
		e.node(&p.Nodes[i])
	}
	e.words(p.Lists)
	for i := range p.Rules {
		e.words(p.Rules[i].Patterns)
		e.words(p.Rules[i].Anchors)
	}
	return e
}

func (e *encoder) putLabels(size int) { binary.LittleEndian.PutUint32(e.data[12:], uint32(size)) }

type encoder struct {
	data []byte
	// known is where in data strings were written, where they are written once.
	known map[string]int
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
	switch at, ok := e.known[s]; {
	case e.known == nil:
		e.count(len(s))
	case ok:
		e.count(at<<1 | 1)
		return
	default:
		if len(s) >= leastShared {
			e.known[s] = len(e.data)
		}
		e.count(len(s) << 1)
	}
	e.data = append(e.data, s...)
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

func (e *encoder) program(p *Program, labels *encoder) {
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
		before := len(labels.data)
		labels.label(p.Label(int32(i)))
		e.rule(&p.Rules[i], len(labels.data)-before)
	}
}

func (e *encoder) words(list []int32) {
	for _, v := range list {
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
	e.byte(flag(p.Positions, 1) | flag(p.Longest, 2) | flag(p.At >= 0, 4))
	if p.At >= 0 {
		e.int(p.At)
	}
	e.uint32(math.Float32bits(p.Cost))
	e.count(len(p.Needles))
	for i := range p.Needles {
		e.needle(&p.Needles[i])
	}
}

func flag(set bool, bit byte) byte {
	if set {
		return bit
	}
	return 0
}

// needle writes the kind, boundary and case in one byte, and then what a needle
// of the kind has.
func (e *encoder) needle(n *Needle) {
	e.byte(byte(n.Kind) | byte(n.Boundary)<<2 | flag(n.Fold, 0x10))
	if n.Kind == Regexp {
		e.expression(n.Expression)
		return
	}
	e.bytes(n.Bytes)
	switch n.Kind {
	case Xor:
		e.data = append(e.data, n.XorLo, n.XorHi)
	case Base64:
		e.string(n.Base64.Alphabet)
		e.byte(n.Base64.Padding)
		e.bytes(n.Base64.Plain)
		e.bool(n.Base64.Wide)
	}
}

func (e *encoder) expression(x *Expression) {
	e.int(int64(x.MinLen))
	e.prog(x.Forward)
	e.prog(x.Reverse)
	e.prog(x.Whole)
	e.count(len(x.Atoms))
	for i := range x.Atoms {
		e.atom(&x.Atoms[i])
	}
}

// rule writes a rule, but for its indexes, of which there are only the numbers.
func (e *encoder) rule(r *Rule, label int) {
	e.string(r.Name)
	e.int(int64(r.Namespace))
	e.bool(r.Global)
	e.bool(r.Private)
	e.count(len(r.Patterns))
	anchors := len(r.Anchors) + 1 // nil is its own
	if r.Anchors == nil {
		anchors = 0
	}
	e.count(anchors)
	e.int(int64(r.Condition))
	e.count(r.Slots)
	e.int(r.Gate.MinSize)
	e.int(r.Gate.MaxSize)
	e.count(len(r.Gate.Headers))
	for _, h := range r.Gate.Headers {
		e.int(h.Offset)
		e.byte(h.Width)
		e.uint32(h.Mask)
		e.uint32(h.Value)
	}
	e.count(label)
}
