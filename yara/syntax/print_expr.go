package syntax

import (
	"strconv"
	"strings"

	"github.com/besra-hunt/besra/yara/diag"
)

// nowhere is the place of a word that the tree does not tell.
var nowhere = diag.Span{}

// expr prints an expression.
func (p *printer) expr(x Expr) {
	switch e := x.(type) {
	case *BoolLit:
		p.word(e.Span, strconv.FormatBool(e.Value))
	case *IntLit:
		p.word(e.Span, orElse(e.Raw, strconv.FormatInt(e.Value, 10)))
	case *FloatLit:
		p.word(e.Span, orElse(e.Raw, formatFloat(e.Value)))
	case *TextLit:
		p.stringLit(e.Lit)
	case *RegexpExpr:
		p.regexpLit(e.Lit)
	case *Filesize:
		p.word(e.Span, "filesize")
	case *Entrypoint:
		p.word(e.Span, "entrypoint")
	case *Name:
		p.word(e.Span, e.Name)
	case *RuleWildcard:
		p.word(head(e.Span, e.Prefix), e.Prefix)
		p.word(tail(e.Span, "*"), "*")
	case *PatternRef, *PatternCount, *PatternOffset, *PatternLength:
		p.patternExpr(x)
	case *Field, *Index, *Call:
		p.access(x)
	case *Paren:
		p.open(head(e.Span, "("), "(")
		p.sep = softTight
		p.expr(e.X)
		p.sep = softTight
		p.close(tail(e.Span, ")"), ")")
	case *Unary:
		p.unary(e)
	case *Binary:
		p.binary(e)
	case *Of:
		p.of(e)
	case *ForOf:
		p.forOf(e)
	case *ForIn:
		p.forIn(e)
	case *With:
		p.with(e)
	}
}

