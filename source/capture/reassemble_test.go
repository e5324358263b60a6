package capture

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gopacket/gopacket/layers"
)

// TestReassembly holds the order of segments to what the ends of a connection
// would make of them.
func TestReassembly(t *testing.T) {
	reset := func(tcp *layers.TCP) { tcp.RST = true }
	tests := []struct {
		name string
		make func(k *talk)
		want string
		gaps []string
	}{
		{"a reset from elsewhere", func(k *talk) {
			k.open().say(1, "one ", 10)
			k.seq[1] += 5000
			k.segment(1, reset, "")
			k.seq[1] -= 5000
			k.say(1, "two", 10)
		}, "one two", nil},
		{"a reset that fits", func(k *talk) {
			k.open().say(1, "one ", 10)
			k.segment(1, reset, "")
			k.say(1, "two", 10)
		}, "one ", nil},
		{"a reset behind its sender's end", func(k *talk) {
			k.open().say(1, "one ", 10)
			k.segment(0, func(tcp *layers.TCP) { tcp.FIN = true }, "")
			k.segment(0, reset, "")
			k.say(1, "two", 10)
		}, "one ", nil},
		{"sent again after the end", func(k *talk) {
			k.open().say(1, "one", 10)
			again := k.packets[len(k.packets)-1]
			k.close()
			k.packets = append(k.packets, again)
		}, "one", nil},
		{"the end before the bytes", func(k *talk) {
			k.open().say(1, "one two", 4)
			k.close()
			n := len(k.packets)
			k.packets[n-4], k.packets[n-1] = k.packets[n-1], k.packets[n-4]
		}, "one two", nil},
		{"segments that overlap", func(k *talk) {
			k.open()
			for _, at := range []int{6, 2, 4, 0, 8} {
				k.seq[1] += uint32(at)
				k.segment(1, nil, "0123456789ab"[at:at+4])
				k.seq[1] -= uint32(at) + 4
			}
		}, "0123456789ab", nil},
		{"the same ends once more", func(k *talk) {
			k.open().say(1, "one", 10)
			k.seq = [2]uint32{9000, 9000}
			k.open().say(1, "two", 10)
		}, "one", nil},
		{"a lost beginning, and a hole", func(k *talk) {
			k.say(1, "one", 10)
			k.seq[1] += 10
			k.say(1, "two", 10)
		}, "one", []string{ReasonMissing}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := newTrace(t).dial("10.0.0.5", 5000, "192.0.2.80", 80)
			tt.make(k)
			s := see(t, Config{}, k.pcap())
			if s.content[down] != tt.want || !slices.Equal(s.gaps, tt.gaps) {
				t.Errorf("got %q and gaps %q, want %q and %q", s.content, s.gaps, tt.want, tt.gaps)
			}
		})
	}
}

// TestSameEnds: conversations that follow one another between the same ends have
// names of their own, also where more have passed than are known again.
func TestSameEnds(t *testing.T) {
	tr := newTrace(t)
	k := tr.dial("10.0.0.5", 5000, "192.0.2.80", 80)
	for i, text := range []string{"one", "two", "three"} {
		k.seq = [2]uint32{uint32(9000 * i), uint32(9000 * i)}
		k.open().say(1, text, 10).close()
	}
	s := see(t, Config{}, tr.pcap())
	s.want(t, down, "one")
	s.want(t, down+"~6", "two")
	s.want(t, down+"~11", "three")
	for i := range seenBefore * 64 {
		tr.dial("10.0.0.6", uint16(5000+i), "192.0.2.80", 80).open()
	}
	tr.dial("10.0.0.7", 5000, "192.0.2.80", 80).open().say(1, "four", 10)
	s = see(t, Config{Held: 50_000}, tr.pcap())
	s.want(t, fmt.Sprintf("c!tcp:192.0.2.80:80>10.0.0.7:5000~%d", 16+2*seenBefore*64), "four")
}

// TestManyConversations: the oldest make room, are scanned, and that is told.
func TestManyConversations(t *testing.T) {
	const n = 80 // 64 are remembered at the least
	tr := newTrace(t)
	for i := range n {
		tr.dial("10.0.0.5", uint16(5000+i), "192.0.2.80", 80).open().say(1, fmt.Sprint("text ", i), 100)
	}
	s := see(t, Config{Held: 50_000}, tr.pcap())
	for i := range n {
		s.want(t, fmt.Sprintf("c!tcp:192.0.2.80:80>10.0.0.5:%d", 5000+i), fmt.Sprint("text ", i))
	}
	if got := strings.Join(s.gaps, " "); got != ReasonLimit {
		t.Errorf("gaps: got %q, want %q", got, ReasonLimit)
	}
}
