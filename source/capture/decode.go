package capture

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/ip4defrag"
	"github.com/gopacket/gopacket/ip6defrag"
	"github.com/gopacket/gopacket/layers"
)

// The reasons of gaps, stable words.
const (
	ReasonMissing    = "missing"    // bytes of a conversation that the capture does not hold
	ReasonDropped    = "dropped"    // packets that the kernel could not hand over
	ReasonTruncated  = "truncated"  // a packet was cut by the capture, or the capture itself was
	ReasonLimit      = "limit"      // more than may be held: a conversation was cut short, or fragments given up
	ReasonUnfinished = "unfinished" // conversations that were under way when the run was interrupted
	ReasonUndecoded  = "undecoded"  // a packet that breaks its protocol, or a protocol that is not read
)

const (
	// maxTunnels is how many packets in packets are undone.
	maxTunnels = 6
	// fragmentAge is how long fragments wait for the rest.
	fragmentAge = 30 * time.Second
	portVXLAN   = 4789
)

// decoder takes packets apart and puts conversations together. It belongs to
// one goroutine.
type decoder struct {
	ctx    context.Context
	config *Config
	to     besra.Receiver
	err    error // the receiver's

	number     int64 // of the packet under way, from 1
	at         time.Time
	frag4      *ip4defrag.IPv4Defragmenter
	frag6      *ip6defrag.IPv6Defragmenter
	fragmented int64 // bytes of the fragments that came and wait
	streams    *streams
	flushed    time.Time
	gaps       map[string]int64 // what was not read and is only counted, by reason
	encrypted  int64            // conversations that went over to TLS

	ethernet layers.Ethernet // reused from packet to packet
	four     layers.IPv4
}

func newDecoder(ctx context.Context, c *Config, to besra.Receiver) *decoder {
	d := &decoder{ctx: ctx, config: c, to: to, gaps: map[string]int64{}}
	d.streams = newStreams(d)
	d.unfragmented()
	return d
}

// unfragmented begins without fragments.
func (d *decoder) unfragmented() {
	d.frag4, d.frag6, d.fragmented = ip4defrag.NewIPv4Defragmenter(), ip6defrag.NewIPv6Defragmenter(), 0
}

// fragment makes room for one more. The defragmenters bound what they keep of a
// packet, but not of how many.
func (d *decoder) fragment(payload []byte) []byte {
	const cost = 256
	if d.fragmented += int64(len(payload)) + cost; d.fragmented > d.config.Waiting/4 {
		d.unfragmented()
		d.gaps[ReasonLimit]++
	}
	return append([]byte(nil), payload...)
}

// run reads packets until there are no more, and yields what is left.
func (d *decoder) run(in packets) error {
	for d.err == nil && d.ctx.Err() == nil {
		data, ci, err := in.ZeroCopyReadPacketData()
		if err != nil {
			if err != io.EOF && d.ctx.Err() == nil {
				d.gap(ReasonTruncated, 1, fmt.Sprintf("after packet %d: %v", d.number, err))
			}
			break
		}
		d.packet(linkType(in, ci), data, ci)
	}
	switch {
	case d.err != nil:
	case d.ctx.Err() == nil:
		d.streams.flushAll()
	default:
		d.gaps[ReasonUnfinished] = d.streams.unfinished()
	}
	for reason, n := range d.gaps {
		if n > 0 {
			d.gap(reason, n, "")
		}
	}
	if d.encrypted > 0 {
		d.to.Gap(besra.Gap{Kind: besra.GapSkip, Target: besra.Text(d.config.Name), Reason: ReasonEncrypted,
			Detail: "conversations in TLS", Count: d.encrypted})
	}
	if d.err == nil {
		d.err = d.ctx.Err()
	}
	return d.err
}

// linkType is the file's, or of the packet's own interface in a pcapng.
func linkType(in packets, ci gopacket.CaptureInfo) layers.LinkType {
	for _, data := range ci.AncillaryData {
		if t, ok := data.(layers.LinkType); ok {
			return t
		}
	}
	return in.LinkType()
}

func (d *decoder) gap(reason string, n int64, detail string) {
	d.to.Gap(besra.Gap{Kind: besra.GapError, Target: besra.Text(d.config.Name), Reason: reason, Detail: detail, Count: n})
}

