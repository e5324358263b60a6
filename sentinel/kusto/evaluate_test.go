package kusto_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/besra-hunt/besra/sentinel/kusto"
)

// The evaluator walks Microsoft's syntax tree of a query and gives what the
// query's documentation says of one row. It knows what compiled exclusions use,
// and panics on anything else, so that nothing is passed over.

// Values are nil for null, string, int64, float64, bool, instant, span, and
// dyn for what is of type dynamic and not null.
type (
	instant int64 // ticks of 100 ns since the start of year 1
	span    int64 // ticks
	dyn     struct{ v any }
	row     map[string]any
	expr    func(row) any
)

const ticksPerDay = 24 * 60 * 60 * 10_000_000

var yearOne = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)

func instantOf(t time.Time) instant {
	return instant((t.Unix()-yearOne.Unix())*10_000_000 + int64(t.Nanosecond()/100))
}

func (i instant) time() time.Time {
	return time.Unix(int64(i)/10_000_000+yearOne.Unix(), int64(i)%10_000_000*100).UTC()
}

var lastInstant = instantOf(time.Date(9999, 12, 31, 23, 59, 59, 999999900, time.UTC))

func instantOrNull(ticks int64) any {
	if ticks < 0 || ticks > int64(lastInstant) {
		return nil
	}
	return instant(ticks)
}

// world is what a query reads besides the row.
type world struct {
	now time.Time
	// sticky decides between the two readings of null in Microsoft's pages: true
	// keeps it as the third value of logic, false takes it as false at once.
	sticky     bool
	watchlists map[string][]string
}

// program is a query over one table, made ready.
type program struct {
	steps []func(row) bool // false where the row is left out
}

// run returns the row at the end, or nil where it was left out.
func (p program) run(r row) row {
	out := row{}
	for k, v := range r {
		out[k] = v
	}
	for _, s := range p.steps {
		if !s(out) {
			return nil
		}
	}
	return out
}

func (w world) program(n *kusto.Node) program {
	var p program
	w.pipeline(only(n, "QueryBlock", "List", "SeparatedElement", "ExpressionStatement"), &p)
	return p
}

// only descends through wrappers to the last child that holds anything.
func only(n *kusto.Node, kinds ...string) *kusto.Node {
	for slices.Contains(kinds, n.Kind) {
		var full *kusto.Node
		for _, c := range n.Children {
			if c.Width > 0 && c.Kind != "SkippedTokens" && c.Kind != "EndOfTextToken" {
				full = c
			}
		}
		n = full
	}
	return n
}

func (w world) pipeline(n *kusto.Node, p *program) {
	if n.Kind != "PipeExpression" {
		if n.Kind != "NameReference" {
			panic("a query does not begin with " + n.Kind)
		}
		return
	}
	w.pipeline(n.Children[0], p)
	p.steps = append(p.steps, w.operator(n.Children[2]))
}

func (w world) operator(n *kusto.Node) func(row) bool {
	switch n.Kind {
	case "FilterOperator":
		test := w.expr(n.Children[len(n.Children)-1])
		return func(r row) bool { return test(r) == true }
	case "ExtendOperator":
		named := elements(n.Children[1])[0]
		name, value := nameOf(named.Children[0]), w.expr(named.Children[2])
		return func(r row) bool { r[name] = value(r); return true }
	case "ProjectAwayOperator":
		var names []string
		for _, e := range elements(n.Children[1]) {
			names = append(names, nameOf(e))
		}
		return func(r row) bool {
			for _, name := range names {
				delete(r, name)
			}
			return true
		}
	}
	panic("the evaluator does not know " + n.Kind)
}

// elements are the members of a list, without its commas.
func elements(n *kusto.Node) []*kusto.Node {
	var out []*kusto.Node
	for _, c := range n.Children {
		if c.Kind == "SeparatedElement" {
			out = append(out, c.Children[0])
		}
	}
	return out
}

func nameOf(n *kusto.Node) string {
	for n.Text == "" {
		n = n.Children[0]
	}
	return strings.Trim(n.Text, `[]'"`)
}

func textOf(n *kusto.Node) string {
	if n.Text != "" {
		return n.Text
	}
	var b strings.Builder
	for _, c := range n.Children {
		b.WriteString(textOf(c))
	}
	return b.String()
}

func constant(v any) expr { return func(row) any { return v } }

