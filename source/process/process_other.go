//go:build !linux && !windows

package process

import (
	"errors"
	"runtime"
)

func thisSystem() (system, error) {
	return nil, errors.New("the memory of processes cannot be read on " + runtime.GOOS + ": hunt in files instead")
}
