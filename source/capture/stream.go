package capture

import (
	"bytes"
	"container/list"
	"hash/maphash"
	"strconv"
	"time"

	"github.com/besra-hunt/besra"
)

// streams are the conversations of a capture.
type streams struct {
	d       *decoder
	table   map[endpoints]*conversation
	order   *list.List // of *conversation: first whose last packet is the oldest
	held    int64      // bytes that wait to be yielded
	waiting int64      // bytes that wait for others before them
	holes   int64
	ftp     ftpTransfers
	buffers buffers
	smb     *smbShares

	numbered int // files of SMB, in the order they were opened

	seen map[uint64]struct{} // sums of the endpoints that had a conversation
	seed maphash.Seed
}

func newStreams(d *decoder) *streams {
	return &streams{d: d, buffers: buffers{spoil: d.config.spoil}, table: map[endpoints]*conversation{}, order: list.New(), ftp: ftpTransfers{},
		seen: map[uint64]struct{}{}, seed: maphash.MakeSeed()}
}

// conversation is one TCP connection: two directions of bytes. One that is done
// is remembered for a while, so that what is sent again is known.
type conversation struct {
	*streams
	key        endpoints
	secondAsks bool // the client is the second of the endpoints
	place      *list.Element
	last       time.Time // of its packets
	done       bool

	sides  [2]side // the client's, the server's
	ftp    *ftpTransfer
	lines  [2]lineReader // of an FTP control connection
	folder ftpFolder     // of its client
	smb    *smbTalk      // nil where it is none
	asked  questions     // by requests of HTTP that were seen
	lease  *lease        // of what both directions held at the end
	tls    bool          // it went over to TLS, which was counted
}

// side is one direction: what was put together and not yet yielded.
type side struct {
	inOrder
	*frames      // nil where nobody has looked, or they are not known
	looked  bool // for a protocol
	flow    flow
	buf     []byte
	from    int    // where in buf the bytes begin that were not yielded
	limit   int    // of buf, before frames are looked for
	yielded int    // how many windows were
	fresh   bool   // buf has bytes that were not yielded
	other   []byte // the other direction, once that is done with
}

// data takes the next bytes of a direction.
func (c *conversation) data(i int, data []byte) {
	side := &c.sides[i]
	if c.sides[0].flow.control() || c.sides[1].flow.control() {
		c.lines[i].feed(data, func(line string) { c.streams.ftp.line(c, i, line) })
	}
	c.carve(i, data)
	for len(data) > 0 {
		n := min(len(data), side.limit-len(side.buf))
		c.keep(side, data[:n])
		data = data[n:]
		for len(side.buf) >= side.limit {
			c.full(i)
		}
	}
	if c.held > c.d.config.Held {
		c.relieve()
	}
}

// keep adds bytes to a window.
func (c *conversation) keep(s *side, data []byte) {
	if need := len(s.buf) + len(data); need > cap(s.buf) {
		before := cap(s.buf)
		s.buf = c.buffers.grow(s.buf, need)
		c.held += int64(cap(s.buf) - before)
	}
	s.buf, s.fresh = append(s.buf, data...), true
}

// carve hands bytes to the protocol whose files are put together as they come.
func (c *conversation) carve(i int, data []byte) {
	if c.smb == nil && c.sides[i].yielded == 0 && len(c.sides[i].buf) == 0 && (smbLike(data) || c.sides[0].flow.smb()) {
		c.smb = newSMBTalk(c)
	}
	if c.smb != nil {
		c.smb.feed(i, data)
	}
}

func bytesMissing(n int64) string {
	return strconv.FormatInt(n, 10) + " bytes are not in the capture"
}

