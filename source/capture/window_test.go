package capture

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/sourcetest"
)

// small has windows of 64 KiB that grow to 1 MiB.
var small = Config{Window: 64 << 10, Overlap: 4 << 10, Held: 4 << 20}

// noise is a content that does not repeat.
func noise(n int) string {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return string(b)
}

// letters is a text of lines, some of which begin with a dot.
func letters(n int) string {
	line := []byte(noise(n))
	for i := range line {
		line[i] = "abcdefghijklmnopqrstuvwxyz.....\n"[line[i]&31]
	}
	return "Subject: x\r\n\r\n" + strings.ReplaceAll(string(line), "\n", "\r\n") + "\r\n"
}

// dots is a text as SMTP and POP3 carry it.
func dots(text string) string {
	return strings.TrimPrefix(strings.ReplaceAll("\r\n"+text, "\r\n.", "\r\n.."), "\r\n") + ".\r\n"
}

func chunks(s string, size int) string {
	var b strings.Builder
	for len(s) > 0 {
		n := min(size, len(s))
		fmt.Fprintf(&b, "%x;x=y\r\n%s\r\n", n, s[:n])
		s = s[n:]
	}
	return b.String() + "0\r\nT: x\r\n\r\n"
}

func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n" }

func reply(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// objects are what was carved, by what stands behind the name of the direction.
// Several of a name stand behind one another.
func (s seen) objects() map[string]string {
	got := map[string]string{}
	for _, name := range s.names() {
		if parts := strings.SplitN(name, "!", 3); len(parts) == 3 {
			got[parts[2]] += s.content[name]
		}
	}
	return got
}

// TestLargeObjects: what is longer than a window, or begins in a later one, is
// carved whole.
func TestLargeObjects(t *testing.T) {
	body, text := noise(400_000), letters(300_000)
	chunk := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	type object struct{ name, content string }
	tests := []struct {
		name string
		port uint16
		said [2]string
		want []object
	}{
		{"two responses", 80, [2]string{get("/a") + get("/b") + get("/c"), reply(body[:50_000]) + reply(body[:60_000]) + reply("end")},
			[]object{{"http://h/a", body[:50_000]}, {"http://h/b", body[:60_000]}, {"http://h/c", "end"}}},
		{"plain", 80, [2]string{get("/a"), reply(body)}, []object{{"http://h/a", body}}},
		{"up to the end", 80, [2]string{get("/a"), "HTTP/1.0 200 OK\r\n\r\n" + body}, []object{{"http://h/a", body}}},
		{"chunked", 80, [2]string{get("/a") + get("/b"), chunk + "\r\n" + chunks(body, 9000) + reply("end")}, []object{{"http://h/a", body}, {"http://h/b", "end"}}},
		{"gzip", 80, [2]string{get("/a"), chunk + "Content-Encoding: gzip\r\n\r\n" + chunks(zipped(body), 1000)}, []object{{"http://h/a", body}}},
		{"answers to HEAD, and interim ones", 80, [2]string{"HEAD /h HTTP/1.1\r\nHost: h\r\n\r\n" + get("/a") + get("/b"),
			"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + reply(body) + reply("end")}, []object{{"http://h/a", body}, {"http://h/b", "end"}}},
		{"uploads", 80, [2]string{strings.Repeat("POST /u HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"+body[:100_000], 3), ""},
			[]object{{"POST http://h/u", body[:100_000] + body[:100_000] + body[:100_000]}}},
		{"SMTP", 25, [2]string{"EHLO c\r\nMAIL FROM:<a>\r\nDATA\r\n" + dots(text) + "MAIL FROM:<a>\r\nBDAT 100000\r\n" + body[:100_000] + "BDAT 300000 LAST\r\n" + body[100_000:] +
			"MAIL FROM:<b>\r\nDATA\r\n" + dots("A: b\r\n") + "QUIT\r\n", ""}, []object{{"message-1.eml", text}, {"message-2.eml", body}, {"message-3.eml", "A: b\r\n"}}},
		{"POP3", 110, [2]string{"", "+OK hello\r\n+OK\r\n" + dots(text) + "+OK\r\n" + dots("A: b\r\n")}, []object{{"message-1.eml", text}, {"message-2.eml", "A: b\r\n"}}},
		{"IMAP", 143, [2]string{"", "* OK hello\r\n* 1 FETCH (BODY[] " + literal(body) + ")\r\n* 2 FETCH (BODY[] " + literal(body[:9]) + ")\r\n"},
			[]object{{"message-1.eml", body}, {"message-2.eml", body[:9]}}},
		{"IMAP in parts", 143, [2]string{"", "* OK hello\r\n" + fetchedInParts(body) + "* 2 FETCH (BODY[] " + literal("next") + ")\r\n"}, []object{{"message-2.eml", body}, {"message-1.eml", "next"}}},
		{"IMAP, handed over", 143, [2]string{"a LOGIN u p\r\nb APPEND x " + literal(body) + "\r\nb APPEND x " + literal(text) + "\r\n", ""}, []object{{"message-1.eml", body + text}}}, // of two windows
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := newTrace(t).dial("10.0.0.5", 5000, "192.0.2.80", tt.port).open()
			k.say(0, tt.said[0], 1400).say(1, tt.said[1], 1400).close()
			want := map[string]string{}
			for _, o := range tt.want {
				want[o.name] += o.content
			}
			for _, wait := range []bool{false, true} { // so that no window changes behind whoever reads it
				s := seeAfter(t, small, k.pcap(), wait)
				got := s.objects()
				for name, content := range want {
					if got[name] != content {
						t.Errorf("%s: got %d bytes, want %d", name, len(got[name]), len(content))
					}
				}
				if len(got) != len(want) || len(s.gaps) > 0 {
					t.Errorf("got names %q and gaps %q", s.names(), s.gaps)
				}
			}
		})
	}
}

// fetchedInParts is how some clients fetch what is long.
func fetchedInParts(body string) string {
	var b strings.Builder
	for at := 0; at < len(body); at += 30_000 {
		fmt.Fprintf(&b, "* 1 FETCH (UID 7 BODY[]<%d> %s)\r\na OK\r\n* 9 EXISTS\r\n", at, literal(body[at:min(len(body), at+30_000)]))
	}
	return b.String()
}

// TestAnswersInWindows: what the other end said is known in later windows, too.
func TestAnswersInWindows(t *testing.T) {
	text, next := letters(300_000), letters(300_001)
	tests := []struct {
		name  string
		port  uint16
		turns []smbLine
		want  map[string]string
		from  string // of the last message
	}{
		{"SMTP", 25, []smbLine{{1, "220 mx\r\n"}, {0, "EHLO c\r\n"}, {1, "250-a\r\n250 b\r\n"}, {0, "MAIL FROM:<a@x>\r\n"}, {1, "250 ok\r\n"}, {0, "DATA\r\n"}, {1, "354 go\r\n"}, {0, dots(text)}, {1, "250 ok\r\n"},
			{0, "MAIL FROM:<b@x>\r\n"}, {1, "250 ok\r\n"}, {0, "DATA\r\n"}, {1, "503 no\r\n"}, {0, "RSET\r\n"}, {1, "250 ok\r\n"},
			{0, "MAIL FROM:<c@x>\r\n"}, {1, "250 ok\r\n"}, {0, "DATA\r\n"}, {1, "354 go\r\n"}, {0, dots(next)}, {1, "250 ok\r\n"}}, map[string]string{"message-1.eml": text, "message-2.eml": next}, "c@x"},
		{"IMAP", 143, []smbLine{{1, "* OK\r\n"}, {0, "a APPEND x {" + fmt.Sprint(len(text)) + "}\r\n"}, {1, "+ go\r\n"}, {0, text + "\r\n"}, {1, "a OK\r\n"},
			{0, "b APPEND y {90000}\r\n"}, {1, "b NO full\r\n"}, {0, "c APPEND x {" + fmt.Sprint(len(next)) + "}\r\n"}, {1, "+ go\r\n"}, {0, next + "\r\n"}, {1, "c OK\r\n"}}, map[string]string{"message-1.eml": text + next}, ""}, // of two windows
		{"POP3", 110, []smbLine{{1, "+OK\r\n"}, {0, "RETR 1\r\n"}, {1, "+OK\r\n" + dots(text)}, {0, "TOP 2 1\r\n"}, {1, "+OK\r\nA: b\r\n\r\nbegins\r\n.\r\n"},
			{0, "RETR 2\r\n"}, {1, "+OK\r\n" + dots(next)}}, map[string]string{"message-1.eml": text, "message-3.eml": next}, ""},
	}
	for _, tt := range tests {
		k := newTrace(t).dial("10.0.0.5", 5000, "192.0.2.80", tt.port).open()
		for _, turn := range tt.turns {
			k.say(turn.from, turn.data, 1400)
		}
		s := see(t, small, k.pcap())
		if got := s.objects(); !maps.Equal(got, tt.want) {
			t.Errorf("%s: got %d objects, names %q, gaps %q", tt.name, len(got), s.names(), s.gaps)
		}
		for name := range s.content {
			if tt.from != "" && strings.HasSuffix(name, "!message-2.eml") {
				s.fact(t, name, "mail.envelope_from", tt.from)
			}
		}
	}
}

// TestLargeDefaults holds the sizes that are in use to what they promise: a
// digest, and a URL for each object.
func TestLargeDefaults(t *testing.T) {
	first, second, third := noise(6<<20), noise(6<<20+1), noise(12<<20)
	k := newTrace(t).dial("10.0.0.5", 5000, "192.0.2.80", 80).open()
	k.say(0, get("/1")+get("/2")+get("/3"), 1400).say(1, reply(first)+reply(second)+reply(third), 60_000).close()
	s := see(t, Config{}, k.pcap())
	for name, want := range map[string]string{down + "!http://h/1": first, down + "#2!http://h/2": second, down + "#3!http://h/3": third} {
		if got := s.content[name]; got != want {
			t.Errorf("%s: got %d bytes, want %d; names %q, gaps %q", name, len(got), len(want), s.names(), s.gaps)
			continue
		}
		s.facts[name].(besra.ContentFacts).SetContent([]byte(want))
		s.fact(t, name, "file.sha256", fmt.Sprintf("%x", sha256.Sum256([]byte(want))))
	}
}

// TestManyResponses: each of a long session has the URL of its own request.
func TestManyResponses(t *testing.T) {
	var asked, answered strings.Builder
	for i := range 5000 {
		asked.WriteString(get(fmt.Sprint("/", i)))
		answered.WriteString(reply(fmt.Sprint("this is ", i)))
	}
	k := newTrace(t).dial("10.0.0.5", 5000, "192.0.2.80", 80).open()
	k.say(0, asked.String(), 1400).say(1, answered.String(), 1400).close()
	s := see(t, Config{Window: 10_000, Overlap: 1000}, k.pcap())
	got := s.objects()
	for i := range 5000 {
		if body := got[fmt.Sprint("http://h/", i)]; body != fmt.Sprint("this is ", i) {
			t.Fatalf("%d: got %q", i, body)
		}
	}
	if len(got) != 5000 || len(s.gaps) > 0 {
		t.Errorf("got %d objects and gaps %q", len(got), s.gaps)
	}
}

// TestParts: what is longer than may be held is scanned in parts, and that is
// told once. Parts of a body that is not coded overlap.
func TestParts(t *testing.T) {
	body, text := noise(2<<20)+marked+noise(1<<20), letters(2<<20)+marked+"\r\n"
	tests := []struct {
		name    string
		port    uint16
		object  string
		said    [2]string
		content string
		overlap bool
		gaps    []string
		next    string // object behind it
	}{
		{"counted", 80, "http://h/a", [2]string{get("/a") + get("/b"), reply(body) + reply("end")}, body, true, []string{ReasonPartial}, "http://h/b"},
		{"up to the end", 80, "http://h/a", [2]string{get("/a"), "HTTP/1.0 200 OK\r\n\r\n" + body}, body, true, []string{ReasonPartial}, ""},
		{"chunked", 80, "http://h/a", [2]string{get("/a") + get("/b"), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(body, 100_000) + reply("end")}, body, false,
			[]string{ReasonPartial}, "http://h/b"},
		{"that is cut", 80, "http://h/a", [2]string{get("/a"), strings.Replace(reply(body), ": 3", ": 9", 1)}, body, true, []string{ReasonCut, ReasonPartial}, ""},
		{"SMTP", 25, "message-1.eml", [2]string{"EHLO c\r\nMAIL FROM:<a>\r\nDATA\r\n" + dots(text) + "BDAT 3 LAST\r\nend"}, text, false, []string{ReasonPartial}, "message-2.eml"},
		{"SMTP in chunks", 25, "message-1.eml", [2]string{fmt.Sprintf("EHLO c\r\nMAIL FROM:<a>\r\nBDAT 500000\r\n%sBDAT %d LAST\r\n%sBDAT 3 LAST\r\nend", body[:500_000], len(body)-500_000, body[500_000:])},
			body, true, []string{ReasonPartial}, "message-2.eml"},
		{"POP3", 110, "message-1.eml", [2]string{"", "+OK hello\r\n+OK\r\n" + dots(text)}, text, false, []string{ReasonPartial}, ""},
		{"IMAP", 143, "message-1.eml", [2]string{"", "* OK hello\r\n* 1 FETCH (BODY[] " + literal(body) + ")\r\n* 2 FETCH (BODY[1] " + literal("end") + ")\r\n"}, body, true,
			[]string{ReasonPartial}, "message-2-1"},
		{"IMAP in parts", 143, "message-1.eml", [2]string{"", "* OK hello\r\n" + fetchedInParts(body)}, body, true, []string{ReasonPartial}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := newTrace(t).dial("10.0.0.5", 5000, "192.0.2.80", tt.port).open()
			k.say(0, tt.said[0], 1400).say(1, tt.said[1], 1400).close()
			s := see(t, small, k.pcap())
			checkParts(t, s, tt.object, tt.content, tt.overlap)
			if slices.Sort(s.gaps); !slices.Equal(s.gaps, tt.gaps) {
				t.Errorf("gaps: got %q, want %q", s.gaps, tt.gaps)
			}
			if tt.next != "" && s.objects()[tt.next] != "end" {
				t.Errorf("what follows is not there: %q", s.names())
			}
		})
	}
}

