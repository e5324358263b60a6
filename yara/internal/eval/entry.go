package eval

import "encoding/binary"

// entryPoint is the file offset of the first instruction of a PE or ELF file,
// as libyara finds it; ok is false for any other target. Where libyara cannot
// map the address, the offset is 0.
func entryPoint(data []byte) (offset int64, ok bool) {
	if nt, ok := peHeaders(data); ok {
		return peEntry(nt), true
	}
	if len(data) < 20 || string(data[:4]) != "\x7fELF" {
		return 0, false
	}
	switch {
	case data[4] == 1 && len(data) >= 52:
		return elfEntry(data, elf32), true
	case data[4] == 2 && len(data) >= 64:
		return elfEntry(data, elf64), true
	}
	return 0, false
}

// peHeaders returns the bytes from the PE signature on, of an x86 or x64 image
// that has its optional header whole.
func peHeaders(data []byte) ([]byte, bool) {
	const dosSize, coffSize, optionalSize = 64, 24, 96 + 16*8
	if len(data) < dosSize || data[0] != 'M' || data[1] != 'Z' {
		return nil, false
	}
	at := int64(int32(binary.LittleEndian.Uint32(data[60:])))
	if at < 0 || at+coffSize+optionalSize >= int64(len(data)) {
		return nil, false
	}
	nt := data[at:]
	machine := binary.LittleEndian.Uint16(nt[4:])
	return nt, string(nt[:4]) == "PE\x00\x00" && (machine == 0x14c || machine == 0x8664)
}

// peEntry maps the address of the entry point through the section table.
func peEntry(nt []byte) int64 {
	const sectionSize, mostSections = 40, 60
	rva := binary.LittleEndian.Uint32(nt[40:])
	sections := min(int(binary.LittleEndian.Uint16(nt[6:])), mostSections)
	table := 24 + int(binary.LittleEndian.Uint16(nt[20:]))
	var address, raw uint32
	for i := range sections {
		at := table + i*sectionSize
		if at+sectionSize >= len(nt) {
			return 0
		}
		start := binary.LittleEndian.Uint32(nt[at+12:])
		if rva >= start && address <= start {
			address, raw = start, binary.LittleEndian.Uint32(nt[at+20:])
		}
	}
	return int64(raw) + int64(rva-address)
}

// elfLayout is where the fields of one class of ELF stand, in bytes, and how
// wide its words are.
type elfLayout struct {
	word                                                   int
	entry, programs, sections, programCount, sectionCount  int
	programSize, programOffset, programAddress, programLen int
	sectionSize, sectionAddress, sectionOffset, sectionLen int
}

var (
	elf32 = elfLayout{4, 24, 28, 32, 44, 48, 32, 4, 8, 20, 40, 12, 16, 20}
	elf64 = elfLayout{8, 24, 32, 40, 56, 60, 56, 8, 16, 40, 64, 16, 24, 32}
)

// elfEntry maps the address of the entry point through the segments of an
// executable or the sections of anything else.
func elfEntry(data []byte, l elfLayout) int64 {
	const executable = 2
	entry := l.at(data, l.entry)
	if binary.LittleEndian.Uint16(data[16:]) == executable {
		return l.find(data, entry, table{
			start: l.at(data, l.programs), count: binary.LittleEndian.Uint16(data[l.programCount:]),
			size: l.programSize, address: l.programAddress, offset: l.programOffset, length: l.programLen,
		})
	}
	return l.find(data, entry, table{
		start: l.at(data, l.sections), count: binary.LittleEndian.Uint16(data[l.sectionCount:]),
		size: l.sectionSize, address: l.sectionAddress, offset: l.sectionOffset, length: l.sectionLen,
		typed: true,
	})
}

// at reads a word.
func (l elfLayout) at(data []byte, offset int) uint64 {
	if l.word == 4 {
		return uint64(binary.LittleEndian.Uint32(data[offset:]))
	}
	return binary.LittleEndian.Uint64(data[offset:])
}

// table is a table of segments or sections.
type table struct {
	start                         uint64
	count                         uint16
	size, address, offset, length int
	typed                         bool // skip what has no bytes in the file
}

// find returns the offset of an address by the first entry that covers it.
func (l elfLayout) find(data []byte, address uint64, t table) int64 {
	const null, nobits = 0, 8
	total := uint64(t.size) * uint64(t.count)
	if t.start == 0 || t.start > uint64(len(data)) || total > uint64(len(data))-t.start {
		return 0
	}
	for entry := data[t.start : t.start+total]; len(entry) > 0; entry = entry[t.size:] {
		if kind := binary.LittleEndian.Uint32(entry[4:]); t.typed && (kind == null || kind == nobits) {
			continue
		}
		if start := l.at(entry, t.address); address >= start && address < start+l.at(entry, t.length) {
			return int64(l.at(entry, t.offset) + (address - start))
		}
	}
	return 0
}
