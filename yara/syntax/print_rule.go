package syntax

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/besra-hunt/besra/yara/diag"
)

// file prints all items, and the comments behind the last.
func (p *printer) file(f *File) {
	previous := Item(nil)
	for _, item := range f.Items {
		p.sep, p.blank = newline, keepBlank
		_, rule := item.(*Rule)
		_, afterRule := previous.(*Rule)
		if previous != nil && (rule || afterRule) {
			p.blank = forceBlank
		}
		p.item(item)
		previous = item
	}
	p.sep, p.blank = newline, keepBlank
	p.flush(everything)
}

func (p *printer) item(item Item) {
	switch e := item.(type) {
	case *Import:
		p.word(head(e.Span, "import"), "import")
		p.sep = space
		p.stringLit(e.Name)
	case *Include:
		p.word(head(e.Span, "include"), "include")
		p.sep = space
		p.stringLit(e.Path)
	case *Rule:
		p.rule(e)
	}
}

// head returns the place of the word that begins a span, tail that of the
// one that ends it.
func head(s diag.Span, word string) diag.Span {
	if s.IsZero() {
		return s
	}
	return diag.Span{File: s.File, Start: s.Start, End: s.Start + int32(len(word))}
}

func tail(s diag.Span, word string) diag.Span {
	if s.IsZero() {
		return s
	}
	return diag.Span{File: s.File, Start: s.End - int32(len(word)), End: s.End}
}

// Levels of indentation in a rule.
const (
	atSection = 1
	atEntry   = 2
)

func (p *printer) rule(r *Rule) {
	p.ruleHead(r)
	p.sep = space
	if !r.OpenSpan.IsZero() {
		p.flush(r.OpenSpan.Start)
	}
	p.blank = noBlank
	p.word(r.OpenSpan, "{")
	p.sep, p.blank = newline, noBlank
	first := true
	section := func(at diag.Span, word string) {
		p.section(at, word, first)
		first = false
	}
	if len(r.Meta) > 0 {
		section(r.MetaSpan, "meta")
		for _, m := range r.Meta {
			p.meta(m)
		}
	}
	if len(r.Patterns) > 0 {
		section(r.StringsSpan, "strings")
		for _, d := range r.Patterns {
			p.pattern(d)
		}
	}
	section(r.ConditionSpan, "condition")
	p.expr(r.Condition)
	end := tail(r.Span, "}")
	p.sep = newline
	if !end.IsZero() {
		p.flush(end.Start)
	}
	p.level = 0
	p.sep, p.blank = newline, noBlank
	p.word(end, "}")
}

// ruleHead prints a rule up to its tags.
func (p *printer) ruleHead(r *Rule) {
	modifier := func(set bool, at diag.Span, word string) {
		if set {
			p.word(at, word)
			p.sep = space
		}
	}
	if r.Private && r.PrivateSpan.Start < r.GlobalSpan.Start {
		modifier(true, r.PrivateSpan, "private")
		modifier(r.Global, r.GlobalSpan, "global")
	} else {
		modifier(r.Global, r.GlobalSpan, "global")
		modifier(r.Private, r.PrivateSpan, "private")
	}
	p.word(r.RuleSpan, "rule")
	p.sep = space
	p.word(r.Name.Span, r.Name.Name)
	for i, t := range r.Tags {
		if i == 0 {
			p.sep = tight
			p.word(diag.Span{}, ":")
		}
		p.sep = space
		p.word(t.Span, t.Name)
	}
}

// section prints the head of a section. Comments before it that are indented
// further than it belong to the section above.
func (p *printer) section(at diag.Span, word string, first bool) {
	p.sep = newline
	if !first {
		for len(p.comments) > 0 && !at.IsZero() && p.comments[0].Start < at.Start &&
			(p.breaks(p.comments[0].Start) == 0 || p.columnOf(p.comments[0].Start) > p.columnOf(at.Start)) {
			p.comment(at.Start)
		}
		p.blank = forceBlank
	}
	p.level = atSection
	p.sep = newline
	p.word(at, word)
	p.word(diag.Span{}, ":")
	p.level = atEntry
	p.sep, p.blank = newline, noBlank
	p.gap = true // a new group
}

func (p *printer) meta(m *Meta) {
	p.entry(m.Key)
	p.expr(m.Value)
	p.sep = newline
}

// entry prints `key = `.
func (p *printer) entry(key Ident) {
	p.sep = newline
	p.word(key.Span, key.Name)
	p.align()
	p.sep = space
	p.word(diag.Span{}, "=")
	p.sep = space
}

