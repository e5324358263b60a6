package compile

import (
	"bytes"
	"errors"
	"slices"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/atom"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/internal/regex"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/syntax"
)

// expression is a regexp or hex pattern with the modifiers that matter.
type expression struct {
	src                   *syntax.Pattern
	span                  diag.Span
	ascii, wide, fullword bool
}

// regexpPattern lowers /…/ with its modifiers.
func (l *lowering) regexpPattern(src *syntax.Pattern, m modifiers) *lowered {
	re := src.Regexp
	if len(re.Text) > l.c.opt.Limits.PatternSize {
		l.tooLarge(src)
		return nil
	}
	if re.CaseInsensitive && m.nocase != nil {
		l.warn("redundant_modifier", m.nocase.Span, "redundant modifier `nocase`", "the `i` behind the regexp says the same")
	}
	e := expression{src: src, span: re.Span, wide: m.wide != nil, fullword: m.fullword != nil}
	e.ascii = m.ascii != nil || m.wide == nil
	fold := re.CaseInsensitive || m.nocase != nil
	key := append(l.c.scratch.key[:0], 'R', flags(e.ascii, e.wide, e.fullword, fold, re.DotAll))
	key = append(key, re.Text...)
	l.c.scratch.key = key
	if low := l.c.lowered[string(key)]; low != nil {
		return low
	}
	n, ok := l.parseRegexp(re, fold, false)
	if !ok || !l.checkRegexp(re, n) {
		return nil
	}
	if b, ok := l.literalOf(re, n, fold); ok {
		return l.internLiteral(literal{bytes: b, ascii: e.ascii, wide: e.wide, fold: fold, fullword: e.fullword})
	}
	return l.intern(bytes.Clone(key), func() *lowered { return l.lowerNode(n, e) })
}

// checkRegexp refuses, as YARA-X does, patterns that match everywhere.
func (l *lowering) checkRegexp(re *syntax.RegexpLit, n *regex.Node) bool {
	switch {
	case l.c.opt.Dialect == program.LibYARA:
		return true
	case n.MatchesEmpty():
		l.errorAt("matches_empty", re.Span, "regexp matches the empty string", "it would match at every offset")
		return false
	case arbitraryPrefix(n):
		l.errorAt("arbitrary_prefix", re.Span, "regexp begins with any number of any bytes",
			"it would match at every offset before the rest", "leave the beginning out")
		return false
	}
	return true
}

// arbitraryPrefix reports whether YARA-X says that a regexp begins with any
// number of any bytes: it is a sequence, and of the dots that it begins with,
// with the flag s, one and only one is repeated without end.
func arbitraryPrefix(n *regex.Node) bool {
	if n.Op != regex.OpConcat {
		return false
	}
	open := 0
	for _, sub := range n.Subs {
		dot, endless := dots(sub)
		if !dot {
			break
		}
		open += b2i(endless)
	}
	return open == 1
}

// dots reports whether a node is a dot, perhaps repeated, and whether without
// end.
func dots(n *regex.Node) (dot, endless bool) {
	switch n.Op {
	case regex.OpSet:
		return n.Dot, false
	case regex.OpRepeat:
		dot, endless = dots(n.Subs[0])
		return dot, dot && (endless || n.Max < 0)
	case regex.OpAlt:
		for _, sub := range n.Subs {
			d, e := dots(sub)
			dot, endless = dot || d, endless || e
		}
		return dot, endless
	}
	return false, false
}

