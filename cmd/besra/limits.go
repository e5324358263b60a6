package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra/pace"
	"github.com/besra-hunt/besra/scan"
	"github.com/spf13/pflag"
)

// limitFlags say how much of a machine a hunt may take.
type limitFlags struct {
	cpu    float64
	iops   float64
	nice   bool
	memory size

	processors int   // before any limit
	read       int64 // bytes that sources may take of what they read ahead; 0 for no limit
	loaded     int64 // size of the largest thing that a worker reads into memory; 0 for no limit
	ahead      int   // targets that are taken from a source and not done
	pacer      *pace.Pacer
}

func (l *limitFlags) register(f *pflag.FlagSet) {
	f.Float64Var(&l.cpu, "max-cpu", 0, "percent of all processors together that are used on average, such as 25 (default: no limit)")
	f.Float64Var(&l.iops, "max-iops", 0, "disk operations a second: opening a file, and every 128 KiB read (default: no limit)")
	f.BoolVar(&l.nice, "nice", false, "give way to everything else that wants a processor or, on Linux, the disk")
	f.Var(&l.memory, "max-memory", "memory that is used, such as 512MiB: fewer targets at once, smaller members unpacked (default: no limit)")
}

// begin holds the program back from here on.
func (l *limitFlags) begin() error {
	if l.cpu < 0 || l.cpu > 100 {
		return fmt.Errorf("--max-cpu %g: want a percentage above 0, up to 100", l.cpu)
	}
	if l.iops < 0 {
		return fmt.Errorf("--max-iops %g: want a number above 0", l.iops)
	}
	if l.nice {
		if err := pace.Yield(); err != nil {
			return fmt.Errorf("--nice: %w", err)
		}
	}
	if l.memory > 0 {
		debug.SetMemoryLimit(l.heap())
	}
	l.processors = runtime.GOMAXPROCS(0)
	if l.cpu > 0 {
		// What nobody can pause, such as the collection of memory, is bounded, too.
		runtime.GOMAXPROCS(int(math.Ceil(float64(l.processors) * l.cpu / 100)))
	}
	return l.pace()
}

// heap is what the runtime may have of --max-memory: it goes over a little
// before it notices, and the program itself is in memory, too.
func (l *limitFlags) heap() int64 { return int64(l.memory) / 8 * 7 }

// pace begins to count.
func (l *limitFlags) pace() (err error) {
	share := l.cpu / 100 * float64(l.processors) / float64(runtime.GOMAXPROCS(0))
	if l.pacer, err = pace.New(pace.Config{CPU: min(share, 1), IOPS: l.iops}); err != nil {
		return fmt.Errorf("--max-cpu: %w", err)
	}
	return nil
}

const (
	// spareMemory is for what is neither rules nor targets: records on their
	// way, the walk, the runtime's own.
	spareMemory = 24 << 20
	// workerMemory is the least that a worker needs for a target.
	workerMemory = 32 << 20
	// unpackedTimes is how often a member may be in memory while it is
	// unpacked: its buffer grows, and the old one is still there.
	unpackedTimes = 3
)

// fit divides the memory of --max-memory, after the rules were compiled, among
// the workers; captures and images get a half before them, because they are read
// ahead. It returns how many workers there are, and what each may hold.
func (l *limitFlags) fit(workers int, limits scan.Limits, places []string) (int, scan.Limits, error) {
	if l.memory == 0 {
		return workers, limits, nil
	}
	debug.FreeOSMemory()
	used := memoryInUse()
	left := l.heap() - 2*used - spareMemory // what searching takes grows with the rules
	need := int64(workerMemory)
	readAhead := named(places, "capture", "live", "image")
	if readAhead {
		need *= 2
	}
	if left < need {
		return 0, limits, &hintError{fmt.Errorf("--max-memory %d MiB: the rules and the program take %d MiB, and a hunt needs more",
			l.memory>>20, used>>20), fmt.Sprintf("--max-memory %dMiB, or fewer rules", (2*used+spareMemory+need)*8/7>>20+1)}
	}
	if readAhead {
		l.read, left = left/2, left/2
	}
	workers = int(min(int64(workers), left/workerMemory))
	l.ahead = 3*workers + 1 // those that are scanned, those that wait, and one more
	share := left / int64(workers)
	limits.Release = min(share/8, 64<<20)
	limits.Held = (share - limits.Release) / unpackedTimes
	if named(places, "bucket", "git") {
		limits.Held = (share - limits.Release) / (unpackedTimes + 1)
		l.loaded = limits.Held
	}
	debug.SetMemoryLimit(l.heap() - limits.Release*int64(workers))
	return workers, limits, nil
}

// memoryInUse is how much memory of the system the program takes: what is
// resident where that is known, and what Go asked for elsewhere.
func memoryInUse() int64 {
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := strings.Fields(string(text)); len(fields) > 1 {
			if pages, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
				return pages * int64(os.Getpagesize())
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}
