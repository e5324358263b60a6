package diff

import (
	"fmt"
	"strings"
)

// conditions makes the condition of one rule.
type conditions struct {
	*generator
	ids   []string // of patterns, without the sign
	rules []string // that can be referred to
	depth int

	ints, strs []string // loop variables
	item       bool     // inside "for … of": $, #, @ and ! stand alone
	loops      int
}

// boolean makes a truth value, or a number that is taken for one; d is the
// depth that is left.
func (c *conditions) boolean(d int) *node {
	if d > 0 && c.chance(13) {
		return c.cast(d - 1)
	}
	return c.body(d)
}

// body is boolean without numbers: libyara counts a loop's body by its value.
func (c *conditions) body(d int) *node {
	if d <= 0 {
		return c.plainTruth()
	}
	forms := []func(int) *node{c.connective, c.connective, c.connective, c.comparison, c.comparison, c.quantified, c.quantified, c.loop,
		c.textTest, c.definedness, c.plain}
	if c.modern {
		forms = append(forms, c.newer)
	}
	return pick(c.generator, forms)(d - 1)
}

func (c *conditions) plain(int) *node { return c.plainTruth() }

// plainTruth makes a truth value without a condition below it.
func (c *conditions) plainTruth() *node {
	if c.item && c.chance(2) {
		switch c.IntN(3) {
		case 0:
			return leaf("bool", "$")
		case 1:
			return form("bool", "$ at %", c.small(0))
		}
		return form("bool", "$ in (%..%)", c.small(0), c.small(1))
	}
	if len(c.rules) > 0 && c.chance(3) {
		return leaf("bool", pick(c.generator, c.rules))
	}
	if len(c.ids) == 0 || c.chance(10) {
		return pick(c.generator, []*node{leaf("bool", "true"), leaf("bool", "false"), leaf("bool", "ext_b"), c.comparison(0)})
	}
	id := pick(c.generator, c.ids)
	switch c.IntN(8) {
	case 0:
		return form("bool", "$"+id+" at %", c.small(1))
	case 1:
		return form("bool", "$"+id+" in (%..%)", c.small(0), c.small(1))
	case 2:
		return form("bool", "#"+id+" "+c.comparator()+" %", c.small(0))
	}
	return leaf("bool", "$"+id+" ")
}

// connective joins conditions. In a loop, what or joins is no number either:
// libyara leaves it as it is.
func (c *conditions) connective(d int) *node {
	switch c.IntN(5) {
	case 0:
		return form("bool", "not (%)", c.boolean(d))
	case 1, 2:
		return form("bool", "(%) and (%)", c.boolean(d), c.boolean(d))
	}
	if c.loops > 0 {
		return form("bool", "(%) or (%)", c.body(d), c.body(d))
	}
	return form("bool", "(%) or (%)", c.boolean(d), c.boolean(d))
}

// gate makes what engines may decide before they search: bounds of the size
// and what the data begin with.
func (c *conditions) gate() *node {
	switch c.IntN(5) {
	case 0:
		return form("bool", c.reader()+"(%) "+c.comparator()+" %", leaf("small", "0"), c.plainInteger())
	case 1:
		return form("bool", c.reader()+"(0) == "+c.reader()+"(%)", c.small(0))
	case 2:
		if len(c.ids) > 0 {
			return form("bool", "$"+pick(c.generator, c.ids)+" at %", c.small(0))
		}
	}
	return form("bool", "filesize "+c.comparator()+" %", c.small(1))
}

func (c *conditions) comparator() string {
	return pick(c.generator, []string{"==", "!=", "<", "<=", ">", ">="})
}

func (c *conditions) comparison(d int) *node {
	switch c.IntN(6) {
	case 0:
		return form("bool", "% "+c.comparator()+" %", c.float(d), c.float(d))
	case 1:
		return form("bool", "% "+c.comparator()+" %", c.float(d), c.definite(d))
	case 2:
		// Order is asked of ASCII alone: libyara compares bytes as C's char,
		// which is signed here and unsigned elsewhere.
		op, a, b := c.comparator(), c.str(), c.str()
		if strings.Contains(a.String()+b.String(), `\x`) {
			op = "=="
		}
		return form("bool", "% "+op+" %", a, b)
	}
	return form("bool", "% "+c.comparator()+" %", c.integer(d), c.integer(d))
}

func (c *conditions) definedness(d int) *node {
	switch c.IntN(3) {
	case 0:
		return form("bool", "defined (%)", c.boolean(d))
	case 1:
		return form("bool", "defined (%)", c.float(d))
	}
	return form("bool", "defined (%)", c.integer(d))
}

