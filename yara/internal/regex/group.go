package regex

import "strings"

// group reads ( … ) in all its forms. It returns nil for (?flags).
func (p *parser) group() *Node {
	start := p.pos
	if p.depth++; p.depth > maxDepth {
		return p.fail(CodeTooDeep, "too many groups in each other", start, start+1, "")
	}
	outer := p.flags
	p.pos++
	if p.at("?") {
		if bare := p.groupKind(start); bare || p.err != nil {
			p.depth--
			return nil
		}
	}
	n := p.alternation()
	if !p.eat(")") {
		return p.fail(CodeInvalid, "unclosed group", start, start+1, `write \( for the character`)
	}
	p.flags = outer
	p.depth--
	return n
}

// groupKind reads what makes a group special, up to the ':' or '>', and sets
// the flags. It reports whether that was all of it: (?flags).
func (p *parser) groupKind(start int) (bare bool) {
	for _, look := range []string{"?=", "?!", "?<=", "?<!"} {
		if p.at(look) {
			p.fail(CodeLookaround, "look-around is not supported", start, p.pos+len(look), "")
			return false
		}
	}
	if p.eat("?P<") || p.eat("?<") {
		p.groupName()
		return false
	}
	if p.at("?P=") || p.at("?P>") {
		p.fail(CodeBackreference, "back-references are not supported", start, p.pos+3, "")
		return false
	}
	p.pos++
	return p.groupFlags(start)
}

func (p *parser) groupName() {
	name, _, ok := strings.Cut(p.src[p.pos:], ">")
	start := p.pos
	switch {
	case !ok || name == "":
		p.fail(CodeBadGroup, "a group's name is missing or does not end", start, start+len(name), "")
	case !validName(name):
		p.fail(CodeBadGroup, "a group's name is letters, digits, '_', '.', '[' and ']', and begins with a letter or '_'", start, start+len(name), "")
	case p.names[name]:
		p.fail(CodeBadGroup, "two groups of one name", start, start+len(name), "")
	default:
		if p.names == nil {
			p.names = map[string]bool{}
		}
		p.names[name] = true
		p.pos += len(name) + 1
	}
}

func validName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !setWord.Has(c) && c < 0x80 && (i == 0 || !strings.ContainsRune(".[]", rune(c))) || i == 0 && setDigit.Has(c) {
			return false
		}
	}
	return true
}

// groupFlags reads flags up to ':' or ')'.
func (p *parser) groupFlags(start int) (bare bool) {
	seen, on := "", true
	for p.more() {
		c := p.src[p.pos]
		p.pos++
		switch {
		case c == ':' || c == ')':
			if seen == "" && c == ')' || strings.HasSuffix(seen, "-") {
				p.fail(CodeBadGroup, "a flag is missing", start, p.pos, "")
			}
			return c == ')'
		case strings.IndexByte(seen, c) >= 0:
			p.fail(CodeBadGroup, "a flag or '-' twice", p.pos-1, p.pos, "")
			return false
		case c == '-':
			on = false
		case !p.setFlag(c, on):
			p.fail(CodeBadGroup, "unknown flag", p.pos-1, p.pos, "the flags are i, m, s, x, U, u and R")
			return false
		}
		seen += string(rune(c))
	}
	p.fail(CodeInvalid, "unclosed group", start, start+1, "")
	return false
}

func (p *parser) setFlag(c byte, on bool) bool {
	f := &p.flags
	to := map[byte]*bool{'i': &f.fold, 'm': &f.multi, 's': &f.dotAll, 'x': &f.verbose,
		'U': &f.swap, 'u': &f.unicode, 'R': &f.carriage}[c]
	if to == nil {
		return false
	}
	*to = on
	return true
}
