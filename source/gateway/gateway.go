// Package gateway is what the programs have in common that others hand bytes to
// and wait for: a proxy over ICAP, a mail server over milter, a submitter over
// HTTP. It listens within limits, holds what came in memory within limits, asks
// the run about it, and says by a policy what is to become of it.
//
// The four parts are [Server] (connections), [Gate] (objects), [Policy] (what a
// finding leads to) and [Limits]. A gateway stops in two ways: when its Stop
// context ends it takes nothing new, finishes what is in work and returns
// without an error; when the context of Run ends it drops everything at once.
package gateway

import (
	"context"
	"time"
)

// Limits bounds what those outside can cost. Zero values mean the defaults.
type Limits struct {
	// Connections is how many are served at once (default 100); others are
	// refused and counted.
	Connections int
	// Object is how many bytes of one object are held and scanned (default 64
	// MiB). Of a longer one the first so many are scanned, and the rest is a gap.
	Object int64
	// Held is how many bytes all objects together hold (default 512 MiB).
	Held int64
	// Head is how long the head of a message may take (default 15 s), Pause how
	// long nothing may come within one (default 30 s), Transfer how long all of
	// it may take (default 10 min).
	Head, Pause, Transfer time.Duration
	// Idle is how long a connection is kept without a message (default 2 min).
	Idle time.Duration
	// Wait is how long an object waits for its answer (default 60 s); then it is
	// judged as one that was not looked at.
	Wait time.Duration
	// Grace is how long what is in work may take once the gateway is told to
	// stop (default 30 s).
	Grace time.Duration
}

// WithDefaults returns the limits with nothing left zero.
func (l Limits) WithDefaults() Limits {
	defaultTo(&l.Connections, 100)
	defaultTo(&l.Object, 64<<20)
	defaultTo(&l.Held, 512<<20)
	defaultTo(&l.Head, 15*time.Second)
	defaultTo(&l.Pause, 30*time.Second)
	defaultTo(&l.Transfer, 10*time.Minute)
	defaultTo(&l.Idle, 2*time.Minute)
	defaultTo(&l.Wait, time.Minute)
	defaultTo(&l.Grace, 30*time.Second)
	return l
}

func defaultTo[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// The reasons of gaps.
const (
	ReasonLimit      = "limit"       // larger than Limits.Object, or Limits.Held is used up
	ReasonLate       = "late"        // no answer within Limits.Wait
	ReasonCut        = "cut"         // the connection ended, or paused too long, within an object
	ReasonMalformed  = "malformed"   // what came breaks the protocol
	ReasonBusy       = "busy"        // more connections than Limits.Connections
	ReasonNotAllowed = "not_allowed" // from an address that may not connect
)

// orBackground is ctx, or one that never ends.
func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}
