package kql

import (
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/besra-hunt/besra/exclusion"
)

// arithmetic compiles +, - and *. What overflows is an error at the sensor, so
// the result is only known where it does not.
func (c *compiler) arithmetic(e *exclusion.Expr) (value, bool) {
	a, ok := c.value(e.Args[0])
	if !ok {
		return value{}, false
	}
	if len(e.Args) == 1 {
		return c.negated(e, a)
	}
	b, ok := c.value(e.Args[1])
	if !ok {
		return value{}, false
	}
	switch {
	case a.kind == kindInt && b.kind == kindInt:
		return c.whole(e, a, b)
	case a.kind == kindTime && b.kind == kindTime && e.Name == "-":
		return c.between(e, a, b)
	case a.kind == kindSpan && b.kind == kindSpan:
		return c.spans(e, a, b)
	case a.kind == kindTime && b.kind == kindSpan:
		return c.moved(e, a, b, e.Name)
	case a.kind == kindSpan && b.kind == kindTime && e.Name == "+":
		return c.moved(e, b, a, "+")
	}
	c.refuse(e, "such a calculation", "")
	return value{}, false
}

// result is a computed value, known where its parts are and inside holds.
func result(k kind, a value, op string, b value, inside cond) value {
	return value{kind: k, text: "(" + a.text + " " + op + " " + b.text + ")", known: all(a.known, b.known, inside)}
}

func (c *compiler) negated(e *exclusion.Expr, a value) (value, bool) {
	if n, ok := a.lit.(int64); ok {
		if n == math.MinInt64 {
			return value{}, false
		}
		return c.literal(e, -n)
	}
	return value{kind: kindInt, text: "(0 - " + a.text + ")", known: all(a.known, atom(a.text+" > "+long(math.MinInt64)))}, true
}

// whole calculates with whole numbers.
func (c *compiler) whole(e *exclusion.Expr, a, b value) (value, bool) {
	m, okM := a.lit.(int64)
	n, okN := b.lit.(int64)
	switch {
	case okM && okN:
		sum, ok := calculate(e.Name, m, n)
		if !ok {
			return value{}, false
		}
		return c.literal(e, sum)
	case e.Name == "*" && !okM && !okN:
		c.refuse(e, "the product of two facts", "multiply by a number")
		return value{}, false
	case e.Name == "*" && okM:
		return result(kindInt, a, "*", b, factorFits(b.text, m)), true
	case e.Name == "*":
		return result(kindInt, a, "*", b, factorFits(a.text, n)), true
	}
	return result(kindInt, a, e.Name, b, sumFits(e.Name, a.text, b)), true
}

// calculate is the result for two numbers; ok is false where it overflows.
func calculate(op string, m, n int64) (sum int64, ok bool) {
	switch op {
	case "+":
		sum = m + n
		return sum, (sum > m) == (n > 0)
	case "-":
		sum = m - n
		return sum, (sum < m) == (n > 0)
	}
	high, low := bits.Mul64(magnitude(m), magnitude(n))
	limit := uint64(math.MaxInt64)
	if (m < 0) != (n < 0) {
		limit++
	}
	return m * n, high == 0 && low <= limit
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// factorFits holds where the number times n does not overflow.
func factorFits(number string, n int64) cond {
	switch n {
	case 0, 1:
		return yes
	case -1:
		return atom(number + " > " + long(math.MinInt64))
	}
	lo, hi := math.MinInt64/n, math.MaxInt64/n
	if n < 0 {
		lo, hi = hi, lo
	}
	return atom(fmt.Sprintf("%s between (%s .. %s)", number, long(lo), long(hi)))
}

// sumFits holds where a number plus or minus b does not overflow.
func sumFits(op, number string, b value) cond {
	greatest, least := long(math.MaxInt64), long(math.MinInt64)
	if op == "-" {
		greatest, least = least, greatest
	}
	// For a b that is not negative the sum must not pass the greatest.
	up, down := fmt.Sprintf("%s <= %s - %s", number, greatest, b.text), fmt.Sprintf("%s >= %s - %s", number, least, b.text)
	if op == "-" {
		up, down = fmt.Sprintf("%s >= %s + %s", number, greatest, b.text), fmt.Sprintf("%s <= %s + %s", number, least, b.text)
	}
	n, written := b.lit.(int64)
	switch {
	case written && n >= 0:
		return atom(up)
	case written:
		return atom(down)
	}
	return either(all(atom(b.text+" >= 0"), atom(up)), all(atom(b.text+" < 0"), atom(down)))
}

// longest is the longest span of time of the sensor, in whole ticks.
const longest = math.MaxInt64 / tick * tick

func spanFits(text string) cond {
	return atom(fmt.Sprintf("%s between (%s .. %s)", text, span(-longest), span(longest)))
}

// between is the span from one time to another.
func (c *compiler) between(e *exclusion.Expr, a, b value) (value, bool) {
	s, okS := a.lit.(time.Time)
	t, okT := b.lit.(time.Time)
	if okS && okT {
		d := s.Sub(t)
		if !t.Add(d).Equal(s) {
			return value{}, false
		}
		return c.spanOf(e, d)
	}
	v := result(kindSpan, a, "-", b, yes)
	v.known = all(v.known, spanFits(v.text))
	return v, true
}

// spans adds or takes away spans of time.
func (c *compiler) spans(e *exclusion.Expr, a, b value) (value, bool) {
	d, okD := a.lit.(time.Duration)
	f, okF := b.lit.(time.Duration)
	if okD && okF {
		sum, ok := calculate(e.Name, int64(d), int64(f))
		if !ok {
			return value{}, false
		}
		return c.spanOf(e, time.Duration(sum))
	}
	v := result(kindSpan, a, e.Name, b, yes)
	v.known = all(v.known, spanFits(v.text))
	return v, true
}

// moved is a time plus or minus a span that is written out. It must stay within
// the years that a time can have.
func (c *compiler) moved(e *exclusion.Expr, t, by value, op string) (value, bool) {
	d, written := by.lit.(time.Duration)
	if !written {
		c.refuse(e, "a time moved by a span that is not written out", "compare the span itself")
		return value{}, false
	}
	if op == "-" {
		d = -d
	}
	first, last := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, int(time.Second-tick), time.UTC)
	if at, ok := t.lit.(time.Time); ok {
		moved := at.Add(d)
		if moved.Before(first) || moved.After(last) {
			return value{}, false
		}
		return value{kind: kindTime, text: instant(moved), lit: moved, known: yes}, true
	}
	inside := atom(t.text + " <= " + instant(last.Add(-d)))
	if d < 0 {
		inside = atom(t.text + " >= " + instant(first.Add(-d)))
	}
	return result(kindTime, t, op, by, inside), true
}
