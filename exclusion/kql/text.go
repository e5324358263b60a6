package kql

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/exclusion"
)

// textOperators are the operators that tell upper case from lower; those without
// "_cs" do not.
var textOperators = map[string]string{"startsWith": "startswith_cs", "endsWith": "endswith_cs", "contains": "contains_cs"}

// textTest compiles startsWith, endsWith and contains.
func (c *compiler) textTest(e *exclusion.Expr, want bool) cond {
	v, ok := c.value(e.Args[0])
	part, okPart := c.value(e.Args[1])
	if !ok || !okPart {
		return no
	}
	known := all(v.known, part.known)
	if part.lit == "" {
		return all(known, truth(want))
	}
	op := textOperators[e.Name]
	if !want {
		return all(known, atom(fmt.Sprintf("%s !%s %s", v.text, op, part.text)))
	}
	return all(v.given(part.lit != nil), part.known, atom(fmt.Sprintf("%s %s %s", v.text, op, part.text)))
}

// matches compiles a regular expression, which must be written out.
func (c *compiler) matches(e *exclusion.Expr, want bool) cond {
	v, ok := c.value(e.Args[0])
	src, written := c.writtenOut(e.Args[1])
	if !ok || !written {
		return no
	}
	if _, err := regexp.Compile(src); err != nil {
		return no // an error at the sensor, too
	}
	re, err := kustoRegexp(src)
	if err != nil {
		return c.refuse(e.Args[1], "the regular expression: "+err.Error(), "write it another way")
	}
	return all(v.known, regexpTest(v.text, re, want))
}

// regexpTest asks whether text fits an expression of KQL.
func regexpTest(text, re string, want bool) cond {
	test := text + " matches regex " + quote(re)
	if want {
		return atom(test)
	}
	return atom("not(" + test + ")")
}

func joined(texts []string) string { return strings.Join(texts, ", ") }

// watchlist notes that a watchlist is read.
func (c *compiler) watchlist(alias string) {
	if !slices.Contains(c.aliases, alias) {
		c.aliases = append(c.aliases, alias)
		slices.Sort(c.aliases)
	}
}
