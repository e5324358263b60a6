package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"unicode/utf16"

	"github.com/besra-hunt/besra"
)

const (
	portSMB     = 445
	portNetBIOS = 139
	// maxSMBRequests bounds how many questions of a connection wait for their
	// answer; credits never allow so many.
	maxSMBRequests = 8192
	// maxSMBBuffer is how much memory a direction keeps for its next message.
	maxSMBBuffer = 2 << 20
	// What an open file and a waiting question cost besides their bytes.
	smbFileCost, smbRequestCost = 512, 160
)

// The reasons of gaps in conversations of SMB.
const (
	ReasonEncrypted  = "encrypted"  // messages, or all that follows in TLS, that only both ends can read
	ReasonCompressed = "compressed" // messages that are not unpacked
	ReasonPartial    = "partial"    // not all of a file was transferred, or captured
)

// smbShares is what conversations with servers of SMB agreed on. It is shared,
// because a client may use several connections for one session.
type smbShares struct {
	trees map[smbTreeKey]smbTree
	files map[smbFileKey]*smbFile
}

type smbTreeKey struct {
	server  string
	session uint64
	tree    uint32
}

type smbFileKey struct {
	server  string
	session uint64
	id      smbFileID
}

// smbTree is a connected share.
type smbTree struct {
	name string // "\\host\share"
	disk bool
}

// smbTalk reads one connection of SMB. It gathers the files that are read and
// written ([MS-SMB2]); signatures are not checked.
type smbTalk struct {
	c        *conversation
	in       [2]smbFramer
	server   string
	requests map[uint64]smbRequest
	open     map[*smbFile]struct{}
	named    map[string]int // how often a name was yielded
	lost     map[string]int64
}

// smbRequest is a question that waits for its answer.
type smbRequest struct {
	command uint16
	name    string // of a share
	file    *smbFile
	offset  int64
	size    int64
}

// smbLike reports whether a direction begins with a message of SMB.
func smbLike(b []byte) bool {
	return len(b) >= 8 && b[0] == 0 && smbMagic(b[4:])
}

// smbMagic takes the first byte of all four: plain, SMB1, encrypted, compressed.
func smbMagic(b []byte) bool {
	return len(b) >= 4 && b[0] >= 0xfc && string(b[1:4]) == "SMB"
}

func (f flow) smb() bool {
	port := func(p uint16) bool { return p == portSMB || p == portNetBIOS }
	return port(f.srcPort) || port(f.dstPort)
}

func newSMBTalk(c *conversation) *smbTalk {
	if c.streams.smb == nil {
		c.streams.smb = &smbShares{map[smbTreeKey]smbTree{}, map[smbFileKey]*smbFile{}}
	}
	return &smbTalk{c: c, requests: map[uint64]smbRequest{}, open: map[*smbFile]struct{}{}, named: map[string]int{}, lost: map[string]int64{}}
}

// feed reads bytes of a direction.
func (t *smbTalk) feed(side int, data []byte) {
	before := cap(t.in[side].buf)
	t.in[side].feed(data, func(message []byte, cut bool) { t.message(side, message, cut) })
	t.c.held += int64(cap(t.in[side].buf) - before)
}

// hole ends the message under way: its end is not in the capture.
func (t *smbTalk) hole(side int) {
	before := cap(t.in[side].buf)
	t.in[side].end(func(message []byte, cut bool) { t.message(side, message, cut) })
	t.c.held -= int64(before)
}

// finish yields the files that nobody closed, and tells what was not read.
func (t *smbTalk) finish() {
	t.hole(0)
	t.hole(1)
	t.forget()
	for _, f := range t.files() {
		t.close(f)
	}
	for _, reason := range slices.Sorted(maps.Keys(t.lost)) {
		t.gap(reason, t.c.sides[0].flow.name(), fmt.Sprintf("%d messages of SMB", t.lost[reason]))
	}
}

