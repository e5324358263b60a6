package milter

import (
	"bufio"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
	"github.com/besra-hunt/besra/source/gateway"
)

// maxRecipients is how many recipients of one message are remembered.
const maxRecipients = 1000

// session is one connection of the mail server. It serves one client of the
// server, and one message after the other.
type session struct {
	config *Config
	gate   *gateway.Gate
	conn   *gateway.Conn
	in     *bufio.Reader

	agreed  negotiation
	host    string // of the client, as the server found its name
	address string
	helo    string
	macros  map[string]string
	mail    *mail // the message under way; nil between two
}

// mail is a message that is coming in.
type mail struct {
	from string
	to   []string
	body *gateway.Body
}

func newSession(c *Config, gate *gateway.Gate, conn *gateway.Conn) *session {
	return &session{config: c, gate: gate, conn: conn, in: bufio.NewReaderSize(conn, 64<<10), macros: map[string]string{}}
}

// errQuit ends a session in good order.
var errQuit = errors.New("quit")

// serve takes packet after packet until the server, a fault, or the stopping of
// the gateway ends it.
func (s *session) serve() {
	err := s.packets()
	if err != nil && err != errQuit {
		s.fail(err)
	}
	s.drop()
}

func (s *session) packets() error {
	for {
		// Between messages the gateway may stop; within one it waits.
		if s.mail == nil {
			if !s.conn.Await(s.in) {
				return nil
			}
			s.conn.Head()
		}
		p, err := readPacket(s.in)
		if err != nil {
			return err
		}
		if p.command == cmdMail {
			s.conn.Transfer()
		}
		reply, err := s.command(p)
		if err != nil {
			return err
		}
		if len(reply) == 0 {
			continue
		}
		if _, err := s.conn.Write(reply); err != nil {
			return err
		}
	}
}

// fail tells of a message that was not looked at, or of a server that does not
// keep to the protocol.
func (s *session) fail(err error) {
	var bad *malformed
	switch {
	case errors.As(err, &bad):
		s.gate.Gap(besra.Gap{Kind: besra.GapError, Target: besra.Text(s.name()), Reason: gateway.ReasonMalformed, Detail: err.Error(), Count: 1})
	case s.mail != nil:
		s.gate.Gap(besra.Gap{Kind: besra.GapError, Target: besra.Text(s.name()), Reason: gateway.ReasonCut, Detail: err.Error(), Count: 1})
	}
}

// drop gives the message under way up.
func (s *session) drop() {
	if s.mail != nil {
		s.mail.body.Release()
		s.forget()
	}
}

// forget ends a message: what was said of it does not hold for the next.
func (s *session) forget() {
	s.mail = nil
	delete(s.macros, "i")
	delete(s.macros, "auth_authen")
}

// command obeys one packet and returns the reply; empty where none is due.
func (s *session) command(p packet) ([]byte, error) {
	var err error
	switch p.command {
	case cmdNegotiate:
		return s.negotiate(p.data)
	case cmdMacro:
		return nil, s.macro(p.data)
	case cmdAbort:
		s.drop()
		return nil, nil
	case cmdQuit:
		return nil, errQuit
	case cmdQuitNew:
		s.drop()
		s.host, s.address, s.helo = "", "", ""
		clear(s.macros)
		return nil, nil
	case cmdEndBody:
		return s.decide(p.data)
	case cmdConnect:
		s.host, s.address, err = connection(p.data)
	case cmdHelo:
		s.helo, err = first(p.data)
	case cmdMail:
		err = s.begin(p.data)
	case cmdRcpt:
		err = s.recipient(p.data)
	case cmdHeader:
		err = s.header(p.data)
	case cmdEndHeader, cmdBody:
		err = s.content(p)
	case cmdData, cmdUnknown:
	default:
		err = &malformed{fmt.Sprintf("command %q", p.command)}
	}
	if err != nil || s.agreed.steps&quiet[p.command] != 0 {
		return nil, err
	}
	return appendPacket(nil, replyContinue), nil
}

func (s *session) negotiate(data []byte) ([]byte, error) {
	offered, err := readNegotiation(data)
	if err != nil {
		return nil, err
	}
	s.agreed = offered.agree()
	return appendPacket(nil, cmdNegotiate, s.agreed.String()), nil
}

// macro remembers what the server says of its own accord: pairs behind the
// command that they belong to.
func (s *session) macro(data []byte) error {
	if len(data) == 0 {
		return &malformed{"macros without their command"}
	}
	list, err := texts(data[1:])
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(list); i += 2 {
		if name := strings.Trim(list[i], "{}"); name == "i" || name == "auth_authen" || name == "j" {
			s.macros[name] = list[i+1]
		}
	}
	return nil
}

func first(data []byte) (string, error) {
	list, err := texts(data)
	if err != nil || len(list) == 0 {
		return "", &malformed{"a command without its argument"}
	}
	return list[0], nil
}

// begin opens a message.
func (s *session) begin(data []byte) error {
	from, err := first(data)
	if err != nil {
		return err
	}
	if s.mail != nil { // its macros came before it, and stay
		s.mail.body.Release()
	}
	s.mail = &mail{from: bare(from), body: s.gate.NewBody()}
	return nil
}

