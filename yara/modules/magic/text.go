package magic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// textBytes is how much of a text is looked at for its encoding and lines, as
// by libmagic.
const textBytes = 64 << 10

// text knows text by having no other bytes, and tells its language. A script is
// one whatever follows its first line.
func text(b []byte) (k kind, ok bool) {
	whole := b
	b = b[:min(len(b), textBytes)]
	encoding := encodingOf(b)
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n")
	s, ok := script(trimmed)
	switch {
	case encoding == "" && ok:
		return kind{s.mime, s.text + " executable (binary data)"}, true
	case encoding == "":
		return k, false
	case ok && strings.HasPrefix(s.text, "Perl"):
		return kind{s.mime, s.text + " executable"}, true
	case ok && s.mime == "text/x-php":
		return kind{s.mime, s.text + ", " + encoding + lines(b)}, true
	case ok:
		return kind{s.mime, s.text + ", " + encoding + " executable" + lines(b)}, true
	}
	if len(b) < 2 {
		return kind{octets, "very short file (no magic)"}, true
	}
	if m, ok := markup(trimmed); ok {
		if m.mime == "image/svg+xml" {
			return m, true
		}
		return kind{m.mime, m.text + ", " + encoding + lines(b)}, true
	}
	if data, ok := textData(whole); ok {
		return data, true
	}
	if l, ok := languageOf(trimmed); ok {
		suffix := ""
		if l.mime == "text/x-script.python" {
			suffix = " executable"
		}
		return kind{l.mime, l.text + ", " + encoding + suffix + lines(b)}, true
	}
	return kind{"text/plain", encoding + lines(b)}, true
}

// textData knows formats of data that are text.
func textData(b []byte) (k kind, ok bool) {
	switch {
	case isJSON(b):
		return kind{"application/json", "JSON text data"}, true
	case isCSV(b):
		return kind{"text/csv", "CSV text"}, true
	}
	return k, false
}

// isJSON reports whether b is an object or an array, and whole.
func isJSON(b []byte) bool {
	start := bytes.TrimLeft(b, " \t\r\n")
	return len(start) > 0 && (start[0] == '{' || start[0] == '[') && len(b) < looked && json.Valid(b)
}

// encodingOf names the encoding of text; empty where b is none. Zeros at the
// end do not count.
func encodingOf(b []byte) string {
	if b = bytes.TrimRight(b, "\x00"); len(b) == 0 {
		return ""
	}
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

// lines tells of lines as libmagic does, which takes more than 300 bytes for
// very long, of their ends and of control characters.
func lines(b []byte) string {
	const long = 300
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		return lineEnds(b)
	}
	longest, s := 0, ""
	for line := range bytes.Lines(b) {
		longest = max(longest, len(bytes.TrimRight(line, "\r\n")))
	}
	if longest > long {
		s = fmt.Sprintf(", with very long lines (%d)", longest)
	}
	s += lineEnds(b)
	if bytes.IndexByte(b, '\x1b') >= 0 {
		s += ", with escape sequences"
	}
	if bytes.IndexByte(b, '\b') >= 0 {
		s += ", with overstriking"
	}
	return s
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
		if !strings.HasPrefix(name, i.name) {
			continue
		}
		k := i.kind
		if unusual := strings.Contains(words[0], "/") && !strings.HasPrefix(words[0], "/usr/"); unusual && i.name == "python" {
			k.mime = "text/plain" // libmagic knows only the usual places
		}
		return k, true
	}
	return kind{"text/plain", "a " + words[0] + " script"}, true
}

var (
	xmlRoot = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?s)<\?xml[^>]*>\s*(?:<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<([A-Za-z:]+)`)
	})
	// What scripts that name no interpreter begin with, among other things.
	pythonImport = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?m)^(?:from[ \t]+[\w.]+[ \t]+import[ \t]|import[ \t]+[\w.]+[ \t]*$|def[ \t]+\w+\([^)]*\):)`)
	})

	html = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?is)(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body|script|title|h1)\b`)
	})
)

func markup(b []byte) (k kind, ok bool) {
	b = b[:min(len(b), 4096)]
	switch m := xmlRoot().FindSubmatch(b); {
	case m != nil && string(m[1]) == "svg":
		return kind{"image/svg+xml", "SVG Scalable Vector Graphics image"}, true
	case m != nil && strings.EqualFold(string(m[1]), "html"):
		return kind{"text/html", "XHTML document"}, true
	case bytes.HasPrefix(b, []byte("<?xml")):
		return kind{"text/xml", "XML 1.0 document"}, true
	case bytes.HasPrefix(b, []byte("<svg")):
		return kind{"image/svg+xml", "SVG Scalable Vector Graphics image"}, true
	case html().Match(b):
		return kind{"text/html", "HTML document"}, true
	}
	return k, false
}
