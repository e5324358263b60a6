package html

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
)

// findingView is what the page shows of a finding. Text is fit to be shown.
type findingView struct {
	N                              int
	ID, Verdict, Severity, Was     string
	Target, Host, Context, Size    string
	SHA256, Rule, Detection, Title string
	Time, Author, License, Source  string
	Patterns                       []patternView
	Suppression                    *suppressionView
	Decisions                      []decisionView
	Facts                          []factView
}

type patternView struct {
	ID    string
	Count int
	More  int
	Dumps []dump
}

// dump is a match with the bytes around it.
type dump struct {
	Offset string
	Length int64
	Cut    bool
	Key    string
	Rows   []row
}

// row is up to sixteen bytes of those before, of and after the match, as hex and
// as text; the match is marked.
type row struct {
	Offset   string
	Hex, Asc template.HTML
}

type suppressionView struct{ Exclusion, Scenario, Effect, Owner, Reason, Ticket, Expires string }
type decisionView struct{ Exclusion, Effect, Outcome, Why string }
type factView struct{ Name, Value, Grade, Source string }

func shown[S ~string](s S) string { return besra.Text(s).Printable() }

func findingOf(f *besra.Finding, n int) findingView {
	v := findingView{N: n, ID: shown(f.ID), Verdict: word(f.Verdict), Severity: word(f.Severity), Target: shown(f.Target.Name), Host: shown(f.Host),
		Context: shown(f.Target.Context), Size: humanSize(f.Target.Size), SHA256: shown(f.Target.SHA256), Rule: shown(f.Rule.Name),
		Detection: shown(f.Detection.ID), Title: shown(f.Detection.Title), Time: f.Time.UTC().Format(time.DateTime),
		Author: shown(f.Rule.Author), License: shown(f.Rule.License), Source: shown(f.Rule.Source)}
	if f.Severity != f.AuthorSeverity {
		v.Was = shown(f.AuthorSeverity)
	}
	for _, p := range f.Patterns {
		v.Patterns = append(v.Patterns, patternOf(p))
	}
	if s := f.Suppression; s != nil {
		v.Suppression = &suppressionView{shown(s.Exclusion), shown(s.Scenario), shown(s.Effect), shown(s.Owner), shown(s.Reason), shown(s.Ticket), shown(s.Expires)}
	}
	for _, d := range f.Decisions {
		v.Decisions = append(v.Decisions, decisionView{shown(d.Exclusion), shown(d.Effect), shown(d.Outcome), besra.Text(d.Why).Legible()})
	}
	for _, fact := range f.Facts {
		v.Facts = append(v.Facts, factView{shown(fact.Name), factValue(fact), fact.Grade.String(), shown(fact.Source)})
	}
	return v
}

// word is a verdict or severity as a class of the page's style; other words
// than ours have none.
func word[S ~string](s S) string {
	switch w := string(s); w {
	case "alert", "undecided", "downgraded", "suppressed", "high", "medium", "low", "informational":
		return w
	}
	return "other"
}

// maxValue bounds what is shown of a fact's value, in bytes.
const maxValue = 400

func factValue(f besra.Fact) string {
	if !f.Known() {
		return ""
	}
	text := fmt.Sprint(f.Value)
	switch v := f.Value.(type) {
	case time.Time:
		text = v.UTC().Format(time.RFC3339)
	case []string:
		text = strings.Join(v, ", ")
	}
	if len(text) > maxValue {
		text = text[:maxValue] + "…"
	}
	return shown(text)
}

func patternOf(p besra.PatternHits) patternView {
	v := patternView{ID: shown(p.ID), Count: p.Count, More: max(p.Count-len(p.Matches), 0)}
	for _, m := range p.Matches {
		v.Dumps = append(v.Dumps, dumpOf(m))
	}
	return v
}

const (
	rowLength = 16
	maxDump   = 512 // bytes of one match that are shown
)

func dumpOf(m besra.Match) dump {
	d := dump{Offset: fmt.Sprintf("0x%x", max(m.Offset, 0)), Length: m.Length, Cut: m.Length > int64(len(m.Data))}
	if m.XorKey != nil {
		d.Key = fmt.Sprintf("0x%02x", *m.XorKey)
	}
	start := max(m.Offset-int64(len(m.Before)), 0)
	all := append(append(append([]byte{}, m.Before...), m.Data...), m.After...)
	if d.Cut {
		all = all[:len(m.Before)+len(m.Data)] // what follows is not next to it
	}
	all = all[:min(len(all), maxDump)]
	from, to := len(m.Before), len(m.Before)+len(m.Data)
	for at := 0; at < len(all); at += rowLength {
		bytes := all[at:min(at+rowLength, len(all))]
		lo, hi := min(max(from-at, 0), len(bytes)), min(max(to-at, 0), len(bytes))
		d.Rows = append(d.Rows, row{fmt.Sprintf("%08x", start+int64(at)), marked(bytes, lo, hi, hexOf), marked(bytes, lo, hi, charOf)})
	}
	return d
}

// marked shows bytes, those from lo to hi marked.
func marked(bytes []byte, lo, hi int, show func(*strings.Builder, byte)) template.HTML {
	var b strings.Builder
	for i, c := range bytes {
		if i == lo && lo < hi {
			b.WriteString("<mark>")
		}
		show(&b, c)
		if i+1 == hi && lo < hi {
			b.WriteString("</mark>")
		}
	}
	return template.HTML(b.String())
}

func hexOf(b *strings.Builder, c byte) {
	const digits = "0123456789abcdef"
	b.Write([]byte{digits[c>>4], digits[c&15], ' '})
}

func charOf(b *strings.Builder, c byte) {
	switch {
	case c < ' ' || c >= 0x7f:
		b.WriteString("·")
	default:
		b.WriteString(template.HTMLEscapeString(string(rune(c))))
	}
}

func humanSize(n int64) string {
	switch {
	case n < 0:
		return ""
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n)/1024, 0
	for f >= 1023.95 && unit < 5 {
		f /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %ciB", f, "KMGTPE"[unit])
}
