package facts

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
)

// schedules reads what a host runs at which times.
type schedules struct {
	host *Host
	zone string // the host's own; empty where it is not known
	list []besra.Schedule
	why  string // why there may be more
}

// maxSchedules bounds what is taken from one host.
const maxSchedules = 4096

// readSchedules reads the administrator's schedules, in crontabs and timers, or
// those of users, in their own crontabs.
func (h *Host) readSchedules(name string) besra.Fact {
	goos, _ := h.os().Text()
	if goos != "linux" {
		return besra.Unavailable(name, "schedules are read of Linux hosts only")
	}
	s := &schedules{host: h, zone: readZone(h.tree)}
	source := "/etc/crontab, /etc/cron.d, systemd timers"
	if name == "host.schedules" {
		s.system()
		s.timers()
	} else {
		s.users()
		source = "crontabs of users"
	}
	if s.why != "" {
		return besra.Unavailable(name, "schedules were not read whole: "+s.why)
	}
	values := []string{}
	for _, one := range s.list {
		values = append(values, one.Text())
	}
	slices.Sort(values)
	return known(name, slices.Compact(values), h.grade(), source)
}

func (s *schedules) add(one besra.Schedule) {
	if strings.Contains(strings.Join(one.Names, "")+one.When+one.Zone, "|") {
		return // no schedule has a bar; its text form has
	}
	if len(s.list) == maxSchedules {
		s.why = fmt.Sprintf("there are more than %d", maxSchedules)
		return
	}
	s.list = append(s.list, one)
}

// fail notes that something could not be read; what does not exist says nothing.
func (s *schedules) fail(path string, err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.why = reason(path, err)
	}
}

// names lists a directory in order; nil where there is none.
func (s *schedules) names(dir string) []string {
	names, err := s.host.tree.names(dir)
	s.fail(dir, err)
	slices.Sort(names)
	return names
}

// readZone returns the IANA name of the host's time zone: where the link
// /etc/localtime leads, or what /etc/timezone says. Without either it is UTC.
func readZone(t tree) string {
	if to, err := t.readlink("/etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(to, "/zoneinfo/"); ok {
			return name
		}
	}
	if line, err := firstLine(t, "/etc/timezone"); err == nil {
		return line
	}
	if _, err := t.lstat("/etc/localtime"); errors.Is(err, fs.ErrNotExist) {
		return "UTC"
	}
	return "" // a copy of a zone's file, which does not name it
}

// system reads the crontabs of the host itself.
func (s *schedules) system() {
	s.crontab("/etc/crontab", "/etc/crontab", true)
	for _, name := range s.names("/etc/cron.d") {
		if !cronIgnores(name) {
			s.crontab("/etc/cron.d/"+name, "/etc/cron.d/"+name, true)
		}
	}
}

// cronIgnores reports whether cron takes a file for what a package manager or an
// editor left behind.
func cronIgnores(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || strings.Contains(name, ".rpm") || strings.Contains(name, ".dpkg-")
}

// spools are the directories of users' crontabs: of Debian, Red Hat, SUSE and
// Alpine. A crontab is named after its user.
var spools = []string{"/var/spool/cron/crontabs", "/var/spool/cron", "/var/spool/cron/tabs", "/etc/crontabs"}

func (s *schedules) users() {
	for _, dir := range spools {
		for _, name := range s.names(dir) {
			file := dir + "/" + name
			if info, err := s.host.tree.lstat(file); err == nil && info.Mode().IsRegular() {
				s.crontab(file, "crontab:"+name, false)
			}
		}
	}
}

// crontab reads one crontab under a name. Like cron it takes the system's only
// where nobody but root can have written it.
func (s *schedules) crontab(file, name string, system bool) {
	info, err := s.host.tree.lstat(file)
	if err != nil || system && !s.rootsOwn(file, info) {
		s.fail(file, err)
		return
	}
	zone := s.zone
	err = eachLine(s.host.tree, file, func(_ int, line []byte) error {
		text := strings.TrimSpace(string(line))
		if key, value, ok := strings.Cut(text, "="); ok && strings.TrimSpace(key) == "CRON_TZ" {
			zone = strings.Trim(strings.TrimSpace(value), `"'`)
			return nil
		}
		if when, command, ok := cronLine(text, system); ok {
			s.add(besra.Schedule{Names: append([]string{name}, programs(command)...), When: when, Zone: zone})
		}
		return nil
	})
	s.fail(file, err)
}

// rootsOwn reports whether only root can have written a file.
func (s *schedules) rootsOwn(file string, info fs.FileInfo) bool {
	if !info.Mode().IsRegular() {
		return false
	}
	o, _, err := s.host.owner(file, info)
	return err == nil && o.uid == 0 && o.mode&0o022 == 0
}

var (
	cronTimes   = regexp.MustCompile(`^((?:\S+\s+){5})(.*)$`)
	cronSetting = regexp.MustCompile(`^["']?[A-Za-z_][A-Za-z0-9_]*["']?\s*=`)
	cronWords   = map[string]bool{"@hourly": true, "@daily": true, "@midnight": true, "@weekly": true, "@monthly": true, "@yearly": true, "@annually": true}
)

// cronLine splits a line of a crontab into times and command; the system's name
// a user between them. It has no times where it is run after a boot.
func cronLine(text string, system bool) (when, command string, ok bool) {
	switch {
	case text == "" || text[0] == '#' || cronSetting.MatchString(text):
		return "", "", false
	case text[0] == '@':
		word, rest, _ := strings.Cut(text, " ")
		if cronWords[strings.ToLower(word)] {
			when = strings.ToLower(word)
		}
		command = strings.TrimSpace(rest)
	default:
		m := cronTimes.FindStringSubmatch(text)
		if m == nil {
			return "", "", false
		}
		when, command = strings.Join(strings.Fields(strings.TrimLeft(m[1], "-")), " "), m[2]
	}
	if system {
		_, command, _ = strings.Cut(command, " ")
	}
	return when, command, true
}

var programPath = regexp.MustCompile(`(?:^|[\s;&|(=])(/[^\s;&|<>()"'%=]+)`)

const maxPrograms = 8

// programs returns the absolute paths in a command, by which a schedule can be
// named too.
func programs(command string) (out []string) {
	for _, m := range programPath.FindAllStringSubmatch(command, maxPrograms) {
		if p := path.Clean(m[1]); !slices.Contains(out, p) && !strings.HasPrefix(p, "/dev/") {
			out = append(out, p)
		}
	}
	return out
}