// TestPartsFTP: so is a file on a connection of its own.
func TestPartsFTP(t *testing.T) {
	body := noise(2<<20) + marked + noise(1<<20)
	tr := newTrace(t)
	tr.dial("10.0.0.5", 5000, "192.0.2.21", 21).open().say(0, "PORT 10,0,0,5,23,112\r\nRETR a\r\n", 90)
	tr.dial("192.0.2.21", 20, "10.0.0.5", 6000).open().say(0, body, 1400).close()
	s := see(t, small, tr.pcap())
	checkParts(t, s, "ftp/a", body, true)
	if !slices.Equal(s.gaps, []string{ReasonPartial}) {
		t.Errorf("gaps: got %q, want %q", s.gaps, ReasonPartial)
	}
}

// checkParts puts the parts of an object together again.
func checkParts(t *testing.T, s seen, object, content string, overlap bool) {
	t.Helper()
	parts, at, found := 0, 0, 0
	for {
		name := object
		if at > 0 {
			name += fmt.Sprint("@", at)
		}
		part, ok := "", false
		for full, c := range s.content {
			if strings.HasSuffix(full, "!"+name) {
				part, ok = c, true
				s.facts[full].(besra.ContentFacts).SetContent([]byte(c))
				if s.facts[full].Fact(t.Context(), "file.sha256").Known() {
					t.Errorf("%s: the digest of a part is stated", full)
				}
			}
		}
		if !ok || at+len(part) > len(content) || part != content[at:at+len(part)] {
			t.Fatalf("%s: got %d bytes, not those of the object; names %q", name, len(part), s.names())
		}
		found += strings.Count(part, marked)
		parts++
		if at += len(part); at == len(content) {
			break
		}
		if overlap {
			at -= small.Overlap
		}
	}
	if want := strings.Count(content, marked); parts < 3 || found < want {
		t.Errorf("%d parts with %d matches, want some with %d", parts, found, want)
	}
}

