package capture

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/sourcetest"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

const (
	up   = "c!tcp:10.0.0.5:5000>192.0.2.80:80"
	down = "c!tcp:192.0.2.80:80>10.0.0.5:5000"
)

func TestStreams(t *testing.T) {
	text := strings.Repeat("0123456789", 30) + marked + strings.Repeat("abcdefghij", 30)
	tests := []struct {
		name string
		make func(k *talk)
		want string
		gaps []string
	}{
		{"segments of a few bytes", func(k *talk) { k.open().say(1, text, 7).close() }, text, nil},
		{"no end", func(k *talk) { k.open().say(1, text, 100) }, text, nil},
		{"no beginning", func(k *talk) { k.say(1, text, 100).close() }, text, nil},
		{"out of order", func(k *talk) {
			k.open().say(1, text, 50)
			p := k.packets[2:]
			slices.Reverse(p)
			k.close()
		}, text, nil},
		{"sent twice", func(k *talk) {
			k.open().say(1, text, 50)
			again := slices.Clone(k.packets[2:6])
			k.packets = append(k.packets, again...)
			k.close()
		}, text, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := newTrace(t)
			tt.make(tr.dial("10.0.0.5", 5000, "192.0.2.80", 80))
			for format, capture := range map[string][]byte{"pcap": tr.pcap(), "pcapng": tr.pcapng()} {
				s := see(t, Config{}, capture)
				if s.content[down] != tt.want || !slices.Equal(s.gaps, tt.gaps) {
					t.Errorf("%s: got %q and gaps %q, want %q", format, s.content, s.gaps, tt.want)
				}
			}
		})
	}
}

// TestHole: what stands on both sides of missing bytes is not joined.
func TestHole(t *testing.T) {
	tr := newTrace(t)
	k := tr.dial("10.0.0.5", 5000, "192.0.2.80", 80).open()
	k.say(1, "BinStore ena", 100)
	k.seq[1] += 40
	k.say(1, "bled implants.", 100)
	k.close()
	s := see(t, Config{}, tr.pcap())
	s.want(t, down, "BinStore ena")
	s.want(t, down+"#2", "bled implants.")
	if !slices.Contains(s.gaps, ReasonMissing) {
		t.Errorf("gaps: got %q, want the missing bytes among them", s.gaps)
	}
}

// TestWindows: what is longer than the window comes in parts that overlap.
func TestWindows(t *testing.T) {
	text := strings.Repeat("x", 990) + marked + strings.Repeat("y", 2000)
	tr := newTrace(t)
	tr.dial("10.0.0.5", 5000, "192.0.2.80", 80).open().say(1, text, 333).close()
	s := see(t, Config{Window: 1000, Overlap: 100}, tr.pcap())
	joined := s.content[down]
	for i := 2; ; i++ {
		part, ok := s.content[fmt.Sprintf("%s#%d", down, i)]
		if !ok {
			break
		}
		if len(part) > 1000 {
			t.Errorf("part %d has %d bytes", i, len(part))
		}
		joined += part[100:]
	}
	if joined != text {
		t.Errorf("got %d bytes, want %d", len(joined), len(text))
	}
	if !strings.Contains(s.content[down+"#2"], marked) {
		t.Errorf("the text on the border is in no part")
	}
}

