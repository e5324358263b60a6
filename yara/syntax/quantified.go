package syntax

// quantifierWord parses all, any and none.
func (p *parser) quantifierWord() Quantifier {
	q := Quantifier{Span: p.spanOf(p.tok)}
	switch p.tok.kind {
	case kAny:
		q.Kind = QuantAny
	case kNone:
		q.Kind = QuantNone
	}
	p.height = 1
	p.advance()
	return q
}

// percent makes a quantifier of x and the % behind it. Only a term or a
// product can be one: `1 + 2 % of them` would be misread.
func (p *parser) percent(x Expr) Quantifier {
	if b, ok := x.(*Binary); ok && b.Op.precedence() < precProduct {
		p.mistake("syntax_error", "syntax error", x.Pos(), "expecting a single value before `%`",
			"write the expression in parentheses")
	}
	p.expect(tPercent)
	return Quantifier{Span: p.from(x.Pos().Start), Kind: QuantPercent, Expr: x}
}

// forQuantifier parses what stands behind for.
func (p *parser) forQuantifier() Quantifier {
	p.expected = setOf(kAll, kAny, kNone)
	switch p.tok.kind {
	case kAll, kAny, kNone:
		return p.quantifierWord()
	}
	x := p.value()
	if p.failed {
		return Quantifier{}
	}
	if p.tok.kind == tPercent && p.peek() == kOf {
		return p.percent(x)
	}
	return Quantifier{Span: x.Pos(), Kind: QuantN, Expr: x}
}

// of parses from the word of on, behind a quantifier.
func (p *parser) of(start int32, q Quantifier) Expr {
	x := p.ofs.new()
	x.Quantifier = q
	height := p.height
	p.expect(kOf)
	if p.at(kThem) {
		x.Patterns = p.them()
	} else {
		x.Patterns, x.Items = p.ofItems()
		height = max(height, p.height)
	}
	if x.Patterns != nil {
		switch {
		case p.got(kAt):
			x.At = p.value()
		case p.got(kIn):
			x.In = p.rangeOf()
		}
	}
	x.Span = p.from(start)
	p.height = max(height, p.height) + 1
	return x
}

func (p *parser) them() *PatternSet {
	p.height = 1
	s := &PatternSet{Span: p.spanOf(p.tok), Them: true}
	p.advance()
	return s
}

// ofItem is an entry of the set of an of: a pattern, or an expression.
type ofItem struct {
	isPattern bool
	pattern   PatternSetItem
	expr      Expr
}

// ofItems parses a set in parentheses: patterns alone, or a list of rules and
// boolean expressions.
func (p *parser) ofItems() (*PatternSet, []Expr) {
	start := p.expect(tLParen).start
	base := len(p.items)
	patterns, height := 0, 0
	for {
		p.height = 1
		item := p.ofItem()
		if item.isPattern {
			patterns++
		}
		p.items = append(p.items, item)
		height = max(height, p.height)
		if !p.got(tComma) {
			break
		}
	}
	items := p.items[base:]
	p.items = p.items[:base]
	p.expect(tRParen)
	p.height = height
	if p.failed {
		return nil, nil
	}
	if patterns == len(items) {
		return p.patternSet(start, items), nil
	}
	return nil, p.expressions(items)
}

// ofItem parses one entry.
func (p *parser) ofItem() ofItem {
	if p.tok.kind == tPattern {
		switch p.peek() {
		case tComma, tRParen, tStar:
			return ofItem{isPattern: true, pattern: p.patternSetItem()}
		}
	}
	p.expected.add(tPattern)
	x := p.boolean()
	if n, ok := x.(*Name); ok && p.tok.kind == tStar {
		p.advance()
		return ofItem{expr: &RuleWildcard{node{p.from(n.Start)}, n.Name}}
	}
	return ofItem{expr: x}
}

// patternSetItem parses $a and $a*.
func (p *parser) patternSetItem() PatternSetItem {
	t := p.expect(tPattern)
	item := PatternSetItem{ID: p.text(t), Wildcard: p.got(tStar)}
	item.Span = p.from(t.start)
	return item
}

func (p *parser) patternSet(start int32, items []ofItem) *PatternSet {
	s := &PatternSet{Span: p.from(start), Items: make([]PatternSetItem, len(items))}
	for i, item := range items {
		s.Items[i] = item.pattern
	}
	return s
}

// expressions turns the entries of a mixed set into expressions. A pattern
// wildcard has no place among them, a rule wildcard only among rules.
func (p *parser) expressions(items []ofItem) []Expr {
	all := make([]Expr, len(items))
	names := 0
	var wildcard Expr
	for i, item := range items {
		all[i] = item.expr
		if item.isPattern {
			all[i] = p.patternOf(item.pattern)
		}
		switch all[i].(type) {
		case *RuleWildcard:
			names++
			wildcard = all[i]
		case *Name:
			names++
		}
	}
	if wildcard != nil && names < len(all) {
		p.mistake("syntax_error", "syntax error", wildcard.Pos(), "rule wildcards and other expressions cannot be mixed")
	}
	return all
}

