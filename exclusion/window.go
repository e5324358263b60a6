package exclusion

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones must be the same on every host

	"github.com/besra-hunt/besra"
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

// Within reports whether t lies in a window that a schedule opens: at a
// scheduled minute, or up to slack after its start. The schedule has the five
// fields of cron (minute, hour, day of month, month, day of week) or is @hourly,
// @daily, @weekly, @monthly or @yearly; anything else is a calendar expression
// of systemd. It is read in the time zone, unless it names one. Slack is at most
// 24 hours.
//
// Where the clocks go forward, cron runs at once what it would have run in the
// time that is left out, and a timer does not; where they go back, cron runs
// once what is set for a time that comes twice, unless minute or hour is "*".
func Within(t time.Time, when string, slack time.Duration, tz string) (bool, error) {
	r, err := parseRecurrence(when)
	if err != nil {
		return false, err
	}
	loc := r.in()
	if loc == nil {
		if loc, err = zone(tz); err != nil {
			return false, err
		}
	}
	if slack < 0 || slack > maxSlack {
		return false, fmt.Errorf("the slack %s is not between 0 and 24h", slack)
	}
	for start := t.Truncate(time.Minute); t.Sub(start) < time.Minute || t.Sub(start) <= slack; start = start.Add(-time.Minute) {
		if opens(r, start.In(loc)) {
			return true, nil
		}
	}
	return false, nil
}

// WithinSchedule reports whether t lies in a window of one of the schedules that
// have the name, up to slack after its start. A host without such a schedule has
// no such window; one that runs at no set time is an error.
func WithinSchedule(t time.Time, schedules []string, name string, slack time.Duration) (bool, error) {
	var failed error
	for _, text := range schedules {
		s, err := besra.ParseSchedule(text)
		if err != nil || !s.Named(name) {
			failed = cmp.Or(failed, err)
			continue
		}
		if s.When == "" {
			failed = cmp.Or(failed, fmt.Errorf("%s runs at no set time", name))
			continue
		}
		ok, err := Within(t, s.When, slack, s.Zone)
		if ok && err == nil {
			return true, nil
		}
		failed = cmp.Or(failed, err)
	}
	return false, failed
}

// recurrence is a schedule that was parsed.
type recurrence interface {
	// has reports whether it names the minute, by its local time.
	has(local time.Time) bool
	// in returns the time zone that it names itself, or nil.
	in() *time.Location
	// caughtUp reports whether what the clocks skip is run right after, and
	// what they repeat is run once.
	caughtUp() bool
	// parts takes it apart; the zone is left to the caller.
	parts() Recurrence
}

func parseRecurrence(when string) (recurrence, error) {
	if strings.HasPrefix(when, "@") || len(strings.Fields(when)) == 5 || strings.Trim(when, "0123456789*,/ ") == "" {
		return parseCron(when)
	}
	return parseCalendar(when)
}

// opens reports whether a window of r opens at a minute in its time zone.
func opens(r recurrence, t time.Time) bool {
	if !r.caughtUp() {
		return r.has(t)
	}
	_, now := t.Zone()
	earlier := t.Add(-3 * time.Hour)
	_, before := earlier.Zone()
	change := time.Duration(now-before) * time.Second
	switch {
	case change < 0 && t.Add(change).Format(time.TimeOnly) == t.Format(time.TimeOnly):
		return false // the same time of day, for the second time
	case change > 0 && skippedInto(t, now):
		for skipped := t.Add(-change); skipped.Before(t); skipped = skipped.Add(time.Minute) {
			if r.has(asLocal(skipped, now)) {
				return true
			}
		}
	}
	return r.has(t)
}

// skippedInto reports whether t is the first minute after the clocks went forward.
func skippedInto(t time.Time, now int) bool {
	_, before := t.Add(-time.Minute).Zone()
	return before != now
}

// asLocal returns the instant as clocks that had gone forward before would show it.
func asLocal(t time.Time, offset int) time.Time {
	return t.In(time.FixedZone("", offset))
}

// schedule holds the allowed values of each cron field as a bit set.
type schedule struct {
	minute, hour, day, month, weekday uint64
	// anyDay and anyWeekday say that the field was "*": where both are
	// restricted cron takes either, otherwise the restricted one.
	anyDay, anyWeekday bool
	anyTime            bool // minute or hour is "*"
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

func (schedule) in() *time.Location { return nil }

func (s schedule) caughtUp() bool { return !s.anyTime }

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
	s := schedule{anyDay: strings.HasPrefix(fields[2], "*"), anyWeekday: strings.HasPrefix(fields[4], "*"),
		anyTime: strings.HasPrefix(fields[0], "*") || strings.HasPrefix(fields[1], "*")}
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
