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
	return stat{
		uid: s.Uid, gid: s.Gid,
		dev: uint64(s.Dev), ino: s.Ino, links: uint64(s.Nlink),
		ctime: time.Unix(s.Ctimespec.Unix()),
	}, true
}

func (f *File) birth() (time.Time, error) {
	s, ok := f.info.Sys().(*syscall.Stat_t)
	if !ok || s.Birthtimespec.Sec == 0 {
		return time.Time{}, errNoBirth
	}
	return time.Unix(s.Birthtimespec.Unix()), nil
}

// origin reads the URLs that browsers note for the metadata index; the first is
// the file's own.
func (f *File) origin() (url, source string, err error) {
	const attribute = "com.apple.metadata:kMDItemWhereFroms"
	list, err := f.attribute(attribute)
	if err != nil || list == "" {
		return "", "", err
	}
	url, err = firstOfPropertyList([]byte(list))
	return url, "attribute " + attribute, err
}
