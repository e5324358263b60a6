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

// suppressions reads the `// suppress: code, code` comments of a file. Such a
// comment before a rule or a pattern speaks of the whole of it, behind code of
// the code on its line, and on a line of its own of the next line.
func suppressions(s *source, file *syntax.File) []suppression {
	var list []suppression
	for _, comment := range file.Comments {
		codes, ok := strings.CutPrefix(strings.TrimLeft(comment.Text, "/* \t"), "suppress:")
		if !ok {
			continue
		}
		start, end := suppressedSpan(s.Text, file, comment.Span)
		for code := range strings.SplitSeq(strings.TrimRight(codes, "*/ \t\r"), ",") {
			list = append(list, suppression{strings.TrimSpace(code), start, end})
		}
	}
	return list
}

func suppressedSpan(text []byte, file *syntax.File, comment diag.Span) (start, end int32) {
	line := int32(bytes.LastIndexByte(text[:comment.Start], '\n') + 1)
	if len(bytes.TrimSpace(text[line:comment.Start])) > 0 {
		return line, comment.Start
	}
	next := skipBlank(text, file, comment.End)
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

// skipBlank returns the offset of the next code after blanks and comments.
func skipBlank(text []byte, file *syntax.File, off int32) int32 {
	for {
		for int(off) < len(text) && bytes.IndexByte([]byte(" \t\r\n"), text[off]) >= 0 {
			off++
		}
		next := off
		for _, c := range file.Comments {
			if c.Start == off {
				next = c.End
			}
		}
		if next == off {
			return off
		}
		off = next
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
