// Package milter listens for a mail server (postfix, sendmail) that asks about
// each message before it takes it. It is a [besra.Source]: every message is a
// target, and the [besra.Expander] of mail finds bodies and attachments in it.
//
// The target is the message as a mailbox would hold it: on top stand the lines
// that the server will add, Return-Path and Received, then the head and the body
// that came. It is named by the server's queue identifier.
//
// By the policy a message is taken, marked with the header X-Besra, quarantined
// (postfix: on hold) or rejected. What could not be looked at in time is refused
// for now, where the policy fails closed: the sender tries again.
//
// # Facts
//
// What the server states of the connection and the envelope is asserted: it is
// the receiving side. The name in HELO is weak.
package milter

import (
	"context"
	"time"

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
	// Stop ends the listening; what is in work is finished.
	Stop context.Context
}

// Source listens. Each Run listens anew.
type Source struct{ config Config }

// New returns the source that c describes. How long a connection may pause is
// up to the client of the mail server, which may wait for 5 minutes between
// two commands (RFC 5321, 4.5.3.2).
func New(c Config) (*Source, error) {
	if err := c.Address.Check(); err != nil {
		return nil, err
	}
	if c.Limits.Pause == 0 {
		c.Limits.Pause = 6 * time.Minute
	}
	if c.Limits.Idle == 0 {
		c.Limits.Idle = 10 * time.Minute
	}
	c.Limits = c.Limits.WithDefaults()
	if c.Facts == nil {
		c.Facts = besra.NoFacts{}
	}
	return &Source{c}, nil
}

// Run implements [besra.Source].
func (s *Source) Run(ctx context.Context, to besra.Receiver) error {
	gate := gateway.NewGate(ctx, to, s.config.Limits)
	server := gateway.Server{Address: s.config.Address, Limits: s.config.Limits, Stop: s.config.Stop,
		Handle: func(_ context.Context, c *gateway.Conn) { newSession(&s.config, gate, c).serve() }}
	return gate.End(server.Run(gate.Context(), to))
}
