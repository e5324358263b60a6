package mail

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
	"github.com/besra-hunt/besra/source/sourcetest"
)

const marked = "x = \"BinStore enabled implants.\"\r\n"

// letter is a message as mail programs write them: alternatives, an attachment
// whose name is encoded, a message in the message.
var letter = strings.ReplaceAll(`Return-Path: <bounce@Mailer.example>
Received: from mailer.example by mx.example.org with ESMTP; Fri, 20 Nov 2026 03:00:05 +0100
Authentication-Results: mx.example.org; dkim=pass header.d=mailer.example; spf=softfail smtp.mailfrom=mailer.example; dmarc=none
Authentication-Results: mx.example.org; dkim=fail
From: "Dana" <Dana@Sender.example>
To: soc@example.org
Subject: =?utf-8?q?Invoice_=E2=82=AC?=
Date: Fri, 20 Nov 2026 02:00:00 +0000
List-Id: News <news.sender.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

preamble
--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

x =3D "BinStore=
 enabled implants."
--inner
Content-Type: text/html

<p>nothing</p>
--inner--
--outer
Content-Type: application/octet-stream; name="=?utf-8?q?t=C3=B6ol.py?="
Content-Disposition: attachment
Content-Transfer-Encoding: base64

`+base64.StdEncoding.EncodeToString([]byte(marked))+`
--outer
Content-Type: application/zip
Content-Disposition: attachment; filename="../../a/b.zip"

PK
--outer
Content-Type: message/rfc822

From: inner@example.org
Subject: inner

text
--outer--
`, "\n", "\r\n")

func expander() *Expander { return New(Config{Trusted: []string{"MX.example.org"}}) }

func TestMessage(t *testing.T) {
	sourcetest.TestExpander(t, expander(), sourcetest.Packed{Name: "a.eml", Content: []byte(letter), Want: map[string][]byte{
		"a.eml!part-1.1.txt":  []byte("x = \"BinStore enabled implants.\""),
		"a.eml!part-1.2.html": []byte("<p>nothing</p>"),
		"a.eml!töol.py":       []byte(marked),
		"a.eml!b.zip":         []byte("PK"),
		"a.eml!part-4.eml":    []byte("From: inner@example.org\r\nSubject: inner\r\n\r\ntext"),
	}})
}

// TestBegun: what an editor leaves before the first header hides no message.
func TestBegun(t *testing.T) {
	for _, before := range []string{"\xef\xbb\xbf", "\r\n\n", "\xef\xbb\xbf\n"} {
		for around, want := range map[string]string{"": "m!töol.py", "From a@example.org Fri Nov 20 02:00:00 2026\n": "m!message-1.eml"} {
			in := sourcetest.Expand(t.Context(), expander(), sourcetest.Packed{Name: "m", Content: []byte(before + around + letter)}, sourcetest.Ample())
			if len(in.Content[want]) == 0 || in.Err != nil {
				t.Errorf("%q before %q: got no %s, error %v", before, around, want, in.Err)
			}
		}
	}
}

// TestWrongBoundary: a message whose parts are not to be told apart is told.
func TestWrongBoundary(t *testing.T) {
	wrong := strings.Replace(letter, `boundary="outer"`, `boundary="other"`, 1)
	in := sourcetest.Expand(t.Context(), expander(), sourcetest.Packed{Name: "m", Content: []byte(wrong)}, sourcetest.Ample())
	if in.Err == nil {
		t.Errorf("got no error, parts %d", len(in.Content))
	}
}

func TestFacts(t *testing.T) {
	in := sourcetest.Expand(t.Context(), expander(), sourcetest.Packed{Name: "a.eml", Content: []byte(letter)}, sourcetest.Ample())
	f := in.Facts["a.eml!töol.py"]
	for name, want := range map[string]string{
		"mail.from": "dana@sender.example", "mail.from_domain": "sender.example", "mail.reply_to": "", "mail.subject": "Invoice €",
		"mail.envelope_from": "bounce@mailer.example", "mail.list_id": "news.sender.example", "mail.date": "2026-11-20 02:00:00 +0000 UTC",
		"mail.received": "2026-11-20 02:00:05 +0000 UTC", "mail.dkim": "pass", "mail.spf": "softfail", "mail.dmarc": "none", "file.name": "töol.py",
	} {
		if got := f.Fact(t.Context(), name); !got.Known() || fmt.Sprint(got.Value) != want {
			t.Errorf("%s: got %v (%s), want %s", name, got.Value, got.Source, want)
		}
	}
	// Without a trusted server, what anyone can write proves nothing.
	in = sourcetest.Expand(t.Context(), New(Config{}), sourcetest.Packed{Name: "a.eml", Content: []byte(letter)}, sourcetest.Ample())
	if got := in.Facts["a.eml!töol.py"].Fact(t.Context(), "mail.dkim"); got.Known() {
		t.Errorf("mail.dkim by a server that nobody trusts: got %v", got.Value)
	}
}

