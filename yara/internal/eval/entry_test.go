package eval

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// put writes little-endian integers of 2, 4 or 8 bytes at offsets.
func put(data []byte, fields map[int]any) []byte {
	for offset, v := range fields {
		var b bytes.Buffer
		_ = binary.Write(&b, binary.LittleEndian, v)
		copy(data[offset:], b.Bytes())
	}
	return data
}

// peFile has its headers at 0x80 and two sections: 0x1000 at 0x400 and 0x2000 at 0x600.
func peFile(entry uint32) []byte {
	data := put(make([]byte, 0x400), map[int]any{
		0: uint16(0x5A4D), 60: uint32(0x80), 0x80: uint32(0x4550),
		0x84: uint16(0x14c), 0x86: uint16(2), 0x94: uint16(0xE0), 0xA8: entry,
	})
	sections := 0x80 + 24 + 0xE0
	return put(data, map[int]any{
		sections + 12: uint32(0x1000), sections + 20: uint32(0x400),
		sections + 52: uint32(0x2000), sections + 60: uint32(0x600),
	})
}

// elfFile has one segment or section: address 0x10000, 0x1000 bytes, at 0x200.
func elfFile(class byte, kind uint16, entry uint64) []byte {
	data := make([]byte, 0x200)
	copy(data, "\x7fELF")
	data[4] = class
	put(data, map[int]any{16: kind})
	if class == 1 {
		put(data, map[int]any{24: uint32(entry), 28: uint32(0x40), 32: uint32(0x100), 44: uint16(1), 48: uint16(1)})
		put(data, map[int]any{0x40 + 4: uint32(0x200), 0x40 + 8: uint32(0x10000), 0x40 + 20: uint32(0x1000)})
		return put(data, map[int]any{0x100 + 4: uint32(1), 0x100 + 12: uint32(0x10000), 0x100 + 16: uint32(0x200), 0x100 + 20: uint32(0x1000)})
	}
	put(data, map[int]any{24: entry, 32: uint64(0x40), 40: uint64(0x100), 56: uint16(1), 60: uint16(1)})
	put(data, map[int]any{0x40 + 8: uint64(0x200), 0x40 + 16: uint64(0x10000), 0x40 + 40: uint64(0x1000)})
	return put(data, map[int]any{0x100 + 4: uint32(1), 0x100 + 16: uint64(0x10000), 0x100 + 24: uint64(0x200), 0x100 + 32: uint64(0x1000)})
}

func TestEntryPoint(t *testing.T) {
	tests := []struct {
		name string
		data []byte
		want int64
		ok   bool
	}{
		{"empty", nil, 0, false},
		{"text", []byte("hello, world; this is long enough to be anything at all"), 0, false},
		{"PE, first section", peFile(0x1010), 0x410, true},
		{"PE, second section", peFile(0x2020), 0x620, true},
		{"PE, in the headers", peFile(0x20), 0x20, true},
		{"PE, cut", peFile(0x1010)[:0x100], 0, false},
		{"PE, other machine", put(peFile(0x1010), map[int]any{0x84: uint16(0x1c0)}), 0, false},
		{"PE, header far away", put(peFile(0x1010), map[int]any{60: uint32(0xFFFFFFF0)}), 0, false},
		{"ELF 32, executable", elfFile(1, 2, 0x10020), 0x220, true},
		{"ELF 32, shared", elfFile(1, 3, 0x10020), 0x220, true},
		{"ELF 64, executable", elfFile(2, 2, 0x10020), 0x220, true},
		{"ELF 64, shared", elfFile(2, 3, 0x10020), 0x220, true},
		{"ELF, nowhere", elfFile(2, 2, 0x20000), 0, true},
		{"ELF, other class", elfFile(3, 2, 0x10020), 0, false},
		{"ELF, cut", elfFile(2, 2, 0x10020)[:0x50], 0, true},
	}
	for _, tt := range tests {
		got, ok := entryPoint(tt.data)
		if got != tt.want || ok != tt.ok {
			t.Errorf("%s: got %#x, %v, want %#x, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}

func FuzzEntryPoint(f *testing.F) {
	f.Add(peFile(0x1010))
	f.Add(elfFile(1, 2, 0x10020))
	f.Add(elfFile(2, 3, 0x10020))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, ok := entryPoint(data); ok && len(data) < 52 {
			t.Errorf("%d bytes have an entry point", len(data))
		}
	})
}
