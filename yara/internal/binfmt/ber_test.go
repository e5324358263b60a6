package binfmt

import (
	"bytes"
	"testing"
)

func TestReadBER(t *testing.T) {
	long := append([]byte{0x04, 0x82, 1, 0}, bytes.Repeat([]byte{7}, 256)...)
	for _, tt := range []struct {
		name    string
		data    string
		class   int
		tag     int
		content string
		rest    string
		ok      bool
	}{
		{"integer", "\x02\x01\x05rest", 0, 2, "\x05", "rest", true},
		{"empty", "\x05\x00", 0, 5, "", "", true},
		{"context", "\xa1\x02\x05\x00", 2, 1, "\x05\x00", "", true},
		{"long length", string(long), 0, 4, string(long[4:]), "", true},
		{"length with zeros", "\x04\x83\x00\x00\x01x", 0, 4, "x", "", true},
		{"long tag", "\x9f\x81\x00\x01x", 2, 128, "x", "", true},
		{"indefinite", "\x30\x80\x02\x01\x05\x00\x00rest", 0, 16, "\x02\x01\x05", "rest", true},
		{"indefinite in indefinite", "\x30\x80\x30\x80\x05\x00\x00\x00\x00\x00rest", 0, 16, "\x30\x80\x05\x00\x00\x00", "rest", true},
		{"indefinite, primitive", "\x04\x80\x00\x00", 0, 0, "", "", false},
		{"indefinite without end", "\x30\x80\x02\x01\x05", 0, 0, "", "", false},
		{"nothing", "", 0, 0, "", "", false},
		{"no length", "\x02", 0, 0, "", "", false},
		{"cut", "\x02\x02\x05", 0, 0, "", "", false},
		{"length of 4 GB", "\x02\x84\xff\xff\xff\xff\x05", 0, 0, "", "", false},
		{"length of 127 octets", "\x02\xff\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01", 0, 0, "", "", false},
		{"tag without end", "\x1f\xff\xff\xff\xff\xff\x01\x00", 0, 0, "", "", false},
	} {
		e, rest, ok := ReadBER([]byte(tt.data))
		if ok != tt.ok || e.Class != tt.class || e.Tag != tt.tag || string(e.Content) != tt.content || string(rest) != tt.rest {
			t.Errorf("%s: got %+v, rest %q, %v", tt.name, e, rest, ok)
		}
		if ok && string(e.Full)+string(rest) != tt.data {
			t.Errorf("%s: the whole is %q", tt.name, e.Full)
		}
	}
}

// Elements of indefinite length nest as deep as they may and no deeper.
func TestReadBERDepth(t *testing.T) {
	for depth, want := range map[int]bool{1: true, indefiniteDepth: true, indefiniteDepth + 1: false, 1 << 20: false} {
		data := append(bytes.Repeat([]byte{0x30, 0x80}, depth), make([]byte, 2*depth)...)
		if _, _, ok := ReadBER(data); ok != want {
			t.Errorf("%d deep: got %v, want %v", depth, ok, want)
		}
	}
}

func FuzzReadBER(f *testing.F) {
	f.Add([]byte("\x30\x80\x02\x01\x05\x00\x00rest"))
	f.Add([]byte("\x9f\x81\x00\x01x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, rest, ok := ReadBER(data)
		if ok && len(e.Full)+len(rest) != len(data) {
			t.Errorf("%d bytes of %d, and %d left", len(e.Full), len(data), len(rest))
		}
		if ok && !bytes.Contains(e.Full, e.Content) {
			t.Error("the content is not within the element")
		}
	})
}
