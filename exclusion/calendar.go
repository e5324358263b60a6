package exclusion

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// calendar is a calendar expression of systemd (OnCalendar=): weekdays, a date
// and a time, each a set of values. Seconds are not looked at: a window opens
// with its minute.
type calendar struct {
	weekday           uint64 // bit 0 is Sunday; all set where none is named
	year, month       []span
	day, hour, minute []span
	fromEnd           bool // days are counted from the end of the month, "~"
	zone              *time.Location
}

// span is the values from lo to hi in steps.
type span struct{ lo, hi, step int }

func (s span) has(v int) bool { return v >= s.lo && v <= s.hi && (v-s.lo)%s.step == 0 }

func anySpan(spans []span, v int) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return s.has(v) })
}

// has implements [recurrence].
func (c calendar) has(t time.Time) bool {
	day := t.Day()
	if c.fromEnd {
		day = time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day() - day + 1
	}
	return c.weekday>>t.Weekday()&1 == 1 && anySpan(c.year, t.Year()) && anySpan(c.month, int(t.Month())) &&
		anySpan(c.day, day) && anySpan(c.hour, t.Hour()) && anySpan(c.minute, t.Minute())
}

// in implements [recurrence].
func (c calendar) in() *time.Location { return c.zone }

// caughtUp implements [recurrence]: a timer leaves out a time that the clocks
// skip, and counts both where they repeat one.
func (c calendar) caughtUp() bool { return false }

// shorthands are the words that stand for an expression.
var shorthands = map[string]string{
	"minutely": "*-*-* *:*:00", "hourly": "*-*-* *:00:00", "daily": "*-*-* 00:00:00", "weekly": "Mon *-*-* 00:00:00",
	"monthly": "*-*-01 00:00:00", "quarterly": "*-01,04,07,10-01 00:00:00", "semiannually": "*-01,07-01 00:00:00",
	"yearly": "*-01-01 00:00:00", "annually": "*-01-01 00:00:00",
}

// parseCalendar parses a calendar expression.
func parseCalendar(src string) (c calendar, err error) {
	words := strings.Fields(src)
	if len(words) > 0 {
		if long, ok := shorthands[strings.ToLower(words[0])]; ok {
			words = append(strings.Fields(long), words[1:]...)
		}
	}
	c = calendar{weekday: 1<<7 - 1, year: every, month: every, day: every, hour: midnight, minute: midnight}
	if words, err = c.parseZone(words); err == nil {
		err = c.parseWords(words)
	}
	if err != nil {
		return c, fmt.Errorf("the calendar expression %q: %w", src, err)
	}
	return c, nil
}

var (
	every    = []span{{0, math.MaxInt, 1}}
	midnight = []span{{0, 0, 1}}
)

// parseZone takes the time zone off the end, if there is one.
func (c *calendar) parseZone(words []string) ([]string, error) {
	n := len(words)
	if n == 0 {
		return nil, fmt.Errorf("it is empty")
	}
	last := words[n-1]
	if n == 1 || strings.ContainsAny(last, ":*~") || '0' <= last[0] && last[0] <= '9' {
		return words, nil
	}
	if _, err := weekdays(last); err == nil {
		return words, nil
	}
	var err error
	c.zone, err = zone(last)
	return words[:n-1], err
}

