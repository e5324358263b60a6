//go:build darwin || freebsd

package files

import "golang.org/x/sys/unix"

// fsType returns the type of the directory's file system, "remote" for any that
// is not on this machine.
func (d *dir) fsType() string {
	var s unix.Statfs_t
	if _, err := retry(func() (int, error) { return 0, unix.Fstatfs(d.fd, &s) }); err != nil {
		return ""
	}
	name := unix.ByteSliceToString(s.Fstypename[:])
	if classOf(name) == "" && s.Flags&unix.MNT_LOCAL == 0 {
		return "remote"
	}
	return name
}
