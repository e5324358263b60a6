package icap

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/gateway"
	"github.com/besra-hunt/besra/source/sourcetest"
)

// judge is a receiver that finds the word EVIL, as a run would, and opens up
// forms.
type judge struct {
	sourcetest.Recorder
	mu       sync.Mutex
	contents map[string]string
}

func (j *judge) Target(t besra.Target) error {
	if err := j.Recorder.Target(t); err != nil {
		return err
	}
	var a besra.Answer
	j.look(t, &a)
	t.Done(a)
	return nil
}

func (j *judge) look(t besra.Target, a *besra.Answer) {
	c, err := t.Open(context.Background())
	if err != nil {
		a.AddGap(besra.Gap{Reason: "limit"})
		return
	}
	defer c.Close()
	j.mu.Lock()
	if j.contents == nil {
		j.contents = map[string]string{}
	}
	j.contents[t.Name] = string(c.Bytes())
	j.mu.Unlock()
	if bytes.Contains(c.Bytes(), []byte("EVIL")) {
		a.AddFinding(&besra.Finding{ID: "f00d", Severity: besra.SeverityHigh, Detection: besra.DetectionRef{Title: "A <title>"},
			Rule: besra.RuleRef{Name: "Evil_Rule", Author: "A. Author", License: "DRL 1.1"}, Target: besra.TargetRef{Name: besra.Text(t.Name)}})
	}
	if (Expander{}).Kind(t, c.Bytes()) != "" {
		inner := &sourcetest.Recorder{On: func(t besra.Target) error { j.look(t, a); return nil }}
		if err := (Expander{}).Expand(context.Background(), t, c.Bytes(), sourcetest.Ample(), inner); err != nil {
			a.AddGap(besra.Gap{Reason: "damaged"})
		}
	}
}

type server struct{ *sourcetest.Server }

func start(t *testing.T, c Config, to besra.Receiver) server {
	t.Helper()
	return server{sourcetest.Serve(t, to, func(ctx context.Context, listen string, listening func(net.Addr)) (besra.Source, error) {
		c.Stop, c.Address.Listen, c.Address.Listening = ctx, listen, listening
		if c.Tag == "" {
			c.Tag, c.Service = "tag-1", "Besra test"
		}
		return New(c)
	})}
}

func (s server) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Address)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { c.Close() })
	return c
}

// talk sends bytes and returns all that comes until the server closes.
func (s server) talk(t *testing.T, request string) string {
	t.Helper()
	c := s.dial(t)
	defer c.Close()
	go io.WriteString(c, request)
	b, err := io.ReadAll(c)
	if err != nil && len(b) == 0 {
		t.Fatal(err)
	}
	return string(b)
}

const (
	get  = "GET /origin-resource HTTP/1.1\r\nHost: www.origin-server.example\r\nUser-Agent: curl/8\r\n\r\n"
	post = "POST /form.pl HTTP/1.1\r\nHost: www.origin-server.example\r\nContent-Type: application/octet-stream\r\n\r\n"
	ok   = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
)

// chunked writes each part as a chunk, and the end.
func chunked(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(p), p)
	}
	return b.String() + "0\r\n\r\n"
}

func reqmod(more, head, body string) string {
	return fmt.Sprintf("REQMOD icap://icap.example/reqmod ICAP/1.0\r\nHost: icap.example\r\nX-Client-IP: 192.0.2.7\r\n%sEncapsulated: req-hdr=0, req-body=%d\r\n\r\n%s%s",
		more, len(head), head, body)
}

func respmod(more, head, body string) string {
	return fmt.Sprintf("RESPMOD icap://icap.example/respmod ICAP/1.0\r\nHost: icap.example\r\n%sEncapsulated: req-hdr=0, res-hdr=%d, res-body=%d\r\n\r\n%s%s%s",
		more, len(get), len(get)+len(head), get, head, body)
}

// last makes the server close behind the reply.
const last = "Connection: close\r\n"

