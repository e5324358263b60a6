package mail

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/besra-hunt/besra/source/sourcetest"
	"github.com/emersion/go-message"
)

// uu is the marked text in uuencode.
const uu = "begin 644 tool.py\n" +
	"B>\"`](\")\":6Y3=&]R92!E;F%B;&5D(&EM<&QA;G1S+B(-\"@``\n" +
	"`\nend\n"

// attachedAs is a message with an attachment in an encoding.
func attachedAs(header, encoding, body string) string {
	return "From: a@sender.example\nTo: b@example.org\n" + header + "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" +
		"--b\nContent-Type: text/x-python; name=tool.py\nContent-Transfer-Encoding: " + encoding + "\n\n" + body + "\n--b--\n"
}

// TestEncodings: what mail programs show of attachments that are not quite right
// is found.
func TestEncodings(t *testing.T) {
	packed := base64.StdEncoding.EncodeToString([]byte(marked))
	twice := base64.StdEncoding.EncodeToString([]byte(marked[:10])) + "\n" + base64.StdEncoding.EncodeToString([]byte(marked[10:]))
	for name, message := range map[string]string{
		"other characters in base64":     attachedAs("", "base64", packed[:9]+"*\x00-\n  "+packed[9:]),
		"other characters before base64": attachedAs("", "BASE64 ", "!\n"+packed),
		"base64 without padding":         attachedAs("", "base64", strings.TrimRight(packed, "=")),
		"base64 in two pieces":           attachedAs("", "base64", twice),
		"a footer behind base64":         attachedAs("", "base64", twice[:16]+"\n"+base64.StdEncoding.EncodeToString([]byte(marked[10:]))+"\n-- \na list\n"),
		"a line that is no header":       attachedAs("this is no header\n that goes on\n", "base64", packed),
		"uuencode":                       "From: a@sender.example\nTo: b@example.org\nMessage-ID: <1>\n\nhello\n\n" + uu,
		"uuencode in a part":             attachedAs("", "x-uuencode", uu),
		"uuencode, CRLF, without an end": strings.ReplaceAll("From: a@sender.example\nMessage-ID: <1>\n\n"+strings.TrimSuffix(uu, "`\nend\n"), "\n", "\r\n"),
	} {
		in := sourcetest.Expand(t.Context(), expander(), sourcetest.Packed{Name: "a", Content: []byte(message)}, sourcetest.Ample())
		found := false
		for part, content := range in.Content {
			found = found || strings.HasPrefix(part, "a!tool.py") && string(content) == marked
		}
		if !found || in.Err != nil {
			t.Errorf("%s: got %q and error %v", name, in.Content, in.Err)
		}
	}
	for name, text := range map[string]string{"prose": "\nbegin 644 times\nthe lines are prose\n", "no mode": "\nbegin abc tool.py\n" + uu[18:], "no name": "\nbegin 644 \n" + uu[18:]} {
		in := sourcetest.Expand(t.Context(), expander(), sourcetest.Packed{Name: "a", Content: []byte("From: a@b.example\nMessage-ID: <1>\n\n" + text)}, sourcetest.Ample())
		if len(in.Content) != 1 {
			t.Errorf("%s: got %q, want the body alone", name, in.Content)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(base64.StdEncoding.EncodeToString([]byte(marked))))
	f.Add([]byte(uu[18:]))
	f.Fuzz(func(t *testing.T, text []byte) {
		want, err := base64.StdEncoding.DecodeString(string(text))
		got, err2 := io.ReadAll(iotest.OneByteReader(decoded(headerOf("base64"), bytes.NewReader(text))))
		if err2 != nil || err == nil && !bytes.Equal(got, want) {
			t.Errorf("got %q and %v, want %q", got, err2, want)
		}
		if plain, err := io.ReadAll(&uuReader{rest: text}); err != nil || len(plain) > len(text) {
			t.Errorf("uuencode: got %d bytes of %d and %v", len(plain), len(text), err)
		}
	})
}

func headerOf(encoding string) (h message.Header) {
	h.Set("Content-Transfer-Encoding", encoding)
	return h
}
