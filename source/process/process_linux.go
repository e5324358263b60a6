package process

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
)

func thisSystem() (system, error) { return proc("/proc"), nil }

// proc is a mounted proc file system.
type proc string

func (p proc) list() ([]int, error) {
	d, err := os.Open(string(p))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, err
}

// open opens the directory of a process. What is read through it is of that
// process, or fails once it has ended.
func (p proc) open(pid int) (handle, error) {
	dir := filepath.Join(string(p), strconv.Itoa(pid))
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, gone(err)
	}
	h := &linuxProcess{proc: p, pid: pid, dir: dir, root: root, live: root}
	if st, err := h.stat(); err == nil && st.ended && st.threads > 1 {
		h.toThread()
	}
	return h, nil
}

// gone gives the errors of a process that has ended one value.
func gone(err error) error {
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return errGone
	}
	return err
}

type linuxProcess struct {
	proc   proc
	pid    int
	root   *os.Root
	live   *os.Root // what is read but for stat: root, or a thread's
	dir    string   // of live
	opened sync.Once
	mem    *os.File
	memErr error
}

// toThread turns to a thread that lives. A process goes on when its first
// thread ends, and hides its memory, executable and command line by that.
func (p *linuxProcess) toThread() {
	tasks, err := p.root.Open("task")
	if err != nil {
		return
	}
	defer tasks.Close()
	ids, _ := tasks.Readdirnames(-1)
	slices.Sort(ids)
	for _, id := range ids {
		dir := filepath.Join("task", id)
		if st, err := readStat(p.root, dir); err != nil || st.ended {
			continue
		}
		if live, err := p.root.OpenRoot(dir); err == nil {
			p.live, p.dir = live, filepath.Join(p.dir, dir)
			return
		}
	}
}

// ReadAt implements [io.ReaderAt] over addresses.
func (p *linuxProcess) ReadAt(b []byte, address int64) (int, error) {
	p.opened.Do(p.openMem)
	if p.memErr != nil {
		return 0, p.memErr
	}
	n, err := p.mem.ReadAt(b, address)
	return n, gone(err)
}

func (p *linuxProcess) openMem() { p.mem, p.memErr = p.live.Open("mem") }

// Close implements [io.Closer].
func (p *linuxProcess) Close() error {
	if p.mem != nil {
		p.mem.Close()
	}
	if p.live != p.root {
		p.live.Close()
	}
	return p.root.Close()
}

func (p *linuxProcess) read(name string) ([]byte, error) {
	b, err := p.live.ReadFile(name)
	return b, gone(err)
}

// about implements [handle]. A process of someone else hides its executable,
// but not its name.
func (p *linuxProcess) about() (about, error) {
	st, err := p.stat()
	if err != nil {
		return about{}, err
	}
	if st.ended && p.live == p.root {
		return about{}, errGone // a zombie: its parent has yet to ask for it
	}
	exe, _ := p.live.Readlink("exe")
	exe = strings.TrimSuffix(exe, " (deleted)")
	a := about{name: st.comm, exe: exe, kernel: st.flags&flagKernel != 0, start: st.start}
	if exe != "" {
		a.name = path.Base(exe)
	}
	return a, nil
}

// flagKernel is PF_KTHREAD of the kernel's sched.h. Who the parent is does not
// tell: in a container, number 2 is a process as any other.
const flagKernel = 0x00200000

func (p *linuxProcess) mappings() ([]mapping, error) {
	p.opened.Do(p.openMem)
	if p.memErr != nil {
		return nil, gone(p.memErr)
	}
	b, err := p.read("maps")
	if err != nil {
		return nil, err
	}
	maps, err := parseMaps(bytes.NewReader(b))
	if err == nil && len(maps) == 0 {
		err = errGone // a process that has ended has an empty map
	}
	return maps, err
}

// stat is what is used of /proc/PID/stat.
type stat struct {
	comm    string
	ppid    int
	flags   uint64
	start   int64 // ticks after the boot
	ended   bool  // the thread has, of which the process may have others
	threads int
}

func (p *linuxProcess) stat() (stat, error) { return readStat(p.root, ".") }

func readStat(root *os.Root, dir string) (stat, error) {
	b, err := root.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return stat{}, gone(err)
	}
	return parseStat(string(b))
}

// parseStat reads "1234 (name) S 1 …"; the name may hold anything (proc(5)).
func parseStat(s string) (st stat, err error) {
	open, end := strings.IndexByte(s, '('), strings.LastIndexByte(s, ')')
	if open < 0 || end < open {
		return st, errors.New("stat: no name in parentheses")
	}
	fields := strings.Fields(s[end+1:])
	if len(fields) < 20 {
		return st, errors.New("stat: too few fields")
	}
	ppid, err1 := strconv.Atoi(fields[1])
	flags, err2 := strconv.ParseUint(fields[6], 10, 64)
	threads, err3 := strconv.Atoi(fields[17])
	start, err4 := strconv.ParseInt(fields[19], 10, 64)
	ended := fields[0] == "Z" || fields[0] == "X"
	return stat{s[open+1 : end], ppid, flags, start, ended, threads}, errors.Join(err1, err2, err3, err4)
}