func (p *printer) pattern(d *Pattern) {
	p.entry(d.ID)
	switch {
	case d.Text != nil:
		p.stringLit(*d.Text)
	case d.Hex != nil:
		p.hex(d.Hex)
	case d.Regexp != nil:
		p.regexpLit(*d.Regexp)
	}
	for _, m := range d.Modifiers {
		p.sep = space
		p.modifier(m)
	}
	p.sep = newline
}

func (p *printer) modifier(m *Modifier) {
	p.word(head(m.Span, m.Name), m.Name)
	switch {
	case m.HasRange:
		p.word(diag.Span{}, "("+m.keys())
		p.word(tail(m.Span, ")"), ")")
	case m.Alphabet != nil:
		p.word(diag.Span{}, "(")
		p.stringLit(*m.Alphabet)
		p.word(tail(m.Span, ")"), ")")
	}
}

// keys returns the range of an xor modifier.
func (m *Modifier) keys() string {
	lo, hi := m.LoRaw, m.HiRaw
	if lo == "" {
		lo = strconv.FormatInt(m.Lo, 10)
	}
	if hi == "" && m.Hi != m.Lo {
		hi = strconv.FormatInt(m.Hi, 10)
	}
	if hi == "" {
		return lo
	}
	return lo + "-" + hi
}

// hex prints a hex pattern: in one line, or, where the source has several,
// with the braces on lines of their own.
func (p *printer) hex(h *Hex) {
	many := !h.Span.IsZero() && strings.Contains(p.src[h.Start:h.End], "\n")
	p.open(head(h.Span, "{"), "{")
	if p.sep = space; many {
		p.sep, p.blank = newline, noBlank
	}
	p.hexTokens(h.Tokens)
	if p.sep = space; many {
		p.sep = newline
	}
	end := tail(h.Span, "}")
	if !end.IsZero() {
		p.flush(end.Start)
	}
	if many {
		p.sep, p.blank = newline, noBlank
	}
	p.close(end, "}")
}

func (p *printer) hexTokens(tokens []HexToken) {
	for i, t := range tokens {
		if i > 0 {
			p.sep = soft
		}
		switch t := t.(type) {
		case *HexByte:
			p.word(t.Span, t.text())
		case *HexJump:
			p.word(t.Span, "["+t.text()+"]")
		case *HexAlt:
			p.hexAlt(t)
		}
	}
}

func (p *printer) hexAlt(a *HexAlt) {
	p.open(head(a.Span, "("), "(")
	for i, alt := range a.Alts {
		if i > 0 {
			p.sep = space
			p.word(diag.Span{}, "|")
			p.sep = soft
		} else {
			p.sep = softTight
		}
		p.hexTokens(alt)
	}
	p.sep = softTight
	p.close(tail(a.Span, ")"), ")")
}

// text returns the byte as it is written.
func (b *HexByte) text() string {
	const digits = "0123456789ABCDEF"
	s := []byte{'~', '?', '?'}
	if b.Mask&0xf0 != 0 {
		s[1] = digits[b.Value>>4]
	}
	if b.Mask&0x0f != 0 {
		s[2] = digits[b.Value&15]
	}
	if !b.Not {
		s = s[1:]
	}
	return string(s)
}

// text returns what stands between the brackets.
func (j *HexJump) text() string {
	if j.Raw != "" {
		return j.Raw
	}
	lo, hi := strconv.FormatInt(j.Min, 10), strconv.FormatInt(j.Max, 10)
	switch {
	case j.Min == j.Max:
		return lo
	case j.Max < 0 && j.Min == 0:
		return "-"
	case j.Max < 0:
		return lo + "-"
	}
	return lo + "-" + hi
}

func (p *printer) stringLit(s StringLit) { p.word(s.Span, s.text()) }

// text returns the literal as it is written.
func (s StringLit) text() string {
	switch {
	case s.MultiLine:
		return `"""` + s.Raw + `"""`
	case s.Raw == "":
		return quote(s.Value)
	}
	return `"` + s.Raw + `"`
}

// quote writes a value as a text literal.
func quote(value string) string {
	var b strings.Builder
	b.WriteByte('"')
	for len(value) > 0 {
		r, size := utf8.DecodeRuneInString(value)
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == utf8.RuneError && size == 1 || !unicode.IsPrint(r):
			for i := range size {
				b.WriteString(`\x` + strconv.FormatUint(uint64(value[i])|0x100, 16)[1:])
			}
		default:
			b.WriteRune(r)
		}
		value = value[size:]
	}
	b.WriteByte('"')
	return b.String()
}

func (p *printer) regexpLit(r RegexpLit) {
	text := "/" + r.Text + "/"
	if r.CaseInsensitive {
		text += "i"
	}
	if r.DotAll {
		text += "s"
	}
	p.word(r.Span, text)
}
