//go:build unix && !linux

package pace

import "syscall"

// Yield lowers the priority of the process for processors to the lowest.
func Yield() error { return syscall.Setpriority(syscall.PRIO_PROCESS, 0, 19) }
