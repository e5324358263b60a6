//go:build !unix && !windows

package pace

import "time"

func cpuTime() (time.Duration, error) { return 0, ErrUnsupported }

// Yield lowers the priority of the process to the lowest.
func Yield() error { return ErrUnsupported }