func (w world) expr(n *kusto.Node) expr {
	if op, ok := w.binary(n); ok {
		return op
	}
	switch n.Kind {
	case "NameReference":
		name := nameOf(n)
		return func(r row) any {
			v, ok := r[name]
			if !ok {
				panic("the row has no " + name)
			}
			return v
		}
	case "ParenthesizedExpression":
		return w.expr(n.Children[1])
	case "StringLiteralExpression":
		return constant(n.Children[0].Value)
	case "LongLiteralExpression":
		return constant(must(strconv.ParseInt(textOf(n), 10, 64)))
	case "BooleanLiteralExpression":
		return constant(textOf(n) == "true")
	case "TimespanLiteralExpression":
		return constant(timespan(textOf(n)))
	case "DateTimeLiteralExpression":
		return constant(datetime(textOf(n)))
	case "DynamicExpression":
		return constant(dyn{w.json(n.Children[2])})
	case "UnaryMinusExpression":
		v := w.expr(n.Children[1])
		return func(r row) any { return times(v(r), int64(-1)) }
	case "ElementExpression":
		return w.element(n)
	case "FunctionCallExpression":
		return w.function(n)
	case "ToScalarExpression":
		list := w.table(firstOf(n, "PipeExpression").Children[0])
		return constant(int64(len(list)))
	}
	panic(fmt.Sprintf("the evaluator does not know %s", n.Kind))
}

func firstOf(n *kusto.Node, kind string) *kusto.Node {
	if n.Kind == kind {
		return n
	}
	for _, c := range n.Children {
		if found := firstOf(c, kind); found != nil {
			return found
		}
	}
	return nil
}

// table is the search keys of _GetWatchlist(alias).
func (w world) table(n *kusto.Node) []string {
	if nameOf(n) != "_GetWatchlist" {
		panic("the evaluator reads no table but watchlists")
	}
	return w.watchlists[firstOf(n, "StringLiteralExpression").Children[0].Value]
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// timespan reads 1d and time(1.02:03:04.0000000).
func timespan(text string) span {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		return span(must(strconv.ParseInt(days, 10, 64)) * ticksPerDay)
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "time("), ")")
	text, negative := strings.CutPrefix(text, "-")
	var days, h, m, s, ticks int64
	must(fmt.Sscanf(text, "%d.%d:%d:%d.%07d", &days, &h, &m, &s, &ticks))
	out := span(days*ticksPerDay + ((h*60+m)*60+s)*10_000_000 + ticks)
	if negative {
		return -out
	}
	return out
}

func datetime(text string) any {
	text = strings.TrimSuffix(strings.TrimPrefix(text, "datetime("), ")")
	if text == "null" {
		return nil
	}
	return instantOf(must(time.Parse(time.RFC3339Nano, text)))
}

// json reads a literal of type dynamic.
func (w world) json(n *kusto.Node) any {
	switch n.Kind {
	case "JsonArrayExpression":
		out := []any{}
		for _, e := range elements(n.Children[1]) {
			out = append(out, w.json(e))
		}
		return out
	case "StringLiteralExpression":
		return n.Children[0].Value
	}
	panic("the evaluator does not know " + n.Kind)
}

func (w world) element(n *kusto.Node) expr {
	base, index := w.expr(n.Children[0]), w.expr(n.Children[1].Children[1])
	return func(r row) any {
		d, _ := base(r).(dyn)
		switch at := index(r).(type) {
		case string:
			bag, _ := d.v.(map[string]any)
			return dynamicOf(bag[at])
		case int64:
			list, _ := d.v.([]any)
			if at < 0 {
				at += int64(len(list)) // KQL counts from the end
			}
			if at >= 0 && at < int64(len(list)) {
				return dynamicOf(list[at])
			}
		}
		return nil
	}
}

func dynamicOf(v any) any {
	if v == nil {
		return nil
	}
	return dyn{v}
}

// binary compiles what stands between two operands.
func (w world) binary(n *kusto.Node) (expr, bool) {
	switch n.Kind {
	case "InExpression", "NotInExpression":
		return w.in(n), true
	case "BetweenExpression":
		v, low, high := w.expr(n.Children[0]), w.expr(n.Children[2].Children[1]), w.expr(n.Children[2].Children[3])
		return func(r row) any {
			a, b, c := v(r), low(r), high(r)
			if a == nil || b == nil || c == nil {
				return nil
			}
			return compare(a, b) >= 0 && compare(a, c) <= 0
		}, true
	}
	op, ok := w.operators()[n.Kind]
	if !ok {
		return nil, false
	}
	a, b := w.expr(n.Children[0]), w.expr(n.Children[2])
	return func(r row) any { return op(a(r), b(r)) }, true
}

