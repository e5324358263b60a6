// Package cef writes findings in the Common Event Format of ArcSight, version 0,
// which Microsoft Sentinel's CommonSecurityLog and most other collectors take: a
// line a finding. Runs, gaps and summaries have no line.
//
// The header is CEF:0|Besra|besra|VERSION|RULE|TITLE|SEVERITY. Extensions have
// the key names that CEF 0.1 defines; what it has no key for is in the custom
// strings cs1 to cs6, each with its label.
package cef

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sink/lines"
)

// New returns a sink that writes to w; see [lines.New].
func New(w io.Writer) besra.Sink { return lines.New("cef", w, Encode) }

// Encode returns the event of a finding, and nothing for other records.
func Encode(r besra.Record) ([]byte, error) {
	f := r.Finding
	if f == nil {
		return nil, nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "CEF:0|Besra|besra|1|%s|%s|%d|", header(orElse(f.Rule.Name, "unnamed"), 1023),
		header(orElse(f.Detection.Title, orElse(f.Rule.Name, "unnamed")), 512), severity(f))
	sep := ""
	for _, e := range extensions(f) {
		if e.value != "" {
			b.WriteString(sep + e.key + "=" + value(e.value, most(e.key)))
			sep = " "
		}
	}
	return []byte(b.String()), nil
}

// severity maps ours to CEF's 0 to 10; what is suppressed needs nobody's eyes.
func severity(f *besra.Finding) int {
	if f.Verdict == besra.VerdictSuppressed {
		return 0
	}
	switch f.Severity {
	case besra.SeverityHigh:
		return 9
	case besra.SeverityMedium:
		return 6
	case besra.SeverityLow:
		return 3
	}
	return 1
}

type extension struct{ key, value string }

func extensions(f *besra.Finding) []extension {
	es := []extension{
		{"rt", millis(f.Time)},
		{"dvchost", f.Host},
		{"externalId", f.ID},
		{"cat", string(f.Verdict)},
		{"act", action(f.Verdict)},
		{"fname", string(f.Target.Name.Base())},
		{"filePath", string(f.Target.Name)},
		{"fileHash", f.Target.SHA256},
		{"fsize", size(f.Target.Size)},
		{"cnt", count(f.Patterns)},
		{"msg", message(f)},
	}
	es = append(es, custom(1, "detection", f.Detection.ID)...)
	es = append(es, custom(2, "context", string(f.Target.Context))...)
	es = append(es, custom(3, "patterns", patterns(f.Patterns))...)
	if s := f.Suppression; s != nil {
		es = append(es, custom(4, "exclusion", s.Exclusion)...)
		es = append(es, custom(5, "exclusionOwner", s.Owner)...)
	}
	return append(es, custom(6, "attribution", attribution(f.Rule))...)
}

func custom(n int, label, text string) []extension {
	if text == "" {
		return nil
	}
	key := "cs" + strconv.Itoa(n)
	return []extension{{key + "Label", label}, {key, text}}
}

func action(v besra.Verdict) string {
	if v == besra.VerdictSuppressed {
		return "suppressed"
	}
	return "reported"
}

// millis is empty where the time is not known.
func millis(t time.Time) string {
	if t.Unix() < 0 {
		return ""
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func size(n int64) string {
	if n < 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func count(hits []besra.PatternHits) string {
	n := 0
	for _, p := range hits {
		n += max(p.Count, 0)
	}
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func patterns(hits []besra.PatternHits) string {
	var ids []string
	for _, p := range hits {
		ids = append(ids, p.ID)
	}
	return strings.Join(ids, " ")
}

func attribution(r besra.RuleRef) string {
	var parts []string
	for _, s := range []string{r.Author, r.License, r.Source} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}

// message says why the finding is what it is.
func message(f *besra.Finding) string {
	if f.Suppression != nil {
		return f.Suppression.Reason
	}
	for _, d := range f.Decisions {
		if d.Outcome == besra.OutcomeUnknown {
			return d.Why
		}
	}
	return ""
}

// most is how many characters a value may have.
func most(key string) int {
	switch key {
	case "externalId":
		return 40
	case "act":
		return 63
	case "dvchost":
		return 100
	case "fileHash":
		return 255
	case "cs1", "cs2", "cs3", "cs4", "cs5", "cs6":
		return 4000
	}
	return 1023
}

// shown is text on one line, cut where it is too long.
func shown(s string, most int) string {
	t := []rune(besra.Text(s).Printable())
	if len(t) > most {
		return string(t[:most-1]) + "…"
	}
	return string(t)
}

// header escapes what ends a field of the header.
func header(s string, most int) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`).Replace(shown(s, most))
}

// value escapes what ends a value.
func value(s string, most int) string {
	return strings.NewReplacer(`\`, `\\`, "=", `\=`).Replace(shown(s, most))
}