// state implements [handle].
func (p *linuxProcess) state(g *facts.Given, host *facts.Host) {
	const kernel = "kernel"
	if b, err := p.read("cmdline"); err == nil && len(b) > 0 {
		line := strings.ReplaceAll(strings.TrimRight(string(b), "\x00"), "\x00", " ")
		g.State("process.cmdline", besra.Text(line), besra.GradeWeak, kernel)
	}
	if cwd, err := p.live.Readlink("cwd"); err == nil {
		g.State("process.cwd", besra.Text(cwd), besra.GradeWeak, kernel)
	}
	if exe, err := p.live.Readlink("exe"); err == nil {
		g.State("process.deleted", strings.HasSuffix(exe, " (deleted)"), besra.GradeVerified, kernel)
	}
	p.stateUser(g, host)
	p.stateGroups(g)
	st, err := p.stat()
	if boot, bootErr := p.proc.boot(); err == nil && bootErr == nil {
		g.State("process.start", boot.Add(time.Duration(st.start)*time.Second/clockTicks).UTC(), besra.GradeVerified, kernel)
	}
	g.Ask("process.ancestors", func(context.Context) besra.Fact { return p.proc.ancestors(st.ppid) })
	g.Ask("process.sha256", p.exeDigest(st))
}

// clockTicks is USER_HZ, which is 100 on every platform of Linux that Go runs on.
const clockTicks = 100

// boot is when the host was started.
func (p proc) boot() (time.Time, error) {
	b, err := os.ReadFile(filepath.Join(string(p), "stat"))
	if err != nil {
		return time.Time{}, err
	}
	for line := range strings.Lines(string(b)) {
		if seconds, ok := strings.CutPrefix(line, "btime "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(seconds), 10, 64)
			return time.Unix(n, 0), err
		}
	}
	return time.Time{}, errors.New("stat: no time of boot")
}

// stateUser reads the real user, who started the process.
func (p *linuxProcess) stateUser(g *facts.Given, host *facts.Host) {
	b, err := p.read("status")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "Uid:" {
			continue
		}
		uid, err := strconv.ParseUint(fields[1], 10, 32)
		if err != nil {
			return
		}
		g.State("process.uid", int64(uid), besra.GradeVerified, "kernel")
		if name, _ := host.User(uint32(uid)); name != "" {
			g.State("process.user", besra.Text(name), besra.GradeVerified, "/etc/passwd")
		}
		return
	}
}

// stateGroups reads the unit and the container from the control group.
func (p *linuxProcess) stateGroups(g *facts.Given) {
	b, err := p.read("cgroup")
	if err != nil {
		return
	}
	unit, container := parseGroups(string(b))
	if unit != "" {
		g.State("process.unit", besra.Text(unit), besra.GradeVerified, "control group")
	}
	g.State("process.container", besra.Text(container), besra.GradeVerified, "control group")
}

// parseGroups finds the innermost unit of systemd, and the 64 hexadecimal
// digits by which engines name containers.
func parseGroups(s string) (unit, container string) {
	for line := range strings.Lines(s) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for _, element := range strings.Split(parts[2], "/") {
			if strings.HasSuffix(element, ".service") || strings.HasSuffix(element, ".scope") {
				unit = element
			}
			if id := containerID(element); id != "" {
				container = id
			}
		}
	}
	return unit, container
}

func containerID(element string) string {
	element = strings.TrimSuffix(element, ".scope")
	id := element[strings.LastIndexByte(element, '-')+1:]
	if _, err := hex.DecodeString(id); err != nil || len(id) != 64 {
		return ""
	}
	return id
}

// maxAncestors bounds the chain of parents.
const maxAncestors = 64

// ancestors names the executables of the parents, the nearest first. A parent
// that has ended was replaced by another, of which the chain goes on.
func (p proc) ancestors(ppid int) besra.Fact {
	names := []string{}
	for ppid > 0 && len(names) < maxAncestors {
		h, err := p.open(ppid)
		if err != nil {
			break
		}
		parent := h.(*linuxProcess)
		a, err := parent.about()
		st, statErr := parent.stat()
		parent.Close()
		if err != nil || statErr != nil {
			break
		}
		names, ppid = append(names, a.name), st.ppid
	}
	return besra.Fact{Value: names, Grade: besra.GradeWeak, Source: "kernel, at the time of the scan"}
}

// exeDigest returns how the executable's digest is computed: from the file that
// runs, be it deleted, and only where the process is still the one of st.
func (p *linuxProcess) exeDigest(st stat) func(context.Context) besra.Fact {
	return func(ctx context.Context) besra.Fact {
		f, err := os.Open(filepath.Join(p.dir, "exe"))
		if err != nil {
			return besra.Unavailable("process.sha256", gone(err).Error())
		}
		defer f.Close()
		again, err := p.proc.open(p.pid)
		if err != nil {
			return besra.Unavailable("process.sha256", err.Error())
		}
		defer again.Close()
		if now, err := again.(*linuxProcess).stat(); err != nil || now.start != st.start {
			return besra.Unavailable("process.sha256", errGone.Error())
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, f); err != nil {
			return besra.Unavailable("process.sha256", err.Error())
		}
		return besra.Fact{Value: hex.EncodeToString(sum.Sum(nil)), Grade: besra.GradeVerified, Source: "the executable that runs"}
	}
}
