package capture

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
)

const portPOP3 = 110

// isPOP3 takes a server's greeting, or the port.
func isPOP3(f *streamFacts, b []byte) bool {
	return f.peer != nil && (f.flow.srcPort == portPOP3 || bytes.HasPrefix(b, []byte("+OK")))
}

// pop3 yields the messages that a server hands out (RFC 1939): an answer of
// several lines that begin with a header. Of a beginning that a client asked for
// nothing is opened, because a part ends in its middle.
func (d *dialogue) pop3() error {
	var command []byte
	commands, greeted := d.facts.peer.other, false
	for rest, n := d.content, 0; len(rest) > 0; {
		if bytes.HasPrefix(rest, []byte("\x16\x03")) {
			return nil // it is counted with its conversation
		}
		var line, message []byte
		line, rest = cutLine(rest)
		if bytes.HasPrefix(line, []byte("+")) || bytes.HasPrefix(line, []byte("-ERR")) {
			if greeted {
				command, commands = cutLine(commands)
			}
			greeted = true
		}
		if !bytes.HasPrefix(line, []byte("+OK")) || !isHeader(rest) {
			continue
		}
		if message, rest = dotted(rest); isBeginning(command, message) {
			d.to.Gap(besra.Gap{Kind: besra.GapSkip, Target: besra.Text(d.outer.Name), Reason: ReasonBeginning, Detail: string(command), Count: 1})
			continue
		}
		n++
		if err := d.message(n, message, nil); err != nil {
			return err
		}
	}
	return nil
}

// ReasonBeginning says that only the beginning of a message was asked for, which
// is searched as it is.
const ReasonBeginning = "beginning"

// isBeginning reports whether a message has as many lines behind its header as
// its client asked for: "TOP 1 20".
func isBeginning(command, message []byte) bool {
	fields := strings.Fields(string(command[:min(len(command), 64)]))
	if len(fields) != 3 || !strings.EqualFold(fields[0], "TOP") {
		return false
	}
	_, body, _ := bytes.Cut(message, []byte("\r\n\r\n"))
	return fields[2] == strconv.Itoa(bytes.Count(body, []byte("\n")))
}

// isHeader reports whether b begins with a field of a header (RFC 5322, 2.2).
func isHeader(b []byte) bool {
	line, _ := cutLine(b[:min(len(b), 512)])
	name, _, ok := bytes.Cut(line, []byte(":"))
	return ok && len(name) > 0 && !bytes.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}
