package submit

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/gateway"
	"github.com/besra-hunt/besra/source/sourcetest"
)

// judge finds the word EVIL, as a run would.
func judge() *sourcetest.Recorder {
	return &sourcetest.Recorder{On: func(t besra.Target) error {
		c, err := t.Open(context.Background())
		if err != nil {
			return err
		}
		var a besra.Answer
		if bytes.Contains(c.Bytes(), []byte("EVIL")) {
			a.AddFinding(&besra.Finding{ID: "f00d", Severity: besra.SeverityHigh, Rule: besra.RuleRef{Name: "Evil_Rule"}})
		}
		t.Done(a)
		return nil
	}}
}

type server struct{ *sourcetest.Server }

func start(t *testing.T, c Config, to besra.Receiver) server {
	t.Helper()
	return server{sourcetest.Serve(t, to, func(ctx context.Context, listen string, listening func(net.Addr)) (besra.Source, error) {
		c.Stop, c.Address.Listen, c.Address.Listening = ctx, listen, listening
		return New(c)
	})}
}

// send makes one request and returns the status and the reply.
func (s server) send(t *testing.T, method, path string, body io.Reader, header ...string) (*http.Response, reply) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Address+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	var got reply
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
	}
	return resp, got
}

func TestSubmissions(t *testing.T) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for name, text := range map[string]string{"a.txt": "fine", "b.exe": "MZ EVIL"} {
		part, _ := w.CreateFormFile("file", name)
		io.WriteString(part, text)
	}
	w.Close()
	tests := []struct {
		name, method, path string
		body               string
		header             []string
		status             int
		action             string
		files              int
		target             string
	}{
		{"clean", "PUT", "/v1/scan/dir/clean.txt", "fine", nil, 200, "allow", 1, "submitted:dir/clean.txt"},
		{"found", "POST", "/v1/scan", "some EVIL", nil, 200, "block", 1, "submitted:file from 127.0.0.1"},
		{"empty", "PUT", "/v1/scan/e", "", nil, 200, "allow", 1, "submitted:e"},
		{"a form", "POST", "/v1/scan", form.String(), []string{"Content-Type", w.FormDataContentType()}, 200, "block", 2, "submitted:b.exe"},
		{"put as it is", "PUT", "/v1/scan/raw", form.String(), []string{"Content-Type", w.FormDataContentType()}, 200, "block", 1, "submitted:raw"},
		{"too large", "PUT", "/v1/scan/big", strings.Repeat("x", 2000), nil, 413, "refused", 0, ""},
		{"a form that is none", "POST", "/v1/scan", "nothing", []string{"Content-Type", "multipart/form-data; boundary=x"}, 400, "refused", 0, ""},
		{"another method", "DELETE", "/v1/scan", "", nil, 405, "", 0, ""},
		{"another path", "GET", "/", "", nil, 404, "", 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := judge()
			s := start(t, Config{Policy: gateway.DefaultPolicy(), Limits: gateway.Limits{Object: 1000}}, r)
			resp, got := s.send(t, tt.method, tt.path, strings.NewReader(tt.body), tt.header...)
			s.End(t)
			if resp.StatusCode != tt.status || got.Action != tt.action || len(got.Files) != tt.files {
				t.Errorf("got status %d, %+v, want %d, %s, %d files", resp.StatusCode, got, tt.status, tt.action, tt.files)
			}
			if tt.target != "" && !strings.Contains(fmt.Sprint(r.Names()), tt.target) {
				t.Errorf("got targets %q, want %q", r.Names(), tt.target)
			}
			for _, f := range got.Files {
				if (f.Matches > 0) != (f.Action == "block") || int64(len(f.Findings)) != f.Matches || len(f.SHA256) != 64 {
					t.Errorf("got %+v", f)
				}
			}
			if told := len(r.Gaps()) == 1; told != (tt.status == 413 || tt.status == 400) {
				t.Errorf("got gaps %+v", r.Gaps())
			}
		})
	}
}

// TestChunkedTooLarge wants a limit for a body that announces no length, too.
func TestChunkedTooLarge(t *testing.T) {
	r := judge()
	s := start(t, Config{Limits: gateway.Limits{Object: 1000}}, r)
	resp, _ := s.send(t, "PUT", "/v1/scan/x", io.MultiReader(strings.NewReader(strings.Repeat("x", 500_000)), strings.NewReader("y")))
	s.End(t)
	if resp.StatusCode != 413 || len(r.Targets()) != 0 || len(r.Gaps()) != 1 || r.Gaps()[0].Reason != gateway.ReasonLimit {
		t.Errorf("got status %d, targets %q, gaps %+v", resp.StatusCode, r.Names(), r.Gaps())
	}
}

