//go:build !windows

package evidence

import (
	"errors"
	"syscall"
)

// diskFull reports whether an error says that a disk, or somebody's share of
// it, has no room left.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
