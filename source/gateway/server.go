package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/besra-hunt/besra"
)

// Address is where a gateway listens, and who may connect.
type Address struct {
	// Listen is HOST:PORT, or the path of a Unix socket, with a slash in it.
	Listen string
	// Allow names the networks that may connect besides the host itself.
	Allow []netip.Prefix
	// Listening, where set, is told the address once connections are taken.
	Listening func(net.Addr)
}

// errOpen says that a gateway would be open to everyone.
var errOpen = errors.New("others could reach this address, and nothing says who may")

// Loopback reports whether only the host itself can reach the address.
func (a Address) Loopback() bool {
	if a.unix() {
		return true
	}
	host, _, err := net.SplitHostPort(a.Listen)
	ip, parseErr := netip.ParseAddr(host)
	return err == nil && (host == "localhost" || parseErr == nil && ip.IsLoopback())
}

func (a Address) unix() bool { return strings.Contains(a.Listen, "/") }

// Check refuses an address that others can reach where no network is allowed.
func (a Address) Check() error {
	if a.unix() {
		return nil
	}
	if _, _, err := net.SplitHostPort(a.Listen); err != nil {
		return fmt.Errorf("%q is no address to listen on: want HOST:PORT", a.Listen)
	}
	if !a.Loopback() && len(a.Allow) == 0 {
		return fmt.Errorf("%s: %w", a.Listen, errOpen)
	}
	return nil
}

// Open listens.
func (a Address) Open(ctx context.Context) (net.Listener, error) {
	network := "tcp"
	if a.unix() {
		network = "unix"
	}
	l, err := new(net.ListenConfig).Listen(ctx, network, a.Listen)
	if err == nil && a.Listening != nil {
		a.Listening(l.Addr())
	}
	return l, err
}

// Admits reports whether a peer may connect.
func (a Address) Admits(peer net.Addr) bool {
	tcp, ok := peer.(*net.TCPAddr)
	if !ok {
		return true // a Unix socket has the rights of its directory
	}
	ip := tcp.AddrPort().Addr().Unmap()
	if ip.IsLoopback() {
		return true
	}
	for _, p := range a.Allow {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// Server serves connections of one protocol within limits.
type Server struct {
	Address Address
	Limits  Limits
	// Stop ends the taking of connections; what is in work is finished.
	Stop context.Context
	// Handle serves one connection, which it need not close.
	Handle func(ctx context.Context, c *Conn)
	// Refuse, where set, writes what one connection too many is told.
	Refuse func(c net.Conn)

	mu    sync.Mutex
	conns map[*Conn]bool // whether it is between two messages
	over  bool           // Stop has ended
	all   sync.WaitGroup

	refused, foreign int64 // owned by accept
}

// Run serves until the Stop context or ctx ends; the error is ctx's or that of
// listening. Who was refused is told as gaps. A Server runs once.
func (s *Server) Run(ctx context.Context, to besra.Receiver) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.Limits, s.Stop, s.conns = s.Limits.WithDefaults(), orBackground(s.Stop), map[*Conn]bool{}
	l, err := s.Address.Open(ctx)
	if err != nil {
		return err
	}
	run, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(run, func() { l.Close(); s.closeAll() })()
	defer context.AfterFunc(s.Stop, func() { l.Close(); s.wind(run, cancel) })()
	err = s.accept(run, l)
	s.all.Wait()
	tellRefused(to, s.Address.Listen, s.refused, s.foreign)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case s.Stop.Err() != nil:
		return nil
	}
	return err
}

// accept takes connections until the listener is closed.
func (s *Server) accept(ctx context.Context, l net.Listener) error {
	defer l.Close()
	for {
		raw, err := l.Accept()
		var temporary interface{ Temporary() bool }
		switch {
		case err == nil:
		case ctx.Err() == nil && s.Stop.Err() == nil && errors.As(err, &temporary) && temporary.Temporary():
			time.Sleep(10 * time.Millisecond) // out of descriptors: connections under way will end
			continue
		default:
			return err
		}
		s.take(ctx, raw)
	}
}

// take serves a connection, or refuses it.
func (s *Server) take(ctx context.Context, raw net.Conn) {
	if !s.Address.Admits(raw.RemoteAddr()) {
		s.foreign++
		raw.Close()
		return
	}
	c := &Conn{Conn: raw, server: s}
	c.Head()
	s.mu.Lock()
	full := len(s.conns) >= s.Limits.Connections
	if !full && ctx.Err() == nil && !s.over {
		s.conns[c] = false
	}
	_, taken := s.conns[c]
	s.mu.Unlock()
	switch {
	case taken:
		s.all.Go(func() {
			defer s.drop(c)
			s.Handle(ctx, c)
		})
		return
	case full:
		s.refused++
		if s.Refuse != nil {
			raw.SetDeadline(time.Now().Add(time.Second))
			s.Refuse(raw)
		}
	}
	raw.Close()
}

func (s *Server) drop(c *Conn) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

func (s *Server) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

// wind ends connections that are idle at once, and the others when they become
// so, or after the time of grace.
func (s *Server) wind(ctx context.Context, cancel context.CancelFunc) {
	s.mu.Lock()
	s.over = true
	for c, idle := range s.conns {
		if idle {
			c.Close()
		}
	}
	s.mu.Unlock()
	late := time.AfterFunc(s.Limits.Grace, cancel)
	context.AfterFunc(ctx, func() { late.Stop() })
}

// Conn is a connection whose reads are bounded in time. Phases follow each
// other: Await for the first byte of a message, Head, Transfer, and Await again.
type Conn struct {
	net.Conn
	server *Server
	end    time.Time     // of the phase
	pause  time.Duration // the longest read in it
}

// Await waits for a message to begin; r is asked for its first byte. It reports
// false where none comes, or the gateway is stopping.
func (c *Conn) Await(r interface{ Peek(int) ([]byte, error) }) bool {
	c.phase(c.server.Limits.Idle, c.server.Limits.Idle)
	if !c.idle(true) {
		return false
	}
	_, err := r.Peek(1)
	return c.idle(false) && err == nil
}

// idle notes whether the connection is between two messages. It reports false
// where the gateway is stopping and no message has begun.
func (c *Conn) idle(now bool) bool {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.server.conns[c] = now
	return !c.server.over
}

// Head begins the phase in which the head of a message is read.
func (c *Conn) Head() { c.phase(c.server.Limits.Head, c.server.Limits.Pause) }

// Transfer begins the phase in which its content is read and the reply written.
func (c *Conn) Transfer() { c.phase(c.server.Limits.Transfer, c.server.Limits.Pause) }

func (c *Conn) phase(all, pause time.Duration) { c.end, c.pause = time.Now().Add(all), pause }

// Read implements [net.Conn].
func (c *Conn) Read(p []byte) (int, error) {
	c.SetReadDeadline(earlier(c.end, time.Now().Add(c.pause)))
	return c.Conn.Read(p)
}

// Write implements [net.Conn].
func (c *Conn) Write(p []byte) (int, error) {
	c.SetWriteDeadline(time.Now().Add(c.pause))
	return c.Conn.Write(p)
}

// Linger says that nothing more will be written and reads what the peer still
// sends, for a short while: closing at once would take the reply from it.
func (c *Conn) Linger() {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	c.phase(2*time.Second, time.Second)
	buf := make([]byte, 32<<10)
	for {
		if _, err := c.Read(buf); err != nil {
			return
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
