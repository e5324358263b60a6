package archive

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// arHeader is the length of a member's header, and of the archive's magic.
const (
	arHeader = 60
	arMagic  = 8
)

// arMember is a member of an ar archive, with its content in place.
type arMember struct {
	member
	special bool // an index or a table of names
}

// ar yields the members of an archive; those of GNU's and BSD's long names, too.
func (w *walk) ar() error {
	return eachAr(w.content, func(m arMember) error {
		if m.special {
			return nil
		}
		return w.yield(m.member)
	})
}

// eachAr calls f for every member of an ar archive, in order, and for what there
// is of the last where the archive is cut off.
func eachAr(content []byte, f func(arMember) error) error {
	var names string // GNU's table of long names
	at := arMagic
	for at+arHeader <= len(content) {
		m, next, err := readAr(content, at, names)
		if err == io.ErrUnexpectedEOF {
			return errors.Join(f(m), err)
		}
		if err != nil {
			return err
		}
		if m.name == "//" {
			names = string(m.data)
		}
		if err := f(m); err != nil {
			return err
		}
		at = next
	}
	if at < len(content) && len(bytes.Trim(content[at:], "\n\x00")) > 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

var errAr = errors.New("no ar header where one must be")

func readAr(content []byte, at int, names string) (m arMember, next int, err error) {
	h := string(content[at : at+arHeader])
	size, err := strconv.ParseInt(strings.TrimSpace(h[48:58]), 10, 63)
	if err != nil || size < 0 || h[58:] != "`\n" {
		return m, 0, errAr
	}
	start := at + arHeader
	if most := int64(len(content) - start); size > most {
		size, err = most, io.ErrUnexpectedEOF
	}
	end := start + int(size)
	m.data, m.size = content[start:end:end], size
	m.name = strings.TrimRight(h[:16], " ")
	m.uid, m.gid = decimal(h[28:34]), decimal(h[34:40])
	if mode, err := strconv.ParseUint(strings.TrimSpace(h[40:48]), 8, 32); err == nil {
		m.mode = fs.FileMode(mode & 0o777)
	}
	if sec := decimal(h[16:28]); sec != nil && *sec > 0 {
		m.mtime = time.Unix(*sec, 0).UTC()
	}
	m.longName(names)
	return m, end + int(size&1), err
}

// longName resolves the forms that do not fit the header: "/12" points into
// GNU's table, "#1/20" says that BSD's name leads the content.
func (m *arMember) longName(names string) {
	switch {
	case m.name == "/" || m.name == "//" || m.name == "/SYM64/" || strings.HasPrefix(m.name, "__.SYMDEF"):
		m.special = true
	case strings.HasPrefix(m.name, "#1/"):
		n, err := strconv.Atoi(m.name[3:])
		if err == nil && n >= 0 && n <= len(m.data) {
			m.name, m.data = strings.TrimRight(string(m.data[:n]), "\x00"), m.data[n:]
			m.size = int64(len(m.data))
			m.special = strings.HasPrefix(m.name, "__.SYMDEF")
		}
	case strings.HasPrefix(m.name, "/"):
		if n, err := strconv.Atoi(m.name[1:]); err == nil && n >= 0 && n < len(names) {
			m.name, _, _ = strings.Cut(names[n:], "\n")
		}
	}
	if !m.special {
		m.name = strings.TrimSuffix(m.name, "/")
	}
}

func decimal(s string) *int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
