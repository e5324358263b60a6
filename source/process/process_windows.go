package process

import (
	"context"
	"errors"
	"path"
	"strings"
	"time"
	"unsafe"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
	"golang.org/x/sys/windows"
)

func thisSystem() (system, error) { return toolhelp{}, nil }

// toolhelp lists processes by a snapshot.
type toolhelp struct{}

func (toolhelp) list() ([]int, error) {
	var pids []int
	err := eachProcess(func(e *windows.ProcessEntry32) bool {
		pids = append(pids, int(e.ProcessID))
		return true
	})
	return pids, err
}

func eachProcess(f func(e *windows.ProcessEntry32) bool) error {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(snapshot)
	e := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err = windows.Process32First(snapshot, &e); err == nil; err = windows.Process32Next(snapshot, &e) {
		if !f(&e) {
			return nil
		}
	}
	if errors.Is(err, windows.ERROR_NO_MORE_FILES) {
		return nil
	}
	return err
}

func (toolhelp) open(pid int) (handle, error) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_INFORMATION|windows.PROCESS_VM_READ, false, uint32(pid))
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	return &windowsProcess{h, pid}, nil
}

type windowsProcess struct {
	windows.Handle
	pid int
}

// ReadAt implements [io.ReaderAt] over addresses.
func (p *windowsProcess) ReadAt(b []byte, address int64) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	var n uintptr
	err := windows.ReadProcessMemory(p.Handle, uintptr(address), &b[0], uintptr(len(b)), &n)
	return int(n), err
}

// Close implements [io.Closer].
func (p *windowsProcess) Close() error { return windows.CloseHandle(p.Handle) }

func (p *windowsProcess) about() (about, error) {
	buf := make([]uint16, windows.MAX_LONG_PATH)
	n := uint32(len(buf))
	if err := windows.QueryFullProcessImageName(p.Handle, 0, &buf[0], &n); err != nil {
		return about{}, err
	}
	exe := strings.ReplaceAll(windows.UTF16ToString(buf[:n]), `\`, "/")
	a := about{name: path.Base(exe), exe: exe}
	var created, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(p.Handle, &created, &exited, &kernel, &user) == nil {
		a.start = created.Nanoseconds()
	}
	return a, nil
}

// Values of MEMORY_BASIC_INFORMATION.
const (
	memCommit     = 0x1000
	memImage      = 0x1000000
	memMapped     = 0x40000
	pageNoAccess  = 0x01
	pageGuard     = 0x100
	pageWritable  = 0x04 | 0x08 | 0x40 | 0x80
	pageExecuting = 0x10 | 0x20 | 0x40 | 0x80
)

func (p *windowsProcess) mappings() ([]mapping, error) {
	var list []mapping
	var info windows.MemoryBasicInformation
	for at := uintptr(0); ; at = info.BaseAddress + info.RegionSize {
		if err := windows.VirtualQueryEx(p.Handle, at, &info, unsafe.Sizeof(info)); err != nil || info.RegionSize == 0 {
			break // the end of the address space
		}
		if info.State != memCommit {
			continue
		}
		m := mapping{start: int64(info.BaseAddress), end: int64(info.BaseAddress + info.RegionSize),
			read: info.Protect&(pageNoAccess|pageGuard) == 0, write: info.Protect&pageWritable != 0, exec: info.Protect&pageExecuting != 0}
		if info.Type == memImage || info.Type == memMapped {
			m.file = "/mapped" // by which file is not asked: it costs more than it tells
		}
		list = append(list, m)
	}
	if len(list) == 0 {
		return nil, errGone
	}
	return list, nil
}

// touched implements [handle]: all of it, untouched pages too.
func (*windowsProcess) touched(_ context.Context, maps []mapping) ([]besra.Region, error) {
	return whole(maps), nil
}

func (p *windowsProcess) state(g *facts.Given, _ *facts.Host) {
	var created, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(p.Handle, &created, &exited, &kernel, &user) == nil {
		g.State("process.start", time.Unix(0, created.Nanoseconds()).UTC(), besra.GradeVerified, "kernel")
	}
	pid := uint32(p.pid)
	g.Ask("process.ancestors", func(context.Context) besra.Fact { return ancestors(pid) })
	var token windows.Token
	if windows.OpenProcessToken(p.Handle, windows.TOKEN_QUERY, &token) != nil {
		return
	}
	defer token.Close()
	if u, err := token.GetTokenUser(); err == nil {
		if account, domain, _, err := u.User.Sid.LookupAccount(""); err == nil {
			g.State("process.user", besra.Text(domain+`\`+account), besra.GradeVerified, "token")
		}
	}
}

// ancestors names the executables of the parents. A parent's number may have
// been given to another process since.
func ancestors(pid uint32) besra.Fact {
	parents, names := map[uint32]uint32{}, map[uint32]string{}
	eachProcess(func(e *windows.ProcessEntry32) bool {
		parents[e.ProcessID], names[e.ProcessID] = e.ParentProcessID, windows.UTF16ToString(e.ExeFile[:])
		return true
	})
	chain := []string{}
	for p := parents[pid]; p != 0 && names[p] != "" && len(chain) < 64; p = parents[p] {
		chain = append(chain, names[p])
	}
	return besra.Fact{Value: chain, Grade: besra.GradeWeak, Source: "snapshot of processes"}
}
