package capture

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/sourcetest"
)

const eml = "Subject: x\r\n\r\n" + marked + "\r\n"

func literal(s string) string { return fmt.Sprintf("{%d}\r\n%s", len(s), s) }

// deflated compresses each piece as a peer does that flushes after it.
func deflated(pieces ...string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 6)
	for _, p := range pieces {
		w.Write([]byte(p)) // a buffer takes everything
		w.Flush()
	}
	return b.String()
}

func TestIMAP(t *testing.T) {
	greet := "* OK IMAP4rev1 ready\r\n"
	part := base64.StdEncoding.EncodeToString([]byte(marked))
	const hello = "a1 LOGIN u p\r\n"
	tests := []struct {
		name string
		from int
		text string
		want map[string]string
		gaps []string
	}{
		{"FETCH", 1, greet + "* 3 FETCH (FLAGS (\\Seen) UID 7 BODY[] " + literal(eml) + ")\r\na2 OK done\r\n", map[string]string{"message-1.eml": eml}, nil},
		{"RFC822, two at once", 1, greet + "* 3 FETCH (RFC822 " + literal(eml) + ")\r\n* 4 FETCH (RFC822 " + literal("A: b\r\n\r\nc") + ")\r\n",
			map[string]string{"message-1.eml": eml, "message-2.eml": "A: b\r\n\r\nc"}, nil},
		{"in parts, out of order", 1, greet + "* 3 FETCH (BODY[]<10> " + literal(eml[10:]) + ")\r\n* 3 FETCH (BODY[]<0> " + literal(eml[:10]) + ")\r\n",
			map[string]string{"message-1.eml": eml}, nil},
		{"a part is missing", 1, greet + "* 3 FETCH (BODY[]<10> " + literal(eml[10:]) + ")\r\n", map[string]string{"message-1.eml@10": eml[10:]}, []string{ReasonCut}},
		{"header and text", 1, greet + "* 3 FETCH (BODY[HEADER] " + literal("Subject: x\r\n\r\n") + " BODY[TEXT] " + literal(marked+"\r\n") + ")\r\n", map[string]string{"message-1.eml": eml}, nil},
		{"a MIME part", 1, greet + "* 3 FETCH (BODY[2.MIME] " + literal("Content-Transfer-Encoding: base64\r\n\r\n") + " BODY[2] " + literal(part) + ")\r\n",
			map[string]string{"message-1.eml": "Content-Transfer-Encoding: base64\r\n\r\n" + part}, nil},
		{"a MIME part and fields of the header", 1, greet + "* 3 FETCH (BODY[HEADER.FIELDS (FROM CONTENT-TYPE)] " + literal("From: a\r\n b\r\nContent-Type: c\r\n d\r\n\r\n") +
			" BODY[2.MIME] " + literal("Content-Transfer-Encoding: base64\r\n\r\n") + " BODY[2] " + literal(part) + ")\r\n",
			map[string]string{"message-1.eml": "From: a\r\n b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + part}, nil},
		{"parts, of another mailbox", 1, greet + "* 3 FETCH (BODY[]<0> " + literal("A: b\r\n") + ")\r\na2 OK [READ-WRITE] Select completed.\r\n* 3 FETCH (BODY[]<0> " + literal(eml) + ")\r\n",
			map[string]string{"message-1.eml": "A: b\r\n", "message-2.eml": eml}, nil},
		{"a part alone", 1, greet + "* 3 FETCH (UID 7 BODY[2] " + literal(part) + ")\r\n", map[string]string{"message-1-2": marked}, nil},
		{"binary", 1, greet + "* 3 FETCH (BINARY[2] ~" + literal(marked) + ")\r\n", map[string]string{"message-1-2": marked}, nil},
		{"a literal that is none of it", 1, greet + "* 3 FETCH (ENVELOPE (NIL " + literal("Subject") + ") BODY[] " + literal(eml) + ")\r\n", map[string]string{"message-1.eml": eml}, nil},
		{"cut", 1, greet + "* 3 FETCH (BODY[] {900}\r\n" + eml, map[string]string{"message-1.eml": eml}, []string{ReasonCut}},
		{"compressed", 1, greet + "a1 OK go\r\n" + deflated("* 3 FETCH (BODY[] "+literal(eml), ")\r\na2 OK done\r\n"), map[string]string{"message-1.eml": eml}, nil},
		{"compressed, named", 1, greet + "a1 OK DEFLATE active\r\n" + deflated("* 3 FETCH (BODY[] "+literal(eml), ")\r\na2 OK done\r\n"), map[string]string{"message-1.eml": eml}, nil},
		{"compressed, as dovecot says it", 1, greet + "a1 OK Begin compression (0.001 secs).\r\n" + deflated("* 3 EXISTS\r\n", "* 3 FETCH (BODY[] "+literal(eml)+")\r\n"), map[string]string{"message-1.eml": eml}, nil},
		{"encrypted", 1, greet + "a1 OK begin TLS\r\n\x16\x03\x03\x00\x10\x02bcdef", map[string]string{}, []string{ReasonEncrypted}},
		{"no text", 1, greet + "\xff\xff\xff\xff", map[string]string{}, []string{ReasonCut}},
		{"APPEND", 0, hello + "a2 APPEND Sent (\\Seen) " + literal(eml) + "\r\na3 LOGOUT\r\n", map[string]string{"message-1.eml": eml}, nil},
		{"APPEND without waiting, twice", 0, hello + "a2 APPEND Sent {5+}\r\nA: b\n {6+}\r\nA: bc\n\r\n", map[string]string{"message-1.eml": "A: b\n", "message-2.eml": "A: bc\n"}, nil},
		{"APPEND to a literal", 0, "a1 LOGIN {1}\r\nu {1}\r\np\r\na2 APPEND {4}\r\nSent " + literal(eml) + "\r\n", map[string]string{"message-1.eml": eml}, nil},
		{"APPEND compressed", 0, hello + "a2 COMPRESS DEFLATE\r\n" + deflated("a3 APPEND Sent "+literal(eml)+"\r\n"), map[string]string{"message-1.eml": eml}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := newTrace(t).dial("10.0.0.5", 5000, "192.0.2.25", 1430).open()
			k.say(tt.from, tt.text, 20)
			k.close()
			checkInside(t, see(t, Config{}, k.pcap()), tt.want, tt.gaps)
		})
	}
}

// TestIMAPRefused has commands whose literals the server does not ask for.
func TestIMAPRefused(t *testing.T) {
	const greet = "* OK IMAP4rev1 ready\r\n"
	for _, tt := range []struct {
		name, client, server string
		want                 map[string]string
	}{
		{"before it came", "a1 APPEND x {900}\r\na2 APPEND y " + literal(eml) + "\r\n", greet + "a1 NO [TRYCREATE] no x\r\n+ OK\r\na2 OK\r\n", map[string]string{"message-1.eml": eml}},
		{"after it came", "a1 APPEND x " + literal(eml) + "\r\n", greet + "+ OK\r\n* 3 EXISTS\r\na1 NO [OVERQUOTA] full\r\n", map[string]string{"message-1.eml": eml}},
		{"that was not asked for", "a1 APPEND x {6+}\r\nA: b\r\n\r\n", greet + "a1 NO [TRYCREATE] no x\r\n", map[string]string{"message-1.eml": "A: b\r\n"}},
		{"in words of a message", "a1 FETCH 1 RFC822\r\na2 APPEND x " + literal(eml) + "\r\n",
			greet + "* 1 FETCH (FLAGS () X " + literal("\r\na2 NO never\r\n") + ")\r\na1 OK\r\n+ OK\r\na2 OK\r\n", map[string]string{"message-1.eml": eml}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newTrace(t).dial("10.0.0.5", 5000, "192.0.2.25", portIMAP).open()
			k.say(0, tt.client, 30)
			k.say(1, tt.server, 30)
			k.close()
			checkInside(t, see(t, Config{}, k.pcap()), tt.want, nil)
		})
	}
}

