package program

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/besra-hunt/besra/yara/internal/atom"
	"github.com/besra-hunt/besra/yara/internal/regex"
	"github.com/besra-hunt/besra/yara/module"
)

// The errors of Decode.
var (
	ErrNotProgram = errors.New("not a compiled rules file")
	ErrDamaged    = errors.New("compiled rules file is damaged")
)

// Decode reads an encoded program and checks it (see Check). The program keeps
// the memory that it was read into. A file of another version is an error:
// compile the rules again.
func Decode(r io.Reader) (*Program, error) {
	p, err := DecodeUnbound(r)
	if err != nil {
		return nil, err
	}
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return p, nil
}

// DecodeUnbound is Decode without the check. The program must not be used
// before Bind, which makes it, and more.
func DecodeUnbound(r io.Reader) (*Program, error) {
	var head [headerSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotProgram, err)
	}
	if string(head[:8]) != magic {
		return nil, ErrNotProgram
	}
	if v := binary.LittleEndian.Uint32(head[8:]); v != version {
		return nil, fmt.Errorf("compiled rules file has version %d, this engine reads %d: compile the rules again", v, version)
	}
	size := binary.LittleEndian.Uint64(head[12:])
	body, err := readBody(r, size)
	if err != nil {
		return nil, err
	}
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(head[20:]) {
		return nil, fmt.Errorf("%w: wrong checksum", ErrDamaged)
	}
	return decodeBody(body)
}

// trusted is how much memory the size in a header may ask for at once.
const trusted = 64 << 20

// readBody reads size bytes without trusting size with memory.
func readBody(r io.Reader, size uint64) ([]byte, error) {
	if size > math.MaxInt32 {
		return nil, fmt.Errorf("%w: too large", ErrDamaged)
	}
	body := make([]byte, 0, min(size, trusted))
	for uint64(len(body)) < size {
		body = slices.Grow(body, 1)
		part := body[len(body):min(uint64(cap(body)), size)]
		n, err := io.ReadFull(r, part)
		body = body[:len(body)+n]
		if err != nil {
			return nil, fmt.Errorf("%w: %d of %d bytes: %w", ErrDamaged, len(body), size, err)
		}
	}
	return body, nil
}

func decodeBody(body []byte) (*Program, error) {
	d := decoder{data: body}
	p := d.program()
	switch {
	case d.err != nil:
		return nil, fmt.Errorf("%w: %w", ErrDamaged, d.err)
	case d.failed:
		return nil, fmt.Errorf("%w: lengths do not agree", ErrDamaged)
	}
	return p, nil
}

// decoder reads from the front of data. After a failure it gives zeros, so
// that callers check once.
type decoder struct {
	data    []byte
	shared  []byte  // all labels, where data is one
	indexes []int32 // of the rules to come
	labels  uint64  // bytes of the labels of the rules so far
	failed  bool
	err     error // of a regexp
	rooms   rooms
}

func (d *decoder) fail() {
	d.failed, d.data = true, nil
}

func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.data) {
		d.fail()
		return nil
	}
	b := d.data[:n:n]
	d.data = d.data[n:]
	return b
}

func (d *decoder) byte() byte {
	if len(d.data) == 0 {
		d.fail()
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	return b
}

func (d *decoder) bool() bool { return d.byte() == 1 }

func (d *decoder) uint32() uint32 {
	if b := d.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) uint64() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	if len(d.data) > 0 && d.data[0] < 0x80 {
		v := d.data[0]
		d.data = d.data[1:]
		return uint64(v)
	}
	return d.longUvarint()
}

func (d *decoder) longUvarint() uint64 {
	v, n := binary.Uvarint(d.data)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.data = d.data[n:]
	return v
}

