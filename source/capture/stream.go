package capture

import (
	"strconv"

	"github.com/besra-hunt/besra"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/reassembly"
)

// streams makes the conversations of a capture.
type streams struct {
	d    *decoder
	open map[*conversation]struct{}
	held int64
	ftp  ftpTransfers
	smb  *smbShares

	numbered int // files of SMB, in the order they were opened
}

func newStreams(d *decoder) *streams {
	return &streams{d: d, open: map[*conversation]struct{}{}, ftp: ftpTransfers{}}
}

// New implements [reassembly.StreamFactory].
func (s *streams) New(network, ports gopacket.Flow, tcp *layers.TCP, ac reassembly.AssemblerContext) reassembly.Stream {
	at := ac.GetCaptureInfo().Timestamp
	c := &conversation{streams: s}
	c.sides[0] = side{flow: newFlow("tcp", network, ports, at)}
	c.sides[1] = side{flow: newFlow("tcp", network.Reverse(), ports.Reverse(), at)}
	c.ftp = s.ftp.claim(c.sides[0].flow)
	s.open[c] = struct{}{}
	return c
}

// conversation is one TCP connection: two directions of bytes. It implements
// [reassembly.Stream].
type conversation struct {
	*streams
	sides [2]side
	ftp   *ftpTransfer
	lines [2]lineReader // of an FTP control connection
	smb   *smbTalk      // nil where it is none
}

// side is one direction: what was reassembled and not yet yielded.
type side struct {
	flow   flow
	buf    []byte
	window int    // how many were yielded
	fresh  bool   // buf has bytes that were not yielded
	other  []byte // the whole other direction; nil where it is not at hand
}

// Accept implements [reassembly.Stream]: a conversation whose beginning is not
// in the capture is read from where it is.
func (c *conversation) Accept(_ *layers.TCP, _ gopacket.CaptureInfo, _ reassembly.TCPFlowDirection, _ reassembly.Sequence, start *bool, _ reassembly.AssemblerContext) bool {
	*start = true
	return true
}

// ReassembledSG implements [reassembly.Stream].
func (c *conversation) ReassembledSG(sg reassembly.ScatterGather, _ reassembly.AssemblerContext) {
	dir, _, _, skip := sg.Info()
	i := 0
	if dir == reassembly.TCPDirServerToClient {
		i = 1
	}
	side := &c.sides[i]
	if skip > 0 {
		c.hole(i, int64(skip))
	}
	n, _ := sg.Lengths()
	data := sg.Fetch(n)
	if c.sides[0].flow.control() || c.sides[1].flow.control() {
		c.lines[i].feed(data, func(line string) { c.streams.ftp.line(c, i, line) })
	}
	c.carve(i, data)
	for len(data) > 0 {
		n := min(len(data), c.d.config.Window-len(side.buf))
		side.buf, side.fresh = append(side.buf, data[:n]...), true
		c.held += int64(n)
		data = data[n:]
		if len(side.buf) >= c.d.config.Window {
			c.yield(side, true)
		}
	}
	if c.held > c.d.config.Held {
		c.relieve()
	}
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

// hole ends the window before bytes that the capture does not hold.
func (c *conversation) hole(i int, skip int64) {
	side := &c.sides[i]
	c.d.to.Gap(besra.Gap{Kind: besra.GapError, Target: besra.Text(c.d.config.Name + "!" + side.flow.name()), Reason: ReasonMissing,
		Detail: strconv.FormatInt(skip, 10) + " bytes are not in the capture", Count: 1})
	if c.smb != nil {
		c.smb.hole(i)
	}
	c.yield(side, false)
}

// ReassemblyComplete implements [reassembly.Stream].
func (c *conversation) ReassemblyComplete(reassembly.AssemblerContext) bool {
	c.finish()
	return true
}

// finish yields what is left of both directions, each with what the other
// holds, so that an answer knows its question.
func (c *conversation) finish() {
	if _, open := c.open[c]; !open {
		return
	}
	delete(c.open, c)
	if c.smb != nil {
		c.smb.finish()
	}
	if c.sides[0].window == 0 && c.sides[1].window == 0 {
		c.sides[0].other, c.sides[1].other = c.sides[1].buf, c.sides[0].buf
	}
	for i := range c.sides {
		c.yield(&c.sides[i], false)
	}
}

// yield hands the window of a direction over, and keeps its end where more of
// the same follows.
func (c *conversation) yield(s *side, more bool) {
	content := s.buf
	c.held -= int64(len(content))
	s.buf = nil
	if !s.fresh || c.d.err != nil {
		return
	}
	s.fresh = false
	s.window++
	suffix := ""
	if s.window > 1 {
		suffix = "#" + strconv.Itoa(s.window)
	}
	c.d.err = c.d.to.Target(s.flow.target(c.d.config, suffix, content, &peer{s.other, c.ftp}))
	if more {
		keep := content[max(0, len(content)-c.d.config.Overlap):]
		s.buf = append(make([]byte, 0, 2*len(keep)), keep...)
		c.held += int64(len(keep))
	}
}

// relieve yields the longest windows early until half of what may be held is.
func (s *streams) relieve() {
	for c := range s.open {
		if s.held > s.d.config.Held/2 && c.smb != nil {
			c.smb.relieve()
		}
		for i := range c.sides {
			if s.held > s.d.config.Held/2 && len(c.sides[i].buf) > s.d.config.Overlap {
				c.yield(&c.sides[i], true)
			}
		}
	}
}

func (s *streams) flushAll() {
	for c := range s.open {
		c.finish()
	}
}
