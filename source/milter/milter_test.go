package milter

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/gateway"
	"github.com/besra-hunt/besra/source/sourcetest"
)

// judge finds the word EVIL, as a run would, and keeps what it saw.
func judge(severity besra.Severity) (*sourcetest.Recorder, map[string]string) {
	seen := map[string]string{}
	var mu sync.Mutex
	return &sourcetest.Recorder{On: func(t besra.Target) error {
		c, err := t.Open(context.Background())
		if err != nil {
			return err
		}
		mu.Lock()
		seen[t.Name] = string(c.Bytes())
		mu.Unlock()
		var a besra.Answer
		if bytes.Contains(c.Bytes(), []byte("EVIL")) {
			a.AddFinding(&besra.Finding{Severity: severity, Rule: besra.RuleRef{Name: "Evil_Rule", Author: "100% A"}})
		}
		t.Done(a)
		return nil
	}}, seen
}

type server struct{ *sourcetest.Server }

func start(t *testing.T, c Config, to besra.Receiver) server {
	t.Helper()
	return server{sourcetest.Serve(t, to, func(ctx context.Context, listen string, listening func(net.Addr)) (besra.Source, error) {
		c.Stop, c.Address.Listen, c.Address.Listening = ctx, listen, listening
		return New(c)
	})}
}

// client is the side of the mail server.
type client struct {
	net.Conn
	in *bufio.Reader
}

func dial(address string) (*client, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return &client{c, bufio.NewReader(c)}, nil
}

func (c *client) send(command byte, data ...string) { c.Write(appendPacket(nil, command, data...)) }

// reply reads one reply: its letter and its data.
func (c *client) reply() string {
	p, err := readPacket(c.in)
	if err != nil {
		return "!" + err.Error()
	}
	return string(p.command) + string(p.data)
}

// ask sends a command and reads the reply.
func (c *client) ask(command byte, data ...string) string {
	c.send(command, data...)
	return c.reply()
}

