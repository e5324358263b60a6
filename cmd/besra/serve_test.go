package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// serveRule is a rule that nothing but these tests sets off.
const serveRule = `rule Marker { meta: author = "us" severity = "high" strings: $a = "BESRA-SERVE-MARKER" condition: $a }`

// served is a command that listens while a test talks to it.
type served struct {
	address string // of the first gateway, or the directory that is watched
	stop    context.CancelFunc
	done    chan error
	err     *bytes.Buffer
	out     *lineWatch
	record  string // file of the ndjson record
}

// startServe runs the command with a rule and a record until it listens or watches.
func startServe(t *testing.T, args ...string) *served {
	t.Helper()
	dir := t.TempDir()
	s := &served{done: make(chan error, 1), record: filepath.Join(dir, "record.ndjson"), err: &bytes.Buffer{}, out: &lineWatch{to: io.Discard, lines: make(chan string, 100)}}
	rules := filepath.Join(dir, "marker.yar")
	if err := os.WriteFile(rules, []byte(serveRule), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	out := &lineWatch{to: s.err, lines: make(chan string, 100)}
	root := rootCommand(stdio{in: strings.NewReader(""), out: s.out, err: out})
	root.SetArgs(append(args, "--pack", rules, "--format", "ndjson="+s.record))
	go func() { s.done <- root.ExecuteContext(ctx) }()
	listening := regexp.MustCompile(`(?:listening on [a-z]+:|watching )(\S+)`)
	for {
		select {
		case line := <-out.lines:
			if m := listening.FindStringSubmatch(line); m != nil {
				s.address = m[1]
				return s
			}
		case err := <-s.done:
			t.Fatalf("ended before it listened: %v\n%s", err, s.err)
		}
	}
}

// end stops the command and returns what it said, and its record.
func (s *served) end(t *testing.T) (stderr, record string) {
	t.Helper()
	s.stop()
	if err := <-s.done; err != nil {
		t.Errorf("got %v, want it to end well", err)
	}
	b, err := os.ReadFile(s.record)
	if err != nil {
		t.Fatal(err)
	}
	return s.err.String(), string(b)
}

// lineWatch keeps what is written and tells each line.
type lineWatch struct {
	mu    sync.Mutex
	to    io.Writer
	lines chan string
}

func (l *lineWatch) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.lines <- string(b):
	default:
	}
	return l.to.Write(b)
}

// await returns once the command has written a text to its standard output.
func (s *served) await(t *testing.T, text string) {
	t.Helper()
	for late := time.After(20 * time.Second); ; {
		select {
		case line := <-s.out.lines:
			if strings.Contains(line, text) {
				return
			}
		case <-late:
			t.Errorf("nothing of %q in all that time", text)
			return
		}
	}
}

// talk sends bytes and returns what comes until the server closes.
func (s *served) talk(t *testing.T, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(c, request)
	b, _ := io.ReadAll(c)
	return string(b)
}

// respmod submits the answer to a download as a proxy does.
func respmod(body string) string {
	const ask, answer = "GET /tool.py HTTP/1.1\r\nHost: files.example\r\nUser-Agent: curl/8\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"
	return fmt.Sprintf("RESPMOD icap://h/respmod ICAP/1.0\r\nAllow: 204\r\nConnection: close\r\nEncapsulated: req-hdr=0, res-hdr=%d, res-body=%d\r\n\r\n%s%s%x\r\n%s\r\n0\r\n\r\n",
		len(ask), len(ask+answer), ask, answer, len(body), body)
}

