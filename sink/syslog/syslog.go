// Package syslog writes findings as syslog messages of RFC 5424: a message a
// finding, with the line of another format in it and what collectors filter by
// as structured data. Runs, gaps and summaries have no message.
//
// [New] writes messages to a file or a stream of lines; [Dial] makes a writer
// that delivers them to a collector over TCP or TLS, with a bounded spool on
// disk for when it cannot be reached.
package syslog

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sink/lines"
)

// facility is local0: nothing of the operating system writes there.
const facility = 16

// The severities of RFC 5424 that we use.
const (
	critical = 2
	warning  = 4
	notice   = 5
	info     = 6
)

// enterprise is the private enterprise number of documentation (RFC 5612):
// structured data needs one.
const enterprise = "besra@32473"

// New returns a sink that writes messages to w; see [lines.New]. Their text is
// what encode makes of a finding, in the format of that name.
func New(w io.Writer, format string, encode lines.Encoder) besra.Sink {
	return lines.New("syslog", w, func(r besra.Record) ([]byte, error) {
		if r.Finding == nil {
			return nil, nil
		}
		text, err := encode(r)
		if err != nil {
			return nil, err
		}
		return message(r.Finding, format, text), nil
	})
}

// message returns the message of a finding.
func message(f *besra.Finding, format string, text []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<%d>1 %s %s besra - %s [%s verdict=\"%s\" severity=\"%s\" detection=\"%s\" id=\"%s\"] ",
		facility*8+severity(f), stamp(f.Time), word(f.Host, 255), word(format, 32), enterprise,
		param(f.Verdict), param(f.Severity), param(f.Detection.ID), param(f.ID))
	// No byte order mark: RFC 5424 wants one before UTF-8, and collectors that
	// look for "CEF:" at the beginning of the text stumble over it.
	b.Write(bytes.ReplaceAll(text, []byte("\n"), []byte(" ")))
	return b.Bytes()
}

func severity(f *besra.Finding) int {
	switch {
	case f.Verdict == besra.VerdictSuppressed:
		return info
	case f.Severity == besra.SeverityHigh:
		return critical
	case f.Severity == besra.SeverityMedium:
		return warning
	}
	return notice
}

// stamp is a time with the microseconds that RFC 5424 allows, "-" where it is
// not known.
func stamp(t time.Time) string {
	if y := t.UTC().Year(); t.IsZero() || y < 1 || y > 9999 {
		return "-"
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

// word is a field of the header: printable ASCII without spaces, "-" for none.
func word(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f {
			return '_'
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), most)]
}

// maxParam bounds a value of structured data, in bytes.
const maxParam = 255

// param is a value of structured data.
func param[S ~string](s S) string {
	t := besra.Text(s).Printable()
	if len(t) > maxParam {
		t = strings.ToValidUTF8(t[:maxParam], "")
	}
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`).Replace(t)
}
