package syntax

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/besra-hunt/besra/yara/diag"
)

// Limits of the parser. They bound the depth of recursion, here and in
// whoever walks the tree.
const (
	maxNesting = 2000   // calls of the parser inside each other: some 1,000 parentheses
	maxHeight  = 50_000 // nodes below each other, as in a chain of additions
)

// Parse parses a source. The File holds what parsed well: an item with an
// error is left out and reported, and parsing goes on with the next section
// or rule. Diagnostics are in source order and not resolved. Parse never
// panics; its time is linear in the length of the text, which may be up to
// 2 GiB. It may be called concurrently. The strings of the tree are parts of
// the text, which must not change any more.
func Parse(src *Source) (*File, diag.List) {
	f := &File{Source: src}
	if len(src.Text) > math.MaxInt32-1 {
		f.Incomplete = true
		return f, diag.List{{Code: "source_too_large", Title: "source too large", Primary: "rules are at most 2 GiB long"}}
	}
	p := &parser{lexer: lexer{src: unsafe.String(unsafe.SliceData(src.Text), len(src.Text)), file: src.Index, valid: utf8.Valid(src.Text)}}
	p.advance()
	for p.tok.kind != tEOF {
		if item := p.item(); item != nil {
			f.Items = append(f.Items, item)
		}
	}
	f.Comments = p.comments
	f.Incomplete = p.list.HasErrors()
	p.list.Sort()
	return f, p.list
}

// parser is a recursive-descent parser with one token of lookahead, two where
// peek is asked.
//
// The first syntax error of a section reports itself, sets failed, and makes
// every following token an end of file, so that all productions return
// without a check of their own; whoever can resynchronise calls resume.
type parser struct {
	lexer
	tok    token
	ahead  token // the token behind tok, where peeked
	peeked bool
	// last is where the last consumed token ends.
	last int32
	// expected collects what was looked for at tok, for the message.
	expected kindSet
	// failed is set from a syntax error to where parsing resumes; the token in
	// error is kept in stopped.
	failed  bool
	stopped token
	// bad is set when the rule at hand has an error of any kind.
	bad bool
	// nesting counts productions inside each other, height is that of the
	// expression parsed last.
	nesting, height int

	nodes
}

// advance moves to the next token.
func (p *parser) advance() {
	if p.failed {
		return
	}
	p.last = p.tok.end
	p.expected = kindSet{}
	if p.peeked {
		p.tok, p.peeked = p.ahead, false
		return
	}
	p.tok = p.scan()
}

// peek returns the kind of the token behind the current one.
func (p *parser) peek() kind {
	if p.failed {
		return tEOF
	}
	if !p.peeked {
		p.ahead, p.peeked = p.scan(), true
	}
	return p.ahead.kind
}

// at reports whether the current token is of the kind, and remembers that it
// could have been.
func (p *parser) at(k kind) bool {
	if p.tok.kind == k {
		return true
	}
	p.expected.add(k)
	return false
}

// got consumes the current token if it is of the kind.
func (p *parser) got(k kind) bool {
	if !p.at(k) {
		return false
	}
	p.advance()
	return true
}

// expect consumes a token of the kind; anything else is a syntax error.
func (p *parser) expect(k kind) token {
	t := p.tok
	if !p.got(k) {
		p.fail()
	}
	return t
}

// text returns the source of a token.
func (p *parser) text(t token) string { return p.src[t.start:t.end] }

// spanOf returns the span of a token.
func (p *parser) spanOf(t token) diag.Span {
	return diag.Span{File: p.file, Start: t.start, End: t.end}
}

// from returns the span from an offset to the last consumed token.
func (p *parser) from(start int32) diag.Span {
	return diag.Span{File: p.file, Start: start, End: max(start, p.last)}
}

// fail reports the current token as a syntax error, with what was expected in
// its place and the notes.
func (p *parser) fail(notes ...string) {
	if p.failed {
		return
	}
	if p.tok.kind != tBad {
		at := p.spanOf(p.tok)
		if p.tok.kind == tEOF {
			at.Start, at.End = p.last, p.last // where something is missing
		}
		text := "expecting " + p.expected.describe() + ", found " + p.found()
		p.report("syntax_error", "syntax error", at, text, append(p.explain(), notes...)...)
	}
	p.stop()
}

// failWith reports another fatal error, at the current token.
func (p *parser) failWith(code, title, primary string) {
	if !p.failed {
		p.report(code, title, p.spanOf(p.tok), primary)
		p.stop()
	}
}

