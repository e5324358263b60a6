//go:build unix

package main

import (
	"compress/flate"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
)

// attached is a message with the marker attached in an encoding.
func attached(encoding string) string {
	if encoding == "base64" {
		return mailed("tool.py", []byte(marker))
	}
	return strings.NewReplacer("base64", encoding, base64.StdEncoding.EncodeToString([]byte(marker)),
		strings.ReplaceAll(marker, "enabled", "ena=\nble=64")).Replace(attached("base64"))
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

// winmail is a file of TNEF ([MS-OXTNEF]) with the marker attached.
func winmail() []byte {
	attribute := func(tag uint32, data string) string { return fields(byte(2), tag, uint32(len(data)), data, uint16(0)) }
	return []byte("\x78\x9f\x3e\x22\x01\x00" + attribute(0x00069002, "r") + attribute(0x00018010, "tool.py\x00") + attribute(0x0006800f, marker))
}

// outlook is a message of Outlook ([MS-OXMSG]) with the marker attached, filled up
// to the 4096 bytes from which on a stream has sectors of its own.
func outlook(*testing.T) []byte {
	const none, end = uint32(0xffffffff), uint32(0xfffffffe)
	zeros := func(n int) string { return strings.Repeat("\x00", n) }
	entry := func(name string, kind byte, next, child, start, size uint32) string {
		name = wide(name)
		return fields(name, zeros(64-len(name)), uint16(len(name)+2), kind, byte(1), none, next, child, zeros(36), start, size, zeros(4))
	}
	head := fields("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", zeros(16), uint16(0x3e), uint16(3), uint16(0xfffe), uint16(9), uint16(6), zeros(10),
		uint32(1), uint32(1), zeros(4), uint32(4096), end, zeros(4), end, zeros(8), strings.Repeat("\xff", 432))
	chains := fields(uint32(0xfffffffd), end, uint32(3), uint32(4), uint32(5), uint32(6), uint32(7), uint32(8), uint32(9), end, strings.Repeat("\xff", 472))
	return []byte(head + chains + entry("Root Entry", 5, none, 1, end, 0) + entry("__nameid_version1.0", 1, 2, none, 0, 0) +
		entry("__attach_version1.0_#00000000", 1, none, 3, 0, 0) + entry("__substg1.0_37010102", 2, none, none, 2, 4096) +
		marker + zeros(4096-len(marker)))
}

func mailPlaces() []spot {
	const signed = `file.sha256 == 'SHA' && mail.from_domain == 'sender.example' && mail.dkim == 'pass'`
	trusted := "Authentication-Results: mx.example.org; dkim=pass\n"
	foreign := "Authentication-Results: mx.attacker.example; dkim=pass\n"
	return []spot{
		{"attachment in base64", written("a.eml", literally(trusted+attached("base64"))), "a.eml!tool.py", markerAt, besra.ContextMail, signed, "", besra.VerdictSuppressed, ""},
		{"attachment, a foreign server's word", written("a.eml", literally(foreign+attached("base64"))), "a.eml!tool.py", markerAt, besra.ContextMail, signed, "", besra.VerdictUndecided, "mail.dkim"},
		{"attachment in quoted-printable", written("a.eml", literally(trusted+attached("quoted-printable"))), "a.eml!tool.py", markerAt, besra.ContextMail, signed, "", besra.VerdictSuppressed, ""},
		{"uuencode in the body", written("a.eml", literally(trusted+"From: news@sender.example\nMIME-Version: 1.0\n\nhello\n\n"+uuencoded("tool.py", marker))),
			"a.eml!tool.py", markerAt, besra.ContextMail, signed, "", besra.VerdictSuppressed, ""},
		{"mbox", written("mbox", literally("From a@sender.example Fri Nov 20 02:00:00 2026\n"+trusted+attached("base64")+"\n")), "!tool.py", markerAt, besra.ContextMail, signed, "", besra.VerdictSuppressed, ""},
		{"Maildir", maildir(trusted + attached("base64")), "!tool.py", markerAt, besra.ContextMail, signed, "", besra.VerdictSuppressed, ""},
		{"archive attached", written("a.eml", func(t *testing.T) []byte { return []byte(trusted + mailed("a.zip", zipWith(marker)(t))) }),
			"a.eml!a.zip!a.txt", markerAt, besra.ContextArchive, signed + ` && archive.kind == 'zip'`, "", besra.VerdictSuppressed, ""},
		{"TNEF", written("a.eml", literally(trusted+mailed("winmail.dat", winmail()))), "a.eml!winmail.dat!tool.py", markerAt, besra.ContextMail, signed, "", besra.VerdictSuppressed, ""},
		{"msg attached", written("a.eml", literally(trusted+mailed("a.msg", outlook(nil)))), "a.eml!a.msg!part-1.bin", markerAt, besra.ContextMail, signed, "", besra.VerdictSuppressed, ""},
		{"msg", written("a.msg", outlook), "a.msg!part-1.bin", markerAt, besra.ContextMail, `file.sha256 == 'SHA'`, "", besra.VerdictSuppressed, ""},
		{"msg without a sender", written("a.msg", outlook), "a.msg!part-1.bin", markerAt, besra.ContextMail, signed, "", besra.VerdictUndecided, "mail.from_domain"},
	}
}

// mailTraffic has the marker attached to messages that are sent and fetched.
func mailTraffic() []spot {
	const known = `file.sha256 == 'SHA' && mail.from_domain == 'sender.example'`
	var places []spot
	for _, encoding := range []string{"base64", "quoted-printable"} {
		for name, c := range conversations(strings.ReplaceAll(attached(encoding), "\n", "\r\n")) {
			places = append(places, spot{name + " in " + encoding, captured(c), "message-1.eml!tool.py", markerAt, besra.ContextMail, known, "", besra.VerdictSuppressed, ""})
		}
	}
	smtp := captured(conversations(strings.ReplaceAll(mailed("a.zip", zipWith(marker)(nil)), "\n", "\r\n"))["SMTP"])
	return append(places,
		spot{"SMTP, an archive attached", smtp, "message-1.eml!a.zip!a.txt", markerAt, besra.ContextArchive,
			known + ` && mail.envelope_from == 'a@b.example' && mail.client_ip == '10.0.0.5'`, "", besra.VerdictSuppressed, ""},
		spot{"SMTP without a signature", smtp, "message-1.eml!a.zip!a.txt", markerAt, besra.ContextArchive,
			known + ` && mail.dkim == 'pass'`, "", besra.VerdictUndecided, "mail.dkim"})
}

// conversations are those in which a message goes from one to the other.
func conversations(message string) map[string]conversation {
	return map[string]conversation{
		"SMTP": {25, []string{"", "220 mx\r\n", "EHLO a\r\n", "250 mx\r\n", "MAIL FROM:<a@b.example>\r\n", "250 ok\r\n",
			"RCPT TO:<c@d.example>\r\n", "250 ok\r\n", "DATA\r\n", "354 go\r\n", message + ".\r\n", "250 ok\r\n", "QUIT\r\n", "221 bye\r\n"}, 9},
		"SMTP all at once": {25, []string{"", "220 mx\r\n", "EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n",
			"250 mx\r\n250 ok\r\n250 ok\r\n354 go\r\n", message + ".\r\n"}, 1000},
		"IMAP": {143, []string{"", "* OK ready\r\n", "a LOGIN u p\r\n", "a OK in\r\n", "b FETCH 1 BODY[]\r\n",
			fmt.Sprintf("* 1 FETCH (BODY[] {%d}\r\n%s)\r\nb OK done\r\n", len(message), message)}, 9},
		"IMAP in parts": {143, []string{"", "* OK ready\r\n", "a FETCH 1 BODY[]\r\n",
			fmt.Sprintf("* 1 FETCH (BODY[]<100> {%d}\r\n%s)\r\n* 1 FETCH (BODY[]<0> {100}\r\n%s)\r\n", len(message)-100, message[100:], message[:100])}, 1000},
		"IMAP APPEND": {143, []string{fmt.Sprintf("a LOGIN u p\r\nb APPEND Sent {%d+}\r\n%s\r\n", len(message), message)}, 1000},
		"IMAP compressed": {143, []string{"", "* OK ready\r\n", "a COMPRESS DEFLATE\r\n", "a OK DEFLATE active\r\n" + string(squeezed(
			fmt.Appendf(nil, "* 1 FETCH (BODY[] {%d}\r\n%s)\r\n", len(message), message), func(w io.Writer) io.WriteCloser { z, _ := flate.NewWriter(w, 6); return z }))}, 11},
		"POP3": {110, []string{"", "+OK ready\r\n", "RETR 1\r\n", "+OK\r\n" + message + ".\r\n"}, 11},
	}
}
