package capture

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/inflate"
	"github.com/gopacket/gopacket/pcapgo"
)

// input is an opened capture.
type input struct {
	packets packets
	close   func()
	lost    func(to besra.Receiver, name string) // reports what the kernel dropped
}

var errNoCapture = errors.New("neither a pcap nor a pcapng file")

func (s *Source) open(ctx context.Context) (*input, error) {
	if s.config.Interface != "" {
		return listen(ctx, s.config.Interface)
	}
	in := &input{close: func() {}, lost: func(besra.Receiver, string) {}}
	r := s.config.Reader
	if s.config.File != "" {
		f, err := os.Open(s.config.File)
		if err != nil {
			return nil, err
		}
		r, in.close = f, func() { f.Close() }
	}
	p, err := readPackets(r)
	if err != nil {
		in.close()
		return nil, err
	}
	in.packets = p
	return in, nil
}

// readAhead is how much of a capture is read at once: little enough to be in the
// processor's cache still when the last of it is taken apart.
const readAhead = 128 << 10

// readPackets tells the format by its first bytes.
func readPackets(r io.Reader) (packets, error) {
	in := bufio.NewReaderSize(r, readAhead)
	head, err := in.Peek(4)
	if err != nil {
		return nil, errNoCapture
	}
	switch {
	case string(head[:2]) == "\x1f\x8b":
		z, err := inflate.NewGzipReader(in)
		if err != nil {
			return nil, err
		}
		return readPackets(z)
	case string(head) == "\x0a\x0d\x0d\x0a":
		return pcapgo.NewNgReader(in, pcapgo.NgReaderOptions{WantMixedLinkType: true})
	case isPcap(string(head)):
		return pcapgo.NewReader(in)
	}
	return nil, errNoCapture
}

// isPcap takes the magic of microseconds and nanoseconds in both byte orders.
func isPcap(magic string) bool {
	switch magic {
	case "\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1", "\xa1\xb2\x3c\x4d":
		return true
	}
	return false
}
