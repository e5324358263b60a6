package exclusion_test

import (
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestCalendar reads calendar expressions of systemd. March 10, 2026 is a Tuesday.
func TestCalendar(t *testing.T) {
	tests := []struct{ when, yes, no string }{
		{"02:00", "2026-03-10T02:00:30Z", "2026-03-10T02:01:00Z"},
		{"*-*-* 02:00:00", "2026-03-10T02:00:00Z", "2026-03-10T01:59:59Z"},
		{"daily", "2026-03-10T00:00:00Z", "2026-03-10T12:00:00Z"},
		{"hourly", "2026-03-10T05:00:00Z", "2026-03-10T05:30:00Z"},
		{"minutely", "2026-03-10T05:31:00Z", ""},
		{"Weekly", "2026-03-09T00:00:00Z", "2026-03-10T00:00:00Z"},
		{"monthly", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"},
		{"quarterly", "2026-04-01T00:00:00Z", "2026-03-01T00:00:00Z"},
		{"semiannually", "2026-07-01T00:00:00Z", "2026-04-01T00:00:00Z"},
		{"yearly", "2027-01-01T00:00:00Z", "2026-02-01T00:00:00Z"},
		{"Tue", "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z"},
		{"Mon..Fri 02:00", "2026-03-10T02:00:00Z", "2026-03-14T02:00:00Z"},
		{"Sat..Sun *-*-* 02:00", "2026-03-15T02:00:00Z", "2026-03-10T02:00:00Z"},
		{"mon,tuesday,Thu-Fri 02:00", "2026-03-12T02:00:00Z", "2026-03-11T02:00:00Z"},
		{"*-*-1,15 04:00", "2026-03-15T04:00:00Z", "2026-03-16T04:00:00Z"},
		{"03-10", "2027-03-10T00:00:00Z", "2027-03-11T00:00:00Z"},
		{"2026-*-10..12", "2026-03-11T00:00:00Z", "2027-03-11T00:00:00Z"},
		{"*-*~01", "2024-02-29T00:00:00Z", "2024-02-28T00:00:00Z"},
		{"*-02~03..5", "2026-02-24T00:00:00Z", "2026-02-27T00:00:00Z"},
		{"*:0/15", "2026-03-10T05:45:00Z", "2026-03-10T05:50:00Z"},
		{"*-*-* 8..18/2:30", "2026-03-10T10:30:00Z", "2026-03-10T11:30:00Z"},
		{"2/3:00", "2026-03-10T23:00:00Z", "2026-03-10T22:00:00Z"},
		{"*:*:20.5", "2026-03-10T10:30:00Z", ""},
		{"02:00 Europe/Berlin", "2026-03-10T01:00:00Z", "2026-03-10T02:00:00Z"},
		{"daily America/New_York", "2026-03-10T04:00:00Z", "2026-03-10T00:00:00Z"},
		{"Tue 02:00 UTC", "2026-03-10T02:00:00Z", "2026-03-09T02:00:00Z"},
	}
	for _, tt := range tests {
		for at, want := range map[string]bool{tt.yes: true, tt.no: false} {
			if at == "" {
				continue
			}
			got, err := exclusion.Within(instant(t, at), tt.when, 0, "UTC")
			if err != nil || got != want {
				t.Errorf("%q at %s: got %v, %v, want %v", tt.when, at, got, err, want)
			}
		}
	}
}

func TestCalendarErrors(t *testing.T) {
	for when, want := range map[string]string{
		"":                          "fields",
		"25:00":                     `"25" is not a value`,
		"02:60":                     `"60" is not a value`,
		"2026-13-01":                `"13" is not a value`,
		"1:2:3:4":                   "not a time",
		"1-2-3-4":                   "not a date",
		"02:00 Mon":                 "out of place",
		"02:00 03:00":               "out of place",
		"sometimes":                 "not a day",
		"02:00 Europe/Atlantis":     "not a time zone",
		"5..3:00":                   "backwards",
		"*/0:00":                    "not a value",
		"Sat..Mon":                  "backwards",
		"@1395716396":               "fields",
		"Mon..":                     "not a day",
		strings.Repeat("1,", 20000): "",
	} {
		if _, err := exclusion.Within(noon, when, 0, "UTC"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got error %v, want %q", when, err, want)
		}
	}
}

// TestClockChanges has the clocks of Berlin go forward on March 29, 2026 at
// 02:00 (01:00 UTC) and back on October 25 at 03:00 (01:00 UTC).
func TestClockChanges(t *testing.T) {
	tests := []struct {
		when, at string
		slack    time.Duration
		want     bool
	}{
		{"30 2 * * *", "2026-03-28T01:30:00Z", 0, true},
		{"30 2 * * *", "2026-03-29T00:30:00Z", 0, false},                 // 01:30
		{"30 2 * * *", "2026-03-29T01:00:00Z", 0, true},                  // 03:00, run at once
		{"30 2 * * *", "2026-03-29T01:30:00Z", 0, false},                 // 03:30
		{"30 2 * * *", "2026-03-29T01:09:00Z", 10 * time.Minute, true},   // caught up, with slack
		{"30 3 * * *", "2026-03-29T01:30:00Z", 0, true},                  // 03:30
		{"0 * * * *", "2026-03-29T01:00:00Z", 0, true},                   // hourly goes on
		{"30 * * * *", "2026-03-29T01:00:00Z", 0, false},                 // and catches nothing up
		{"30 2 * * *", "2026-03-30T00:30:00Z", 0, true},                  // summer time
		{"30 2 * * *", "2026-10-25T00:30:00Z", 0, true},                  // 02:30 for the first time
		{"30 2 * * *", "2026-10-25T01:30:00Z", 0, false},                 // and for the second
		{"30 * * * *", "2026-10-25T01:30:00Z", 0, true},                  // hourly counts both
		{"30 3 * * *", "2026-10-25T02:30:00Z", 0, true},                  // 03:30, winter time
		{"*-*-* 02:30", "2026-03-29T01:00:00Z", 0, false},                // a timer leaves it out
		{"*-*-* 02:30", "2026-10-25T00:30:00Z", 0, true},                 // and counts both
		{"*-*-* 02:30", "2026-10-25T01:30:00Z", 0, true},                 //
		{"*-*-* 02:30", "2026-10-25T02:00:00Z", 20 * time.Minute, false}, // 03:00, long after
	}
	for _, tt := range tests {
		got, err := exclusion.Within(instant(t, tt.at), tt.when, tt.slack, "Europe/Berlin")
		if err != nil || got != tt.want {
			t.Errorf("%s at %s within %s: got %v, %v, want %v", tt.when, tt.at, tt.slack, got, err, tt.want)
		}
	}
}

func TestWithinSchedule(t *testing.T) {
	facts := map[string]any{"file.mtime": "2026-03-10T02:05:00Z", "host.schedules": []string{
		besra.Schedule{Names: []string{"logproc.timer", "logproc.service"}, When: "Mon..Fri 02:00", Zone: "UTC"}.Text(),
		besra.Schedule{Names: []string{"/etc/cron.d/logs", "/opt/run.sh"}, When: "0 2 * * *", Zone: "Europe/Berlin"}.Text(),
		besra.Schedule{Names: []string{"/etc/cron.d/logs"}, When: "0 4 * * *", Zone: "Europe/Berlin"}.Text(),
		besra.Schedule{Names: []string{"boot.timer"}}.Text(),
		besra.Schedule{Names: []string{"lost.timer"}, When: "02:00"}.Text(),
		"nonsense",
	}}
	for name, want := range map[string]besra.Outcome{
		"logproc.timer": besra.OutcomeTrue, "logproc.service": besra.OutcomeTrue, "/opt/run.sh": besra.OutcomeError, "/etc/cron.d/logs": besra.OutcomeError,
		"boot.timer": besra.OutcomeError, "lost.timer": besra.OutcomeError, "other.timer": besra.OutcomeError,
	} {
		d := decide(t, spec(`file.mtime.within(host.schedules, "`+name+`", duration("10m"))`), exclusion.Options{}, facts)
		if d.Outcome != want {
			t.Errorf("%s: got %s (%s), want %s", name, d.Outcome, d.Why, want)
		}
	}
	list := facts["host.schedules"].([]string)
	facts["host.schedules"] = list[:len(list)-1]
	for name, want := range map[string]besra.Outcome{
		"logproc.timer": besra.OutcomeTrue, "/opt/run.sh": besra.OutcomeFalse, "/etc/cron.d/logs": besra.OutcomeFalse,
		"boot.timer": besra.OutcomeError, "lost.timer": besra.OutcomeError, "other.timer": besra.OutcomeFalse,
	} {
		d := decide(t, spec(`file.mtime.within(host.schedules, "`+name+`", duration("10m"))`), exclusion.Options{}, facts)
		if d.Outcome != want {
			t.Errorf("%s: got %s (%s), want %s", name, d.Outcome, d.Why, want)
		}
	}
	d := decide(t, spec(`file.mtime.within(host.schedules, "logproc.timer", duration("10m"))`), exclusion.Options{}, facts)
	if d.Effect != besra.EffectDowngrade {
		t.Errorf("a time that its owner sets, alone: got effect %s, want downgrade", d.Effect)
	}
	if d := decide(t, spec(`file.mtime.within(host.schedules, "x", duration("10m"))`), exclusion.Options{}, map[string]any{"file.mtime": noon.Format(time.RFC3339)}); d.Outcome != besra.OutcomeUnknown {
		t.Errorf("schedules that are not known: got %s, want unknown", d.Outcome)
	}
}

func FuzzCalendar(f *testing.F) {
	for _, s := range []string{"Mon..Fri *-*~01 8..18/2:0/15 Europe/Berlin", "daily", "30 2 * * 1-5", "@daily", "03-10 UTC"} {
		f.Add(s, int64(1773100000))
	}
	f.Fuzz(func(t *testing.T, when string, at int64) {
		exclusion.Within(time.Unix(at%(1<<40), 0), when, 3*time.Minute, "Europe/Berlin")
	})
}
