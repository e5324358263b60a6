package capture

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/sourcetest"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

const marked = "BinStore enabled implants."

// trace makes a capture packet by packet.
type trace struct {
	t       testing.TB
	packets [][]byte
	at      time.Time
}

var start = time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)

func newTrace(t testing.TB) *trace { return &trace{t: t, at: start} }

func (tr *trace) layers(ls ...gopacket.SerializableLayer) []byte {
	tr.t.Helper()
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...); err != nil {
		tr.t.Fatal(err)
	}
	return bytes.Clone(b.Bytes())
}

func (tr *trace) add(ls ...gopacket.SerializableLayer) {
	tr.packets = append(tr.packets, tr.layers(ls...))
}

func ethernet(t layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, DstMAC: net.HardwareAddr{2, 0, 0, 0, 0, 2}, EthernetType: t}
}

func ip4(src, dst string, proto layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, TTL: 64, Protocol: proto, SrcIP: net.ParseIP(src).To4(), DstIP: net.ParseIP(dst).To4()}
}

// talk is one TCP connection being made.
type talk struct {
	*trace
	ends [2]string
	port [2]uint16
	seq  [2]uint32
	wrap func(ip *layers.IPv4, rest ...gopacket.SerializableLayer)
}

func (tr *trace) dial(client string, clientPort uint16, server string, serverPort uint16) *talk {
	k := &talk{trace: tr, ends: [2]string{client, server}, port: [2]uint16{clientPort, serverPort}, seq: [2]uint32{100, 0xfffffff0}}
	k.wrap = func(ip *layers.IPv4, rest ...gopacket.SerializableLayer) {
		tr.add(append([]gopacket.SerializableLayer{ethernet(layers.EthernetTypeIPv4), ip}, rest...)...)
	}
	return k
}

func (k *talk) open() *talk {
	k.segment(0, func(t *layers.TCP) { t.SYN, t.ACK = true, false }, "")
	k.segment(1, func(t *layers.TCP) { t.SYN, t.ACK = true, true }, "")
	return k
}

// segment sends bytes from one end, 0 for the client.
func (k *talk) segment(from int, set func(*layers.TCP), data string) {
	tcp := &layers.TCP{SrcPort: layers.TCPPort(k.port[from]), DstPort: layers.TCPPort(k.port[1-from]), Seq: k.seq[from], Ack: k.seq[1-from], ACK: true, Window: 65535}
	if set != nil {
		set(tcp)
	}
	ip := ip4(k.ends[from], k.ends[1-from], layers.IPProtocolTCP)
	tcp.SetNetworkLayerForChecksum(ip)
	k.wrap(ip, tcp, gopacket.Payload(data))
	k.seq[from] += uint32(len(data))
	if tcp.SYN || tcp.FIN {
		k.seq[from]++
	}
}

// say sends data in segments of a size.
func (k *talk) say(from int, data string, size int) *talk {
	for len(data) > 0 {
		n := min(size, len(data))
		k.segment(from, func(t *layers.TCP) { t.PSH = true }, data[:n])
		data = data[n:]
	}
	return k
}

func (k *talk) close() {
	k.segment(0, func(t *layers.TCP) { t.FIN = true }, "")
	k.segment(1, func(t *layers.TCP) { t.FIN = true }, "")
}

// pcap writes the packets, one a millisecond.
func (tr *trace) pcap() []byte {
	var b bytes.Buffer
	w := pcapgo.NewWriter(&b)
	if err := w.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
		tr.t.Fatal(err)
	}
	for i, p := range tr.packets {
		ci := gopacket.CaptureInfo{Timestamp: tr.at.Add(time.Duration(i) * time.Millisecond), CaptureLength: len(p), Length: len(p)}
		if err := w.WritePacket(ci, p); err != nil {
			tr.t.Fatal(err)
		}
	}
	return b.Bytes()
}

func (tr *trace) pcapng() []byte {
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriter(&b, layers.LinkTypeEthernet)
	for i, p := range tr.packets {
		if err == nil {
			err = w.WritePacket(gopacket.CaptureInfo{Timestamp: tr.at.Add(time.Duration(i) * time.Millisecond), CaptureLength: len(p), Length: len(p)}, p)
		}
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		tr.t.Fatal(err)
	}
	return b.Bytes()
}

// seen is what a source yielded: contents by name, with facts, and gaps.
type seen struct {
	content map[string]string
	facts   map[string]besra.Facts
	gaps    []string
}

// see reads a capture, opening up what is in its targets.
func see(t testing.TB, c Config, capture []byte) seen {
	t.Helper()
	return seeAfter(t, c, capture, false)
}

// seeAfter opens targets at once, or once the whole capture was read.
func seeAfter(t testing.TB, c Config, capture []byte, wait bool) seen {
	t.Helper()
	c.Reader, c.Name, c.spoil = bytes.NewReader(capture), "c", true
	src, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	s := seen{content: map[string]string{}, facts: map[string]besra.Facts{}}
	var r sourcetest.Recorder
	var waiting []besra.Target
	r.On = func(target besra.Target) error {
		if wait {
			waiting = append(waiting, target)
			return nil
		}
		content, err := target.Open(t.Context())
		if err != nil {
			s.gaps = append(s.gaps, err.Error())
			return nil
		}
		defer content.Close()
		s.content[target.Name], s.facts[target.Name] = string(content.Bytes()), target.Facts
		defer ask(t, target, content)()
		err = Expander{}.Expand(t.Context(), target, content.Bytes(), sourcetest.Ample(), &r)
		if err != nil {
			s.gaps = append(s.gaps, err.Error())
		}
		return nil
	}
	if err := src.Run(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	wait = false
	for _, target := range waiting {
		r.On(target)
	}
	for _, g := range r.Gaps() {
		s.gaps = append(s.gaps, g.Reason)
	}
	return s
}

// ask lends the content to the facts, and asks for those of the network while
// they have it.
func ask(t testing.TB, target besra.Target, content besra.Content) (back func()) {
	lent := target.Facts.(besra.ContentFacts)
	lent.SetContent(content.Bytes())
	for _, def := range besra.Vocabulary() {
		if strings.HasPrefix(def.Name, "net.") {
			target.Facts.Fact(t.Context(), def.Name)
		}
	}
	return func() { lent.SetContent(nil) }
}

func (s seen) want(t *testing.T, name, content string) {
	t.Helper()
	if got, ok := s.content[name]; !ok || got != content {
		t.Errorf("%s: got %.200q (there: %v), want %.200q; names %q, gaps %q", name, got, ok, content, s.names(), s.gaps)
	}
}

func (s seen) names() []string {
	var names []string
	for n := range s.content {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func (s seen) fact(t *testing.T, name, fact string, want any) {
	t.Helper()
	if s.facts[name] == nil {
		t.Errorf("%s: not there", name)
		return
	}
	if got := s.facts[name].Fact(t.Context(), fact); fmt.Sprint(got.Value) != fmt.Sprint(want) {
		t.Errorf("%s: %s: got %v, want %v", name, fact, got.Value, want)
	}
}
