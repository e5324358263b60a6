package kql

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
)

// quote returns s as a literal of KQL: a regular one, in ASCII alone, as the
// repositories of Sentinel's content want it.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= ' ' && r < 0x7f:
			b.WriteRune(r)
		default:
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
	}
	b.WriteByte('"')
	return b.String()
}

func quoteAll(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = quote(s)
	}
	return strings.Join(out, ", ")
}

// tick is the resolution of time in KQL.
const tick = 100 * time.Nanosecond

// instant returns t as a literal; it must be a whole number of ticks.
func instant(t time.Time) string {
	return "datetime(" + t.UTC().Format("2006-01-02T15:04:05.9999999Z") + ")"
}

// span returns d as a literal; it must be a whole number of ticks.
func span(d time.Duration) string {
	sign := ""
	rest := uint64(d)
	if d < 0 {
		sign, rest = "-", -rest
	}
	const second = uint64(time.Second)
	days, rest := rest/(86400*second), rest%(86400*second)
	return fmt.Sprintf("time(%s%d.%02d:%02d:%02d.%07d)", sign, days, rest/(3600*second), rest/(60*second)%60, rest/second%60, rest%second/uint64(tick))
}

func ints(list []int) string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = fmt.Sprint(n)
	}
	return strings.Join(out, ", ")
}
