//go:build unix && !linux && !darwin

package facts

import (
	"io/fs"
	"syscall"
	"time"
)

func systemStat(info fs.FileInfo) (stat, bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return stat{}, false
	}
	return stat{uid: s.Uid, gid: s.Gid, dev: uint64(s.Dev), ino: uint64(s.Ino), links: uint64(s.Nlink)}, true
}

func (f *File) birth() (time.Time, error) { return time.Time{}, errNoBirth }

func (f *File) origin() (url, source string, err error) { return "", "", nil }
