//go:build unix

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
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

// attached is a message with the marker attached in an encoding.
func attached(encoding string) string {
	if encoding == "base64" {
		return mailed("tool.py", []byte(marker))
	}
	return strings.NewReplacer("base64", encoding, base64.StdEncoding.EncodeToString([]byte(marker)),
		strings.ReplaceAll(marker, "enabled", "ena=\r\nble=64")).Replace(attached("base64"))
}

// uuencoded is a text of less than 64 bytes as a file in uuencode.
func uuencoded(name, text string) string {
	b := append([]byte(text), 0, 0)
	line := []byte{' ' + byte(len(text))}
	for ; len(b) >= 3; b = b[3:] {
		for shift := 18; shift >= 0; shift -= 6 {
			line = append(line, ' '+byte((int(b[0])<<16|int(b[1])<<8|int(b[2]))>>shift&0x3f))
		}
	}
	return "begin 644 " + name + "\n" + string(line) + "\n`\nend\n"
}

func mailed(name string, content []byte) string {
	return "From: news@sender.example\nSubject: samples\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" +
		"--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: application/octet-stream; name=" + name + "\nContent-Transfer-Encoding: base64\n\n" +
		base64.StdEncoding.EncodeToString(content) + "\n--b--\n"
}

func maildir(message string) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string {
		for _, d := range []string{"cur", "new", "tmp"} {
			if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return filepath.Dir(filepath.Dir(written("cur/1.host:2,S", literally(message))(t, dir)))
	}
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
	ends := [2]net.IP{net.IPv4(10, 0, 0, 5).To4(), net.IPv4(192, 0, 2, 80).To4()}
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: ends[from], DstIP: ends[1-from]}
	tcp := &layers.TCP{SrcPort: layers.TCPPort(ports[from]), DstPort: layers.TCPPort(ports[1-from]), Seq: seq[from], Ack: seq[1-from], Window: 65535}
	flags(tcp)
	seq[from] += uint32(len(data))
	if tcp.SYN || tcp.FIN {
		seq[from]++
	}
	err := tcp.SetNetworkLayerForChecksum(ip)
	buf := gopacket.NewSerializeBuffer()
	if err == nil {
		err = gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
			&layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4}, ip, tcp, gopacket.Payload(data))
	}
	if err == nil {
		err = w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(buf.Bytes()), Length: len(buf.Bytes())}, buf.Bytes())
	}
	if err != nil {
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
	smtp := captured(conversation{25, []string{"", "220 mx\r\n", "EHLO a\r\n", "250 mx\r\n", "MAIL FROM:<a@b.example>\r\n", "250 ok\r\n",
		"RCPT TO:<c@d.example>\r\n", "250 ok\r\n", "DATA\r\n", "354 go\r\n",
		strings.ReplaceAll(attached("base64"), "\n", "\r\n") + ".\r\n", "250 ok\r\n", "QUIT\r\n", "221 bye\r\n"}, 9})
	places = append(places, spot{"SMTP", smtp, "message-1.eml!tool.py", markerAt, besra.ContextMail,
		`file.sha256 == 'SHA' && mail.from_domain == 'sender.example'`, "", besra.VerdictSuppressed, ""})
	archived := strings.ReplaceAll(mailed("a.zip", zipWith(marker)(nil)), "\n", "\r\n")
	places = append(places, spot{"SMTP, an archive attached", captured(conversation{25, []string{"", "220 mx\r\n", "EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n",
		"250 mx\r\n250 ok\r\n250 ok\r\n354 go\r\n", archived + ".\r\n"}, 1000}), "message-1.eml!a.zip!a.txt", markerAt, besra.ContextArchive,
		`file.sha256 == 'SHA' && mail.from_domain == 'sender.example' && mail.envelope_from == 'a@b.example' && mail.client_ip == '10.0.0.5'`, "", besra.VerdictSuppressed, ""})
	places = append(places, spot{"HTTP, an archive", captured(conversation{80, []string{request, response("", zipWith(marker)(nil), 0)}, 1000}), target + "!a.txt", markerAt, besra.ContextArchive,
		`file.sha256 == 'SHA' && net.host == 'files.example' && net.dst.ip == '10.0.0.5'`, "", besra.VerdictSuppressed, ""})
	message := strings.ReplaceAll(attached("base64"), "\n", "\r\n")
	for name, c := range map[string]conversation{
		"IMAP": {143, []string{"", "* OK ready\r\n", "a LOGIN u p\r\n", "a OK in\r\n", "b FETCH 1 BODY[]\r\n",
			fmt.Sprintf("* 1 FETCH (BODY[] {%d}\r\n%s)\r\nb OK done\r\n", len(message), message)}, 9},
		"IMAP in parts": {143, []string{"", "* OK ready\r\n", "a FETCH 1 BODY[]\r\n",
			fmt.Sprintf("* 1 FETCH (BODY[]<100> {%d}\r\n%s)\r\n* 1 FETCH (BODY[]<0> {100}\r\n%s)\r\n", len(message)-100, message[100:], message[:100])}, 1000},
		"IMAP APPEND": {143, []string{fmt.Sprintf("a LOGIN u p\r\nb APPEND Sent {%d+}\r\n%s\r\n", len(message), message)}, 1000},
		"IMAP compressed": {143, []string{"", "* OK ready\r\n", "a COMPRESS DEFLATE\r\n", "a OK DEFLATE active\r\n" + string(squeezed(
			fmt.Appendf(nil, "* 1 FETCH (BODY[] {%d}\r\n%s)\r\n", len(message), message), func(w io.Writer) io.WriteCloser { z, _ := flate.NewWriter(w, 6); return z }))}, 11},
		"POP3": {110, []string{"", "+OK ready\r\n", "RETR 1\r\n", "+OK\r\n" + message + ".\r\n"}, 11},
	} {
		places = append(places, spot{name, captured(c), "message-1.eml!tool.py", markerAt, besra.ContextMail,
			`file.sha256 == 'SHA' && mail.from_domain == 'sender.example'`, "", besra.VerdictSuppressed, ""})
	}
	add("FTP", "!ftp/tool.py", conversation{21, []string{"", "220 ftp\r\n", "USER a\r\n", "331 pass\r\n", "PASS b\r\n", "230 in\r\n",
		"PASV\r\n", "227 Entering Passive Mode (192,0,2,80,200,1)\r\n", "RETR tool.py\r\n", "150 here\r\n"}, 1000},
		conversation{200<<8 + 1, []string{"", marker}, 4})
	add("TCP stream", ":4444>10.0.0.5:40000", conversation{4444, []string{"get\n", marker}, 3})
	return places
}
