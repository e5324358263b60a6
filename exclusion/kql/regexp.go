package kql

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode"
)

// The code points that are halves of a character in UTF-16, which no text has.
const surrogates, pastSurrogates = 0xd800, 0xe000

// kustoRegexp rewrites an RE2 expression in KQL's syntax, that of Rust's regex
// crate, with the same meaning: classes are written out, because \d and \w are
// ASCII here and Unicode there, groups do not capture, and a word boundary is
// the ASCII one.
func kustoRegexp(src string) (string, error) {
	re, err := syntax.Parse(src, syntax.Perl)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := writeRegexp(&b, re); err != nil {
		return "", err
	}
	return b.String(), nil
}

var regexpWords = map[syntax.Op]string{
	syntax.OpEmptyMatch: "(?:)", syntax.OpNoMatch: `(?:\z(?s:.))`,
	syntax.OpBeginText: `\A`, syntax.OpEndText: `\z`, syntax.OpBeginLine: `(?m:^)`, syntax.OpEndLine: `(?m:$)`,
	syntax.OpWordBoundary: `(?-u:\b)`, syntax.OpAnyChar: `(?s:.)`, syntax.OpAnyCharNotNL: `[^\n]`,
}

var regexpRepeats = map[syntax.Op]string{syntax.OpStar: "*", syntax.OpPlus: "+", syntax.OpQuest: "?"}

func writeRegexp(b *strings.Builder, re *syntax.Regexp) error {
	if word, ok := regexpWords[re.Op]; ok {
		b.WriteString(word)
		return nil
	}
	switch re.Op {
	case syntax.OpLiteral:
		writeRegexpLiteral(b, re)
	case syntax.OpCharClass:
		writeRegexpClass(b, re.Rune)
	case syntax.OpCapture:
		return grouped(b, re.Sub[0])
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		if err := grouped(b, re.Sub[0]); err != nil {
			return err
		}
		b.WriteString(regexpRepeat(re))
	case syntax.OpConcat:
		return writeConcat(b, re)
	case syntax.OpAlternate:
		return writeAlternatives(b, re)
	default:
		return errors.New(`\B has no equal there`)
	}
	return nil
}

func writeConcat(b *strings.Builder, re *syntax.Regexp) error {
	for _, sub := range re.Sub {
		write := writeRegexp
		if sub.Op == syntax.OpAlternate {
			write = grouped
		}
		if err := write(b, sub); err != nil {
			return err
		}
	}
	return nil
}

func writeAlternatives(b *strings.Builder, re *syntax.Regexp) error {
	for i, sub := range re.Sub {
		if i > 0 {
			b.WriteByte('|')
		}
		if err := writeRegexp(b, sub); err != nil {
			return err
		}
	}
	return nil
}

// grouped writes re so that an operator can follow it.
func grouped(b *strings.Builder, re *syntax.Regexp) error {
	switch {
	case re.Op == syntax.OpCharClass || re.Op == syntax.OpAnyCharNotNL || re.Op == syntax.OpAnyChar,
		re.Op == syntax.OpLiteral && len(re.Rune) == 1 && re.Flags&syntax.FoldCase == 0:
		return writeRegexp(b, re)
	}
	b.WriteString("(?:")
	err := writeRegexp(b, re)
	b.WriteByte(')')
	return err
}

func regexpRepeat(re *syntax.Regexp) string {
	switch {
	case re.Op != syntax.OpRepeat:
		return regexpRepeats[re.Op]
	case re.Max < 0:
		return fmt.Sprintf("{%d,}", re.Min)
	case re.Min == re.Max:
		return fmt.Sprintf("{%d}", re.Min)
	}
	return fmt.Sprintf("{%d,%d}", re.Min, re.Max)
}

func writeRegexpLiteral(b *strings.Builder, re *syntax.Regexp) {
	if re.Flags&syntax.FoldCase != 0 {
		b.WriteString("(?i:")
		defer b.WriteByte(')')
	}
	for _, r := range re.Rune {
		if re.Flags&syntax.FoldCase != 0 && 'A' <= r && r <= 'Z' {
			r += 'a' - 'A' // easier to read, and the same
		}
		b.WriteString(regexpRune(r))
	}
}

// regexpRune writes one character, inside a class or outside.
func regexpRune(r rune) string {
	switch {
	case r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)), strings.ContainsRune("/_ :,;=@%\"'<>!", r):
		return string(r)
	case strings.ContainsRune(`.\+*?()|[]{}^$#&-~`, r):
		return `\` + string(r)
	}
	return fmt.Sprintf(`\x{%x}`, r)
}

// writeRegexpClass writes pairs of first and last characters. A class that
// reaches to both ends is written by what it leaves out.
func writeRegexpClass(b *strings.Builder, pairs []rune) {
	var ranges strings.Builder
	begin, nothing := "[", regexpWords[syntax.OpNoMatch]
	if n := len(pairs); n > 2 && pairs[0] == 0 && pairs[n-1] == unicode.MaxRune {
		begin, nothing = "[^", regexpWords[syntax.OpAnyChar]
		for i := 1; i < n-1; i += 2 {
			writeRange(&ranges, pairs[i]+1, pairs[i+1]-1)
		}
	} else {
		for i := 0; i < n; i += 2 {
			writeRange(&ranges, pairs[i], pairs[i+1])
		}
	}
	if ranges.Len() == 0 {
		b.WriteString(nothing)
		return
	}
	b.WriteString(begin + ranges.String() + "]")
}

// writeRange writes a range without ends that are halves of a character.
func writeRange(b *strings.Builder, lo, hi rune) {
	if lo >= surrogates && lo < pastSurrogates {
		lo = pastSurrogates
	}
	if hi >= surrogates && hi < pastSurrogates {
		hi = surrogates - 1
	}
	switch {
	case lo > hi:
	case lo == hi:
		b.WriteString(regexpRune(lo))
	default:
		b.WriteString(regexpRune(lo) + "-" + regexpRune(hi))
	}
}
