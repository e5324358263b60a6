package syslog

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"
)

// Options say where messages go and what is done while that is not possible.
type Options struct {
	// URL is tcp://host:port or tls://host:port; the ports of the standards are
	// 601 and 6514.
	URL string
	// TLS is the configuration of tls; nil checks the server by the roots of
	// the system.
	TLS *tls.Config
	// Spool is a file that keeps messages while the collector cannot be
	// reached, also over the end of the process; without one, not being able to
	// deliver is an error. SpoolMax bounds it, in bytes (default 64 MiB): what
	// comes when it is full is dropped and counted.
	Spool    string
	SpoolMax int64
	// Timeout bounds connecting, and each write (default 10s).
	Timeout time.Duration
}

// Conn delivers messages to a collector, framed by their length (RFC 6587, RFC
// 5425). Delivery is at least once: what was written to a connection that breaks
// before the collector has read it can be lost, as with any syslog over TCP; the
// ids of findings tell what came twice. A Conn belongs to one goroutine.
type Conn struct {
	o     Options
	tls   bool
	host  string
	conn  net.Conn
	spool *spool
	retry time.Time // when to try again to connect
	wait  time.Duration
}

// Dial prepares a connection. It connects at once, so that a wrong address is
// told before a hunt begins; with a spool it only notes that.
func Dial(o Options) (*Conn, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "tcp" && u.Scheme != "tls" || u.Port() == "" || u.Path != "" {
		return nil, fmt.Errorf("%q: want tcp://host:601 or tls://host:6514", o.URL)
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.SpoolMax <= 0 {
		o.SpoolMax = 64 << 20
	}
	c := &Conn{o: o, tls: u.Scheme == "tls", host: u.Host}
	if o.Spool != "" {
		if c.spool, err = openSpool(o.Spool, o.SpoolMax); err != nil {
			return nil, err
		}
	}
	if err := c.connect(); err != nil && c.spool == nil {
		return nil, err
	}
	return c, nil
}

func (c *Conn) connect() error {
	d := &net.Dialer{Timeout: c.o.Timeout}
	var err error
	if c.tls {
		c.conn, err = tls.DialWithDialer(d, "tcp", c.host, c.o.TLS)
	} else {
		c.conn, err = d.Dial("tcp", c.host)
	}
	if err != nil {
		c.conn = nil
		c.wait = min(max(2*c.wait, time.Second), time.Minute)
		c.retry = time.Now().Add(c.wait)
		return err
	}
	c.wait = 0
	return nil
}

// Write delivers one message, with or without a line end. Messages that wait in
// the spool go first.
func (c *Conn) Write(message []byte) (int, error) {
	frame := frameOf(message)
	if c.spool == nil {
		return len(message), c.send(frame)
	}
	if c.deliverable() && c.drain() == nil && c.send(frame) == nil {
		return len(message), nil
	}
	return len(message), c.spool.add(frame)
}

// deliverable reports whether there is a connection, or it is time to try for one.
func (c *Conn) deliverable() bool {
	return c.conn != nil || !time.Now().Before(c.retry)
}

// send writes a frame, to a new connection where the old one has broken.
func (c *Conn) send(frame []byte) error {
	for fresh := false; ; fresh = true {
		if c.conn == nil {
			if err := c.connect(); err != nil {
				return err
			}
			fresh = true
		}
		c.conn.SetWriteDeadline(time.Now().Add(c.o.Timeout))
		_, err := c.conn.Write(frame)
		if err == nil {
			return nil
		}
		c.conn.Close()
		c.conn = nil
		if fresh {
			return err
		}
	}
}

// drain sends what waits in the spool.
func (c *Conn) drain() error { return c.spool.drain(c.send) }

// Pending returns how many messages wait in the spool, and how many were dropped
// because it was full.
func (c *Conn) Pending() (waiting, dropped int) {
	if c.spool == nil {
		return 0, 0
	}
	return c.spool.waiting, c.spool.dropped
}

// Close tries once more to deliver what waits, and closes the connection. What
// still waits stays in the spool for the next time and is no error; what was
// dropped is one.
func (c *Conn) Close() error {
	var err error
	if c.spool != nil {
		if c.spool.waiting > 0 {
			c.drain()
		}
		if c.spool.dropped > 0 {
			err = fmt.Errorf("the spool %s is full: %d messages were dropped", c.o.Spool, c.spool.dropped)
		}
		err = errors.Join(err, c.spool.file.Close())
	}
	if c.conn != nil {
		err = errors.Join(err, c.conn.Close())
		c.conn = nil
	}
	return err
}

// frameOf puts the length of a message in front of it.
func frameOf(message []byte) []byte {
	if n := len(message); n > 0 && message[n-1] == '\n' {
		message = message[:n-1]
	}
	return fmt.Appendf(nil, "%d %s", len(message), message)
}

var _ io.WriteCloser = (*Conn)(nil)