func (d *decoder) packet(link layers.LinkType, data []byte, ci gopacket.CaptureInfo) {
	d.number++
	d.at = ci.Timestamp
	if ci.CaptureLength < ci.Length {
		d.gaps[ReasonTruncated]++
	}
	if err := d.layer(firstLayer(link, data), data, 0); err != nil {
		d.gaps[ReasonUndecoded]++
	}
	d.age()
}

// firstLayer is what a packet of a link type begins with.
func firstLayer(link layers.LinkType, data []byte) gopacket.LayerType {
	switch link {
	case layers.LinkTypeEthernet:
		return layers.LayerTypeEthernet
	case layers.LinkTypeNull, layers.LinkTypeLoop:
		return layers.LayerTypeLoopback
	case layers.LinkTypeLinuxSLL:
		return layers.LayerTypeLinuxSLL
	case layers.LinkTypeLinuxSLL2:
		return layers.LayerTypeLinuxSLL2
	case layers.LinkTypePPP:
		return layers.LayerTypePPP
	case layers.LinkTypeIPv4:
		return layers.LayerTypeIPv4
	case layers.LinkTypeIPv6:
		return layers.LayerTypeIPv6
	case layers.LinkTypeRaw, linkRawBSD, linkRawOpenBSD:
		if len(data) > 0 && data[0]>>4 == 6 {
			return layers.LayerTypeIPv6
		}
		return layers.LayerTypeIPv4
	}
	return link.LayerType()
}

// Numbers that systems gave to bare IP before there was one for all.
const (
	linkRawBSD     layers.LinkType = 12
	linkRawOpenBSD layers.LinkType = 14
)

// age ends what has waited long enough, once a second of the capture's time.
func (d *decoder) age() {
	if d.at.Sub(d.flushed) < time.Second {
		return
	}
	d.flushed = d.at
	d.frag4.DiscardOlderThan(d.at.Add(-fragmentAge))
	d.frag6.DiscardOlderThan(d.at.Add(-fragmentAge))
	d.streams.idle(d.at.Add(-d.config.Idle))
}

var errProtocol = errors.New("a protocol that is not read")

// layer reads one layer after the other down to a payload.
func (d *decoder) layer(t gopacket.LayerType, data []byte, depth int) error {
	for len(data) > 0 {
		var l gopacket.DecodingLayer
		switch t {
		case layers.LayerTypeEthernet:
			l = &d.ethernet
		case layers.LayerTypeDot1Q:
			l = &layers.Dot1Q{}
		case layers.LayerTypeLinuxSLL:
			l = &layers.LinuxSLL{}
		case layers.LayerTypeLinuxSLL2:
			l = &layers.LinuxSLL2{}
		case layers.LayerTypeLoopback:
			l = &layers.Loopback{}
		case layers.LayerTypeGRE:
			l = &layers.GRE{}
		case layers.LayerTypeVXLAN:
			l = &layers.VXLAN{}
		case layers.LayerTypeMPLS, layers.LayerTypePPPoE, layers.LayerTypePPP:
			return d.unlayered(t, data, depth)
		case layers.LayerTypeIPv4:
			return d.ip4(data, depth)
		case layers.LayerTypeIPv6:
			return d.ip6(data, depth)
		case layers.LayerTypeARP, layers.LayerTypeLLC, layers.LayerTypeLinkLayerDiscovery, layers.LayerTypeEAPOL:
			return nil // of the link, without a payload of hosts
		default:
			return errProtocol
		}
		if err := l.DecodeFromBytes(data, gopacket.NilDecodeFeedback); err != nil {
			return err
		}
		t, data = l.NextLayerType(), l.LayerPayload()
	}
	return nil
}

