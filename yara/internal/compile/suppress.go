package compile

import (
	"bytes"
	"slices"
	"sort"
	"strings"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/syntax"
)

// suppression silences a warning that points at something within start..end:
// by its own span or by one of its labels, as in YARA-X.
type suppression struct {
	code       string
	start, end int32
}

// mostSuppressions bounds the work; of more, the first are without effect.
const mostSuppressions = 5_000

// suppressions reads the `// suppress: code, code` comments of a file. Such a
// comment before a rule or a pattern speaks of the whole of it, behind code of
// the code on its line, and on a line of its own of the next line.
func suppressions(s *source, file *syntax.File) []suppression {
	var list []suppression
	next := int32(-1) // where the code behind the comment begins
	for i := len(file.Comments) - 1; i >= 0; i-- {
		comment := file.Comments[i]
		behind := skipBlank(s.Text, comment.End)
		if i+1 >= len(file.Comments) || file.Comments[i+1].Start != behind {
			next = behind
		}
		codes, ok := strings.CutPrefix(strings.TrimLeft(comment.Text, "/* \t"), "suppress:")
		if !ok || len(list) > mostSuppressions {
			continue
		}
		start, end := suppressedSpan(s, file, comment.Span, next)
		for code := range strings.SplitSeq(strings.TrimRight(codes, "*/ \t\r"), ",") {
			list = append(list, suppression{strings.TrimSpace(code), start, end})
		}
	}
	return list
}

func suppressedSpan(s *source, file *syntax.File, comment diag.Span, next int32) (start, end int32) {
	text, line := s.Text, s.lineStart(comment.Start)
	if len(bytes.TrimSpace(text[line:comment.Start])) > 0 {
		return line, comment.Start
	}
	i := sort.Search(len(file.Items), func(i int) bool { return itemSpan(file.Items[i]).End > next })
	if i == len(file.Items) {
		return next, lineEnd(text, next)
	}
	if rule, ok := file.Items[i].(*syntax.Rule); ok {
		if rule.Start == next {
			return rule.Start, rule.End
		}
		j := sort.Search(len(rule.Patterns), func(j int) bool { return rule.Patterns[j].Start >= next })
		if j < len(rule.Patterns) && rule.Patterns[j].Start == next {
			return next, rule.Patterns[j].End
		}
	}
	return next, lineEnd(text, next)
}

func itemSpan(item syntax.Item) diag.Span {
	switch item := item.(type) {
	case *syntax.Rule:
		return item.Span
	case *syntax.Import:
		return item.Span
	case *syntax.Include:
		return item.Span
	}
	return diag.Span{}
}

func skipBlank(text []byte, off int32) int32 {
	for int(off) < len(text) && (text[off] == ' ' || text[off] == '\t' || text[off] == '\r' || text[off] == '\n') {
		off++
	}
	return off
}

func lineEnd(text []byte, off int32) int32 {
	if i := bytes.IndexByte(text[off:], '\n'); i >= 0 {
		return off + int32(i)
	}
	return int32(len(text))
}

// suppressed reports whether a warning is not to be given.
func (s *source) suppressed(d *diag.Diagnostic) bool {
	for _, p := range s.suppress {
		if p.code == d.Code && p.silences(d) {
			return true
		}
	}
	return false
}

func (p *suppression) silences(d *diag.Diagnostic) bool {
	if d.Span.Start >= p.start && d.Span.End <= p.end {
		return true
	}
	return slices.ContainsFunc(d.Labels, func(l diag.Label) bool {
		return l.Span.File == d.Span.File && l.Span.Start >= p.start && l.Span.End <= p.end
	})
}
