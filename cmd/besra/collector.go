package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// startHeap is how many percent of what is there at the start, 5 MB of
// variables, are filled before the first collection: some 90 MB.
const startHeap = 1600

// startMost is how many bytes the runtime may hold before it collects again,
// until the first collection was noticed.
const startMost = 120 << 20

// putOffCollection lets a program that has just begun fill 90 MB before its
// memory is collected for the first time. What is made at the start, rules and
// search tables, is there to stay, and looking through it while it grows costs
// a fifth of the start. After the first collection all is as it always is; where
// a single processor is too busy to notice it, at startMost at the latest. Who
// sets GOGC or GOMEMLIMIT has decided for himself.
func putOffCollection() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	percent, most := debug.SetGCPercent(startHeap), debug.SetMemoryLimit(startMost)
	runtime.AddCleanup(new([64]byte), func(struct{}) {
		debug.SetGCPercent(percent)
		if debug.SetMemoryLimit(-1) == startMost { // and not what --max-memory has set since
			debug.SetMemoryLimit(most)
		}
	}, struct{}{})
}
