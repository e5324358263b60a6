package syntax

// The precedences, loosest first. All binary operators associate to the left,
// as in both dialects.
const (
	precOr = iota + 1
	precAnd
	precNot // not and defined
	precEquality
	precRelation
	precBitOr // the loosest that makes a value of values
	precBitXor
	precBitAnd
	precShift
	precSum
	precProduct
	precUnary // - and ~
)

// operators gives every operator its text and its precedence.
var operators = [...]struct {
	text       string
	precedence int8
}{
	OpInvalid: {"?", precUnary},
	OpOr:      {"or", precOr}, OpAnd: {"and", precAnd},
	OpNot: {"not", precNot}, OpDefined: {"defined", precNot},
	OpEq: {"==", precEquality}, OpNe: {"!=", precEquality},
	OpContains: {"contains", precEquality}, OpIContains: {"icontains", precEquality},
	OpStartsWith: {"startswith", precEquality}, OpIStartsWith: {"istartswith", precEquality},
	OpEndsWith: {"endswith", precEquality}, OpIEndsWith: {"iendswith", precEquality},
	OpIEquals: {"iequals", precEquality}, OpMatches: {"matches", precEquality},
	OpLt: {"<", precRelation}, OpLe: {"<=", precRelation}, OpGt: {">", precRelation}, OpGe: {">=", precRelation},
	OpBitOr: {"|", precBitOr}, OpBitXor: {"^", precBitXor}, OpBitAnd: {"&", precBitAnd},
	OpShl: {"<<", precShift}, OpShr: {">>", precShift},
	OpAdd: {"+", precSum}, OpSub: {"-", precSum},
	OpMul: {"*", precProduct}, OpDiv: {"\\", precProduct}, OpMod: {"%", precProduct},
	OpNeg: {"-", precUnary}, OpBitNot: {"~", precUnary},
}

// String returns the operator as it is written.
func (o Op) String() string {
	if int(o) < len(operators) {
		return operators[o].text
	}
	return operators[OpInvalid].text
}

// precedence returns how tightly the operator binds.
func (o Op) precedence() int8 { return operators[o].precedence }

// valueOps are the operators between values. And and or join boolean terms.
var valueOps = [numKinds]Op{
	tEq: OpEq, tNe: OpNe, kContains: OpContains, kIContains: OpIContains,
	kStartsWith: OpStartsWith, kIStartsWith: OpIStartsWith, kEndsWith: OpEndsWith, kIEndsWith: OpIEndsWith,
	kIEquals: OpIEquals, kMatches: OpMatches, tLt: OpLt, tLe: OpLe, tGt: OpGt, tGe: OpGe,
	tPipe: OpBitOr, tCaret: OpBitXor, tAmp: OpBitAnd, tShl: OpShl, tShr: OpShr,
	tPlus: OpAdd, tMinus: OpSub, tStar: OpMul, tBackslash: OpDiv, tPercent: OpMod,
}

// isBoolean reports whether an expression is boolean by its form. Such a one
// is no operand of anything but and, or, not and defined; in both dialects
// that is a matter of grammar, not of types.
func isBoolean(x Expr) bool {
	for {
		switch e := x.(type) {
		case *Paren:
			x = e.X
		case *BoolLit, *PatternRef, *Of, *ForOf, *ForIn, *With:
			return true
		case *Unary:
			return e.Op == OpNot || e.Op == OpDefined
		case *Binary:
			return e.Op < OpBitOr
		default:
			return false
		}
	}
}

// boolean parses a whole condition, or one in parentheses.
func (p *parser) boolean() Expr {
	x := p.conjunction()
	height := p.height
	for p.operator(kOr) {
		x = p.join(OpOr, x, &height, p.conjunction)
	}
	p.height = height
	return x
}

// conjunction parses boolean terms joined by and.
func (p *parser) conjunction() Expr {
	x := p.booleanTerm()
	height := p.height
	for p.operator(kAnd) {
		x = p.join(OpAnd, x, &height, p.booleanTerm)
	}
	p.height = height
	return x
}

// operator reports whether the current token is the operator.
func (p *parser) operator(k kind) bool {
	p.expected.add(xOperator)
	return p.tok.kind == k
}