func TestExchanges(t *testing.T) {
	form := "POST /up HTTP/1.1\r\nHost: h.example\r\nContent-Type: multipart/form-data; boundary=XX\r\n\r\n"
	tests := []struct {
		name    string
		request string
		want    []string // parts of the reply, in order
		never   string
		target  string // "name=content" of a target; empty where none is wanted
	}{
		{"options", "OPTIONS icap://h/reqmod ICAP/1.0\r\nHost: h\r\n" + last + "\r\n",
			[]string{"ICAP/1.0 200 OK\r\nISTag: \"tag-1\"\r\n", "Methods: REQMOD\r\n", "Max-Connections: 100\r\n", "Allow: 204\r\n", "Preview: 4096\r\n", "Encapsulated: null-body=0\r\n\r\n"}, "", ""},
		{"options of both", "OPTIONS icap://h/scan ICAP/1.0\r\nHost: h\r\n" + last + "\r\n", []string{"Methods: REQMOD, RESPMOD\r\n"}, "", ""},
		{"a request without body, echoed", "REQMOD icap://h/reqmod ICAP/1.0\r\nHost: h\r\n" + last + fmt.Sprintf("Encapsulated: req-hdr=0, null-body=%d\r\n\r\n%s", len(get), get),
			[]string{"ICAP/1.0 200 OK\r\n", fmt.Sprintf("Encapsulated: req-hdr=0, null-body=%d\r\n\r\n", len(get)), get}, "", ""},
		{"an upload, echoed", reqmod(last, post, chunked("I am posting", " this.")),
			[]string{"ICAP/1.0 200 OK\r\n", fmt.Sprintf("Encapsulated: req-hdr=0, req-body=%d\r\n\r\n", len(post)), post, "12\r\nI am posting this.\r\n0\r\n\r\n"},
			"X-Infection", "POST http://www.origin-server.example/form.pl=I am posting this."},
		{"an upload, 204", reqmod(last+"Allow: 204\r\n", post, chunked("fine")), []string{"ICAP/1.0 204 No Modifications Needed\r\n", "ISTag", "Connection: close\r\n"}, "fine", "POST http://www.origin-server.example/form.pl=fine"},
		{"a download, blocked", respmod(last+"Allow: 204\r\n", ok, chunked("some EV", "IL thing")),
			[]string{"ICAP/1.0 200 OK\r\n", "X-Infection-Found: Type=0; Resolution=2; Threat=Evil_Rule by A. Author;\r\n", "Encapsulated: res-hdr=0, res-body=", "HTTP/1.1 403 Forbidden\r\n",
				"A &lt;title&gt;", "Evil_Rule", "A. Author", "DRL 1.1", "\r\n0\r\n\r\n"}, "IL thing", "http://www.origin-server.example/origin-resource=some EVIL thing"},
		{"an upload, blocked", reqmod(last, post, chunked("EVIL")), []string{"Encapsulated: res-hdr=0, res-body=", "HTTP/1.1 403 Forbidden\r\n"}, "Encapsulated: req-hdr", "POST http://www.origin-server.example/form.pl=EVIL"},
		{"a preview that is all", respmod(last+"Preview: 100\r\n", ok, "5\r\nshort\r\n0; ieof\r\n\r\n"), []string{"ICAP/1.0 204 "}, "100 Continue", "http://www.origin-server.example/origin-resource=short"},
		{"a preview, and the rest", respmod(last+"Preview: 4\r\nAllow: 204\r\n", ok, "4\r\nlong\r\n0\r\n\r\n"+chunked("er body")),
			[]string{"ICAP/1.0 100 Continue\r\n\r\n", "ICAP/1.0 204 "}, "", "http://www.origin-server.example/origin-resource=longer body"},
		{"a preview, and the rest, without 204", respmod(last+"Preview: 4\r\n", ok, "4\r\nlong\r\n0\r\n\r\n"+chunked("er body")),
			[]string{"ICAP/1.0 100 Continue\r\n\r\n", "ICAP/1.0 200 OK\r\n", ok, "b\r\nlonger body\r\n0\r\n\r\n"}, "", "http://www.origin-server.example/origin-resource=longer body"},
		{"an empty preview", respmod(last+"Preview: 0\r\n", ok, "0\r\n\r\n"+chunked("EVIL")), []string{"100 Continue\r\n\r\n", "403 Forbidden"}, "", "http://www.origin-server.example/origin-resource=EVIL"},
		{"one after the other, without waiting", respmod("Allow: 204\r\n", ok, chunked("one")) + respmod(last, ok, chunked("EVIL")), []string{"ICAP/1.0 204 ", "ICAP/1.0 200 OK\r\n", "403 Forbidden"}, "", ""},
		{"a file in a form", reqmod(last, form, chunked("--XX\r\nContent-Disposition: form-data; name=a; filename=\"x.exe\"\r\n\r\nMZ EVIL\r\n--XX--\r\n")),
			[]string{"403 Forbidden", "POST http://h.example/up"}, "", "POST http://h.example/up!x.exe=MZ EVIL"},
		{"an encoding is undone", respmod(last, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", chunked(zipped)), []string{"403 Forbidden"}, "", "http://www.origin-server.example/origin-resource=EVIL in gzip"},
		{"chunk extensions and trailers", reqmod(last+"Allow: 204\r\n", post, "4;a=b\r\nabcd\r\n0\r\nX-T: 1\r\n\r\n"), []string{"ICAP/1.0 204"}, "", "POST http://www.origin-server.example/form.pl=abcd"},
		{"a service that is none", "OPTIONS icap://h/other ICAP/1.0\r\n\r\n", []string{"ICAP/1.0 404 "}, "", ""},
		{"a method of the other service", respmodAt("reqmod"), []string{"ICAP/1.0 405 "}, "", ""},
		{"a method that is none", "FROBNICATE icap://h/scan ICAP/1.0\r\nEncapsulated: null-body=0\r\n\r\n", []string{"ICAP/1.0 501 "}, "", ""},
		{"another version", "OPTIONS icap://h/scan ICAP/2.0\r\n\r\n", []string{"ICAP/1.0 505 "}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := &judge{}
			s := start(t, Config{Policy: gateway.DefaultPolicy()}, j)
			got := s.talk(t, tt.request)
			s.End(t)
			rest := got
			for _, want := range tt.want {
				_, after, ok := strings.Cut(rest, want)
				if !ok {
					t.Fatalf("got reply %q, want %q in it", got, want)
				}
				rest = after
			}
			if tt.never != "" && strings.Contains(got, tt.never) {
				t.Errorf("got reply %q, want no %q in it", got, tt.never)
			}
			if name, content, ok := strings.Cut(tt.target, "="); ok && j.contents[name] != content {
				t.Errorf("got targets %q, want %q with %q", j.contents, name, content)
			}
			if g := j.Gaps(); len(g) > 0 && !strings.Contains(got, "505") {
				t.Errorf("got gaps %+v, want none", g)
			}
		})
	}
}

const zipped = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x01\x0c\x00\xf3\xffEVIL in gzip1d\xdd\x16\x0c\x00\x00\x00"

func respmodAt(service string) string {
	return strings.Replace(respmod("", ok, chunked("x")), "/respmod", "/"+service, 1)
}

// TestOverLimit sends more than is held: the beginning is scanned, the rest
// passes through or not, and the gap is told.
func TestOverLimit(t *testing.T) {
	long := strings.Repeat("0123456789", 30_000)
	for _, tt := range []struct {
		name   string
		closed bool
		more   string
		body   string
		want   string
	}{
		{"open, 204", false, "Allow: 204\r\n", chunked(long, "end"), "ICAP/1.0 204 "},
		{"open, echoed", false, "", chunked(long, "end"), "ICAP/1.0 200 OK"},
		{"closed", true, "Allow: 204\r\n", chunked(long, "end"), "403 Forbidden"},
		{"found in the beginning", false, "Allow: 204\r\n", chunked("EVIL"+long, "end"), "403 Forbidden"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := &judge{}
			p := gateway.DefaultPolicy()
			p.FailClosed = tt.closed
			s := start(t, Config{Policy: p, Limits: gateway.Limits{Object: 100_000}}, j)
			got := s.talk(t, respmod(last+tt.more, ok, tt.body))
			s.End(t)
			if !strings.Contains(got, tt.want) {
				t.Fatalf("got %.300q, want %q in it", got, tt.want)
			}
			if strings.Contains(tt.want, "200") {
				if body := unchunk(t, got); body != long+"end" {
					t.Errorf("echo: got %d bytes, want the %d that were sent", len(body), len(long)+3)
				}
			}
			if g := j.Gaps(); len(g) != 1 || g[0].Reason != gateway.ReasonLimit || g[0].Kind != besra.GapSkip {
				t.Errorf("got gaps %+v, want the limit", g)
			}
			if n := len(j.contents["http://www.origin-server.example/origin-resource"]); n < 100_000 || n > 100_001 {
				t.Errorf("scanned %d bytes, want as many as the limit", n)
			}
		})
	}
}

