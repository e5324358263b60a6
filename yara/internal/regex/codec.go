package regex

import (
	"encoding/binary"
	"errors"
	"math"
)

// The first byte of an encoded prog: of one that Compile made, and of one that
// CompileLinked did.
const (
	codecVersion       = 2
	codecLinkedVersion = 3
)

// The tags of encoded nodes: the Op, but for the two forms of a set and a
// repetition.
const (
	tagMask     = 0x40 | byte(OpSet)    // a value and a mask follow, not 32 bytes
	tagLazy     = 0x40 | byte(OpRepeat) // non-greedy
	tagEmptySet = 0x20 | byte(OpSet)
)

// errEncoding is the error of a malformed prog.
var errEncoding = errors.New("regex: malformed program")

// AppendBinary appends the prog's encoding to b. It is the tree in prefix
// order: making the automaton anew is quicker than reading it.
func (p *Prog) AppendBinary(b []byte) []byte {
	version := byte(codecVersion)
	if p.links != nil {
		version = codecLinkedVersion
	}
	b = append(b, version)
	b = binary.AppendUvarint(b, uint64(p.limit))
	if p.encoded != nil {
		return append(b, p.encoded...)
	}
	return appendNode(b, p.Node())
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

// DecodeProg makes p the prog that AppendBinary wrote to b, which must not
// change afterwards, and returns what follows it. It checks everything, for b
// may come from anywhere, but keeps the bytes as they are: the tree is made
// when it is first needed.
func (p *Prog) DecodeProg(b []byte) (rest []byte, err error) {
	d := decoder{b: b}
	version := d.byte()
	if version != codecVersion && version != codecLinkedVersion {
		return nil, errEncoding
	}
	limit := Limits{Insts: d.number(maxInsts)}.insts()
	tree := d.b
	x := d.skim(0)
	if d.bad {
		return nil, errEncoding
	}
	if version == codecLinkedVersion {
		return d.b, p.decodeLinked(tree, limit)
	}
	if x.size >= limit {
		return nil, &SizeError{Insts: x.size, Limit: limit}
	}
	n := len(tree) - len(d.b)
	p.extent, p.limit, p.encoded = x.extent, limit, tree[:n:n]
	return d.b, nil
}

// decodeLinked is the rest of DecodeProg for what CompileLinked made. There are
// few of those: they are made whole at once.
func (p *Prog) decodeLinked(tree []byte, limit int) error {
	q, err := CompileLinked(decodeTree(tree), Limits{Insts: limit})
	if err != nil {
		return err
	}
	p.extent, p.limit, p.links = q.extent, q.limit, q.links
	p.form.Store(q.form.Load())
	return nil
}

// decodeTree makes the tree of what DecodeProg has checked.
func decodeTree(b []byte) *Node {
	d := decoder{b: b}
	return d.node(0)
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
	if len(d.b) > 0 && d.b[0] < 0x80 && int(d.b[0]) <= top && !d.bad {
		v := d.b[0]
		d.b = d.b[1:]
		return int(v)
	}
	v, n := binary.Uvarint(d.b)
	if d.bad || n <= 0 || v > uint64(top) {
		d.bad = true
		return 0
	}
	d.b = d.b[n:]
	return int(v)
}

func (d *decoder) node(depth int) *Node {
	switch tag := d.byte(); tag {
	case byte(OpLit):
		return Literal(d.bytes(d.number(len(d.b))))
	case byte(OpConcat):
		return Concat(d.nodes(depth)...)
	case byte(OpAlt):
		return Alternate(d.nodes(depth)...)
	case byte(OpRepeat), tagLazy:
		lo := d.number(math.MaxInt32)
		hi := d.number(math.MaxInt32) - 1
		return Repeat(d.node(depth+1), lo, hi, tag != tagLazy)
	case byte(OpLook):
		return Assert(Assertion(d.byte()))
	case tagEmptySet:
		return Class(Set{})
	case tagMask:
		value := d.byte()
		return Masked(value, d.byte())
	case byte(OpSet):
		return Class(d.set())
	}
	return Empty()
}

func (d *decoder) nodes(depth int) []*Node {
	subs := make([]*Node, d.number(len(d.b)))
	for i := range subs {
		subs[i] = d.node(depth + 1)
	}
	return subs
}

func (d *decoder) set() (s Set) {
	if b := d.bytes(8 * len(s)); b != nil {
		for i := range s {
			s[i] = binary.LittleEndian.Uint64(b[8*i:])
		}
	}
	return s
}