// checkInside holds the objects of the only direction to what is wanted.
func checkInside(t *testing.T, s seen, want map[string]string, gaps []string) {
	t.Helper()
	got := map[string]string{}
	for name, content := range s.content {
		if parts := strings.SplitN(name, "!", 3); len(parts) == 3 {
			got[parts[2]] = content
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || !slices.Equal(s.gaps, gaps) {
		t.Errorf("got %q and gaps %q, want %q and %q", got, s.gaps, want, gaps)
	}
}

func TestPOP3(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       map[string]string
		gaps       []string
	}{
		{"RETR", "+OK ready\r\n+OK\r\nTOP\r\nUIDL\r\n.\r\n+OK 1 messages\r\n1 120\r\n.\r\n+OK 120 octets\r\nSubject: x\r\n\r\n" + marked + "\r\n..\r\n.\r\n+OK bye\r\n",
			map[string]string{"message-1.eml": eml + ".\r\n"}, nil},
		{"TOP", "+OK ready\r\n+OK\r\nSubject: x\r\n\r\n" + marked[:9] + "\r\n.\r\n+OK\r\nSubject: x\r\n\r\n" + marked + "\r\n.\r\n",
			map[string]string{"message-1.eml": eml}, []string{ReasonBeginning}},
		{"encrypted", "+OK ready\r\n+OK go\r\n\x16\x03\x01\x00\x05\x02bcdef", map[string]string{}, []string{ReasonEncrypted}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newTrace(t).dial("10.0.0.5", 5000, "192.0.2.25", 110).open()
			k.say(0, "TOP 1 1\r\nTOP 1 9999999\r\n", 30)
			k.say(1, tt.text, 30)
			k.close()
			checkInside(t, see(t, Config{}, k.pcap()), tt.want, tt.gaps)
		})
	}
}

