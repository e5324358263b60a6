package evidence

import (
	"errors"
	"syscall"
)

// The errors of Windows that say so; see winerror.h.
const (
	handleDiskFull    syscall.Errno = 39
	diskIsFull        syscall.Errno = 112
	diskQuotaExceeded syscall.Errno = 1295
)

// diskFull reports whether an error says that a disk, or somebody's share of
// it, has no room left.
func diskFull(err error) bool {
	return errors.Is(err, handleDiskFull) || errors.Is(err, diskIsFull) || errors.Is(err, diskQuotaExceeded)
}