// literalOf returns the bytes of a regexp that is nothing but characters, the
// case of which may not count.
func (l *lowering) literalOf(re *syntax.RegexpLit, n *regex.Node, fold bool) ([]byte, bool) {
	if fold {
		var err error
		if n, err = regex.Parse(re.Text, l.regexpOptions(re, false, false)); err != nil {
			return nil, false
		}
	}
	b, ok := n.Literal()
	return b, ok && len(b) > 0 && (!fold || ascii(b))
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

func (l *lowering) regexpOptions(re *syntax.RegexpLit, fold, matches bool) regex.Options {
	return regex.Options{CaseInsensitive: fold, DotAll: re.DotAll, Relaxed: l.c.opt.RelaxedRegexps,
		LibYARA: l.c.opt.Dialect == program.LibYARA, Matches: matches}
}

// parseRegexp parses the text between the slashes and reports what is wrong.
func (l *lowering) parseRegexp(re *syntax.RegexpLit, fold, matches bool) (*regex.Node, bool) {
	n, err := regex.Parse(re.Text, l.regexpOptions(re, fold, matches))
	if err != nil {
		l.regexpError(re.Span, err)
		return nil, false
	}
	return n, true
}

// regexpError reports an error of package regex at its place.
func (l *lowering) regexpError(span diag.Span, err error) {
	var syn *regex.SyntaxError
	if !errors.As(err, &syn) {
		code := regex.CodeInvalid
		if large, ok := err.(*regex.SizeError); ok {
			code = large.Code()
		}
		l.errorAt(code, span, "invalid regexp", err.Error())
		return
	}
	at := span
	if start := span.Start + 1 + int32(syn.Start); start < span.End {
		at.Start, at.End = start, min(span.Start+1+int32(syn.End), span.End)
	}
	l.errorAt(syn.Code, at, "invalid regexp", syn.Message, syn.Hint)
}

// lowerNode makes the needles of an expression.
func (l *lowering) lowerNode(n *regex.Node, e expression) *lowered {
	low := &lowered{longest: n.IsGreedy()}
	if e.ascii && !l.appendRegexp(low, n, e, program.WordBoundary) {
		return nil
	}
	if e.wide && !l.appendRegexp(low, l.widened(n), e, program.WideBoundary) {
		return nil
	}
	return low
}

func (l *lowering) widened(n *regex.Node) *regex.Node {
	if l.c.opt.Dialect == program.LibYARA {
		return n.WideLibYARA()
	}
	return n.Wide()
}

// appendRegexp appends a needle for each part of the expression that has atoms
// of its own, or one for the whole where no atoms are of use.
func (l *lowering) appendRegexp(low *lowered, n *regex.Node, e expression, b program.Boundary) bool {
	whole, ok := l.compileWhole(n, e.span)
	if !ok {
		return false
	}
	base := program.Expression{MinLen: n.MinLen(), Forward: whole}
	add := func(x program.Expression) {
		needle := program.Needle{Kind: program.Regexp, Expression: &x}
		if e.fullword {
			needle.Boundary = b
		}
		low.needles = append(low.needles, needle)
	}
	head := whole.Node() // what is searched for
	if links := whole.Links(); links != nil {
		base.Whole, base.Forward = whole, links[0].Part
		head = base.Forward.Node()
	}
	split, ok := atom.Best(head)
	if !ok {
		base.Reverse, ok = l.compileNode(head.Reverse(), e.span)
		add(base)
		return ok
	}
	for _, part := range split.Parts {
		x := base
		x.Atoms = part.Atoms
		if base.Whole != nil {
			x.Atoms = inexact(part.Atoms)
		}
		if part.Suffix != head {
			x.Whole = whole
			x.Forward, ok = l.compileNode(part.Suffix, e.span)
		}
		if ok && part.Prefix.Op != regex.OpEmpty {
			x.Reverse, ok = l.compileNode(part.Prefix.Reverse(), e.span)
		}
		if !ok {
			return false
		}
		add(x)
	}
	return true
}

// inexact returns atoms that are no matches by themselves.
func inexact(atoms []atom.Atom) []atom.Atom {
	atoms = slices.Clone(atoms)
	for i := range atoms {
		atoms[i].Exact = false
	}
	return atoms
}

// compileWhole compiles an expression. Where it is too large, gaps of any bytes
// are cut out, or repetitions cut down to what a match may take.
func (l *lowering) compileWhole(n *regex.Node, span diag.Span) (*regex.Prog, bool) {
	p, err := regex.Compile(n, regex.Limits{})
	if err == nil {
		return p, true
	}
	if n.OpenJump() <= program.LongJump {
		return l.compileNode(n.AtMost(2*program.ScanLimit), span)
	}
	if p, err := regex.CompileLinked(n, regex.Limits{}); err == nil {
		return p, true
	}
	l.regexpError(span, err)
	return nil, false
}

func (l *lowering) compileNode(n *regex.Node, span diag.Span) (*regex.Prog, bool) {
	p, err := regex.Compile(n, regex.Limits{})
	if err != nil {
		l.regexpError(span, err)
		return nil, false
	}
	return p, true
}

// regexpLit lowers a regexp of a condition.
func (l *lowering) regexpLit(e *syntax.RegexpExpr) operand {
	id, ok := l.regexpIndex(&e.Lit)
	if !ok {
		return l.broken(e.Pos())
	}
	return operand{span: e.Pos(), kind: module.Regexp, regexp: id,
		node: l.leaf(program.OpRegex, module.Regexp, int64(id))}
}

// regexpIndex returns the place of a condition's regexp in the program.
func (l *lowering) regexpIndex(re *syntax.RegexpLit) (int32, bool) {
	source := re.Text
	if flags := regexpFlags(re); flags != "" {
		source = "(?" + flags + ")" + re.Text
	}
	if id, ok := l.c.regexps[source]; ok {
		return id, true
	}
	n, ok := l.parseRegexp(re, re.CaseInsensitive, true)
	if !ok {
		return 0, false
	}
	p, ok := l.compileNode(n, re.Span)
	if !ok {
		return 0, false
	}
	id := int32(len(l.c.prog.Regexps))
	l.c.regexps[source] = id
	l.c.prog.Regexps = append(l.c.prog.Regexps, program.RegexpLit{Source: source, Prog: p})
	return id, true
}

func regexpFlags(re *syntax.RegexpLit) string {
	s := ""
	if re.CaseInsensitive {
		s += "i"
	}
	if re.DotAll {
		s += "s"
	}
	return s
}

// matches lowers a string against a regexp. The regexp's own node goes: the
// operation names it.
func (l *lowering) matches(b *syntax.Binary, x, y operand) operand {
	okX, okY := l.is(x, module.String), l.is(y, module.Regexp)
	if !okX || !okY {
		return l.broken(b.Pos())
	}
	return operand{span: b.Pos(), kind: module.Bool, effects: x.effects,
		node: l.binary(program.OpMatches, module.Bool, x.node, program.None, int64(y.regexp))}
}
