//go:build unix

package main

import (
	"fmt"
	"testing"

	"github.com/besra-hunt/besra"
)

// TestMatrixServed hands the marker to gateways.
func TestMatrixServed(t *testing.T) {
	for _, p := range servedPlaces() {
		t.Run(p.name, func(t *testing.T) {
			p.test(t, func(pack string) string {
				s := startServe(t, "serve", p.gateway, "--pack", pack)
				s.talk(t, p.request)
				_, record := s.end(t)
				return record
			})
		})
	}
}

// TestMatrixWatched writes the marker where files are watched.
func TestMatrixWatched(t *testing.T) {
	const known = `file.sha256 == 'SHA'`
	plain, zipped := written("tool.py", literally(marker)), written("a.zip", zipWith(marker))
	for _, p := range []spot{
		{"watch", plain, "/tool.py", markerAt, besra.ContextFile, known, "", besra.VerdictSuppressed, ""},
		{"watch, an archive", zipped, "/a.zip!a.txt", markerAt, besra.ContextArchive, known + ` && archive.kind == 'zip'`, "", besra.VerdictSuppressed, ""},
		{"watch without the writer", plain, "/tool.py", markerAt, besra.ContextFile, known + ` && writer.name == 'cp'`, "", besra.VerdictUndecided, "writer.name"},
	} {
		t.Run(p.name, func(t *testing.T) {
			p.test(t, func(pack string) string {
				dir := t.TempDir()
				s := startServe(t, "watch", dir, "--method", "notify", "--quiet", "1ms", "--format", "ndjson", "--pack", pack)
				p.make(t, dir)
				s.await(t, `"type":"finding"`)
				_, record := s.end(t)
				return record
			})
		})
	}
}

// handed is what others submit; its spot makes nothing.
type handed struct {
	spot
	gateway, request string
}

func servedPlaces() []handed {
	const icap, http, milter = "icap:127.0.0.1:0", "http:127.0.0.1:0", "milter:127.0.0.1:0"
	const download, known = "http://files.example/tool.py", `file.sha256 == 'SHA' && net.host == 'files.example' && net.user_agent == 'curl/8'`
	const submitted = `file.sha256 == 'SHA' && net.src.ip == '127.0.0.1' && net.host == 'h'`
	const sent = `file.sha256 == 'SHA' && mail.from_domain == 'sender.example' && mail.envelope_from == 'a@example.org'`
	row := func(name, target, benign string, in besra.Context) spot {
		return spot{name, nil, target, markerAt, in, benign, "", besra.VerdictSuppressed, ""}
	}
	archive := string(zipWith(marker)(nil))
	put := func(body string) string {
		return fmt.Sprintf("PUT /v1/scan/a.bin HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	message := milterTalk(attached("base64"))
	return []handed{
		{row("ICAP", download, known, besra.ContextNetwork), icap, respmod(marker)},
		{row("ICAP, an archive", download+"!a.txt", known+` && archive.kind == 'zip'`, besra.ContextArchive), icap, respmod(archive)},
		{undecided(row("ICAP without the user", download, known+` && net.user == 'alice'`, besra.ContextNetwork), "net.user"), icap, respmod(marker)},
		{row("HTTP submission", "submitted:a.bin", submitted, besra.ContextNetwork), http, put(marker)},
		{row("HTTP submission, an archive", "submitted:a.bin!a.txt", submitted+` && archive.kind == 'zip'`, besra.ContextArchive), http, put(archive)},
		{row("HTTP submission of a form", "submitted:tool.py", submitted, besra.ContextNetwork), http, posted("h", "/v1/scan")},
		{undecided(row("HTTP submission without a browser", "submitted:a.bin", submitted+` && net.user_agent == 'curl/8'`, besra.ContextNetwork), "net.user_agent"), http, put(marker)},
		{row("milter", "mail:4AB!tool.py", sent, besra.ContextMail), milter, message},
		{undecided(row("milter without a signature", "mail:4AB!tool.py", sent+` && mail.dkim == 'pass'`, besra.ContextMail), "mail.dkim"), milter, message},
	}
}
