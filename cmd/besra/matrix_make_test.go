//go:build unix

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/besra-hunt/besra"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/klauspost/compress/zstd"
)

// zipWith is a zip file with one deflated member a.txt.
func zipWith(text string) func(*testing.T) []byte {
	return func(t *testing.T) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.Create("a.txt")
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err == nil {
			err = z.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
}

func tarred(t *testing.T, name string, content []byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Uname: "root", Gname: "root"})
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// squeezed compresses with a writer made for a buffer.
func squeezed(content []byte, by func(io.Writer) io.WriteCloser) []byte {
	var b bytes.Buffer
	w := by(&b)
	w.Write(content) // a buffer takes everything
	w.Close()
	return b.Bytes()
}

// codings are the content encodings of HTTP.
func codings() map[string]func(io.Writer) io.WriteCloser {
	return map[string]func(io.Writer) io.WriteCloser{
		"gzip":    func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
		"br":      func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) },
		"zstd":    func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z },
	}
}

func gzipped(content []byte) []byte {
	return squeezed(content, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
}

func pdf(*testing.T) []byte {
	body := squeezed([]byte(marker), func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
	return fmt.Appendf(nil, "%%PDF-1.4\n1 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream\nendobj\ntrailer << >>\n%%%%EOF\n", len(body), body)
}

// conversation is what both ends of one connection say, the client first.
type conversation struct {
	port  uint16 // of the server
	turns []string
	size  int // of a segment
}

// recorded writes conversations into a capture.
func recorded(t *testing.T, all ...conversation) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pcapgo.NewWriter(&b)
	if err := w.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	for i, c := range all {
		seq := [2]uint32{100, 0xfffffff0}
		segment := func(from int, data string, flags func(*layers.TCP)) {
			at = at.Add(time.Millisecond)
			c.segment(t, w, at, uint16(40000+i), from, &seq, data, flags)
		}
		segment(0, "", func(t *layers.TCP) { t.SYN = true })
		segment(1, "", func(t *layers.TCP) { t.SYN, t.ACK = true, true })
		for turn, data := range c.turns {
			for len(data) > 0 {
				n := min(len(data), c.size)
				segment(turn%2, data[:n], func(t *layers.TCP) { t.ACK, t.PSH = true, true })
				data = data[n:]
			}
		}
		segment(0, "", func(t *layers.TCP) { t.FIN, t.ACK = true, true })
		segment(1, "", func(t *layers.TCP) { t.FIN, t.ACK = true, true })
	}
	return b.Bytes()
}

func (c conversation) segment(t *testing.T, w *pcapgo.Writer, at time.Time, client uint16, from int, seq *[2]uint32, data string, flags func(*layers.TCP)) {
	t.Helper()
	ports := [2]uint16{client, c.port}
	ends := [2]string{"10.0.0.5", "192.0.2.80"}
	ip := ip4(ends[from], ends[1-from], layers.IPProtocolTCP)
	tcp := &layers.TCP{SrcPort: layers.TCPPort(ports[from]), DstPort: layers.TCPPort(ports[1-from]), Seq: seq[from], Ack: seq[1-from], Window: 65535}
	flags(tcp)
	seq[from] += uint32(len(data))
	if tcp.SYN || tcp.FIN {
		seq[from]++
	}
	tcp.SetNetworkLayerForChecksum(ip)
	frame := packet{ether(layers.EthernetTypeIPv4), ip, tcp, gopacket.Payload(data)}.bytes(t)
	if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(frame), Length: len(frame)}, frame); err != nil {
		t.Fatal(err)
	}
}

func captured(all ...conversation) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string {
		return "capture:" + written("a.pcap", func(t *testing.T) []byte { return recorded(t, all...) })(t, dir)
	}
}

const request = "GET /tool.py HTTP/1.1\r\nHost: files.example\r\nUser-Agent: curl/8\r\n\r\n"

