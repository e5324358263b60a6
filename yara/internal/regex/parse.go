package regex

import (
	"strings"
	"unicode/utf8"
)

// maxDepth is how many groups and classes may lie in each other. regex-syntax,
// which YARA-X uses, allows as many.
const maxDepth = 250

// flags are what (?…) sets, for the rest of the group that it stands in.
type flags struct {
	fold     bool // i
	multi    bool // m
	dotAll   bool // s
	swap     bool // U: a* is non-greedy, a*? is greedy
	unicode  bool // u
	verbose  bool // x
	carriage bool // R: \r ends a line, too
}

// parser reads one source text. The first error stays and ends the reading:
// whatever is returned after it is not looked at.
type parser struct {
	src   string
	pos   int
	opt   Options
	flags flags
	depth int
	names map[string]bool
	// first is the first quantifier, all others must be as greedy.
	first *quantifier
	err   *SyntaxError
}

// quantifier is one that was read: source[start:end].
type quantifier struct {
	min, max   int
	greedy     bool // as written, before the flag U
	start, end int
}

// Parse reads a regexp. An error is a *SyntaxError.
func Parse(src string, o Options) (*Node, error) {
	if o.LibYARA {
		o.Relaxed = true
	}
	p := &parser{src: src, opt: o}
	p.flags.fold, p.flags.dotAll = o.CaseInsensitive, o.DotAll
	n := p.alternation()
	if p.err == nil && p.more() {
		p.fail(CodeInvalid, "unopened group", p.pos, p.pos+1, `write \) for the character`)
	}
	if p.err != nil {
		return nil, p.err
	}
	return n, nil
}

// fail keeps the first error and returns a node to go on with.
func (p *parser) fail(code, message string, start, end int, hint string) *Node {
	if p.err == nil {
		p.err = &SyntaxError{Code: code, Message: message, Start: start, End: min(end, len(p.src)), Hint: hint}
		p.pos = len(p.src)
	}
	return Empty()
}

// more reports whether there is something left to read.
func (p *parser) more() bool { return p.pos < len(p.src) }

// at reports whether s comes next.
func (p *parser) at(s string) bool { return strings.HasPrefix(p.src[p.pos:], s) }

// eat reads s where it comes next.
func (p *parser) eat(s string) bool {
	if !p.at(s) {
		return false
	}
	p.pos += len(s)
	return true
}

// blanks skips what flag x makes insignificant: blanks and comments.
func (p *parser) blanks() {
	for p.flags.verbose && p.more() {
		if p.eat("#") {
			if i := strings.IndexByte(p.src[p.pos:], '\n'); i >= 0 {
				p.pos += i + 1
			} else {
				p.pos = len(p.src)
			}
			continue
		}
		if c := p.src[p.pos]; !setSpace.Has(c) {
			return
		}
		p.pos++
	}
}

func (p *parser) alternation() *Node {
	subs := []*Node{p.concatenation()}
	for p.eat("|") {
		subs = append(subs, p.concatenation())
	}
	return Alternate(subs...)
}

func (p *parser) concatenation() *Node {
	var subs []*Node
	for {
		p.blanks()
		if !p.more() || p.at("|") || p.at(")") {
			return Concat(subs...)
		}
		if n := p.operand(); n != nil {
			subs = append(subs, p.quantified(n))
		}
	}
}

