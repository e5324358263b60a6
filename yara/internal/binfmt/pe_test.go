package binfmt

import (
	"encoding/binary"
	"testing"
)

// header is a PE file of headers alone, with sections.
func header(magic uint16, sections ...PESection) []byte {
	le := binary.LittleEndian
	f := make([]byte, 64)
	copy(f, "MZ")
	f[60] = 64
	f = append(f, "PE\x00\x00"...)
	size := peOptionalSize32
	if magic == PE32Plus {
		size = peOptionalSize64
	}
	size += peDirectories * peDirectorySize
	file := make([]byte, 20)
	le.PutUint16(file, 0x14c)
	le.PutUint16(file[2:], uint16(len(sections)))
	le.PutUint16(file[16:], uint16(size))
	f = append(f, file...)
	optional := make([]byte, size)
	le.PutUint16(optional, magic)
	le.PutUint32(optional[32:], 0x1000)
	le.PutUint32(optional[36:], 0x200)
	le.PutUint32(optional[size-peDirectories*peDirectorySize:], 0x1234)
	f = append(f, optional...)
	for _, s := range sections {
		b := make([]byte, peSectionSize)
		copy(b, s.Name)
		for i, v := range []uint32{s.VirtualSize, s.VirtualAddress, s.SizeOfRawData, s.PointerToRawData} {
			le.PutUint32(b[8+4*i:], v)
		}
		f = append(f, b...)
	}
	return f
}

func TestParsePE(t *testing.T) {
	text := PESection{Name: []byte(".text"), VirtualSize: 0x800, VirtualAddress: 0x1000, SizeOfRawData: 0x600, PointerToRawData: 0x400}
	for _, magic := range []uint16{PE32, PE32Plus, 0} {
		data := header(magic, text)
		p := ParsePE(data)
		if p == nil || !p.Optional.Present || !p.Strict() || p.Is64() != (magic == PE32Plus) || len(p.Sections) != 1 || string(p.Sections[0].Name) != ".text" {
			t.Fatalf("magic %#x: got %+v", magic, p)
		}
		if d, ok := p.Entry(0); !ok || d.Address != 0x1234 {
			t.Errorf("magic %#x: entry 0 is %+v, %v", magic, d, ok)
		}
		if _, ok := p.Entry(1 << 30); ok {
			t.Errorf("magic %#x: there is an entry 2^30", magic)
		}
		if got := binary.LittleEndian.Uint32(data[p.DirectoryOffset(0):]); got != 0x1234 {
			t.Errorf("magic %#x: at the offset of entry 0 is %#x", magic, got)
		}
	}
}

// Whatever is cut off, what is left is read.
func TestParsePECut(t *testing.T) {
	data := header(PE32, PESection{}, PESection{})
	const nt, optional = 64, 64 + 24
	for n := range data {
		p := ParsePE(data[:n])
		if got, want := p != nil, n >= optional; got != want {
			t.Fatalf("%d bytes: a PE file %v, want %v", n, got, want)
		}
		if p == nil {
			continue
		}
		if got, want := p.Optional.Present, n >= optional+peOptionalSize32; got != want {
			t.Errorf("%d bytes: an optional header %v, want %v", n, got, want)
		}
		if got, want := p.Strict(), n >= optional+peOptionalSize32+128; got != want {
			t.Errorf("%d bytes: strictly a PE file %v, want %v", n, got, want)
		}
		if got, want := len(p.Sections), max(0, n-(len(data)-2*peSectionSize))/peSectionSize; got != want {
			t.Errorf("%d bytes: %d sections, want %d", n, got, want)
		}
	}
}

