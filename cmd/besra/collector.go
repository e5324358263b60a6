package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// startHeap is how many percent of what is there at the start, 5 MB of
// variables, are filled before the first collection: some 90 MB.
const startHeap = 1600

// putOffCollection lets a program that has just begun fill 90 MB before its
// memory is collected for the first time. What is made at the start, rules and
// search tables, is there to stay, and looking through it while it grows costs
// a fifth of the start. After the first collection all is as it always is. Who
// sets GOGC has decided for himself.
func putOffCollection() {
	if os.Getenv("GOGC") != "" {
		return
	}
	usual := debug.SetGCPercent(startHeap)
	runtime.AddCleanup(new([64]byte), func(percent int) { debug.SetGCPercent(percent) }, usual)
}
