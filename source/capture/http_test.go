package capture

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// framed makes a message of WebSocket of its pieces, masked as a client's are.
func framed(masked bool, first byte, pieces ...string) string {
	var b []byte
	for i, p := range pieces {
		opcode := first
		if i > 0 {
			opcode = 0
		}
		if i == len(pieces)-1 {
			opcode |= 0x80
		}
		b = append(b, opcode)
		mask := byte(0)
		if masked {
			mask = 0x80
		}
		switch {
		case len(p) < 126:
			b = append(b, mask|byte(len(p)))
		case len(p) < 1<<16:
			b = binary.BigEndian.AppendUint16(append(b, mask|126), uint16(len(p)))
		default:
			b = binary.BigEndian.AppendUint64(append(b, mask|127), uint64(len(p)))
		}
		if masked {
			key := "key!"
			b = append(b, key...)
			for j := range len(p) {
				b = append(b, p[j]^key[j%4])
			}
			continue
		}
		b = append(b, p...)
	}
	return string(b)
}

// packed compresses messages one after the other, each without the end that
// RFC 7692 leaves out.
func packed(messages ...string) (list []string) {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 6)
	for _, m := range messages {
		w.Write([]byte(m)) // a buffer takes everything
		w.Flush()
		list = append(list, strings.TrimSuffix(b.String(), "\x00\x00\xff\xff"))
		b.Reset()
	}
	return list
}

// TestHTTPLeft has conversations that begin with HTTP, and go over to something
// else or ask for it.
func TestHTTPLeft(t *testing.T) {
	const get, post = "GET /a HTTP/1.1\r\nHost: h\r\n", "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"
	const ask, granted = get + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
	const tunnel, open = "CONNECT h:22 HTTP/1.1\r\nHost: h:22\r\n\r\n", "HTTP/1.1 200 Connection established\r\n\r\n"
	long, longer := strings.Repeat("a", 300), strings.Repeat("b", 70000)
	twice := packed(marked, marked)
	body := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(marked), marked)
	for _, tt := range []struct {
		name, client, server string
		want                 map[string]string
		gaps                 []string
	}{
		{"WebSocket", ask + framed(true, 1, marked) + framed(true, 9, "ping") + framed(true, 2, long[:2], long[2:]), granted + framed(false, 2, longer),
			map[string]string{"GET http://h/a!message-1": marked, "GET http://h/a!message-2": long, "http://h/a!message-1": longer}, nil},
		{"WebSocket, compressed", ask, granted + framed(false, 0x41, twice[0]) + framed(false, 0x41, twice[1][:2], twice[1][2:]),
			map[string]string{"http://h/a!message-1": marked, "http://h/a!message-2": marked}, nil},
		{"WebSocket, cut", ask, granted + framed(false, 1, "one") + framed(false, 1, "two")[:4], map[string]string{"http://h/a!message-1": "one"}, []string{ReasonCut}},
		{"another protocol", strings.Replace(ask, "websocket", "h2c", 1) + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", strings.Replace(granted, "websocket", "h2c", 1) + "\x00\x00\x00\x04",
			map[string]string{}, []string{ReasonProtocol}},
		{"not granted", ask + post, body + body, map[string]string{"http://h/a": marked, "http://h/b": marked}, nil},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x00\x00\x00\x04", map[string]string{}, []string{ReasonProtocol}},
		{"a tunnel with TLS", tunnel + "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", open + "\x16\x03\x03\x00\x05\x02\x00\x00\x01\x00", map[string]string{}, []string{ReasonEncrypted}},
		{"a tunnel with HTTP", tunnel + post, open + body, map[string]string{"http://h/b": marked}, nil},
		{"a tunnel with something else", tunnel + "SSH-2.0-a\r\n", open + "SSH-2.0-b\r\n", map[string]string{}, []string{ReasonProtocol}},
		{"a tunnel that is refused", tunnel + post, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno" + body, map[string]string{"//h:22": "no", "http://h/b": marked}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newTrace(t).dial("10.0.0.5", 5000, "192.0.2.80", 80).open()
			k.say(0, tt.client, 1000).say(1, tt.server, 1000).close()
			checkInside(t, see(t, Config{}, k.pcap()), tt.want, tt.gaps)
		})
	}
}

// TestHTTPRanges has objects that come in parts, and parts of objects.
func TestHTTPRanges(t *testing.T) {
	part := func(at, end, total int, etag string) string {
		return fmt.Sprintf("HTTP/1.1 206 Partial Content\r\nETag: %s\r\nContent-Range: bytes %d-%d/%d\r\nContent-Length: %d\r\n\r\n%s", etag, at, end-1, total, end-at, marked[at:end])
	}
	put := func(at, end int) string {
		return fmt.Sprintf("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Range: bytes %d-%d/%d\r\nContent-Length: %d\r\n\r\n%s", at, end-1, len(marked), end-at, marked[at:end])
	}
	get, n := strings.Repeat("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", 3), len(marked)
	for _, tt := range []struct {
		name, client, server string
		want                 map[string]string
		gaps                 []string
	}{
		{"all parts, out of order", get, part(9, n, n, "x") + part(0, 9, n, "x"), map[string]string{"http://h/a": marked}, nil},
		{"up", put(0, 9) + put(9, n), "", map[string]string{"PUT http://h/a": marked}, nil},
		{"the beginning alone", get, part(0, 9, n, "x"), map[string]string{"http://h/a": marked[:9]}, []string{ReasonPartial}},
		{"the end alone", get, part(9, n, n, "x"), map[string]string{"http://h/a@9": marked[9:]}, []string{ReasonPartial}},
		{"with a hole", get, part(0, 5, n, "x") + part(9, n, n, "x"), map[string]string{"http://h/a": marked[:5], "http://h/a@9": marked[9:]}, []string{ReasonPartial}},
		{"of two versions", get, part(0, 9, n, "x") + part(9, n, n, "y"), map[string]string{"http://h/a": marked[:9], "http://h/a@9": marked[9:]}, []string{ReasonPartial, ReasonPartial}},
		{"that are not satisfiable", get, "HTTP/1.1 416 No\r\nContent-Range: bytes */9\r\nContent-Length: 2\r\n\r\nno", map[string]string{"http://h/a": "no"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newTrace(t).dial("10.0.0.5", 5000, "192.0.2.80", 80).open()
			k.say(0, tt.client, 1000).say(1, tt.server, 1000).close()
			s := see(t, Config{}, k.pcap())
			checkInside(t, s, tt.want, tt.gaps)
			if tt.gaps != nil {
				s.fact(t, down+"!"+slices.Sorted(maps.Keys(tt.want))[0], "file.sha256", nil)
			}
		})
	}
}
