//go:build darwin || freebsd

package facts

import "golang.org/x/sys/unix"

func readMounts() ([]Mount, error) {
	n, err := unix.Getfsstat(nil, unix.MNT_NOWAIT)
	if err != nil {
		return nil, err
	}
	table := make([]unix.Statfs_t, n)
	if n, err = unix.Getfsstat(table, unix.MNT_NOWAIT); err != nil {
		return nil, err
	}
	all := make([]Mount, 0, n)
	for _, s := range table[:n] {
		all = append(all, Mount{
			Point: unix.ByteSliceToString(s.Mntonname[:]),
			Type:  unix.ByteSliceToString(s.Fstypename[:]),
		})
	}
	return all, nil
}
