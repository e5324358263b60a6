package capture

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

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
	return newQuestion(r).host
}

// httpHead is the header of a message whose body is next.
type httpHead struct {
	question *question // that it belongs to; nil where it is not known
	header   http.Header
	answers  bool   // it is a response
	interim  bool   // that answers nothing
	leaves   bool   // what follows may be of another protocol
	other    string // that protocol, once it is
}

// host is that of the request under way, or that is answered next.
func (f *framer) host() string {
	if f == nil {
		return ""
	}
	q := f.http.question
	if f.body.coding == 0 {
		q = f.asked.of(f.number + 1)
	}
	if q == nil {
		return ""
	}
	return q.host
}

// leave takes the rest of the direction for another protocol's, where it does not
// go on as HTTP does.
func (f *framer) leave(b []byte, begins ...string) bool {
	if !f.http.leaves || len(b) == 0 || slices.ContainsFunc(begins, func(s string) bool { return strings.HasPrefix(s, string(b[:min(len(b), len(s))])) }) {
		return false
	}
	f.http.other = cmp.Or(f.http.header.Get("Upgrade"), http.MethodConnect)
	f.body = body{coding: counted, left: toTheEnd}
	return true
}

// requestHead reads the header of a request.
func requestHead(f *framer, b []byte) (int, error) {
	if f.leave(b, methods...) {
		return 0, nil
	}
	skip, n, err := headerEnd(b)
	if n == more || err != nil {
		return more, err
	}
	r, err := http.ReadRequest(bufio.NewReaderSize(bytes.NewReader(b[skip:n]), n))
	if err != nil {
		return more, err
	}
	f.begin()
	q := newQuestion(r)
	f.http = httpHead{question: q, header: r.Header, leaves: q.tunnels() || r.Header.Get("Upgrade") != ""}
	f.asked.add(f.http.question)
	f.body = httpBody(r.Body, r.ContentLength, r.TransferEncoding != nil)
	return n, nil
}

// responseHead reads the header of a response, which answers the request of the
// same number.
func responseHead(f *framer, b []byte) (int, error) {
	if f.leave(b, "HTTP/1.") {
		return 0, nil
	}
	skip, n, err := headerEnd(b)
	if n == more || err != nil {
		return more, err
	}
	number := f.number
	if !f.http.interim {
		number++
	}
	q := f.asked.of(number)
	r, err := http.ReadResponse(bufio.NewReaderSize(bytes.NewReader(b[skip:n]), n), q.request())
	if err != nil {
		return more, err
	}
	if !f.http.interim {
		f.begin()
	}
	f.http = httpHead{question: q, header: r.Header, answers: true}
	switch {
	case r.StatusCode == http.StatusSwitchingProtocols, q.tunnels() && r.StatusCode/100 == 2:
		f.http.leaves = true
	case r.StatusCode < 200:
		f.http.interim = true
	default:
		f.body = httpBody(r.Body, r.ContentLength, r.TransferEncoding != nil)
	}
	return n, nil
}

// headerEnd finds the empty line behind a header, and the empty lines before it.
func headerEnd(b []byte) (skip, n int, err error) {
	for n <= maxHead {
		line, size, err := wholeLine(b[n:])
		if size == more {
			return 0, more, err
		}
		n += size
		switch {
		case len(line) > 0:
		case n == skip+size:
			skip = n
		default:
			return skip, n, nil
		}
	}
	return 0, more, errHead
}

// httpBody is the body that a header announces.
func httpBody(b io.ReadCloser, length int64, inChunks bool) body {
	switch {
	case b == http.NoBody:
		return body{}
	case inChunks:
		return body{coding: chunked}
	case length >= 0:
		return body{coding: counted, left: min(length, toTheEnd-1)}
	}
	return body{coding: counted, left: toTheEnd}
}

// requests yields what was uploaded.
func (d *dialogue) requests() error {
	return d.http(func(q *question) string { return q.method + " " })
}

// responses yields what came with the responses, each with the request that it
// answers where the other direction is known.
func (d *dialogue) responses() error {
	if d.framer.asked == nil {
		d.framer.asked = questionsIn(d.window.other)
	}
	return d.http(func(*question) string { return "" })
}

// http yields the bodies of one direction.
func (d *dialogue) http(prefix func(*question) string) error {
	var parts ranges
	rest, err := d.bodies(func(f *framer, p portion) error {
		if p.size == 0 {
			return nil
		}
		h := f.http
		o := p.object(prefix(h.question) + h.question.name())
		o.state = h.question.state
		if h.other != "" {
			return d.changed(h, o, p)
		}
		if ok, err := parts.take(o, h, p); ok || err != nil {
			return err
		}
		return d.decoded(o, h.header, p)
	})
	if err == nil || errors.As(err, new(*objectError)) {
		err = cmp.Or(d.ranges(&parts), err)
	}
	if err == nil && len(rest) > 0 {
		return &objectError{io.ErrUnexpectedEOF}
	}
	return err
}

// decoded yields a body without its encoding, and each part of one that has
// parts. Of those, only the beginning is read where they are longer than a
// window.
func (d *dialogue) decoded(o object, header http.Header, p portion) error {
	coding, boundary := header.Get("Content-Encoding"), httpbody.Boundary(header)
	if (coding == "" || coding == "identity") && boundary == "" {
		return d.yield(o)
	}
	if p.at > 0 {
		return nil
	}
	o.place = nil
	o.body = func() (io.Reader, error) { return httpbody.Decode(bytes.NewReader(p.bytes()), coding) }
	if boundary == "" {
		return d.yield(o)
	}
	return d.parts(o, boundary)
}

// parts yields each part of a multipart body.
func (d *dialogue) parts(whole object, boundary string) error {
	r, err := whole.body()
	if err != nil {
		d.tellCut(whole, err)
		return nil
	}
	in := multipart.NewReader(r, boundary)
	for i := 1; ; i++ {
		p, err := in.NextRawPart()
		if err != nil {
			if err != io.EOF {
				d.tellCut(whole, err)
			}
			return nil
		}
		part := whole
		part.short = false
		part.name += "!" + httpbody.PartName(p, i)
		part.body = func() (io.Reader, error) { return p, nil }
		if err := d.yield(part); err != nil {
			return err
		}
	}
}

func requestURL(r *http.Request) *url.URL {
	u := *r.URL
	if u.Host == "" {
		u.Scheme, u.Host = "http", r.Host
	}
	return &u
}
