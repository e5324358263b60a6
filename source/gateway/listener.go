package gateway

import (
	"context"
	"net"
	"sync"
	"sync/atomic"

	"github.com/besra-hunt/besra"
)

// Guarded is a listener for programs that serve connections themselves: it
// closes those that come from where nothing is allowed, and those that are too
// many, and counts both.
type Guarded struct {
	net.Listener
	address          Address
	free             chan struct{} // holds a token a connection that may come
	refused, foreign atomic.Int64
}

// Guard listens on the address, for so many connections at once.
func (a Address) Guard(ctx context.Context, connections int) (*Guarded, error) {
	l, err := a.Open(ctx)
	if err != nil {
		return nil, err
	}
	g := &Guarded{Listener: l, address: a, free: make(chan struct{}, connections)}
	for range connections {
		g.free <- struct{}{}
	}
	return g, nil
}

// Accept implements [net.Listener].
func (g *Guarded) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !g.address.Admits(c.RemoteAddr()) {
			g.foreign.Add(1)
			c.Close()
			continue
		}
		select {
		case <-g.free:
			return &guardedConn{Conn: c, back: g.free}, nil
		default:
			g.refused.Add(1)
			c.Close()
		}
	}
}

// Tell reports who was refused as gaps.
func (g *Guarded) Tell(to besra.Receiver) {
	tellRefused(to, g.address.Listen, g.refused.Load(), g.foreign.Load())
}

func tellRefused(to besra.Receiver, listen string, refused, foreign int64) {
	for reason, n := range map[string]int64{ReasonBusy: refused, ReasonNotAllowed: foreign} {
		if n > 0 {
			to.Gap(besra.Gap{Kind: besra.GapSkip, Target: besra.Text("connections to " + listen), Reason: reason, Count: n})
		}
	}
}

// guardedConn makes room for another connection when it is closed.
type guardedConn struct {
	net.Conn
	back chan struct{}
	once sync.Once
}

// Close implements [net.Conn].
func (c *guardedConn) Close() error {
	c.once.Do(func() { c.back <- struct{}{} })
	return c.Conn.Close()
}
