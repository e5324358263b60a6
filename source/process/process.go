// Package process reads the memory of running processes: it is a
// [besra.Source] that yields one target a process, whose content is a
// [besra.Memory].
//
//	src, err := process.New(process.Config{Host: host, Names: []string{"ssh*"}})
//
// A target is named by its process, "process:1234:/usr/sbin/sshd". A process
// that ends while it is looked at, or whose number is given to another, is a
// gap: everything is read through one handle, which stays that of the process
// it was opened for. On Linux, a process of which only the first thread has
// ended, which hides its memory in /proc/PID, is read by another thread.
//
// # Regions
//
// Most of what a process maps are libraries, the same in every process and on
// disk, where a hunt in files finds them. [Private] leaves out what is a clean
// view of a file; what is counted as left out is told in one gap.
//
//	All         everything that can be read
//	Private     anonymous memory, what the process wrote to, its own executable, and files that are gone
//	Anonymous   what no file is behind: heaps, stacks, unpacked code
//	Executable  what can be executed
//
// On Linux, runs of 64 KiB or more of private anonymous memory that the process
// has reserved and not touched divide a region and are not read: they are zeros,
// and what they take is not counted as searched. A rule that looks for nothing
// but zeros does not find these.
//
// # Platforms
//
// Linux reads /proc and needs the rights of ptrace for processes of others.
// Windows needs the debug privilege for them. Elsewhere [New] fails.
package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"slices"
	"strconv"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
)

// Kinds says which regions of a process are read.
type Kinds string

// The kinds of regions.
const (
	All        Kinds = "all"
	Private    Kinds = "private"
	Anonymous  Kinds = "anonymous"
	Executable Kinds = "executable"
)

// Config says which processes are read.
type Config struct {
	// Host is the host they run on.
	Host *facts.Host
	// PIDs and Names choose processes; with neither, all are read. Names are
	// globs over the base name of the executable.
	PIDs  []int
	Names []string
	// Skip are globs over the base name of processes that are left alone, such
	// as other scanners; they are counted. Besra itself is always left alone.
	Skip []string
	// Kinds are the regions to read; empty means Private.
	Kinds Kinds
}

// Source yields running processes.
type Source struct {
	config Config
	system system
}

// system is where processes come from.
type system interface {
	// list returns the numbers of all processes.
	list() ([]int, error)
	// open opens a process to be asked about.
	open(pid int) (handle, error)
}

// handle is one process. Its methods fail where the process is gone.
type handle interface {
	io.ReaderAt
	io.Closer
	// about says what a name or a number is not enough for. Fields that are not
	// known are empty.
	about() (about, error)
	mappings() ([]mapping, error)
	// touched returns the regions of mappings, without runs of pages that are
	// known to be zeros because nobody has touched them. It fails where ctx ends.
	touched(ctx context.Context, maps []mapping) ([]besra.Region, error)
	// state adds what the platform knows to the facts.
	state(g *facts.Given, host *facts.Host)
}

// about is what a process is known by.
type about struct {
	name, exe string
	kernel    bool  // it has no memory of its own
	start     int64 // when it started, in a unit of the platform
}

// The reasons of gaps, stable words.
const (
	ReasonPermission = "permission"
	ReasonVanished   = "vanished"
	ReasonKernel     = "kernel-thread"
	ReasonSelf       = "self"
	ReasonExcluded   = "excluded"
	ReasonUnknown    = "unknown-name" // no process has it
	ReasonRegions    = "file-backed"
	ReasonIO         = "io"
)

// New returns the source that c describes.
func New(c Config) (*Source, error) {
	if c.Host == nil || !c.Host.Live() {
		return nil, errors.New("processes run on this host only, not in a foreign root")
	}
	if c.Kinds == "" {
		c.Kinds = Private
	}
	if !slices.Contains([]Kinds{All, Private, Anonymous, Executable}, c.Kinds) {
		return nil, fmt.Errorf("regions %q: want all, private, anonymous or executable", c.Kinds)
	}
	for _, glob := range slices.Concat(c.Names, c.Skip) {
		if _, err := path.Match(glob, ""); err != nil {
			return nil, fmt.Errorf("process name %q: %w", glob, err)
		}
	}
	s, err := thisSystem()
	if err != nil {
		return nil, err
	}
	return &Source{c, s}, nil
}

// Run implements [besra.Source]: processes by ascending number. A name that was
// asked for and that none has is a gap.
func (s *Source) Run(ctx context.Context, to besra.Receiver) error {
	pids, err := s.pids()
	if err != nil {
		return err
	}
	unknown := slices.Clone(s.config.Names)
	for _, pid := range pids {
		if err := ctx.Err(); err != nil {
			return err
		}
		name, err := s.process(pid, to)
		if err != nil {
			return err
		}
		unknown = slices.DeleteFunc(unknown, func(glob string) bool { return matches([]string{glob}, name) })
	}
	for _, glob := range unknown {
		to.Gap(besra.Gap{Kind: besra.GapSkip, Target: besra.Text("process:" + glob), Reason: ReasonUnknown, Count: 1})
	}
	return ctx.Err()
}

