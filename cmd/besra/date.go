package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// date is a flag for a day or an instant: 2026-11-30, 2026-11-30T06:00:00Z, or
// a span before now: 36h, 7d.
type date struct{ time.Time }

// String implements [pflag.Value].
func (d *date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.UTC().Format(time.RFC3339)
}

// Type implements [pflag.Value].
func (d *date) Type() string { return "date" }

// Set implements [pflag.Value].
func (d *date) Set(text string) error {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			d.Time = t.UTC()
			return nil
		}
	}
	span, err := parseSpan(text)
	if err != nil {
		return fmt.Errorf("%q is neither a day such as 2026-11-30 nor a span such as 36h or 7d", text)
	}
	d.Time = time.Now().Add(-span).UTC()
	return nil
}

// parseSpan reads a duration that may be in days.
func parseSpan(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}
