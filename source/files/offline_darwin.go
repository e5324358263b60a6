package files

import (
	"io/fs"
	"syscall"
)

// dataless marks a file whose content is in a cloud.
const dataless = 0x40000000

// isOffline reports whether reading the file would fetch it from elsewhere.
func isOffline(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && s.Flags&dataless != 0
}