func TestToken(t *testing.T) {
	r := judge()
	s := start(t, Config{Token: "0123456789abcdef"}, r)
	for _, tt := range []struct {
		header string
		want   int
	}{{"", 401}, {"Bearer", 401}, {"Bearer 0123456789abcdeX", 401}, {"Bearer 0123456789abcdef0", 401}, {"Bearer 0123456789abcdef", 200}} {
		resp, _ := s.send(t, "POST", "/v1/scan", strings.NewReader("x"), "Authorization", tt.header)
		if resp.StatusCode != tt.want {
			t.Errorf("%q: got %d, want %d", tt.header, resp.StatusCode, tt.want)
		}
	}
	if resp, _ := s.send(t, "GET", "/v1/health", nil); resp.StatusCode != 200 {
		t.Errorf("health: got %d", resp.StatusCode)
	}
	s.End(t)
	if g := r.Gaps(); len(g) != 1 || g[0].Count != 4 || g[0].Reason != gateway.ReasonNotAllowed {
		t.Errorf("got gaps %+v, want four requests counted in one", g)
	}
}

func TestNew(t *testing.T) {
	open := gateway.Address{Listen: "0.0.0.0:0"}
	for name, c := range map[string]Config{
		"open":                    {Address: open},
		"open without TLS":        {Address: open, Token: "0123456789abcdef"},
		"open without token":      {Address: open, TLS: &tls.Config{}},
		"a token that is guessed": {Address: gateway.Address{Listen: "127.0.0.1:0"}, Token: "short"},
		"no address":              {Address: gateway.Address{Listen: "x"}, Token: "0123456789abcdef", TLS: &tls.Config{}},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	s, err := New(Config{Address: open, Token: "0123456789abcdef", TLS: &tls.Config{}})
	if err != nil {
		t.Fatal(err)
	}
	if !s.config.Address.Admits(net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:1"))) {
		t.Error("with a token, any network may connect")
	}
}

// TestBusy fills the only place and wants the next to be told to come back.
func TestBusy(t *testing.T) {
	taken := make(chan besra.Target)
	r := &sourcetest.Recorder{On: func(t besra.Target) error { taken <- t; return nil }}
	s := start(t, Config{Limits: gateway.Limits{Connections: 1}}, r)
	first := make(chan int)
	go func() {
		resp, err := http.Post("http://"+s.Address+"/v1/scan", "", strings.NewReader("x"))
		if err != nil {
			t.Error(err)
			first <- 0
			return
		}
		resp.Body.Close()
		first <- resp.StatusCode
	}()
	waiting := <-taken
	resp, _ := s.send(t, "POST", "/v1/scan", strings.NewReader("x"))
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("got %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	s.Stop() // what is in work is finished
	waiting.Done(besra.Answer{})
	if got := <-first; got != 200 {
		t.Errorf("the one in work: got %d", got)
	}
	s.End(t)
}

// TestSlow wants a body that pauses, and a head that never ends, to be let go.
func TestSlow(t *testing.T) {
	short := gateway.Limits{Head: 50 * time.Millisecond, Pause: 50 * time.Millisecond}
	for name, request := range map[string]string{"head": "PUT /v1/scan/x HTTP/1.1\r\nHost: h\r\n", "body": "PUT /v1/scan/x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"} {
		r := judge()
		s := start(t, Config{Limits: short}, r)
		c, err := net.Dial("tcp", strings.TrimPrefix("http://"+s.Address, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(20 * time.Second))
		io.WriteString(c, request)
		if _, err := io.ReadAll(c); err != nil {
			t.Errorf("%s: got %v, want the server to close", name, err)
		}
		c.Close()
		s.End(t)
		if cut := len(r.Gaps()) == 1; cut != (name == "body") || len(r.Targets()) > 0 {
			t.Errorf("%s: got gaps %+v, targets %q", name, r.Gaps(), r.Names())
		}
	}
}

// submitters is the source with a client that submits fifty files and stops it.
type submitters struct{}

func (submitters) Run(ctx context.Context, to besra.Receiver) error {
	stopping, stop := context.WithCancel(context.Background())
	defer stop()
	var sent sync.WaitGroup
	defer sent.Wait()
	src, err := New(Config{Stop: stopping, Address: gateway.Address{Listen: "127.0.0.1:0", Listening: func(a net.Addr) {
		sent.Go(func() { defer stop(); submitAll("http://" + a.String()) })
	}}})
	if err != nil {
		return err
	}
	return src.Run(ctx, sourcetest.Answering(to))
}

func submitAll(url string) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for i := range sourcetest.MinTargets {
		r, _ := http.NewRequest("PUT", fmt.Sprint(url, "/v1/scan/", i), strings.NewReader(fmt.Sprint("file ", i)))
		resp, err := client.Do(r)
		if err != nil {
			return
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

func TestContract(t *testing.T) {
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	sourcetest.Test(t, func(t *testing.T) sourcetest.Place {
		want := map[string][]byte{}
		for i := range sourcetest.MinTargets {
			want[fmt.Sprint("submitted:", i)] = fmt.Append(nil, "file ", i)
		}
		return sourcetest.Place{Source: submitters{}, Want: want}
	})
}
