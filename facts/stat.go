package facts

import (
	"io/fs"
	"os"
	"time"
)

// stat is what a file system says of an inode beyond [fs.FileInfo].
type stat struct {
	uid, gid        uint32
	dev, ino, links uint64
	ctime           time.Time // zero where the system does not say
}

// Owner is what [fs.FileInfo.Sys] returns for the files of [Config.Files]: who
// owns them, by number.
type Owner struct{ UID, GID uint32 }

func statOf(info fs.FileInfo) (stat, bool) {
	if o, ok := info.Sys().(*Owner); ok {
		return stat{uid: o.UID, gid: o.GID}, true
	}
	return systemStat(info)
}

// sameFile reports whether both describe one inode.
func sameFile(a, b fs.FileInfo) bool {
	if os.SameFile(a, b) {
		return true
	}
	sa, okA := statOf(a)
	sb, okB := statOf(b)
	return okA && okB && sa.dev == sb.dev && sa.ino == sb.ino && sa.ino != 0
}
