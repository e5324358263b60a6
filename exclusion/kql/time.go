package kql

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/besra-hunt/besra/exclusion"
)

// maxWindows is the greatest number of separate windows in a day that are
// written out.
const maxWindows = 96

// settle is how long before a window opens the clocks are looked at: cron runs
// up to three hours later what a change of the clocks left out.
const settle = 3*time.Hour + time.Minute

// local is a time in a time zone, and the condition that no clock was changed in
// the span before it. In UTC none ever is.
func (c *compiler) local(v value, zone string, before time.Duration) (string, cond) {
	if zone == "UTC" {
		return v.text, yes
	}
	shift := func(t string) string { return fmt.Sprintf("datetime_utc_to_local(%s, %s)", t, quote(zone)) }
	local := shift(v.text)
	if v.step != "" {
		local = c.step(v.step+"In"+lettersOf(zone), local)
	}
	if before == 0 {
		return local, yes
	}
	earlier := fmt.Sprintf("(%s - %s)", v.text, span(before))
	return local, atom(fmt.Sprintf("%s - %s == %s - %s", local, v.text, shift(earlier), earlier))
}

// lettersOf is the name of a zone as part of a column's name.
func lettersOf(zone string) string {
	return strings.NewReplacer("/", "", "_", "", "-", "Minus", "+", "Plus").Replace(zone)
}

// timeOf is the time that a function is asked of.
func (c *compiler) timeOf(e *exclusion.Expr) (value, bool) {
	v, ok := c.value(e)
	return v, ok && v.kind == kindTime
}

// inWindow compiles a daily window.
func (c *compiler) inWindow(e *exclusion.Expr, want bool) cond {
	v, ok := c.timeOf(e.Args[0])
	from, ok1 := c.writtenOut(e.Args[1])
	to, ok2 := c.writtenOut(e.Args[2])
	zone, ok3 := c.writtenOut(e.Args[3])
	if !ok || !ok1 || !ok2 || !ok3 {
		return no
	}
	if _, err := exclusion.InWindow(time.Time{}, from, to, zone); err != nil {
		return no // an error at the sensor, too
	}
	local, _ := c.local(v, zone, 0)
	tod := timeOfDay(local)
	start, end := clock(from), clock(to)
	begun, over := atom(tod+" >= "+span(start)), atom(tod+" < "+span(end))
	if !want {
		begun, over = atom(tod+" < "+span(start)), atom(tod+" >= "+span(end))
	}
	if (start < end) == want {
		return all(v.known, begun, over)
	}
	return all(v.known, either(begun, over))
}

func timeOfDay(t string) string { return fmt.Sprintf("(%s - startofday(%[1]s))", t) }

// clock reads a time of day that was checked.
func clock(s string) time.Duration {
	var h, m int
	fmt.Sscanf(s, "%d:%d", &h, &m)
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
}

// within compiles the windows that a schedule opens.
func (c *compiler) within(e *exclusion.Expr, want bool) cond {
	if slices.ContainsFunc(e.Args[1].Facts(), func(f string) bool { return strings.HasPrefix(f, "host.") }) {
		return c.refuse(e.Args[1], "the host's own schedules are read at the sensor", "write the schedule out, such as \"30 2 * * *\"")
	}
	v, ok := c.timeOf(e.Args[0])
	when, written := c.writtenOut(e.Args[1])
	slack, known := c.value(e.Args[2])
	if !ok || !written || !known {
		return no
	}
	open, fixed := slack.lit.(time.Duration)
	if !fixed {
		return c.refuse(e.Args[2], "a slack that is not written out", "")
	}
	zone := "UTC"
	if len(e.Args) == 4 {
		if zone, ok = c.writtenOut(e.Args[3]); !ok {
			return no
		}
	}
	r, err := exclusion.ParseRecurrence(when)
	if err == nil {
		_, err = exclusion.Within(time.Time{}, when, open, zone)
	}
	if err != nil {
		return no // an error at the sensor, too
	}
	if r.Zone != "" {
		zone = r.Zone
	}
	return c.windows(e, v, r, open, zone, want)
}

// windows is whether the time lies in a window that opened today or yesterday.
// Close after a change of the clocks it is neither: which minutes a schedule
// skips or repeats then is not KQL's to know.
func (c *compiler) windows(e *exclusion.Expr, v value, r exclusion.Recurrence, open time.Duration, zone string, want bool) cond {
	spans := windowsOf(r.Minutes, open)
	if len(spans) > maxWindows {
		return c.refuse(e.Args[1], fmt.Sprintf("a schedule with %d windows a day", len(spans)), "ask with a longer slack, or of fewer minutes")
	}
	local, settled := c.local(v, zone, open+settle)
	tod := timeOfDay(local)
	var today []cond
	yesterday := no
	for _, s := range spans {
		today = append(today, all(atom(tod+" >= "+span(s.from)), atom(tod+s.before()+span(s.to))))
		if s.to >= 24*time.Hour {
			yesterday = atom(tod + s.before() + span(s.to-24*time.Hour))
		}
	}
	inside := either(all(onDay(r, local), either(today...)), all(onDay(r, "("+local+" - 1d)"), yesterday))
	return all(v.known, settled, asked(inside, want))
}

// asked asks a condition as one piece, so that its opposite has no null in it.
func asked(inside cond, want bool) cond {
	if inside.op == opTrue || inside.op == opFalse {
		return truth((inside.op == opTrue) == want)
	}
	if want {
		return inside
	}
	return atom("(" + strings.Join(strings.Fields(inside.String()), " ") + ") == false")
}

// window is a span of the day; the end belongs to it unless it is open.
type window struct {
	from, to time.Duration
	open     bool
}

func (w window) before() string {
	if w.open {
		return " < "
	}
	return " <= "
}

// windowsOf joins the windows that open at minutes of the day and touch. The
// minute itself counts whatever the slack.
func windowsOf(minutes []int, slack time.Duration) []window {
	var out []window
	for _, m := range minutes {
		w := window{time.Duration(m) * time.Minute, time.Duration(m)*time.Minute + slack, false}
		if slack < time.Minute {
			w.to, w.open = w.from+time.Minute, true
		}
		if n := len(out); n > 0 && w.from <= out[n-1].to {
			out[n-1].to = w.to
			continue
		}
		out = append(out, w)
	}
	return out
}

// onDay is whether a schedule opens windows on the day of a local time.
func onDay(r exclusion.Recurrence, local string) cond {
	day, weekday := yes, yes
	if r.Days != nil {
		number := "dayofmonth(" + local + ")"
		if r.FromEnd {
			number = fmt.Sprintf("dayofmonth(endofmonth(%s)) - dayofmonth(%[1]s) + 1", local)
		}
		day = oneOf(number, r.Days)
	}
	if r.Weekdays != nil {
		weekday = oneOf("toint(dayofweek("+local+") / 1d)", r.Weekdays)
	}
	on := all(day, weekday)
	if r.EitherDay {
		on = either(day, weekday)
	}
	if r.Months != nil {
		on = all(on, oneOf("monthofyear("+local+")", r.Months))
	}
	if r.Years != nil {
		on = all(on, oneOf("getyear("+local+")", r.Years))
	}
	return on
}

// oneOf is whether a number is one of some in order.
func oneOf(number string, of []int) cond {
	switch n := len(of); {
	case n == 0:
		return no
	case n > 2 && of[n-1]-of[0] == n-1:
		return atom(fmt.Sprintf("%s between (%d .. %d)", number, of[0], of[n-1]))
	}
	return atom(fmt.Sprintf("%s in (%s)", number, ints(of)))
}
