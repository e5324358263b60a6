// Package standin is an HTTPS server on loopback that behaves as the parts of
// Azure do that besra speaks to: the authority that gives out tokens, the Logs
// Ingestion API, Azure Resource Manager with the resources of Microsoft
// Sentinel, its incidents, and the Log Analytics query API. It is for tests, and
// for trying things out without a subscription.
//
// It is as strict as the services are known to be, and stricter where they are
// silent: an unknown column of a stream is refused here and dropped there. What
// it was asked is on record, and it can be told to fail in every way a network
// has. A [Server] is safe for concurrent use.
package standin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Options say how a server differs from its defaults.
type Options struct {
	// Address is where it listens (default 127.0.0.1:0).
	Address string
	// PageSize is the number of elements of one page of a listing (default 50).
	PageSize int
	// Discard leaves out the rows themselves and keeps their number only.
	Discard bool
}

// Server is a running stand-in.
type Server struct {
	// URL is its address, https://127.0.0.1:PORT.
	URL string

	o        Options
	http     *http.Server
	ca       []byte
	mu       sync.Mutex
	requests []Request
	fault    func(*http.Request) Fault
	tokens   map[string]token
	clients  map[string]*client
	rules    map[string]*rule
	rows     map[string][]Row
	counts   map[string]int
	store    store
	alerts   map[string][]json.RawMessage
	answer   Answer
}

// Request is what the server was asked, and what it said.
type Request struct {
	Method string
	Path   string
	Query  string
	Header http.Header
	// Body is as it was sent, without compression of the ingestion API's.
	Body   []byte
	Status int // 0 where the connection was cut
}

// Start starts a server.
func Start(o Options) (*Server, error) {
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	if o.PageSize == 0 {
		o.PageSize = 50
	}
	cert, ca, err := certificate()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, err
	}
	s := &Server{URL: "https://" + l.Addr().String(), o: o, ca: ca, tokens: map[string]token{}, clients: map[string]*client{},
		rules: map[string]*rule{}, rows: map[string][]Row{}, counts: map[string]int{}, store: newStore(), alerts: map[string][]json.RawMessage{}}
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}},
		ErrorLog: log.New(io.Discard, "", 0)}
	go s.http.ServeTLS(l, "", "")
	return s, nil
}

// Close ends the server and its connections.
func (s *Server) Close() error { return s.http.Close() }

// CA returns the certificate that vouches for the server, as PEM.
func (s *Server) CA() []byte { return s.ca }

// certificate makes a key and a certificate of its own for loopback.
func certificate() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// WriteCloud writes the files by which besra finds the server into a folder, and
// returns the name of the one for --cloud.
func (s *Server) WriteCloud(dir string) (string, error) {
	text := fmt.Sprintf(`name: stand-in
authority: %[1]s/
resource_manager: %[1]s
resource_manager_scope: %[2]s
ingestion_scope: %[3]s
query: %[1]s
query_scope: %[4]s
ca: ca.pem
offline: true
`, s.URL, ManagerAudience+"/.default", IngestionAudience+"/.default", QueryAudience+"/.default")
	name := filepath.Join(dir, "cloud.yaml")
	return name, errors.Join(os.WriteFile(filepath.Join(dir, "ca.pem"), s.ca, 0o600), os.WriteFile(name, []byte(text), 0o600))
}

// Requests returns what the server was asked so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// problem is an answer that is not a success.
type problem struct {
	status        int
	code, message string
}

// Error implements error.
func (p *problem) Error() string { return p.code + ": " + p.message }

func fail(status int, code, format string, args ...any) error {
	return &problem{status, code, fmt.Sprintf(format, args...)}
}

// reply is a success. A body that is a []byte is sent as it is.
type reply struct {
	status int
	header map[string]string
	body   any
}

// maxBody bounds what is read of a request, in bytes.
const maxBody = 64 << 20

// serve answers one request, after the fault that it may have to suffer.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	f := s.faultFor(r)
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
		}
	}
	if f.Cut == CutBefore {
		s.record(r, nil, 0)
		panic(http.ErrAbortHandler)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if f.Status != 0 {
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		s.write(w, r, body, nil, fail(f.Status, http.StatusText(f.Status), "a fault that was asked for"))
		return
	}
	answer, err := s.route(r, body)
	if f.Cut == CutAfter {
		s.record(r, body, 0)
		panic(http.ErrAbortHandler)
	}
	s.write(w, r, body, answer, err)
}

// route finds whose business a request is.
func (s *Server) route(r *http.Request, body []byte) (*reply, error) {
	path := strings.ToLower(r.URL.Path)
	switch {
	case strings.HasSuffix(path, "/oauth2/v2.0/token"), strings.HasSuffix(path, "/.well-known/openid-configuration"):
		return s.authority(r, body)
	case strings.HasPrefix(path, "/datacollectionrules/"):
		return s.ingest(r, body)
	case strings.HasPrefix(path, "/v1/workspaces/"):
		return s.query(r, body)
	case strings.HasPrefix(path, "/subscriptions/"), strings.HasPrefix(path, "/providers/"):
		return s.manage(r, body)
	}
	return nil, fail(http.StatusNotFound, "ResourceNotFound", "there is nothing at %s", r.URL.Path)
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, body []byte, answer *reply, err error) {
	if err != nil {
		answer = problemReply(err)
	}
	text, raw := answer.body.([]byte)
	if !raw && answer.body != nil {
		text, err = json.Marshal(answer.body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	h := w.Header()
	h.Set("x-ms-request-id", randomID())
	for k, v := range answer.header {
		h.Set(k, v)
	}
	if len(text) > 0 {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	s.record(r, body, answer.status)
	w.WriteHeader(answer.status)
	w.Write(text)
}

func problemReply(err error) *reply {
	var p *problem
	if !errors.As(err, &p) {
		p = &problem{http.StatusInternalServerError, "InternalServerError", err.Error()}
	}
	said := map[string]any{"error": map[string]string{"code": p.code, "message": p.message}}
	return &reply{p.status, map[string]string{"x-ms-error-code": p.code}, said}
}

func (s *Server) record(r *http.Request, body []byte, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.Discard {
		body = nil
	}
	s.requests = append(s.requests, Request{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Clone(), body, status})
}

// randomID returns a GUID.
func randomID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
