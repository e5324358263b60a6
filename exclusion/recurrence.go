package exclusion

import (
	"slices"
)

// Recurrence is a schedule in parts, so that other rooms can translate it: a
// window opens at each of Minutes on each day that all of the sets allow.
type Recurrence struct {
	Minutes []int // of the day, from 0, in order
	// Weekdays holds 0 for Sunday to 6; nil is any day.
	Weekdays []int
	// Days holds days of the month, counted from its end (1 is the last) with
	// FromEnd; nil is any.
	Days    []int
	FromEnd bool
	Months  []int // from 1; nil is any
	Years   []int // nil is any
	// EitherDay says that a day that is in Weekdays or in Days will do.
	EitherDay bool
	Zone      string // the time zone that it names itself; empty where none
}

// ParseRecurrence reads a schedule as [Within] does.
func ParseRecurrence(when string) (Recurrence, error) {
	r, err := parseRecurrence(when)
	if err != nil {
		return Recurrence{}, err
	}
	out := r.parts()
	if loc := r.in(); loc != nil {
		out.Zone = loc.String()
	}
	return out, nil
}

// The values that each part of a schedule can have at all.
const firstYear, lastYear = 1970, 2199

func (s schedule) parts() Recurrence {
	has := func(set uint64) func(int) bool { return func(v int) bool { return set>>v&1 == 1 } }
	return Recurrence{
		Minutes:   minutes(has(s.hour), has(s.minute)),
		Weekdays:  restricted(0, 6, has(s.weekday)),
		Days:      restricted(1, 31, has(s.day)),
		Months:    restricted(1, 12, has(s.month)),
		EitherDay: !s.anyDay && !s.anyWeekday,
	}
}

func (c calendar) parts() Recurrence {
	has := func(spans []span) func(int) bool { return func(v int) bool { return anySpan(spans, v) } }
	out := Recurrence{
		Minutes:  minutes(has(c.hour), has(c.minute)),
		Weekdays: restricted(0, 6, func(v int) bool { return c.weekday>>v&1 == 1 }),
		Days:     restricted(1, 31, has(c.day)),
		Months:   restricted(1, 12, has(c.month)),
		FromEnd:  c.fromEnd,
	}
	if !slices.Equal(c.year, every) { // "*" written out has bounds
		out.Years = values(firstYear, lastYear, has(c.year))
	}
	return out
}

func minutes(hour, minute func(int) bool) []int {
	return values(0, 24*60-1, func(m int) bool { return hour(m/60) && minute(m%60) })
}

// restricted returns the values that has allows, or nil where it allows all.
func restricted(lo, hi int, has func(int) bool) []int {
	if out := values(lo, hi, has); len(out) < hi-lo+1 {
		return out
	}
	return nil
}

// values returns the values from lo to hi that has allows; never nil.
func values(lo, hi int, has func(int) bool) []int {
	out := []int{}
	for v := lo; v <= hi; v++ {
		if has(v) {
			out = append(out, v)
		}
	}
	return out
}
