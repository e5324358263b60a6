package capture

// window is what is known of one besides its bytes.
type window struct {
	other    []byte    // the other direction from its beginning, where that is at hand
	file     string    // that the bytes are, by an FTP control connection
	from     int       // where the bytes begin that the window before did not have
	protocol *protocol // nil where nobody has looked
	framer   *framer   // as it is at from; nil without a protocol
	goesOn   bool      // a body that does not end does so in the next window
	broken   bool      // the direction does not end where this does, but what comes next is missing, or apart
}

// frames are the messages among the bytes of a direction that are held. They are
// looked for where a window is full, or is cut: most conversations end before.
type frames struct {
	protocol *protocol
	begin    framer // as it is where the bytes begin that were not yielded
	framed   int    // how far the messages are known
	framer   framer // as it is there
	border   int    // where the last message begins that is known
	atBorder framer // as it is there
}

// enoughToTell is how many bytes tell the protocol, or that it is none.
const enoughToTell = 4096

// look finds out which protocol a direction speaks.
func (s *side) look(file string) {
	if s.looked || len(s.buf) == 0 {
		return
	}
	p := protocolOf(&streamFacts{flow: s.flow, window: window{file: file}}, s.buf)
	if p != nil && p.framed() {
		s.frames = &frames{protocol: p, begin: p.framer(), framer: p.framer()}
	}
	s.looked = s.frames != nil || len(s.buf) >= enoughToTell
}

func (s *side) plays(r role) bool { return s.frames != nil && s.protocol.role == r }

// known reports whether it is known where messages begin.
func (s *side) known() bool { return s.frames != nil && s.framer.err == nil }

// follow goes on over what came since.
func (s *side) follow(asked *questions, other []byte) {
	if !s.known() {
		return
	}
	s.framer.asked, s.framer.heard.other = asked, other
	for ok := true; ok; {
		var n int
		before := s.framer
		n, ok = s.framer.step(s.buf[s.framed:])
		if s.framer.begins {
			s.border, s.atBorder = s.framed, before
		}
		s.framed += n
	}
}

// pass goes on behind end, before which some bytes are kept.
func (s *side) pass(end, keep int) {
	s.from = keep
	switch {
	case s.known() && end == s.framed:
		s.begin = s.framer
	case s.known() && end == s.border:
		s.begin = s.atBorder
	default:
		s.frames, s.looked = nil, true
		return
	}
	s.framed += keep - end
	s.border = keep
}

// skip goes on behind bytes that are missing, where they are of a body.
func (s *side) skip(n int64) bool {
	if !s.known() || s.framer.body.coding != counted || s.framer.body.left < n {
		s.frames, s.looked = nil, false
		return false
	}
	b := &s.framer.body
	b.at += n
	if b.left != toTheEnd {
		b.left -= n
	}
	s.begin = s.framer
	return true
}

// follow goes on in both directions, in that of the requests first.
func (c *conversation) follow() {
	before := c.asked.size
	for i := range c.sides {
		c.sides[i].look(c.file())
	}
	for _, first := range []bool{true, false} {
		for i := range c.sides {
			if s := &c.sides[i]; s.plays(asks) == first {
				s.follow(&c.asked, c.opposite(i))
			}
		}
	}
	c.held += c.asked.size - before
}

// full makes room where a window has reached its limit. It ends where its last
// message begins; one with a single message grows, up to what a part may have.
func (c *conversation) full(i int) {
	s := &c.sides[i]
	c.follow()
	switch largest := c.d.config.largest(); {
	case s.known() && s.border > s.from:
		c.yield(i, s.border, true)
	case s.known() && len(s.buf) < largest:
		s.limit = min(2*len(s.buf), largest)
	default:
		c.cut(i)
	}
}

// cut yields as much of a window as can be gone on behind.
func (c *conversation) cut(i int) {
	s := &c.sides[i]
	end := len(s.buf)
	if s.known() && s.framed > s.from {
		end = s.framed
	}
	c.yield(i, end, true)
}
