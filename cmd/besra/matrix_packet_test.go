//go:build unix

package main

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// packet is what is on the wire, the outermost layer first.
type packet []gopacket.SerializableLayer

func (p packet) bytes(t *testing.T) []byte {
	t.Helper()
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, p...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sniffed writes packets into a pcapng file; those of conversations are in pcap files.
func sniffed(packets ...packet) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string {
		return "capture:" + written("a.pcapng", func(t *testing.T) []byte {
			var b bytes.Buffer
			w, err := pcapgo.NewNgWriter(&b, layers.LinkTypeEthernet)
			for _, p := range packets {
				data := p.bytes(t)
				if err == nil {
					err = w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC), CaptureLength: len(data), Length: len(data)}, data)
				}
			}
			if err == nil {
				err = w.Flush()
			}
			if err != nil {
				t.Fatal(err)
			}
			return b.Bytes()
		})(t, dir)
	}
}

func ether(t layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: t}
}

func ip4(from, to string, proto layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, TTL: 64, Protocol: proto, SrcIP: net.ParseIP(from).To4(), DstIP: net.ParseIP(to).To4()}
}

func ip6(next layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: next, SrcIP: net.ParseIP("2001:db8::5"), DstIP: net.ParseIP("2001:db8::6")}
}

func udp(from, to uint16, over gopacket.NetworkLayer) *layers.UDP {
	u := &layers.UDP{SrcPort: layers.UDPPort(from), DstPort: layers.UDPPort(to)}
	u.SetNetworkLayerForChecksum(over) // which both layers are
	return u
}

func icmp6(over *layers.IPv6) *layers.ICMPv6 {
	i := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(layers.ICMPv6TypeEchoRequest, 0)}
	i.SetNetworkLayerForChecksum(over)
	return i
}

// fragmented cuts a datagram of IPv4 within the marker.
func fragmented(ip *layers.IPv4, whole []byte) (list []packet) {
	for at := 0; at < len(whole); at += 80 {
		f := *ip
		f.Id, f.FragOffset = 7, uint16(at/8)
		if at+80 < len(whole) {
			f.Flags = layers.IPv4MoreFragments
		}
		list = append(list, packet{ether(layers.EthernetTypeIPv4), &f, gopacket.Payload(whole[at:min(at+80, len(whole))])})
	}
	return list
}

// fragmented6 does so with one of IPv6, whose fragments come in the wrong order.
func fragmented6(whole []byte) (list []packet) {
	for at := 0; at < len(whole); at += 80 {
		end := min(at+80, len(whole))
		h := []byte{byte(layers.IPProtocolUDP), 0, byte(at >> 8), byte(at), 0, 0, 0, 9}
		if end < len(whole) {
			h[3] |= 1 // more follow
		}
		list = append([]packet{{ether(layers.EthernetTypeIPv6), ip6(layers.IPProtocolIPv6Fragment), gopacket.Payload(append(h, whole[at:end]...))}}, list...)
	}
	return list
}

