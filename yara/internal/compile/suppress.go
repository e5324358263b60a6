package compile

import (
	"bytes"
	"strings"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/syntax"
)

// suppression silences a warning whose span starts within Start..End, or
// covers all of it.
type suppression struct {
	code       string
	start, end int32
}

// mostSuppressions bounds the work; further ones are without effect.
const mostSuppressions = 5_000

// suppressions reads the `// suppress: code, code` comments of a file. Such a
// comment before a rule or a pattern speaks of the whole of it, behind code of
// the code on its line, and on a line of its own of the next line.
func suppressions(s *source, file *syntax.File) []suppression {
	var list []suppression
	for i, comment := range file.Comments {
		codes, ok := strings.CutPrefix(strings.TrimLeft(comment.Text, "/* \t"), "suppress:")
		if !ok {
			continue
		}
		if len(list) > mostSuppressions {
			break
		}
		start, end := suppressedSpan(s.Text, file, i)
		for code := range strings.SplitSeq(strings.TrimRight(codes, "*/ \t\r"), ",") {
			list = append(list, suppression{strings.TrimSpace(code), start, end})
		}
	}
	return list
}

func suppressedSpan(text []byte, file *syntax.File, index int) (start, end int32) {
	comment := file.Comments[index].Span
	line := int32(bytes.LastIndexByte(text[:comment.Start], '\n') + 1)
	if len(bytes.TrimSpace(text[line:comment.Start])) > 0 {
		return line, comment.Start
	}
	next := skipBlank(text, file.Comments[index+1:], comment.End)
	for _, item := range file.Items {
		rule, ok := item.(*syntax.Rule)
		if !ok || rule.End < comment.End {
			continue
		}
		if rule.Start == next {
			return rule.Start, rule.End
		}
		for _, p := range rule.Patterns {
			if p.Start == next {
				return p.Start, p.End
			}
		}
	}
	return next, lineEnd(text, next)
}

// skipBlank returns the offset of the next code after blanks and the comments
// that follow.
func skipBlank(text []byte, comments []*syntax.Comment, off int32) int32 {
	for {
		for int(off) < len(text) && strings.IndexByte(" \t\r\n", text[off]) >= 0 {
			off++
		}
		if len(comments) == 0 || comments[0].Start != off {
			return off
		}
		off, comments = comments[0].End, comments[1:]
	}
}

func lineEnd(text []byte, off int32) int32 {
	if i := bytes.IndexByte(text[off:], '\n'); i >= 0 {
		return off + int32(i)
	}
	return int32(len(text))
}

func (s *source) suppressed(code string, at diag.Span) bool {
	for _, p := range s.suppress {
		if p.code == code && at.Start < p.end && at.End > p.start {
			return true
		}
	}
	return false
}
