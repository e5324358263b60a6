package capture

import (
	"bytes"
	"cmp"
	"container/list"
	"encoding/binary"
	"hash/maphash"
	"io"
	"net"
	"slices"
	"time"

	"github.com/besra-hunt/besra"
)

// TCP is put together here and not by gopacket's assembler, because what a
// capture may take of memory is a promise: that one cannot end its oldest
// conversation, walks all of them each time it ends idle ones, and copies what
// waits into pages. This one keeps conversations in the order of their last
// packet, and counts what it holds.

// endpoints are both ends of a connection, in an order that does not depend on
// the direction.
type endpoints struct {
	ip   [2][16]byte
	port [2]uint16
	six  bool
}

// endpointsOf also reports whether the sender is the second of them.
func endpointsOf(src, dst net.IP, srcPort, dstPort uint16) (e endpoints, second bool) {
	a, b := 0, 1
	second = cmp.Or(bytes.Compare(src, dst), cmp.Compare(srcPort, dstPort)) > 0
	if second {
		a, b = 1, 0
	}
	copy(e.ip[a][:], src)
	copy(e.ip[b][:], dst)
	e.port[a], e.port[b], e.six = srcPort, dstPort, len(src) == net.IPv6len
	return e, second
}

// segment is one of TCP (RFC 9293, 3.1).
type segment struct {
	srcPort, dstPort   uint16
	seq                uint32
	syn, ack, fin, rst bool
	data               []byte
}

func parseSegment(b []byte) (g segment, err error) {
	if len(b) < 20 {
		return g, io.ErrUnexpectedEOF
	}
	head := int(b[12]>>4) * 4
	if head < 20 || head > len(b) {
		return g, io.ErrUnexpectedEOF
	}
	flags := b[13]
	return segment{binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[4:]),
		flags&2 != 0, flags&16 != 0, flags&1 != 0, flags&4 != 0, b[head:]}, nil
}

// inOrder is how far one direction was put together.
type inOrder struct {
	begun  bool
	next   uint32 // sequence number of the next byte
	late   []piece
	fin    bool
	finAt  uint32
	ended  bool
	opened uint32 // sequence number of the SYN; its next one where there was none
}

// piece is bytes that wait for others before them.
type piece struct {
	seq  uint32
	data []byte
}

const (
	// pieceCost is what a piece costs besides its bytes.
	pieceCost = 64
	// maxPieces bounds how many of them one direction keeps.
	maxPieces = 4096
)

// after is how far b lies behind a, across the end of the numbers.
func after(a, b uint32) int { return int(int32(b - a)) }

// tcp takes a segment to its conversation.
func (s *streams) tcp(src, dst net.IP, b []byte, at time.Time) error {
	g, err := parseSegment(b)
	if err != nil {
		return err
	}
	key, second := endpointsOf(src, dst, g.srcPort, g.dstPort)
	c := s.table[key]
	if c != nil && g.syn && c.replaced(c.side(second), g.seq) {
		s.remove(c)
		c = nil
	}
	if c == nil {
		if len(g.data) == 0 && !g.syn {
			return nil // of a conversation that nothing was said in
		}
		c = s.begin(key, src, dst, g, second, at)
	}
	c.last = at
	s.order.MoveToBack(c.place)
	if !c.done {
		c.segment(c.side(second), g)
	}
	return nil
}

// side is the index of the direction whose sender is the first or the second of
// the endpoints.
func (c *conversation) side(second bool) int {
	if second == c.secondAsks {
		return 0
	}
	return 1
}

// replaced reports whether a SYN begins another conversation of the same
// endpoints.
func (c *conversation) replaced(i int, seq uint32) bool {
	o := &c.sides[i].inOrder
	return o.begun && o.opened != seq
}

func (s *streams) begin(key endpoints, src, dst net.IP, g segment, second bool, at time.Time) *conversation {
	for len(s.table) >= s.d.config.conversations {
		s.evict()
	}
	c := &conversation{streams: s, key: key, secondAsks: second}
	there, back := newFlow("tcp", src, dst, g.srcPort, g.dstPort, at), newFlow("tcp", dst, src, g.dstPort, g.srcPort, at)
	if g.syn && g.ack || !g.syn && g.srcPort < 1024 && g.dstPort >= 1024 {
		there, back, c.secondAsks = back, there, !second
	}
	there.again = s.again(key)
	back.again = there.again
	c.sides[0].flow, c.sides[1].flow = there, back
	c.sides[0].limit, c.sides[1].limit = s.d.config.Window, s.d.config.Window
	c.ftp = s.ftp.claim(there)
	s.table[key] = c
	c.place = s.order.PushBack(c)
	return c
}

// seenBefore is how many endpoints are known again, for each conversation that
// is remembered.
const seenBefore = 16

// again is the number that tells a conversation from an earlier one of the same
// endpoints: 0 for the first, as long as they are known.
func (s *streams) again(key endpoints) int64 {
	sum := maphash.Comparable(s.seed, key)
	if _, before := s.seen[sum]; before {
		return s.d.number
	}
	if len(s.seen) >= seenBefore*s.d.config.conversations {
		return s.d.number
	}
	s.seen[sum] = struct{}{}
	return 0
}