// packetPlaces have the marker in datagrams, and those in what carries them.
func packetPlaces() []spot {
	const known, known6 = `file.sha256 == 'SHA' && net.proto == 'udp' && net.dst.ip.cidr('10.0.0.0/8') && net.dst.port == 2000`,
		`file.sha256 == 'SHA' && net.dst.ip == '2001:db8::6'`
	const target, target6 = "a.pcapng!udp:10.0.0.5:1000>10.0.0.6:2000#", "a.pcapng!udp:[2001:db8::5]:1000>[2001:db8::6]:2000#"
	four, six := ip4("10.0.0.5", "10.0.0.6", layers.IPProtocolUDP), ip6(layers.IPProtocolUDP)
	inner := packet{four, udp(1000, 2000, four), gopacket.Payload(marker)}
	inner6 := packet{six, udp(1000, 2000, six), gopacket.Payload(marker)}
	tunnel := func(p layers.IPProtocol) *layers.IPv4 { return ip4("198.51.100.1", "198.51.100.2", p) }
	framed := append(packet{ether(layers.EthernetTypeIPv4)}, inner...)
	row := func(name, target, benign string, in packet, outer ...gopacket.SerializableLayer) spot {
		return spot{name, sniffed(append(outer, in...)), target, markerAt, besra.ContextNetwork, benign, "", besra.VerdictSuppressed, ""}
	}
	return []spot{
		row("UDP", target+"1", known, framed),
		{"UDP, which names no host", sniffed(framed), target + "1", markerAt, besra.ContextNetwork, `file.sha256 == 'SHA' && net.host == 'a.example'`, "", besra.VerdictUndecided, "net.host"},
		row("UDP over IPv6", target6+"1", known6, inner6, ether(layers.EthernetTypeIPv6)),
		row("VLAN", target+"1", known, inner, ether(layers.EthernetTypeDot1Q), &layers.Dot1Q{VLANIdentifier: 7, Type: layers.EthernetTypeIPv4}),
		row("VLAN in VLAN", target+"1", known, inner, ether(layers.EthernetTypeQinQ), &layers.Dot1Q{VLANIdentifier: 7, Type: layers.EthernetTypeDot1Q},
			&layers.Dot1Q{VLANIdentifier: 8, Type: layers.EthernetTypeIPv4}),
		row("GRE", target+"1", known, inner, ether(layers.EthernetTypeIPv4), tunnel(layers.IPProtocolGRE), &layers.GRE{Protocol: layers.EthernetTypeIPv4}),
		row("VXLAN", target+"1", known, framed, ether(layers.EthernetTypeIPv4), tunnel(layers.IPProtocolUDP), udp(9, 4789, tunnel(layers.IPProtocolUDP)),
			&layers.VXLAN{ValidIDFlag: true, VNI: 3}),
		row("IPv6 in IPv4", target6+"1", known6, inner6, ether(layers.EthernetTypeIPv4), tunnel(layers.IPProtocolIPv6)),
		{"fragments", func(t *testing.T, dir string) string {
			return sniffed(fragmented(four, packet{udp(1000, 2000, four), gopacket.Payload(padding + marker)}.bytes(t))...)(t, dir)
		}, target + "2", int64(len(padding)) + markerAt, besra.ContextNetwork, known, "", besra.VerdictSuppressed, ""},
		{"fragments of IPv6", func(t *testing.T, dir string) string {
			return sniffed(fragmented6(packet{udp(1000, 2000, six), gopacket.Payload(padding + marker)}.bytes(t))...)(t, dir)
		}, target6 + "2", int64(len(padding)) + markerAt, besra.ContextNetwork, known6, "", besra.VerdictSuppressed, ""},
		row("ICMP", "a.pcapng!icmp:10.0.0.5>10.0.0.6#1", `file.sha256 == 'SHA' && net.proto == 'icmp' && net.dst.ip == '10.0.0.6'`, packet{gopacket.Payload(marker)},
			ether(layers.EthernetTypeIPv4), ip4("10.0.0.5", "10.0.0.6", layers.IPProtocolICMPv4), &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(layers.ICMPv4TypeEchoRequest, 0)}),
		row("ICMPv6", "a.pcapng!icmp:2001:db8::5>2001:db8::6#1", known6, packet{gopacket.Payload(marker)},
			ether(layers.EthernetTypeIPv6), ip6(layers.IPProtocolICMPv6), icmp6(six), &layers.ICMPv6Echo{}),
		dnsRow(),
	}
}

// padding puts the marker across the border of two fragments.
var padding = strings.Repeat("x", 60)

// dnsRow has the marker cut in two in an answer, as texts of over 255 bytes are.
func dnsRow() spot {
	ip := ip4("10.0.0.53", "10.0.0.5", layers.IPProtocolUDP)
	name := []byte("a.example")
	cut := [][]byte{[]byte("BinStore ena"), []byte("bled implants.")}
	answer := &layers.DNS{QR: true, Questions: []layers.DNSQuestion{{Name: name, Type: layers.DNSTypeTXT, Class: layers.DNSClassIN}},
		Answers: []layers.DNSResourceRecord{{Name: name, Type: layers.DNSTypeTXT, Class: layers.DNSClassIN, TXTs: cut}}}
	return spot{"DNS", sniffed(packet{ether(layers.EthernetTypeIPv4), ip, udp(53, 4000, ip), answer}), "a.pcapng!udp:10.0.0.53:53>10.0.0.5:4000#1!dns.txt",
		int64(len("a.example IN TXT ?\na.example IN TXT ")), besra.ContextNetwork, `file.sha256 == 'SHA' && net.src.port == 53`, "", besra.VerdictSuppressed, ""}
}
