package files

import (
	"io/fs"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// searchFlags opens a directory to open what is in it; the right to read
	// the directory is not needed for that.
	searchFlags = unix.O_PATH
	// beneathIsFast says that a path opens in one call.
	beneathIsFast = true
)

// openBeneath opens rel below the directory top and refuses any link on the
// way. The kernel does it in one call; where it cannot (before 5.6, under a
// filter of system calls, for a path beyond its limit) the steps are ours.
func openBeneath(top int, rel string, flags int) (int, error) {
	if !strings.Contains(rel, "/") {
		return stepwise(top, rel, flags)
	}
	how := unix.OpenHow{
		Flags:   uint64(flags),
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	}
	fd, err := retry(func() (int, error) { return unix.Openat2(top, rel, &how) })
	switch err {
	case unix.ENOSYS, unix.EPERM, unix.ENAMETOOLONG, unix.EAGAIN, unix.EINVAL:
		return stepwise(top, rel, flags)
	}
	return fd, err
}

// quietFlag leaves the time of access alone, where the system will let us: for
// our own files, and for root.
func quietFlag(info fs.FileInfo) int {
	s, ok := info.Sys().(*syscall.Stat_t)
	if me := os.Geteuid(); ok && (me == 0 || uint32(me) == s.Uid) {
		return unix.O_NOATIME
	}
	return 0
}

// isOffline reports whether reading the file would fetch it from elsewhere.
func isOffline(fs.FileInfo) bool { return false }

// magics names the file systems that are left out by what statfs says of them.
// It cannot tell devtmpfs from tmpfs, nor one FUSE from another: the table of
// mounts can.
var magics = map[uint32]string{
	0x187: "autofs", 0x42494e4d: "binfmt_misc", 0x6c6f6f70: "binder", 0xcafe4a11: "bpf",
	0x27e0eb: "cgroup", 0x63677270: "cgroup2", 0x62656570: "configfs", 0x64626720: "debugfs",
	0x1cd1: "devpts", 0xde5e81e4: "efivarfs", 0x65735543: "fusectl", 0x958458f6: "hugetlbfs",
	0x19800202: "mqueue", 0x6e736673: "nsfs", 0x9fa0: "proc", 0x6165676c: "pstore",
	0x7655821: "resctrl", 0x67596969: "rpc_pipefs", 0x73636673: "securityfs", 0xf97cff8c: "selinuxfs",
	0x43415d53: "smackfs", 0x62656572: "sysfs", 0x74726163: "tracefs", 0xabba1974: "xenfs",
	0x5346414f: "afs", 0x6b414653: "afs", 0x19830326: "beegfs", 0xc36400: "ceph", 0xff534d42: "cifs",
	0x73757245: "coda", 0x47504653: "gpfs", 0xbd00bd0: "lustre", 0x564c: "ncpfs", 0x6969: "nfs",
	0x20030528: "orangefs", 0xfe534d42: "smb3", 0x517b: "smbfs",
}

// fsType returns the type of the directory's file system; empty for one that
// nothing is said of here.
func (d *dir) fsType() string {
	var s unix.Statfs_t
	if _, err := retry(func() (int, error) { return 0, unix.Fstatfs(d.fd, &s) }); err != nil {
		return ""
	}
	return magics[uint32(s.Type)]
}