func (w world) in(n *kusto.Node) expr {
	v, want := w.expr(n.Children[0]), n.Kind == "InExpression"
	var list []expr
	for _, e := range elements(n.Children[2].Children[1]) {
		if e.Kind == "PipeExpression" {
			for _, key := range w.table(e.Children[0]) {
				list = append(list, constant(key))
			}
			continue
		}
		list = append(list, w.expr(e))
	}
	return func(r row) any {
		value := v(r)
		for _, e := range list {
			if equal(value, e(r), w.sticky) == true {
				return want
			}
		}
		return !want
	}
}

func equal(a, b any, sticky bool) any {
	switch {
	case a == nil && b == nil:
		if sticky {
			return nil
		}
		return false
	case a == nil || b == nil:
		return false
	}
	return compare(a, b) == 0
}

// compare orders two values of a type; numbers of any.
func compare(a, b any) int {
	switch x := a.(type) {
	case string:
		return strings.Compare(x, b.(string))
	case bool:
		if x == b.(bool) {
			return 0
		}
		return 1
	case instant:
		return order(int64(x), int64(b.(instant)))
	case span:
		return order(int64(x), int64(b.(span)))
	case int64:
		return order(x, b.(int64))
	case float64:
		return order(x, b.(float64))
	}
	panic(fmt.Sprintf("the evaluator compares no %T", a))
}

func order[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (w world) operators() map[string]func(a, b any) any {
	text := func(test func(a, b string) bool, want bool) func(a, b any) any {
		return func(a, b any) any { return test(a.(string), b.(string)) == want }
	}
	ordered := func(test func(int) bool) func(a, b any) any {
		return func(a, b any) any {
			if a == nil || b == nil {
				return nil
			}
			return test(compare(a, b))
		}
	}
	return map[string]func(a, b any) any{
		"AndExpression":   func(a, b any) any { return w.logic(a, b, false) },
		"OrExpression":    func(a, b any) any { return w.logic(a, b, true) },
		"EqualExpression": func(a, b any) any { return equal(a, b, w.sticky) },
		"NotEqualExpression": func(a, b any) any {
			same := equal(a, b, w.sticky)
			if same == nil {
				return nil
			}
			return same == false
		},
		"LessThanExpression":           ordered(func(c int) bool { return c < 0 }),
		"LessThanOrEqualExpression":    ordered(func(c int) bool { return c <= 0 }),
		"GreaterThanExpression":        ordered(func(c int) bool { return c > 0 }),
		"GreaterThanOrEqualExpression": ordered(func(c int) bool { return c >= 0 }),
		"StartsWithCsExpression":       text(strings.HasPrefix, true),
		"NotStartsWithCsExpression":    text(strings.HasPrefix, false),
		"EndsWithCsExpression":         text(strings.HasSuffix, true),
		"NotEndsWithCsExpression":      text(strings.HasSuffix, false),
		"ContainsCsExpression":         text(strings.Contains, true),
		"NotContainsCsExpression":      text(strings.Contains, false),
		"ContainsExpression":           text(func(a, b string) bool { return strings.Contains(strings.ToLower(a), strings.ToLower(b)) }, true),
		"MatchesRegexExpression":       func(a, b any) any { return rust(b.(string)).MatchString(a.(string)) },
		"AddExpression":                func(a, b any) any { return plus(a, b, 1) },
		"SubtractExpression":           func(a, b any) any { return plus(a, b, -1) },
		"MultiplyExpression":           times,
		"DivideExpression":             divide,
	}
}

// logic is "or" where final is true, and "and" where it is false.
func (w world) logic(a, b any, final bool) any {
	switch {
	case a == final || b == final:
		return final
	case a != nil && b != nil:
		return !final
	case w.sticky:
		return nil
	}
	return false
}

func plus(a, b any, sign int64) any {
	if a == nil || b == nil {
		return nil
	}
	switch x := a.(type) {
	case int64:
		return x + sign*b.(int64) // wraps
	case span:
		if y, ok := b.(instant); ok {
			return instantOrNull(int64(x) + int64(y))
		}
		return x + span(sign)*b.(span)
	case instant:
		if y, ok := b.(instant); ok {
			return span(x - y)
		}
		return instantOrNull(int64(x) + sign*int64(b.(span)))
	}
	panic(fmt.Sprintf("the evaluator adds no %T", a))
}

func times(a, b any) any {
	if a == nil || b == nil {
		return nil
	}
	return a.(int64) * b.(int64)
}

func divide(a, b any) any {
	if a == nil || b == nil {
		return nil
	}
	return math.Trunc(float64(a.(span))/float64(b.(span))*1e9) / 1e9
}
