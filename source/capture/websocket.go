package capture

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
)

// ReasonProtocol says that a conversation goes over to a protocol that is not
// read; its bytes are searched as they are.
const ReasonProtocol = "protocol"

// changed goes on where a conversation of HTTP left it for another protocol.
func (d *dialogue) changed(h httpHead, o object, p portion) error {
	switch {
	case strings.EqualFold(h.other, "websocket"):
		return d.webSocket(o, p)
	case p.at > 0 || !h.answers || startsTLS(p.raw): // told before, by the other side, or with all others in TLS
		return nil
	}
	d.tell(besra.GapSkip, d.outer.Name, ReasonProtocol, h.other)
	return nil
}

// isHTTP2 takes a client that speaks HTTP/2 from the start (RFC 9113, 3.4).
func isHTTP2(_ *streamFacts, b []byte) bool {
	return bytes.HasPrefix(b, []byte("PRI * HTTP/2.0\r\n\r\n"))
}

// http2 tells that a conversation is not read.
func (d *dialogue) http2() error {
	d.tell(besra.GapSkip, d.outer.Name, ReasonProtocol, "HTTP/2")
	return nil
}

// webSocket yields the messages of one direction (RFC 6455): put together from
// frames, without their mask, and inflated (RFC 7692). Of a direction longer than
// a window only the beginning is read.
func (d *dialogue) webSocket(o object, p portion) error {
	if p.at > 0 {
		return nil
	}
	if p.goesOn {
		d.tell(besra.GapSkip, d.name(o), ReasonPartial, inParts)
	}
	var message []byte
	var packed bool
	var before []byte // what was inflated before, which may be referred to
	for rest, n := p.raw, 0; len(rest) > 0; {
		f, size := readFrame(rest)
		if size == more {
			d.cut("a frame of WebSocket that does not end")
			return nil
		}
		rest = rest[size:]
		switch {
		case f.control():
			continue
		case f.opcode != 0:
			message, packed = nil, f.packed
		}
		if message = append(message, f.payload...); !f.final {
			continue
		}
		if packed {
			var err error
			if message, err = d.inflateMessage(message, before); err != nil {
				return err
			}
			before = message[max(0, len(message)-maxReferred):]
		}
		n++
		one := object{name: o.name + "!message-" + strconv.Itoa(n), place: message, state: o.state}
		if err := d.yield(one); err != nil {
			return err
		}
		message = nil
	}
	return nil
}

// maxReferred is how far back deflate refers.
const maxReferred = 32 << 10

// inflateMessage inflates a message, without whose end compressed ones are sent.
func (d *dialogue) inflateMessage(packed, before []byte) ([]byte, error) {
	in := io.MultiReader(bytes.NewReader(packed), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))
	data, err := d.budget.Unpack(flate.NewReaderDict(in, before))
	var limit *besra.LimitError
	if errors.As(err, &limit) {
		return nil, err
	}
	if err != nil {
		d.cut("a message of WebSocket: " + err.Error())
	}
	return data.Bytes(), nil
}

// frame is one of WebSocket.
type frame struct {
	opcode  byte
	final   bool // of its message
	packed  bool // the message is compressed
	payload []byte
}

// control reports whether it is none of a message: closing, ping and pong.
func (f frame) control() bool { return f.opcode >= 8 }

// readFrame reads the frame that b begins with, and how long it is: [more] where
// its end is not there.
func readFrame(b []byte) (f frame, size int) {
	if len(b) < 2 {
		return f, more
	}
	f.opcode, f.final, f.packed = b[0]&0x0f, b[0]&0x80 != 0, b[0]&0x40 != 0
	n, at := uint64(b[1]&0x7f), 2
	switch {
	case n == 126 && len(b) >= 4:
		n, at = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case n == 127 && len(b) >= 10:
		n, at = binary.BigEndian.Uint64(b[2:]), 10
	case n >= 126:
		return f, more
	}
	var mask []byte
	if masked := b[1]&0x80 != 0; masked {
		if len(b) < at+4 {
			return f, more
		}
		mask, at = b[at:at+4], at+4
	}
	if n > uint64(len(b)-at) {
		return f, more
	}
	size = at + int(n)
	f.payload = b[at:size]
	if mask != nil {
		f.payload = bytes.Clone(f.payload)
		for i := range f.payload {
			f.payload[i] ^= mask[i%4]
		}
	}
	return f, size
}
