package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
)

// ClosingLine words a summary as the last line on stderr of every run. Its
// words never change, so that it can be searched for.
func ClosingLine(s besra.Summary) string {
	return fmt.Sprintf("%d targets, %d matches, %d suppressed (%d exclusions), %d undecided, %d errors, %s",
		s.Targets, s.Matches, s.Suppressed, s.Exclusions, s.Undecided, s.Errors, duration(s.Duration))
}

// Identical says how many targets were not searched because the answer was known
// from one with the same content; empty where none.
func Identical(s besra.Summary) string {
	switch s.Identical {
	case 0:
		return ""
	case 1:
		return "1 target had a content that was searched already"
	}
	return fmt.Sprintf("%d targets had a content that was searched already", s.Identical)
}

// Notice says, on one line of its own, that a run did not do all that it was
// asked to. It is empty for a complete run.
func Notice(s besra.Summary) string {
	var why []string
	if s.Interrupted {
		why = append(why, "interrupted")
	}
	switch {
	case s.Errors == 1:
		why = append(why, "1 error")
	case s.Errors > 1:
		why = append(why, fmt.Sprintf("%d errors", s.Errors))
	}
	if s.Complete && !s.Interrupted {
		return ""
	}
	cause := ""
	if len(why) > 0 {
		cause = " (" + strings.Join(why, ", ") + ")"
	}
	return "incomplete" + cause + ": not everything was looked at, so nothing found is not clean"
}

// duration words d to about two digits that matter: 340ms, 1.2s, 3m12s, 2h03m.
func duration(d time.Duration) string {
	switch {
	case d < 0:
		return "0ms"
	case d.Round(time.Millisecond) < time.Second:
		return fmt.Sprintf("%dms", d.Round(time.Millisecond)/time.Millisecond)
	case d.Round(100*time.Millisecond) < time.Minute:
		return fmt.Sprintf("%.1fs", d.Round(100*time.Millisecond).Seconds())
	case d.Round(time.Second) < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
}
