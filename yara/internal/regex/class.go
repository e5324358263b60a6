package regex

import (
	"strings"
	"unicode/utf8"
)

// class reads [ … ].
func (p *parser) class() *Node {
	s := p.classSet()
	if p.err != nil {
		return Empty()
	}
	return p.setNode(s)
}

// classSet reads a class and returns its characters.
func (p *parser) classSet() runeSet {
	start := p.pos
	if p.depth++; p.depth > maxDepth {
		p.fail(CodeTooDeep, "too many classes in each other", start, start+1, "")
		return nil
	}
	p.pos++
	p.blanks()
	negated := p.eat("^")
	s := p.classBody(start)
	if negated {
		s = s.negate(p.maxRune())
	}
	p.depth--
	return s
}

// classBody reads from behind the '[' or '[^' to behind the ']'. Operators
// take all that stands to their left.
func (p *parser) classBody(start int) runeSet {
	items := p.leadingLiterals()
	var left runeSet
	operator := ""
	for {
		p.blanks()
		if !p.more() {
			p.fail(CodeBadClass, "the class does not end", start, start+1, `write \[ for the character`)
			return nil
		}
		if p.eat("]") {
			return combine(left, operator, p.folded(items))
		}
		if op := p.classOperator(); op != "" {
			left, operator, items = combine(left, operator, p.folded(items)), op, nil
			continue
		}
		items = append(items, p.classItem()...)
	}
}

// leadingLiterals reads the '-' and the ']' that may begin a class.
func (p *parser) leadingLiterals() runeSet {
	var items runeSet
	if p.opt.LibYARA {
		if p.eat("]") {
			items = runeSet{{']', ']'}}
		}
		return items
	}
	for p.blanks(); p.eat("-"); p.blanks() {
		items = append(items, runeRange{'-', '-'})
	}
	if items == nil && p.eat("]") {
		items = runeSet{{']', ']'}}
	}
	return items
}

// folded sorts items, and adds the other case where case does not matter.
func (p *parser) folded(items runeSet) runeSet {
	s := items.normal()
	if !p.flags.fold {
		return s
	}
	if p.flags.unicode {
		return s.fold()
	}
	return runesOf(s.bytes().FoldCase())
}

// classOperator reads &&, -- or ~~.
func (p *parser) classOperator() string {
	if p.opt.LibYARA {
		return ""
	}
	for _, op := range []string{"&&", "--", "~~"} {
		if p.eat(op) {
			return op
		}
	}
	return ""
}

// combine applies an operator, or none.
func combine(left runeSet, operator string, right runeSet) runeSet {
	switch operator {
	case "&&":
		return left.intersect(right)
	case "--":
		return left.subtract(right)
	case "~~":
		return left.subtract(right).union(right.subtract(left))
	}
	return right
}

// classItem reads a character, a range, an escape, [:name:] or a class.
func (p *parser) classItem() runeSet {
	if p.at("[") && !p.opt.LibYARA {
		if s, ok := p.namedClass(); ok {
			return s
		}
		return p.classSet()
	}
	return p.classRange()
}

// namedClass reads [:name:] and [:^name:]. What is not a known name is a class
// in the class.
func (p *parser) namedClass() (runeSet, bool) {
	rest, ok := strings.CutPrefix(p.src[p.pos:], "[:")
	if !ok {
		return nil, false
	}
	name, _, ok := strings.Cut(rest, ":]")
	if !ok {
		return nil, false
	}
	bare, negated := strings.CutPrefix(name, "^")
	s, ok := asciiClass(bare)
	if !ok {
		return nil, false
	}
	p.pos += len("[:") + len(name) + len(":]")
	if negated {
		return runesOf(s).negate(p.maxRune()), true
	}
	return runesOf(s), true
}

// asciiClass returns the class that [:name:] is.
func asciiClass(name string) (Set, bool) {
	punct := RangeSet('!', '~').Intersect(setAlnum.Complement())
	s, ok := map[string]Set{
		"alnum": setAlnum, "alpha": setAlpha, "ascii": RangeSet(0, 0x7F),
		"blank": RangeSet('\t', '\t').Union(RangeSet(' ', ' ')),
		"cntrl": RangeSet(0, 0x1F).Union(RangeSet(0x7F, 0x7F)), "digit": setDigit,
		"graph": RangeSet('!', '~'), "lower": setLower, "print": RangeSet(' ', '~'),
		"punct": punct, "space": setSpace, "upper": setUpper, "word": setWord,
		"xdigit": setDigit.Union(RangeSet('A', 'F')).Union(RangeSet('a', 'f')),
	}[name]
	return s, ok
}

// classRange reads a-z, a character or an escape.
func (p *parser) classRange() runeSet {
	start := p.pos
	set, lo := p.classEnd(false)
	p.blanks()
	if !p.at("-") || p.rangeEnds() {
		return set
	}
	p.pos++
	p.blanks()
	if !p.more() {
		return nil // the class does not end, says the caller
	}
	_, hi := p.classEnd(true)
	switch {
	case p.err != nil:
		return nil
	case lo < 0 || hi < 0:
		p.fail(CodeBadClassRange, "a class of characters cannot end a range", start, p.pos, `write \- for the character`)
		return nil
	case lo > hi:
		p.fail(CodeBadClassRange, "the range's first character is greater than its last", start, p.pos, "")
		return nil
	}
	return runeSet{{lo, hi}}
}

// rangeEnds reports whether the '-' that comes next is no range's: it is the
// last character of the class or one half of an operator.
func (p *parser) rangeEnds() bool {
	rest := p.src[p.pos+1:]
	if p.flags.verbose {
		rest = strings.TrimLeft(rest, " \t\r\n\v\f")
	}
	return strings.HasPrefix(rest, "]") || strings.HasPrefix(rest, "-") && !p.opt.LibYARA
}

// classEnd reads what may be an end of a range: a character, which it returns
// in both forms, or a class escape, for which the character is -1. second is
// set behind the '-'.
func (p *parser) classEnd(second bool) (runeSet, rune) {
	start := p.pos
	if !p.at(`\`) {
		return p.classChar(start, p.next())
	}
	s, isClass := p.classEscape()
	if p.err != nil {
		return nil, 0
	}
	if isClass && p.opt.Relaxed && (second || p.at("-") && !p.rangeEnds()) {
		p.pos = start // libyara: [\w-z] is w-z, and [a-\d] a-d
		return p.classChar(start, p.letter())
	}
	if isClass {
		return s, -1
	}
	if a, ok := p.lookEscape(); ok {
		if !p.opt.Relaxed {
			p.fail(CodeBadEscape, a.String()+" has no meaning in a class", start, p.pos, "")
			return nil, 0
		}
		p.pos = start
		return p.classChar(start, p.letter())
	}
	return p.classChar(start, p.charEscape(true))
}

// letter reads a backslash and takes the letter behind it as itself.
func (p *parser) letter() char {
	c := p.src[p.pos+1]
	p.pos += 2
	return char{rune(c), true}
}

// classChar checks a character of a class.
func (p *parser) classChar(start int, c char) (runeSet, rune) {
	if !p.flags.unicode && c.r >= utf8.RuneSelf && (!c.byte || p.src[start] != '\\') {
		p.fail(CodeNonASCII, "a class is of bytes, this character is more than one", start, p.pos, "write (?u) in front, or its bytes as alternatives")
		return nil, 0
	}
	return runeSet{{c.r, c.r}}, c.r
}
