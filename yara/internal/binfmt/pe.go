package binfmt

import (
	"bytes"
	"strconv"
	"strings"
)

// PE is the part of a portable executable that modules share: the headers, the
// section table and the way from addresses to offsets. Everything else is read
// by those who need it.
//
// A file is one where the MZ header leads to a PE signature and a file header.
// The optional header is all zero where it is cut short, as YARA-X has it; see
// [PE.Strict] for what libyara asks.
//
// The field names follow Microsoft's description of the format,
// https://learn.microsoft.com/windows/win32/debug/pe-format.
type PE struct {
	Data []byte

	// NTOffset is the offset of the PE signature, e_lfanew.
	NTOffset uint32

	Machine              uint16
	NumberOfSections     uint16 // as the header says
	Timestamp            uint32
	PointerToSymbolTable uint32
	NumberOfSymbols      uint32
	SizeOfOptionalHeader uint16
	Characteristics      uint16

	// Optional is the optional header without its data directories.
	Optional PEOptional
	// Directory is what follows the optional header, from the first data
	// directory to the end of the file.
	Directory []byte
	// Sections are the entries of the section table that the file has, at most
	// [MaxPESections].
	Sections []PESection
}

// PEOptional is the optional header. Fields that are 32 bits wide in PE32 and
// 64 in PE32+ are wide enough for both.
type PEOptional struct {
	Present                 bool // the header is whole
	Magic                   uint16
	MajorLinkerVersion      uint8
	MinorLinkerVersion      uint8
	SizeOfCode              uint32
	SizeOfInitializedData   uint32
	SizeOfUninitializedData uint32
	AddressOfEntryPoint     uint32
	BaseOfCode              uint32
	BaseOfData              uint32 // not in PE32+
	ImageBase               uint64
	SectionAlignment        uint32
	FileAlignment           uint32
	MajorOSVersion          uint16
	MinorOSVersion          uint16
	MajorImageVersion       uint16
	MinorImageVersion       uint16
	MajorSubsystemVersion   uint16
	MinorSubsystemVersion   uint16
	Win32VersionValue       uint32
	SizeOfImage             uint32
	SizeOfHeaders           uint32
	CheckSum                uint32
	Subsystem               uint16
	DLLCharacteristics      uint16
	SizeOfStackReserve      uint64
	SizeOfStackCommit       uint64
	SizeOfHeapReserve       uint64
	SizeOfHeapCommit        uint64
	LoaderFlags             uint32
	NumberOfRVAAndSizes     uint32
}

// PESection is an entry of the section table.
type PESection struct {
	// Name has no trailing NULs; FullName is the name in the string table where
	// Name refers to it, as in "/4", cut at [MaxPEName] bytes, else Name.
	Name, FullName       []byte
	VirtualSize          uint32
	VirtualAddress       uint32
	SizeOfRawData        uint32
	PointerToRawData     uint32
	PointerToRelocations uint32
	PointerToLineNumbers uint32
	NumberOfRelocations  uint16
	NumberOfLineNumbers  uint16
	Characteristics      uint32
}

// Limits of what [ParsePE] reads.
const (
	MaxPESections = 96
	MaxPEName     = 1 << 16
)

// The magic numbers of optional headers.
const (
	PE32     = 0x10b
	PE32Plus = 0x20b
)

// Sizes of structures.
const (
	dosHeaderSize    = 64
	ntHeadersSize    = 4 + 20 // signature and file header
	peOptionalSize32 = 96     // without data directories
	peOptionalSize64 = 112
	peDirectories    = 16
	peDirectorySize  = 8
	peSectionSize    = 40
	peSymbolSize     = 18
)

// PEKey is the key under which modules keep the result of [ParsePE] for a
// scan.
type PEKey struct{}

// ParsePE returns the headers of a PE file, nil where data is none. It looks
// at two bytes of anything that does not begin with MZ.
func ParsePE(data []byte) *PE {
	if len(data) < dosHeaderSize || data[0] != 'M' || data[1] != 'Z' {
		return nil
	}
	dos := NewReader(data[dosHeaderSize-4:], Little)
	p := &PE{Data: data, NTOffset: dos.U32()}
	nt, _ := From(data, uint64(p.NTOffset))
	r := NewReader(nt, Little)
	signature := r.U32()
	p.Machine = r.U16()
	p.NumberOfSections = r.U16()
	p.Timestamp = r.U32()
	p.PointerToSymbolTable = r.U32()
	p.NumberOfSymbols = r.U32()
	p.SizeOfOptionalHeader = r.U16()
	p.Characteristics = r.U16()
	if !r.OK() || signature != 'P'|'E'<<8 {
		return nil
	}
	p.readOptional(r)
	p.readSections(nt)
	return p
}

