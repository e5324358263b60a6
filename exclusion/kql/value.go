package kql

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// kind is the type of a value.
type kind uint8

const (
	kindText kind = iota
	kindInt
	kindBool
	kindTime
	kindSpan
	kindList
)

// value is what an expression that is no yes or no computes.
type value struct {
	kind kind
	text string // in KQL
	// lit is what is written out: string, int64, bool, time.Time, time.Duration.
	lit any
	// members are those of a list that is written out; never nil for one.
	members []*exclusion.Expr
	alias   string // the watchlist that holds the list
	// known holds where the value has a meaning; yes where it always has.
	known cond
	step  string // where text is a fact, a name for columns made of it
}

// given is known, or yes where a test of the value that is true says as much: no
// missing text is equal to, starts with or has another that is not empty.
func (v value) given(says bool) cond {
	if says && v.known.text == "isnotempty("+v.text+")" {
		return yes
	}
	return v.known
}

var kinds = map[besra.FactType]kind{besra.TypeString: kindText, besra.TypeInt: kindInt, besra.TypeBool: kindBool,
	besra.TypeTimestamp: kindTime, besra.TypeStrings: kindList}

// value compiles an expression that is no logic; ok is false where it was
// refused or is never known.
func (c *compiler) value(e *exclusion.Expr) (value, bool) {
	switch e.Kind {
	case exclusion.KindLiteral:
		return c.literal(e, e.Value)
	case exclusion.KindList:
		return value{kind: kindList, members: e.Args, known: yes}, true
	case exclusion.KindParam:
		return c.param(e)
	case exclusion.KindFact:
		v, ok := c.fact(e.Name)
		if !ok {
			c.refuse(e, e.Name+" is not in its rows", "see docs/exclusions.md for the facts of each table")
		}
		return v, ok
	case exclusion.KindCall:
		return c.computed(e)
	}
	c.refuse(e, fmt.Sprintf("%s as a value", e.Kind), "compare it where it stands")
	return value{}, false
}

// literal is a value that is written out.
func (c *compiler) literal(e *exclusion.Expr, v any) (value, bool) {
	out := value{lit: v, known: yes}
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			c.refuse(e, "text that is not UTF-8", "")
			return out, false
		}
		out.kind, out.text = kindText, quote(v)
	case int64:
		out.kind, out.text = kindInt, long(v)
	case bool:
		out.kind, out.text = kindBool, fmt.Sprint(v)
	default:
		c.refuse(e, fmt.Sprintf("the number %v, which is not whole", v), "write a whole number")
		return out, false
	}
	return out, true
}

func long(n int64) string {
	if n == math.MinInt64 {
		return "(-9223372036854775807 - 1)"
	}
	return fmt.Sprint(n)
}

// param is the value of a parameter or list. One that is not set is never known.
func (c *compiler) param(e *exclusion.Expr) (value, bool) {
	if alias := c.options.Watchlists[e.Name]; alias != "" {
		return value{kind: kindList, alias: alias, known: yes}, true
	}
	switch v := c.x.Param(e.Name).(type) {
	case nil:
		return value{}, false
	case []string:
		out := value{kind: kindList, members: make([]*exclusion.Expr, len(v)), known: yes}
		for i, s := range v {
			out.members[i] = literalAt(e, s)
		}
		return out, true
	default:
		return c.literal(e, v)
	}
}

// literalAt is a literal at the place of e.
func literalAt(e *exclusion.Expr, v any) *exclusion.Expr {
	return &exclusion.Expr{Kind: exclusion.KindLiteral, Value: v, Offset: e.Offset, Line: e.Line, Column: e.Column}
}

// strings returns the members where all are text that is written out.
func (v value) strings() ([]string, bool) {
	out := make([]string, len(v.members))
	for i, m := range v.members {
		s, ok := m.Value.(string)
		if !ok || !utf8.ValidString(s) {
			return nil, false
		}
		out[i] = s
	}
	return out, true
}

// dynamic writes a list of text as a literal.
func dynamic(list []string) string { return "dynamic([" + quoteAll(list) + "])" }

// fact is the value of a fact in a row of the table.
func (c *compiler) fact(name string) (value, bool) {
	def, ok := besra.FactNamed(name)
	if !ok || def.Name == "host.schedules" || def.Name == "host.user_schedules" {
		return value{}, false // which only the sensor reads
	}
	v := value{kind: kinds[def.Type], step: stepName(name)}
	if col, ok := c.table.Column(name); ok {
		v.text = c.read(col.Name)
		v.known = c.known(v, "")
		return v, true
	}
	for _, f := range c.table.Computed {
		if f.Fact != name {
			continue
		}
		for _, col := range f.Columns {
			c.read(col)
		}
		v.text = f.Value
		if f.Step != "" {
			v.text = c.step(f.Step, f.Value)
		}
		v.known = c.known(v, f.Known)
		return v, true
	}
	if c.table.Bag == "" {
		return value{}, false
	}
	return c.bagged(v, fmt.Sprintf("%s[%s]", c.read(c.table.Bag), quote(name))), true
}

