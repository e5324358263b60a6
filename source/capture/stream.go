package capture

import (
	"container/list"
	"hash/maphash"
	"strconv"
	"time"
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
	lease  *lease        // of what both directions held at the end
	tls    bool          // it went over to TLS, which was counted
}

// side is one direction: what was put together and not yet yielded.
type side struct {
	inOrder
	flow   flow
	buf    []byte
	window int    // how many were yielded
	fresh  bool   // buf has bytes that were not yielded
	other  []byte // the whole other direction; nil where it is not at hand
}

// data takes the next bytes of a direction.
func (c *conversation) data(i int, data []byte) {
	side := &c.sides[i]
	if c.sides[0].flow.control() || c.sides[1].flow.control() {
		c.lines[i].feed(data, func(line string) { c.streams.ftp.line(c, i, line) })
	}
	c.carve(i, data)
	for len(data) > 0 {
		n := min(len(data), c.d.config.Window-len(side.buf))
		c.keep(side, data[:n])
		data = data[n:]
		if len(side.buf) >= c.d.config.Window {
			c.yield(side, true)
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
	if c.smb == nil && c.sides[i].window == 0 && len(c.sides[i].buf) == 0 && (smbLike(data) || c.sides[0].flow.smb()) {
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
	if c.sides[0].window == 0 && c.sides[1].window == 0 {
		c.sides[0].other, c.sides[1].other = c.sides[1].buf, c.sides[0].buf
		c.lease = c.buffers.lend(c.sides[0].buf, c.sides[1].buf)
		defer c.lease.done()
	}
	for i := range c.sides {
		c.yield(&c.sides[i], false)
		c.sides[i].other, c.lines[i] = nil, lineReader{}
	}
	c.smb, c.ftp = nil, nil
}

// yield hands the window of a direction over, and keeps its end where more of
// the same follows.
func (c *conversation) yield(s *side, more bool) {
	content, lease := s.buf, c.lease
	if lease == nil {
		lease = c.buffers.lend(content)
		defer lease.done()
	}
	c.held -= int64(cap(content))
	s.buf = nil
	if !s.fresh || c.d.err != nil {
		return
	}
	s.fresh = false
	s.window++
	if s.window == 1 && !c.tls && startsTLS(content) {
		c.tls = true
		c.d.encrypted++
	}
	suffix := ""
	if s.window > 1 {
		suffix = "#" + strconv.Itoa(s.window)
	}
	c.d.err = c.d.to.Target(lease.target(s.flow.target(c.d.config, suffix, content, &peer{s.other, c.ftp})))
	if more {
		keep := content[max(0, len(content)-c.d.config.Overlap):]
		c.keep(s, keep)
		s.fresh = false
	}
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
				c.yield(&c.sides[i], true)
			}
		}
	}
	for c := range s.all {
		if s.held <= s.d.config.Held/2 {
			return
		}
		for i := range c.sides {
			if c.sides[i].fresh {
				s.d.gaps[ReasonLimit]++
			}
			c.yield(&c.sides[i], false)
		}
	}
}

func (s *streams) flushAll() {
	for c := range s.all {
		s.remove(c)
	}
}
