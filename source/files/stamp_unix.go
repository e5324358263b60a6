//go:build unix

package files

import (
	"io/fs"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// stampOf returns what tells of a file whether it is the same and unchanged,
// and whether it has other names.
func stampOf(info fs.FileInfo) (stamp string, shared bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", false
	}
	raw := (*unix.Stat_t)(unsafe.Pointer(s)) // the same structure, see fileInfo
	b := make([]byte, 0, 80)
	for _, n := range []int64{int64(raw.Dev), int64(raw.Ino), raw.Size, unix.TimespecToNsec(raw.Mtim), unix.TimespecToNsec(raw.Ctim)} {
		b = append(strconv.AppendInt(b, n, 36), ' ')
	}
	return string(b), raw.Nlink > 1
}
