// Package submit is a small HTTP endpoint: others send files, and get back what
// was found in them. It is a [besra.Source]; every file is a target.
//
//	POST /v1/scan         the body is the file, or a form (multipart) of several
//	PUT  /v1/scan/NAME    the body is the file NAME
//	GET  /v1/health       whether it is listening, and with what
//
// The reply is JSON: what the policy says, and for each file its digest, the
// findings as the record has them, and what was not read. A file beyond the
// limit is refused with 413 before it is held; where memory or the places for
// scans are used up the reply is 503 with Retry-After. See docs/gateways.md.
package submit

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/gateway"
)

// Config says where to listen and whom to serve.
type Config struct {
	Address gateway.Address
	Limits  gateway.Limits
	Policy  gateway.Policy
	// Facts answers what is asked of the host that listens.
	Facts besra.Facts
	// Token is what a submitter must present (Authorization: Bearer …); empty
	// on a loopback address only.
	Token string
	// TLS, where set, is spoken; it may be nil on a loopback address only.
	TLS *tls.Config
	// Tag and Service say what is scanned with.
	Tag, Service string
	// Stop ends the listening; what is in work is finished.
	Stop context.Context
}

// minToken is how short a token may be: shorter ones can be guessed.
const minToken = 16

// Source listens. Each Run listens anew.
type Source struct {
	config Config
	token  [sha256.Size]byte
}

// New returns the source that c describes.
func New(c Config) (*Source, error) {
	if !c.Address.Loopback() {
		if c.Token == "" || c.TLS == nil {
			return nil, errors.New("others could reach this address: a token and a certificate are needed")
		}
		if len(c.Address.Allow) == 0 { // the token decides
			c.Address.Allow = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
		}
	}
	if err := c.Address.Check(); err != nil {
		return nil, err
	}
	if c.Token != "" && len(c.Token) < minToken {
		return nil, errors.New("the token is shorter than 16 characters")
	}
	c.Limits = c.Limits.WithDefaults()
	if c.Facts == nil {
		c.Facts = besra.NoFacts{}
	}
	if c.Stop == nil {
		c.Stop = context.Background()
	}
	return &Source{c, sha256.Sum256([]byte(c.Token))}, nil
}

// Run implements [besra.Source].
func (s *Source) Run(ctx context.Context, to besra.Receiver) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	gate := gateway.NewGate(ctx, to, s.config.Limits)
	l, err := s.config.Address.Guard(ctx, 2*s.config.Limits.Connections)
	if err != nil {
		return gate.End(err)
	}
	err = s.serve(gate, l)
	l.Tell(to)
	return gate.End(err)
}

// serve answers until the run or the Stop context ends.
func (s *Source) serve(gate *gateway.Gate, l net.Listener) error {
	h := &handler{Source: s, gate: gate, places: make(chan struct{}, s.config.Limits.Connections)}
	defer h.tell()
	server := &http.Server{Handler: h.routes(), ReadHeaderTimeout: s.config.Limits.Head, IdleTimeout: s.config.Limits.Idle, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return gate.Context() }, TLSConfig: s.config.TLS, ErrorLog: quiet()}
	ctx, cancel := context.WithCancel(gate.Context())
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.shutDown(ctx, server)
	}()
	var err error
	if s.config.TLS != nil {
		err = server.ServeTLS(l, "", "")
	} else {
		err = server.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	} else {
		cancel()
	}
	<-ended
	h.all.Wait()
	return err
}

// shutDown waits for the end and ends the server: what is in work is finished
// within the time of grace, and at once where the run is over.
func (s *Source) shutDown(ctx context.Context, server *http.Server) {
	select {
	case <-s.config.Stop.Done():
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(ctx, s.config.Limits.Grace)
	defer cancel()
	server.Shutdown(grace)
	server.Close()
}