// TestTunnels finds a datagram behind each way of wrapping it.
func TestTunnels(t *testing.T) {
	udp := func(ip gopacket.NetworkLayer) *layers.UDP {
		u := &layers.UDP{SrcPort: 1000, DstPort: 2000}
		u.SetNetworkLayerForChecksum(ip)
		return u
	}
	inner := ip4("10.0.0.5", "10.0.0.6", layers.IPProtocolUDP)
	six := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolUDP, SrcIP: net.ParseIP("2001:db8::5"), DstIP: net.ParseIP("2001:db8::6")}
	const four, sixth = "c!udp:10.0.0.5:1000>10.0.0.6:2000#1", "c!udp:[2001:db8::5]:1000>[2001:db8::6]:2000#1"
	outer := func(p layers.IPProtocol) *layers.IPv4 { return ip4("198.51.100.1", "198.51.100.2", p) }
	tests := []struct {
		name, want string
		layers     []gopacket.SerializableLayer
	}{
		{"plain", four, []gopacket.SerializableLayer{ethernet(layers.EthernetTypeIPv4), inner, udp(inner)}},
		{"IPv6", sixth, []gopacket.SerializableLayer{ethernet(layers.EthernetTypeIPv6), six, udp(six)}},
		{"VLAN", four, []gopacket.SerializableLayer{ethernet(layers.EthernetTypeDot1Q), &layers.Dot1Q{VLANIdentifier: 7, Type: layers.EthernetTypeIPv4}, inner, udp(inner)}},
		{"two VLANs", four, []gopacket.SerializableLayer{ethernet(layers.EthernetTypeQinQ), &layers.Dot1Q{VLANIdentifier: 7, Type: layers.EthernetTypeDot1Q}, &layers.Dot1Q{VLANIdentifier: 8, Type: layers.EthernetTypeIPv4}, inner, udp(inner)}},
		{"MPLS", four, []gopacket.SerializableLayer{ethernet(layers.EthernetTypeMPLSUnicast), &layers.MPLS{Label: 5, StackBottom: true, TTL: 9}, inner, udp(inner)}},
		{"GRE", four, []gopacket.SerializableLayer{ethernet(layers.EthernetTypeIPv4), outer(layers.IPProtocolGRE), &layers.GRE{Protocol: layers.EthernetTypeIPv4}, inner, udp(inner)}},
		{"IP in IP", four, []gopacket.SerializableLayer{ethernet(layers.EthernetTypeIPv4), outer(layers.IPProtocolIPv4), inner, udp(inner)}},
		{"VXLAN", four, []gopacket.SerializableLayer{ethernet(layers.EthernetTypeIPv4), outer(layers.IPProtocolUDP),
			func() *layers.UDP {
				u := &layers.UDP{SrcPort: 9, DstPort: 4789}
				u.SetNetworkLayerForChecksum(outer(layers.IPProtocolUDP))
				return u
			}(), &layers.VXLAN{ValidIDFlag: true, VNI: 3}, ethernet(layers.EthernetTypeIPv4), inner, udp(inner)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := newTrace(t)
			tr.add(append(tt.layers, gopacket.Payload(marked))...)
			s := see(t, Config{}, tr.pcap())
			s.want(t, tt.want, marked)
			s.fact(t, tt.want, "net.proto", "udp")
			s.fact(t, tt.want, "net.src.port", 1000)
			s.fact(t, tt.want, "net.time", start)
		})
	}
}

