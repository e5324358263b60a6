package icap

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/gateway"
	"github.com/besra-hunt/besra/source/sourcetest"
)

// TestHostile sends what no client should: each ends the connection, is told,
// and leaves the server answering.
func TestHostile(t *testing.T) {
	head := "REQMOD icap://h/reqmod ICAP/1.0\r\nHost: h\r\n"
	tests := []struct {
		name, request, reply, reason string
	}{
		{"no request", "hello\r\n\r\n", "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"HTTP", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"an endless line", strings.Repeat("x", 200<<10), "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"an endless header", head + strings.Repeat("X-Y: z\r\n", 20<<10), "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"no header", head + "garbage\r\n\r\n", "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"no encapsulated", head + "\r\n", "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"encapsulated that is none", head + "Encapsulated: x\r\n\r\n", "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"a head behind the body", head + "Encapsulated: req-body=0, req-hdr=5\r\n\r\n", "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"heads in the wrong order", head + "Encapsulated: res-hdr=0, req-hdr=5, req-body=9\r\n\r\n", "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"an offset that goes back", head + "Encapsulated: req-hdr=0, res-hdr=50, res-body=9\r\n\r\n", "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"an offset beyond all", head + "Encapsulated: req-hdr=0, req-body=2147483647\r\n\r\n", "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"a negative offset", head + "Encapsulated: req-hdr=0, req-body=-1\r\n\r\n", "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"two bodies", head + "Encapsulated: req-body=0, res-body=0\r\n\r\n", "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"a preview that is no number", head + "Preview: -1\r\nEncapsulated: null-body=0\r\n\r\n", "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"a chunk size that is no number", reqmod("", post, "zz\r\nabc"), "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"a chunk size beyond all", reqmod("", post, "ffffffffffffffffff\r\nabc"), "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"a negative chunk size", reqmod("", post, "-5\r\nabc"), "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"a chunk longer than it says", reqmod("", post, "2\r\nabcdef\r\n0\r\n\r\n"), "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"a chunk line without end", reqmod("", post, strings.Repeat("1", 100<<10)), "ICAP/1.0 400 ", gateway.ReasonMalformed},
		{"a trailer without end", reqmod("", post, "0\r\n"+strings.Repeat("a: b\r\n", 30<<10)), "ICAP/1.0 400 ", gateway.ReasonMalformed},
	}
	j := &judge{}
	s := start(t, Config{}, j)
	for i, tt := range tests {
		got := s.talk(t, tt.request)
		if !strings.HasPrefix(got, tt.reply) {
			t.Errorf("%s: got %.200q, want %q", tt.name, got, tt.reply)
		}
		if gaps := j.Gaps(); len(gaps) != i+1 || gaps[i].Reason != tt.reason {
			t.Fatalf("%s: got gaps %+v, want one more, %s", tt.name, gaps, tt.reason)
		}
	}
	if got := s.talk(t, reqmod(last+"Allow: 204\r\n", post, chunked("fine"))); !strings.HasPrefix(got, "ICAP/1.0 204 ") {
		t.Errorf("afterwards: got %q", got)
	}
	s.End(t)
	if n := len(j.Targets()); n != 1 {
		t.Errorf("got %d targets, want the last only", n)
	}
}

// TestCut ends the connection in the middle of an object.
func TestCut(t *testing.T) {
	j := &judge{}
	s := start(t, Config{}, j)
	c := s.dial(t)
	io.WriteString(c, reqmod("", post, "ff\r\nonly the beginning"))
	c.(*net.TCPConn).CloseWrite()
	io.ReadAll(c)
	c.Close()
	s.End(t)
	if g := j.Gaps(); len(g) != 1 || g[0].Reason != gateway.ReasonCut || g[0].Kind != besra.GapError || !strings.HasPrefix(string(g[0].Target), "POST http://") {
		t.Errorf("got gaps %+v, want the object as cut", g)
	}
}

// TestSlow wants a client that sends nothing more to be let go.
func TestSlow(t *testing.T) {
	short := gateway.Limits{Head: 30 * time.Millisecond, Pause: 30 * time.Millisecond, Transfer: 100 * time.Millisecond, Idle: 30 * time.Millisecond}
	for name, request := range map[string]string{"idle": "", "in the head": "REQMOD icap://h/reqmod ICAP/1.0\r\n", "in the body": reqmod("", post, "ff\r\nabc")} {
		t.Run(name, func(t *testing.T) {
			j := &judge{}
			s := start(t, Config{Limits: short}, j)
			c := s.dial(t)
			io.WriteString(c, request)
			if _, err := io.ReadAll(c); err != nil {
				t.Errorf("got %v, want the server to close", err)
			}
			s.End(t)
			if want := min(1, len(request)); len(j.Gaps()) != want {
				t.Errorf("got gaps %+v, want %d", j.Gaps(), want)
			}
		})
	}
}

// TestDrip wants a client that sends byte after byte to be let go, too.
func TestDrip(t *testing.T) {
	s := start(t, Config{Limits: gateway.Limits{Head: 50 * time.Millisecond}}, &judge{})
	c := s.dial(t)
	for {
		if _, err := io.WriteString(c, "X"); err != nil {
			break
		}
	}
	s.End(t)
}

func TestTooManyConnections(t *testing.T) {
	j := &judge{}
	s := start(t, Config{Limits: gateway.Limits{Connections: 1}}, j)
	first := s.dial(t)
	io.WriteString(first, reqmod("Allow: 204\r\n", post, chunked("x")))
	in := bufio.NewReader(first)
	if line, _ := in.ReadString('\n'); !strings.HasPrefix(line, "ICAP/1.0 204") {
		t.Fatalf("got %q", line)
	}
	if got := s.talk(t, ""); !strings.HasPrefix(got, "ICAP/1.0 503 ") {
		t.Errorf("second connection: got %q, want 503", got)
	}
	s.End(t) // closes the idle one, too
	if g := j.Gaps(); len(g) != 1 || g[0].Reason != gateway.ReasonBusy || g[0].Count != 1 {
		t.Errorf("got gaps %+v, want the refused one", g)
	}
}

// TestStopFinishes stops the server while an object waits for its answer.
func TestStopFinishes(t *testing.T) {
	taken := make(chan besra.Target)
	r := &sourcetest.Recorder{On: func(t besra.Target) error { taken <- t; return nil }}
	s := start(t, Config{}, r)
	c := s.dial(t)
	io.WriteString(c, reqmod("Allow: 204\r\n", post, chunked("x")))
	waiting := <-taken
	s.Stop()
	waiting.Done(besra.Answer{})
	b, _ := io.ReadAll(c)
	if !strings.HasPrefix(string(b), "ICAP/1.0 204 ") {
		t.Errorf("got %q, want the answer", b)
	}
	s.End(t)
}

// TestNoAnswer wants an object that is not answered in time judged as not
// looked at.
func TestNoAnswer(t *testing.T) {
	for closed, want := range map[bool]string{false: "ICAP/1.0 204 ", true: "ICAP/1.0 200 "} {
		r := &sourcetest.Recorder{}
		s := start(t, Config{Policy: gateway.Policy{FailClosed: closed}, Limits: gateway.Limits{Wait: time.Millisecond}}, r)
		if got := s.talk(t, reqmod(last+"Allow: 204\r\n", post, chunked("x"))); !strings.HasPrefix(got, want) {
			t.Errorf("fail closed %v: got %.100q, want %q", closed, got, want)
		}
		s.End(t)
		if g := r.Gaps(); len(g) != 1 || g[0].Reason != gateway.ReasonLate {
			t.Errorf("got gaps %+v, want it told as late", g)
		}
	}
}

// FuzzRequest wants any bytes to end in a request or an error, within bounds.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(reqmod("Preview: 4\r\n", post, "4\r\nabcd\r\n0\r\n\r\n"+chunked("rest"))))
	f.Add([]byte(respmod("Allow: 204, 206\r\n", ok, "5;x=y\r\nshort\r\n0; ieof\r\n\r\n")))
	f.Add([]byte("OPTIONS icap://h/scan ICAP/1.0\r\nEncapsulated: opt-body=0\r\n\r\n0\r\n\r\n"))
	f.Add([]byte("REQMOD icap://h/reqmod ICAP/1.0\nEncapsulated: req-hdr=0, null-body=4\n\nGET "))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bufio.NewReaderSize(strings.NewReader(string(b)), 16<<10)
		r, err := readRequest(in)
		if err != nil {
			return
		}
		if n := len(r.reqHead) + len(r.resHead); n > len(b) {
			t.Fatalf("%d bytes of heads in %d", n, len(b))
		}
		e := &exchange{session: &session{config: &Config{Facts: besra.NoFacts{}}}, request: r, http: r.httpRequest(), name: "x"}
		e.target(0)
		if e.http != nil {
			e.name = e.targetName()
		}
		c := &body{chunks: &chunks{in: in}, out: newReply(e.config, io.Discard), preview: r.preview >= 0, none: !r.body}
		if n, _ := io.Copy(io.Discard, c); n > int64(len(b)) {
			t.Fatalf("%d bytes of body in %d", n, len(b))
		}
	})
}
