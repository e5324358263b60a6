package elf

import (
	"crypto/md5"
	"encoding/hex"
	"strings"
	"testing"
)

func md5Text(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func TestTLSH(t *testing.T) {
	for _, test := range []struct {
		in string
		ok bool
	}{
		{strings.Repeat("a", 49), false},
		{strings.Repeat("a", 500), false}, // three buckets of four are empty
		{"accept,bind,close,connect,fork,getenv,listen,malloc,open,printf,read,recv,send,socket,write", true},
	} {
		got, ok := tlsh([]byte(test.in))
		if ok != test.ok {
			t.Errorf("tlsh(%.20q): got %v %s, want ok %v", test.in, ok, got, test.ok)
		}
		if ok && (len(got) != 72 || !strings.HasPrefix(got, "T1")) {
			t.Errorf("tlsh(%.20q): got %s", test.in, got)
		}
	}
}

// TestTLSHLength holds the logarithm to its definition: each step is longer
// than the one before by the base of its range.
func TestTLSHLength(t *testing.T) {
	last := byte(0)
	for n := 50; n < 1<<20; n++ {
		l := tlshLength(n)
		if l != last && l != last+1 && last != 0 {
			t.Fatalf("length %d: %d after %d", n, l, last)
		}
		last = l
	}
	// The last lengths of some steps, from the reference.
	for n, want := range map[int]byte{57: 9, 656: 15, 3171: 21, 9014: 32, 190335: 64, 278670: 68, 962048: 81, 2268459: 90} {
		if got := tlshLength(n); got != want {
			t.Errorf("length %d: got %d, want %d", n, got, want)
		}
		if got := tlshLength(n + 1); got != want+1 {
			t.Errorf("length %d: got %d, want %d", n+1, got, want+1)
		}
	}
}

// TestTLSHSimilar: inputs that differ little have digests that differ little.
func TestTLSHSimilar(t *testing.T) {
	names := "accept,bind,close,connect,fork,getenv,listen,malloc,open,printf,read,recv,send,socket,write"
	a, _ := tlsh([]byte(names))
	b, _ := tlsh([]byte(names + ",xor"))
	c, _ := tlsh([]byte("XStoreName,XMapWindow,XOpenDisplay,XCreateGC,XNextEvent,XSelectInput,XFlush,XSync,XBell,XQueryTree"))
	if near, far := distance(a, b), distance(a, c); near >= far {
		t.Errorf("similar inputs differ in %d places, others in %d", near, far)
	}
}

func distance(a, b string) (n int) {
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}
