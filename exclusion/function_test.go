package exclusion_test

import (
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

func TestCIDR(t *testing.T) {
	e := env(t, exclusion.Parameters{"nets": {Default: []any{"192.168.0.0/16", "fd00::/8"}}, "typo": {Default: []any{"10.0.0.0/99", "10.0.0.0/8"}}})
	tests := []struct {
		when, ip string
		want     besra.Outcome
	}{
		{`net.src.ip.cidr("10.0.0.0/8")`, "10.200.1.1", yes},
		{`net.src.ip.cidr("10.0.0.0/8")`, "11.0.0.0", no},
		{`cidr(net.src.ip, "10.0.0.0/8")`, "::ffff:10.0.0.1", yes},
		{`net.src.ip.cidr("10.0.0.0/8")`, "fd00::1", no},
		{`net.src.ip.cidr(params.nets)`, "fd00::1%eth0", yes},
		{`net.src.ip.cidr(params.nets)`, "192.168.3.4", yes},
		{`net.src.ip.cidr(params.nets)`, "8.8.8.8", no},
		{`net.src.ip.cidr("10.0.0.0/8")`, "example.org", failed},
		{`!net.src.ip.cidr("10.0.0.0/8")`, "", failed},
		{`net.src.ip.cidr(params.typo)`, "10.0.0.1", yes},
		{`net.src.ip.cidr(params.typo)`, "11.0.0.1", failed},
		{`!net.src.ip.cidr(params.typo)`, "11.0.0.1", failed},
	}
	for _, tt := range tests {
		s := spec(tt.when, besra.ContextNetwork)
		if d := decide(t, s, exclusion.Options{Env: e}, map[string]any{"net.src.ip": tt.ip}); d.Outcome != tt.want {
			t.Errorf("%s of %q: got %s (%s), want %s", tt.when, tt.ip, d.Outcome, d.Why, tt.want)
		}
	}
	for _, network := range []string{"10.0.0.1/8", "10.0.0.0", "x/8"} {
		_, problems := exclusion.Compile(spec(`net.src.ip.cidr("`+network+`")`, besra.ContextNetwork), exclusion.Options{})
		if len(problems) != 1 || problems[0].Code != exclusion.CodeBadArgument {
			t.Errorf("%s: got %v, want a bad argument", network, problems)
		}
	}
}

func TestWithin(t *testing.T) {
	tests := []struct {
		cron, at string // 2026-03-10 is a Tuesday
		slack    time.Duration
		zone     string
		want     bool
	}{
		{"* * * * *", "2026-03-10T12:34:56Z", 0, "UTC", true},
		{"34 12 10 3 *", "2026-03-10T12:34:56Z", 0, "UTC", true},
		{"*/15 * * * *", "2026-03-10T12:31:00Z", time.Minute, "UTC", true},
		{"*/15 * * * *", "2026-03-10T12:32:00Z", time.Minute, "UTC", false},
		{"10-20/5 * * * *", "2026-03-10T12:15:00Z", 0, "UTC", true},
		{"10-20/5 * * * *", "2026-03-10T12:16:00Z", 0, "UTC", false},
		{"5/20 * * * *", "2026-03-10T12:45:00Z", 0, "UTC", true},
		{"1,3,59 * * * *", "2026-03-10T12:59:00Z", 0, "UTC", true},
		{"0 12 * mar tue", "2026-03-10T12:00:00Z", 0, "UTC", true},
		{"0 12 * apr tue", "2026-03-10T12:00:00Z", 0, "UTC", false},
		{"0 12 * * mon-fri", "2026-03-08T12:00:00Z", 0, "UTC", false},
		{"0 12 * * 7", "2026-03-08T12:00:00Z", 0, "UTC", true},
		{"0 12 * * 0", "2026-03-08T12:00:00Z", 0, "UTC", true},
		{"0 12 * * 5-7", "2026-03-08T12:00:00Z", 0, "UTC", true},
		// A day of the month and one of the week: either will do.
		{"0 12 1 * tue", "2026-03-10T12:00:00Z", 0, "UTC", true},
		{"0 12 10 * mon", "2026-03-10T12:00:00Z", 0, "UTC", true},
		{"0 12 1 * mon", "2026-03-10T12:00:00Z", 0, "UTC", false},
		{"0 12 1 * *", "2026-03-10T12:00:00Z", 0, "UTC", false},
		{"@weekly", "2026-03-08T00:09:59Z", 10 * time.Minute, "UTC", true},
		{"@hourly", "2026-03-08T00:09:59Z", 9 * time.Minute, "UTC", false},
		{"0 23 * * *", "2026-03-11T00:30:00Z", 2 * time.Hour, "UTC", true}, // over midnight
		{"0 3 * * *", "2026-07-10T01:00:30Z", 0, "Europe/Berlin", true},
		{"0 3 * * *", "2026-01-10T01:00:30Z", 0, "Europe/Berlin", false},
	}
	for _, tt := range tests {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		got, err := exclusion.Within(at, tt.cron, tt.slack, tt.zone)
		if got != tt.want || err != nil {
			t.Errorf("%s within %q, slack %s, %s: got %v, %v, want %v", tt.at, tt.cron, tt.slack, tt.zone, got, err, tt.want)
		}
	}
	for _, cron := range []string{"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "a * * * *",
		"5-1 * * * *", "*/0 * * * *", "*/x * * * *", "1, * * * *", "-1 * * * *", "1-2-3 * * * *", "@sometimes"} {
		if _, err := exclusion.Within(noon, cron, 0, "UTC"); err == nil {
			t.Errorf("%q: got no error", cron)
		}
	}
	if _, err := exclusion.Within(noon, "* * * * *", -time.Second, "UTC"); err == nil {
		t.Error("a negative slack: got no error")
	}
}

func TestInWindow(t *testing.T) {
	for _, window := range [][2]string{{"2:00", "03:00"}, {"02:60", "03:00"}, {"02:00", "24:01"}, {"02:00", "0300"}, {"", "03:00"}, {"02:00", "02:00"}, {"+2:00", "03:00"}} {
		if _, err := exclusion.InWindow(noon, window[0], window[1], "UTC"); err == nil {
			t.Errorf("%s: got no error", window)
		}
	}
	for _, tz := range []string{"", "Local", "../UTC", "CEST+2"} {
		if _, err := exclusion.InWindow(noon, "02:00", "03:00", tz); err == nil {
			t.Errorf("%q: got no error", tz)
		}
	}
}

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern, path string
		fold, want    bool
	}{
		{"/a/*.py", "/a/b.py", false, true},
		{"/a/*.py", "/a/b/c.py", false, false},
		{"/a/**/c.py", "/a/c.py", false, true},
		{"/a/**/c.py", "/a/b/b/c.py", false, true},
		{"/a/**/c.py", "/a/bc.py", false, false},
		{"**/c.py", "/x/c.py", false, true},
		{"/a/?[0-9]", "/a/b7", false, true},
		{"/a/[]x]", "/a/]", false, true},
		{"/a/[!x]", "/a/x", false, false},
		{"/a[!x]b", "/a/b", false, false}, // a class never takes a slash
		{`/a/\*`, "/a/*", false, true},
		{`/a/\*`, "/a/b", false, false},
		{`/a/\{x\}`, "/a/{x}", false, true},
		{`/a/x`, "/a//./x", false, true},
		{`/A/X`, "/a/x", true, true},
		{`/A/X`, "/a/x", false, false},
		{`C:\Tool\*.exe`, "C:/Tool/x.exe", false, true},
		{"/a/b\n", "/a/b", false, false},
		{"/a/(b)+", "/a/(b)+", false, true},
		{"/a/ä?", "/a/äö", false, true},
	}
	for _, tt := range tests {
		if got, err := exclusion.Glob(tt.path, tt.pattern, tt.fold); got != tt.want || err != nil {
			t.Errorf("Glob(%q, %q, %v): got %v, %v, want %v", tt.path, tt.pattern, tt.fold, got, err, tt.want)
		}
	}
	for _, bad := range [][2]string{{"", "/a"}, {"/a", ""}, {"/a/../b", "/a"}, {"/a", "/a/../b"}, {"/a", "[a"}, {"/a", "{a,b}"}, {"/a", `a\`}, {"/a", "[z-a]"}} {
		if _, err := exclusion.Glob(bad[0], bad[1], false); err == nil {
			t.Errorf("Glob(%q, %q): got no error", bad[0], bad[1])
		}
	}
	if ok, err := exclusion.Under("/a/b", "", false); ok || err == nil {
		t.Errorf("Under an empty directory: got %v, %v", ok, err)
	}
}

func TestLongValuesAreCut(t *testing.T) {
	d := decide(t, spec(`file.name == "a"`), exclusion.Options{}, map[string]any{"file.name": strings.Repeat("x", 5000)})
	if len(d.Why) > 300 || !strings.Contains(d.Why, "…") {
		t.Errorf("got a sentence of %d bytes", len(d.Why))
	}
}