// TestObjectsHole: a body goes on behind bytes that are missing in it, and so
// does what follows it.
func TestObjectsHole(t *testing.T) {
	k := newTrace(t).dial("10.0.0.5", 5000, "192.0.2.80", 80).open()
	said := reply("0123456789abcdef") + reply("end")
	at := strings.Index(said, "456")
	k.say(0, get("/a")+get("/b"), 90).say(1, said[:at], 90)
	k.seq[1] += 3
	k.say(1, said[at+3:], 90).close()
	s := see(t, Config{}, k.pcap())
	s.want(t, down+"!http://h/a", "0123")
	s.want(t, down+"#2!http://h/a@7", "789abcdef")
	s.want(t, down+"#2!http://h/b", "end")
	if slices.Sort(s.gaps); !slices.Equal(s.gaps, []string{ReasonCut, ReasonMissing}) {
		t.Errorf("gaps: got %q", s.gaps)
	}
	s.facts[down+"!http://h/a"].(besra.ContentFacts).SetContent([]byte("0123"))
	if f := s.facts[down+"!http://h/a"].Fact(t.Context(), "file.sha256"); f.Known() {
		t.Error("the digest of what is not whole is stated")
	}
}

// TestHoleToTheEnd: what goes up to the end of its direction is not whole, either.
func TestHoleToTheEnd(t *testing.T) {
	k := newTrace(t).dial("10.0.0.5", 5000, "192.0.2.80", 80).open()
	k.say(0, get("/a"), 90).say(1, "HTTP/1.0 200 OK\r\n\r\n0123", 90)
	k.seq[1] += 3
	k.say(1, "789", 90).close()
	s := see(t, Config{}, k.pcap())
	s.want(t, down+"!http://h/a", "0123")
	s.want(t, down+"#2!http://h/a@7", "789")
	if slices.Sort(s.gaps); !slices.Equal(s.gaps, []string{ReasonCut, ReasonMissing}) {
		t.Errorf("gaps: got %q", s.gaps)
	}
}

