package compile

import (
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/internal/regex"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/syntax"
)

func progSize(p *regex.Prog) int64 { return 0 }

func (l *lowering) regexpPattern(src *syntax.Pattern, m modifiers) *lowered {
	l.errorAt("unsupported", src.Span, "regexps are not there yet", "")
	return nil
}
func (l *lowering) regexpLit(e *syntax.RegexpExpr) operand {
	return l.errorAt("unsupported", e.Pos(), "regexps are not there yet", "")
}

func (l *lowering) matches(b *syntax.Binary, x, y operand) operand {
	okX, okY := l.is(x, module.String), l.is(y, module.Regexp)
	if !okX || !okY {
		return l.broken(b.Pos())
	}
	return operand{span: b.Pos(), kind: module.Bool, effects: x.effects,
		node: l.binary(program.OpMatches, module.Bool, x.node, program.None, int64(y.regexp))}
}
