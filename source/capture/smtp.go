package capture

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
)

// isSMTP takes what a client says: a greeting, and a sender within the first
// commands.
func isSMTP(f *streamFacts, b []byte) bool {
	if f.peer == nil || len(b) < 5 {
		return false
	}
	switch strings.ToUpper(string(b[:5])) {
	case "EHLO ", "HELO ", "LHLO ":
		return bytes.Contains(bytes.ToUpper(b[:min(len(b), 4096)]), []byte("MAIL FROM:"))
	}
	return false
}

// smtp yields each message that a client hands over, by DATA (RFC 5321, 4.1.1.4)
// or in chunks by BDAT (RFC 3030).
func (d *dialogue) smtp() error {
	rest, n := d.content, 0
	var chunks []byte
	e := &envelope{flow: d.facts.flow}
	answers := smtpAnswers(d.facts.peer.other)
	answers.next() // the greeting
	hand := func(message []byte) error {
		n++
		defer e.line("RSET", "")
		return d.message(n, message, e.state)
	}
	for len(rest) > 0 {
		var line []byte
		line, rest = cutLine(rest)
		answer := answers.next()
		verb, args, _ := strings.Cut(strings.ToUpper(string(line[:min(len(line), 64)])), " ")
		switch verb {
		case "DATA":
			if answer >= '4' && isCommand(rest) {
				continue
			}
			var message []byte
			message, rest = dotted(rest)
			answers.next()
			if err := hand(message); err != nil {
				return err
			}
		case "BDAT":
			size, last := chunk(args)
			size = min(size, len(rest))
			chunks, rest = append(chunks, rest[:size]...), rest[size:]
			if last || len(rest) == 0 {
				if err := hand(chunks); err != nil {
					return err
				}
				chunks = nil
			}
		case "STARTTLS":
			return nil // what follows is encrypted
		default:
			e.line(verb, string(line[:min(len(line), maxLine)]))
		}
	}
	return nil
}

// smtpAnswers are what a server says, one answer to each of its client's lines.
type smtpAnswers []byte

// next returns the first digit of the next answer, which may have several lines;
// 0 where none is known.
func (a *smtpAnswers) next() byte {
	for len(*a) > 0 {
		var line []byte
		line, *a = cutLine(*a)
		if len(line) < 4 || line[3] != '-' {
			return append(line, 0)[0]
		}
	}
	return 0
}

// isCommand reports whether a client whose DATA was refused goes on with a command.
func isCommand(rest []byte) bool {
	line, _ := cutLine(rest[:min(len(rest), 64)])
	verb, _, _ := strings.Cut(strings.ToUpper(string(line)), " ")
	return slices.Contains([]string{"", "RSET", "QUIT", "MAIL", "NOOP"}, verb)
}

// envelope is what a client says of a message before it hands it over.
type envelope struct {
	flow flow
	helo string
	from string
	to   []string
}

// maxRecipients bounds how many recipients of a message are remembered.
const maxRecipients = 1000

func (e *envelope) line(verb, line string) {
	switch verb {
	case "EHLO", "HELO", "LHLO":
		_, e.helo, _ = strings.Cut(line, " ")
	case "RSET":
		e.from, e.to = "", nil
	case "MAIL":
		e.from, e.to = pathOf(line), nil
	case "RCPT":
		if len(e.to) < maxRecipients {
			e.to = append(e.to, pathOf(line))
		}
	}
}

// pathOf is the address of "MAIL FROM:<a@example.org> BODY=8BITMIME", in lower case.
func pathOf(line string) string {
	_, path, _ := strings.Cut(line, ":")
	path, _, _ = strings.Cut(strings.TrimSpace(path), " ")
	return strings.ToLower(strings.Trim(path, "<>"))
}

// state states what both ends know of the delivery.
func (e *envelope) state(g *facts.Given) {
	const source = "SMTP"
	g.State("mail.envelope_from", besra.Text(e.from), besra.GradeAsserted, source)
	g.State("mail.envelope_to", append([]string{}, e.to...), besra.GradeAsserted, source)
	g.State("mail.client_ip", e.flow.src.String(), besra.GradeAsserted, "packets")
	g.State("mail.helo", besra.Text(strings.TrimSpace(e.helo)), besra.GradeWeak, source)
	g.State("mail.received", e.flow.at.UTC(), besra.GradeAsserted, "time of the first packet")
}

func chunk(args string) (size int, last bool) {
	number, rest, _ := strings.Cut(args, " ")
	size, err := strconv.Atoi(number)
	if err != nil || size < 0 {
		return 0, false
	}
	return size, strings.TrimSpace(rest) == "LAST"
}

func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), rest
}

// dotted reads a message up to the line that is a dot, and undoes the dots that
// were put before lines that begin with one.
func dotted(b []byte) (message, rest []byte) {
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n') + 1
		if end == 0 {
			end = len(b)
		}
		line := b[:end]
		b = b[end:]
		if string(bytes.TrimRight(line, "\r\n")) == "." {
			return message, b
		}
		message = append(message, bytes.TrimPrefix(line, []byte("."))...)
	}
	return message, nil
}

// message yields a message, with what state says of it besides itself.
func (d *dialogue) message(n int, message []byte, state func(*facts.Given)) error {
	if len(message) == 0 {
		return nil
	}
	return d.yield(object{name: "message-" + strconv.Itoa(n) + ".eml", context: besra.ContextMail, state: state,
		body: func() (io.Reader, error) { return bytes.NewReader(message), nil }})
}