// pids are the numbers to look at: those asked for, with all where names are.
func (s *Source) pids() ([]int, error) {
	if len(s.config.PIDs) > 0 && len(s.config.Names) == 0 {
		return slices.Sorted(slices.Values(s.config.PIDs)), nil
	}
	pids, err := s.system.list()
	pids = slices.Concat(pids, s.config.PIDs)
	slices.Sort(pids)
	return slices.Compact(pids), err
}

// process hands one process over, or says why not, and returns its name.
func (s *Source) process(pid int, to besra.Receiver) (string, error) {
	h, err := s.system.open(pid)
	if err != nil {
		s.failed(pid, err, to)
		return "", nil
	}
	what, err := h.about()
	h.Close()
	if err != nil {
		s.failed(pid, err, to)
		return "", nil
	}
	if !s.wanted(pid, what) {
		return what.name, nil
	}
	target := numbered(pid) + ":" + cmp.Or(what.exe, what.name)
	if reason := s.leave(pid, what); reason != "" {
		to.Gap(besra.Gap{Kind: besra.GapSkip, Target: besra.Text(target), Reason: reason, Count: 1})
		return what.name, nil
	}
	return what.name, to.Target(s.target(pid, target, what, to))
}

// failed reports a process that could not be opened. One that has ended since
// all were listed is none any more, unless it was asked for.
func (s *Source) failed(pid int, err error, to besra.Receiver) {
	if errors.Is(err, errGone) && !slices.Contains(s.config.PIDs, pid) {
		return
	}
	to.Gap(besra.Gap{Kind: besra.GapError, Target: besra.Text(numbered(pid)), Reason: reasonOf(err), Detail: err.Error(), Count: 1})
}

func numbered(pid int) string { return "process:" + strconv.Itoa(pid) }

// wanted reports whether the process was asked for.
func (s *Source) wanted(pid int, what about) bool {
	c := s.config
	return len(c.PIDs) == 0 && len(c.Names) == 0 || slices.Contains(c.PIDs, pid) || matches(c.Names, what.name)
}

// leave says why a process is left alone; empty where it is not.
func (s *Source) leave(pid int, what about) string {
	switch {
	case what.kernel:
		return ReasonKernel
	case pid == os.Getpid():
		return ReasonSelf
	case matches(s.config.Skip, what.name):
		return ReasonExcluded
	}
	return ""
}

func matches(globs []string, name string) bool {
	return slices.ContainsFunc(globs, func(g string) bool { ok, _ := path.Match(g, name); return ok })
}

// target makes the target of a process. It is opened anew when it is scanned,
// and must then still be the same.
func (s *Source) target(pid int, name string, what about, to besra.Receiver) besra.Target {
	g := facts.NewGiven(besra.ContextProcess, s.config.Host)
	g.State("process.pid", int64(pid), besra.GradeVerified, "kernel")
	g.State("process.name", besra.Text(what.name), besra.GradeWeak, "name of the executable")
	if what.exe != "" {
		g.State("process.exe", besra.Text(what.exe), besra.GradeWeak, "kernel")
	}
	if h, err := s.system.open(pid); err == nil {
		h.state(g, s.config.Host)
		h.Close()
	}
	return besra.Target{Name: name, Context: besra.ContextProcess, Size: -1, Facts: g,
		Open: func(ctx context.Context) (besra.Content, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			return s.openMemory(ctx, pid, name, what, to)
		}}
}

func (s *Source) openMemory(ctx context.Context, pid int, name string, what about, to besra.Receiver) (besra.Content, error) {
	h, err := s.system.open(pid)
	if err != nil {
		return nil, &openError{err}
	}
	now, err := h.about()
	if err == nil && now != what {
		err = errGone // the number was given to another
	}
	var maps []mapping
	if err == nil {
		maps, err = h.mappings()
	}
	if err != nil {
		h.Close()
		return nil, &openError{err}
	}
	maps = slices.DeleteFunc(maps, func(m mapping) bool { return !m.readable() })
	readable := len(maps)
	maps = slices.DeleteFunc(maps, func(m mapping) bool { return !m.fits(s.config.Kinds, what.exe) })
	regions, err := h.touched(ctx, maps)
	if err != nil {
		h.Close()
		return nil, err
	}
	if left := readable - len(maps); left > 0 {
		to.Gap(besra.Gap{Kind: besra.GapSkip, Target: besra.Text(name), Reason: ReasonRegions, Count: 1,
			Detail: fmt.Sprintf("%d regions are clean views of files, or of a kind that was not asked for", left)})
	}
	return &memory{h, regions}, nil
}

// memory is the content of a process.
type memory struct {
	handle
	regions []besra.Region
}

// Bytes implements [besra.Content]: there is no single run of them.
func (*memory) Bytes() []byte { return nil }

// Regions implements [besra.Memory].
func (m *memory) Regions() iter.Seq[besra.Region] { return slices.Values(m.regions) }

// errGone says that a process has ended.
var errGone = errors.New("the process has ended")

// openError says why a process was not read.
type openError struct{ err error }

func (e *openError) Error() string { return e.err.Error() }
func (e *openError) Unwrap() error { return e.err }

// Reason is the stable word of a gap.
func (e *openError) Reason() string { return reasonOf(e.err) }

func reasonOf(err error) string {
	switch {
	case errors.Is(err, os.ErrPermission):
		return ReasonPermission
	case errors.Is(err, errGone):
		return ReasonVanished
	}
	return ReasonIO
}