func (p *PE) readOptional(r *Reader) {
	o := PEOptional{Present: true}
	o.Magic = r.U16()
	o.MajorLinkerVersion = r.U8()
	o.MinorLinkerVersion = r.U8()
	o.SizeOfCode = r.U32()
	o.SizeOfInitializedData = r.U32()
	o.SizeOfUninitializedData = r.U32()
	o.AddressOfEntryPoint = r.U32()
	o.BaseOfCode = r.U32()
	wide := o.Magic == PE32Plus
	if !wide {
		o.BaseOfData = r.U32()
	}
	o.ImageBase = r.Word(wide)
	o.SectionAlignment = r.U32()
	o.FileAlignment = r.U32()
	o.MajorOSVersion = r.U16()
	o.MinorOSVersion = r.U16()
	o.MajorImageVersion = r.U16()
	o.MinorImageVersion = r.U16()
	o.MajorSubsystemVersion = r.U16()
	o.MinorSubsystemVersion = r.U16()
	o.Win32VersionValue = r.U32()
	o.SizeOfImage = r.U32()
	o.SizeOfHeaders = r.U32()
	o.CheckSum = r.U32()
	o.Subsystem = r.U16()
	o.DLLCharacteristics = r.U16()
	o.SizeOfStackReserve = r.Word(wide)
	o.SizeOfStackCommit = r.Word(wide)
	o.SizeOfHeapReserve = r.Word(wide)
	o.SizeOfHeapCommit = r.Word(wide)
	o.LoaderFlags = r.U32()
	o.NumberOfRVAAndSizes = r.U32()
	if r.OK() {
		p.Optional, p.Directory = o, r.Rest()
	}
}

// Is64 reports whether the file is PE32+. Every other magic number is read as
// PE32.
func (p *PE) Is64() bool { return p.Optional.Magic == PE32Plus }

// Strict reports whether the file is one for libyara too, which asks for the
// optional header with all its data directories.
func (p *PE) Strict() bool {
	size := uint64(peOptionalSize32)
	if p.Is64() {
		size = peOptionalSize64
	}
	end := uint64(p.NTOffset) + ntHeadersSize + size + peDirectories*peDirectorySize
	return p.Optional.Present && p.NTOffset < 1<<31 && end <= uint64(len(p.Data))
}

// OptionalOffset is the offset of the optional header.
func (p *PE) OptionalOffset() uint64 { return uint64(p.NTOffset) + ntHeadersSize }

// DirectoryOffset is the offset of entry i of the data directories.
func (p *PE) DirectoryOffset(i int) uint64 {
	size := peOptionalSize32
	if p.Is64() {
		size = peOptionalSize64
	}
	return p.OptionalOffset() + uint64(size+i*peDirectorySize)
}

func (p *PE) readSections(nt []byte) {
	table, ok := From(nt, ntHeadersSize+uint64(p.SizeOfOptionalHeader))
	if !ok {
		return
	}
	names := p.stringTable()
	n := min(int(p.NumberOfSections), MaxPESections, len(table)/peSectionSize)
	p.Sections = make([]PESection, n)
	r := NewReader(table, Little)
	for i := range p.Sections {
		p.Sections[i] = readSection(r, names)
	}
}

func readSection(r *Reader, names []byte) (s PESection) {
	s.Name = bytes.TrimRight(r.Bytes(8), "\x00")
	s.VirtualSize = r.U32()
	s.VirtualAddress = r.U32()
	s.SizeOfRawData = r.U32()
	s.PointerToRawData = r.U32()
	s.PointerToRelocations = r.U32()
	s.PointerToLineNumbers = r.U32()
	s.NumberOfRelocations = r.U16()
	s.NumberOfLineNumbers = r.U16()
	s.Characteristics = r.U32()
	s.FullName = s.Name
	if long, ok := longName(s.Name, names); ok {
		s.FullName = long
	}
	return s
}

