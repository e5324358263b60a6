package binfmt

import (
	"math"
	"testing"
)

func TestReader(t *testing.T) {
	data := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	for _, tt := range []struct {
		order Order
		u16   uint16
		u32   uint32
		u64   uint64
	}{
		{Little, 0x0302, 0x07060504, 0x0f0e0d0c0b0a0908},
		{Big, 0x0203, 0x04050607, 0x08090a0b0c0d0e0f},
	} {
		r := NewReader(data, tt.order)
		if a, b, c, d := r.U8(), r.U16(), r.U32(), r.U64(); a != 1 || b != tt.u16 || c != tt.u32 || d != tt.u64 {
			t.Errorf("order %v: got %x %x %x %x", tt.order, a, b, c, d)
		}
		if !r.OK() || r.Pos() != len(data) || len(r.Rest()) != 0 {
			t.Errorf("order %v: OK %v at %d, rest %v", tt.order, r.OK(), r.Pos(), r.Rest())
		}
	}
	r := NewReader(data, Little)
	if a, b := r.Word(false), r.Word(true); a != 0x04030201 || b != 0x0c0b0a0908070605 {
		t.Errorf("words: got %x and %x", a, b)
	}
}

// A read beyond the end gives zero, and so do all after it.
func TestReaderShort(t *testing.T) {
	reads := map[string]func(r *Reader) uint64{
		"U16":       func(r *Reader) uint64 { return uint64(r.U16()) },
		"U32":       func(r *Reader) uint64 { return uint64(r.U32()) },
		"U64":       func(r *Reader) uint64 { return r.U64() },
		"Bytes(2)":  func(r *Reader) uint64 { return uint64(len(r.Bytes(2))) },
		"Bytes(-1)": func(r *Reader) uint64 { return uint64(len(r.Bytes(-1))) },
		"Bytes(max)": func(r *Reader) uint64 {
			return uint64(len(r.Bytes(math.MaxInt)))
		},
	}
	for name, read := range reads {
		for _, order := range []Order{Little, Big} {
			r := NewReader([]byte{1, 2}, order)
			r.U8()
			if got := read(r); got != 0 || r.OK() {
				t.Errorf("%s: got %d, OK %v", name, got, r.OK())
			}
			if got := r.U8(); got != 0 || r.OK() || len(r.Rest()) != 0 {
				t.Errorf("after %s: got %d, OK %v, rest %v", name, got, r.OK(), r.Rest())
			}
		}
	}
	r := NewReader(nil, Little)
	if r.Skip(0); !r.OK() {
		t.Error("nothing of nothing is missing")
	}
}

func TestRanges(t *testing.T) {
	data := []byte("abcdef")
	for _, tt := range []struct {
		off, n            uint64
		from, whole, clip string // "-" where it is not there
	}{
		{0, 2, "abcdef", "ab", "ab"},
		{4, 2, "ef", "ef", "ef"},
		{4, 3, "ef", "-", "ef"},
		{6, 0, "", "", ""},
		{6, 1, "", "-", ""},
		{7, 0, "-", "-", "-"},
		{1, math.MaxUint64, "bcdef", "-", "bcdef"},
		{math.MaxUint64, 2, "-", "-", "-"},
	} {
		show := func(b []byte, ok bool) string {
			if !ok {
				return "-"
			}
			return string(b)
		}
		if got := show(From(data, tt.off)); got != tt.from {
			t.Errorf("From(%d): got %q, want %q", tt.off, got, tt.from)
		}
		if got := show(Range(data, tt.off, tt.n)); got != tt.whole {
			t.Errorf("Range(%d, %d): got %q, want %q", tt.off, tt.n, got, tt.whole)
		}
		if got := show(Clip(data, tt.off, tt.n)); got != tt.clip {
			t.Errorf("Clip(%d, %d): got %q, want %q", tt.off, tt.n, got, tt.clip)
		}
	}
}

func TestText(t *testing.T) {
	for _, tt := range []struct {
		data  string
		limit int
		want  string
	}{
		{"ab\x00c", 9, "ab"}, {"ab\x00c", 1, "a"}, {"abc", 9, "abc"}, {"abc", 0, ""}, {"abc", -1, ""}, {"", 9, ""},
	} {
		if got := string(Text([]byte(tt.data), tt.limit)); got != tt.want {
			t.Errorf("Text(%q, %d): got %q, want %q", tt.data, tt.limit, got, tt.want)
		}
	}
}
