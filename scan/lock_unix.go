//go:build unix && !aix && !solaris

package scan

import (
	"errors"
	"os"
	"syscall"
)

var errJournalInUse = errors.New("another hunt is at it")

// lockJournal keeps a second process from going on with the same run.
func lockJournal(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errJournalInUse
	}
	return err
}
