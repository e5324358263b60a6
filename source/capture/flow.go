package capture

import (
	"context"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
)

// flow is one direction between two endpoints.
type flow struct {
	proto            string
	src, dst         net.IP
	srcPort, dstPort uint16 // 0 for a protocol without ports
	at               time.Time
	again            int64 // the number of its first packet, where its endpoints had a conversation before
}

func newFlow(proto string, src, dst net.IP, srcPort, dstPort uint16, at time.Time) flow {
	return flow{proto: proto, src: slices.Clone(src), dst: slices.Clone(dst), srcPort: srcPort, dstPort: dstPort, at: at}
}

// name is how targets spell a direction: "tcp:10.0.0.5:51234>192.0.2.80:80".
func (f flow) name() string {
	name := f.proto + ":" + f.endpoint(f.src, f.srcPort) + ">" + f.endpoint(f.dst, f.dstPort)
	if f.again > 0 {
		name += "~" + strconv.FormatInt(f.again, 10)
	}
	return name
}

func (f flow) endpoint(ip net.IP, port uint16) string {
	if port == 0 {
		return ip.String()
	}
	return net.JoinHostPort(ip.String(), strconv.Itoa(int(port)))
}

// streamFacts are the facts of a direction, by which the expander knows it.
type streamFacts struct {
	*facts.Given
	flow   flow
	window window
}

// target makes the target of a direction's window, or of a datagram.
func (f flow) target(c *Config, suffix string, content []byte, w window) besra.Target {
	given := facts.NewGiven(besra.ContextNetwork, c.Facts)
	f.state(given)
	given.State("file.size", int64(len(content)), besra.GradeVerified, "bytes that were captured")
	if f.proto == "tcp" {
		given.Content("net.host", func(content []byte) besra.Fact { return w.host(content) })
	}
	return besra.Target{Name: c.Name + "!" + f.name() + suffix, Context: besra.ContextNetwork, Size: int64(len(content)),
		Facts: &streamFacts{given, f, w},
		Open: func(ctx context.Context) (besra.Content, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			return held(content), nil
		}}
}

// state states what packets say of a flow.
func (f flow) state(g *facts.Given) {
	const source = "packets"
	g.State("net.proto", f.proto, besra.GradeVerified, source)
	g.State("net.src.ip", f.src.String(), besra.GradeVerified, source)
	g.State("net.dst.ip", f.dst.String(), besra.GradeVerified, source)
	if f.srcPort != 0 || f.dstPort != 0 {
		g.State("net.src.port", int64(f.srcPort), besra.GradeVerified, source)
		g.State("net.dst.port", int64(f.dstPort), besra.GradeVerified, source)
	}
	g.State("net.time", f.at.UTC(), besra.GradeVerified, "time of the first packet")
}

// host is the name that a conversation says it is for: the server name of TLS,
// or the Host of the first HTTP request.
func (w *window) host(content []byte) besra.Fact {
	const ofHTTP = "Host of HTTP"
	for _, b := range [][]byte{content[w.from:], w.other} {
		if host := serverName(b); host != "" {
			return besra.Fact{Value: besra.Text(host), Grade: besra.GradeWeak, Source: "server name of TLS"}
		}
		if host := requestHost(b); host != "" {
			return besra.Fact{Value: besra.Text(host), Grade: besra.GradeWeak, Source: ofHTTP}
		}
	}
	if host := w.framer.host(); host != "" {
		return besra.Fact{Value: besra.Text(host), Grade: besra.GradeWeak, Source: ofHTTP}
	}
	return besra.Unavailable("net.host", "the conversation names no host")
}

// held is content in memory.
type held []byte

func (h held) Bytes() []byte { return h }
func (held) Close() error    { return nil }
