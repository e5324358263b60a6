package syntax

import (
	"slices"

	"github.com/besra-hunt/besra/yara/diag"
)

// rule parses a rule from its modifiers to its closing brace.
func (p *parser) rule() *Rule {
	r := p.rules.new()
	start := p.tok.start
	p.ruleModifiers(r)
	r.RuleSpan = p.spanOf(p.expect(kRule))
	r.Name = p.ident()
	if p.got(tColon) {
		r.Tags = append(r.Tags, p.ident())
		for p.at(tIdent) {
			r.Tags = append(r.Tags, p.ident())
		}
	}
	r.OpenSpan = p.spanOf(p.expect(tLBrace))
	p.section(kMeta, &r.MetaSpan, func() { r.Meta = collect(p, &p.metaList, tIdent, p.meta) })
	p.section(kStrings, &r.StringsSpan, func() { r.Patterns = collect(p, &p.patternList, tPattern, p.pattern) })
	p.toSection()
	r.ConditionSpan = p.spanOf(p.expect(kCondition))
	p.expect(tColon)
	opened := !p.failed
	r.Condition = p.boolean()
	p.closeRule(opened)
	r.Span = p.from(start)
	return r
}

// closeRule parses the closing brace. After an error in the condition it
// looks for that brace, so that what follows is read again; after one before
// the condition a brace may belong to a hex pattern.
func (p *parser) closeRule(inCondition bool) {
	p.expect(tRBrace)
	if !p.failed {
		return
	}
	p.resume()
	p.skip(func() bool { return inCondition && p.tok.kind == tRBrace || p.atItem() })
	if inCondition {
		p.got(tRBrace)
	}
}

// ruleModifiers parses global and private, in any order. YARA takes each more
// than once and YARA-X does not: that is a warning.
func (p *parser) ruleModifiers(r *Rule) {
	for {
		set, span := &r.Global, &r.GlobalSpan
		if p.tok.kind == kPrivate {
			set, span = &r.Private, &r.PrivateSpan
		} else if p.tok.kind != kGlobal {
			p.expectModifiers(r)
			return
		}
		if *set {
			p.list = append(p.list, &diag.Diagnostic{
				Severity: diag.Warning, Code: "duplicate_modifier", Title: "duplicate modifier",
				Span: p.spanOf(p.tok), Primary: "this modifier is there already",
				Labels: []diag.Label{{Span: *span, Text: "here"}},
			})
		} else {
			*set, *span = true, p.spanOf(p.tok)
		}
		p.advance()
	}
}

// expectModifiers remembers the modifiers that could still have come.
func (p *parser) expectModifiers(r *Rule) {
	if !r.Global {
		p.expected.add(kGlobal)
	}
	if !r.Private {
		p.expected.add(kPrivate)
	}
}

// section parses an optional section: its word, a colon and the body. An
// error before or in it ends at the next section of the same rule.
func (p *parser) section(word kind, at *diag.Span, body func()) {
	p.toSection()
	if !p.at(word) {
		return
	}
	*at = p.spanOf(p.tok)
	p.advance()
	p.expect(tColon)
	body()
}

// toSection resumes after an error at the next section, if there is one
// before the next rule. If not, the parser stays failed.
func (p *parser) toSection() {
	if !p.failed {
		return
	}
	p.resume()
	p.skip(func() bool { return p.atSection() || p.atItem() })
	if !p.atSection() {
		p.stop()
	}
}

// atSection reports whether a section surely begins at the current token.
func (p *parser) atSection() bool {
	switch p.tok.kind {
	case kMeta, kStrings, kCondition:
		return p.peek() == tColon
	}
	return false
}

// collect parses one or more entries that begin with the given kind.
func collect[T any](p *parser, scratch *[]T, first kind, parse func() T) []T {
	all := (*scratch)[:0]
	for {
		all = append(all, parse())
		if !p.at(first) {
			break
		}
	}
	*scratch = all
	return append(make([]T, 0, len(all)), all...)
}

