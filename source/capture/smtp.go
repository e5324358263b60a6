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
	if f.flow.proto != "tcp" || len(b) < 5 {
		return false
	}
	switch strings.ToUpper(string(b[:5])) {
	case "EHLO ", "HELO ", "LHLO ":
		return bytes.Contains(bytes.ToUpper(b[:min(len(b), 4096)]), []byte("MAIL FROM:"))
	}
	return false
}

// smtpTalk is where a client of SMTP stands.
type smtpTalk struct {
	answers int   // that belong to what it said so far, without the greeting
	came    int64 // bytes of the message that comes in chunks (RFC 3030)
	last    bool  // no chunk comes after this one
	open    bool  // one does
	envelope
}

// smtpHead reads a command.
func smtpHead(f *framer, b []byte) (int, error) {
	if bytes.HasPrefix(b, []byte("\x16\x03")) {
		return more, io.EOF // encrypted, behind STARTTLS
	}
	line, n, err := wholeLine(b)
	if n == more {
		return more, err
	}
	s := &f.smtp
	verb, args, _ := strings.Cut(strings.ToUpper(string(line[:min(len(line), maxCommand)])), " ")
	switch verb {
	case "DATA":
		next, ok := nextLine(b[n:], maxCommand)
		if !ok {
			return more, nil // nor may the server have answered
		}
		answer := f.heard.line(s.answers+2, endsAnswer)
		if len(answer) > 0 && answer[0] >= '4' && isCommand(next) {
			break
		}
		s.answers++ // to the message
		f.number++
		f.body = body{coding: dotted}
	case "BDAT":
		s.chunk(f, args)
	default:
		f.begins = !s.open && verb != "RCPT"
		s.line(verb, string(line[:min(len(line), maxLine)]))
	}
	s.answers++
	return n, nil
}

// endsAnswer reports whether a server's line is the last of its answer.
func endsAnswer(line []byte) bool { return len(line) < 4 || line[3] != '-' }

// chunk begins another chunk of a message, or the first.
func (s *smtpTalk) chunk(f *framer, args string) {
	if !s.open {
		f.number++
		s.came = 0
	}
	size, last := chunk(args)
	f.body = body{coding: counted, base: s.came, left: size}
	s.came, s.last, s.open = s.came+size, last, !last
}

// smtp yields each message that a client hands over, by DATA (RFC 5321, 4.1.1.4)
// or in chunks by BDAT.
func (d *dialogue) smtp() error {
	var chunks portion // of a message, put together
	var state framer
	_, err := d.bodies(func(f *framer, p portion) error {
		state = *f
		if p.coding == dotted {
			return d.delivered(f, p)
		}
		if chunks.coding == 0 {
			chunks, chunks.raw, chunks.size = p, nil, 0
		}
		chunks.raw, chunks.size = append(chunks.raw, p.raw...), chunks.size+int64(len(p.raw))
		chunks.short, chunks.goesOn = p.short, p.goesOn
		if !f.smtp.last && !p.short {
			return nil
		}
		whole := chunks
		chunks = portion{}
		return d.delivered(f, whole)
	})
	if chunks.coding == 0 || err != nil {
		return err
	}
	chunks.short, chunks.goesOn = true, d.window.goesOn
	return d.delivered(&state, chunks)
}

// delivered yields a message with its envelope.
func (d *dialogue) delivered(f *framer, p portion) error {
	e := f.smtp.envelope
	return d.message(f.number, p, func(g *facts.Given) { e.state(g, d.flow) })
}

// maxCommand is how far a command is looked for.
const maxCommand = 64

// isCommand reports whether a client whose DATA was refused goes on with a command.
func isCommand(line []byte) bool {
	verb, _, _ := strings.Cut(strings.ToUpper(string(line)), " ")
	return slices.Contains([]string{"", "RSET", "QUIT", "MAIL", "NOOP"}, verb)
}

// envelope is what a client says of a message before it hands it over.
type envelope struct {
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
func (e *envelope) state(g *facts.Given, f flow) {
	const source = "SMTP"
	g.State("mail.envelope_from", besra.Text(e.from), besra.GradeAsserted, source)
	g.State("mail.envelope_to", append([]string{}, e.to...), besra.GradeAsserted, source)
	g.State("mail.client_ip", f.src.String(), besra.GradeAsserted, "packets")
	g.State("mail.helo", besra.Text(strings.TrimSpace(e.helo)), besra.GradeWeak, source)
	g.State("mail.received", f.at.UTC(), besra.GradeAsserted, "time of the first packet")
}

func chunk(args string) (size int64, last bool) {
	number, rest, _ := strings.Cut(args, " ")
	size, err := strconv.ParseInt(number, 10, 62)
	if err != nil || size < 0 {
		return 0, false
	}
	return size, strings.TrimSpace(rest) == "LAST"
}

func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), rest
}

// message yields a message, with what state says of it besides itself.
func (d *dialogue) message(n int, p portion, state func(*facts.Given)) error {
	if p.size == 0 {
		return nil
	}
	o := p.object("message-" + strconv.Itoa(n) + ".eml")
	o.context, o.state = besra.ContextMail, state
	return d.yield(o)
}
