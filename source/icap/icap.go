// Package icap is an ICAP server (RFC 3507): firewalls and proxies hand it what
// passes through them, and do with it what a policy says. It is a
// [besra.Source]; every body that comes in is a target, and whoever handed it in
// waits until it was scanned.
//
// # Services
//
//	icap://HOST:PORT/reqmod   uploads: the bodies of requests
//	icap://HOST:PORT/respmod  downloads: the bodies of responses
//	icap://HOST:PORT/scan     both, for clients that have one address only
//
// OPTIONS says what is spoken: previews, 204 inside and outside of them, chunked
// bodies, connections that are kept, requests that follow each other without
// waiting. A body is held in memory up to a limit; of a longer one the beginning
// is scanned, the rest streams through or is blocked, by the policy, and the gap
// is told. Content encodings are undone, and parts of forms are targets of their
// own by the [Expander].
//
// # Facts
//
// What the proxy states (X-Client-IP, X-Server-IP, X-Authenticated-User) is
// asserted; what the encapsulated HTTP says of itself is weak.
package icap

import (
	"context"
	"net"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/gateway"
)

// Config says where to listen and what to do with what was found.
type Config struct {
	Address gateway.Address
	Limits  gateway.Limits
	Policy  gateway.Policy
	// Facts answers what is asked of the host that listens.
	Facts besra.Facts
	// Tag names the content that is scanned with: it changes when an answer may
	// change (ISTag, at most 32 characters).
	Tag string
	// Service names the server to its clients.
	Service string
	// Preview is how many bytes of a body are asked for first (default 4096).
	Preview int
	// Stop ends the listening; what is in work is finished.
	Stop context.Context
}

// Source listens. Each Run listens anew.
type Source struct{ config Config }

// New returns the source that c describes.
func New(c Config) (*Source, error) {
	if err := c.Address.Check(); err != nil {
		return nil, err
	}
	c.Limits = c.Limits.WithDefaults()
	if c.Facts == nil {
		c.Facts = besra.NoFacts{}
	}
	if c.Preview == 0 {
		c.Preview = 4096
	}
	c.Tag = c.Tag[:min(len(c.Tag), 32)]
	return &Source{c}, nil
}

// Run implements [besra.Source].
func (s *Source) Run(ctx context.Context, to besra.Receiver) error {
	gate := gateway.NewGate(ctx, to, s.config.Limits)
	server := gateway.Server{Address: s.config.Address, Limits: s.config.Limits, Stop: s.config.Stop,
		Handle: func(_ context.Context, c *gateway.Conn) { newSession(&s.config, gate, c).serve() },
		Refuse: func(c net.Conn) { newReply(&s.config, c).status(503, true) }}
	return gate.End(server.Run(gate.Context(), to))
}