// relieve gives up what is held: files go on in another part.
func (t *smbTalk) relieve() {
	t.lost[ReasonMissing] += int64(len(t.requests))
	t.forget()
	for side := range t.in {
		t.hole(side)
	}
	for _, f := range t.files() {
		for i := range f.parts {
			t.spill(f, i)
		}
	}
}

// files are the open files in their order.
func (t *smbTalk) files() []*smbFile {
	return slices.SortedFunc(maps.Keys(t.open), func(a, b *smbFile) int { return a.number - b.number })
}

// forget gives up the questions that wait.
func (t *smbTalk) forget() {
	t.c.held -= smbRequestCost * int64(len(t.requests))
	clear(t.requests)
}

func (t *smbTalk) gap(reason, name, detail string) {
	kind := besra.GapSkip
	if reason == ReasonMissing {
		kind = besra.GapError
	}
	t.c.d.to.Gap(besra.Gap{Kind: kind, Target: besra.Text(t.c.d.config.Name + "!" + name), Reason: reason, Detail: detail, Count: 1})
}

// message takes one message, or a chain of them.
func (t *smbTalk) message(side int, raw []byte, cut bool) {
	switch raw[0] {
	case 0xfc:
		t.lost[ReasonCompressed]++
	case 0xfd:
		t.lost[ReasonEncrypted]++
	case 0xff:
		// A client that also speaks SMB2 may begin with a question of SMB1.
		if len(raw) > 4 && raw[4] != 0x72 || side == 1 {
			t.lost[ReasonUndecoded]++
		}
	default:
		t.chain(side, raw, cut)
	}
}

func (t *smbTalk) chain(side int, raw []byte, cut bool) {
	var last *smbFile
	for len(raw) >= smbHeaderBytes {
		m := smbMessage{raw: raw, body: raw[smbHeaderBytes:], cut: cut}
		rest := raw[len(raw):]
		if next := int64(m.next()); next >= smbHeaderBytes && next <= int64(len(raw)) {
			m, rest = smbMessage{raw: raw[:next], body: raw[smbHeaderBytes:next]}, raw[next:]
		}
		if m.flags()&smbResponse != 0 {
			t.server = string(t.c.sides[side].flow.src)
			t.answer(side, m)
		} else {
			t.server = string(t.c.sides[side].flow.dst)
			last = t.ask(side, m, last)
		}
		raw = rest
	}
}

// ask takes a request. It returns the file that the next one of a chain may go
// on with.
func (t *smbTalk) ask(side int, m smbMessage, last *smbFile) *smbFile {
	r := smbRequest{command: m.command(), file: last}
	switch r.command {
	case smbTreeConnect:
		r.name = m.text(4)
	case smbCreate:
		r.file = t.create(m)
	case smbClose:
		r.file = t.file(m, 8, last)
	case smbRead:
		r.file, r.offset, r.size = t.file(m, 16, last), m.u64(8), m.u32(4)
	case smbWrite:
		r.file = t.file(m, 16, last)
		t.put(r.file, 0, t.c.sides[side].flow, m.u64(8), m.at(m.u16(2), m.u32(4)))
	case smbSetInfo:
		r.file = t.file(m, 16, last)
		if m.u16(2) == smbInfoFile|smbEndOfFile<<8 && m.u32(4) >= 8 {
			if size := m.at(m.u16(8), 8); len(size) == 8 {
				r.file.size = int64(binary.LittleEndian.Uint64(size))
			}
		}
	default:
		return last
	}
	if len(t.requests) >= maxSMBRequests {
		t.lost[ReasonMissing] += int64(len(t.requests))
		t.forget()
	}
	if _, again := t.requests[m.id()]; !again {
		t.c.held += smbRequestCost
	}
	t.requests[m.id()] = r
	return r.file
}