// unlayered goes through layers that are read as a packet.
func (d *decoder) unlayered(t gopacket.LayerType, data []byte, depth int) error {
	p := gopacket.NewPacket(data, t, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	for _, inner := range p.Layers() {
		if inner.LayerType() == layers.LayerTypeIPv4 || inner.LayerType() == layers.LayerTypeIPv6 {
			return d.inner(inner.LayerType(), append(inner.LayerContents(), inner.LayerPayload()...), depth)
		}
	}
	return errProtocol
}

// inner reads a packet in a packet.
func (d *decoder) inner(t gopacket.LayerType, data []byte, depth int) error {
	if depth >= maxTunnels {
		return errProtocol
	}
	return d.layer(t, data, depth+1)
}

func (d *decoder) ip4(data []byte, depth int) error {
	ip := &d.four
	if err := ip.DecodeFromBytes(data, gopacket.NilDecodeFeedback); err != nil {
		return err
	}
	whole := ip
	if ip.FragOffset != 0 || ip.Flags&layers.IPv4MoreFragments != 0 {
		// The fragment is kept until the others come, the packet is not.
		own := *ip
		own.SrcIP, own.DstIP, own.Payload = slices.Clone(ip.SrcIP), slices.Clone(ip.DstIP), d.fragment(ip.Payload)
		var err error
		if whole, err = d.frag4.DefragIPv4WithTimestamp(&own, d.at); err != nil || whole == nil {
			return err
		}
		d.fragmented = max(0, d.fragmented-int64(len(whole.Payload)))
	}
	return d.transport(whole.SrcIP, whole.DstIP, whole.Protocol, whole.Payload, depth)
}

func (d *decoder) ip6(data []byte, depth int) error {
	var ip layers.IPv6
	if err := ip.DecodeFromBytes(data, gopacket.NilDecodeFeedback); err != nil {
		return err
	}
	next, payload := ip.NextHeader, ip.Payload
	for len(payload) >= 8 {
		switch next {
		case layers.IPProtocolIPv6HopByHop, layers.IPProtocolIPv6Routing, layers.IPProtocolIPv6Destination:
			size := 8 + 8*int(payload[1])
			if size > len(payload) {
				return io.ErrUnexpectedEOF
			}
			next, payload = layers.IPProtocol(payload[0]), payload[size:]
		case layers.IPProtocolIPv6Fragment:
			return d.fragment6(&ip, payload, depth)
		default:
			return d.transport(ip.SrcIP, ip.DstIP, next, payload, depth)
		}
	}
	return d.transport(ip.SrcIP, ip.DstIP, next, payload, depth)
}

// fragment6 keeps a fragment, and goes on with the whole once it is there.
func (d *decoder) fragment6(ip *layers.IPv6, payload []byte, depth int) error {
	own := d.fragment(payload)
	f := &layers.IPv6Fragment{NextHeader: layers.IPProtocol(own[0]), FragmentOffset: binary.BigEndian.Uint16(own[2:]) >> 3,
		MoreFragments: own[3]&1 != 0, Identification: binary.BigEndian.Uint32(own[4:])}
	f.Contents, f.Payload = own[:8], own[8:]
	whole := d.frag6.DefragIPv6(ip, f)
	if whole == nil {
		return nil
	}
	return d.transport(ip.SrcIP, ip.DstIP, f.NextHeader, whole.Payload, depth)
}

// transport hands a payload to the conversation that it belongs to.
func (d *decoder) transport(src, dst net.IP, proto layers.IPProtocol, data []byte, depth int) error {
	switch proto {
	case layers.IPProtocolTCP:
		return d.streams.tcp(src, dst, data, d.at)
	case layers.IPProtocolUDP:
		var udp layers.UDP
		if err := udp.DecodeFromBytes(data, gopacket.NilDecodeFeedback); err != nil {
			return err
		}
		if udp.DstPort == portVXLAN && depth < maxTunnels {
			return d.inner(layers.LayerTypeVXLAN, udp.Payload, depth)
		}
		d.datagram(newFlow("udp", src, dst, uint16(udp.SrcPort), uint16(udp.DstPort), d.at), udp.Payload)
		return nil
	case layers.IPProtocolICMPv4, layers.IPProtocolICMPv6:
		if len(data) > 8 {
			d.datagram(newFlow("icmp", src, dst, 0, 0, d.at), data[8:])
		}
		return nil
	case layers.IPProtocolGRE:
		return d.inner(layers.LayerTypeGRE, data, depth)
	case layers.IPProtocolIPv4:
		return d.inner(layers.LayerTypeIPv4, data, depth)
	case layers.IPProtocolIPv6:
		return d.inner(layers.LayerTypeIPv6, data, depth)
	case layers.IPProtocolIGMP, layers.IPProtocolNoNextHeader:
		return nil
	}
	return errProtocol
}

// datagram yields a payload that stands alone.
func (d *decoder) datagram(f flow, payload []byte) {
	if len(payload) == 0 || d.err != nil {
		return
	}
	content := append([]byte(nil), payload...)
	d.err = d.to.Target(f.target(d.config, "#"+strconv.FormatInt(d.number, 10), content, window{}))
}