func number(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

const everything = 0x1fffff

// greet begins a session as postfix does.
func (c *client) greet(steps uint32) string {
	got := c.ask(cmdNegotiate, number(6), number(0x1ff), number(steps))
	c.send(cmdMacro, "C", "j\x00mx.example\x00")
	c.send(cmdConnect, "client.example\x00", "4\x04\xd2", "192.0.2.7\x00")
	if steps == 0 {
		c.reply()
	}
	c.send(cmdHelo, "helo.example\x00")
	if steps == 0 {
		c.reply()
	}
	return got
}

// message sends one message and returns the replies to its end.
func (c *client) message(steps uint32, id, body string) string {
	c.send(cmdMacro, "M", "i\x00"+id+"\x00{auth_authen}\x00jane\x00")
	steps0 := func(command byte, data ...string) {
		c.send(command, data...)
		if steps == 0 {
			if r := c.reply(); r != "c" {
				panic(fmt.Sprintf("command %c: got %q", command, r))
			}
		}
	}
	steps0(cmdMail, "<Sender@Example.org>\x00", "SIZE=5\x00")
	steps0(cmdRcpt, "<a@example.net>\x00")
	steps0(cmdRcpt, "<b@example.net>\x00")
	space := ""
	if steps != 0 {
		space = " "
	}
	steps0(cmdHeader, "Subject\x00", space+"one\n two\x00")
	steps0(cmdEndHeader)
	for len(body) > 0 {
		n := min(len(body), 60_000)
		steps0(cmdBody, body[:n])
		body = body[n:]
	}
	c.send(cmdEndBody)
	var all []string
	for {
		r := c.reply()
		all = append(all, r)
		if strings.ContainsAny(r[:1], "cyartd!") {
			return strings.Join(all, "|")
		}
	}
}

func TestMessages(t *testing.T) {
	tests := []struct {
		name     string
		severity besra.Severity
		steps    uint32
		body     string
		want     string
	}{
		{"clean", besra.SeverityHigh, everything, "fine\r\n", "c"},
		{"clean, with replies to all", besra.SeverityHigh, 0, "fine\r\n", "c"},
		{"rejected", besra.SeverityHigh, everything, "EVIL\r\n", "y550 5.7.1 Refused: Evil_Rule by 100? A\x00"},
		{"quarantined", besra.SeverityMedium, everything, "EVIL\r\n", "qEvil_Rule by 100% A\x00|hX-Besra\x00 quarantine; Evil_Rule by 100% A\x00|c"},
		{"marked", besra.SeverityLow, 0, "EVIL\r\n", "hX-Besra\x00log; Evil_Rule by 100% A\x00|c"},
		{"in pieces", besra.SeverityHigh, everything, strings.Repeat("x", 150_000) + "EVIL", "y550 5.7.1 Refused: Evil_Rule by 100? A\x00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := gateway.DefaultPolicy()
			if err := p.Set([]string{"medium=quarantine"}); err != nil {
				t.Fatal(err)
			}
			r, seen := judge(tt.severity)
			s := start(t, Config{Policy: p}, r)
			c, err := dial(s.Address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if got := c.greet(tt.steps); got[:5] != "O"+number(6) {
				t.Fatalf("negotiation: got %q", got)
			}
			for _, id := range []string{"4ABC", "4DEF"} { // two over one connection
				if got := c.message(tt.steps, id, tt.body); got != tt.want {
					t.Errorf("%s: got %q, want %q", id, got, tt.want)
				}
				content := seen["mail:"+id]
				if !strings.HasPrefix(content, "Return-Path: <sender@example.org>\r\nReceived: from helo.example (client.example [192.0.2.7]) by mx.example with milter id "+id+"; ") ||
					!strings.HasSuffix(content, "\r\nSubject: one\r\n two\r\n\r\n"+tt.body) {
					t.Errorf("got message %.400q", content)
				}
			}
			c.send(cmdQuit)
			s.End(t)
			for name, want := range map[string]string{"mail.envelope_from": "sender@example.org", "mail.envelope_to": "[a@example.net b@example.net]",
				"mail.client_ip": "192.0.2.7", "mail.helo": "helo.example", "mail.user": "jane"} {
				if f := r.Targets()[0].Facts.Fact(t.Context(), name); fmt.Sprint(f.Value) != want {
					t.Errorf("%s: got %v, want %s", name, f, want)
				}
			}
			if g := r.Gaps(); len(g) > 0 {
				t.Errorf("got gaps %+v, want none", g)
			}
		})
	}
}

// TestLimits wants a message that is too long scanned in its beginning, and one
// that is not answered refused for now.
func TestLimits(t *testing.T) {
	closed := gateway.Policy{FailClosed: true}
	for _, tt := range []struct {
		name   string
		policy gateway.Policy
		limits gateway.Limits
		silent bool
		want   string
		reason string
	}{
		{"too long, open", gateway.Policy{}, gateway.Limits{Object: 1000}, false, "c", gateway.ReasonLimit},
		{"too long, closed", closed, gateway.Limits{Object: 1000}, false, "y550 5.7.1 Refused: not looked at to its end: limit\x00", gateway.ReasonLimit},
		{"too late, open", gateway.Policy{}, gateway.Limits{Wait: time.Millisecond}, true, "c", gateway.ReasonLate},
		{"too late, closed", closed, gateway.Limits{Wait: time.Millisecond}, true, "y451 4.7.1 Not looked at yet, try again later\x00", gateway.ReasonLate},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := judge(besra.SeverityHigh)
			if tt.silent {
				r = &sourcetest.Recorder{}
			}
			s := start(t, Config{Policy: tt.policy, Limits: tt.limits}, r)
			c, err := dial(s.Address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.greet(everything)
			if got := c.message(everything, "4A", strings.Repeat("x", 5000)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			s.End(t)
			if g := r.Gaps(); len(g) != 1 || g[0].Reason != tt.reason || g[0].Target != "mail:4A" {
				t.Errorf("got gaps %+v, want %s", g, tt.reason)
			}
		})
	}
}

// TestHostile sends what no server should; each ends the connection and is told.
func TestHostile(t *testing.T) {
	negotiate := string(appendPacket(nil, cmdNegotiate, number(6), number(0), number(0)))
	packets := map[string]string{
		"a packet of no bytes":         "\x00\x00\x00\x00Q",
		"a packet beyond all":          "\xff\xff\xff\xffQ",
		"a command that is none":       string(appendPacket(nil, '?')),
		"a short negotiation":          string(appendPacket(nil, cmdNegotiate, "abc")),
		"an old version":               string(appendPacket(nil, cmdNegotiate, number(1), number(0), number(0))),
		"a text without end":           negotiate + string(appendPacket(nil, cmdHelo, "helo")),
		"a connection without client":  negotiate + string(appendPacket(nil, cmdConnect, "host")),
		"a connection without address": negotiate + string(appendPacket(nil, cmdConnect, "host\x004\x00")),
		"macros of nothing":            negotiate + string(appendPacket(nil, cmdMacro)),
		"a recipient of nothing":       negotiate + string(appendPacket(nil, cmdRcpt, "x\x00")),
		"a header of nothing":          negotiate + string(appendPacket(nil, cmdHeader, "a\x00b\x00")),
		"a body of nothing":            negotiate + string(appendPacket(nil, cmdBody, "a")),
		"the end of nothing":           negotiate + string(appendPacket(nil, cmdEndBody)),
		"a header that is no pair":     negotiate + string(appendPacket(nil, cmdMail, "x\x00")) + string(appendPacket(nil, cmdHeader, "a\x00")),
		"HTTP":                         "GET / HTTP/1.1\r\n\r\n",
	}
	r, _ := judge(besra.SeverityHigh)
	s := start(t, Config{}, r)
	n := 0
	for name, bytes := range packets {
		c, err := dial(s.Address)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, bytes)
		if _, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%s: got %v, want the connection closed", name, err)
		}
		c.Close()
		if n++; len(r.Gaps()) != n || r.Gaps()[n-1].Reason != gateway.ReasonMalformed {
			t.Fatalf("%s: got gaps %+v, want one more, malformed", name, r.Gaps())
		}
	}
	s.End(t)
}