func TestOffset(t *testing.T) {
	a := PESection{VirtualAddress: 0x1000, VirtualSize: 0x100, SizeOfRawData: 0x800, PointerToRawData: 0x450} // more bytes than the virtual size says
	b := PESection{VirtualAddress: 0x2000, VirtualSize: 0x1000, SizeOfRawData: 0x200, PointerToRawData: 0xc00}
	over := PESection{VirtualAddress: 0x2000, VirtualSize: 0x10, SizeOfRawData: 0x10, PointerToRawData: 0x2000}
	top := PESection{VirtualAddress: 0xfffff000, VirtualSize: 0xffffffff, SizeOfRawData: 0xffffffff, PointerToRawData: 0xfffffe00}
	p := ParsePE(header(PE32, a, b, over, top))
	for _, tt := range []struct {
		rva, want uint32
		ok        bool
	}{
		{0, 0, true},
		{0xfff, 0xfff, true},
		{0x1000, 0x400, true}, // aligned down to a sector
		{0x17ff, 0xbff, true},
		{0x1800, 0, false},
		{0x2000, 0x2000, true}, // the last of those at the same address
		{0x2010, 0xc10, true},
		{0x2200, 0, false}, // has no bytes in the file
		{0xfffff000, 0xfffffe00, true},
		{0xfffffffe, 0xffffffff, true}, // as far as 32 bits go
		{0xffffffff, 0, false},
	} {
		if got, ok := p.Offset(tt.rva); got != tt.want || ok != tt.ok {
			t.Errorf("%#x: got %#x, %v, want %#x, %v", tt.rva, got, ok, tt.want, tt.ok)
		}
	}
	if off, ok := ParsePE(header(PE32)).Offset(0); ok {
		t.Errorf("without sections: got %#x", off)
	}
}

func TestRVA(t *testing.T) {
	a := PESection{VirtualAddress: 0x1000, VirtualSize: 0x100, SizeOfRawData: 0x800, PointerToRawData: 0x450}
	b := PESection{VirtualAddress: 0x3000, VirtualSize: 0x1000, SizeOfRawData: 0x200, PointerToRawData: 0xc00}
	over := PESection{VirtualAddress: 0x4000, SizeOfRawData: 0x10, PointerToRawData: 0xc00}
	none := PESection{VirtualAddress: 0x5000, VirtualSize: 0x1000, SizeOfRawData: 0x1000}
	top := PESection{VirtualAddress: 0xffffff00, SizeOfRawData: 0xffffffff, PointerToRawData: 0xfffffe00}
	p := ParsePE(header(PE32, a, b, over, none, top))
	for _, tt := range []struct {
		off, want uint32
		ok        bool
	}{
		{0, 0, true},
		{0x3ff, 0x3ff, true},
		{0x400, 0x1000, true}, // aligned down to a sector
		{0xbff, 0x17ff, true}, // beyond the virtual size
		{0xc00, 0x4000, true}, // the last of those at the same offset
		{0xc10, 0x3010, true},
		{0xe00, 0, false},
		{0xfffffe00, 0xffffff00, true},
		{0xfffffffe, 0xffffffff, true}, // as far as 32 bits go
		{0xffffffff, 0, false},
	} {
		if got, ok := p.RVA(tt.off); got != tt.want || ok != tt.ok {
			t.Errorf("%#x: got %#x, %v, want %#x, %v", tt.off, got, ok, tt.want, tt.ok)
		}
	}
	if rva, ok := ParsePE(header(PE32)).RVA(0); ok {
		t.Errorf("without sections: got %#x", rva)
	}
}

func TestLongName(t *testing.T) {
	table := []byte("\x00\x00\x00\x00.debug_info\x00end")
	for name, want := range map[string]string{"/4": ".debug_info", "/+4": ".debug_info", "/16": "end", "/19": "", "/20": "-", "/": "-", "/x": "-", "4": "-", "/-1": "-", "/4294967296": "-", "/++4": "-"} {
		got := "-"
		if b, ok := longName([]byte(name), table); ok {
			got = string(b)
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if _, ok := longName([]byte("/4"), nil); ok {
		t.Error("a name of no table")
	}
}

func FuzzParsePE(f *testing.F) {
	f.Add(header(PE32, PESection{Name: []byte("/4"), VirtualAddress: 0x1000, VirtualSize: 0x1000, SizeOfRawData: 0x10, PointerToRawData: 0x100}))
	f.Add(header(PE32Plus))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := ParsePE(data)
		if p == nil {
			return
		}
		for _, rva := range []uint32{0, 1, 0x1000, p.Optional.AddressOfEntryPoint, 1<<32 - 1} {
			p.AtRVA(rva)
			p.RVA(rva)
		}
		for i := range peDirectories {
			p.Entry(i)
		}
	})
}