// FuzzDialogue opens one direction of any protocol, by its port and its bytes.
func FuzzDialogue(f *testing.F) {
	f.Add(uint16(143), []byte("* OK x\r\n* 3 FETCH (BODY[]<5> {3}\r\nabc BODY[2] {4}\r\nYWJj)\r\n"))
	f.Add(uint16(143), []byte("* OK x\r\na OK DEFLATE\r\n"+deflated("* 3 FETCH (RFC822 {3}\r\nabc)\r\n")))
	f.Add(uint16(5000), []byte("a LOGIN {1}\r\nu p\r\nb APPEND x {5+}\r\nA: b\n\r\nc COMPRESS DEFLATE\r\n"))
	f.Add(uint16(110), []byte("+OK\r\n+OK\r\nA: b\r\n\r\n..\r\n.\r\n"))
	f.Add(uint16(53), []byte("\x00\x0d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add(uint16(80), []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
	f.Add(uint16(80), []byte("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n"+framed(true, 0x41, "abc")+framed(false, 1, "d", "e")))
	f.Add(uint16(80), []byte("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Range: bytes 5-6/9\r\nContent-Length: 2\r\n\r\nab"))
	f.Add(uint16(25), []byte("EHLO x\r\nMAIL FROM:<a>\r\nBDAT 3\r\nabcBDAT 2 LAST\r\nde"))
	f.Fuzz(func(t *testing.T, port uint16, b []byte) {
		way := newFlow("tcp", net.IP{192, 0, 2, 1}, net.IP{192, 0, 2, 2}, port, 5000, start)
		target := way.target(&Config{Name: "c", Facts: besra.NoFacts{}}, "", b, window{})
		budget := &besra.Budget{Members: 100, Bytes: 1 << 20, Member: 1 << 20}
		r := &sourcetest.Recorder{On: func(inner besra.Target) error {
			_, err := inner.Open(t.Context())
			return err
		}}
		Expander{}.Expand(t.Context(), target, b, budget, r)
		if budget.Bytes < 0 || budget.Members < 0 {
			t.Errorf("more was spent than there was: %+v", budget)
		}
	})
}
