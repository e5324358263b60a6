package capture

import (
	"bufio"
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
	"github.com/besra-hunt/besra/source/httpbody"
)

var methods = []string{"GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE ", "PROPFIND ", "REPORT ", "MERGE ", "LOCK "}

// isRequest looks for a method, a target and the protocol on the first line.
func isRequest(b []byte) bool {
	for _, m := range methods {
		if bytes.HasPrefix(b, []byte(m)) {
			line, _, ok := bytes.Cut(b[:min(len(b), 16<<10)], []byte("\n"))
			return ok && bytes.Contains(line, []byte(" HTTP/1."))
		}
	}
	return false
}

func isResponse(b []byte) bool { return bytes.HasPrefix(b, []byte("HTTP/1.")) }

// requestHost is the Host of the first request.
func requestHost(b []byte) string {
	if !isRequest(b) {
		return ""
	}
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
	if err != nil {
		return ""
	}
	host, _, _ := strings.Cut(r.Host, ":")
	return host
}

// http yields the bodies of one direction: what was uploaded in requests, or
// what came with responses.
func (d *dialogue) http() error {
	if isRequest(d.content) {
		return d.requests()
	}
	return d.responses()
}

// httpMessages reads one message after the other, and knows where it is.
type httpMessages struct {
	*bufio.Reader
	content []byte
	from    *bytes.Reader
}

func newHTTPMessages(content []byte) *httpMessages {
	from := bytes.NewReader(content)
	return &httpMessages{bufio.NewReader(from), content, from}
}

// rest is what was not read.
func (m *httpMessages) rest() []byte { return m.content[len(m.content)-m.from.Len()-m.Buffered():] }

// skip goes on behind n bytes of the rest.
func (m *httpMessages) skip(n int) {
	m.from.Reset(m.rest()[n:])
	m.Reset(m.from)
}

func (d *dialogue) requests() error {
	in := newHTTPMessages(d.content)
	for {
		r, err := http.ReadRequest(in.Reader)
		if err != nil {
			return endOf(err)
		}
		m := httpMessage{in: in, request: r, header: r.Header, length: r.ContentLength, coded: r.TransferEncoding != nil, body: r.Body}
		if err := d.body(m, r.Method+" "); err != nil {
			return err
		}
	}
}

// responses pairs each response with the request that it answers, where the
// other direction is at hand.
func (d *dialogue) responses() error {
	in := newHTTPMessages(d.content)
	asked := bufio.NewReader(bytes.NewReader(d.facts.peer.other))
	for {
		if _, err := in.Peek(1); err != nil {
			return endOf(err)
		}
		request, _ := http.ReadRequest(asked)
		if request != nil {
			io.Copy(io.Discard, request.Body)
		}
		r, err := readResponse(in.Reader, request)
		if err != nil {
			return endOf(err)
		}
		m := httpMessage{in: in, request: request, header: r.Header, length: r.ContentLength, coded: r.TransferEncoding != nil, body: r.Body}
		if err := d.body(m, ""); err != nil {
			return err
		}
		if r.StatusCode == http.StatusSwitchingProtocols {
			return nil // what follows is another protocol
		}
	}
}

// readResponse passes over interim responses, which answer nothing.
func readResponse(in *bufio.Reader, request *http.Request) (*http.Response, error) {
	for {
		r, err := http.ReadResponse(in, request)
		if err != nil || r.StatusCode >= 200 || r.StatusCode == http.StatusSwitchingProtocols {
			return r, err
		}
	}
}

// endOf takes the end of the direction for its end; anything else is damage.
func endOf(err error) error {
	if err == io.EOF {
		return nil
	}
	return &objectError{err}
}

// httpMessage is a request or a response whose body is next.
type httpMessage struct {
	in      *httpMessages
	request *http.Request // that it belongs to; nil where it is not known
	header  http.Header
	length  int64 // of the body; -1 up to the end
	coded   bool  // for the transfer
	body    io.ReadCloser
}

// place is where the body lies in the direction, as far as it is there; not so
// where it is in chunks, or has parts.
func (m httpMessage) place() (body []byte, ok bool) {
	if m.coded || httpbody.Boundary(m.header) != "" {
		return nil, false
	}
	rest := m.in.rest()
	if m.length >= 0 {
		rest = rest[:min(m.length, int64(len(rest)))]
	}
	return rest, true
}

// body yields a message's body, and what it leaves unread passes over.
func (d *dialogue) body(m httpMessage, prefix string) error {
	if m.body == http.NoBody {
		return nil
	}
	o := object{name: prefix + objectName(m.request), state: func(g *facts.Given) { requestFacts(g, m.request) }}
	coding := m.header.Get("Content-Encoding")
	if body, ok := m.place(); ok {
		defer m.in.skip(len(body))
		switch {
		case len(body) == 0:
			return nil
		case coding == "" || coding == "identity":
			o.place, o.cut = body, int64(len(body)) < m.length
		default:
			o.body = func() (io.Reader, error) { return httpbody.Decode(bytes.NewReader(body), coding) }
		}
		return d.yield(o)
	}
	defer io.Copy(io.Discard, m.body)
	in := bufio.NewReader(m.body)
	if _, err := in.Peek(1); err == io.EOF {
		return nil
	}
	o.body = func() (io.Reader, error) { return httpbody.Decode(in, coding) }
	boundary := httpbody.Boundary(m.header)
	if boundary == "" {
		return d.yield(o)
	}
	return d.parts(o, boundary)
}

// parts yields each part of a multipart body.
func (d *dialogue) parts(whole object, boundary string) error {
	r, err := whole.body()
	if err != nil {
		return &objectError{err}
	}
	in := multipart.NewReader(r, boundary)
	for i := 1; ; i++ {
		p, err := in.NextRawPart()
		if err != nil {
			return endOf(err)
		}
		part := whole
		part.name += "!" + httpbody.PartName(p, i)
		part.body = func() (io.Reader, error) { return p, nil }
		if err := d.yield(part); err != nil {
			return err
		}
	}
}

// objectName is the URL of the request, or a word where it is not known.
func objectName(r *http.Request) string {
	if r == nil {
		return "response"
	}
	return requestURL(r).String()
}

func requestURL(r *http.Request) *url.URL {
	u := *r.URL
	if u.Host == "" {
		u.Scheme, u.Host = "http", r.Host
	}
	return &u
}

func requestFacts(g *facts.Given, r *http.Request) {
	if r == nil {
		return
	}
	const source = "HTTP request"
	host, _, _ := strings.Cut(r.Host, ":")
	g.State("net.url", besra.Text(requestURL(r).String()), besra.GradeWeak, source)
	if host != "" {
		g.State("net.host", besra.Text(host), besra.GradeWeak, source)
	}
	if agent := r.UserAgent(); agent != "" {
		g.State("net.user_agent", besra.Text(agent), besra.GradeWeak, source)
	}
}