// TestHostile: what breaks its protocol is scanned as it is, and what came before
// it is carved.
func TestHostile(t *testing.T) {
	chunk := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	long := strings.Repeat("0123456789abcdef", 20_000)
	for name, bad := range map[string]string{
		"a header without end":     "HTTP/1.1 200 OK\r\nX: " + long,
		"a header of empty lines":  strings.Repeat("\r\n", 100_000),
		"a chunk without end":      chunk + "7fffffffffffffff\r\n" + long,
		"a chunk of less":          chunk + "5\r\n" + long,
		"a chunk below none":       chunk + "-5\r\n" + long,
		"a size without end":       chunk + strings.Repeat("0", 200_000),
		"a trailer without end":    chunk + "0\r\n" + strings.Repeat("X: y\r\n", 50_000),
		"a length below none":      "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + long,
		"a length beyond all":      "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n" + long,
		"a length that is no size": "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n" + long,
	} {
		t.Run(name, func(t *testing.T) {
			whole, objects := carved(t, Config{Window: 5000, Overlap: 500, Held: 80_000}, 80, 1, []byte(reply("")+reply("hello")+bad), 1400)
			if !strings.HasSuffix(whole, bad[len(bad)-100:]) || len(whole) != len(reply("")+reply("hello")+bad) {
				t.Errorf("the windows have %d bytes", len(whole))
			}
			if !slices.Contains(objects, "!http://h/ hello") {
				t.Errorf("what came before is not there: %.300q", objects)
			}
		})
	}
}

