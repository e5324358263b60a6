package icap

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
)

// statusError is a request that cannot be served, with the status that says so.
type statusError struct {
	status int
	why    string
}

func (e *statusError) Error() string { return e.why }

func malformed(why string) error { return &statusError{400, why} }

const (
	maxHead    = 64 << 10  // of an ICAP message
	maxCarried = 256 << 10 // of the HTTP heads that it carries
	maxChunk   = 4 << 10   // of a line that begins a chunk
)

// request is the head of an ICAP request, and of the HTTP messages inside.
type request struct {
	method  string
	service string // path of the URI, without slashes around it
	header  textproto.MIMEHeader
	preview int // bytes; -1 where the client offers none

	reqHead, resHead []byte // as they came, with the empty line; nil where there is none
	body             bool   // whether a body follows
}

// readRequest reads up to where the body begins.
func readRequest(in *bufio.Reader) (*request, error) {
	head, err := readHead(in)
	if err != nil {
		return nil, err
	}
	r, err := parseHead(head)
	if err != nil {
		return nil, err
	}
	if r.method == "OPTIONS" && r.header.Get("Encapsulated") == "" {
		return r, nil
	}
	sections, err := parseEncapsulated(r.header.Get("Encapsulated"))
	if err != nil {
		return nil, err
	}
	return r, r.carried(in, sections)
}

// readHead reads lines up to an empty one, which is part of it. Empty lines
// before it are passed over.
func readHead(in *bufio.Reader) ([]byte, error) {
	var head []byte
	for size := 0; size <= maxHead; {
		line, err := in.ReadSlice('\n')
		size += len(line)
		if err == io.EOF && size > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil && err != bufio.ErrBufferFull {
			return nil, err
		}
		empty := len(bytes.TrimRight(line, "\r\n")) == 0 && err == nil
		if empty && len(head) == 0 {
			continue
		}
		begins := len(head) == 0 || head[len(head)-1] == '\n'
		head = append(head, line...)
		if empty && begins {
			return head, nil
		}
	}
	return nil, malformed("the head is too long")
}

func parseHead(head []byte) (*request, error) {
	line, rest, _ := bytes.Cut(head, []byte("\n"))
	words := strings.Fields(string(line))
	if len(words) != 3 || !strings.HasPrefix(words[2], "ICAP/") {
		return nil, malformed("the first line is no request of ICAP")
	}
	if words[2] != "ICAP/1.0" {
		return nil, &statusError{505, "version " + words[2]}
	}
	uri, err := url.Parse(words[1])
	if err != nil {
		return nil, malformed("the URI cannot be read")
	}
	header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(rest))).ReadMIMEHeader()
	if err != nil {
		return nil, malformed("the header cannot be read")
	}
	r := &request{method: words[0], service: strings.Trim(uri.Path, "/"), header: header, preview: -1}
	if p := header.Get("Preview"); p != "" {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil {
			return nil, malformed("Preview is no number")
		}
		r.preview = int(n)
	}
	return r, nil
}

// section is one entry of Encapsulated: what begins at which offset.
type section struct {
	name string
	at   int
}

// parseEncapsulated reads a list such as "req-hdr=0, res-hdr=137, res-body=296":
// heads first, in order, and one body at the end.
func parseEncapsulated(s string) ([]section, error) {
	var list []section
	for _, entry := range strings.Split(s, ",") {
		name, number, ok := strings.Cut(strings.TrimSpace(entry), "=")
		at, err := strconv.ParseUint(number, 10, 31)
		if !ok || err != nil {
			return nil, malformed("Encapsulated cannot be read")
		}
		list = append(list, section{strings.ToLower(name), int(at)})
	}
	order := []string{"req-hdr", "res-hdr", "body"}
	for i, sec := range list {
		kind := sec.name
		if last := i == len(list)-1; last != (strings.HasSuffix(kind, "-body")) {
			return nil, malformed("Encapsulated does not end with its only body")
		} else if last {
			kind = "body"
		}
		for len(order) > 0 && order[0] != kind {
			order = order[1:]
		}
		if len(order) == 0 || i == 0 && sec.at != 0 || i > 0 && sec.at < list[i-1].at || sec.at > maxCarried {
			return nil, malformed("Encapsulated lists what cannot be")
		}
		order = order[1:]
	}
	return list, nil
}