// unchunk returns the encapsulated body of a reply.
func unchunk(t *testing.T, reply string) string {
	t.Helper()
	_, after, _ := strings.Cut(reply, ok)
	b, err := io.ReadAll(&chunks{in: bufio.NewReader(strings.NewReader(after))})
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

func TestFacts(t *testing.T) {
	j := &judge{}
	s := start(t, Config{}, j)
	s.talk(t, respmod(last+"X-Client-IP: 192.0.2.7\r\nX-Server-IP: 203.0.113.9\r\nX-Authenticated-User: TG9jYWw6Ly9qYW5l\r\n", ok, chunked("x")))
	s.talk(t, reqmod(last+"X-Server-IP: nonsense\r\n", post, chunked("x")))
	s.End(t)
	want := [][2]string{{"net.src.ip", "203.0.113.9"}, {"net.dst.ip", "192.0.2.7"}, {"net.user", "Local://jane"},
		{"net.url", "http://www.origin-server.example/origin-resource"}, {"net.host", "www.origin-server.example"}, {"net.user_agent", "curl/8"}}
	for _, w := range want {
		if f := j.Targets()[0].Facts.Fact(t.Context(), w[0]); fmt.Sprint(f.Value) != w[1] {
			t.Errorf("%s: got %+v, want %s", w[0], f, w[1])
		}
	}
	upload := j.Targets()[1].Facts
	if f := upload.Fact(t.Context(), "net.src.ip"); fmt.Sprint(f.Value) != "192.0.2.7" || f.Grade != besra.GradeAsserted {
		t.Errorf("net.src.ip of an upload: got %+v, want the client", f)
	}
	if f := upload.Fact(t.Context(), "net.dst.ip"); f.Known() {
		t.Errorf("net.dst.ip: got %+v of a header that is no address", f)
	}
}

// clients is the source with a client that submits fifty objects and then stops it.
type clients struct{ t *testing.T }

const submitted = sourcetest.MinTargets

func (c clients) Run(ctx context.Context, to besra.Receiver) error {
	stopping, stop := context.WithCancel(context.Background())
	defer stop()
	var sent sync.WaitGroup
	defer sent.Wait()
	src, err := New(Config{Stop: stopping, Facts: besra.NoFacts{}, Address: gateway.Address{Listen: "127.0.0.1:0",
		Listening: func(a net.Addr) { sent.Go(func() { defer stop(); submit(a.String()) }) }}})
	if err != nil {
		return err
	}
	return src.Run(ctx, sourcetest.Answering(to))
}

// submit sends the objects until the server does not answer any more.
func submit(address string) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for i := range submitted {
		head := strings.Replace(post, "form.pl", fmt.Sprint(i), 1)
		io.WriteString(conn, reqmod("Allow: 204\r\n", head, chunked(fmt.Sprint("object ", i))))
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if line == "\r\n" {
				break
			}
		}
	}
}

