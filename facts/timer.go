package facts

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
)

// unitDirs are the directories of systemd's units; the first that has a unit
// counts.
var unitDirs = []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}

// timers reads the timers that are enabled: those that another unit wants.
func (s *schedules) timers() {
	for _, name := range s.enabledTimers() {
		t := &timer{}
		if s.unit(t, name) {
			s.addTimer(name, t)
		}
	}
}

// enabledTimers lists the names of the timers that a unit wants or requires.
func (s *schedules) enabledTimers() (out []string) {
	for _, dir := range unitDirs {
		for _, name := range s.names(dir) {
			if !strings.HasSuffix(name, ".wants") && !strings.HasSuffix(name, ".requires") {
				continue
			}
			for _, unit := range s.names(dir + "/" + name) {
				if strings.HasSuffix(unit, ".timer") && !slices.Contains(out, unit) {
					out = append(out, unit)
				}
			}
		}
	}
	return out
}

func (s *schedules) addTimer(name string, t *timer) {
	service := t.unit
	if service == "" {
		service = strings.TrimSuffix(name, ".timer") + ".service"
	}
	names := []string{name, service}
	if len(t.when) == 0 {
		s.add(besra.Schedule{Names: names})
	}
	for _, when := range t.when {
		s.add(besra.Schedule{Names: names, When: when, Zone: s.zone})
	}
}

// unit reads a timer and what is added to it in NAME.d. It is false where there
// is no such unit, or it is masked.
func (s *schedules) unit(t *timer, name string) bool {
	files := []string{name}
	if prefix, rest, ok := strings.Cut(name, "@"); ok && rest != ".timer" {
		files = append(files, prefix+"@.timer") // an instance of a template
	}
	found := false
	for _, file := range files {
		if !found {
			found = s.unitFile(t, file)
		}
	}
	if !found {
		return false
	}
	for _, dir := range slices.Backward(unitDirs) {
		for _, file := range files {
			for _, extra := range s.names(dir + "/" + file + ".d") {
				if strings.HasSuffix(extra, ".conf") {
					s.readUnit(t, dir+"/"+file+".d/"+extra)
				}
			}
		}
	}
	return true
}

// unitFile reads the first file that there is of a unit.
func (s *schedules) unitFile(t *timer, name string) bool {
	for _, dir := range unitDirs {
		file := dir + "/" + name
		if _, err := s.host.tree.lstat(file); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if to, err := s.host.tree.readlink(file); err == nil && to == "/dev/null" {
			return false // masked
		}
		return s.readUnit(t, file)
	}
	return false
}

// readUnit reads a file of a unit, where only root can have written it.
func (s *schedules) readUnit(t *timer, file string) bool {
	f, err := s.host.tree.open(file)
	if err != nil {
		s.fail(file, err)
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !s.rootsOwn(file, info) {
		s.fail(file, err)
		return false
	}
	t.section, t.begun = "", ""
	err = scanLines(f, func(_ int, line []byte) error { t.line(string(line)); return nil })
	s.fail(file, err)
	return err == nil
}

// timer is what is needed of a timer unit.
type timer struct {
	when    []string // OnCalendar=
	unit    string   // Unit=
	section string
	begun   string // a line that goes on in the next
}

func (t *timer) line(text string) {
	text = t.begun + strings.TrimSpace(text)
	t.begun = ""
	if rest, ok := strings.CutSuffix(text, `\`); ok {
		t.begun = rest + " "
		return
	}
	if text == "" || text[0] == '#' || text[0] == ';' {
		return
	}
	if text[0] == '[' {
		t.section = text
		return
	}
	key, value, _ := strings.Cut(text, "=")
	value = strings.Join(strings.Fields(value), " ")
	switch key = strings.TrimSpace(key); {
	case t.section != "[Timer]":
	case key == "Unit":
		t.unit = value
	case key == "OnCalendar" && value == "":
		t.when = nil
	case key == "OnCalendar" && !strings.Contains(value, "|"):
		t.when = append(t.when, value)
	}
}