func TestServeICAP(t *testing.T) {
	s := startServe(t, "serve", "icap:127.0.0.1:0")
	for body, want := range map[string]string{"clean": "ICAP/1.0 204 ", "a BESRA-SERVE-MARKER": "ICAP/1.0 200 "} {
		got := s.talk(t, respmod(body))
		if !strings.HasPrefix(got, want) || strings.Contains(want, "200") && !strings.Contains(got, "Marker by us") {
			t.Errorf("%q: got %.200q, want %q", body, got, want)
		}
	}
	stderr, record := s.end(t)
	if !strings.Contains(stderr, "2 targets, 1 matches, 0 suppressed (0 exclusions), 0 undecided, 0 errors") {
		t.Errorf("got %q", stderr)
	}
	if !strings.Contains(record, `"name":"http://files.example/tool.py"`) || !strings.Contains(record, `"interrupted":false,"complete":true`) {
		t.Errorf("got record %s", record)
	}
}

func TestServeHTTP(t *testing.T) {
	t.Setenv("BESRA_TOKEN", "0123456789abcdef")
	s := startServe(t, "serve", "http:127.0.0.1:0", "--policy", "high=quarantine")
	for _, tt := range []struct{ token, want string }{{"wrong", `"error":"the token is missing or wrong"`}, {"0123456789abcdef", `"action":"quarantine","complete":true,"files":[{"name":"x","size":20,`}} {
		got := s.talk(t, "PUT /v1/scan/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer "+tt.token+"\r\nContent-Length: 20\r\n\r\nA BESRA-SERVE-MARKER")
		if !strings.Contains(got, tt.want) {
			t.Errorf("token %s: got %q, want %q", tt.token, got, tt.want)
		}
	}
	stderr, record := s.end(t)
	if !strings.Contains(stderr, "1 targets, 1 matches") || !strings.Contains(record, `"name":"submitted:x"`) || !strings.Contains(record, `"reason":"not_allowed"`) {
		t.Errorf("got %q and record %s", stderr, record)
	}
}

// milterTalk submits a message as a mail server does.
func milterTalk(message string) string {
	packet := func(text string) string {
		return string(binary.BigEndian.AppendUint32(nil, uint32(len(text)))) + text
	}
	head, body, _ := strings.Cut(message, "\n\n")
	talk := packet("O\x00\x00\x00\x06\x00\x00\x00\x00\x00\x08\x00\x00") + packet("DMi\x004AB\x00") + packet("M<a@example.org>\x00")
	for _, line := range strings.Split(head, "\n") {
		name, value, _ := strings.Cut(line, ": ")
		talk += packet("L" + name + "\x00" + value + "\x00")
	}
	return talk + packet("N") + packet("B"+body) + packet("E") + packet("Q")
}

func TestServeMilter(t *testing.T) {
	s := startServe(t, "serve", "milter:127.0.0.1:0")
	got := s.talk(t, milterTalk("Content-Type: multipart/mixed; boundary=x\n\n--x\r\nContent-Type: application/x; name=f.bin\r\n"+
		"Content-Transfer-Encoding: base64\r\n\r\nQkVTUkEtU0VSVkUtTUFSS0VS\r\n--x--\r\n"))
	if !strings.Contains(got, "y550 5.7.1 Refused: Marker by us\x00") {
		t.Errorf("got %q, want the message refused", got)
	}
	if _, record := s.end(t); !strings.Contains(record, `"name":"mail:4AB!f.bin"`) {
		t.Errorf("got record %s", record)
	}
}

func TestServeRefuses(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"serve", "no gateway given"},
		{"serve nothing", "is no gateway"},
		{"serve ftp:127.0.0.1:0", "is no gateway"},
		{"serve icap:0.0.0.0:0", "others could reach this address"},
		{"serve http:0.0.0.0:0 --allow 192.0.2.0/24", "a token and a certificate are needed"},
		{"serve http: --token-file /nonexistent", "no such file"},
		{"serve icap: --allow everyone", "--allow"},
		{"serve icap: --policy high=explode", "SEVERITY=ACTION"},
	} {
		root := rootCommand(stdio{in: strings.NewReader(""), out: io.Discard, err: io.Discard})
		root.SetArgs(strings.Fields(tt.args))
		if err := root.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.args, err, tt.want)
		}
	}
}