// TestCut ends the connection within a message, and aborts another, which the
// server may.
func TestCut(t *testing.T) {
	r, _ := judge(besra.SeverityHigh)
	s := start(t, Config{}, r)
	c, err := dial(s.Address)
	if err != nil {
		t.Fatal(err)
	}
	c.greet(everything)
	c.send(cmdMail, "<a@example.org>\x00")
	c.send(cmdAbort)
	c.send(cmdMail, "<b@example.org>\x00")
	c.send(cmdBody, "half")
	c.Close()
	for len(r.Gaps()) == 0 && s.Alive() {
		runtime.Gosched() // the server learns of it in its own time
	}
	s.End(t)
	if g := r.Gaps(); len(g) != 1 || g[0].Reason != gateway.ReasonCut || g[0].Target != "mail:from b@example.org" {
		t.Errorf("got gaps %+v, want the second message as cut", g)
	}
}

// senders is the source with a mail server that sends fifty messages and stops it.
type senders struct{}

func (senders) Run(ctx context.Context, to besra.Receiver) error {
	stopping, stop := context.WithCancel(context.Background())
	defer stop()
	var sent sync.WaitGroup
	defer sent.Wait()
	src, err := New(Config{Stop: stopping, Address: gateway.Address{Listen: "127.0.0.1:0", Listening: func(a net.Addr) {
		sent.Go(func() { defer stop(); sendAll(a.String()) })
	}}})
	if err != nil {
		return err
	}
	return src.Run(ctx, fixed{to})
}

func sendAll(address string) {
	c, err := dial(address)
	if err != nil {
		return
	}
	defer c.Close()
	c.greet(everything)
	for i := range sourcetest.MinTargets {
		if strings.HasPrefix(c.message(everything, fmt.Sprint(i), fmt.Sprint("body ", i)), "!") {
			return
		}
	}
}

// fixed answers what its receiver takes, and makes the time in the message one
// that a test can know.
type fixed struct{ besra.Receiver }

func (f fixed) Target(t besra.Target) error {
	open := t.Open
	t.Open = func(ctx context.Context) (besra.Content, error) {
		c, err := open(ctx)
		if err != nil {
			return nil, err
		}
		head, rest, _ := bytes.Cut(c.Bytes(), []byte("; "))
		_, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		zone := bytes.Repeat([]byte("T"), len(time.RFC1123Z))
		return held(bytes.Join([][]byte{head, []byte("; "), zone, []byte("\r\n"), rest}, nil)), nil
	}
	err := f.Receiver.Target(t)
	if err == nil {
		t.Done(besra.Answer{})
	}
	return err
}

type held []byte

func (h held) Bytes() []byte { return h }
func (held) Close() error    { return nil }

func TestContract(t *testing.T) {
	sourcetest.Test(t, func(t *testing.T) sourcetest.Place {
		want := map[string][]byte{}
		for i := range sourcetest.MinTargets {
			want[fmt.Sprint("mail:", i)] = fmt.Appendf(nil, "Return-Path: <sender@example.org>\r\nReceived: from helo.example (client.example [192.0.2.7]) by mx.example with milter id %d; %s\r\nSubject: one\r\n two\r\n\r\nbody %d",
				i, strings.Repeat("T", len(time.RFC1123Z)), i)
		}
		return sourcetest.Place{Source: senders{}, Want: want}
	})
}

// FuzzSession wants any packets to end in replies or an error, within bounds.
func FuzzSession(f *testing.F) {
	full := appendPacket(nil, cmdNegotiate, number(6), number(0x1ff), number(everything))
	full = appendPacket(full, cmdConnect, "h\x00", "6\x00\x19", "IPv6:2001:db8::1\x00")
	full = appendPacket(full, cmdMacro, "M", "i\x00X\x00")
	full = appendPacket(full, cmdMail, "<a@b>\x00")
	full = appendPacket(full, cmdHeader, "A\x00b\x00")
	full = appendPacket(full, cmdBody, "x")
	full = appendPacket(full, cmdEndBody)
	f.Add(full)
	f.Add(appendPacket(nil, cmdQuitNew))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := &sourcetest.Recorder{On: func(t besra.Target) error { t.Done(besra.Answer{}); return nil }}
		c := &Config{Facts: besra.NoFacts{}}
		gate := gateway.NewGate(t.Context(), r, gateway.Limits{Object: 1 << 16})
		s := newSession(c, gate, &gateway.Conn{})
		in := bytes.NewReader(b)
		for {
			p, err := readPacket(in)
			if err != nil {
				break
			}
			if _, err := s.command(p); err != nil {
				break
			}
		}
		s.drop()
		gate.End(nil)
	})
}