// TestBorders: messages that end where a window does, or just not.
func TestBorders(t *testing.T) {
	const window = 3000
	for n := -2; n <= 2; n++ {
		var said strings.Builder
		for range 20 {
			head := len(reply(strings.Repeat("x", 1000))) - 1000
			said.WriteString(reply(strings.Repeat("x", window/2-head+n)))
		}
		_, objects := carved(t, Config{Window: window, Overlap: 300}, 80, 1, []byte(reply("")+said.String()), 1400)
		if len(objects) != 20 {
			t.Errorf("%d: got %d objects, want 20", n, len(objects))
		}
	}
}

// TestRelieved: where many long messages are under way at once, all are scanned
// in parts, and what is held stays bounded.
func TestRelieved(t *testing.T) {
	const n = 8
	body := noise(300_000)
	tr := newTrace(t)
	var talks []*talk
	for i := range n {
		k := tr.dial("10.0.0.5", uint16(5000+i), "192.0.2.80", 80).open()
		talks = append(talks, k.say(0, get(fmt.Sprint("/", i)), 90))
	}
	said := reply(body)
	for at := 0; at < len(said); at += 1400 {
		for _, k := range talks {
			k.say(1, said[at:min(len(said), at+1400)], 1400)
		}
	}
	src, err := New(Config{Reader: bytes.NewReader(tr.pcap()), Name: "c", Window: 8 << 10, Overlap: small.Overlap, Held: 400_000})
	if err != nil {
		t.Fatal(err)
	}
	s, most := seen{content: map[string]string{}, facts: map[string]besra.Facts{}}, int64(0)
	r := &sourcetest.Recorder{}
	d := newDecoder(t.Context(), &src.config, r)
	r.On = func(target besra.Target) error {
		content, err := target.Open(t.Context())
		s.content[target.Name], s.facts[target.Name] = string(content.Bytes()), target.Facts
		most = max(most, d.streams.held)
		Expander{}.Expand(t.Context(), target, content.Bytes(), sourcetest.Ample(), r)
		return err
	}
	in, err := readPackets(bytes.NewReader(tr.pcap()))
	if err == nil {
		err = d.run(in)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		checkParts(t, s, fmt.Sprint("http://h/", i), body, true)
	}
	if limit := src.config.Held + int64(src.config.largest()); most > limit || d.streams.held != 0 {
		t.Errorf("%d bytes were held, want at most %d; %d are left", most, limit, d.streams.held)
	}
}

