package icap

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/gateway"
	"github.com/besra-hunt/besra/source/httpbody"
)

// services names the methods of each service.
var services = map[string][]string{"reqmod": {"REQMOD"}, "respmod": {"RESPMOD"}, "scan": {"REQMOD", "RESPMOD"}}

// session is one connection, request after request.
type session struct {
	config *Config
	gate   *gateway.Gate
	conn   *gateway.Conn
	in     *bufio.Reader
	out    *reply
}

func newSession(c *Config, gate *gateway.Gate, conn *gateway.Conn) *session {
	return &session{c, gate, conn, bufio.NewReaderSize(conn, 16<<10), newReply(c, conn)}
}

// serve answers until the client, a fault, or the stopping of the gateway ends it.
func (s *session) serve() {
	for s.conn.Await(s.in) {
		s.conn.Head()
		r, err := readRequest(s.in)
		if err != nil {
			s.fail(err, s.conn.RemoteAddr().String(), besra.GapSkip)
			s.conn.Linger()
			return
		}
		s.conn.Transfer()
		keep, err := s.exchange(r)
		if err != nil || !keep {
			s.conn.Linger()
			return
		}
	}
}

// fail tells that something was not read, and the client why, where it is the
// client's fault.
func (s *session) fail(err error, name string, kind besra.GapKind) {
	reason := gateway.ReasonCut
	if fault, ok := broken(err); ok {
		reason = gateway.ReasonMalformed
		s.out.status(fault.status, true)
	} else if kind == besra.GapSkip {
		reason = gateway.ReasonMalformed // a connection that never said what it wants
	}
	s.gate.Gap(besra.Gap{Kind: kind, Target: besra.Text(name), Reason: reason, Detail: err.Error(), Count: 1})
}

// exchange answers one request, and reports whether another may follow.
func (s *session) exchange(r *request) (keep bool, err error) {
	keep = !strings.EqualFold(r.header.Get("Connection"), "close")
	methods, ok := services[r.service]
	switch {
	case !ok:
		return false, s.out.status(404, true)
	case r.method == "OPTIONS":
		return keep && !r.body, s.out.options(methods, !keep || r.body)
	case r.method != "REQMOD" && r.method != "RESPMOD":
		return false, s.out.status(501, true)
	case !slices.Contains(methods, r.method):
		return false, s.out.status(405, true)
	}
	e := &exchange{session: s, request: r, http: r.httpRequest(), last: !keep}
	e.name = e.targetName()
	e.body = &body{chunks: &chunks{in: s.in}, out: s.out, preview: r.body && r.preview >= 0, none: !r.body}
	return e.run()
}

// exchange is one REQMOD or RESPMOD.
type exchange struct {
	*session
	*request
	http *http.Request // nil where it was not sent, or cannot be read
	name string
	body *body
	last bool // the connection ends with it
}

// run reads the body, asks about it and does what the policy says.
func (e *exchange) run() (keep bool, err error) {
	if e.body.none {
		return !e.last, e.pass(nil, gateway.Verdict{})
	}
	raw, err := e.gate.Read(e.body)
	defer raw.Release()
	if err != nil {
		e.fail(err, e.name, besra.GapError)
		return false, err
	}
	verdict := e.config.Policy.Judge(e.ask(raw))
	e.conn.Transfer()
	if verdict.Action >= gateway.Quarantine {
		e.last = e.last || !e.body.ended()
		return !e.last, e.out.block(e.pageOf(verdict), verdict, e.last)
	}
	return !e.last, e.pass(raw, verdict)
}

// ask hands the object over: the body, without its content encodings.
func (e *exchange) ask(raw *gateway.Body) besra.Answer {
	encoding := e.httpHeader().Get("Content-Encoding")
	if encoding == "" || strings.EqualFold(encoding, "identity") {
		return e.gate.Ask(e.target(len(raw.Data)), raw)
	}
	plain, damage := e.decode(raw, encoding)
	if len(plain.Data) == 0 && damage != nil {
		plain.Release()
		plain = raw // better than nothing: the bytes as they are
	}
	a := e.gate.Ask(e.target(len(plain.Data)), plain)
	if raw.Over != nil && plain != raw {
		damage = raw.Over
	}
	if damage != nil {
		a.AddGap(e.tell(damage))
	}
	return a
}

// decode undoes the encodings; the error says why not to the end.
func (e *exchange) decode(raw *gateway.Body, encoding string) (*gateway.Body, error) {
	r, err := httpbody.Decode(bytes.NewReader(raw.Data), encoding)
	if err != nil {
		empty, _ := e.gate.Read(bytes.NewReader(nil))
		return empty, err
	}
	return e.gate.Read(r)
}

// tell reports that the object was not read to its end.
func (e *exchange) tell(err error) besra.Gap {
	g := besra.Gap{Kind: besra.GapError, Target: besra.Text(e.name), Reason: ReasonEncoding, Detail: err.Error(), Count: 1}
	var limit *besra.LimitError
	if errors.As(err, &limit) {
		g.Kind, g.Reason = besra.GapSkip, gateway.ReasonLimit
	}
	e.gate.Gap(g)
	return g
}

// ReasonEncoding says that a content encoding is not known, or damaged.
const ReasonEncoding = "encoding"

// pass lets the message through: with 204 where the client knows it, otherwise
// by sending it back as it came.
func (e *exchange) pass(raw *gateway.Body, v gateway.Verdict) error {
	if e.allows204() {
		if err := e.drain(); err != nil {
			return err
		}
		return e.out.unmodified(v, e.last)
	}
	head, kind := e.reqHead, "req"
	if e.method == "RESPMOD" {
		head, kind = e.resHead, "res"
	}
	if raw == nil {
		return e.out.echo(kind, head, nil, v, e.last)
	}
	return e.out.echo(kind, head, io.MultiReader(bytes.NewReader(raw.Data), e.body), v, e.last)
}

func (e *exchange) allows204() bool {
	for _, value := range e.header.Values("Allow") {
		for _, code := range strings.Split(value, ",") {
			if strings.TrimSpace(code) == "204" {
				return true
			}
		}
	}
	return e.request.preview >= 0 && !e.body.continued
}

// drain reads what is left of the body, so that the next request can follow.
func (e *exchange) drain() error {
	if e.body.none {
		return nil
	}
	_, err := io.Copy(io.Discard, e.body)
	if err != nil {
		e.fail(err, e.name, besra.GapError)
	}
	return err
}

// body reads an encapsulated body; where the preview was not all of it, the
// client is told to go on.
type body struct {
	*chunks
	out       *reply
	preview   bool // what is read is the preview
	continued bool
	none      bool
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	n, err := b.chunks.Read(p)
	if err != io.EOF || !b.preview || b.chunks.whole {
		return n, err
	}
	if err := b.out.goOn(); err != nil {
		return n, err
	}
	b.preview, b.continued = false, true
	b.chunks = &chunks{in: b.chunks.in}
	return b.chunks.Read(p)
}

// ended reports whether nothing of the body is left to come.
func (b *body) ended() bool { return b.none || b.done && (!b.preview || b.whole) }
