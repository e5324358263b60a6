package capture

import (
	"bytes"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
)

// A direction of HTTP, SMTP, IMAP or POP3 is a row of heads and bodies: lines,
// and what they say follows. A framer goes along it as the bytes come, in the
// source to know where a window may end, in the expander to find what is in it.
// It is a value: a copy goes on from the same place.
type framer struct {
	head   func(f *framer, b []byte) (n int, err error)
	body   body  // under way, where it has a coding
	came   int64 // bytes of it in the last step
	begins bool  // the head that was read last begins a message
	number int   // of messages that began
	err    error // why it cannot go on; io.EOF where another protocol follows

	asked *questions // of the other direction, or where to put those of this one
	heard heard
	http  httpHead
	smtp  smtpTalk
	imap  imapLines
	pop3  pop3Answers
}

// heard is how far the other direction was listened to.
type heard struct {
	other []byte // of it from its beginning, as much as is at hand; nil where that is not
	at    int    // up to where it was read
	lines int    // that counted
	last  string // of them
}

// line returns the line of a number, from 1, of those that count. It is asked
// for one after the other; empty where it is not known.
func (h *heard) line(number int, counts func([]byte) bool) string {
	for h.lines < number && h.at < len(h.other) {
		line, n, _ := wholeLine(h.other[h.at:])
		if n == more {
			break
		}
		h.at += n
		if counts(line) {
			h.lines, h.last = h.lines+1, string(line)
		}
	}
	if h.lines != number {
		return ""
	}
	return h.last
}

// handOver returns a copy that shares nothing that f will change.
func (f framer) handOver() framer {
	f.asked, f.heard.other = nil, nil
	f.smtp.to, f.imap.refused = slices.Clip(f.smtp.to), maps.Clone(f.imap.refused)
	return f
}

// more is what a head returns that needs more bytes than there are.
const more = -1

// maxHead bounds a line, or the header of HTTP.
const maxHead = 1 << 20

var errHead = errors.New("a header that does not end")

// step reads the head that b begins with, or on in the body. It returns how many
// bytes that were; not ok where it needs more, or cannot go on.
func (f *framer) step(b []byte) (n int, ok bool) {
	f.begins = false
	switch {
	case f.err != nil:
		return 0, false
	case f.body.coding == 0:
		n, f.err = f.head(f, b)
		return max(n, 0), n != more && f.err == nil
	}
	before := f.body.at
	n, done, err := f.body.take(b, nil)
	f.came, f.err = f.body.at-before, err
	if done {
		f.body = body{}
	}
	return n, n > 0 || done
}

// begin notes that a head begins a message with a body.
func (f *framer) begin() {
	f.begins = true
	f.number++
}

// coding is how a body shows where it ends.
type coding uint8

const (
	counted    coding = iota + 1 // by the number of its bytes
	chunked                      // by a chunk of none (RFC 9112, 7.1)
	dotted                       // by a line that is a dot (RFC 5321, 4.5.2)
	compressed                   // with its direction (RFC 4978)
)

// toTheEnd is the number of bytes of a body that ends with its direction.
const toTheEnd = math.MaxInt64

// body is one under way.
type body struct {
	coding coding
	base   int64 // where it begins in its object
	at     int64 // bytes of it that came, without those of the coding
	left   int64 // bytes to come, in the chunk where it is in chunks
	inLine bool  // of one that is dotted
	stage  chunkStage
}

// chunkStage is what line comes next in a body in chunks.
type chunkStage uint8

const (
	chunkSize chunkStage = iota
	chunkEnd
	chunkTrailer
)

// take reads on in a body. What it does not read of b has to come again with
// more behind it. Where out is given, the bytes are appended to it as they were
// before they were coded.
func (b *body) take(data []byte, out *[]byte) (n int, done bool, err error) {
	switch b.coding {
	case chunked:
		return b.chunks(data, out)
	case dotted:
		n, done = b.lines(data, out)
		return n, done, nil
	}
	n = b.pass(data, out)
	return n, b.left == 0, nil
}

// pass goes over bytes that are no coding, at most as many as are left.
func (b *body) pass(data []byte, out *[]byte) int {
	n := int(min(b.left, int64(len(data))))
	b.at += int64(n)
	if b.left != toTheEnd {
		b.left -= int64(n)
	}
	if out != nil {
		*out = append(*out, data[:n]...)
	}
	return n
}

var errChunk = errors.New("malformed chunked encoding")

// maxChunkLine bounds a line between chunks.
const maxChunkLine = 4096

func (b *body) chunks(data []byte, out *[]byte) (n int, done bool, err error) {
	for n < len(data) {
		if b.left > 0 {
			n += b.pass(data[n:], out)
			continue
		}
		rest := data[n:min(len(data), n+maxChunkLine)]
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			if len(rest) == maxChunkLine {
				err = errChunk
			}
			return n, false, err
		}
		line := bytes.TrimRight(rest[:end], "\r")
		if done, err = b.chunkLine(line); err != nil {
			return n, false, err
		}
		n += end + 1
		if done {
			return n, true, nil
		}
	}
	return n, false, nil
}

// chunkLine reads a line between chunks.
func (b *body) chunkLine(line []byte) (done bool, err error) {
	switch b.stage {
	case chunkEnd:
		if len(line) > 0 {
			return false, errChunk
		}
		b.stage = chunkSize
	case chunkSize:
		digits, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 62)
		if err != nil {
			return false, errChunk
		}
		b.left, b.stage = int64(size), chunkEnd
		if size == 0 {
			b.stage = chunkTrailer
		}
	case chunkTrailer:
		return len(line) == 0, nil
	}
	return false, nil
}

// lines reads a dotted body: up to the line that is a dot, without the dots that
// were put before lines that begin with one.
func (b *body) lines(data []byte, out *[]byte) (n int, done bool) {
	b.left = toTheEnd
	for n < len(data) {
		if !b.inLine && data[n] == '.' {
			switch rest := data[n+1:]; {
			case bytes.HasPrefix(rest, []byte("\n")):
				return n + 2, true
			case bytes.HasPrefix(rest, []byte("\r\n")):
				return n + 3, true
			case len(rest) == 0 || len(rest) == 1 && rest[0] == '\r':
				return n, false
			}
			n++
		}
		end := bytes.Index(data[n:], []byte("\n.")) + 1
		if b.inLine = end == 0; b.inLine {
			end = len(data) - n
			b.inLine = data[len(data)-1] != '\n'
		}
		n += b.pass(data[n:n+end], out)
	}
	return n, false
}

// wholeLine returns the first line of b without its end, and how long it is with
// that: [more] where the end is not there.
func wholeLine(b []byte) (line []byte, n int, err error) {
	end := bytes.IndexByte(b[:min(len(b), maxHead)], '\n')
	if end < 0 {
		if len(b) >= maxHead {
			err = errHead
		}
		return nil, more, err
	}
	return bytes.TrimSuffix(b[:end], []byte("\r")), end + 1, nil
}

// nextLine returns what b has of its first line, up to a number of bytes; not ok
// where fewer are there, and not its end.
func nextLine(b []byte, most int) (line []byte, ok bool) {
	line, _, ok = bytes.Cut(b[:min(len(b), most)], []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), ok || len(b) >= most
}
