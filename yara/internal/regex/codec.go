package regex

import (
	"encoding/binary"
	"errors"
)

// codecVersion is the first byte of an encoded prog.
const codecVersion = 1

// The tags of encoded nodes: the Op, but for the two forms of a set and a
// repetition.
const (
	tagMask     = 0x40 | byte(OpSet)    // a value and a mask follow, not 32 bytes
	tagLazy     = 0x40 | byte(OpRepeat) // non-greedy
	tagEmptySet = 0x20 | byte(OpSet)
)

// errEncoding is the error of DecodeProg.
var errEncoding = errors.New("regex: malformed program")

// AppendBinary appends the prog's encoding to b. It is the tree in prefix
// order: making the automaton anew is quicker than reading it.
func (p *Prog) AppendBinary(b []byte) []byte {
	b = append(b, codecVersion)
	b = binary.AppendUvarint(b, uint64(p.limit))
	return appendNode(b, p.node)
}

func appendNode(b []byte, n *Node) []byte {
	switch n.Op {
	case OpLit:
		b = binary.AppendUvarint(append(b, byte(n.Op)), uint64(len(n.Lit)))
		return append(b, n.Lit...)
	case OpSet:
		return appendSet(b, n.Set)
	case OpLook:
		return append(b, byte(n.Op), byte(n.Look))
	case OpRepeat:
		tag := byte(n.Op)
		if !n.Greedy {
			tag = tagLazy
		}
		b = binary.AppendUvarint(append(b, tag), uint64(n.Min))
		b = binary.AppendUvarint(b, uint64(n.Max+1))
		return appendNode(b, n.Subs[0])
	case OpConcat, OpAlt:
		b = binary.AppendUvarint(append(b, byte(n.Op)), uint64(len(n.Subs)))
		for _, s := range n.Subs {
			b = appendNode(b, s)
		}
		return b
	}
	return append(b, byte(OpEmpty))
}

func appendSet(b []byte, s *Set) []byte {
	if *s == (Set{}) {
		return append(b, tagEmptySet)
	}
	if value, mask, ok := s.Mask(); ok {
		return append(b, tagMask, value, mask)
	}
	b = append(b, byte(OpSet))
	for _, w := range s {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}

// DecodeProg reads a prog that AppendBinary wrote, and returns what follows
// it. It checks everything: b may come from anywhere.
func DecodeProg(b []byte) (p *Prog, rest []byte, err error) {
	d := decoder{b: b}
	if d.byte() != codecVersion {
		return nil, nil, errEncoding
	}
	limit := d.number(maxInsts)
	n := d.node(0)
	if d.bad {
		return nil, nil, errEncoding
	}
	p, err = Compile(n, Limits{Insts: limit})
	return p, d.b, err
}

// decoder reads from b. Once something is wrong, bad is set and only zeros
// are read.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) byte() byte {
	if b := d.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) bytes(n int) []byte {
	if d.bad || n > len(d.b) {
		d.bad = true
		return nil
	}
	b := d.b[:n:n]
	d.b = d.b[n:]
	return b
}

// number reads a number of at most top.
func (d *decoder) number(top int) int {
	v, n := binary.Uvarint(d.b)
	if d.bad || n <= 0 || v > uint64(top) {
		d.bad = true
		return 0
	}
	d.b = d.b[n:]
	return int(v)
}

func (d *decoder) node(depth int) *Node {
	if depth > maxNodeDepth {
		d.bad = true
	}
	tag := d.byte()
	switch {
	case d.bad:
	case tag == byte(OpEmpty):
	case tag == byte(OpLit):
		return Literal(append([]byte(nil), d.bytes(d.number(len(d.b)))...))
	case tag == byte(OpConcat):
		return Concat(d.nodes(depth)...)
	case tag == byte(OpAlt):
		return Alternate(d.nodes(depth)...)
	case tag == byte(OpRepeat), tag == tagLazy:
		lo := d.number(maxInsts)
		hi := d.number(maxInsts+1) - 1
		return Repeat(d.node(depth+1), lo, hi, tag != tagLazy)
	case tag == byte(OpLook):
		a := Assertion(d.byte())
		d.bad = d.bad || !a.valid()
		return Assert(a)
	default:
		return d.set(tag)
	}
	return Empty()
}

// nodes reads a list of nodes, each of which takes a byte or more.
func (d *decoder) nodes(depth int) []*Node {
	n := d.number(len(d.b))
	subs := make([]*Node, 0, min(n, 64))
	for range n {
		if d.bad {
			break
		}
		subs = append(subs, d.node(depth+1))
	}
	return subs
}

func (d *decoder) set(tag byte) *Node {
	switch tag {
	case tagEmptySet:
		return Class(Set{})
	case tagMask:
		value := d.byte()
		return Masked(value, d.byte())
	case byte(OpSet):
		var s Set
		for i := range s {
			if w := d.bytes(8); w != nil {
				s[i] = binary.LittleEndian.Uint64(w)
			}
		}
		return Class(s)
	}
	d.bad = true
	return Empty()
}
