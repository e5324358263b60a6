package watch

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// event makes a notice as the kernel writes it.
func event(mask uint64, pid uint32, handle, name string) []byte {
	info := []byte{dirName, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0}
	info = binary.NativeEndian.AppendUint32(info, uint32(len(handle)))
	info = binary.NativeEndian.AppendUint32(info, 129)
	info = append(append(append(info, handle...), name...), 0)
	for len(info)%4 != 0 {
		info = append(info, 0)
	}
	binary.NativeEndian.PutUint16(info[2:], uint16(len(info)))
	b := binary.NativeEndian.AppendUint32(nil, uint32(headSize+len(info)))
	b = append(b, 3, 0, headSize, 0)
	b = binary.NativeEndian.AppendUint64(b, mask)
	b = binary.NativeEndian.AppendUint32(b, 0xffffffff)
	b = binary.NativeEndian.AppendUint32(b, pid)
	return append(b, info...)
}

func TestNotices(t *testing.T) {
	b := append(event(unix.FAN_CLOSE_WRITE, 7, "handle12", "one"), event(unix.FAN_CREATE, 8, "h", "two")...)
	var got []notice
	notices(b, func(n notice) { got = append(got, n) })
	if len(got) != 2 || got[0].name != "one" || string(got[0].handle) != "handle12" || got[0].pid != 7 || got[0].kind != 129 || got[0].fsid.Val != [2]int32{1, 2} ||
		got[1].name != "two" || got[1].mask != unix.FAN_CREATE {
		t.Errorf("got %+v", got)
	}
}

// FuzzNotices wants any bytes to end, within bounds.
func FuzzNotices(f *testing.F) {
	f.Add(event(unix.FAN_MOVED_TO, 1, "handle", "name"))
	f.Add(event(unix.FAN_Q_OVERFLOW, 0, "", ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		notices(b, func(e notice) { n += headSize + len(e.name) })
		if n > len(b) {
			t.Errorf("%d bytes of notices in %d", n, len(b))
		}
	})
}

func TestUserOf(t *testing.T) {
	if got := userOf([]byte("Name:\tx\nUid:\t1000\t0\t0\t0\nGid:\t0\n")); got != "root" {
		t.Errorf("got %q, want the effective user", got)
	}
	for _, s := range []string{"", "\nUid:", "\nUid:\t1"} {
		if got := userOf([]byte(s)); got != "" {
			t.Errorf("%q: got %q", s, got)
		}
	}
}
