package watch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// fanotify watches whole file systems and keeps what lies below the directories.
// It needs CAP_SYS_ADMIN, and Linux 5.9 for the names of what changed.
type fanotify struct {
	file   *os.File
	dirs   []string
	mounts map[unix.Fsid]*os.File // a directory of each file system, for handles

	last   *writer // of the latest notice: most come in runs of one process
	lastAt time.Time
}

const (
	fanotifyFlags = unix.FAN_CLASS_NOTIF | unix.FAN_REPORT_DFID_NAME | unix.FAN_CLOEXEC | unix.FAN_NONBLOCK
	fanotifyMask  = unix.FAN_CLOSE_WRITE | unix.FAN_CREATE | unix.FAN_MOVED_TO | unix.FAN_ONDIR
)

func newFanotify(dirs []string) (notifier, error) {
	fd, err := unix.FanotifyInit(fanotifyFlags, unix.O_RDONLY|unix.O_LARGEFILE)
	if err != nil {
		return nil, err
	}
	f := &fanotify{file: os.NewFile(uintptr(fd), "fanotify"), dirs: dirs, mounts: map[unix.Fsid]*os.File{}}
	for _, d := range dirs {
		if err := f.mark(fd, d); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", d, err), f.close())
		}
		for _, m := range mountsBelow(d) {
			f.mark(fd, m) // one that cannot be is no place where files are written
		}
	}
	return f, nil
}

// mark watches the file system that a directory lies on.
func (f *fanotify) mark(fd int, dir string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return err
	}
	if _, ok := f.mounts[st.Fsid]; ok {
		return nil
	}
	top, err := os.Open(dir)
	if err != nil {
		return err
	}
	if info, err := top.Stat(); err == nil && !info.IsDir() {
		return errors.Join(unix.ENOTDIR, top.Close())
	}
	if err := unix.FanotifyMark(fd, unix.FAN_MARK_ADD|unix.FAN_MARK_FILESYSTEM, fanotifyMask, unix.AT_FDCWD, dir); err != nil {
		return errors.Join(err, top.Close())
	}
	f.mounts[st.Fsid] = top
	return nil
}

// mountsBelow lists what is mounted below a directory.
func mountsBelow(dir string) []string {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	octal := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var list []string
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		if p := octal.Replace(fields[4]); below(p, dir) {
			list = append(list, p)
		}
	}
	return list
}

// below reports whether p is dir or lies in it.
func below(p, dir string) bool {
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}

// run implements notifier.
func (f *fanotify) run(to func(change)) error {
	buf := make([]byte, 256<<10)
	for {
		n, err := f.file.Read(buf)
		if errors.Is(err, os.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		notices(buf[:n], func(e notice) { f.notice(e, to) })
	}
}

// close implements notifier.
func (f *fanotify) close() error {
	err := f.file.Close()
	for _, m := range f.mounts {
		m.Close()
	}
	return err
}

// notice hands over one that concerns the directories, and is not our own doing.
func (f *fanotify) notice(e notice, to func(change)) {
	if e.mask&unix.FAN_Q_OVERFLOW != 0 {
		to(change{lost: true})
		return
	}
	made := e.mask&unix.FAN_ONDIR != 0 && e.mask&unix.FAN_MOVED_TO == 0 // a directory is empty when it is made
	if int(e.pid) == os.Getpid() || e.name == "" || made {
		return
	}
	dir, ok := f.directory(e)
	if !ok {
		return // gone with its directory
	}
	p := filepath.Join(dir, e.name)
	for _, d := range f.dirs {
		if below(p, d) {
			to(change{path: p, by: f.writer(e.pid)})
			return
		}
	}
}

// directory finds the path of the directory that a handle stands for.
func (f *fanotify) directory(e notice) (string, bool) {
	mount, ok := f.mounts[e.fsid]
	if !ok {
		return "", false
	}
	fd, err := unix.OpenByHandleAt(int(mount.Fd()), unix.NewFileHandle(e.kind, e.handle), unix.O_PATH|unix.O_CLOEXEC)
	if err != nil {
		return "", false
	}
	defer unix.Close(fd)
	p, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	return p, err == nil && strings.HasPrefix(p, "/")
}

// notice is one event of the kernel: something of a name in a directory.
type notice struct {
	mask   uint64
	pid    int32
	fsid   unix.Fsid
	kind   int32  // of the handle
	handle []byte // of the directory
	name   string
}

const (
	headSize = 24 // struct fanotify_event_metadata
	dirName  = 2  // FAN_EVENT_INFO_TYPE_DFID_NAME
)

// notices splits what the kernel wrote. What does not fit ends it.
func notices(b []byte, to func(notice)) {
	for len(b) >= headSize {
		size := int(binary.NativeEndian.Uint32(b))
		if size < headSize || size > len(b) {
			return
		}
		e := notice{mask: binary.NativeEndian.Uint64(b[8:]), pid: int32(binary.NativeEndian.Uint32(b[20:]))}
		e.place(b[headSize:size])
		to(e)
		b = b[size:]
	}
}

// place reads the record that says where it happened.
func (e *notice) place(b []byte) {
	const fixed = 4 + 8 + 8 // head of the record, file system, head of the handle
	for len(b) >= fixed {
		size := int(binary.NativeEndian.Uint16(b[2:]))
		if size < fixed || size > len(b) {
			return
		}
		record := b[:size]
		b = b[size:]
		length := int(binary.NativeEndian.Uint32(record[12:]))
		if record[0] != dirName || length < 0 || length > size-fixed {
			continue
		}
		e.fsid.Val[0], e.fsid.Val[1] = int32(binary.NativeEndian.Uint32(record[4:])), int32(binary.NativeEndian.Uint32(record[8:]))
		e.kind = int32(binary.NativeEndian.Uint32(record[16:]))
		e.handle = bytes.Clone(record[fixed : fixed+length])
		name, _, _ := bytes.Cut(record[fixed+length:], []byte{0})
		e.name = string(name)
	}
}

// fresh is how long what is known of a process is taken as still true.
const fresh = 200 * time.Millisecond

// writer asks who a process is, at once: it may be about to end.
func (f *fanotify) writer(pid int32) *writer {
	if f.last != nil && f.last.pid == int64(pid) && time.Since(f.lastAt) < fresh {
		return f.last
	}
	f.last, f.lastAt = processOf(pid), time.Now()
	return f.last
}

func processOf(pid int32) *writer {
	dir := "/proc/" + strconv.Itoa(int(pid))
	w := &writer{pid: int64(pid)}
	exe, err := os.Readlink(dir + "/exe")
	if err != nil {
		w.gone = "the process ended before it was asked"
		return w
	}
	w.exe, w.gone = strings.TrimSuffix(exe, " (deleted)"), "the process does not say"
	if b, err := os.ReadFile(dir + "/cmdline"); err == nil {
		w.cmdline = strings.TrimRight(strings.ReplaceAll(string(b), "\x00", " "), " ")
	}
	if b, err := os.ReadFile(dir + "/status"); err == nil {
		w.user = userOf(b)
	}
	return w
}

// userOf names the effective user in a status file of /proc.
func userOf(status []byte) string {
	_, rest, _ := bytes.Cut(status, []byte("\nUid:"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	ids := strings.Fields(string(line))
	if len(ids) < 2 {
		return ""
	}
	if u, err := user.LookupId(ids[1]); err == nil {
		return u.Username
	}
	return ""
}