func orElse(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

func formatFloat(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// patternExpr prints $a, #a, @a and !a with what qualifies them.
func (p *printer) patternExpr(x Expr) {
	switch e := x.(type) {
	case *PatternRef:
		p.word(head(e.Span, e.ID), e.ID)
		p.anchor(e.At, e.In)
	case *PatternCount:
		p.word(head(e.Span, e.ID), "#"+e.ID[1:])
		p.anchor(nil, e.In)
	case *PatternOffset:
		p.word(head(e.Span, e.ID), "@"+e.ID[1:])
		p.index(e.Index, e.Span)
	case *PatternLength:
		p.word(head(e.Span, e.ID), "!"+e.ID[1:])
		p.index(e.Index, e.Span)
	}
}

// anchor prints `at x` or `in (lo..hi)`, where there is one.
func (p *printer) anchor(at Expr, in *Range) {
	if at != nil {
		p.sep = space
		p.word(nowhere, "at")
		p.sep = space
		p.expr(at)
	}
	if in != nil {
		p.sep = space
		p.word(nowhere, "in")
		p.sep = space
		p.rangeOf(in)
	}
}

// index prints [x], where there is an x. The bracket ends the span.
func (p *printer) index(x Expr, in diag.Span) {
	if x == nil {
		return
	}
	p.open(nowhere, "[")
	p.sep = softTight
	p.expr(x)
	p.sep = softTight
	p.close(tail(in, "]"), "]")
}

func (p *printer) rangeOf(r *Range) {
	p.open(head(r.Span, "("), "(")
	p.sep = softTight
	p.expr(r.Lo)
	p.word(nowhere, "..")
	p.expr(r.Hi)
	p.sep = softTight
	p.close(tail(r.Span, ")"), ")")
}

// access prints fields, indices and calls.
func (p *printer) access(x Expr) {
	switch e := x.(type) {
	case *Field:
		p.expr(e.X)
		p.word(nowhere, ".")
		p.word(e.Name.Span, e.Name.Name)
	case *Index:
		p.expr(e.X)
		p.index(e.Index, e.Span)
	case *Call:
		p.expr(e.Fun)
		p.list(nowhere, e.Args, tail(e.Span, ")"))
	}
}

// list prints (x, y, …).
func (p *printer) list(open diag.Span, all []Expr, end diag.Span) {
	p.open(open, "(")
	p.sep = softTight
	for i, x := range all {
		if i > 0 {
			p.comma()
		}
		p.expr(x)
	}
	p.sep = softTight
	p.close(end, ")")
}

func (p *printer) comma() {
	p.sep = tight
	p.word(nowhere, ",")
	p.sep = soft
}

// unary prints a prefix operator. An operand that the operator would not take
// whole gets parentheses; a parsed tree has none such, here and in binary.
func (p *printer) unary(e *Unary) {
	p.word(head(e.Span, e.Op.String()), e.Op.String())
	if e.Op == OpNot || e.Op == OpDefined {
		p.sep = space
	}
	p.operand(e.X, e.Op.precedence())
}

func (p *printer) binary(e *Binary) {
	p.operand(e.X, e.Op.precedence())
	p.breakable(e.Op)
	p.word(e.OpSpan, e.Op.String())
	p.breakable(e.Op)
	p.operand(e.Y, e.Op.precedence()+1)
}

// breakable separates an operator: lines are broken at and and or only.
func (p *printer) breakable(op Op) {
	p.sep = space
	if op == OpAnd || op == OpOr {
		p.sep = soft
	}
}

// operand prints an operand of an operator that takes those which bind at
// least as tightly as least.
func (p *printer) operand(x Expr, least int8) {
	loose := false
	switch e := x.(type) {
	case *Binary:
		loose = e.Op.precedence() < least
	case *Unary:
		loose = e.Op.precedence() < least
	}
	if !loose {
		p.expr(x)
		return
	}
	p.open(nowhere, "(")
	p.expr(x)
	p.close(nowhere, ")")
}

func (p *printer) quantifier(q Quantifier) {
	switch q.Kind {
	case QuantAll:
		p.word(q.Span, "all")
	case QuantAny:
		p.word(q.Span, "any")
	case QuantNone:
		p.word(q.Span, "none")
	case QuantN:
		p.expr(q.Expr)
	case QuantPercent:
		p.operand(q.Expr, precProduct)
		p.word(tail(q.Span, "%"), "%")
	}
	p.sep = space
}

func (p *printer) of(e *Of) {
	p.quantifier(e.Quantifier)
	p.word(nowhere, "of")
	p.sep = space
	if e.Patterns != nil {
		p.patternSet(e.Patterns)
	} else {
		p.list(nowhere, e.Items, tail(e.Span, ")"))
	}
	p.anchor(e.At, e.In)
}

func (p *printer) patternSet(s *PatternSet) {
	if s == nil {
		return
	}
	if s.Them {
		p.word(s.Span, "them")
		return
	}
	p.open(head(s.Span, "("), "(")
	p.sep = softTight
	for i, item := range s.Items {
		if i > 0 {
			p.comma()
		}
		p.word(head(item.Span, item.ID), item.ID)
		if item.Wildcard {
			p.word(tail(item.Span, "*"), "*")
		}
	}
	p.sep = softTight
	p.close(tail(s.Span, ")"), ")")
}

func (p *printer) forOf(e *ForOf) {
	p.word(head(e.Span, "for"), "for")
	p.sep = space
	p.quantifier(e.Quantifier)
	p.word(nowhere, "of")
	p.sep = space
	p.patternSet(e.Patterns)
	p.body(e.Body, e.Span)
}

func (p *printer) forIn(e *ForIn) {
	p.word(head(e.Span, "for"), "for")
	p.sep = space
	p.quantifier(e.Quantifier)
	for i, v := range e.Vars {
		if i > 0 {
			p.comma()
			p.sep = space
		}
		p.word(v.Span, v.Name)
	}
	p.sep = space
	p.word(nowhere, "in")
	p.sep = space
	switch {
	case e.Range != nil:
		p.rangeOf(e.Range)
	case e.Over != nil:
		p.expr(e.Over)
	default:
		p.list(nowhere, e.List, nowhere)
	}
	p.body(e.Body, e.Span)
}

func (p *printer) with(e *With) {
	p.word(head(e.Span, "with"), "with")
	p.sep = space
	for i, v := range e.Vars {
		if i > 0 {
			p.comma()
		}
		p.word(v.Span, v.Name)
		p.sep = space
		p.word(nowhere, "=")
		p.sep = space
		p.expr(e.Values[i])
	}
	p.body(e.Body, e.Span)
}

// body prints `: (condition)`. The parenthesis ends the span.
func (p *printer) body(x Expr, in diag.Span) {
	p.sep = tight
	p.word(nowhere, ":")
	p.sep = space
	p.open(nowhere, "(")
	p.sep = softTight
	p.expr(x)
	p.sep = softTight
	p.close(tail(in, ")"), ")")
}