// parseWords parses weekdays, date and time, each of which may be left out.
func (c *calendar) parseWords(words []string) (err error) {
	part := 0 // 0 weekdays, 1 date, 2 time: each once, in this order
	for _, word := range words {
		switch {
		case strings.Contains(word, ":"):
			err = inOrder(&part, 3, word)
			if err == nil {
				err = c.parseTime(word)
			}
		case strings.ContainsAny(word, "-~") && strings.ContainsAny(word, "0123456789*"):
			err = inOrder(&part, 2, word)
			if err == nil {
				err = c.parseDate(word)
			}
		default:
			if err = inOrder(&part, 1, word); err == nil {
				c.weekday, err = weekdays(word)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func inOrder(part *int, next int, word string) error {
	if *part >= next {
		return fmt.Errorf("%q is out of place: weekdays, date and time come in this order", word)
	}
	*part = next
	return nil
}

// parseDate parses year-month-day or month-day; a "~" before the day counts it
// from the end of the month.
func (c *calendar) parseDate(word string) (err error) {
	if at := strings.IndexByte(word, '~'); at >= 0 {
		c.fromEnd = true
		word = word[:at] + "-" + word[at+1:]
	}
	parts := strings.Split(word, "-")
	switch len(parts) {
	case 2:
		parts = append([]string{"*"}, parts...)
	case 3:
	default:
		return fmt.Errorf("%q is not a date such as *-*-01", word)
	}
	if c.year, err = spans(parts[0], firstYear, lastYear); err != nil {
		return err
	}
	if c.month, err = spans(parts[1], 1, 12); err != nil {
		return err
	}
	c.day, err = spans(parts[2], 1, 31)
	return err
}

// parseTime parses hour:minute or hour:minute:second.
func (c *calendar) parseTime(word string) (err error) {
	parts := strings.Split(word, ":")
	if len(parts) > 3 {
		return fmt.Errorf("%q is not a time such as 02:00", word)
	}
	if len(parts) == 3 {
		whole, _, _ := strings.Cut(parts[2], ".")
		if _, err := spans(whole, 0, 59); err != nil {
			return err
		}
	}
	if c.hour, err = spans(parts[0], 0, 23); err != nil {
		return err
	}
	c.minute, err = spans(parts[1], 0, 59)
	return err
}

// spans parses a list of values, ranges (a..b) and steps (a/n).
func spans(src string, lo, hi int) ([]span, error) {
	var out []span
	for part := range strings.SplitSeq(src, ",") {
		s, err := oneSpan(part, lo, hi)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func oneSpan(part string, lo, hi int) (s span, err error) {
	values, step, stepped := strings.Cut(part, "/")
	s = span{lo, hi, 1}
	if stepped {
		if s.step, err = cronValue(step, 1, hi, nil); err != nil {
			return s, err
		}
	}
	if values == "*" {
		return s, nil
	}
	first, last, ranged := strings.Cut(values, "..")
	if s.lo, err = cronValue(first, lo, hi, nil); err != nil {
		return s, err
	}
	switch {
	case ranged:
		s.hi, err = cronValue(last, lo, hi, nil)
	case !stepped:
		s.hi = s.lo
	}
	if err == nil && s.hi < s.lo {
		err = fmt.Errorf("the range %q runs backwards", part)
	}
	return s, err
}

// weekdays parses a list of days and ranges: Mon,Wed or Mon..Fri.
func weekdays(src string) (set uint64, err error) {
	for part := range strings.SplitSeq(strings.TrimSuffix(src, ","), ",") {
		first, last, ranged := strings.Cut(strings.ReplaceAll(part, "..", "-"), "-")
		if !ranged {
			last = first
		}
		from, to := dayNumber(first), dayNumber(last)
		switch {
		case from < 0 || to < 0:
			return 0, fmt.Errorf("%q is not a day of the week such as Mon", part)
		case to < from:
			return 0, fmt.Errorf("the range %q runs backwards: the week begins on Monday", part)
		}
		for day := from; day <= to; day++ {
			set |= 1 << (day % 7)
		}
	}
	return set, nil
}

// dayNumber returns the number of a day from 1 for Monday to 7 for Sunday by its
// name, whole or of three letters; -1 for what is none.
func dayNumber(name string) int {
	for n := 1; n <= 7; n++ {
		day := time.Weekday(n % 7).String()
		if strings.EqualFold(name, day) || strings.EqualFold(name, day[:3]) {
			return n
		}
	}
	return -1
}