// stepName is the name for columns made of a fact: BesraFilePath.
func stepName(fact string) string {
	var b strings.Builder
	b.WriteString("Besra")
	for part := range strings.FieldsFuncSeq(fact, func(r rune) bool { return r == '.' || r == '_' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// known is the usual test that a value is there. A missing text is empty in KQL.
func (c *compiler) known(v value, test string) cond {
	switch {
	case test != "":
		return atom(test)
	case v.kind == kindText:
		return atom("isnotempty(" + v.text + ")")
	case v.kind == kindList:
		return atom("gettype(" + v.text + ") == \"array\"")
	}
	return atom("isnotnull(" + v.text + ")")
}

// bagged is a value in a property bag, where text can be known and empty.
func (c *compiler) bagged(v value, property string) value {
	convert := map[kind]string{kindText: "tostring", kindInt: "tolong", kindBool: "tobool", kindTime: "todatetime"}[v.kind]
	if convert == "" {
		v.text = property
		v.known = c.known(v, "")
		return v
	}
	v.text = convert + "(" + property + ")"
	v.known = atom("isnotnull(" + v.text + ")")
	if v.kind == kindText {
		v.known = atom("gettype(" + property + ") == \"string\"")
	}
	return v
}

// computed is the value of a call.
func (c *compiler) computed(e *exclusion.Expr) (value, bool) {
	switch e.Name {
	case "timestamp":
		return c.timeLiteral(e)
	case "duration":
		return c.spanLiteral(e)
	case "size":
		return c.size(e)
	case "[]":
		return c.index(e)
	case "+", "-", "*":
		return c.arithmetic(e)
	}
	c.refuse(e, e.Name+" as a value", "compare facts, parameters and what is written out")
	return value{}, false
}

func (c *compiler) timeLiteral(e *exclusion.Expr) (value, bool) {
	text, ok := c.writtenOut(e.Args[0])
	if !ok {
		return value{}, false
	}
	t, err := time.Parse(time.RFC3339, text)
	switch {
	case err != nil:
		return value{}, false // an error at the sensor, too
	case t.Nanosecond()%int(tick) != 0 || t.UTC().Year() < 1 || t.UTC().Year() > 9999:
		c.refuse(e, "its times have seven decimals and years from 1 to 9999", "")
		return value{}, false
	}
	return value{kind: kindTime, text: instant(t), lit: t, known: yes}, true
}

func (c *compiler) spanLiteral(e *exclusion.Expr) (value, bool) {
	text, ok := c.writtenOut(e.Args[0])
	if !ok {
		return value{}, false
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return value{}, false
	}
	return c.spanOf(e, d)
}

// spanOf is a duration that is written out.
func (c *compiler) spanOf(e *exclusion.Expr, d time.Duration) (value, bool) {
	if d%tick != 0 {
		c.refuse(e, "its spans of time have seven decimals", "")
		return value{}, false
	}
	return value{kind: kindSpan, text: span(d), lit: d, known: yes}, true
}

// writtenOut is text that is a literal or a parameter.
func (c *compiler) writtenOut(e *exclusion.Expr) (string, bool) {
	if len(e.Facts()) > 0 {
		c.refuse(e, e.String()+" must be written out or a parameter", "")
		return "", false
	}
	v, ok := c.value(e)
	if !ok {
		return "", false
	}
	s, ok := v.lit.(string)
	return s, ok
}

// size is the number of members of a list, or of characters.
func (c *compiler) size(e *exclusion.Expr) (value, bool) {
	v, ok := c.value(e.Args[0])
	if !ok {
		return v, false
	}
	switch s, text := v.lit.(string); {
	case text:
		return c.literal(e, int64(utf8.RuneCountInString(s)))
	case v.members != nil:
		return c.literal(e, int64(len(v.members)))
	case v.alias != "":
		c.refuse(e, "the size of a watchlist", "")
		return v, false
	case v.kind == kindList:
		return value{kind: kindInt, text: "array_length(" + v.text + ")", known: v.known}, true
	}
	return value{kind: kindInt, text: "strlen(" + v.text + ")", known: v.known}, true
}

// index is a member of a list at an index that is written out.
func (c *compiler) index(e *exclusion.Expr) (value, bool) {
	list, okList := c.value(e.Args[0])
	at, okAt := c.value(e.Args[1])
	if !okList || !okAt {
		return value{}, false
	}
	i, written := at.lit.(int64)
	switch {
	case !written:
		c.refuse(e.Args[1], "an index that is not written out", "")
		return value{}, false
	case list.alias != "":
		c.refuse(e, "a member of a watchlist by its place", "")
		return value{}, false
	case i < 0 || list.members != nil && i >= int64(len(list.members)):
		return value{}, false // an error at the sensor, too
	case list.members != nil:
		return c.value(list.members[i])
	}
	return value{kind: kindText, text: fmt.Sprintf("tostring(%s[%d])", list.text, i),
		known: all(list.known, atom(fmt.Sprintf("array_length(%s) > %d", list.text, i)))}, true
}
