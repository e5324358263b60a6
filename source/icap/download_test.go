package icap

import (
	"bufio"
	"fmt"
	"io"
	"net/textproto"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/source/gateway"
)

// TestLongDownloads hands responses over as squid does, on one connection: it
// sends the preview and waits, and then each piece of at most 64 KiB only when
// the one before is taken, because it holds no more. It offers no 204 for what
// it cannot hold. So the server must ask for the rest at once, take all of it,
// and then send back what came or the page.
func TestLongDownloads(t *testing.T) {
	clean := strings.Repeat("0123456789abcdef", 1<<16)
	for _, preview := range []int{-1, 0, 4096} {
		t.Run(fmt.Sprintf("preview %d", preview), func(t *testing.T) {
			s := start(t, Config{Policy: gateway.DefaultPolicy()}, &judge{})
			c := s.dial(t)
			p := &proxy{t, c, bufio.NewReader(c)}
			for _, size := range []int{65_535, 100 << 10, len(clean)} {
				if got := p.download(preview, clean[:size]); got != clean[:size] {
					t.Errorf("%d clean bytes: got %d back, want the same", size, len(got))
				}
				if got := p.download(preview, clean[:size]+"EVIL"); !strings.Contains(got, "Evil_Rule") || strings.Contains(got, clean[:100]) {
					t.Errorf("%d bytes and a marker: got %.80q, want the page alone", size, got)
				}
			}
			s.End(t)
		})
	}
}

// proxy is a client that holds no more than one piece of a body.
type proxy struct {
	*testing.T
	out io.Writer
	in  *bufio.Reader
}

// download hands a response over and returns the body that comes back.
func (p *proxy) download(preview int, body string) string {
	p.Helper()
	more := ""
	if preview >= 0 {
		more = fmt.Sprintf("Preview: %d\r\n", preview)
	}
	io.WriteString(p.out, respmod(more, ok, ""))
	if preview >= 0 {
		io.WriteString(p.out, chunked(pieces(body[:preview])...))
		body = body[preview:]
		p.expect("ICAP/1.0 100 Continue\r\n\r\n")
	}
	for _, piece := range pieces(body) {
		fmt.Fprintf(p.out, "%x\r\n%s\r\n", len(piece), piece)
	}
	io.WriteString(p.out, "0\r\n\r\n")
	return p.reply()
}

// pieces cuts a body as a buffer of 64 KiB does.
func pieces(body string) (list []string) {
	for body != "" {
		n := min(len(body), 61_439)
		list, body = append(list, body[:n]), body[n:]
	}
	return list
}

// expect wants these bytes next, and none behind them.
func (p *proxy) expect(want string) {
	p.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(p.in, got); err != nil || string(got) != want || p.in.Buffered() > 0 {
		p.Fatalf("got %q, %v and %d bytes more, want %q alone", got, err, p.in.Buffered(), want)
	}
}

// reply reads an answer with a response in it, and returns its body.
func (p *proxy) reply() string {
	p.Helper()
	if line, err := p.in.ReadString('\n'); line != "ICAP/1.0 200 OK\r\n" {
		p.Fatalf("got %q, %v, want 200", line, err)
	}
	if _, err := textproto.NewReader(p.in).ReadMIMEHeader(); err != nil {
		p.Fatal(err)
	}
	for { // the head of the response
		line, err := p.in.ReadString('\n')
		if err != nil {
			p.Fatal(err)
		}
		if line == "\r\n" {
			break
		}
	}
	b, err := io.ReadAll(&chunks{in: p.in})
	if err != nil {
		p.Fatal(err)
	}
	return string(b)
}