func (p *parser) stop() {
	p.failed, p.bad = true, true
	p.stopped = p.tok
	p.tok = token{tEOF, p.tok.start, p.tok.start}
}

// resume ends the failed state: the token in error is the current one again.
func (p *parser) resume() {
	if p.failed {
		p.failed = false
		p.tok = p.stopped
	}
}

// mistake reports an error after which parsing goes on.
func (p *parser) mistake(code, title string, at diag.Span, primary string, notes ...string) {
	if !p.failed {
		p.bad = true
		p.report(code, title, at, primary, notes...)
	}
}

// foundMax is the length up to which a message quotes the token in error.
const foundMax = 24

// found says in words what the current token is.
func (p *parser) found() string {
	text := p.text(p.tok)
	switch {
	case p.tok.kind == tEOF:
		return words[tEOF]
	case text == byteOrderMark:
		return "a byte order mark"
	case len(text) > foundMax || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return words[p.tok.kind]
	}
	return "`" + text + "`"
}

const byteOrderMark = "\ufeff"

// explain returns the note that a common mistake at the current token deserves.
func (p *parser) explain() []string {
	k, operator := p.tok.kind, p.expected.has(xOperator)
	doubled := (k == tAmp || k == tPipe) && p.last > 0 && p.tok.start == p.last && p.src[p.last-1] == p.src[p.last]
	switch {
	case p.text(p.tok) == byteOrderMark:
		return []string{"save the file as UTF-8 without a byte order mark"}
	case k == tUnknown && strings.ContainsAny(p.text(p.tok), "“”„‟‘’"):
		return []string{"texts stand between plain quotes `\"`"}
	case k.isKeyword() && p.expected.has(tIdent):
		return []string{words[k] + " is a keyword and cannot be a name"}
	case p.expected.has(kCondition) && (k == kMeta || k == kStrings):
		return []string{"the sections of a rule are meta, strings and condition, each at most once and in this order"}
	case operator && k == tAssign:
		return []string{"equality is written `==`"}
	case operator && k == tRegexp:
		return []string{divisionNote}
	case doubled && k == tAmp:
		return []string{"`&&` is written `and`"}
	case doubled && k == tPipe:
		return []string{"`||` is written `or`"}
	}
	return nil
}

// item parses an import, an include or a rule; nil where it has an error.
func (p *parser) item() Item {
	p.bad = false
	var item Item
	switch {
	case p.at(kImport):
		start := p.tok.start
		p.advance()
		item = &Import{Name: p.stringLit(), Span: p.from(start)}
	case p.atInclude():
		start := p.tok.start
		p.advance()
		item = &Include{Path: p.stringLit(), Span: p.from(start)}
	case p.at(kGlobal), p.at(kPrivate), p.at(kRule):
		item = p.rule()
	default:
		p.fail()
	}
	if p.failed {
		p.resume()
		p.skip(p.atItem)
	}
	if p.bad {
		return nil
	}
	return item
}

// atInclude reports whether the current token is the word include.
func (p *parser) atInclude() bool {
	p.expected.add(kInclude)
	return p.tok.kind == tIdent && p.text(p.tok) == "include"
}

// atItem reports whether an item surely begins at the current token.
func (p *parser) atItem() bool {
	switch p.tok.kind {
	case kRule:
		return p.peek() == tIdent
	case kGlobal, kPrivate:
		next := p.peek()
		return next == kRule || next == kGlobal || next == kPrivate
	case kImport:
		return p.peek() == tString
	case tIdent:
		return p.text(p.tok) == "include" && p.peek() == tString
	}
	return false
}

// skip moves on to where parsing can resume, or to the end. Errors on the way
// are not reported.
func (p *parser) skip(there func() bool) {
	p.quiet = true
	for p.tok.kind != tEOF && !there() {
		p.advance()
	}
	p.quiet = false
}

// enter guards a production that can contain itself. It returns false, having
// failed, where the nesting is too deep. Each call needs its leave.
func (p *parser) enter() bool {
	p.nesting++
	if p.nesting > maxNesting {
		p.tooDeep()
	}
	return !p.failed
}

func (p *parser) leave() { p.nesting-- }

func (p *parser) tooDeep() {
	p.failWith("nesting_too_deep", "nesting too deep", "the rule is nested too deeply here")
}