// evict gives up the conversation whose last packet is the oldest.
func (s *streams) evict() {
	c := s.order.Front().Value.(*conversation)
	if !c.done && (len(c.sides[0].buf) > 0 || len(c.sides[1].buf) > 0 || c.sides[0].late != nil || c.sides[1].late != nil) {
		s.d.gaps[ReasonLimit]++
	}
	s.remove(c)
}

func (s *streams) remove(c *conversation) {
	c.finish()
	delete(s.table, c.key)
	s.order.Remove(c.place)
}

// idle ends the conversations without a packet since t.
func (s *streams) idle(t time.Time) {
	for e := s.order.Front(); e != nil && e.Value.(*conversation).last.Before(t); e = s.order.Front() {
		s.remove(e.Value.(*conversation))
	}
}

// all are the conversations from the oldest on; the one at hand may be removed.
func (s *streams) all(yield func(*conversation) bool) {
	var next *list.Element
	for e := s.order.Front(); e != nil; e = next {
		next = e.Next()
		if !yield(e.Value.(*conversation)) {
			return
		}
	}
}

// segment takes bytes of a direction, in whatever order they come.
func (c *conversation) segment(i int, g segment) {
	o := &c.sides[i].inOrder
	seq := g.seq
	if g.syn {
		seq++
	}
	if !o.begun {
		o.begun, o.next, o.opened = true, seq, g.seq
	}
	if g.fin && !o.fin {
		o.fin, o.finAt = true, seq+uint32(len(g.data))
	}
	if len(g.data) > 0 && !o.ended {
		c.arrive(i, seq, g.data)
	}
	if o.fin && after(o.finAt, o.next) >= 0 {
		o.ended = true
	}
	// A reset that does not fit is not the other end's. It may answer what came
	// behind the sender's own end.
	if g.rst && (seq == o.next || o.ended && seq == o.finAt+1) || c.sides[0].ended && c.sides[1].ended {
		c.finish()
	}
}

func (c *conversation) arrive(i int, seq uint32, data []byte) {
	o := &c.sides[i].inOrder
	ahead := after(o.next, seq)
	switch {
	case ahead > 0:
		c.wait(i, seq, data)
	case -ahead < len(data):
		c.deliver(i, data[-ahead:])
		c.catchUp(i)
	}
}

// deliver hands on bytes whose turn it is.
func (c *conversation) deliver(i int, data []byte) {
	c.sides[i].next += uint32(len(data))
	c.data(i, data)
}

// catchUp delivers what waited for the bytes that came.
func (c *conversation) catchUp(i int) {
	o := &c.sides[i].inOrder
	for len(o.late) > 0 {
		p := o.late[0]
		passed := after(p.seq, o.next)
		if passed < 0 {
			return
		}
		o.late[0] = piece{}
		o.late = o.late[1:]
		c.waiting -= int64(cap(p.data)) + pieceCost
		if passed < len(p.data) {
			c.deliver(i, p.data[passed:])
		}
	}
	o.late = nil
}

// wait keeps bytes until those before them come. Where too many wait, what is
// missing is given up.
func (c *conversation) wait(i int, seq uint32, data []byte) {
	o := &c.sides[i].inOrder
	at := len(o.late)
	for at > 0 && after(o.late[at-1].seq, seq) < 0 {
		at--
	}
	if at > 0 && o.late[at-1].seq == seq && len(o.late[at-1].data) >= len(data) {
		return // it came already
	}
	own := bytes.Clone(data)
	o.late = slices.Insert(o.late, at, piece{seq, own})
	c.waiting += int64(cap(own)) + pieceCost
	limit := c.d.config.Waiting
	if c.waiting > limit || len(o.late) > maxPieces || after(o.next, o.late[len(o.late)-1].seq) > int(limit/16)+1<<16 {
		c.skip(i)
	}
}

// skip goes on behind the bytes that are missing.
func (c *conversation) skip(i int) {
	o := &c.sides[i].inOrder
	c.hole(i, int64(after(o.next, o.late[0].seq)))
	o.next = o.late[0].seq
	c.catchUp(i)
}

// settle skips all that is missing of a direction.
func (c *conversation) settle(i int) {
	for len(c.sides[i].late) > 0 {
		c.skip(i)
	}
	c.sides[i].late = nil
}

// tooMany is how many holes are told one by one.
const tooMany = 1000

// hole tells of bytes that the capture does not hold, and ends the window before
// them.
func (c *conversation) hole(i int, skip int64) {
	if c.holes++; c.holes <= tooMany {
		c.d.to.Gap(missing(c.d.config, c.sides[i].flow, skip))
	} else {
		c.d.gaps[ReasonMissing]++
	}
	if c.smb != nil {
		c.smb.hole(i)
	}
	c.follow()
	c.yield(i, len(c.sides[i].buf), false)
	if !c.sides[i].skip(skip) {
		c.held -= c.asked.size
		c.asked.end()
	}
}

// missing is the gap of a hole.
func missing(c *Config, f flow, skip int64) besra.Gap {
	return besra.Gap{Kind: besra.GapError, Target: besra.Text(c.Name + "!" + f.name()), Reason: ReasonMissing,
		Detail: bytesMissing(skip), Count: 1}
}
