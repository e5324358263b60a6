package process

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
)

// mapping is a line of a process's memory map.
type mapping struct {
	start, end int64
	read       bool
	write      bool
	exec       bool
	private    bool
	// file is what is mapped: a path, a name in brackets, or nothing.
	file string
	// gone says that the file was deleted, or never had a name.
	gone bool
}

// readable reports whether the region can be read without side effects: the
// memory of devices cannot, and neither can what the kernel lends.
func (m mapping) readable() bool {
	switch {
	case !m.read || m.end <= m.start || m.start < 0:
		return false
	case m.file == "[vvar]" || m.file == "[vvar_vclock]" || m.file == "[vsyscall]":
		return false
	}
	return !strings.HasPrefix(m.file, "/dev/") || strings.HasPrefix(m.file, "/dev/shm/") || m.file == "/dev/zero"
}

// anonymous reports whether no file with a name is behind the region.
func (m mapping) anonymous() bool {
	return !strings.HasPrefix(m.file, "/") || m.gone || m.file == "/dev/zero"
}

// zeroed reports whether the region is zeros but for what the process brought
// there: what it shares with others or maps of files, others may fill.
func (m mapping) zeroed() bool {
	return m.private && (m.file == "" || m.file == "[heap]" || strings.HasPrefix(m.file, "[stack") || strings.HasPrefix(m.file, "[anon:"))
}

// region is all of the mapping.
func (m mapping) region() besra.Region { return besra.Region{Base: m.start, Size: m.end - m.start} }

// whole are the regions of mappings of which all is read.
func whole(maps []mapping) (regions []besra.Region) {
	for _, m := range maps {
		regions = append(regions, m.region())
	}
	return regions
}

// fits reports whether the region is of the kinds; exe is the executable's path.
func (m mapping) fits(k Kinds, exe string) bool {
	switch k {
	case All:
		return true
	case Anonymous:
		return m.anonymous()
	case Executable:
		return m.exec
	}
	return m.anonymous() || m.write || exe != "" && m.file == exe
}

// parseMaps reads /proc/PID/maps (proc(5)).
func parseMaps(r io.Reader) ([]mapping, error) {
	var list []mapping
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		m, err := parseMapping(s.Text())
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, s.Err()
}

// parseMapping reads "7f1c2000-7f1c3000 r-xp 00000000 08:01 1234   /lib/x.so (deleted)".
func parseMapping(line string) (m mapping, err error) {
	fields := strings.SplitN(line, " ", 6)
	if len(fields) < 5 || len(fields[1]) != 4 {
		return m, fmt.Errorf("memory map: unexpected line %q", line)
	}
	from, to, _ := strings.Cut(fields[0], "-")
	start, err1 := strconv.ParseUint(from, 16, 64)
	end, err2 := strconv.ParseUint(to, 16, 64)
	if err1 != nil || err2 != nil {
		return m, fmt.Errorf("memory map: unexpected range %q", fields[0])
	}
	p := fields[1]
	m = mapping{start: int64(start), end: int64(end), read: p[0] == 'r', write: p[1] == 'w', exec: p[2] == 'x', private: p[3] == 'p'}
	if len(fields) == 6 {
		m.file = strings.TrimLeft(fields[5], " ")
		m.file, m.gone = strings.CutSuffix(m.file, " (deleted)")
		m.gone = m.gone || strings.HasPrefix(m.file, "/memfd:")
	}
	return m, nil
}
