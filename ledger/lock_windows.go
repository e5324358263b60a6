package ledger

import (
	"os"

	"golang.org/x/sys/windows"
)

// The lock lies on a byte far behind the end of the file, because a lock of
// Windows keeps others from reading what it lies on.
func lockRange() *windows.Overlapped { return &windows.Overlapped{Offset: 0, OffsetHigh: 1 << 30} }

// lock waits until no other open file holds the ledger.
func lock(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, lockRange())
}

func unlock(f *os.File) { windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, lockRange()) }
