package milter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// The commands of the mail server.
const (
	cmdNegotiate = 'O'
	cmdMacro     = 'D'
	cmdConnect   = 'C'
	cmdHelo      = 'H'
	cmdMail      = 'M'
	cmdRcpt      = 'R'
	cmdData      = 'T'
	cmdHeader    = 'L'
	cmdEndHeader = 'N'
	cmdBody      = 'B'
	cmdEndBody   = 'E'
	cmdAbort     = 'A'
	cmdQuit      = 'Q'
	cmdQuitNew   = 'K' // this connection ends, another follows on the same socket
	cmdUnknown   = 'U'
)

// The replies.
const (
	replyContinue   = 'c'
	replyCode       = 'y'
	replyQuarantine = 'q'
	replyAddHeader  = 'h'
)

// The actions that are negotiated: what a filter may do.
const (
	mayAddHeaders = 0x01
	mayQuarantine = 0x20
)

// The protocol flags that are negotiated: what the server need not send, and
// which replies it need not have.
const (
	noUnknown    = 0x100
	noData       = 0x200
	noReplyTo    = 0x80 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x40000 | 0x80000
	leadingSpace = 0x100000 // header values come with the space behind the colon
)

// quiet is the flag by which a command needs no reply.
var quiet = map[byte]uint32{cmdHeader: 0x80, cmdConnect: 0x1000, cmdHelo: 0x2000, cmdMail: 0x4000, cmdRcpt: 0x8000, cmdData: 0x10000,
	cmdUnknown: 0x20000, cmdEndHeader: 0x40000, cmdBody: 0x80000}

// version is the newest of the protocol that is spoken here.
const version = 6

// maxPacket bounds a packet: bodies come in pieces of 64 KiB, a header is as
// long as the server lets it be.
const maxPacket = 1 << 20

// packet is one message of the protocol.
type packet struct {
	command byte
	data    []byte
}

// malformed is a packet that breaks the protocol.
type malformed struct{ why string }

func (e *malformed) Error() string { return e.why }

// readPacket reads a length of four bytes, a command, and its data.
func readPacket(r io.Reader) (packet, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return packet{}, noEOF(err)
	}
	size := binary.BigEndian.Uint32(head[:])
	if size == 0 || size > maxPacket {
		return packet{}, &malformed{fmt.Sprintf("a packet of %d bytes", size)}
	}
	data := make([]byte, size-1)
	_, err := io.ReadFull(r, data)
	return packet{head[4], data}, noEOF(err)
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// appendPacket writes a packet behind b.
func appendPacket(b []byte, command byte, data ...string) []byte {
	text := strings.Join(data, "")
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)+1))
	return append(append(b, command), text...)
}

// texts splits data at its NULs: each text ends with one.
func texts(data []byte) ([]string, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if data[len(data)-1] != 0 {
		return nil, &malformed{"a text without its end"}
	}
	var list []string
	for _, t := range bytes.Split(data[:len(data)-1], []byte{0}) {
		list = append(list, string(t))
	}
	return list, nil
}

// negotiation is what server and filter agree on.
type negotiation struct{ version, actions, steps uint32 }

func readNegotiation(data []byte) (negotiation, error) {
	if len(data) < 12 { // more may follow: macros, which are not asked for
		return negotiation{}, &malformed{"a negotiation that is too short"}
	}
	n := negotiation{binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])}
	if n.version < 2 {
		return n, &malformed{fmt.Sprintf("version %d of the protocol", n.version)}
	}
	return n, nil
}

// agree takes of what is offered what is of use here.
func (n negotiation) agree() negotiation {
	return negotiation{min(n.version, version), n.actions & (mayAddHeaders | mayQuarantine), n.steps & (noUnknown | noData | noReplyTo | leadingSpace)}
}

func (n negotiation) String() string {
	b := binary.BigEndian.AppendUint32(nil, n.version)
	b = binary.BigEndian.AppendUint32(b, n.actions)
	return string(binary.BigEndian.AppendUint32(b, n.steps))
}

// connection is what CONNECT tells of the client.
func connection(data []byte) (host, address string, err error) {
	name, rest, ok := bytes.Cut(data, []byte{0})
	if !ok || len(rest) == 0 {
		return "", "", &malformed{"a connection without its client"}
	}
	family, rest := rest[0], rest[1:]
	if family != '4' && family != '6' {
		return string(name), "", nil
	}
	if len(rest) < 3 {
		return "", "", &malformed{"a connection without its address"}
	}
	list, err := texts(rest[2:])
	if err != nil || len(list) == 0 {
		return "", "", &malformed{"a connection without its address"}
	}
	return string(name), strings.TrimPrefix(list[0], "IPv6:"), nil
}
