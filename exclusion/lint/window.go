package lint

import (
	"fmt"
	"slices"
	"time"

	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/lazyregexp"
)

// maxOpen is how much of a day a window may cover before it says little.
const maxOpen = 8 * time.Hour

// windows checks tests of time.
func (s *subject) windows() {
	if s.x == nil {
		return
	}
	s.x.Expr().Walk(func(e *exclusion.Expr) bool {
		if e.Kind != exclusion.KindCall || e.Name != "inWindow" && e.Name != "within" {
			return true
		}
		if open := s.open(e); open > maxOpen {
			s.at(e, CodeWideWindow, fmt.Sprintf("%s is true for %s of a day", e, open.Round(time.Minute)))
		}
		s.scheduleNames(e)
		return true
	})
}

// open returns for how long of a usual week day a window is open, 0 where that
// depends on the host. March 10, 2026 is a Tuesday.
func (s *subject) open(call *exclusion.Expr) time.Duration {
	day := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	const step = 10 * time.Minute
	total := time.Duration(0)
	for at := day; at.Before(day.AddDate(0, 0, 1)); at = at.Add(step) {
		if ok, err := s.holdsAt(call, at); err == nil && ok {
			total += step
		}
	}
	return total
}

// holdsAt asks a window about a time.
func (s *subject) holdsAt(call *exclusion.Expr, at time.Time) (bool, error) {
	when, _ := value(s.x, call.Args[1]).(string)
	if call.Name == "inWindow" {
		to, _ := value(s.x, call.Args[2]).(string)
		return exclusion.InWindow(at, when, to, "UTC")
	}
	slack, ok := spanOf(s.x, call.Args[2])
	if !ok || when == "" {
		return false, nil
	}
	return exclusion.Within(at, when, slack, "UTC")
}

// spanOf reads duration("10m").
func spanOf(x *exclusion.Exclusion, e *exclusion.Expr) (time.Duration, bool) {
	if e.Kind != exclusion.KindCall || e.Name != "duration" || len(e.Args) != 1 {
		return 0, false
	}
	text, _ := value(x, e.Args[0]).(string)
	d, err := time.ParseDuration(text)
	return d, err == nil
}

// scheduleName is what the facts call schedules: a unit, a crontab, a program.
var scheduleName = lazyregexp.New(`^([^/\s]+\.(timer|service)|/\S+|crontab:\S+)$`)

// scheduleNames checks tests against the host's own schedules.
func (s *subject) scheduleNames(call *exclusion.Expr) {
	if len(call.Args) != 4 || !slices.ContainsFunc(call.Args[1].Facts(), func(f string) bool { return f == "host.schedules" || f == "host.user_schedules" }) {
		return
	}
	if slices.Contains(call.Args[1].Facts(), "host.user_schedules") {
		s.at(call, CodeUserSchedule, "a user writes his own crontab, and with it this window")
	}
	if name, ok := value(s.x, call.Args[2]).(string); ok && !scheduleName().MatchString(name) {
		s.at(call.Args[2], CodeScheduleName, fmt.Sprintf("no schedule is called %q", name))
	}
}