// stringTable is what follows the symbol table, nil where that is beyond the
// end.
func (p *PE) stringTable() []byte {
	off := uint64(p.PointerToSymbolTable) + uint64(p.NumberOfSymbols)*peSymbolSize
	names, ok := From(p.Data, min(off, 1<<32-1))
	if !ok {
		return nil
	}
	return names[:len(names):len(names)]
}

// longName finds the name that "/4" stands for.
func longName(name, table []byte) ([]byte, bool) {
	digits, ok := strings.CutPrefix(string(name), "/")
	if !ok || table == nil {
		return nil, false
	}
	off, err := strconv.ParseUint(strings.TrimPrefix(digits, "+"), 10, 32)
	if err != nil {
		return nil, false
	}
	rest, ok := From(table, off)
	return Text(rest, MaxPEName), ok
}

// DataDirectory is an entry of the data directories.
type DataDirectory struct{ Address, Size uint32 }

// Entry returns entry i of the data directories, whether or not the header
// counts so many: some files count too few. ok is false where the file ends
// before it.
func (p *PE) Entry(i int) (d DataDirectory, ok bool) {
	b, ok := Range(p.Directory, uint64(i)*peDirectorySize, peDirectorySize)
	r := NewReader(b, Little)
	return DataDirectory{r.U32(), r.U32()}, ok
}

// Offset returns the file offset of an address relative to the image base. It
// may be beyond the end of the file. ok is false where no section has bytes in
// the file for the address.
//
// An address below all sections is its own offset. Where sections overlap the
// last one with the highest address counts.
func (p *PE) Offset(rva uint32) (off uint32, ok bool) {
	in := &PESection{}
	lowest := ^uint32(0)
	for i := range p.Sections {
		s := &p.Sections[i]
		lowest = min(lowest, s.VirtualAddress)
		if in.VirtualAddress <= s.VirtualAddress && s.holds(rva) {
			in = s
		}
	}
	if len(p.Sections) > 0 && rva < lowest {
		return rva, true
	}
	delta := uint64(rva - in.VirtualAddress)
	if delta >= uint64(in.SizeOfRawData) {
		return 0, false
	}
	return uint32(min(uint64(p.alignDown(in.PointerToRawData))+delta, 1<<32-1)), true
}

// RVA is the address, relative to the image base, at which the byte at an
// offset in the file is loaded: the inverse of [PE.Offset], with the same
// rules. Sections without bytes in the file do not count.
func (p *PE) RVA(off uint32) (rva uint32, ok bool) {
	var address, start, size uint32
	lowest, any := ^uint32(0), false
	for i := range p.Sections {
		s := &p.Sections[i]
		if s.PointerToRawData == 0 {
			continue
		}
		from := p.alignDown(s.PointerToRawData)
		lowest, any = min(lowest, from), true
		end := min(uint64(from)+uint64(s.SizeOfRawData), 1<<32-1)
		if start <= from && off >= from && uint64(off) < end {
			address, start, size = s.VirtualAddress, from, s.SizeOfRawData
		}
	}
	if any && off < lowest {
		return off, true
	}
	if off < start || off-start >= size {
		return 0, false
	}
	return uint32(min(uint64(address)+uint64(off-start), 1<<32-1)), true
}

// holds uses the larger of both sizes: some files have more bytes than the
// virtual size says.
func (s *PESection) holds(rva uint32) bool {
	end := uint64(s.VirtualAddress) + uint64(max(s.VirtualSize, s.SizeOfRawData))
	return rva >= s.VirtualAddress && uint64(rva) < min(end, 1<<32-1)
}

// alignDown rounds a section's offset as the loader does: down to the file
// alignment, of which more than 512 counts as 512, and down to a sector where
// sections are aligned to pages.
func (p *PE) alignDown(off uint32) uint32 {
	const sector, page = 512, 4096
	if a := min(p.Optional.FileAlignment, sector); a != 0 {
		off -= off % a
	}
	if p.Optional.SectionAlignment >= page {
		off -= off % sector
	}
	return off
}

// AtRVA returns the bytes from an address on to the end of the file.
func (p *PE) AtRVA(rva uint32) ([]byte, bool) {
	off, ok := p.Offset(rva)
	if !ok {
		return nil, false
	}
	return From(p.Data, uint64(off))
}
