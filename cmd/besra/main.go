// Besra hunts with YARA detections wherever a SOC has bytes, keeps known false
// positives out of the way without hiding them, and says what it did not see.
package main

import "os"

func main() {
	putOffCollection()
	os.Exit(run(os.Args[1:], stdio{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}