// operand reads what a quantifier can follow, or nil for a bare (?flags).
func (p *parser) operand() *Node {
	start := p.pos
	switch p.src[p.pos] {
	case '(':
		return p.group()
	case '[':
		return p.class()
	case '\\':
		return p.escape()
	case '*', '+', '?':
		return p.fail(CodeInvalid, "nothing to repeat", start, start+1, `write \`+p.src[start:start+1]+` for the character`)
	case '{':
		if !p.opt.Relaxed {
			return p.fail(CodeInvalid, "nothing to repeat", start, start+1, `write \{ for the character`)
		}
	}
	switch {
	case p.eat("."):
		return p.dot()
	case p.eat("^"):
		return Assert(p.lineLook(Begin))
	case p.eat("$"):
		return Assert(p.lineLook(End))
	}
	return p.char(p.next())
}

// next reads a character: a code point, or a byte where the text is not
// UTF-8 or libyara is followed, which knows bytes only.
func (p *parser) next() char {
	r, size := utf8.DecodeRuneInString(p.src[p.pos:])
	if r == utf8.RuneError && size <= 1 || p.opt.LibYARA {
		r, size = rune(p.src[p.pos]), 1
		p.pos++
		return char{r, true}
	}
	p.pos += size
	return char{r, r < utf8.RuneSelf}
}

// char is a character of the source or an escape: a code point, or a byte that
// was named by its value.
type char struct {
	r    rune
	byte bool
}

// char returns a node for a character.
func (p *parser) char(c char) *Node {
	if p.flags.unicode {
		s := runeSet{{c.r, c.r}}
		if p.flags.fold {
			s = s.fold()
		}
		return s.node()
	}
	if !c.byte && c.r >= utf8.RuneSelf {
		return Literal(utf8.AppendRune(nil, c.r))
	}
	n := Literal([]byte{byte(c.r)})
	if p.flags.fold {
		return n.FoldCase()
	}
	return n
}

func (p *parser) dot() *Node {
	if p.flags.unicode {
		s := runeSet{{0, utf8.MaxRune}}
		if !p.flags.dotAll {
			s = s.subtract(p.lineEnds())
		}
		return s.node()
	}
	if p.flags.dotAll {
		n := Class(AnyByte())
		n.Dot = p.opt.DotAll
		return n
	}
	s := setDot
	if p.flags.carriage {
		s = s.Intersect(RangeSet('\r', '\r').Complement())
	}
	return Class(s)
}

// lineEnds are the characters that a dot does not match.
func (p *parser) lineEnds() runeSet {
	if p.flags.carriage {
		return runeSet{{'\n', '\n'}, {'\r', '\r'}}
	}
	return runeSet{{'\n', '\n'}}
}

// lineLook returns what ^ or $ means.
func (p *parser) lineLook(a Assertion) Assertion {
	if !p.flags.multi {
		return a
	}
	crlf := p.flags.carriage || !p.opt.Matches
	switch {
	case a == Begin && crlf:
		return LineBeginCRLF
	case a == Begin:
		return LineBegin
	case crlf:
		return LineEndCRLF
	}
	return LineEnd
}

// quantified reads the quantifiers behind n.
func (p *parser) quantified(n *Node) *Node {
	for turn := 0; p.err == nil; turn++ {
		p.blanks()
		q, ok := p.quantifier()
		if !ok {
			break
		}
		if turn == maxDepth {
			return p.fail(CodeTooDeep, "too many quantifiers one after the other", q.start, p.pos, "")
		}
		if p.blanks(); p.eat("?") {
			q.greedy = false
		}
		q.end = p.pos
		p.checkGreediness(q)
		n = Repeat(n, q.min, q.max, q.greedy != p.flags.swap)
	}
	return n
}

func (p *parser) checkGreediness(q quantifier) {
	if p.first == nil {
		p.first = &q
		return
	}
	if p.first.greedy == q.greedy || p.opt.Matches {
		return
	}
	kinds := map[bool]string{true: "greedy", false: "non-greedy"}
	p.fail(CodeMixedGreediness, "greedy and non-greedy quantifiers in one regexp", q.start, q.end,
		p.src[p.first.start:p.first.end]+" before it is "+kinds[p.first.greedy]+", this one is "+kinds[q.greedy])
}

func (p *parser) quantifier() (quantifier, bool) {
	q := quantifier{greedy: true, max: -1, start: p.pos}
	switch {
	case p.eat("*"):
	case p.eat("+"):
		q.min = 1
	case p.eat("?"):
		q.max = 1
	case p.at("{"):
		return p.counted(q)
	default:
		return q, false
	}
	return q, true
}

// counted reads {n}, {n,}, {,m} and {n,m}.
func (p *parser) counted(q quantifier) (quantifier, bool) {
	body, _, ok := strings.Cut(p.src[p.pos+1:], "}")
	end := p.pos + 1 + len(body) + 1
	if !ok || !p.bounds(body, &q) {
		if !p.opt.Relaxed {
			p.fail(CodeBadRepetition, "a quantifier is {n}, {n,}, {,m} or {n,m}", p.pos, end, `write \{ for the character`)
		}
		return q, false
	}
	p.pos = end
	switch {
	case q.min > maxCount || q.max > maxCount:
		p.fail(CodeBadRepetition, "number of repetitions too large", q.start, end, "")
	case q.max >= 0 && q.min > q.max:
		p.fail(CodeBadRepetition, "the minimum of repetitions is greater than the maximum", q.start, end, "")
	}
	return q, true
}

// maxCount is the greatest number in a quantifier. What a regexp may really
// amount to is bounded by Limits.
const maxCount = 1 << 26

// bounds reads what stands between the braces of a quantifier.
func (p *parser) bounds(body string, q *quantifier) bool {
	lo, hi, comma := strings.Cut(body, ",")
	if p.opt.LibYARA && strings.TrimLeft(lo, " ") != lo {
		return false // libyara allows blanks around the comma only
	}
	lo, hi = strings.Trim(lo, " \t"), strings.Trim(hi, " \t")
	var okLo, okHi bool
	q.min, okLo = count(lo)
	q.max, okHi = count(hi)
	switch {
	case !okLo || !okHi:
		return false
	case !comma:
		q.max = q.min
		return lo != ""
	case hi == "":
		q.max = -1
		return lo != "" || p.opt.Relaxed
	}
	return true
}

// count reads decimal digits; none are 0, and too many are more than maxCount.
func count(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = min(n*10+int(s[i]-'0'), maxCount+1)
	}
	return n, true
}
