package facts

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
)

// scheduledRoot is a root with crontabs and timers of every kind. An ownership
// manifest says that all is root's, but for what it lists.
func scheduledRoot(t *testing.T, files map[string]string) *Host {
	t.Helper()
	all := map[string]string{"/etc/os-release": "ID=x\n", "/etc/timezone": "Europe/Berlin\n", Manifest: "/etc/cron.d/users 1000 0 0644\n/etc/cron.d/open 0 0 0666\n"}
	for name, text := range files {
		all[name] = text
	}
	dir := root(t, all)
	wants := filepath.Join(dir, "etc/systemd/system/timers.target.wants")
	if err := os.MkdirAll(wants, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"logproc.timer", "boot.timer", "at@7.timer", "masked.timer", "gone.timer"} {
		err := os.Symlink("/usr/lib/systemd/system/"+name, filepath.Join(wants, name))
		if err != nil {
			t.Skip("no links here:", err)
		}
	}
	if err := os.Symlink("/dev/null", filepath.Join(dir, "etc/systemd/system/masked.timer")); err != nil {
		t.Fatal(err)
	}
	h, err := NewHost(Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestSchedules(t *testing.T) {
	const units = "/usr/lib/systemd/system/"
	h := scheduledRoot(t, map[string]string{
		"/etc/crontab": "# comment\nSHELL=/bin/sh\n MAILTO = \"root\"\n17 *\t* * *\troot\tcd / && run-parts --report /etc/cron.hourly\n\n" +
			"25 6 * * * root test -x /usr/sbin/anacron || { cd / && run-parts /etc/cron.daily; }\ntoo few fields\n1 | * * * root /pipe\n",
		"/etc/cron.d/logs":          "CRON_TZ=UTC\n30 2 * * 1-5 logproc /opt/log/run.sh --out=/var/log/x > /dev/null 2>&1\n@daily root /opt/log/rotate\n@reboot root /opt/boot\n",
		"/etc/cron.d/logs.dpkg-old": "0 0 * * * root /old\n", "/etc/cron.d/.hidden": "0 0 * * * root /hidden\n",
		"/etc/cron.d/users": "* * * * * root /evil\n", "/etc/cron.d/open": "* * * * * root /evil\n",
		units + "logproc.timer":                      "[Unit]\nOnCalendar=never\n[Timer]\n# nightly\nOnCalendar=Mon..Fri \\\n  02:00\nOnCalendar = 04:00 UTC\nUnit=log-processing.service\n",
		units + "logproc.timer.d/more.conf":          "[Timer]\nOnCalendar=\nOnCalendar=*-*-* 03:00:00\n",
		units + "logproc.timer.d/README":             "[Timer]\nOnCalendar=05:00\n",
		units + "boot.timer":                         "[Timer]\nOnBootSec=15min\n",
		units + "at@.timer":                          "[Timer]\nOnCalendar=hourly\n",
		units + "masked.timer":                       "[Timer]\nOnCalendar=06:00\n",
		units + "disabled.timer":                     "[Timer]\nOnCalendar=07:00\n",
		"/var/spool/cron/crontabs/logproc":           "5 4 * * * $HOME/x && /srv/jobs/nightly\n@weekly /srv/jobs/weekly\n",
		"/etc/crontabs/root":                         "*/15 * * * * run-parts /etc/periodic/15min\n",
		"/etc/systemd/system/logproc.timer.d/z.conf": "[Timer]\nOnCalendar=08:00\n",
	})
	got := h.Fact(t.Context(), "host.schedules")
	want := []string{
		"/etc/cron.d/logs /opt/boot |  | UTC",
		"/etc/cron.d/logs /opt/log/rotate | @daily | UTC",
		"/etc/cron.d/logs /opt/log/run.sh /var/log/x | 30 2 * * 1-5 | UTC",
		"/etc/crontab /etc/cron.hourly | 17 * * * * | Europe/Berlin",
		"/etc/crontab /usr/sbin/anacron /etc/cron.daily | 25 6 * * * | Europe/Berlin",
		"at@7.timer at@7.service | hourly | Europe/Berlin",
		"boot.timer boot.service |  | ",
		"logproc.timer log-processing.service | *-*-* 03:00:00 | Europe/Berlin",
		"logproc.timer log-processing.service | 08:00 | Europe/Berlin",
	}
	if diff := cmp.Diff(want, got.Value); diff != "" {
		t.Errorf("host.schedules (-want +got):\n%s", diff)
	}
	got = h.Fact(t.Context(), "host.user_schedules")
	want = []string{"crontab:logproc /srv/jobs/nightly | 5 4 * * * | Europe/Berlin", "crontab:logproc /srv/jobs/weekly | @weekly | Europe/Berlin",
		"crontab:root /etc/periodic/15min | */15 * * * * | Europe/Berlin"}
	if diff := cmp.Diff(want, got.Value); diff != "" {
		t.Errorf("host.user_schedules (-want +got):\n%s", diff)
	}
}

// TestSchedulesUnread has a crontab that cannot be read: what else there is does
// not stand for all.
func TestSchedulesUnread(t *testing.T) {
	h := scheduledRoot(t, map[string]string{"/etc/cron.d/is/a": "directory", "/usr/lib/systemd/system/logproc.timer": strings.Repeat("x", 2<<20)})
	got := h.Fact(t.Context(), "host.schedules")
	if got.Known() || !strings.Contains(got.Source, "logproc.timer") {
		t.Errorf("host.schedules: got %+v, want unavailable, and why", got)
	}
	h = foreign(t, map[string]string{"/Windows/System32/x": ""})
	if got := h.Fact(t.Context(), "host.schedules"); got.Known() || !strings.Contains(got.Source, "Linux") {
		t.Errorf("host.schedules of Windows: got %+v, want unavailable", got)
	}
}

func TestZoneOfHost(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		link  string
		want  string
	}{
		"link":    {nil, "../usr/share/zoneinfo/America/New_York", "America/New_York"},
		"text":    {map[string]string{"/etc/timezone": "\nEurope/Paris\n"}, "", "Europe/Paris"},
		"neither": {nil, "", "UTC"},
		"copy":    {map[string]string{"/etc/localtime": "TZif"}, "", ""},
	} {
		dir := root(t, c.files)
		if c.link != "" {
			err := errors.Join(os.MkdirAll(dir+"/etc", 0o755), os.Symlink(c.link, dir+"/etc/localtime"))
			if err != nil {
				t.Skip("no links here:", err)
			}
		}
		h, err := NewHost(Config{Root: dir})
		if err != nil {
			t.Fatal(err)
		}
		if got := readZone(h.tree); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func FuzzSchedules(f *testing.F) {
	f.Add("30 2 * * 1-5 root /opt/run.sh", "OnCalendar=daily\\")
	f.Add("@daily", "[Timer]")
	f.Fuzz(func(t *testing.T, cron, unit string) {
		s := &schedules{}
		when, command, _ := cronLine(cron, true)
		s.add(besra.Schedule{Names: append([]string{"x"}, programs(command)...), When: when})
		for _, one := range s.list {
			if back, err := besra.ParseSchedule(one.Text()); err != nil || back.When != when {
				t.Errorf("got %q, %v back of %q", back, err, when)
			}
		}
		one := &timer{section: "[Timer]"}
		one.line(unit)
		one.line(unit)
		for _, p := range programs(cron) {
			if strings.ContainsAny(p, " \t|") || p[0] != '/' {
				t.Errorf("got the program %q", p)
			}
		}
	})
}