// carried reads the heads of the HTTP messages inside.
func (r *request) carried(in io.Reader, list []section) error {
	last := list[len(list)-1]
	all := make([]byte, last.at)
	if _, err := io.ReadFull(in, all); err != nil {
		return noEOF(err)
	}
	for i, sec := range list[:len(list)-1] {
		part := all[sec.at:list[i+1].at]
		if sec.name == "req-hdr" {
			r.reqHead = part
		} else {
			r.resHead = part
		}
	}
	r.body = last.name != "null-body"
	return nil
}

// noEOF makes an end in the middle an error.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// httpRequest reads the request inside; nil where there is none that can be read.
func (r *request) httpRequest() *http.Request {
	q, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(r.reqHead)))
	if err != nil {
		return nil
	}
	return q
}

// httpHeader reads the header of the message whose body is carried.
func (r *request) httpHeader() http.Header {
	head := r.reqHead
	if r.method == "RESPMOD" {
		head = r.resHead
	}
	_, rest, _ := bytes.Cut(head, []byte("\n"))
	h, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(rest))).ReadMIMEHeader()
	if err != nil {
		return http.Header{}
	}
	return http.Header(h)
}

// chunks reads a chunked body up to its last chunk and what follows it. The end
// is io.EOF; whole then says that a preview was all there is ("ieof").
type chunks struct {
	in    *bufio.Reader
	left  int64 // of the chunk under way
	begun bool  // a chunk was begun, so that its end must follow
	done  bool
	whole bool
}

// Read implements [io.Reader].
func (c *chunks) Read(p []byte) (int, error) {
	for c.left == 0 && !c.done {
		if err := c.next(); err != nil {
			return 0, noEOF(err)
		}
	}
	if c.done {
		return 0, io.EOF
	}
	n, err := c.in.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, noEOF(err)
}

// next begins a chunk.
func (c *chunks) next() error {
	if c.begun {
		if line, err := c.line(); err != nil || line != "" {
			return orMalformed(err, "a chunk is longer than it says")
		}
	}
	line, err := c.line()
	if err != nil {
		return err
	}
	digits, extension, _ := strings.Cut(line, ";")
	size, err := strconv.ParseUint(strings.TrimSpace(digits), 16, 63)
	if err != nil {
		return malformed(fmt.Sprintf("%.20q is no size of a chunk", digits))
	}
	c.left, c.begun = int64(size), true
	if size > 0 {
		return nil
	}
	c.done, c.whole = true, strings.EqualFold(strings.TrimSpace(extension), "ieof")
	return c.trailer()
}

// trailer passes over what follows the last chunk, up to an empty line.
func (c *chunks) trailer() error {
	for size := 0; size < maxHead; {
		line, err := c.line()
		if err != nil || line == "" {
			return err
		}
		size += len(line) + 2
	}
	return malformed("the trailer is too long")
}

// line reads a line that ends a chunk or begins one.
func (c *chunks) line() (string, error) {
	line, err := c.in.ReadSlice('\n')
	if err == bufio.ErrBufferFull || len(line) > maxChunk {
		return "", malformed("a line between chunks is too long")
	}
	return strings.TrimRight(string(line), "\r\n"), noEOF(err)
}

func orMalformed(err error, why string) error {
	if err != nil {
		return err
	}
	return malformed(why)
}

// broken reports whether err is a fault of what the client sent, rather than of
// the connection.
func broken(err error) (*statusError, bool) {
	var s *statusError
	return s, errors.As(err, &s)
}
