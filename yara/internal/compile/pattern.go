package compile

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/syntax"
)

// rulePattern is a pattern of the rule under compilation.
type rulePattern struct {
	src        *syntax.Pattern
	low        *lowered
	private    bool
	kind       program.PatternKind
	used       bool
	inSet      bool  // of the set under work
	everywhere bool  // some use is not bound to the offset at
	positions  bool  // some use asks where or how often it occurs
	at         int64 // the one offset that uses asked for, or -1
	index      int32 // in Program.Patterns, set by link
}

// use notes what an expression asks of the pattern.
func (p *rulePattern) use(u patternUse) {
	p.used = true
	switch {
	case u.kind == useFound:
		p.everywhere = true
	case u.kind == usePositions:
		p.everywhere, p.positions = true, true
	case p.at < 0:
		p.at = u.at
	case p.at != u.at:
		p.everywhere, p.positions = true, true
	}
}

// settle decides between the one offset and positions: a pattern that is asked
// for both at an offset and elsewhere must know where it occurs.
func (p *rulePattern) settle() {
	if p.everywhere && p.at >= 0 {
		p.at, p.positions = -1, true
	}
}

// lowered is what a pattern came down to. Equal patterns of all rules share
// one, whatever their identifiers.
type lowered struct {
	needles []program.Needle
	longest bool
	cost    float64
	// bytes is the literal where the pattern is one and nothing else.
	bytes []byte
	// variants are its entries in Program.Patterns, one an offset.
	variants []variant
}

// pinned reports whether a pattern that a rule asks for at one offset only
// is told there only, as the dialect's engine does: of other patterns that has
// all matches, wherever they are.
func (low *lowered) pinned(d program.Dialect) bool {
	for i := range low.needles {
		switch n := &low.needles[i]; {
		case n.Kind == program.Literal && (!n.Fold || d == program.LibYARA):
		case n.Kind == program.Xor && d == program.LibYARA:
		default:
			return false
		}
	}
	return true
}

type variant struct {
	at    int64
	index int32
}

// modifiers are the words behind a pattern.
type modifiers struct {
	ascii, wide, nocase, fullword, private *syntax.Modifier
	xor, base64, base64wide                *syntax.Modifier
}

// addPatterns checks and lowers the patterns of the rule.
func (l *lowering) addPatterns() {
	list := l.rule.Patterns
	if len(list) > l.c.opt.Limits.Patterns {
		l.errorAt("too_many_patterns", l.rule.Name.Span, "too many patterns in a rule",
			"the limit is "+strconv.Itoa(l.c.opt.Limits.Patterns))
		list = list[:l.c.opt.Limits.Patterns]
	}
	l.patterns = make([]rulePattern, 0, len(list))
	l.byID = make(map[string]int, len(list))
	for _, src := range list {
		l.addPattern(src)
	}
}

func (l *lowering) addPattern(src *syntax.Pattern) {
	id := src.ID.Name
	if first, ok := l.byID[id]; ok && id != "$" {
		l.failed = true
		l.c.report(&diag.Diagnostic{Code: "duplicate_pattern", Title: "duplicate pattern `" + id + "`",
			Span: src.ID.Span, Primary: "declared again",
			Labels: []diag.Label{{Span: l.patterns[first].src.ID.Span, Text: "declared here for the first time"}}})
		return
	}
	if id != "$" {
		l.byID[id] = len(l.patterns)
	}
	l.checkIdentifier(src.ID)
	p := rulePattern{src: src, at: -1}
	if m, ok := l.modifiers(src); ok && !l.full {
		p.private = m.private != nil
		switch {
		case src.Text != nil:
			p.kind, p.low = program.TextPattern, l.textPattern(src, m)
		case src.Hex != nil:
			p.kind, p.low = program.HexPattern, l.hexPattern(src)
		case src.Regexp != nil:
			p.kind, p.low = program.RegexpPattern, l.regexpPattern(src, m)
		}
	}
	l.patterns = append(l.patterns, p)
}

func (l *lowering) checkIdentifier(id syntax.Ident) {
	if limit := l.c.opt.Limits.Identifier; len(id.Name) > limit {
		l.errorAt("identifier_too_long", id.Span, "identifier is too long", "the limit is "+strconv.Itoa(limit)+" bytes")
	}
}

// modifiers checks that the words behind a pattern may stand there, each once
// and together.
func (l *lowering) modifiers(src *syntax.Pattern) (m modifiers, ok bool) {
	ok = true
	for _, word := range src.Modifiers {
		place := m.place(word.Name)
		switch {
		case place == nil || !allowed(src, word.Name):
			ok = false
			l.errorAt("invalid_modifier", word.Span, "invalid modifier `"+word.Name+"`",
				"this modifier cannot stand behind a "+kindWord(src)+" pattern")
		case *place != nil:
			ok = false
			l.errorAt("duplicate_modifier", word.Span, "duplicate modifier `"+word.Name+"`", "")
		default:
			*place = word
		}
	}
	return m, l.compatible(m) && ok
}

