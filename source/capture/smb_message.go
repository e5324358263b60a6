package capture

import "encoding/binary"

// What messages of SMB2 are made of, by [MS-SMB2]. Numbers are little-endian,
// offsets in a message count from its header.

const smbHeaderBytes = 64

// Commands of SMB2 ([MS-SMB2] 2.2.1).
const (
	smbTreeConnect = 3
	smbCreate      = 5
	smbClose       = 6
	smbRead        = 8
	smbWrite       = 9
	smbSetInfo     = 17
)

const (
	smbResponse = 1 // flag: from the server
	smbAsync    = 2 // flag: the header has no tree
	smbRelated  = 4 // flag: goes on with the file of the message before it

	statusPending   = 0x103 // the answer comes later
	statusOverflow  = 0x80000005
	statusEndOfFile = 0xC0000011

	smbShareDisk   = 1
	smbPostQuery   = 1  // flag of CLOSE: the answer has attributes
	smbInfoFile    = 1  // SET_INFO: of a file
	smbEndOfFile   = 20 // SET_INFO: its size
	smbUnknownSize = -1
)

// smbMessage is a message, or the part of one that was captured.
type smbMessage struct {
	raw  []byte // from the header on
	body []byte // behind the header
	cut  bool   // its end is missing
}

// smbFileID names an open file.
type smbFileID [16]byte

// smbSame is the file of the message before, in a chain.
var smbSame = smbFileID{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}

func (m smbMessage) command() uint16 { return binary.LittleEndian.Uint16(m.raw[12:]) }
func (m smbMessage) status() uint32  { return binary.LittleEndian.Uint32(m.raw[8:]) }
func (m smbMessage) flags() uint32   { return binary.LittleEndian.Uint32(m.raw[16:]) }
func (m smbMessage) next() uint32    { return binary.LittleEndian.Uint32(m.raw[20:]) }
func (m smbMessage) id() uint64      { return binary.LittleEndian.Uint64(m.raw[24:]) }
func (m smbMessage) tree() uint32    { return binary.LittleEndian.Uint32(m.raw[36:]) }
func (m smbMessage) session() uint64 { return binary.LittleEndian.Uint64(m.raw[40:]) }

// Numbers of the body; 0 behind its end.

func (m smbMessage) u16(at int) int {
	if len(m.body) < at+2 {
		return 0
	}
	return int(binary.LittleEndian.Uint16(m.body[at:]))
}

func (m smbMessage) u32(at int) int64 {
	if len(m.body) < at+4 {
		return 0
	}
	return int64(binary.LittleEndian.Uint32(m.body[at:]))
}

func (m smbMessage) u64(at int) int64 {
	if len(m.body) < at+8 {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(m.body[at:]))
}

func (m smbMessage) file(at int) (id smbFileID) {
	if len(m.body) >= at+len(id) {
		copy(id[:], m.body[at:])
	}
	return id
}

// at returns the bytes at an offset, as far as they are there.
func (m smbMessage) at(offset int, size int64) []byte {
	if offset < smbHeaderBytes || offset > len(m.raw) {
		return nil
	}
	rest := m.raw[offset:]
	return rest[:min(size, int64(len(rest)))]
}

// text returns the string whose offset and length stand in the body.
func (m smbMessage) text(at int) string { return utf16Text(m.at(m.u16(at), int64(m.u16(at+2)))) }
