//go:build unix && !linux

package files

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

const (
	searchFlags   = unix.O_RDONLY
	beneathIsFast = false
)

// openBeneath opens rel below the directory top and refuses any link on the way.
func openBeneath(top int, rel string, flags int) (int, error) { return stepwise(top, rel, flags) }

// quietFlag would leave the time of access alone; this system cannot.
func quietFlag(fs.FileInfo) int { return 0 }
