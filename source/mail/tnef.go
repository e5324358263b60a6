package mail

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
)

func isTNEF(content []byte) bool { return bytes.HasPrefix(content, []byte("\x78\x9f\x3e\x22")) }

// Attributes ([MS-OXTNEF] 2.1.3).
const (
	tnefHead       = 6
	tnefAttribute  = 9
	attBody        = 0x0002800c
	attRendData    = 0x00069002 // begins an attachment
	attAttachTitle = 0x00018010
	attAttachData  = 0x0006800f
)

// tnef yields the body and the attachments.
func (w *walk) tnef() error {
	rest, n := w.content[min(tnefHead, len(w.content)):], 0
	title := ""
	for len(rest) > 0 {
		tag, data, next, err := attribute(rest)
		if err != nil {
			return err
		}
		rest = next
		switch tag {
		case attBody:
			err = w.yield("body.txt", bytes.NewReader(data))
		case attRendData:
			n, title = n+1, ""
		case attAttachTitle:
			title = strings.TrimRight(string(data), "\x00")
		case attAttachData:
			err = w.yield(clean(title, numbered([]int{max(n, 1)}, ".bin")), bytes.NewReader(data))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// attribute cuts one off: a level, a tag, a length, the data, a checksum.
func attribute(b []byte) (tag uint32, data, rest []byte, err error) {
	if len(b) < tnefAttribute {
		return 0, nil, nil, io.ErrUnexpectedEOF
	}
	size := int64(binary.LittleEndian.Uint32(b[5:]))
	if size+2 > int64(len(b)-tnefAttribute) {
		return 0, nil, nil, io.ErrUnexpectedEOF
	}
	return binary.LittleEndian.Uint32(b[1:]), b[tnefAttribute : tnefAttribute+size], b[tnefAttribute+size+2:], nil
}