var client, server = net.IP{10, 0, 0, 5}, net.IP{192, 0, 2, 80}

// carved feeds one direction to a conversation in steps, and returns its bytes
// as the windows have them, and the objects in them, sorted.
func carved(t *testing.T, c Config, port uint16, from int, data []byte, step int) (string, []string) {
	c.Reader, c.Name = strings.NewReader(""), "c"
	src, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	var objects []string
	inside := &sourcetest.Recorder{On: func(o besra.Target) error {
		if content, err := o.Open(t.Context()); err == nil {
			objects = append(objects, o.Name[strings.LastIndex(o.Name, "!"):]+" "+string(content.Bytes()))
		}
		return nil
	}}
	d := newDecoder(t.Context(), &src.config, &sourcetest.Recorder{On: func(target besra.Target) error {
		f := target.Facts.(*streamFacts)
		content, err := target.Open(t.Context())
		if f.flow.srcPort != port == (from == 0) {
			all.Write(content.Bytes()[f.window.from:])
		}
		Expander{}.Expand(t.Context(), target, content.Bytes(), sourcetest.Ample(), inside)
		return err
	}})
	key, second := endpointsOf(client, server, 5000, port)
	talk := d.streams.begin(key, client, server, segment{srcPort: 5000, dstPort: port, syn: true}, second, start)
	know := func(i int, content []byte) {
		// What tells the protocol may be longer than a window here.
		s := &talk.sides[i]
		if p := protocolOf(&streamFacts{flow: s.flow}, content); p != nil && p.framed() && len(content) > c.Window {
			s.looked, s.frames = true, &frames{protocol: p, begin: p.framer(), framer: p.framer()}
		}
	}
	know(from, data)
	if port == 80 && from == 1 {
		asked := []byte("HEAD / HTTP/1.1\r\n\r\n" + strings.Repeat(get("/"), 20))
		know(0, asked)
		talk.data(0, asked)
	}
	for len(data) > 0 {
		n := min(len(data), step)
		talk.data(from, data[:n])
		data = data[n:]
	}
	d.streams.flushAll()
	if d.streams.held != 0 {
		t.Errorf("%d bytes are held at the end", d.streams.held)
	}
	slices.Sort(objects)
	return all.String(), objects
}