// join consumes an operator and its right operand. height is that of x before
// and of the result after.
func (p *parser) join(op Op, x Expr, height *int, right func() Expr) Expr {
	b := p.binaries.new()
	b.Op, b.OpSpan, b.X = op, p.spanOf(p.tok), x
	p.advance()
	if b.Y = right(); p.failed {
		return x
	}
	b.Span = x.Pos().Join(b.Y.Pos())
	*height = max(*height, p.height) + 1
	if *height > maxHeight {
		p.tooDeep()
	}
	return b
}

// booleanTerm parses an operand of and and or.
func (p *parser) booleanTerm() Expr {
	if !p.enter() {
		p.leave()
		return nil
	}
	defer p.leave()
	switch p.tok.kind {
	case tPattern:
		return p.patternRef()
	case kTrue, kFalse:
		return p.boolLit()
	case kNot:
		return p.unary(OpNot, p.booleanTerm)
	case kDefined:
		return p.unary(OpDefined, p.booleanTerm)
	case kAll, kAny, kNone:
		start := p.tok.start
		return p.of(start, p.quantifierWord())
	case kFor:
		return p.forLoop()
	case tIdent:
		if p.atWith() {
			return p.with()
		}
	}
	return p.comparison()
}

// unary consumes a prefix operator and its operand.
func (p *parser) unary(op Op, operand func() Expr) Expr {
	start := p.tok.start
	p.advance()
	x := &Unary{Op: op, X: operand()}
	x.Span = p.from(start)
	p.height++
	return x
}

// comparison parses values and operators between them, and the of that can
// follow a value.
func (p *parser) comparison() Expr {
	start := p.tok.start
	x := p.term()
	if p.failed || isBoolean(x) {
		return x
	}
	x = p.values(x, precEquality)
	if p.failed || isBoolean(x) {
		return x
	}
	if p.tok.kind == kOf {
		return p.of(start, Quantifier{Span: x.Pos(), Kind: QuantN, Expr: x})
	}
	if p.tok.kind == tPercent && p.peek() == kOf {
		return p.of(start, p.percent(x))
	}
	return x
}

// value parses an expression that is not boolean by its form.
func (p *parser) value() Expr { return p.values(p.operand(), precBitOr) }

// operand parses a term that is not boolean by its form.
func (p *parser) operand() Expr {
	x := p.term()
	if !p.failed && isBoolean(x) {
		p.mistake("syntax_error", "syntax error", x.Pos(), "expecting a value, found a boolean expression")
	}
	return x
}

// values parses operators that bind at least as tightly as least, and their
// right operands, behind x.
func (p *parser) values(x Expr, least int8) Expr {
	height := p.height
	for !p.failed {
		p.expected.add(xOperator)
		op := valueOps[p.tok.kind]
		if op == OpInvalid || op.precedence() < least || p.endsValue(x) {
			break
		}
		x = p.join(op, x, &height, func() Expr { return p.values(p.operand(), op.precedence()+1) })
	}
	p.height = height
	return x
}

// endsValue reports whether the current token, though an operator, is not one
// here: the % of a quantifier and the * of a rule wildcard.
func (p *parser) endsValue(x Expr) bool {
	switch p.tok.kind {
	case tPercent:
		return p.peek() == kOf
	case tStar:
		if _, ok := x.(*Name); ok {
			next := p.peek()
			return next == tComma || next == tRParen
		}
	}
	return false
}

// term parses an operand: a literal, a name with what is applied to it, a
// count, offset or length, a sign with a term, or parentheses.
func (p *parser) term() Expr {
	if !p.enter() {
		p.leave()
		return nil
	}
	defer p.leave()
	p.height = 1
	switch p.tok.kind {
	case tIdent:
		return p.access()
	case tInt:
		return p.intLit()
	case tString:
		return p.textLit()
	case tFloat:
		return p.floatLit()
	case tRegexp:
		return p.regexpExpr()
	case kFilesize, kEntrypoint:
		return p.scanFact()
	case tCount:
		return p.count()
	case tOffset, tLength:
		return p.offsetOrLength()
	case tMinus:
		return p.unary(OpNeg, p.operand)
	case tTilde:
		return p.unary(OpBitNot, p.operand)
	case tLParen:
		return p.paren()
	}
	p.expected.add(xExpression)
	p.fail()
	return nil
}