// cast takes a number or a string for a truth value.
func (c *conditions) cast(d int) *node {
	kid := pick(c.generator, []*node{c.integer(d), c.integer(d), c.float(d), c.str()})
	return form("cast", "(%)", kid)
}

func (c *conditions) textTest(int) *node {
	op := pick(c.generator, []string{"contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iequals", "matches"})
	if op == "matches" {
		return form("bool", "% matches /%/"+pick(c.generator, []string{"", "i", "s", "is"}), c.str(), c.regexp(1))
	}
	return form("bool", "% "+op+" %", c.str(), c.str())
}

// quantified makes "… of …".
func (c *conditions) quantified(d int) *node {
	if len(c.rules) > 0 && c.chance(3) {
		return form("bool", "% of ("+strings.Join(c.someOf(c.rules), ", ")+")", c.quantifier())
	}
	if len(c.ids) == 0 {
		return c.comparison(d)
	}
	switch {
	case c.chance(4):
		return form("bool", "% of % in (%..%)", c.quantifier(), c.set(), c.small(0), c.small(1))
	case c.modern && c.chance(4):
		return form("bool", "% of % at %", c.quantifier(), c.set(), c.small(0))
	case c.item:
		return form("bool", "% of %", c.quantifier(), c.set())
	case c.chance(2):
		return c.eachPattern(d)
	}
	return form("bool", "% of %", c.quantifier(), c.set())
}

func (c *conditions) eachPattern(d int) *node {
	if c.loops >= 2 {
		return form("bool", "% of %", c.quantifier(), c.set())
	}
	inner := *c
	inner.item, inner.loops = true, c.loops+1
	return form("bool", "for % of % : ( % )", c.quantifier(), c.set(), inner.body(d))
}

func (c *conditions) quantifier() *node {
	switch c.IntN(10) {
	case 0, 1, 2:
		return leaf("quantifier", "any")
	case 3, 4:
		return leaf("quantifier", "all")
	case 5:
		return leaf("quantifier", "none")
	case 6:
		return leaf("quantifier", fmt.Sprintf("%d%%", c.between(1, 100)))
	case 7:
		return form("quantifier", "%", c.small(0))
	}
	return leaf("quantifier", fmt.Sprint(c.IntN(4)))
}

// set makes a set of patterns.
func (c *conditions) set() *node {
	switch c.IntN(4) {
	case 0:
		return leaf("set", "($*)")
	case 1:
		ids := c.someOf(c.ids)
		for i := range ids {
			ids[i] = "$" + ids[i]
		}
		return leaf("set", "("+strings.Join(ids, ",")+")")
	case 2:
		if c.ids[0][0] == 'a' {
			return leaf("set", "($a*)")
		}
	}
	return leaf("set", "them")
}

// someOf draws some names, each once.
func (c *conditions) someOf(names []string) []string {
	some := append([]string(nil), names...)
	c.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	return some[:c.between(1, len(some))]
}

// loop makes "for … in …".
func (c *conditions) loop(d int) *node {
	if c.loops >= 2 {
		return c.comparison(d)
	}
	inner := *c
	inner.loops++
	if c.modern && c.chance(4) {
		v := fmt.Sprintf("s%d", c.loops)
		inner.strs = append(inner.strs[:len(inner.strs):len(inner.strs)], v)
		return form("bool", "for % "+v+" in (%, %) : ( % )", c.quantifier(), c.str(), c.str(), inner.body(d))
	}
	v := fmt.Sprintf("i%d", c.loops)
	inner.ints = append(inner.ints[:len(inner.ints):len(inner.ints)], v)
	if c.chance(3) {
		return form("bool", "for % "+v+" in (%, %, %) : ( % )", c.quantifier(), c.integer(0), c.integer(1), c.small(0), inner.body(d))
	}
	return form("bool", "for % "+v+" in (%..%) : ( % )", c.quantifier(), c.small(0), c.small(1), inner.body(d))
}

// newer makes what only YARA-X has.
func (c *conditions) newer(d int) *node {
	if c.chance(2) {
		return form("bool", "% of (%, %, %)", c.quantifier(), c.boolean(d), c.boolean(d), c.boolean(0))
	}
	inner := *c
	v := fmt.Sprintf("w%d", c.loops)
	inner.ints = append(inner.ints[:len(inner.ints):len(inner.ints)], v)
	inner.loops++
	return form("bool", "with "+v+" = % : ( % )", c.integer(d), inner.boolean(d))
}
