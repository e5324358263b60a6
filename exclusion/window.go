package exclusion

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones must be the same on every host
)

// maxSlack is the longest time that a cron window may stay open.
const maxSlack = 24 * time.Hour

// zone loads a time zone by its IANA name. "Local" is refused: an exclusion
// must mean the same wherever it runs.
func zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is not a time zone: name one, such as UTC or Europe/Berlin", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not a time zone of the IANA database", name)
	}
	return loc, nil
}

// InWindow reports whether t, in the time zone, lies in the daily window from
// (included) to to (excluded), both as HH:MM. A window whose start is later
// than its end runs over midnight; equal ends are an error.
func InWindow(t time.Time, from, to, tz string) (bool, error) {
	loc, err := zone(tz)
	if err != nil {
		return false, err
	}
	start, end, err := window(from, to)
	if err != nil {
		return false, err
	}
	t = t.In(loc)
	now := t.Hour()*60 + t.Minute()
	if start < end {
		return start <= now && now < end, nil
	}
	return start <= now || now < end, nil
}

// window parses both ends to minutes of the day.
func window(from, to string) (start, end int, err error) {
	if start, err = minuteOfDay(from); err != nil {
		return 0, 0, err
	}
	if end, err = minuteOfDay(to); err != nil {
		return 0, 0, err
	}
	if start == end {
		return 0, 0, fmt.Errorf("the window from %s to %s is empty or the whole day: say which", from, to)
	}
	return start, end, nil
}

func minuteOfDay(s string) (int, error) {
	h, m, ok := strings.Cut(s, ":")
	hours, errH := strconv.ParseUint(h, 10, 8)
	minutes, errM := strconv.ParseUint(m, 10, 8)
	total := int(hours)*60 + int(minutes)
	if !ok || len(h) != 2 || len(m) != 2 || errH != nil || errM != nil || minutes > 59 || total > 24*60 {
		return 0, fmt.Errorf("%q is not a time of day such as 02:30", s)
	}
	return total, nil
}

// Within reports whether t lies in a window that a cron schedule opens: at a
// scheduled minute, or up to slack after its start. The schedule has the five
// usual fields (minute, hour, day of month, month, day of week), read in the
// time zone; @hourly, @daily, @weekly, @monthly and @yearly stand for theirs.
// Slack is at most 24 hours.
func Within(t time.Time, cron string, slack time.Duration, tz string) (bool, error) {
	loc, err := zone(tz)
	if err != nil {
		return false, err
	}
	sched, err := parseCron(cron)
	if err != nil {
		return false, err
	}
	if slack < 0 || slack > maxSlack {
		return false, fmt.Errorf("the slack %s is not between 0 and 24h", slack)
	}
	for start := t.Truncate(time.Minute); t.Sub(start) < time.Minute || t.Sub(start) <= slack; start = start.Add(-time.Minute) {
		if sched.has(start.In(loc)) {
			return true, nil
		}
	}
	return false, nil
}

// schedule holds the allowed values of each cron field as a bit set.
type schedule struct {
	minute, hour, day, month, weekday uint64
	// anyDay and anyWeekday say that the field was "*": where both are
	// restricted cron takes either, otherwise the restricted one.
	anyDay, anyWeekday bool
}

func (s schedule) has(t time.Time) bool {
	day := s.day>>t.Day()&1 == 1
	weekday := s.weekday>>t.Weekday()&1 == 1
	onDay := day && weekday
	if !s.anyDay && !s.anyWeekday {
		onDay = day || weekday
	}
	return onDay && s.minute>>t.Minute()&1 == 1 && s.hour>>t.Hour()&1 == 1 && s.month>>t.Month()&1 == 1
}

var (
	cronNames = map[string]string{
		"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
		"@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
	}
	monthNames = []string{"", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
	dayNames   = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
)

func parseCron(src string) (schedule, error) {
	if s, ok := cronNames[src]; ok {
		src = s
	}
	fields := strings.Fields(src)
	if len(fields) != 5 {
		return schedule{}, fmt.Errorf("the schedule %q has %d fields, not minute, hour, day, month and weekday", src, len(fields))
	}
	s := schedule{anyDay: strings.HasPrefix(fields[2], "*"), anyWeekday: strings.HasPrefix(fields[4], "*")}
	for i, f := range []struct {
		set    *uint64
		lo, hi int
		names  []string
	}{{&s.minute, 0, 59, nil}, {&s.hour, 0, 23, nil}, {&s.day, 1, 31, nil}, {&s.month, 1, 12, monthNames}, {&s.weekday, 0, 7, dayNames}} {
		set, err := cronField(fields[i], f.lo, f.hi, f.names)
		if err != nil {
			return schedule{}, fmt.Errorf("the schedule %q: %w", src, err)
		}
		*f.set = set
	}
	s.weekday |= s.weekday >> 7 & 1 // 7 is Sunday too
	return s, nil
}

// cronField parses one field: a list of values, ranges and steps.
func cronField(src string, lo, hi int, names []string) (uint64, error) {
	var set uint64
	for part := range strings.SplitSeq(src, ",") {
		span, step, stepped := strings.Cut(part, "/")
		from, to, err := cronRange(span, lo, hi, names, stepped)
		if err != nil {
			return 0, err
		}
		every := 1
		if stepped {
			if every, err = strconv.Atoi(step); err != nil || every < 1 {
				return 0, fmt.Errorf("%q is not a step", part)
			}
		}
		for v := from; v <= to; v += min(every, 64) {
			set |= 1 << v
		}
	}
	return set, nil
}

// cronRange parses "*", "a" or "a-b"; a lone value with a step runs to the end.
func cronRange(span string, lo, hi int, names []string, stepped bool) (from, to int, err error) {
	if span == "*" {
		return lo, hi, nil
	}
	first, second, isRange := strings.Cut(span, "-")
	if from, err = cronValue(first, lo, hi, names); err != nil {
		return 0, 0, err
	}
	switch {
	case isRange:
		to, err = cronValue(second, lo, hi, names)
	case stepped:
		to = hi
	default:
		to = from
	}
	if err == nil && to < from {
		err = fmt.Errorf("the range %q runs backwards", span)
	}
	return from, to, err
}

func cronValue(s string, lo, hi int, names []string) (int, error) {
	if i := slices.Index(names, strings.ToLower(s)); s != "" && i >= 0 {
		return i, nil
	}
	v, err := strconv.Atoi(s)
	if err != nil || v < lo || v > hi {
		return 0, fmt.Errorf("%q is not a value from %d to %d", s, lo, hi)
	}
	return v, nil
}
