package lint

import (
	"strings"

	"github.com/besra-hunt/besra/exclusion"
)

// run is a stretch of source between brackets, commas and question marks: the
// operands in it, the && and || between them, and where the first of the other
// kind stands.
type stretch struct {
	start    int
	operands []string
	marks    []string
	second   int
}

// mixedLogic looks for && beside || in the source, where the tree no longer
// shows whether there were parentheses.
func (s *subject) mixedLogic() {
	if s.x == nil {
		return
	}
	src := s.spec.When
	open := []*stretch{{}}
	for _, t := range exclusion.Tokens(src) {
		top := open[len(open)-1]
		if t.Kind != exclusion.TokenMark {
			continue
		}
		switch t.Text {
		case "(", "[":
			open = append(open, &stretch{start: t.Offset + 1})
		case ")", "]":
			s.endStretch(top, src[top.start:t.Offset])
			open = open[:max(1, len(open)-1)]
		case ",", "?", ":":
			s.endStretch(top, src[top.start:t.Offset])
			*top = stretch{start: t.Offset + 1}
		case "&&", "||":
			top.mark(t, src)
		}
	}
	s.endStretch(open[0], src[open[0].start:])
}

// mark notes an operator that joins what was before it.
func (r *stretch) mark(t exclusion.Token, src string) {
	if len(r.marks) > 0 && r.second == 0 && r.marks[0] != t.Text {
		r.second = t.Offset
	}
	r.operands = append(r.operands, strings.TrimSpace(src[r.start:t.Offset]))
	r.marks = append(r.marks, t.Text)
	r.start = t.Offset + len(t.Text)
}

// endStretch reports a stretch that mixes.
func (s *subject) endStretch(r *stretch, rest string) {
	if r.second == 0 {
		return
	}
	r.operands = append(r.operands, strings.TrimSpace(rest))
	p := s.at(s.x.Expr(), CodeMixedLogic, "&& and || meet without parentheses")
	p.Offset = r.second
	p.Line, p.Column = lineColumn(s.spec.When, r.second)
	p.Hint = "write " + r.reading("&&") + ", which is how it is read, or " + r.reading("||")
}

// reading returns the stretch with parentheses around what mark joins.
func (r *stretch) reading(mark string) string {
	var b strings.Builder
	for i := 0; i < len(r.operands); {
		j := i
		for j < len(r.marks) && r.marks[j] == mark {
			j++
		}
		group := strings.Join(r.operands[i:j+1], " "+mark+" ")
		if j > i {
			group = "(" + group + ")"
		}
		b.WriteString(group)
		if j < len(r.marks) {
			b.WriteString(" " + r.marks[j] + " ")
		}
		i = j + 1
	}
	return b.String()
}

// lineColumn returns line and column, from 1 in characters, of a byte offset.
func lineColumn(src string, offset int) (line, column int) {
	before := src[:offset]
	start := strings.LastIndexByte(before, '\n') + 1
	return 1 + strings.Count(before, "\n"), 1 + len([]rune(before[start:]))
}