func (s *session) recipient(data []byte) error {
	to, err := first(data)
	if err != nil {
		return err
	}
	if s.mail == nil {
		return &malformed{"a recipient of no message"}
	}
	if len(s.mail.to) < maxRecipients {
		s.mail.to = append(s.mail.to, bare(to))
	}
	return nil
}

// bare is an address as facts hold it.
func bare(address string) string { return strings.ToLower(strings.Trim(address, "<>")) }

// header adds a line of the head, or several where it is folded.
func (s *session) header(data []byte) error {
	list, err := texts(data)
	if err != nil || len(list) != 2 {
		return &malformed{"a header that is no pair"}
	}
	if s.mail == nil {
		return &malformed{"a header of no message"}
	}
	s.trace()
	separator := ": "
	if s.agreed.steps&leadingSpace != 0 {
		separator = ":"
	}
	value := strings.ReplaceAll(strings.ReplaceAll(list[1], "\r\n", "\n"), "\n", "\r\n")
	s.mail.body.Append([]byte(list[0] + separator + value + "\r\n"))
	return nil
}

// trace puts on top what the server will: it makes anything a message, whatever
// its sender left out.
func (s *session) trace() {
	if len(s.mail.body.Data) > 0 {
		return
	}
	s.mail.body.Append(fmt.Appendf(nil, "Return-Path: <%s>\r\nReceived: from %s (%s [%s]) by %s with milter id %s; %s\r\n", s.mail.from,
		word(s.helo), word(s.host), s.address, word(s.macros["j"]), word(s.macros["i"]), time.Now().Format(time.RFC1123Z)))
}

// word is a text as one word of a header.
func word(s string) string {
	if s = strings.Join(strings.Fields(s), ""); s == "" {
		return "unknown"
	}
	return s
}

// content adds the empty line behind the head, or a piece of the body.
func (s *session) content(p packet) error {
	if s.mail == nil {
		return &malformed{"content of no message"}
	}
	s.trace()
	if p.command == cmdEndHeader {
		p.data = []byte("\r\n")
	}
	s.mail.body.Append(p.data)
	return nil
}

// decide asks about the message and answers by the policy.
func (s *session) decide(data []byte) ([]byte, error) {
	if s.mail == nil {
		return nil, &malformed{"the end of no message"}
	}
	s.trace()
	s.mail.body.Append(data)
	answer := s.gate.Ask(s.target(), s.mail.body)
	s.forget() // its body is released by who scans it
	return s.verdict(s.config.Policy.Judge(answer)), nil
}

// verdict is the reply at the end of a message.
func (s *session) verdict(v gateway.Verdict) []byte {
	var b []byte
	switch reason := v.Reason(); {
	case v.Gap != nil && (v.Gap.Reason == gateway.ReasonLate || v.Gap.Reason == "interrupted"):
		return appendPacket(b, replyCode, "451 4.7.1 Not looked at yet, try again later\x00")
	case v.Action == gateway.Quarantine && s.agreed.actions&mayQuarantine != 0:
		b = appendPacket(b, replyQuarantine, reason, "\x00")
	case v.Action >= gateway.Quarantine:
		return appendPacket(b, replyCode, "550 5.7.1 Refused: ", strings.ReplaceAll(reason, "%", "?"), "\x00")
	}
	if v.Action >= gateway.Log && s.agreed.actions&mayAddHeaders != 0 {
		b = appendPacket(b, replyAddHeader, "X-Besra\x00", s.space(), v.Action.String(), "; ", v.Reason(), "\x00")
	}
	return appendPacket(b, replyContinue)
}

// space stands before the value of a header that is added, where the server
// puts none.
func (s *session) space() string {
	if s.agreed.steps&leadingSpace != 0 {
		return " "
	}
	return ""
}

// name is the server's identifier of the message, or who sent it.
func (s *session) name() string {
	switch id := s.macros["i"]; {
	case id != "":
		return "mail:" + id
	case s.mail != nil && s.mail.from != "":
		return "mail:from " + s.mail.from
	}
	return "mail:by " + word(s.address)
}

// target is the message, without its bytes.
func (s *session) target() besra.Target {
	const source = "mail server, by milter"
	g := facts.NewGiven(besra.ContextMail, s.config.Facts)
	g.State("file.size", int64(len(s.mail.body.Data)), besra.GradeVerified, "message that came in")
	g.State("mail.envelope_from", besra.Text(s.mail.from), besra.GradeAsserted, source)
	g.State("mail.envelope_to", append([]string{}, s.mail.to...), besra.GradeAsserted, source)
	g.State("mail.received", time.Now().UTC(), besra.GradeAsserted, source)
	if ip, err := netip.ParseAddr(s.address); err == nil {
		g.State("mail.client_ip", ip.Unmap().String(), besra.GradeAsserted, source)
	}
	if s.helo != "" {
		g.State("mail.helo", besra.Text(s.helo), besra.GradeWeak, source)
	}
	if user := s.macros["auth_authen"]; user != "" {
		g.State("mail.user", besra.Text(user), besra.GradeAsserted, source)
	}
	return besra.Target{Name: s.name(), Context: besra.ContextMail, Facts: g}
}
