// Package capture reads network traffic: capture files (pcap, pcapng, either of
// them in gzip), a stream of one on standard input, or a live interface. It is a
// [besra.Source], and its [Expander] finds the objects in what it yields.
//
//	src, err := capture.New(capture.Config{Host: host, File: "firewall.pcapng"})
//
// # Targets
//
// Each direction of a TCP conversation is a target that holds the bytes as they
// were reassembled, so that what crosses a segment's border is found:
//
//	firewall.pcapng!tcp:10.0.0.5:51234>192.0.2.80:80
//
// A later conversation of the same ends has "~" and the number of its first
// packet behind the name.
//
// A direction longer than the window is yielded in windows that overlap, with
// "#2", "#3", … behind the name. Where its protocol is known a window ends where
// a message begins, and grows for the sake of one that is longer, so that what a
// conversation carries is found whole in one of them. Of an object that is larger
// than may be held, the next window has another part, with "@" and its offset
// behind the name: it has no digest, and is a gap. Where bytes are missing from
// the capture the window ends, because what stands on both sides of a hole is no
// neighbour, and the hole is a gap. A datagram of UDP, and the payload of an ICMP
// message, is a target of its own, with the packet's number behind the name.
//
// Files that clients read from shares of SMB2 and SMB3, or write to them, are
// put together as they come, from any order and with several open at once:
//
//	firewall.pcapng!tcp:192.0.2.44:445>10.0.0.5:51234!\\fs\pub\tool.exe
//
// A file of which not every byte was seen has no digest, and is a gap; what
// stands behind a hole is a target of its own, with "@" and its offset. Messages
// that are encrypted or compressed, and all of SMB1, are gaps, too.
//
// Messages of IMAP and POP3 are found as those of SMTP are, those that a client
// fetches in parts put together again, and behind COMPRESS, too.
//
// An object of HTTP that comes in ranges is put together, too. Of WebSocket, the
// messages of each direction are found; other protocols that a conversation of
// HTTP goes over to, and HTTP/2, are gaps.
//
// Conversations that are in TLS, or go over to it by STARTTLS, are counted as
// skipped: names in their handshake are facts, and what follows is searched as
// it is.
//
// Ethernet, VLAN tags, MPLS, PPPoE, Linux cooked and loopback captures, GRE and
// VXLAN tunnels, IP in IP and fragments are undone on the way.
//
// # Facts
//
// Addresses, ports and times are read from packets (verified); what a protocol
// says of itself, such as a host name or a URL, is weak.
package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// Config says what traffic is read. One of File, Reader and Interface is given.
type Config struct {
	// Facts answers what is asked of the host that looks at the traffic.
	Facts besra.Facts
	// File is the path of a capture.
	File string
	// Reader gives a capture as it is written, named Name.
	Reader io.Reader
	Name   string
	// Interface is listened on until the context ends (Linux).
	Interface string

	// Window is how many bytes of one direction are held before they are
	// yielded (default 8 MiB; up to a quarter of Held for a single message),
	// Overlap how many of them are yielded again with the next (default 64 KiB).
	Window, Overlap int
	// Waiting is how many bytes may wait for others that are late, in all
	// conversations together (default 64 MiB).
	Waiting int64
	// Held is how many bytes all conversations together hold before the
	// longest are yielded early (default 256 MiB).
	Held int64
	// Memory, where above 0, is what all of this may take together, in bytes: it
	// makes the numbers above smaller. Ahead is how many targets the receiver
	// may hold at one time (default 16), because their bytes count, too.
	Memory int64
	Ahead  int
	// Idle is how long a conversation lasts without a packet (default 2 minutes
	// of the capture's time).
	Idle time.Duration

	conversations int   // that are remembered at once
	part          int64 // bytes of a carved file, or of a window, that are yielded at once
	spoil         bool  // for tests: memory that is given back is overwritten
}

// Source reads traffic. Each Run of a file begins anew.
type Source struct{ config Config }

// New returns the source that c describes.
func New(c Config) (*Source, error) {
	given := 0
	for _, is := range []bool{c.File != "", c.Reader != nil, c.Interface != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		return nil, errors.New("a capture is a file, a reader or an interface")
	}
	if c.Name == "" {
		c.Name = c.File + c.Interface
	}
	if c.File != "" {
		if abs, err := filepath.Abs(c.File); err == nil {
			c.Name = abs
		}
	}
	if c.Facts == nil {
		c.Facts = besra.NoFacts{}
	}
	defaultTo(&c.Window, 8<<20)
	defaultTo(&c.Overlap, 64<<10)
	defaultTo(&c.Waiting, 64<<20)
	defaultTo(&c.Held, 256<<20)
	defaultTo(&c.Idle, 2*time.Minute)
	c.part = c.Held / 4
	if c.Memory > 0 {
		c.fit()
	}
	c.conversations = max(64, int(c.Held/conversationCost))
	return &Source{c}, nil
}

// conversationCost is about twice what a conversation takes in memory besides
// its bytes: as many are remembered as take half of what may be held.
const conversationCost = 2 << 10

// fit divides the memory: a quarter for what is held, a quarter for targets on
// their way. The rest is for conversations, what waits, and buffers that grow.
func (c *Config) fit() {
	defaultTo(&c.Ahead, 16)
	c.Held, c.Waiting = min(c.Held, c.Memory/4), min(c.Waiting, c.Memory/16)
	c.part = min(c.part, max(64<<10, c.Memory/4/int64(c.Ahead)))
	c.Window = min(c.Window, int(c.part))
	c.Overlap = min(c.Overlap, c.Window/8)
}

// largest is how long a window may grow for the sake of what is in it.
func (c *Config) largest() int { return max(c.Window, int(c.part)) }

func defaultTo[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// packets is where packets come from.
type packets interface {
	// ZeroCopyReadPacketData returns the next packet, valid until the next call.
	ZeroCopyReadPacketData() ([]byte, gopacket.CaptureInfo, error)
	LinkType() layers.LinkType
}

// Run implements [besra.Source]. A capture that ends in the middle of a packet
// yields what came before, and a gap.
func (s *Source) Run(ctx context.Context, to besra.Receiver) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	in, err := s.open(ctx)
	if err != nil {
		return fmt.Errorf("capture %s: %w", besra.Text(s.config.Name).Printable(), err)
	}
	defer in.close()
	d := newDecoder(ctx, &s.config, to)
	err = d.run(in.packets)
	in.lost(to, s.config.Name)
	return err
}
