package capture

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
)

const portPOP3 = 110

// isPOP3 takes a server's greeting, or the port.
func isPOP3(f *streamFacts, b []byte) bool {
	return f.flow.proto == "tcp" && (f.flow.srcPort == portPOP3 || bytes.HasPrefix(b, []byte("+OK")))
}

// pop3Answers is where a server of POP3 stands.
type pop3Answers struct {
	count   int
	command string // that the last one answers
}

// pop3Head reads a line. An answer of several lines that begin with a header is
// a message (RFC 1939).
func pop3Head(f *framer, b []byte) (int, error) {
	if bytes.HasPrefix(b, []byte("\x16\x03")) {
		return more, io.EOF // it is counted with its conversation
	}
	line, n, err := wholeLine(b)
	if n == more {
		return more, err
	}
	ok := bytes.HasPrefix(line, []byte("+OK"))
	next, there := nextLine(b[n:], maxField)
	if ok && !there {
		return more, nil
	}
	if bytes.HasPrefix(line, []byte("+")) || bytes.HasPrefix(line, []byte("-ERR")) {
		f.pop3.command = f.heard.line(f.pop3.count, func([]byte) bool { return true }) // none for the greeting
		f.pop3.count++
	}
	f.begins = true
	if ok && isHeader(next) {
		f.number++
		f.body = body{coding: dotted}
	}
	return n, nil
}

// pop3 yields the messages that a server hands out. Of a beginning that a client
// asked for nothing is opened, because a part ends in its middle.
func (d *dialogue) pop3() error {
	opened := d.framer.number
	if d.framer.body.coding != 0 {
		opened-- // the rest of it comes first
	}
	_, err := d.bodies(func(f *framer, p portion) error {
		if isBeginning(f.pop3.command, p) {
			d.tell(besra.GapSkip, d.outer.Name, ReasonBeginning, f.pop3.command)
			return nil
		}
		opened++
		return d.message(opened, p, nil)
	})
	return err
}

// ReasonBeginning says that only the beginning of a message was asked for, which
// is searched as it is.
const ReasonBeginning = "beginning"

// isBeginning reports whether a message has as many lines behind its header as
// its client asked for: "TOP 1 20".
func isBeginning(command string, p portion) bool {
	fields := strings.Fields(command[:min(len(command), 64)])
	if len(fields) != 3 || !strings.EqualFold(fields[0], "TOP") {
		return false
	}
	_, body, _ := bytes.Cut(p.bytes(), []byte("\r\n\r\n"))
	return fields[2] == strconv.Itoa(bytes.Count(body, []byte("\n")))
}

// maxField is how far the name of a field is looked for.
const maxField = 512

// isHeader reports whether a line is a field of a header (RFC 5322, 2.2).
func isHeader(line []byte) bool {
	name, _, ok := bytes.Cut(line, []byte(":"))
	return ok && len(name) > 0 && !bytes.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}