func (m *modifiers) place(name string) **syntax.Modifier {
	switch name {
	case "ascii":
		return &m.ascii
	case "wide":
		return &m.wide
	case "nocase":
		return &m.nocase
	case "fullword":
		return &m.fullword
	case "private":
		return &m.private
	case "xor":
		return &m.xor
	case "base64":
		return &m.base64
	case "base64wide":
		return &m.base64wide
	}
	return nil
}

func allowed(src *syntax.Pattern, name string) bool {
	switch {
	case src.Hex != nil:
		return name == "private"
	case src.Regexp != nil:
		return name != "xor" && name != "base64" && name != "base64wide"
	}
	return true
}

func kindWord(src *syntax.Pattern) string {
	switch {
	case src.Hex != nil:
		return "hex"
	case src.Regexp != nil:
		return "regexp"
	}
	return "text"
}

// compatible refuses modifiers that contradict each other.
func (l *lowering) compatible(m modifiers) bool {
	ok := true
	for _, pair := range [][2]*syntax.Modifier{{m.xor, m.nocase}, {m.base64, m.nocase}, {m.base64wide, m.nocase},
		{m.base64, m.fullword}, {m.base64wide, m.fullword}, {m.base64, m.xor}, {m.base64wide, m.xor}} {
		a, b := pair[0], pair[1]
		if a == nil || b == nil {
			continue
		}
		ok, l.failed = false, true
		l.c.report(&diag.Diagnostic{Code: "invalid_modifier_combination",
			Title: "`" + a.Name + "` and `" + b.Name + "` cannot be used together", Span: b.Span,
			Labels: []diag.Label{{Span: a.Span, Text: "`" + a.Name + "` stands here"}}})
	}
	return ok
}

// intern returns the lowered form of the key in the scratch, made by build
// where it is new. A nil from build (an error was reported) is not kept.
func (l *lowering) intern(key []byte, build func() *lowered) *lowered {
	if low := l.c.lowered[string(key)]; low != nil {
		return low
	}
	stored := string(key)
	low := build()
	if low == nil {
		return nil
	}
	low.cost = costOf(low.needles)
	l.c.lowered[stored] = low
	l.charge(low)
	return low
}

// charge counts the memory of a pattern against the limit.
func (l *lowering) charge(low *lowered) {
	for i := range low.needles {
		l.c.patternRAM += needleSize(&low.needles[i])
	}
	limit := l.c.opt.Limits.PatternTotal
	if limit <= 0 {
		limit = 64<<20 + 32*l.c.sourceSize
	}
	if l.c.patternRAM > limit && !l.full {
		l.full = true
		l.errorAt("too_complex", l.rule.Name.Span, "the patterns are too large", "",
			"the limit is "+strconv.FormatInt(limit>>20, 10)+" MiB")
	}
}

// link gives the rule's patterns their places in the program, and rewrites the
// pattern operands of the nodes since m accordingly. It returns the places and
// the rule's names for them.
func (l *lowering) link(m mark) ([]int32, []program.PatternLabel) {
	list, labels := make([]int32, len(l.patterns)), make([]program.PatternLabel, len(l.patterns))
	for i := range l.patterns {
		p := &l.patterns[i]
		p.settle()
		p.index = l.c.patternIndex(p.low, p.at)
		l.c.prog.Patterns[p.index].Positions = l.c.prog.Patterns[p.index].Positions || p.positions
		told := p.index
		if p.at >= 0 && !p.low.pinned(l.c.opt.Dialect) {
			told = l.c.patternIndex(p.low, -1)
		}
		list[i], labels[i] = told, program.PatternLabel{ID: p.src.ID.Name, Private: p.private, Kind: p.kind}
	}
	for i := m.nodes; i < len(l.c.prog.Nodes); i++ {
		l.linkNode(&l.c.prog.Nodes[i])
	}
	return list, labels
}

func (l *lowering) linkNode(n *program.Node) {
	switch n.Op {
	case program.OpFound, program.OpFoundAt, program.OpFoundIn, program.OpCount, program.OpCountIn,
		program.OpOffset, program.OpLength:
		if n.V >= 0 {
			n.V = int64(l.patterns[n.V].index)
		}
	case program.OpOfPatterns, program.OpForOf:
		items := l.c.prog.Lists[n.L : n.L+n.N]
		for j := range items {
			items[j] = l.patterns[items[j]].index
		}
		if n.Op == program.OpOfPatterns {
			l.c.rarestFirst(items)
		}
	}
}

// rarestFirst orders patterns so that those are asked for first that are
// cheap to look for and most likely decide that a rule does not match.
func (c *Compiler) rarestFirst(patterns []int32) {
	slices.SortStableFunc(patterns, func(a, b int32) int {
		return cmp.Compare(c.prog.Patterns[a].Cost, c.prog.Patterns[b].Cost)
	})
}

// patternIndex returns the place of a lowered pattern that is asked for at one
// offset only, or anywhere (-1).
func (c *Compiler) patternIndex(low *lowered, at int64) int32 {
	for _, v := range low.variants {
		if v.at == at {
			return v.index
		}
	}
	index := int32(len(c.prog.Patterns))
	low.variants = append(low.variants, variant{at, index})
	c.prog.Patterns = append(c.prog.Patterns, program.Pattern{Needles: low.needles, Longest: low.longest, At: at,
		Cost: float32(low.cost)})
	return index
}