// finish yields what is left of both directions, each with what the other
// holds, so that an answer knows its question.
func (c *conversation) finish() {
	if c.done {
		return
	}
	for i := range c.sides {
		c.settle(i)
	}
	c.done = true
	if c.smb != nil {
		c.smb.finish()
	}
	a, b := &c.sides[0], &c.sides[1]
	if a.yielded+b.yielded > 0 || a.looked || b.looked {
		c.follow()
	}
	a.other, b.other = c.opposite(0), c.opposite(1)
	c.lease = c.buffers.lend(a.buf, b.buf)
	for i := range c.sides {
		c.yield(i, len(c.sides[i].buf), false)
		c.sides[i].other, c.lines[i] = nil, lineReader{}
	}
	c.lease.done()
	c.held -= c.asked.size
	c.smb, c.ftp, c.asked, c.lease = nil, nil, questions{}, nil
}

// yield hands the window of a direction over, up to end, and keeps what is
// behind it and a little before where more of the same follows.
func (c *conversation) yield(i, end int, more bool) {
	s := &c.sides[i]
	all, fresh, lease := s.buf, s.fresh, c.lease
	if lease == nil {
		lease = c.buffers.lend(all)
		defer lease.done()
	}
	w := c.window(i, end, more)
	keep := 0
	if more {
		keep = min(end, c.d.config.Overlap)
	}
	s.pass(end, keep)
	if s.plays(answers) {
		c.held -= c.asked.forget(s.begin.number)
	}
	c.held -= int64(cap(all))
	s.buf, s.fresh = nil, false
	if more {
		c.keep(s, all[end-keep:])
		s.fresh = len(all) > end
	}
	s.limit = max(c.d.config.Window, min(2*len(s.buf), c.d.config.largest()))
	if fresh && c.d.err == nil {
		s.yielded++
		c.d.err = c.d.to.Target(lease.target(c.target(s, w, all[:end:end])))
	}
}

// opposite is the other direction from its beginning; nil where a part of that
// was yielded.
func (c *conversation) opposite(i int) []byte {
	if o := &c.sides[1-i]; o.yielded == 0 {
		return o.buf
	}
	return nil
}

// window is what is known of the bytes up to end.
func (c *conversation) window(i, end int, more bool) window {
	s := &c.sides[i]
	w := window{other: s.other, file: c.file(), from: s.from, broken: !more && !c.done}
	if s.frames == nil {
		return w
	}
	begin := s.begin.handOver()
	switch {
	case s.plays(answers):
		begin.asked = c.asked.after(begin.number)
	case w.other == nil && !s.plays(asks):
		w.other = bytes.Clone(c.opposite(i)) // which will grow elsewhere
	}
	w.protocol, w.framer = s.protocol, &begin
	w.goesOn = more && s.known() && end == s.framed
	return w
}

func (c *conversation) target(s *side, w window, content []byte) besra.Target {
	if s.yielded == 1 && !c.tls && startsTLS(content) {
		c.tls = true
		c.d.encrypted++
	}
	suffix := ""
	if s.yielded > 1 {
		suffix = "#" + strconv.Itoa(s.yielded)
	}
	return s.flow.target(c.d.config, suffix, content, w)
}

// relieve yields the longest windows early until half of what may be held is;
// where those were not enough, the oldest conversations are cut short.
func (s *streams) relieve() {
	for c := range s.all {
		if s.held > s.d.config.Held/2 && c.smb != nil {
			c.smb.relieve()
		}
		for i := range c.sides {
			if s.held > s.d.config.Held/2 && len(c.sides[i].buf) > s.d.config.Overlap {
				c.follow()
				if s := &c.sides[i]; !s.known() || s.framed > s.from {
					c.cut(i)
				}
			}
		}
	}
	for c := range s.all {
		if s.held <= s.d.config.Held/2 {
			return
		}
		c.follow()
		for i := range c.sides {
			if c.sides[i].fresh {
				s.d.gaps[ReasonLimit]++
			}
			c.yield(i, len(c.sides[i].buf), false)
		}
		c.held -= c.asked.size
		c.asked.end()
	}
}

func (s *streams) flushAll() {
	for c := range s.all {
		s.remove(c)
	}
}

// unfinished counts the conversations that hold bytes nobody has seen.
func (s *streams) unfinished() (n int64) {
	for c := range s.all {
		if c.sides[0].fresh || c.sides[1].fresh {
			n++
		}
	}
	return n
}
