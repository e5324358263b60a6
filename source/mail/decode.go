package mail

import (
	"bufio"
	"bytes"
	"io"
	"mime/quotedprintable"
	"strings"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/textproto"
)

// readHeader reads the header of a message, and returns what follows it. Lines
// that are none of a header are left out where there are some, as mail programs do.
func readHeader(content []byte) (message.Header, io.Reader, error) {
	in := bufio.NewReader(bytes.NewReader(content))
	h, err := textproto.ReadHeader(in)
	if err != nil {
		head, body := mended(content)
		in = bufio.NewReader(io.MultiReader(bytes.NewReader(head), bytes.NewReader(body)))
		h, err = textproto.ReadHeader(in)
	}
	return message.Header{Header: h}, in, err
}

// mended returns the lines of a header, and what comes from the empty line on.
func mended(content []byte) (head, rest []byte) {
	kept := false
	for rest = content; len(rest) > 0; {
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		if len(bytes.TrimSuffix(line, []byte("\r"))) == 0 {
			return head, rest
		}
		if line[0] != ' ' && line[0] != '\t' {
			_, kept = headerName(line)
		}
		if kept {
			head = append(append(head, line...), '\n')
		}
		rest = after
	}
	return head, []byte("\n")
}

// decoded undoes the transfer encoding of a part. What is in an unknown one
// stays as it is.
func decoded(h message.Header, body io.Reader) io.Reader {
	switch strings.ToLower(strings.TrimSpace(h.Get("Content-Transfer-Encoding"))) {
	case "base64":
		return &base64Reader{in: bufio.NewReader(body)}
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	}
	return body
}

// base64Reader decodes as RFC 2045, section 6.8, asks for: characters that are
// none of the alphabet are passed over. Behind padding more may follow, until a
// line that is something else, such as the footer of a mailing list.
type base64Reader struct {
	in     *bufio.Reader
	bits   uint32
	have   int
	padded bool
}

// Read implements [io.Reader].
func (r *base64Reader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		c, err := r.in.ReadByte()
		if err != nil {
			return n, err
		}
		v := sextet(c)
		switch {
		case c == '=':
			r.bits, r.have, r.padded = 0, 0, true
		case v < 0 && r.padded && c > ' ':
			return n, io.EOF
		case v >= 0:
			r.bits, r.have = r.bits<<6|uint32(v), r.have+6
		}
		if r.have >= 8 {
			r.have -= 8
			p[n] = byte(r.bits >> r.have)
			n++
		}
	}
	return n, nil
}

// sextet is the value of a character of base64, -1 for others.
func sextet(c byte) int {
	switch {
	case 'A' <= c && c <= 'Z':
		return int(c - 'A')
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 26
	case '0' <= c && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}

// uuencoded yields the files that stand between the lines of a message, each from
// its line "begin 644 name" on. Those of messages in parts are among them.
func (w *walk) uuencoded() error {
	for at := 0; ; {
		i := bytes.Index(w.content[at:], []byte("\nbegin "))
		if i < 0 {
			return nil
		}
		at += i + 1
		line, body, _ := bytes.Cut(w.content[at:], []byte("\n"))
		mode, name, _ := bytes.Cut(bytes.TrimSpace(line[len("begin "):]), []byte(" "))
		if len(mode) < 3 || len(bytes.Trim(mode, "01234567")) > 0 || len(name) == 0 || len(name) > maxName || uuLine(body) == nil {
			continue
		}
		if err := w.yield(clean(string(name), ""), &uuReader{rest: body}); err != nil {
			return err
		}
	}
}

// maxName bounds the name of a file that is told by a line of text.
const maxName = 1024

// uuReader decodes the lines of a file up to the first that is none.
type uuReader struct{ rest, ready []byte }

// Read implements [io.Reader].
func (r *uuReader) Read(p []byte) (int, error) {
	for len(r.ready) == 0 {
		if r.ready = uuLine(r.rest); r.ready == nil {
			return 0, io.EOF
		}
		_, r.rest, _ = bytes.Cut(r.rest, []byte("\n"))
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

// uuLine decodes the first line: a character for how many bytes it holds, four
// for each three of them. It is nil where the line is none, or holds nothing.
func uuLine(text []byte) []byte {
	line, _, _ := bytes.Cut(text[:min(len(text), 128)], []byte("\n"))
	if len(line) == 0 || line[0] <= ' ' || line[0] >= '`' {
		return nil
	}
	size := int(line[0] - ' ')
	if line = bytes.TrimRight(line[1:], "\r"); len(line) < (size*4+2)/3 {
		return nil
	}
	plain := make([]byte, 0, size+2)
	for i := 0; len(plain) < size; i += 4 {
		var group uint32
		for j := range 4 {
			c := byte(' ')
			if i+j < len(line) {
				c = line[i+j]
			}
			if c < ' ' || c > '`' {
				return nil
			}
			group = group<<6 | uint32(c-' ')&0x3f
		}
		plain = append(plain, byte(group>>16), byte(group>>8), byte(group))
	}
	return plain[:size]
}