// patternOf turns an entry of a pattern set into an expression.
func (p *parser) patternOf(item PatternSetItem) Expr {
	ref := p.refs.new()
	ref.Span, ref.ID = item.Span, item.ID
	if item.Wildcard {
		p.mistake("syntax_error", "syntax error", item.Span, "pattern wildcards and other expressions cannot be mixed")
	}
	return ref
}

// forLoop parses both forms of for.
func (p *parser) forLoop() Expr {
	start := p.tok.start
	p.advance()
	p.height = 1
	q := p.forQuantifier()
	if p.got(kOf) {
		return p.forOf(start, q)
	}
	return p.forIn(start, q)
}

func (p *parser) forOf(start int32, q Quantifier) Expr {
	x := &ForOf{Quantifier: q}
	height := p.height
	if p.at(kThem) {
		x.Patterns = p.them()
	} else {
		x.Patterns = p.patternSetOnly()
	}
	x.Body = p.body()
	x.Span = p.from(start)
	p.height = max(height, p.height) + 1
	return x
}

// patternSetOnly parses a set in parentheses that holds patterns alone.
func (p *parser) patternSetOnly() *PatternSet {
	start := p.expect(tLParen).start
	s := &PatternSet{}
	for {
		s.Items = append(s.Items, p.patternSetItem())
		if !p.got(tComma) {
			break
		}
	}
	p.expect(tRParen)
	s.Span = p.from(start)
	return s
}

func (p *parser) forIn(start int32, q Quantifier) Expr {
	x := &ForIn{Quantifier: q}
	height := p.height
	if v, ok := p.percentVariable(&x.Quantifier); ok {
		x.Vars = append(x.Vars, v)
	} else {
		x.Vars = append(x.Vars, p.ident())
	}
	for p.got(tComma) {
		x.Vars = append(x.Vars, p.ident())
	}
	p.expect(kIn)
	p.iterable(x)
	height = max(height, p.height)
	x.Body = p.body()
	x.Span = p.from(start)
	p.height = max(height, p.height) + 1
	return x
}

// percentVariable mends a reading: `for 50% i in` looked like 50 modulo i
// until the word in came. It returns the variable.
func (p *parser) percentVariable(q *Quantifier) (Ident, bool) {
	if p.tok.kind != kIn && p.tok.kind != tComma || q.Kind != QuantN {
		return Ident{}, false
	}
	b, ok := q.Expr.(*Binary)
	if !ok || b.Op != OpMod {
		return Ident{}, false
	}
	v, ok := b.Y.(*Name)
	if !ok {
		return Ident{}, false
	}
	*q = Quantifier{Span: b.X.Pos().Join(b.OpSpan), Kind: QuantPercent, Expr: b.X}
	return Ident{Span: v.Span, Name: v.Name}, true
}

// iterable parses what for … in runs over.
func (p *parser) iterable(x *ForIn) {
	p.height = 1
	if !p.at(tLParen) {
		x.Over = p.value()
		return
	}
	start := p.tok.start
	p.advance()
	first := p.value()
	if p.got(tDot) {
		p.expect(tDot)
		height := p.height
		x.Range = &Range{Lo: first, Hi: p.value()}
		p.expect(tRParen)
		x.Range.Span = p.from(start)
		p.height = max(height, p.height)
		return
	}
	x.List = append(x.List, first)
	height := p.height
	for p.got(tComma) {
		x.List = append(x.List, p.value())
		height = max(height, p.height)
	}
	p.expect(tRParen)
	p.height = height
}

// body parses : ( condition ).
func (p *parser) body() Expr {
	p.expect(tColon)
	p.expect(tLParen)
	x := p.boolean()
	p.expect(tRParen)
	return x
}

// atWith reports whether the identifier at hand is the word with of a with
// expression, and not a name, which it may be in YARA.
func (p *parser) atWith() bool {
	if p.text(p.tok) != "with" {
		return false
	}
	switch p.peek() {
	case tIdent, tColon, tAssign:
		return true
	}
	return false
}

// with parses with a = e, b = e : ( condition ).
func (p *parser) with() Expr {
	start := p.tok.start
	p.advance()
	x := &With{}
	height := 1
	for {
		x.Vars = append(x.Vars, p.ident())
		p.expect(tAssign)
		x.Values = append(x.Values, p.value())
		height = max(height, p.height)
		if !p.got(tComma) {
			break
		}
	}
	x.Body = p.body()
	x.Span = p.from(start)
	p.height = max(height, p.height) + 1
	return x
}