// FuzzWindows: however a direction comes, and wherever its windows end, there
// are the same objects in it as in one window.
func FuzzWindows(f *testing.F) {
	f.Add(uint16(80), true, []byte(reply("")+reply("hello")+"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+chunks("0123456789", 3)+reply("end")), uint8(3), uint8(20))
	f.Add(uint16(80), true, []byte("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"+reply("hello")), uint8(3), uint8(20))
	f.Add(uint16(80), true, []byte("HTTP/1.1 100 C\r\n\r\n"+reply("")+"HTTP/1.1 200 OK\n\nto the end"), uint8(3), uint8(20))
	f.Add(uint16(80), false, []byte(get("/")+"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello\r\n"+get("/")), uint8(3), uint8(20))
	f.Add(uint16(25), false, []byte("EHLO c\r\nMAIL FROM:<a>\r\nDATA\r\nA: b\r\n\r\n..c\r\n.\r\nMAIL FROM:<a>\r\nBDAT 3\r\nabcBDAT 2 LAST\r\ndeQUIT\r\n"), uint8(3), uint8(20))
	f.Add(uint16(110), true, []byte("+OK\r\n+OK\r\nA: b\r\n\r\n..\r\n.\r\n+OK\r\nC: d\r\n.\r\n-ERR\r\n"), uint8(3), uint8(20))
	f.Add(uint16(143), true, []byte("* OK\r\n* 1 FETCH (BODY[] {3}\r\nabc)\r\n* 2 FETCH (BODY[]<0> {3}\r\nabc)\r\n* 2 FETCH (BODY[]<3> {3}\r\ndef)\r\n"), uint8(3), uint8(20))
	f.Add(uint16(143), false, []byte("a LOGIN u p\r\nb APPEND x {5+}\r\nA: b\n\r\nc COMPRESS DEFLATE\r\n"+deflated("d APPEND x {5+}\r\nA: c\n\r\n")), uint8(3), uint8(20))
	f.Fuzz(func(t *testing.T, port uint16, answers bool, data []byte, step, window uint8) {
		from := 0
		if answers {
			from = 1
		}
		whole, want := carved(t, Config{}, port, from, data, len(data)+1)
		parts, got := carved(t, Config{Window: int(window) + 1, Overlap: int(window) / 8, Held: 8 << 20}, port, from, data, int(step)+1)
		if parts != whole {
			t.Errorf("the windows have %d bytes, want %d: %q", len(parts), len(whole), parts)
		}
		facts := &streamFacts{flow: newFlow("tcp", client, server, 5000, port, start)}
		if answers {
			facts.flow = newFlow("tcp", server, client, port, 5000, start)
		}
		if p := protocolOf(facts, data); p != nil && p.kind == "imap" {
			return // its messages are numbered, and put together, in each window
		}
		for _, o := range want {
			i, ok := slices.BinarySearch(got, o)
			if !ok {
				t.Fatalf("%q is not there: %q", o, got)
			}
			got = slices.Delete(got, i, i+1)
		}
	})
}
