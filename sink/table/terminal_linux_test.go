package table

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/besra-hunt/besra/sink/sinktest"
)

// terminal opens a pseudo terminal: what is written to tty can be read from other.
func terminal(t *testing.T) (tty, other *os.File) {
	t.Helper()
	other, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo terminals here:", err)
	}
	t.Cleanup(func() { other.Close() })
	var n, unlock int32
	for request, arg := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlock, syscall.TIOCGPTN: &n} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, other.Fd(), request, uintptr(unsafe.Pointer(arg))); errno != 0 {
			t.Skip("no pseudo terminals here:", errno)
		}
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo terminals here:", err)
	}
	t.Cleanup(func() { tty.Close() })
	return tty, other
}

// TestTerminal wants colour on a terminal, and none on a dumb one.
func TestTerminal(t *testing.T) {
	tests := []struct {
		noColor, term string
		want          bool
	}{{"", "xterm-256color", true}, {"", "xterm", true}, {"", "dumb", false}, {"1", "xterm", false}}
	for _, tt := range tests {
		environment(t, tt.noColor, "", "", tt.term)
		tty, other := terminal(t)
		if err := New(tty, Options{}).Write(t.Context(), sinktest.Rich()[1]); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		n, err := other.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(buf[:n]), "\x1b["); got != tt.want {
			t.Errorf("NO_COLOR=%s TERM=%s: colour %v, want %v in %q", tt.noColor, tt.term, got, tt.want, buf[:n])
		}
	}
}