func TestContract(t *testing.T) {
	sourcetest.Test(t, func(t *testing.T) sourcetest.Place {
		want := map[string][]byte{}
		for i := range submitted {
			want[fmt.Sprint("POST http://www.origin-server.example/", i)] = fmt.Append(nil, "object ", i)
		}
		return sourcetest.Place{Source: clients{t}, Want: want}
	})
}

func TestExpanderContract(t *testing.T) {
	content := "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nvalue of a\r\n--XX\r\nContent-Disposition: form-data; name=f; filename=\"f.bin\"\r\n\r\n" +
		strings.Repeat("long ", 20) + "\r\n--XX--\r\n"
	e := forms{"XX"}
	sourcetest.TestExpander(t, e, sourcetest.Packed{Name: "POST http://h/", Content: []byte(content),
		Want: map[string][]byte{"POST http://h/!a": []byte("value of a"), "POST http://h/!f.bin": []byte(strings.Repeat("long ", 20))}})
}

// forms gives the expander what the source would have stated.
type forms struct{ boundary string }

func (f forms) outer(t besra.Target) besra.Target {
	e := exchange{session: &session{config: &Config{Facts: besra.NoFacts{}}}, request: &request{method: "REQMOD", header: map[string][]string{},
		reqHead: []byte("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=" + f.boundary + "\r\n\r\n")}}
	t.Facts = e.target(0).Facts
	return t
}

func (f forms) Kind(t besra.Target, content []byte) string {
	return (Expander{}).Kind(f.outer(t), content)
}

func (f forms) Expand(ctx context.Context, t besra.Target, content []byte, b *besra.Budget, to besra.Receiver) error {
	return (Expander{}).Expand(ctx, f.outer(t), content, b, to)
}
