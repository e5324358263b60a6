package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

const (
	portDNS  = 53
	portMDNS = 5353
)

// isDNS goes by the port, because the format has no magic.
func isDNS(f *streamFacts, b []byte) bool {
	port := func(p uint16) bool { return p == portDNS || p == portMDNS }
	return len(b) >= 12 && (port(f.flow.srcPort) || port(f.flow.dstPort))
}

// dns yields messages as text, a line for each question and record, because a
// name on the wire is cut into labels: "evil.example" is nowhere in it.
func (d *dialogue) dns() error {
	var text strings.Builder
	for rest := d.content; len(rest) > 0; {
		var message []byte
		if message, rest = nextMessage(rest, d.flow.proto); message == nil {
			break
		}
		describe(&text, message)
	}
	if text.Len() == 0 {
		return nil
	}
	return d.yield(object{name: "dns.txt", body: func() (io.Reader, error) { return strings.NewReader(text.String()), nil }})
}

// nextMessage cuts a message off: over TCP each has its length before it.
func nextMessage(b []byte, proto string) (message, rest []byte) {
	if proto == "udp" {
		return b, nil
	}
	if len(b) < 2 {
		return nil, nil
	}
	size := int(binary.BigEndian.Uint16(b))
	if size == 0 || size > len(b)-2 {
		return nil, nil
	}
	return b[2 : 2+size], b[2+size:]
}

func describe(text *strings.Builder, message []byte) {
	var m layers.DNS
	if err := m.DecodeFromBytes(message, gopacket.NilDecodeFeedback); err != nil {
		return
	}
	for _, q := range m.Questions {
		fmt.Fprintf(text, "%s IN %s ?\n", q.Name, q.Type)
	}
	for _, records := range [][]layers.DNSResourceRecord{m.Answers, m.Authorities, m.Additionals} {
		for _, r := range records {
			fmt.Fprintf(text, "%s IN %s %s\n", r.Name, r.Type, recordData(r))
		}
	}
}

func recordData(r layers.DNSResourceRecord) string {
	switch r.Type {
	case layers.DNSTypeA, layers.DNSTypeAAAA:
		return r.IP.String()
	case layers.DNSTypeCNAME:
		return string(r.CNAME)
	case layers.DNSTypeNS:
		return string(r.NS)
	case layers.DNSTypePTR:
		return string(r.PTR)
	case layers.DNSTypeMX:
		return string(r.MX.Name)
	case layers.DNSTypeSRV:
		return string(r.SRV.Name)
	case layers.DNSTypeTXT:
		return string(bytes.Join(r.TXTs, nil))
	}
	return fmt.Sprintf("%q", r.Data)
}
