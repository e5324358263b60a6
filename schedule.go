package besra

import (
	"errors"
	"slices"
	"strings"
)

// Schedule says at which times a host runs something, as the host's own files
// state it. It is a member of the facts host.schedules and host.user_schedules
// in its text form.
type Schedule struct {
	// Names are what the host calls it: the timer and its service, the crontab,
	// the programs in its command. They hold no blank.
	Names []string
	// When is the host's own words: five cron fields, or a calendar expression
	// of systemd. Empty means that it runs at no set time, such as after a boot.
	When string
	// Zone is the IANA name of the time zone that When is in where it names
	// none itself; empty where the host's is not known.
	Zone string
}

// scheduleSeparator stands between the parts of a schedule's text; no part
// holds it.
const scheduleSeparator = " | "

// Text returns the schedule in one line: names, times, zone.
func (s Schedule) Text() string {
	return strings.Join([]string{strings.Join(s.Names, " "), s.When, s.Zone}, scheduleSeparator)
}

// ParseSchedule reads what [Schedule.Text] wrote.
func ParseSchedule(text string) (Schedule, error) {
	parts := strings.Split(text, scheduleSeparator)
	if len(parts) != 3 {
		return Schedule{}, errors.New("a schedule has names, times and a zone")
	}
	return Schedule{Names: strings.Fields(parts[0]), When: parts[1], Zone: parts[2]}, nil
}

// Named reports whether the host knows the schedule by a name.
func (s Schedule) Named(name string) bool { return slices.Contains(s.Names, name) }
