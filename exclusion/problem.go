package exclusion

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Level says how bad a problem is.
type Level string

// The levels.
const (
	LevelError   Level = "error"   // the exclusion cannot or must not be used
	LevelWarning Level = "warning" // it works, and probably not as meant
	LevelNote    Level = "note"    // worth knowing
)

// Problem is one fault of an exclusion. It is an error value.
type Problem struct {
	Code      string `json:"code"` // stable; see the Code constants and lint.Codes
	Level     Level  `json:"level"`
	Exclusion string `json:"exclusion,omitempty"` // id; empty where the problem is not of one exclusion
	// Field is the member of [Spec] at fault by its YAML name, such as "when",
	// "expires", "contexts[1]" or "parameters.dirs".
	Field string `json:"field"`
	// Offset, Line and Column place the problem inside Field where Field is
	// "when": bytes from its start, and line and column from 1 in characters.
	// Line is 0 where there is no place.
	Offset  int    `json:"offset"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // how to mend it
}

// Error returns the problem in one line.
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Exclusion)
	if p.Field != "" {
		fmt.Fprintf(&b, " %s", p.Field)
	}
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	fmt.Fprintf(&b, ": %s: %s [%s]", p.Level, p.Message, p.Code)
	if p.Hint != "" {
		fmt.Fprintf(&b, "; %s", p.Hint)
	}
	return strings.TrimSpace(b.String())
}

// The codes of problems that make an exclusion unusable; package lint adds
// those of exclusions that work.
const (
	CodeNoID             = "no-id"
	CodeNoWhen           = "no-when"
	CodeNoContext        = "no-context"
	CodeUnknownContext   = "unknown-context"
	CodeBadEffect        = "bad-effect"
	CodeBadSeverity      = "bad-severity"
	CodeBadDate          = "bad-date"
	CodeBadParameter     = "bad-parameter"
	CodeBadKnownBad      = "bad-known-bad" // a warning
	CodeSyntax           = "syntax"
	CodeTooLong          = "too-long"
	CodeUnknownName      = "unknown-name"
	CodeUnknownParameter = "unknown-parameter"
	CodeUnknownFunction  = "unknown-function"
	CodeType             = "type"
	CodeBadArgument      = "bad-argument"
	CodeWrongContext     = "wrong-context"
)

// problems collects what is wrong with one exclusion.
type problems struct {
	id   string
	when string
	list []*Problem
}

// field reports an error about a member of the spec.
func (p *problems) field(name, code, message, hint string) {
	p.list = append(p.list, &Problem{Code: code, Level: LevelError, Exclusion: p.id, Field: name, Message: message, Hint: hint})
}

// at reports an error at a byte offset of when.
func (p *problems) at(offset int, code, message, hint string) {
	offset = min(max(offset, 0), len(p.when))
	line, column := position(p.when, offset)
	p.list = append(p.list, &Problem{Code: code, Level: LevelError, Exclusion: p.id, Field: "when",
		Offset: offset, Line: line, Column: column, Message: message, Hint: hint})
}

// failed reports whether any problem is an error.
func (p *problems) failed() bool {
	return slices.ContainsFunc(p.list, func(q *Problem) bool { return q.Level == LevelError })
}

// position returns the line and column, from 1 in characters, of a byte offset.
func position(src string, offset int) (line, column int) {
	before := src[:min(offset, len(src))]
	start := strings.LastIndexByte(before, '\n') + 1
	return 1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[start:])
}

// suggest returns a hint that names the candidates nearest in spelling to
// word, or all of them where none is near and they are few.
func suggest(word string, candidates []string) string {
	best, near := len(word)/3+2, []string(nil)
	for _, c := range candidates {
		d := editDistance(word, c)
		if d > best || d >= len(word) {
			continue
		}
		if d < best {
			best, near = d, nil
		}
		near = append(near, c)
	}
	switch {
	case len(near) > 0:
		return "did you mean " + strings.Join(near[:min(3, len(near))], " or ") + "?"
	case len(candidates) > 0 && len(candidates) <= 8:
		return "there is " + strings.Join(candidates, ", ")
	}
	return ""
}

// editDistance returns the Levenshtein distance between a and b in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