// scanFact parses filesize and entrypoint.
func (p *parser) scanFact() Expr {
	t := p.tok
	p.advance()
	if t.kind == kFilesize {
		return &Filesize{node{p.spanOf(t)}}
	}
	return &Entrypoint{node{p.spanOf(t)}}
}

// paren parses an expression in parentheses.
func (p *parser) paren() Expr {
	x := p.parens.new()
	start := p.tok.start
	p.advance()
	x.X = p.boolean()
	p.expect(tRParen)
	x.Span = p.from(start)
	p.height++
	return x
}

// access parses a name and the fields, indices and calls behind it.
func (p *parser) access() Expr {
	name := p.names.new()
	name.Span, name.Name = p.spanOf(p.tok), p.text(p.tok)
	p.advance()
	var x Expr = name
	height := 1
	for !p.failed {
		y := p.suffix(x)
		if y == nil {
			break
		}
		x = y
		height = max(height, p.height) + 1
		if height > maxHeight {
			p.tooDeep()
		}
	}
	p.height = height
	return x
}

// suffix parses one field, index or call behind x, nil where there is none.
func (p *parser) suffix(x Expr) Expr {
	p.height = 1
	start := x.Pos().Start
	switch p.tok.kind {
	case tDot:
		if p.peek() == tDot { // of a range
			return nil
		}
		p.advance()
		f := p.fields.new()
		f.X, f.Name = x, p.ident()
		f.Span = p.from(start)
		return f
	case tLBracket:
		p.advance()
		index := p.value()
		p.expect(tRBracket)
		return &Index{node{p.from(start)}, x, index}
	case tLParen:
		p.advance()
		c := p.calls.new()
		c.Fun, c.Args = x, p.args()
		c.Span = p.from(start)
		return c
	}
	return nil
}

// args parses the arguments of a call up to the closing parenthesis.
func (p *parser) args() []Expr {
	if p.got(tRParen) {
		return nil
	}
	var args []Expr
	height := 0
	for {
		args = append(args, p.boolean())
		height = max(height, p.height)
		if !p.got(tComma) {
			break
		}
	}
	p.expect(tRParen)
	p.height = height
	return args
}

// patternID returns the identifier of a $a, #a, @a or !a with a dollar sign.
func (p *parser) patternID(t token) string {
	text := p.text(t)
	switch {
	case text[0] == '$':
		return text
	case len(text) == 1:
		return "$"
	}
	return "$" + text[1:]
}

// patternRef parses $a with at or in.
func (p *parser) patternRef() Expr {
	x := p.refs.new()
	t := p.tok
	x.ID = p.patternID(t)
	p.advance()
	p.height = 1
	switch {
	case p.got(kAt):
		x.At = p.value()
	case p.got(kIn):
		x.In = p.rangeOf()
	}
	x.Span = p.from(t.start)
	p.height++
	return x
}

// count parses #a with in.
func (p *parser) count() Expr {
	x := p.counts.new()
	t := p.tok
	x.ID = p.patternID(t)
	p.advance()
	if p.got(kIn) {
		x.In = p.rangeOf()
	}
	x.Span = p.from(t.start)
	p.height++
	return x
}

// offsetOrLength parses @a, @a[i], !a and !a[i].
func (p *parser) offsetOrLength() Expr {
	t := p.tok
	id := p.patternID(t)
	p.advance()
	var index Expr
	if p.got(tLBracket) {
		index = p.value()
		p.expect(tRBracket)
	}
	p.height++
	if t.kind == tOffset {
		return &PatternOffset{node{p.from(t.start)}, id, index}
	}
	return &PatternLength{node{p.from(t.start)}, id, index}
}

// rangeOf parses (lo..hi).
func (p *parser) rangeOf() *Range {
	start := p.expect(tLParen).start
	r := &Range{Lo: p.value()}
	height := p.height
	p.expect(tDot)
	p.expect(tDot)
	r.Hi = p.value()
	p.expect(tRParen)
	r.Span = p.from(start)
	p.height = max(height, p.height)
	return r
}