func (d *decoder) int() int64 {
	v := d.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (d *decoder) int32() int32 {
	v := d.int()
	if v != int64(int32(v)) {
		d.fail()
		return 0
	}
	return int32(v)
}

// count reads the length of a list whose items take size bytes at least.
func (d *decoder) count(size int) int {
	v := d.uvarint()
	if v > uint64(len(d.data)/size) {
		d.fail()
		return 0
	}
	return int(v)
}

func (d *decoder) bytes() []byte { return d.take(d.count(1)) }

// string reads a string, which shares the memory of data: nothing writes there.
func (d *decoder) string() string {
	b := d.stringBytes()
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func (d *decoder) stringBytes() []byte {
	n := d.uvarint()
	switch {
	case d.shared == nil:
		return d.take(int(min(n, math.MaxInt32)))
	case n&1 == 0:
		return d.take(int(min(n>>1, math.MaxInt32)))
	case n>>1 >= uint64(len(d.shared)):
		d.fail()
		return nil
	}
	there := decoder{data: d.shared[n>>1:]}
	size := there.uvarint()
	b := there.take(int(min(size>>1, math.MaxInt32)))
	if size&1 != 0 || there.failed {
		d.fail()
	}
	return b
}

func (d *decoder) ints() []int32 {
	n := d.uvarint() // a list of n items is written as n+1: nil is its own
	if n == 0 || n-1 > uint64(len(d.data)) {
		d.failed = d.failed || n != 0
		return nil
	}
	list := make([]int32, n-1)
	for i := range list {
		list[i] = d.int32()
	}
	return list
}

// table reads a list of items that take size bytes at least.
func table[T any](d *decoder, size int, read func(*T)) []T {
	n := d.count(size)
	if n == 0 {
		return nil
	}
	list := make([]T, n)
	for i := range list {
		if d.failed {
			return nil
		}
		read(&list[i])
	}
	return list
}

func (d *decoder) program() *Program {
	nodes, lists, indexes, labels := d.uint32(), d.uint32(), d.uint32(), d.uint32()
	p := &Program{Nodes: d.nodes(int(nodes)), Lists: d.words(int(lists))}
	d.indexes = d.words(int(indexes))
	if uint64(labels) > uint64(len(d.data)) {
		d.fail()
		return nil
	}
	fields := len(d.data) - int(labels)
	p.Labels.encoded, d.data = d.data[fields:], d.data[:fields]
	d.fields(p)
	if len(d.data) > 0 || len(d.indexes) > 0 || d.labels != uint64(labels) {
		d.fail()
	}
	return p
}

func (d *decoder) fields(p *Program) {
	p.Dialect = Dialect(d.byte())
	p.Namespaces = table(d, 2, func(n *Namespace) { n.Name, n.Globals = d.string(), d.ints() })
	p.Modules = table(d, 9, func(m *Module) { m.Name, m.Shape = d.string(), d.uint64() })
	p.Externals = table(d, 2, func(e *External) { e.Name, e.Value = d.string(), d.value() })
	p.Texts = table(d, 1, func(s *string) { *s = d.string() })
	p.Regexps = table(d, 2, func(r *RegexpLit) { r.Source, r.Prog = d.string(), d.prog() })
	p.Patterns = table(d, patternSize, d.pattern)
	starts := make([]uint32, 1, 256)
	p.Rules = table(d, ruleSize, func(r *Rule) {
		d.rule(r)
		starts = append(starts, uint32(d.labels))
	})
	p.Labels.starts, p.Labels.decoded = starts, make([]atomic.Pointer[Label], len(p.Rules))
}

func (d *decoder) value() module.Value {
	switch module.Kind(d.byte()) {
	case module.Integer:
		return module.Int(d.int())
	case module.Float:
		return module.Float64(math.Float64frombits(d.uint64()))
	case module.Bool:
		return module.Boolean(d.bool())
	case module.String:
		return module.Text(d.string())
	}
	return module.Value{}
}

// patternSize and needleSize are the least numbers of bytes of an encoded
// pattern and needle.
const (
	patternSize = 6
	needleSize  = 2
)

func (d *decoder) pattern(p *Pattern) {
	flags := d.byte()
	p.Positions, p.Longest, p.At = flags&1 != 0, flags&2 != 0, -1
	if flags&4 != 0 {
		p.At = d.int()
	}
	p.Cost = math.Float32frombits(d.uint32())
	p.Needles = carve(&d.rooms.needles, d.count(needleSize))
	for i := range p.Needles {
		d.needle(&p.Needles[i])
	}
}

func (d *decoder) needle(n *Needle) {
	head := d.byte()
	n.Kind, n.Boundary, n.Fold = NeedleKind(head&3), Boundary(head>>2&3), head&0x10 != 0
	if n.Kind == Regexp {
		n.Expression = &carve(&d.rooms.expressions, 1)[0]
		d.expression(n.Expression)
		return
	}
	n.Bytes = d.bytes()
	switch n.Kind {
	case Xor:
		n.XorLo, n.XorHi = d.byte(), d.byte()
	case Base64:
		n.Base64 = &Base64Text{Alphabet: d.string(), Padding: d.byte(), Plain: d.bytes(), Wide: d.bool()}
	}
}

func (d *decoder) expression(x *Expression) {
	x.MinLen = int(d.int32())
	x.Forward, x.Reverse, x.Whole = d.prog(), d.prog(), d.prog()
	x.Atoms = carve(&d.rooms.atoms, d.count(atomSize))
	for i := range x.Atoms {
		d.atom(&x.Atoms[i])
	}
}

// rooms are memory for what there will be many of.
type rooms struct {
	needles     []Needle
	expressions []Expression
	atoms       []atom.Atom
	progs       []regex.Prog
	headers     []Header
}

// carve cuts n items from a room, or from a new one.
func carve[T any](room *[]T, n int) []T {
	if n > len(*room) {
		*room = make([]T, max(n, 256))
	}
	list := (*room)[:n:n]
	*room = (*room)[n:]
	return list
}

// ruleSize and headSize are the least numbers of bytes of an encoded rule and
// header.
const (
	ruleSize = 11
	headSize = 10
)

func (d *decoder) rule(r *Rule) {
	r.Name, r.Namespace, r.Global, r.Private = d.string(), d.int32(), d.bool(), d.bool()
	r.Patterns = d.cut(d.uvarint())
	if n := d.uvarint(); n > 0 {
		r.Anchors = d.cut(n - 1)
	}
	r.Condition, r.Slots = NodeID(d.int32()), int(min(d.uvarint(), math.MaxInt32))
	r.Gate.MinSize, r.Gate.MaxSize = d.int(), d.int()
	r.Gate.Headers = carve(&d.rooms.headers, d.count(headSize))
	for i := range r.Gate.Headers {
		h := &r.Gate.Headers[i]
		h.Offset, h.Width, h.Mask, h.Value = d.int(), d.byte(), d.uint32(), d.uint32()
	}
	if n := d.uvarint(); n <= math.MaxUint32 {
		d.labels = min(d.labels+n, math.MaxUint32)
	} else {
		d.fail()
	}
}

// cut takes the first n of the indexes.
func (d *decoder) cut(n uint64) []int32 {
	if n > uint64(len(d.indexes)) {
		d.fail()
	}
	if n == 0 || d.failed {
		return []int32{}
	}
	list := d.indexes[:n:n]
	d.indexes = d.indexes[n:]
	return list
}