// response is an HTTP answer whose body has a content encoding, chunked where
// size is above 0.
func response(encoding string, body []byte, size int) string {
	head := "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
	if encoding != "" {
		head += "Content-Encoding: " + encoding + "\r\n"
	}
	if size == 0 {
		return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
	}
	var b strings.Builder
	b.WriteString(head + "Transfer-Encoding: chunked\r\n\r\n")
	for len(body) > 0 {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	b.WriteString("0\r\n\r\n")
	return b.String()
}

// posted is an upload of a form with a file.
func posted(host, path string) string {
	const form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"tool.py\"\r\n\r\n" + marker + "\r\n--b--\r\n"
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n%s", path, host, len(form), form)
}

// masked is a message of less than 126 bytes from a client (RFC 6455), which masks it.
func masked(text string) string {
	const key = "key!"
	b := append([]byte{0x82, 0x80 | byte(len(text))}, key...)
	for i := range len(text) {
		b = append(b, text[i]^key[i%len(key)])
	}
	return string(b)
}

// ranges fetches the marker in two parts, the second first.
func ranges(cut int) []string {
	part := func(from, to int) []string {
		ask := strings.Replace(request, "\r\n\r\n", fmt.Sprintf("\r\nRange: bytes=%d-%d\r\n\r\n", from, to-1), 1)
		return []string{ask, fmt.Sprintf("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %d-%d/%d\r\nContent-Length: %d\r\n\r\n%s", from, to-1, len(marker), to-from, marker[from:to])}
	}
	return append(part(cut, len(marker)), part(0, cut)...)
}

// clientHello is what a client of TLS says first.
func clientHello() string {
	near, far := net.Pipe()
	defer far.Close()
	go tls.Client(near, &tls.Config{ServerName: "files.example"}).Handshake()
	b := make([]byte, 4096)
	n, _ := far.Read(b)
	return string(b[:n])
}

func capturePlaces() []spot {
	const known = `file.sha256 == 'SHA' && net.dst.ip.cidr('10.0.0.0/8')`
	const target = "http://files.example/tool.py"
	var places []spot
	add := func(name, target string, c ...conversation) {
		places = append(places, spot{name, captured(c...), target, markerAt, besra.ContextNetwork, known, "", besra.VerdictSuppressed, ""})
	}
	for encoding, by := range codings() {
		add("HTTP "+encoding, target, conversation{80, []string{request, response(encoding, squeezed([]byte(marker), by), 0)}, 11})
	}
	add("HTTP plain", target, conversation{80, []string{request, response("", []byte(marker), 0)}, 7})
	add("HTTP chunked", target, conversation{8080, []string{request, response("", []byte(marker), 5)}, 1000})
	add("HTTP in single bytes", target, conversation{80, []string{request, response("", []byte(marker), 0)}, 1})
	add("HTTP in ranges", target, conversation{80, ranges(20), 1000})
	add("FTP", "!ftp/tool.py", conversation{21, []string{"", "220 ftp\r\n", "USER a\r\n", "331 pass\r\n", "PASS b\r\n", "230 in\r\n",
		"PASV\r\n", "227 Entering Passive Mode (192,0,2,80,200,1)\r\n", "RETR tool.py\r\n", "150 here\r\n"}, 1000},
		conversation{200<<8 + 1, []string{"", marker}, 4})
	add("TCP stream", ":4444>10.0.0.5:40000", conversation{4444, []string{"get\n", marker}, 3})
	return places
}

// webPlaces have the marker in what else goes over the web.
func webPlaces() []spot {
	const target, up = "http://files.example/tool.py", `file.sha256 == 'SHA' && net.host == 'files.example' && net.dst.ip == '192.0.2.80'`
	talk := func(port uint16, turns ...string) func(*testing.T, string) string {
		return captured(conversation{port, turns, 11})
	}
	header := strings.TrimSuffix(request, "\r\n") + "X-Tool: " + strings.TrimSuffix(marker, "\n") + "\r\n\r\n"
	const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	hello := "\x16\x03\x03\x00" + string(rune(1+len(marker))) + "\x02"
	return []spot{
		{"HTTP, an archive", talk(80, request, response("", zipWith(marker)(nil), 0)), target + "!a.txt", markerAt, besra.ContextArchive,
			`file.sha256 == 'SHA' && net.host == 'files.example' && net.dst.ip == '10.0.0.5'`, "", besra.VerdictSuppressed, ""},
		{"HTTP form", talk(80, posted("files.example", "/in"), response("", nil, 0)), "!POST http://files.example/in!tool.py", markerAt, besra.ContextNetwork,
			up, "", besra.VerdictSuppressed, ""},
		{"HTTP header", talk(80, header, response("", nil, 0)), ">192.0.2.80:80", int64(strings.Index(header, "print")) + markerAt, besra.ContextNetwork,
			`net.dst.ip == '192.0.2.80'`, `net.dst.ip == '192.0.2.81'`, besra.VerdictSuppressed, ""},
		{"WebSocket", talk(80, strings.TrimSuffix(request, "\r\n")+upgrade, "HTTP/1.1 101 Switching Protocols\r\n"+upgrade, masked(marker)),
			"!GET " + target + "!message-1", markerAt, besra.ContextNetwork, up, "", besra.VerdictSuppressed, ""},
		{"TLS handshake", talk(443, clientHello(), hello+marker), ":443>10.0.0.5:40000", int64(len(hello)) + markerAt, besra.ContextNetwork,
			`net.host == 'files.example'`, `net.host == 'other.example'`, besra.VerdictDowngraded, ""},
	}
}
