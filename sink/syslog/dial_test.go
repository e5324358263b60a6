package syslog

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// collector is a syslog server on loopback. Messages come in on its channel;
// it cuts every connection after some.
type collector struct {
	net.Listener
	got chan string
}

func listen(t *testing.T, l net.Listener) *collector {
	t.Helper()
	c := &collector{l, make(chan string, 1000)}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go c.serve(conn)
		}
	}()
	return c
}

func (c *collector) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		frame, err := readFrame(r)
		if err != nil {
			return
		}
		_, text, _ := strings.Cut(string(frame), " ")
		c.got <- text
	}
}

func tcp(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func send(t *testing.T, c *Conn, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if _, err := fmt.Fprintf(c, "message %d\n", n); err != nil {
			t.Fatal(err)
		}
	}
}

func want(t *testing.T, c *collector, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if got := <-c.got; got != fmt.Sprintf("message %d", n) {
			t.Fatalf("got %q, want message %d", got, n)
		}
	}
}

func TestDeliver(t *testing.T) {
	server := listen(t, tcp(t))
	c, err := Dial(Options{URL: "tcp://" + server.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	send(t, c, 0, 100)
	want(t, server, 0, 100)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestDeliverTLS(t *testing.T) {
	https := httptest.NewTLSServer(nil) // for its certificate
	defer https.Close()
	roots := x509.NewCertPool()
	roots.AddCert(https.Certificate())
	server := listen(t, tls.NewListener(tcp(t), &tls.Config{Certificates: https.TLS.Certificates}))
	address := "tls://" + server.Addr().String()
	c, err := Dial(Options{URL: address, TLS: &tls.Config{RootCAs: roots}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	send(t, c, 0, 10)
	want(t, server, 0, 10)
	if _, err := Dial(Options{URL: address}); err == nil {
		t.Error("a server that nobody vouches for was taken")
	}
}

// TestSpool takes the collector away and wants everything kept, over the end of
// the process too, and delivered in order when it is back.
func TestSpool(t *testing.T) {
	l := tcp(t)
	address := l.Addr().String()
	l.Close()
	name := filepath.Join(t.TempDir(), "spool")
	o := Options{URL: "tcp://" + address, Spool: name}
	c, err := Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	send(t, c, 0, 50)
	if n, dropped := c.Pending(); n != 50 || dropped != 0 {
		t.Errorf("%d wait, %d dropped: want 50 and none", n, dropped)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(name)
	os.WriteFile(name, append(text, "9 mess"...), 0o600) // as a kill leaves it
	if l, err = net.Listen("tcp", address); err != nil {
		t.Skip(err) // somebody else has taken the port
	}
	server := listen(t, l)
	if c, err = Dial(o); err != nil {
		t.Fatal(err)
	}
	send(t, c, 50, 60)
	want(t, server, 0, 60)
	if n, _ := c.Pending(); n != 0 {
		t.Errorf("%d still wait", n)
	}
	c.Close()
	if text, _ := os.ReadFile(name); len(text) > 0 {
		t.Errorf("the spool holds %q", text)
	}
}

func TestSpoolIsBounded(t *testing.T) {
	l := tcp(t)
	l.Close()
	name := filepath.Join(t.TempDir(), "spool")
	c, err := Dial(Options{URL: "tcp://" + l.Addr().String(), Spool: name, SpoolMax: 100})
	if err != nil {
		t.Fatal(err)
	}
	send(t, c, 0, 20)
	if n, dropped := c.Pending(); n != 9 || dropped != 11 {
		t.Errorf("%d wait, %d dropped: want 9 and 11", n, dropped)
	}
	if err := c.Close(); err == nil || !strings.Contains(err.Error(), "11 messages were dropped") {
		t.Errorf("got %v: want what was dropped told", err)
	}
}

// TestDrainIsCut keeps what could not be sent.
func TestDrainIsCut(t *testing.T) {
	s, err := openSpool(filepath.Join(t.TempDir(), "spool"), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		s.add(frameOf(fmt.Appendf(nil, "m%d", n)))
	}
	var sent []string
	for cut := range 6 {
		left := 1
		s.drain(func(f []byte) error {
			if left == 0 {
				return io.ErrClosedPipe
			}
			left--
			sent = append(sent, string(f))
			return nil
		})
		if want := max(4-cut, 0); s.waiting != want {
			t.Errorf("after %d drains %d wait, want %d", cut+1, s.waiting, want)
		}
	}
	if got := strings.Join(sent, ","); got != "2 m0,2 m1,2 m2,2 m3,2 m4" {
		t.Errorf("sent %s", got)
	}
}

func TestDialErrors(t *testing.T) {
	l := tcp(t)
	l.Close()
	for _, u := range []string{"", "udp://x:514", "tcp://x", "tcp://127.0.0.1:1/path", "tcp://" + l.Addr().String()} {
		if _, err := Dial(Options{URL: u}); err == nil {
			t.Errorf("Dial(%q) gave no error", u)
		}
	}
	name := filepath.Join(t.TempDir(), "x")
	os.WriteFile(name, []byte("my letters"), 0o600)
	if _, err := Dial(Options{URL: "tcp://" + l.Addr().String(), Spool: name}); err == nil {
		t.Error("another file was taken for a spool")
	}
}

// FuzzSpool wants that any file can be opened or is refused, and that what is
// opened can be drained.
func FuzzSpool(f *testing.F) {
	f.Add([]byte("2 m02 m1"))
	f.Add([]byte("2 m02 m"))
	f.Add([]byte("99999999999 x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		name := filepath.Join(t.TempDir(), "spool")
		os.WriteFile(name, b, 0o600)
		s, err := openSpool(name, 1<<20)
		if err != nil {
			return
		}
		defer s.file.Close()
		var all []byte
		n := s.waiting
		if err := s.drain(func(f []byte) error { all = append(all, f...); n--; return nil }); err != nil || n != 0 || !bytes.HasPrefix(b, all) {
			t.Errorf("drained %q, %d left, %v", all, n, err)
		}
	})
}
