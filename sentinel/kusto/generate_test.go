package kusto_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// generator writes random expressions over facts that a table knows.
type generator struct {
	r     *rand.Rand
	facts map[besra.FactType][]string
}

var parameters = exclusion.Parameters{
	"dirs": {Default: []any{"/var/update", "/opt/Tool/", "C:/Tools"}}, "words": {Default: []any{"root", "backup", "", "K"}}, "none": {Default: []any{}},
	"unset": {Type: "strings"}, "size": {Default: int64(4096)}, "nets": {Default: []any{"10.0.0.0/8", "fd00::/8", "::/0"}},
	"typo": {Default: []any{"10.0.0.0/99", "10.0.0.0/8"}}, "climb": {Default: []any{"/a/../b", "/var/update"}}, "on": {Default: true}, "word": {Default: "root"},
}

var allowLists = exclusion.Lists{
	"vendor": {Source: "the vendor", Values: []string{strings.Repeat("a", 64), strings.Repeat("b", 64), "root", "x", "run.py"}},
	"unread": {Source: "nobody"},
}

func quoted(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strconv.Quote(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// some is up to n members of a list.
func (g generator) some(from []string, n int) []string {
	out := []string{}
	for range g.r.IntN(n + 1) {
		out = append(out, pick(g.r, from))
	}
	return out
}

func (g generator) fact(t besra.FactType) string { return pick(g.r, g.facts[t]) }

// one writes one of some forms; forms that need facts that there are not are
// left out before.
func (g generator) tree(depth int) string {
	if depth == 0 || g.r.IntN(4) == 0 {
		return g.atom()
	}
	sub := func() string { return g.tree(depth - 1) }
	switch g.r.IntN(8) {
	case 0, 1, 2:
		return "(" + sub() + " && " + sub() + ")"
	case 3, 4:
		return "(" + sub() + " || " + sub() + ")"
	case 5:
		return "!(" + sub() + ")"
	case 6:
		return "(" + sub() + " ? " + sub() + " : " + sub() + ")"
	}
	return "((" + sub() + ") == (" + sub() + "))"
}

func (g generator) atom() string {
	var forms []func() string
	if len(g.facts[besra.TypeString]) > 0 {
		forms = append(forms, g.text, g.text, g.path, g.path, g.quantified)
	}
	if len(g.facts[besra.TypeInt]) > 0 {
		forms = append(forms, g.number)
	}
	if len(g.facts[besra.TypeBool]) > 0 {
		forms = append(forms, g.yes)
	}
	if len(g.facts[besra.TypeTimestamp]) > 0 {
		forms = append(forms, g.time, g.time)
	}
	if len(g.facts[besra.TypeStrings]) > 0 {
		forms = append(forms, g.list, g.list)
	}
	return pick(g.r, forms)()
}

// textValue is a text: mostly a fact.
func (g generator) textValue() string {
	switch {
	case g.r.IntN(15) == 0:
		return "(" + g.atom() + " ? " + g.fact(besra.TypeString) + " : " + strconv.Quote(pick(g.r, words)) + ")"
	case g.r.IntN(12) == 0 && len(g.facts[besra.TypeStrings]) > 0:
		return fmt.Sprintf("%s[%d]", g.fact(besra.TypeStrings), g.r.IntN(3))
	case g.r.IntN(25) == 0:
		return "params.word"
	}
	return g.fact(besra.TypeString)
}

// near are texts that may equal the fact, start it or be in it.
func (g generator) near(fact string) string {
	s := someText(g.r, fact)
	if s != "" && g.r.IntN(2) == 0 {
		runes := []rune(s)
		a := g.r.IntN(len(runes))
		runes = runes[a : a+g.r.IntN(len(runes)-a)+1]
		s = string(runes)
	}
	return strconv.Quote(s)
}

func (g generator) text() string {
	v := g.textValue()
	switch g.r.IntN(10) {
	case 0:
		return v + " == " + g.near(v)
	case 1:
		return v + " != " + g.near(v)
	case 2:
		return v + " in [" + g.near(v) + ", " + g.near(v) + ", " + g.textValue() + "]"
	case 3:
		return v + " in " + pick(g.r, []string{"params.words", "params.none", "params.unset", "lists.vendor", "lists.unread", "params.dirs"})
	case 4:
		return v + "." + pick(g.r, []string{"startsWith", "endsWith", "contains"}) + "(" + g.near(v) + ")"
	case 5:
		return v + "." + pick(g.r, []string{"startsWith", "endsWith", "contains"}) + "(" + g.textValue() + ")"
	case 6:
		return v + ".matches(" + strconv.Quote(pick(g.r, regexps)) + ")"
	case 7:
		return v + pick(g.r, []string{" == ", " != "}) + g.textValue()
	case 8:
		return fmt.Sprintf("size(%s) %s %d", v, pick(g.r, []string{"<", "<=", ">", ">=", "==", "!="}), g.r.IntN(12))
	}
	return fmt.Sprintf("%s in [%s, %s]", v, g.near(v), g.near(v))
}

// path asks a path or an address.
func (g generator) path() string {
	v := g.fact(besra.TypeString)
	ofPaths := slices.DeleteFunc(slices.Clone(g.facts[besra.TypeString]), func(f string) bool {
		return !strings.HasSuffix(f, "path") && !strings.HasSuffix(f, "exe") && !strings.HasSuffix(f, "dir") && !strings.HasSuffix(f, ".ip")
	})
	if len(ofPaths) > 0 && g.r.IntN(8) > 0 {
		v = pick(g.r, ofPaths)
	}
	if strings.HasSuffix(v, ".ip") || g.r.IntN(20) == 0 {
		return g.call("cidr", v, networksOf, "params.nets", "params.typo")
	}
	if g.r.IntN(30) == 0 {
		v = strconv.Quote(pick(g.r, paths))
	}
	if g.r.IntN(2) == 0 {
		return g.call("under", v, dirs, "params.dirs", "params.climb")
	}
	return g.call("glob", v, patterns, "params.dirs", "params.climb")
}

func (g generator) call(name, v string, from []string, params ...string) string {
	arg := strconv.Quote(pick(g.r, from))
	switch g.r.IntN(4) {
	case 0:
		arg = quoted(append(g.some(from, 3), pick(g.r, from)))
	case 1:
		arg = pick(g.r, append(params, "params.none", "params.unset"))
	}
	if g.r.IntN(4) == 0 {
		return name + "(" + v + ", " + arg + ")"
	}
	return v + "." + name + "(" + arg + ")"
}

var comparisons = []string{"<", "<=", ">", ">=", "==", "!="}

// literalNumber writes a number; CEL reads the least one only with its sign.
func (g generator) literalNumber() string {
	return strconv.FormatInt(pick(g.r, numbers), 10)
}

func (g generator) number() string {
	v, other := g.fact(besra.TypeInt), g.literalNumber()
	switch g.r.IntN(9) {
	case 0:
		v = "(" + v + pick(g.r, []string{" + ", " - ", " * "}) + g.literalNumber() + ")"
	case 1:
		v = "(" + g.literalNumber() + pick(g.r, []string{" + ", " - ", " * "}) + v + ")"
	case 2:
		v = "(" + v + pick(g.r, []string{" + ", " - "}) + g.fact(besra.TypeInt) + ")"
	case 3:
		v = "-" + v
	case 4:
		return v + " in [" + other + ", " + g.literalNumber() + ", " + g.fact(besra.TypeInt) + "]"
	case 5:
		other = "params.size"
	case 6:
		other = g.fact(besra.TypeInt)
	}
	return v + " " + pick(g.r, comparisons) + " " + other
}

func (g generator) yes() string {
	f := g.fact(besra.TypeBool)
	return pick(g.r, []string{f, "!" + f, f + " == true", f + " != params.on", f + " == " + g.fact(besra.TypeBool), "(params.on ? " + f + " : false)"})
}

func (g generator) span() string { return "duration(" + strconv.Quote(pick(g.r, spans)) + ")" }

func (g generator) timeLiteral() string {
	return "timestamp(" + strconv.Quote(pick(g.r, moments)) + ")"
}

func (g generator) time() string {
	v, other := g.fact(besra.TypeTimestamp), g.fact(besra.TypeTimestamp)
	switch g.r.IntN(10) {
	case 0:
		return v + " " + pick(g.r, comparisons) + " " + g.timeLiteral()
	case 1:
		return v + " " + pick(g.r, comparisons) + " " + other
	case 2:
		return v + " - " + other + " " + pick(g.r, comparisons) + " " + g.span()
	case 3:
		return v + pick(g.r, []string{" + ", " - "}) + g.span() + " " + pick(g.r, comparisons) + " " + pick(g.r, []string{other, g.timeLiteral()})
	case 4:
		return g.timeLiteral() + " - " + v + pick(g.r, []string{" + ", " - "}) + g.span() + " " + pick(g.r, comparisons) + " " + g.span()
	case 5, 6:
		from, to := pick(g.r, clocks), pick(g.r, clocks)
		return fmt.Sprintf("%s.inWindow(%q, %q, %q)", v, from, to, pick(g.r, zones))
	}
	when := pick(g.r, crons)
	if g.r.IntN(2) == 0 {
		return fmt.Sprintf("%s.within(%q, duration(%q))", v, when, pick(g.r, slacks))
	}
	return fmt.Sprintf("%s.within(%q, duration(%q), %q)", v, when, pick(g.r, slacks), pick(g.r, zones))
}

func (g generator) list() string {
	f := g.fact(besra.TypeStrings)
	switch g.r.IntN(8) {
	case 0:
		return strconv.Quote(pick(g.r, words)) + " in " + f
	case 1:
		return fmt.Sprintf("%s.%s(x, x in %s)", f, pick(g.r, []string{"exists", "all"}), quoted(g.some(words, 4)))
	case 2:
		return fmt.Sprintf("%s.%s(x, x == %q)", f, pick(g.r, []string{"exists", "all"}), pick(g.r, words))
	case 3:
		return fmt.Sprintf("size(%s) %s %d", f, pick(g.r, comparisons), g.r.IntN(4))
	case 4:
		return fmt.Sprintf("%s[%d] %s %q", f, g.r.IntN(4)-g.r.IntN(2), pick(g.r, []string{"==", "!="}), pick(g.r, words))
	case 5:
		return f + pick(g.r, []string{" == ", " != "}) + quoted(g.some(words, 3))
	case 6:
		return fmt.Sprintf("%s.all(x, x in params.words)", f)
	}
	if len(g.facts[besra.TypeString]) == 0 {
		return "\"a\" in " + f
	}
	return g.fact(besra.TypeString) + " in " + f
}

// quantified asks the members of a list that is written out.
func (g generator) quantified() string {
	v := g.fact(besra.TypeString)
	kind := pick(g.r, []string{"exists", "all"})
	switch g.r.IntN(3) {
	case 0:
		return fmt.Sprintf("[%s, %s].%s(x, %s.startsWith(x))", g.near(v), g.near(v), kind, v)
	case 1:
		return fmt.Sprintf("params.dirs.%s(d, %s.under(d) || %s == d)", kind, v, g.fact(besra.TypeString))
	}
	return fmt.Sprintf("[%s, %s, %s].%s(x, x == %s)", v, g.fact(besra.TypeString), g.near(v), kind, g.near(v))
}
