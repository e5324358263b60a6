package pace

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	// lowest is the nice value that gives way to all others.
	lowest = 19
	// idleDisk is the I/O class that gets the disk when nobody else wants it
	// (ioprio_set(2): class 3, shifted by 13), of one thread (1).
	idleDisk   = 3 << 13
	ofOneThing = 1
)

// Yield lowers the priority of the process, for processors and disk, to the
// lowest. Linux keeps it by thread: those that there are get it one by one, and
// those that come are of one that has it.
func Yield() error {
	// A thread that an unchanged one began meanwhile is met in the second pass.
	return errors.Join(yieldThreads(), yieldThreads())
}

func yieldThreads() error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("listing the threads: %w", err)
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		if err := unix.Setpriority(unix.PRIO_PROCESS, id, lowest); err != nil && err != unix.ESRCH {
			return fmt.Errorf("setting the priority: %w", err)
		}
		// Where the kernel has no such classes the processor's priority counts.
		unix.Syscall(unix.SYS_IOPRIO_SET, ofOneThing, uintptr(id), idleDisk)
	}
	return nil
}
