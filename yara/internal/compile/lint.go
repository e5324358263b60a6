package compile

import (
	"strconv"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/syntax"
)

// lint gives the warnings about patterns and about the condition as written.
// Warnings about single operations are given where they are lowered.
func (l *lowering) lint() {
	l.lintPatterns()
	if l.rule.Condition != nil && len(l.patterns) > 0 {
		s := setLinter{l: l, said: make(map[saying]bool)}
		s.walk(l.rule.Condition)
	}
}

func (l *lowering) lintPatterns() {
	first := make(map[*lowered]int, len(l.patterns))
	for i := range l.patterns {
		p := &l.patterns[i]
		if p.src.Hex != nil {
			l.lintHex(p.src)
		}
		if p.low == nil {
			continue
		}
		if j, ok := first[p.low]; ok {
			l.c.report(&diag.Diagnostic{Code: "duplicate_pattern_value", Severity: diag.Warning,
				Title: "pattern `" + p.src.ID.Name + "` equals `" + l.patterns[j].src.ID.Name + "`", Span: p.src.Span,
				Labels: []diag.Label{{Span: l.patterns[j].src.Span, Text: "the same is declared here"}}})
		} else {
			first[p.low] = i
		}
		if why := slowness(p); why != "" {
			l.warn("slow_pattern", p.src.Span, "slow pattern", "this pattern may slow down the scan", why)
		}
	}
}

// lintHex warns of text written as hex, and of jumps that are really one.
func (l *lowering) lintHex(src *syntax.Pattern) {
	if b, ok := hexLiteral(src.Hex.Tokens); ok && printable(b) {
		l.warn("text_as_hex", src.Span, "hex pattern could be a text pattern", "",
			"write "+src.ID.Name+" = "+strconv.Quote(string(b)))
	}
	l.lintJumps(src.ID.Name, src.Hex.Tokens)
}

func printable(b []byte) bool {
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return true
}

func (l *lowering) lintJumps(id string, tokens []syntax.HexToken) {
	for i := 0; i < len(tokens); i++ {
		if alt, ok := tokens[i].(*syntax.HexAlt); ok {
			for _, a := range alt.Alts {
				l.lintJumps(id, a)
			}
			continue
		}
		first, n := i, jumpRun(tokens[i:])
		if n > 1 {
			i += n - 1
			span := tokens[first].(*syntax.HexJump).Span.Join(tokens[i].(*syntax.HexJump).Span)
			l.warn("consecutive_jumps", span, "consecutive jumps in pattern `"+id+"`",
				"these count as "+joinedJump(tokens[first:i+1]))
		}
	}
}

// jumpRun counts the jumps that tokens start with.
func jumpRun(tokens []syntax.HexToken) int {
	for i, t := range tokens {
		if _, ok := t.(*syntax.HexJump); !ok {
			return i
		}
	}
	return len(tokens)
}

func joinedJump(jumps []syntax.HexToken) string {
	lo, hi := sumJumps(jumps)
	switch {
	case hi < 0 && lo == 0:
		return "[-]"
	case hi < 0:
		return "[" + strconv.FormatInt(lo, 10) + "-]"
	case lo == hi:
		return "[" + strconv.FormatInt(lo, 10) + "]"
	}
	return "[" + strconv.FormatInt(lo, 10) + "-" + strconv.FormatInt(hi, 10) + "]"
}

// slowness says why a pattern makes scans slow, or "".
func slowness(p *rulePattern) string {
	if p.at >= 0 && !p.everywhere {
		return "" // verified where it is asked for, never searched
	}
	for i := range p.low.needles {
		if why := needleSlowness(&p.low.needles[i]); why != "" {
			return why
		}
	}
	return ""
}

// occurrence is a pattern or a set of patterns that a condition names.
type occurrence struct {
	id       string
	wildcard bool
	span     diag.Span
}

// setLinter finds patterns that a condition asks for by name and, in the same
// breath, within a set: `$suspicious and any of ($s*)`.
type setLinter struct {
	l    *lowering
	said map[saying]bool
}

// saying is a warning that was given: one a set and name.
type saying struct {
	set int32
	id  string
}

// mostOccurrences bounds the pairs that are compared.
const mostOccurrences = 256

// walk returns what the expression names. Operands of an or are alternatives;
// those of anything else hold together and are compared.
func (s *setLinter) walk(e syntax.Expr) []occurrence {
	switch e := e.(type) {
	case *syntax.Paren:
		return s.walk(e.X)
	case *syntax.Unary:
		return s.walk(e.X)
	case *syntax.PatternRef:
		return []occurrence{{id: e.ID, span: e.Pos()}}
	case *syntax.Of:
		return s.set(e.Patterns)
	case *syntax.ForOf:
		return s.set(e.Patterns)
	case *syntax.ForIn:
		return s.walk(e.Body)
	case *syntax.With:
		return s.walk(e.Body)
	case *syntax.Binary:
		return s.binary(e)
	}
	return nil
}

// binary walks a chain of operators without recursion along it.
func (s *setLinter) binary(e *syntax.Binary) []occurrence {
	chain := []*syntax.Binary{e}
	for {
		next, ok := chain[len(chain)-1].X.(*syntax.Binary)
		if !ok {
			break
		}
		chain = append(chain, next)
	}
	list := s.walk(chain[len(chain)-1].X)
	for i := len(chain) - 1; i >= 0; i-- {
		right := s.walk(chain[i].Y)
		if chain[i].Op == syntax.OpAnd {
			s.compare(list, right)
			s.compare(right, list)
		}
		if len(list)+len(right) <= mostOccurrences {
			list = append(list, right...)
		}
	}
	return list
}

func (s *setLinter) set(set *syntax.PatternSet) []occurrence {
	if set == nil || set.Them {
		return nil
	}
	var list []occurrence
	for _, item := range set.Items[:min(len(set.Items), mostOccurrences)] {
		one := []occurrence{{item.ID, item.Wildcard, item.Span}}
		s.compare(list, one)
		s.compare(one, list)
		list = append(list, one...)
	}
	return list
}

// compare warns of each set that takes in what others name.
func (s *setLinter) compare(sets, others []occurrence) {
	for _, set := range sets {
		if !set.wildcard {
			continue
		}
		for _, o := range others {
			if !hasPrefix(o.id, set.id) || o.wildcard && len(o.id) <= len(set.id) {
				continue
			}
			s.warn(set, o)
		}
	}
}

func (s *setLinter) warn(set, o occurrence) {
	key := saying{set.span.Start, o.id}
	if s.said[key] {
		return
	}
	s.said[key] = true
	name := o.id
	if o.wildcard {
		name += "*"
	} else if _, ok := s.l.byID[name]; !ok {
		return
	}
	s.l.c.report(&diag.Diagnostic{Code: "unintended_pattern_in_set", Severity: diag.Warning,
		Title: "`" + name + "` may not be meant to be in the set `" + set.id + "*`",
		Span:  set.span, Primary: "`" + name + "` is included here",
		Labels: []diag.Label{{Span: o.span, Text: "and used here"}}})
}