// TestInterrupted counts what a conversation held that was not over.
func TestInterrupted(t *testing.T) {
	tr := newTrace(t)
	tr.dial("10.0.0.5", 5000, "192.0.2.80", 80).open().say(1, "under way", 40)
	tr.dial("10.0.0.5", 5001, "192.0.2.80", 80).open().say(1, "over", 40).close()
	src, err := New(Config{Reader: bytes.NewReader(tr.pcap()), Name: "c"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &sourcetest.Recorder{On: func(besra.Target) error { cancel(); return nil }}
	if err := src.Run(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	if gaps := r.Gaps(); len(gaps) != 1 || gaps[0].Reason != ReasonUnfinished || gaps[0].Count != 1 {
		t.Errorf("got gaps %+v, want one conversation that was not over", gaps)
	}
}

func TestFragments(t *testing.T) {
	tr := newTrace(t)
	ip := ip4("10.0.0.5", "10.0.0.6", layers.IPProtocolUDP)
	u := &layers.UDP{SrcPort: 1000, DstPort: 2000}
	u.SetNetworkLayerForChecksum(ip)
	whole := tr.layers(u, gopacket.Payload(strings.Repeat("x", 60)+marked+strings.Repeat("y", 60)))
	for at := 0; at < len(whole); at += 80 {
		f := *ip
		f.Id, f.FragOffset = 7, uint16(at/8)
		if at+80 < len(whole) {
			f.Flags = layers.IPv4MoreFragments
		}
		tr.add(ethernet(layers.EthernetTypeIPv4), &f, gopacket.Payload(whole[at:min(at+80, len(whole))]))
	}
	s := see(t, Config{}, tr.pcap())
	if n := len(s.content); n != 1 || !strings.Contains(s.content[s.names()[0]], marked) {
		t.Errorf("got %q, want one datagram with the text", s.content)
	}
}

func TestFragmentsIPv6(t *testing.T) {
	tr := newTrace(t)
	ip := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolIPv6Fragment, SrcIP: net.ParseIP("2001:db8::5"), DstIP: net.ParseIP("2001:db8::6")}
	u := &layers.UDP{SrcPort: 1000, DstPort: 2000}
	u.SetNetworkLayerForChecksum(ip)
	whole := tr.layers(u, gopacket.Payload(strings.Repeat("x", 60)+marked+strings.Repeat("y", 60)))
	for at := 0; at < len(whole); at += 80 {
		end := min(at+80, len(whole))
		h := []byte{byte(layers.IPProtocolUDP), 0, byte(at >> 8), byte(at), 0, 0, 0, 9}
		if end < len(whole) {
			h[3] |= 1
		}
		tr.add(ethernet(layers.EthernetTypeIPv6), ip, gopacket.Payload(append(h, whole[at:end]...)))
	}
	s := see(t, Config{}, tr.pcap())
	if n := len(s.content); n != 1 || !strings.Contains(s.content[s.names()[0]], marked) {
		t.Errorf("got %q, gaps %q, want one datagram with the text", s.content, s.gaps)
	}
}

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

func TestHTTP(t *testing.T) {
	packed := zipped(marked)
	form := "--BB\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n" +
		"--BB\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.bin\"\r\n\r\npayload\r\n--BB--\r\n"
	requests := "GET /a.bin?x=1 HTTP/1.1\r\nHost: files.example:80\r\nUser-Agent: curl/8\r\n\r\n" +
		"HEAD /b HTTP/1.1\r\nHost: files.example\r\n\r\n" +
		"GET /c HTTP/1.1\r\nHost: files.example\r\n\r\n" +
		"POST /up HTTP/1.1\r\nHost: files.example\r\nContent-Type: multipart/form-data; boundary=BB\r\nContent-Length: " + fmt.Sprint(len(form)) + "\r\n\r\n" + form
	responses := "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " + fmt.Sprint(len(packed)) + "\r\n\r\n" + packed +
		"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" +
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nBinSt\r\n15\r\nore enabled implants.\r\n0\r\n\r\n" +
		"HTTP/1.1 204 No Content\r\n\r\n"
	tr := newTrace(t)
	k := tr.dial("10.0.0.5", 5000, "192.0.2.80", 80).open()
	k.say(0, requests, 60)
	k.say(1, responses, 40)
	k.close()
	s := see(t, Config{}, tr.pcap())
	s.want(t, down+"!http://files.example:80/a.bin?x=1", marked)
	s.want(t, down+"!http://files.example/c", marked)
	s.want(t, up+"!POST http://files.example/up!f.bin", "payload")
	s.want(t, up+"!POST http://files.example/up!note", "hello")
	if len(s.gaps) > 0 || len(s.content) != 6 {
		t.Errorf("got gaps %q and names %q", s.gaps, s.names())
	}
	object := down + "!http://files.example:80/a.bin?x=1"
	s.fact(t, object, "net.url", "http://files.example:80/a.bin?x=1")
	s.fact(t, object, "net.host", "files.example")
	s.fact(t, object, "net.user_agent", "curl/8")
	s.fact(t, object, "net.dst.ip", "10.0.0.5")
	s.fact(t, down, "net.host", "files.example")
}

// TestHTTPCut: what came of a body that was cut is there, and the cut is told.
func TestHTTPCut(t *testing.T) {
	tr := newTrace(t)
	tr.dial("10.0.0.5", 5000, "192.0.2.80", 80).open().say(1, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"+marked, 40).close()
	s := see(t, Config{}, tr.pcap())
	s.want(t, down+"!response", marked)
	if !slices.Contains(s.gaps, ReasonCut) {
		t.Errorf("gaps: got %q, want %q among them", s.gaps, ReasonCut)
	}
}

func TestSMTP(t *testing.T) {
	tr := newTrace(t)
	k := tr.dial("10.0.0.5", 5000, "192.0.2.25", 25).open()
	k.say(0, "EHLO client\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n"+marked+"\r\n.\r\n"+
		"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nBDAT 5\r\nhelloBDAT 6 LAST\r\n world\r\nQUIT\r\n", 20)
	k.close()
	s := see(t, Config{}, tr.pcap())
	const client = "c!tcp:10.0.0.5:5000>192.0.2.25:25"
	s.want(t, client+"!message-1.eml", "Subject: x\r\n\r\n.dot\r\n"+marked+"\r\n")
	s.want(t, client+"!message-2.eml", "hello world")
	for fact, want := range map[string]any{"mail.envelope_from": "a@example.org", "mail.envelope_to": []string{"b@example.org"},
		"mail.helo": "client", "mail.client_ip": "10.0.0.5", "mail.received": start} {
		s.fact(t, client+"!message-2.eml", fact, want)
	}
}

// TestSMTPRefused goes on behind a DATA that the server did not want, and takes
// what came of a message whose last chunk is not there.
func TestSMTPRefused(t *testing.T) {
	tr := newTrace(t)
	k := tr.dial("10.0.0.5", 5000, "192.0.2.25", 25).open()
	const message = "Subject: x\r\n\r\n" + marked + "\r\n"
	k.say(0, "EHLO client\r\nMAIL FROM:<A@example.org> SIZE=9\r\nRCPT TO:<no@example.org>\r\nDATA\r\nRSET\r\n"+
		"MAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n"+message+".\r\n"+
		"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nQUIT\r\n.\r\nMAIL FROM:<a@example.org>\r\nBDAT 9\r\nunfinish", 20)
	k.say(1, "220-mx\r\n220 mx\r\n250-mx\r\n250 PIPELINING\r\n250 ok\r\n550 no\r\n503 no\r\n250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n"+
		"250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n250 ok\r\n", 20)
	k.close()
	s := see(t, Config{}, tr.pcap())
	const client = "c!tcp:10.0.0.5:5000>192.0.2.25:25"
	s.want(t, client+"!message-1.eml", message)
	s.want(t, client+"!message-2.eml", "QUIT\r\n")
	s.want(t, client+"!message-3.eml", "unfinish")
	s.fact(t, client+"!message-1.eml", "mail.envelope_from", "")
	s.fact(t, client+"!message-1.eml", "mail.envelope_to", []string{"b@example.org", "c@example.org"})
}

func TestFTP(t *testing.T) {
	tests := []struct {
		name             string
		control          [][2]string // speaker and line
		client, server   string
		clientP, serverP uint16
		from             int
		want             string
	}{
		{"passive download", [][2]string{{"1", "227 Entering Passive Mode (192,0,2,21,4,0)"}, {"0", "RETR pub/tool.bin"}}, "10.0.0.5", "192.0.2.21", 6000, 1024, 1,
			"c!tcp:192.0.2.21:1024>10.0.0.5:6000!ftp/pub/tool.bin"},
		{"extended passive upload", [][2]string{{"1", "229 Entering Extended Passive Mode (|||1025|)"}, {"0", "STOR ../../x"}}, "10.0.0.5", "192.0.2.21", 6000, 1025, 0,
			"c!tcp:10.0.0.5:6000>192.0.2.21:1025!ftp/x"},
		{"active", [][2]string{{"0", "PORT 10,0,0,5,23,112"}, {"0", "RETR a"}}, "192.0.2.21", "10.0.0.5", 20, 6000, 0,
			"c!tcp:192.0.2.21:20>10.0.0.5:6000!ftp/a"},
		{"extended active", [][2]string{{"0", "EPRT |1|10.0.0.5|6000|"}, {"0", "RETR a"}}, "192.0.2.21", "10.0.0.5", 20, 6000, 0,
			"c!tcp:192.0.2.21:20>10.0.0.5:6000!ftp/a"},
		{"in another folder", [][2]string{{"0", "PWD"}, {"1", `257 "/home/a" is where you are`}, {"0", "CWD pub"}, {"1", "250 gone"}, {"0", "CWD no"}, {"1", "550 no"}, {"0", "MKD n"},
			{"1", `257 "/home/a/pub/n" made`}, {"0", "EPRT |1|10.0.0.5|6000|"}, {"0", "RETR a"}}, "192.0.2.21", "10.0.0.5", 20, 6000, 0, "c!tcp:192.0.2.21:20>10.0.0.5:6000!ftp/home/a/pub/a"},
		{"from an offset", [][2]string{{"0", "PORT 10,0,0,5,23,112"}, {"0", "REST 5"}, {"0", "RETR a"}}, "192.0.2.21", "10.0.0.5", 20, 6000, 0,
			"c!tcp:192.0.2.21:20>10.0.0.5:6000!ftp/a@5"},
		{"the next from its start", [][2]string{{"0", "PASV"}, {"1", "227 (192,0,2,21,4,0)"}, {"0", "REST 5"}, {"0", "RETR a"}, {"0", "PORT 10,0,0,5,23,112"}, {"0", "REST 0"}, {"0", "RETR a"}},
			"192.0.2.21", "10.0.0.5", 20, 6000, 0, "c!tcp:192.0.2.21:20>10.0.0.5:6000!ftp/a"},
		{"above and absolute", [][2]string{{"0", "CWD /a/b"}, {"1", "250 gone"}, {"0", "CDUP"}, {"1", "200 gone"}, {"0", "PORT 10,0,0,5,23,112"}, {"0", "STOR b"}},
			"192.0.2.21", "10.0.0.5", 20, 6000, 1, "c!tcp:10.0.0.5:6000>192.0.2.21:20!ftp/a/b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := newTrace(t)
			c := tr.dial("10.0.0.5", 5000, "192.0.2.21", 21).open()
			for _, line := range tt.control {
				c.say(int(line[0][0]-'0'), line[1]+"\r\n", 9)
			}
			tr.dial(tt.client, tt.clientP, tt.server, tt.serverP).open().say(tt.from, marked, 10).close()
			see(t, Config{}, tr.pcap()).want(t, tt.want, marked)
		})
	}
}

// TestEncryptedOnce: both directions of a conversation go over to TLS, which is
// told once.
func TestEncryptedOnce(t *testing.T) {
	k := newTrace(t).dial("10.0.0.5", 5000, "192.0.2.25", portIMAP).open()
	k.say(1, "* OK ready\r\n", 90).say(0, "a1 STARTTLS\r\n", 90).say(1, "a1 OK begin\r\n", 90)
	k.say(0, "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 90).say(1, "\x16\x03\x03\x00\x05\x02\x00\x00\x01\x00", 90).close()
	if got := see(t, Config{}, k.pcap()).gaps; !slices.Equal(got, []string{ReasonEncrypted}) {
		t.Errorf("gaps: got %q, want %q", got, ReasonEncrypted)
	}
}

// TestTunnel: a proxy that let its client through carries no messages any more.
func TestTunnel(t *testing.T) {
	k := newTrace(t).dial("10.0.0.5", 5000, "192.0.2.80", 8080).open()
	k.say(0, "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", 90).say(1, "HTTP/1.1 407 Who?\r\nContent-Length: 2\r\n\r\nno", 90)
	k.say(0, "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", 90).say(1, "HTTP/1.1 200 OK\r\n\r\n", 90)
	k.say(0, "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 90).say(1, "\x16\x03\x03\x00\x05\x02\x00\x00\x01\x00", 90).close()
	s := see(t, Config{}, k.pcap())
	if n := len(s.names()); n != 3 || !slices.Equal(s.gaps, []string{ReasonEncrypted}) {
		t.Errorf("got names %q and gaps %q", s.names(), s.gaps)
	}
}

// TestEncrypted wants it told that conversations went over to TLS.
func TestEncrypted(t *testing.T) {
	hello := "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"
	for said, want := range map[string]bool{hello: true, "EHLO a\r\nSTARTTLS\r\n" + hello: true, "AUTH TLS\r\n" + hello: true, "GET /" + hello: false, "\x16\x03": false} {
		tr := newTrace(t)
		tr.dial("10.0.0.5", 5000, "192.0.2.21", 443).open().say(0, said, 5).close()
		if got := slices.Contains(see(t, Config{}, tr.pcap()).gaps, ReasonEncrypted); got != want {
			t.Errorf("%q: told %v, want %v", said, got, want)
		}
	}
}

func TestDNS(t *testing.T) {
	tr := newTrace(t)
	ip := ip4("10.0.0.53", "10.0.0.5", layers.IPProtocolUDP)
	u := &layers.UDP{SrcPort: 53, DstPort: 4000}
	u.SetNetworkLayerForChecksum(ip)
	tr.add(ethernet(layers.EthernetTypeIPv4), ip, u, &layers.DNS{QR: true, Questions: []layers.DNSQuestion{{Name: []byte("evil.example"), Type: layers.DNSTypeA, Class: layers.DNSClassIN}},
		Answers: []layers.DNSResourceRecord{{Name: []byte("evil.example"), Type: layers.DNSTypeA, Class: layers.DNSClassIN, IP: net.IP{192, 0, 2, 66}},
			{Name: []byte("evil.example"), Type: layers.DNSTypeTXT, Class: layers.DNSClassIN, TXTs: [][]byte{[]byte("Bin"), []byte("Store")}}}})
	see(t, Config{}, tr.pcap()).want(t, "c!udp:10.0.0.53:53>10.0.0.5:4000#1!dns.txt",
		"evil.example IN A ?\nevil.example IN A 192.0.2.66\nevil.example IN TXT BinStore\n")
}

// TestServerName reads a ClientHello made by hand, in one record and in two.
func TestServerName(t *testing.T) {
	name := "hidden.example"
	ext := "\x00\x00" + prefix16(prefix16("\x00"+prefix16(name)))
	body := "\x03\x03" + strings.Repeat("r", 32) + "\x00" + prefix16("\x13\x01") + "\x01\x00" + prefix16("\x00\x17\x00\x00"+ext)
	hello := "\x01\x00" + prefix16(body)
	one := "\x16\x03\x01" + prefix16(hello)
	two := "\x16\x03\x01" + prefix16(hello[:20]) + "\x16\x03\x01" + prefix16(hello[20:])
	for _, b := range []string{one, two} {
		if got := serverName([]byte(b)); got != name {
			t.Errorf("got %q, want %q", got, name)
		}
	}
	for i := range one {
		serverName([]byte(one[:i])) // a cut hello is no name, and no panic
	}
}

func prefix16(s string) string { return string([]byte{byte(len(s) >> 8), byte(len(s))}) + s }

// TestMemory: however many conversations are open, what is held is bounded.
func TestMemory(t *testing.T) {
	tr := newTrace(t)
	for i := range 40 {
		tr.dial("10.0.0.5", uint16(5000+i), "192.0.2.80", 80).open().say(1, strings.Repeat("z", 4000), 1000)
	}
	c := Config{Reader: bytes.NewReader(tr.pcap()), Name: "c", Held: 20_000, Overlap: 10}
	defaults, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	d := newDecoder(t.Context(), &defaults.config, &sourcetest.Recorder{})
	most := int64(0)
	d.to = &sourcetest.Recorder{On: func(besra.Target) error { most = max(most, d.streams.held); return nil }}
	in, err := readPackets(bytes.NewReader(tr.pcap()))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.run(in); err != nil {
		t.Fatal(err)
	}
	if most > 22_000 || most == 0 {
		t.Errorf("held %d bytes at the most, want 20,000 and a segment", most)
	}
	if d.streams.held != 0 || len(d.streams.table) != 0 {
		t.Errorf("%d bytes of %d conversations are left", d.streams.held, len(d.streams.table))
	}
}

func TestBadCaptures(t *testing.T) {
	tr := newTrace(t)
	tr.dial("10.0.0.5", 5000, "192.0.2.80", 80).open().say(1, marked, 5).close()
	whole := tr.pcap()
	s := see(t, Config{}, whole[:len(whole)-70])
	if !slices.Contains(s.gaps, ReasonTruncated) || s.content[down] == "" {
		t.Errorf("a capture that is cut: got %q and gaps %q", s.content, s.gaps)
	}
	for _, bad := range []string{"", "x", "not a capture", "\xd4\xc3\xb2\xa1"} {
		src, err := New(Config{Reader: strings.NewReader(bad), Name: "c"})
		if err != nil {
			t.Fatal(err)
		}
		if err := src.Run(t.Context(), &sourcetest.Recorder{}); err == nil {
			t.Errorf("%q: got no error", bad)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("a source of nothing: got no error")
	}
}

// TestContract runs the suite of sources on a capture of many datagrams.
func TestContract(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.pcap.gz")
	want := map[string][]byte{}
	tr := newTrace(t)
	for i := range sourcetest.MinTargets + 5 {
		ip := ip4("10.0.0.5", "10.0.0.6", layers.IPProtocolUDP)
		u := &layers.UDP{SrcPort: 1000, DstPort: 2000}
		u.SetNetworkLayerForChecksum(ip)
		content := fmt.Sprint(marked, i)
		tr.add(ethernet(layers.EthernetTypeIPv4), ip, u, gopacket.Payload(content))
		want[fmt.Sprintf("%s!udp:10.0.0.5:1000>10.0.0.6:2000#%d", path, i+1)] = []byte(content)
	}
	if err := os.WriteFile(path, []byte(zipped(string(tr.pcap()))), 0o644); err != nil {
		t.Fatal(err)
	}
	sourcetest.Test(t, func(t *testing.T) sourcetest.Place {
		src, err := New(Config{File: path})
		if err != nil {
			t.Fatal(err)
		}
		return sourcetest.Place{Source: src, Want: want}
	})
}

func FuzzCapture(f *testing.F) {
	tr := newTrace(f)
	k := tr.dial("10.0.0.5", 5000, "192.0.2.80", 80).open()
	k.say(0, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 10)
	k.say(1, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 10).close()
	f.Add(tr.pcap())
	f.Add(tr.pcapng())
	f.Fuzz(func(t *testing.T, b []byte) {
		src, err := New(Config{Reader: bytes.NewReader(b), Name: "c", Window: 4096, Overlap: 64})
		if err != nil {
			t.Fatal(err)
		}
		var r sourcetest.Recorder
		r.On = func(target besra.Target) error {
			if c, err := target.Open(t.Context()); err == nil {
				Expander{}.Expand(t.Context(), target, c.Bytes(), &besra.Budget{Members: 100, Bytes: 1 << 20, Member: 1 << 20}, &r)
			}
			return nil
		}
		src.Run(t.Context(), &r)
	})
}
