package facts

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func systemStat(info fs.FileInfo) (stat, bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return stat{}, false
	}
	return stat{
		uid: s.Uid, gid: s.Gid,
		dev: uint64(s.Dev), ino: s.Ino, links: uint64(s.Nlink),
		ctime: time.Unix(s.Ctim.Unix()),
	}, true
}

// device spells the device as the kernel's tables do.
func (s stat) device() string {
	return fmt.Sprintf("%02x:%02x", unix.Major(s.dev), unix.Minor(s.dev))
}

// birth asks the kernel for the time of birth, which stat does not tell.
func (f *File) birth() (time.Time, error) {
	opened, err := f.reopen()
	if err != nil {
		return time.Time{}, err
	}
	defer opened.Close()
	file, ok := opened.(*os.File)
	if !ok {
		return time.Time{}, errNoBirth
	}
	var sx unix.Statx_t
	err = unix.Statx(int(file.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &sx)
	if err != nil {
		return time.Time{}, err
	}
	if sx.Mask&unix.STATX_BTIME == 0 {
		return time.Time{}, errNoBirth
	}
	return time.Unix(sx.Btime.Sec, int64(sx.Btime.Nsec)), nil
}

// origin reads the URL that browsers and wget note in an attribute.
func (f *File) origin() (url, source string, err error) {
	const attribute = "user.xdg.origin.url"
	url, err = f.attribute(attribute)
	return url, "attribute " + attribute, err
}