// answer takes a response.
func (t *smbTalk) answer(side int, m smbMessage) {
	status := m.status()
	if status == statusPending {
		return
	}
	r, asked := t.requests[m.id()]
	if !asked {
		if m.command() == smbRead && status == 0 {
			t.lost[ReasonMissing]++ // nobody knows of which file it is
		}
		return
	}
	delete(t.requests, m.id())
	t.c.held -= smbRequestCost
	switch {
	case r.command != m.command():
	case r.command == smbRead && status == statusEndOfFile:
		r.file.endsAt(r.offset)
	case r.command == smbCreate && status != 0:
		t.close(r.file)
	case status != 0 && status != statusOverflow:
	case r.command == smbTreeConnect:
		t.connect(m, r.name)
	case r.command == smbCreate:
		t.opened(m, r.file)
	case r.command == smbRead && len(m.body) > 2:
		data := m.at(int(m.body[2]), m.u32(4))
		t.put(r.file, 1, t.c.sides[side].flow, r.offset, data)
		if m.u32(4) < r.size && len(data) > 0 && !m.cut {
			r.file.endsAt(r.offset + int64(len(data)))
		}
	case r.command == smbClose:
		if m.u16(2)&smbPostQuery != 0 && len(m.body) >= 56 {
			r.file.size = m.u64(48)
		}
		t.close(r.file)
	}
}

// maxSMBTrees bounds how many shares are remembered.
const maxSMBTrees = 1 << 14

func (t *smbTalk) connect(m smbMessage, name string) {
	trees := t.c.streams.smb.trees
	if len(trees) >= maxSMBTrees {
		clear(trees)
	}
	trees[smbTreeKey{t.server, m.session(), m.tree()}] = smbTree{name, m.u16(2)&0xff == smbShareDisk}
}

// utf16Text decodes what names are written in.
func utf16Text(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

// smbFramer cuts a direction into messages by the length before each (RFC 1002,
// 4.3.1, of which direct TCP has kept four bytes). Where bytes are missing it
// looks for the next message.
type smbFramer struct {
	buf    []byte
	search bool // for the beginning of a message
}

func (f *smbFramer) feed(data []byte, each func(message []byte, cut bool)) {
	if len(f.buf) > 0 {
		f.buf = append(f.buf, data...)
		data = f.buf
	}
	rest := f.cutMessages(data, each)
	switch {
	case len(rest) == len(f.buf) && len(rest) == len(data): // a message under way
	case cap(f.buf) > maxSMBBuffer:
		f.buf = slices.Clone(rest)
	default:
		f.buf = append(f.buf[:0], rest...) // rest may lie in buf, further on
	}
}

// cutMessages hands over the messages that are whole and returns the rest.
func (f *smbFramer) cutMessages(b []byte, each func([]byte, bool)) []byte {
	for {
		if f.search {
			at := smbFind(b)
			if at < 0 {
				return b[max(0, len(b)-16):]
			}
			b, f.search = b[at:], false
		}
		if len(b) < 8 {
			return b
		}
		size := int(binary.BigEndian.Uint32(b) & 0xffffff)
		switch {
		case b[0] >= 0x81 && b[0] <= 0x85: // of the session that NetBIOS keeps
		case b[0] != 0 || !smbMagic(b[4:]):
			f.search, b = true, b[1:]
			continue
		case len(b) >= 4+size && size > 4:
			each(b[4:4+size], false)
		}
		if len(b) < 4+size {
			return b
		}
		b = b[4+size:]
	}
}

// end hands over the beginning of a message whose end is missing.
func (f *smbFramer) end(each func([]byte, bool)) {
	if len(f.buf) > 4+smbHeaderBytes && f.buf[0] == 0 && smbMagic(f.buf[4:]) {
		each(f.buf[4:], true)
	}
	f.buf, f.search = nil, true
}

// smbFind looks for a message among bytes whose beginning is not known.
func smbFind(b []byte) int {
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte("SMB"))
		if i < 0 {
			return -1
		}
		if at += i; at >= 5 && b[at-5] == 0 && b[at-1] >= 0xfc {
			return at - 5
		}
		at++
	}
}
