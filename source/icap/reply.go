package icap

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/besra-hunt/besra/source/gateway"
)

var statusTexts = map[int]string{100: "Continue", 200: "OK", 204: "No Modifications Needed", 400: "Bad Request", 404: "ICAP Service Not Found",
	405: "Method Not Allowed For Service", 501: "Method Not Implemented", 503: "Service Overloaded", 505: "ICAP Version Not Supported"}

// reply writes what the server says.
type reply struct {
	config *Config
	w      *bufio.Writer
}

func newReply(c *Config, w io.Writer) *reply { return &reply{c, bufio.NewWriter(w)} }

// head writes the status and the header up to its end; more holds lines.
func (r *reply) head(status int, last bool, more ...string) {
	fmt.Fprintf(r.w, "ICAP/1.0 %d %s\r\nISTag: %q\r\nServer: %s\r\n", status, statusTexts[status], r.config.Tag, r.config.Service)
	fmt.Fprintf(r.w, "Date: %s\r\n", time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	if last {
		io.WriteString(r.w, "Connection: close\r\n")
	}
	for _, line := range more {
		io.WriteString(r.w, line+"\r\n")
	}
	io.WriteString(r.w, "\r\n")
}

const noBody = "Encapsulated: null-body=0"

// status writes a reply that is nothing but its status.
func (r *reply) status(status int, last bool) error {
	r.head(status, last, noBody)
	return r.w.Flush()
}

// goOn asks for the rest of a body behind its preview.
func (r *reply) goOn() error {
	io.WriteString(r.w, "ICAP/1.0 100 Continue\r\n\r\n")
	return r.w.Flush()
}

// options says what is spoken here.
func (r *reply) options(methods []string, last bool) error {
	r.head(200, last, "Methods: "+strings.Join(methods, ", "), "Service: "+r.config.Service, "Service-ID: besra",
		fmt.Sprintf("Max-Connections: %d", r.config.Limits.Connections), "Options-TTL: 600", "Allow: 204",
		fmt.Sprintf("Preview: %d", r.config.Preview), "Transfer-Preview: *", noBody)
	return r.w.Flush()
}

// unmodified lets the message through as the client has it.
func (r *reply) unmodified(v gateway.Verdict, last bool) error {
	r.head(204, last, append(found(v), noBody)...)
	return r.w.Flush()
}

// echo sends a message back as it came.
func (r *reply) echo(kind string, head []byte, body io.Reader, v gateway.Verdict, last bool) error {
	name := kind + "-body"
	if body == nil {
		name = "null-body"
	}
	sections := fmt.Sprintf("%s=%d", name, len(head))
	if len(head) > 0 {
		sections = kind + "-hdr=0, " + sections
	}
	r.head(200, last, append(found(v), "Encapsulated: "+sections)...)
	r.w.Write(head)
	if body == nil {
		return r.w.Flush()
	}
	return r.chunked(body)
}

// block answers with a page in place of the message.
func (r *reply) block(page []byte, v gateway.Verdict, last bool) error {
	head := fmt.Sprintf("HTTP/1.1 403 Forbidden\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n"+
		"Cache-Control: no-store\r\nConnection: close\r\n\r\n", len(page))
	return r.echo("res", []byte(head), bytes.NewReader(page), v, last)
}

// chunked writes a body in chunks.
func (r *reply) chunked(body io.Reader) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			fmt.Fprintf(r.w, "%x\r\n", n)
			r.w.Write(buf[:n])
			io.WriteString(r.w, "\r\n")
		}
		if err == io.EOF {
			io.WriteString(r.w, "0\r\n\r\n")
			return r.w.Flush()
		}
		if err != nil {
			r.w.Flush()
			return err
		}
	}
}

// found are the headers by which proxies learn what was found.
func found(v gateway.Verdict) []string {
	if v.Action == gateway.Allow {
		return nil
	}
	resolution := 0 // not repaired, passed on
	if v.Action >= gateway.Quarantine {
		resolution = 2
	}
	return []string{fmt.Sprintf("X-Infection-Found: Type=0; Resolution=%d; Threat=%s;", resolution, strings.ReplaceAll(v.Reason(), ";", ",")),
		"X-Virus-ID: " + v.Reason()}
}