// ident parses a name.
func (p *parser) ident() Ident {
	t := p.expect(tIdent)
	return Ident{Span: p.spanOf(t), Name: p.text(t)}
}

// meta parses `key = value`.
func (p *parser) meta() *Meta {
	m := p.metas.new()
	m.Key = p.ident()
	p.expect(tAssign)
	m.Value = p.metaValue()
	m.Span = p.from(m.Key.Start)
	return m
}

// metaValue parses a literal; a sign becomes part of its number.
func (p *parser) metaValue() Expr {
	start := p.tok.start
	negative := p.got(tMinus)
	switch {
	case p.at(tInt):
		n := p.intLit()
		if negative {
			n.Span, n.Raw, n.Value = p.from(start), "-"+n.Raw, -n.Value
		}
		return n
	case p.at(tFloat):
		n := p.floatLit()
		if negative {
			n.Span, n.Raw, n.Value = p.from(start), "-"+n.Raw, -n.Value
		}
		return n
	case negative:
	case p.at(tString):
		return p.textLit()
	case p.at(kTrue), p.at(kFalse):
		return p.boolLit()
	}
	p.fail()
	return nil
}

// pattern parses `$id = value modifiers`.
func (p *parser) pattern() *Pattern {
	d := p.patterns.new()
	id := p.expect(tPattern)
	d.ID = Ident{Span: p.spanOf(id), Name: p.text(id)}
	p.expect(tAssign)
	switch {
	case p.at(tString):
		lit := p.stringLit()
		d.Text = p.strings.new()
		*d.Text = lit
	case p.at(tRegexp):
		d.Regexp = p.regexps.new()
		*d.Regexp = p.regexpLit()
	case p.at(tLBrace):
		d.Hex = p.hex()
	default:
		p.fail()
	}
	p.modifiers(d)
	d.Span = p.from(id.start)
	return d
}

// modifiers parses the words behind a pattern, each at most once.
func (p *parser) modifiers(d *Pattern) {
	all := p.modifierList[:0]
	for p.atModifier() {
		m := p.modifier()
		if i := slices.IndexFunc(all, func(o *Modifier) bool { return o.Name == m.Name }); i >= 0 {
			p.duplicate(all[i], m)
			continue
		}
		all = append(all, m)
	}
	p.modifierList = all
	if len(all) > 0 {
		d.Modifiers = append(make([]*Modifier, 0, len(all)), all...)
	}
}

func (p *parser) duplicate(first, second *Modifier) {
	p.mistake("duplicate_modifier", "duplicate modifier", second.Span, "this modifier is there already")
	if !p.quiet && !p.failed {
		d := p.list[len(p.list)-1]
		d.Labels = []diag.Label{{Span: first.Span, Text: "here"}}
	}
}

func (p *parser) atModifier() bool {
	switch p.tok.kind {
	case kAscii, kWide, kNocase, kFullword, kPrivate, kXor, kBase64, kBase64Wide:
		return true
	}
	p.expected.add(xModifier)
	return false
}

// modifier parses one word, with its argument where it has one.
func (p *parser) modifier() *Modifier {
	m := p.mods.new()
	word := p.tok
	m.Name = p.text(word)
	p.advance()
	switch word.kind {
	case kXor:
		if p.got(tLParen) {
			p.xorRange(m)
			p.expect(tRParen)
		}
	case kBase64, kBase64Wide:
		if p.got(tLParen) {
			alphabet := p.stringLit()
			m.Alphabet = &alphabet
			p.expect(tRParen)
		}
	}
	m.Span = p.from(word.start)
	return m
}

// xorRange parses the keys of xor(n) and xor(lo-hi).
func (p *parser) xorRange(m *Modifier) {
	lo := p.plainInt()
	m.HasRange, m.Lo, m.Hi, m.LoRaw = true, lo.Value, lo.Value, lo.Raw
	if p.got(tMinus) {
		hi := p.plainInt()
		m.Hi, m.HiRaw = hi.Value, hi.Raw
	}
}