func TestResults(t *testing.T) {
	for in, want := range map[string]string{"dkim=pass x=y; dkim=fail": "fail", "spf=pass": "", "a dkim=pass": "", "DKIM=Pass": "pass"} {
		if got, _ := resultOf(strings.Split(in, ";"), "dkim"); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestMbox(t *testing.T) {
	box := "From a@example.org Fri Nov 20 02:00:00 2026\nFrom: a@example.org\nSubject: one\n\n>From here on\nFrom there on\n\n" +
		"From b@example.org Fri Nov 20 02:00:00 2026\nFrom: b@example.org\nSubject: two\n\n" + marked
	sourcetest.TestExpander(t, expander(), sourcetest.Packed{Name: "box", Content: []byte(box), Want: map[string][]byte{
		"box!message-1.eml": []byte("From: a@example.org\nSubject: one\n\nFrom here on\nFrom there on\n\n"),
		"box!message-2.eml": []byte("From: b@example.org\nSubject: two\n\n" + marked),
	}})
}

func TestKind(t *testing.T) {
	for content, want := range map[string]string{
		letter: "mail", "": "", "hello": "", "From me to you\nhello": "", "Subject: x\nnothing: y\n\n": "",
		"Received: by x\nDate: y\n\n": "mail", " From: a\nTo: b\n": "", "GET / HTTP/1.1\nFrom: a\nDate: b\n": "", "key: value\ndate: 1\n": "",
	} {
		if got := expander().Kind(besra.Target{}, []byte(content)); got != want {
			t.Errorf("%.40q: got %q, want %q", content, got, want)
		}
	}
}

// TestMessageInMessage finds one that says of itself that it was delivered, and
// signed: whoever sent the one around wrote that.
func TestMessageInMessage(t *testing.T) {
	forged := strings.ReplaceAll(`Return-Path: <friend@partner.example>
Received: from partner.example by mx.example.org; Thu, 1 Jan 1998 00:00:00 +0000
Authentication-Results: mx.example.org; dkim=pass
From: friend@partner.example

text
`, "\n", "\r\n")
	whole := strings.Replace(letter, "From: inner@example.org\r\nSubject: inner\r\n\r\ntext", strings.TrimSpace(forged), 1)
	in := sourcetest.Expand(t.Context(), expander(), sourcetest.Packed{Name: "a.eml", Content: []byte(whole)}, sourcetest.Ample())
	outer, between := in.Facts["a.eml!part-4.eml"], facts.NewGiven(besra.ContextArchive, in.Facts["a.eml!part-4.eml"])
	between.Inherit("mail")
	for name, around := range map[string]besra.Facts{"attached": outer, "in an archive that is": between} {
		to := sourcetest.Expand(t.Context(), expander(), sourcetest.Packed{Name: "b.eml", Content: []byte(forged), Facts: around}, sourcetest.Ample())
		f := to.Facts["b.eml!part-1.txt"]
		for fact, want := range map[string]string{"mail.from": "friend@partner.example", "mail.dkim": "<nil>",
			"mail.envelope_from": "bounce@mailer.example", "mail.received": "2026-11-20 02:00:05 +0000 UTC"} {
			if got := f.Fact(t.Context(), fact); fmt.Sprint(got.Value) != want {
				t.Errorf("%s, %s: got %v (%s), want %s", name, fact, got.Value, got.Source, want)
			}
		}
	}
}

// winmail makes a TNEF stream of attributes.
func winmail(attributes ...any) []byte {
	b := []byte("\x78\x9f\x3e\x22\x01\x00")
	for i := 0; i < len(attributes); i += 2 {
		data := attributes[i+1].(string)
		b = append(b, 2)
		b = binary.LittleEndian.AppendUint32(b, uint32(attributes[i].(int)))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
		b = append(append(b, data...), 0, 0)
	}
	return b
}

func TestTNEF(t *testing.T) {
	content := winmail(attBody, "hello", attRendData, "r", attAttachTitle, `C:\x\tool.py`+"\x00", attAttachData, marked, attRendData, "r", attAttachData, "two")
	sourcetest.TestExpander(t, expander(), sourcetest.Packed{Name: "winmail.dat", Content: content, Want: map[string][]byte{
		"winmail.dat!body.txt": []byte("hello"), "winmail.dat!tool.py": []byte(marked), "winmail.dat!part-2.bin": []byte("two"),
	}})
	in := sourcetest.Expand(t.Context(), expander(), sourcetest.Packed{Name: "w", Content: content[:len(content)-4]}, sourcetest.Ample())
	if in.Err == nil || len(in.Content) != 2 {
		t.Errorf("cut: got %d parts and error %v, want 2 and an error", len(in.Content), in.Err)
	}
}

// TestDamaged: a message that is cut off yields what there is.
func TestDamaged(t *testing.T) {
	cut := letter[:strings.Index(letter, "Content-Transfer-Encoding: base64")+60]
	in := sourcetest.Expand(t.Context(), expander(), sourcetest.Packed{Name: "a", Content: []byte(cut)}, sourcetest.Ample())
	if len(in.Content) < 2 || len(in.Gaps) == 0 {
		t.Errorf("got %d parts and gaps %q, want the parts before the cut and a gap", len(in.Content), in.Gaps)
	}
	if !bytes.HasPrefix([]byte(marked), in.Content["a!töol.py"]) {
		t.Errorf("got %q, want the beginning of the attachment", in.Content["a!töol.py"])
	}
}

func FuzzExpand(f *testing.F) {
	f.Add([]byte(letter))
	f.Add([]byte("From a\nFrom: a\nSubject: b\n\nx\n\nFrom b\n"))
	f.Add(winmail(attBody, "hello", attRendData, "r", attAttachData, marked))
	f.Fuzz(func(t *testing.T, content []byte) {
		in := sourcetest.Expand(context.Background(), expander(), sourcetest.Packed{Name: "m", Content: content},
			&besra.Budget{Members: 100, Bytes: 1 << 20, Member: 1 << 20})
		for name := range in.Content {
			if !strings.HasPrefix(name, "m!") {
				t.Errorf("part %q", name)
			}
		}
	})
}
