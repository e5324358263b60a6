package magic

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"
)

// text knows text by having no other bytes, and tells its language.
func text(b []byte) (k kind, ok bool) {
	encoding := encodingOf(b)
	if encoding == "" {
		return k, false
	}
	k = kind{"text/plain", encoding}
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n")
	if s, ok := script(trimmed); ok {
		return kind{s.mime, s.text + ", " + encoding + " executable" + lineEnds(b)}, true
	}
	if m, ok := markup(trimmed); ok {
		if m.mime == "image/svg+xml" {
			return m, true
		}
		return kind{m.mime, m.text + ", " + encoding + lineEnds(b)}, true
	}
	if cInclude.Match(trimmed[:min(len(trimmed), 4096)]) {
		return kind{"text/x-c", "C source, " + encoding + lineEnds(b)}, true
	}
	if pythonImport.Match(trimmed[:min(len(trimmed), 4096)]) {
		return kind{"text/x-script.python", "Python script, " + encoding + " executable" + lineEnds(b)}, true
	}
	if len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') && len(b) < looked && json.Valid(b) {
		return kind{"application/json", "JSON text data"}, true
	}
	k.text += longLines(b) + lineEnds(b)
	return k, true
}

// encodingOf names the encoding of text; empty where b is none.
func encodingOf(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		return "Unicode text, UTF-16, little-endian text"
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		return "Unicode text, UTF-16, big-endian text"
	}
	ascii := true
	for _, c := range b {
		if c < ' ' && !strings.ContainsRune("\a\b\t\n\f\r\x1b", rune(c)) || c == 0x7f {
			return ""
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	switch {
	case ascii:
		return "ASCII text"
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		return "Unicode text, UTF-8 (with BOM) text"
	case validStart(b):
		return "Unicode text, UTF-8 text"
	}
	for _, c := range b {
		if c >= 0x80 && c < 0xa0 {
			return "Non-ISO extended-ASCII text"
		}
	}
	return "ISO-8859 text"
}

// validStart reports whether b is UTF-8, of which the last character may be
// cut.
func validStart(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return !utf8.FullRune(b)
		}
		b = b[n:]
	}
	return true
}

// longLines tells of lines as libmagic does, which takes more than 300 bytes
// for very long.
func longLines(b []byte) string {
	const long = 300
	if encoded := bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")); encoded {
		return ""
	}
	for line := range bytes.Lines(b) {
		if len(bytes.TrimRight(line, "\r\n")) > long {
			return ", with very long lines"
		}
	}
	return ""
}

func lineEnds(b []byte) string {
	crlf := bytes.Count(b, []byte("\r\n"))
	lf, cr := bytes.Count(b, []byte("\n"))-crlf, bytes.Count(b, []byte("\r"))-crlf
	var kinds []string
	for _, k := range []struct {
		n    int
		name string
	}{{crlf, "CRLF"}, {cr, "CR"}, {lf, "LF"}} {
		if k.n > 0 {
			kinds = append(kinds, k.name)
		}
	}
	switch {
	case len(kinds) == 0:
		return ", with no line terminators"
	case len(kinds) == 1 && lf > 0:
		return ""
	}
	return ", with " + strings.Join(kinds, ", ") + " line terminators"
}

// interpreters are the programs that scripts name in their first line.
var interpreters = []struct {
	name string
	kind kind
}{
	{"python", kind{"text/x-script.python", "Python script"}},
	{"bash", kind{"text/x-shellscript", "Bourne-Again shell script"}},
	{"dash", kind{"text/x-shellscript", "POSIX shell script"}},
	{"zsh", kind{"text/x-shellscript", "Paul Falstad's zsh script"}},
	{"ksh", kind{"text/x-shellscript", "Korn shell script"}},
	{"sh", kind{"text/x-shellscript", "POSIX shell script"}},
	{"perl", kind{"text/x-perl", "Perl script text"}},
	{"ruby", kind{"text/x-ruby", "Ruby script"}},
	{"php", kind{"text/x-php", "PHP script"}},
	{"node", kind{"application/javascript", "Node.js script executable"}},
	{"awk", kind{"text/x-awk", "awk script"}},
	{"lua", kind{"text/x-lua", "Lua script"}},
	{"tclsh", kind{"text/x-tcl", "Tcl script"}},
}

func script(b []byte) (k kind, ok bool) {
	if bytes.HasPrefix(b, []byte("<?php")) {
		return kind{"text/x-php", "PHP script"}, true
	}
	if !bytes.HasPrefix(b, []byte("#!")) {
		return k, false
	}
	line, _, _ := bytes.Cut(b[2:], []byte("\n"))
	words := strings.Fields(string(line))
	if len(words) > 1 && strings.HasSuffix(words[0], "/env") {
		words = words[1:]
	}
	if len(words) == 0 {
		return k, false
	}
	name := words[0][strings.LastIndexByte(words[0], '/')+1:]
	for _, i := range interpreters {
		if strings.HasPrefix(name, i.name) {
			return i.kind, true
		}
	}
	return kind{"text/plain", "a " + words[0] + " script"}, true
}

var (
	xmlRoot = regexp.MustCompile(`^(?s)<\?xml[^>]*>\s*(?:<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<([A-Za-z:]+)`)
	// What source code that names no interpreter begins with, among other things.
	cInclude     = regexp.MustCompile(`(?m)^#include[ \t]*[<"]`)
	pythonImport = regexp.MustCompile(`(?m)^(?:from[ \t]+[\w.]+[ \t]+import[ \t]|import[ \t]+[\w.]+[ \t]*$|def[ \t]+\w+\([^)]*\):)`)

	html = regexp.MustCompile(`^(?is)(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body|script|title|h1)\b`)
)

func markup(b []byte) (k kind, ok bool) {
	b = b[:min(len(b), 4096)]
	switch m := xmlRoot.FindSubmatch(b); {
	case m != nil && string(m[1]) == "svg":
		return kind{"image/svg+xml", "SVG Scalable Vector Graphics image"}, true
	case m != nil && strings.EqualFold(string(m[1]), "html"):
		return kind{"text/html", "XHTML document"}, true
	case bytes.HasPrefix(b, []byte("<?xml")):
		return kind{"text/xml", "XML 1.0 document"}, true
	case bytes.HasPrefix(b, []byte("<svg")):
		return kind{"image/svg+xml", "SVG Scalable Vector Graphics image"}, true
	case html.Match(b):
		return kind{"text/html", "HTML document"}, true
	}
	return k, false
}
