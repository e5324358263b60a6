package elf

import (
	"bytes"
	"sync"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// The values of the format that the parser itself needs.
const (
	magic              = "\x7fELF"
	identSize          = 16
	class32, class64   = 1, 2
	orderLSB, orderMSB = 1, 2
	typeExec, typeDyn  = 2, 3

	sectionNull, sectionNoBits   = 0, 8
	sectionSymtab, sectionDynsym = 2, 11
	sectionStrtab                = 3
	sectionReserved              = 0xff00 // counts from here on are no counts
	segmentDynamic               = 2

	bindGlobal, typeFunc, visibleDefault = 1, 2, 0
)

// The sizes of structures, of 32 and of 64 bits.
const (
	symbolSize32, symbolSize64   = 16, 24
	sectionSize32, sectionSize64 = 40, 64
	segmentSize32, segmentSize64 = 32, 56
)

// file is an ELF file of one scan. The functions read a table when first
// called.
type file struct {
	data    []byte
	order   binfmt.Order
	wide    bool
	libyara bool

	osabi                    uint8
	typ, machine             uint16
	entry                    uint64
	phOffset, shOffset       uint64
	phEntrySize, phCount     uint16
	shEntrySize, shCount     uint16
	namesIndex               uint16
	segments                 func() []segment
	sections                 func() []section
	listedSections           func() []section
	symtab, dynsym           func() []symbol
	dynamic                  func() []dynamic
	importDigest, telfDigest func() module.Value
}

type segment struct {
	typ, flags           uint32
	offset               uint64
	virtual, physical    uint64
	fileSize, memorySize uint64
	alignment            uint64
}

type section struct {
	nameAt, typ, link uint32
	flags, address    uint64
	offset, size      uint64
	name              name
}

type symbol struct {
	nameAt      uint32
	info, other uint8
	section     uint16
	value, size uint64
	name        name
}

func (s symbol) typ() uint8        { return s.info & 0xf }
func (s symbol) bind() uint8       { return s.info >> 4 }
func (s symbol) visibility() uint8 { return s.other & 3 }

type dynamic struct{ tag, value uint64 }

// name is a string of the file; nil where there is none.
type name []byte

func (n name) text() (string, bool) { return column.UTF8(n), n != nil }

// fileOf returns the target of the scan as an ELF file, nil where it is none.
func fileOf(in *module.Input) *file {
	d := in.Data
	if len(d) < identSize || string(d[:4]) != magic ||
		d[4] != class32 && d[4] != class64 || d[5] != orderLSB && d[5] != orderMSB {
		return nil
	}
	f := &file{data: d, wide: d[4] == class64, order: d[5] == orderMSB, osabi: d[7], libyara: in.LibYARA}
	if !f.readHeader() {
		return nil
	}
	f.segments = sync.OnceValue(f.readSegments)
	f.sections = sync.OnceValue(f.readSections)
	f.listedSections = sync.OnceValue(f.nameSections)
	f.symtab = sync.OnceValue(func() []symbol { return f.readSymbols(sectionSymtab) })
	f.dynsym = sync.OnceValue(func() []symbol { return f.readSymbols(sectionDynsym) })
	f.dynamic = sync.OnceValue(f.readDynamic)
	f.importDigest = sync.OnceValue(f.hashImports)
	f.telfDigest = sync.OnceValue(f.hashFunctions)
	return f
}

func (f *file) readHeader() bool {
	r := binfmt.NewReader(f.data[identSize:], f.order)
	f.typ, f.machine = r.U16(), r.U16()
	r.Skip(4) // version
	f.entry = r.Word(f.wide)
	f.phOffset, f.shOffset = r.Word(f.wide), r.Word(f.wide)
	r.Skip(4 + 2) // flags, header size
	f.phEntrySize, f.phCount = r.U16(), r.U16()
	f.shEntrySize, f.shCount = r.U16(), r.U16()
	f.namesIndex = r.U16()
	return r.OK()
}

// size picks a structure's size.
func (f *file) size(narrow, wide uint64) uint64 {
	if f.wide {
		return wide
	}
	return narrow
}

// table returns a reader of count entries at an offset, nil where the file
// does not have all of them.
func (f *file) table(offset, count, size uint64) *binfmt.Reader {
	b, ok := binfmt.Range(f.data, offset, count*size)
	if !ok {
		return nil
	}
	return binfmt.NewReader(b, f.order)
}

func (f *file) readSegments() []segment {
	r := f.table(f.phOffset, uint64(f.phCount), f.size(segmentSize32, segmentSize64))
	if r == nil {
		return nil
	}
	segments := make([]segment, f.phCount)
	for i := range segments {
		segments[i] = f.readSegment(r)
	}
	return segments
}

func (f *file) readSegment(r *binfmt.Reader) (s segment) {
	s.typ = r.U32()
	if f.wide {
		s.flags = r.U32()
	}
	s.offset = r.Word(f.wide)
	s.virtual, s.physical = r.Word(f.wide), r.Word(f.wide)
	s.fileSize, s.memorySize = r.Word(f.wide), r.Word(f.wide)
	if !f.wide {
		s.flags = r.U32()
	}
	s.alignment = r.Word(f.wide)
	return s
}

// readSections reads the section table without names; nil where there is
// none, or one of no entries.
func (f *file) readSections() []section {
	r := f.table(f.shOffset, uint64(f.shCount), f.size(sectionSize32, sectionSize64))
	if r == nil {
		return nil
	}
	sections := make([]section, f.shCount)
	for i := range sections {
		s := &sections[i]
		s.nameAt, s.typ = r.U32(), r.U32()
		s.flags, s.address = r.Word(f.wide), r.Word(f.wide)
		s.offset, s.size = r.Word(f.wide), r.Word(f.wide)
		s.link = r.U32()
		r.Skip(4)      // info
		r.Word(f.wide) // alignment
		r.Word(f.wide) // entry size
	}
	return sections
}

// sound reports whether the file has a section table that can be one.
func (f *file) sound() bool { return f.sections() != nil && f.shCount < sectionReserved }

// nameSections returns the sections with their names.
func (f *file) nameSections() []section {
	if !f.sound() || f.libyara && f.namesIndex >= f.shCount {
		return nil
	}
	sections := f.sections()
	names := f.namesIn(int64(f.namesIndex))
	for i := range sections {
		sections[i].name = names.at(sections[i].nameAt)
	}
	return sections
}

// names is a string table, with how many bytes of names may still be read.
type names struct {
	table  []byte
	budget int
	strict bool
}

// namesIn returns the string table in the section with this index. The table
// goes on to the end of the file, as sections' sizes are often wrong.
func (f *file) namesIn(index int64) *names {
	n := &names{budget: nameBudget * len(f.data), strict: f.libyara}
	if sections := f.sections(); index < int64(len(sections)) {
		n.table, _ = binfmt.From(f.data, sections[index].offset)
	}
	return n
}

// at returns the name at an offset in the table, nil where there is none.
func (n *names) at(offset uint32) name {
	rest, ok := binfmt.From(n.table, uint64(offset))
	if !ok || n.table == nil || n.budget <= 0 {
		return nil
	}
	end := bytes.IndexByte(rest, 0)
	if n.strict && (end < 0 || n.table[0] != 0) {
		return nil
	}
	if end < 0 {
		end = len(rest)
	}
	n.budget -= end + 1
	return name(rest[:end:end])
}

// readSymbols reads the first symbol table of a type of section.
func (f *file) readSymbols(typ uint32) []symbol {
	if !f.sound() {
		return nil
	}
	s, ok := f.symbolSection(typ)
	if !ok {
		return nil
	}
	data, ok := binfmt.Range(f.data, s.offset, s.size)
	if !ok {
		return nil
	}
	names := f.namesIn(int64(s.link))
	symbols := make([]symbol, uint64(len(data))/f.size(symbolSize32, symbolSize64))
	r := binfmt.NewReader(data, f.order)
	for i := range symbols {
		symbols[i] = f.readSymbol(r)
		symbols[i].name = names.at(symbols[i].nameAt)
	}
	return symbols
}

// symbolSection finds the symbol table: the first of its type, or for libyara
// the last that has a string table.
func (f *file) symbolSection(typ uint32) (found section, ok bool) {
	sections := f.sections()
	for _, s := range sections {
		if s.typ != typ {
			continue
		}
		if !f.libyara {
			return s, true
		}
		if uint64(s.link) < uint64(len(sections)) && sections[s.link].typ == sectionStrtab {
			found, ok = s, true
		}
	}
	return found, ok
}

func (f *file) readSymbol(r *binfmt.Reader) (s symbol) {
	s.nameAt = r.U32()
	if !f.wide {
		s.value, s.size = r.Word(false), r.Word(false)
	}
	s.info, s.other = r.U8(), r.U8()
	s.section = r.U16()
	if f.wide {
		s.value, s.size = r.Word(true), r.Word(true)
	}
	return s
}

// count is the length of a symbol table, undefined without section table.
func (f *file) count(symbols []symbol) (int, bool) {
	return len(symbols), f.sound() && (symbols != nil || !f.libyara)
}

// readDynamic reads the entries of all dynamic segments, each up to its end
// mark. libyara keeps the mark, reads on to the end of the file, and begins
// anew with each segment.
func (f *file) readDynamic() []dynamic {
	var all []dynamic
	left := maxDynamic
	for _, s := range f.segments() {
		if s.typ != segmentDynamic {
			continue
		}
		entries := f.dynamicIn(s, left)
		left -= len(entries)
		if f.libyara {
			copied := copy(all, entries)
			entries = entries[copied:]
		}
		all = append(all, entries...)
	}
	return all
}

// dynamicIn reads the entries of one segment, but not more than most.
func (f *file) dynamicIn(s segment, most int) (entries []dynamic) {
	data, _ := binfmt.Range(f.data, s.offset, s.fileSize)
	if f.libyara {
		data, _ = binfmt.From(f.data, s.offset)
	}
	r := binfmt.NewReader(data, f.order)
	for len(entries) < most {
		d := dynamic{r.Word(f.wide), r.Word(f.wide)}
		if !r.OK() || d.tag == 0 && !f.libyara {
			break
		}
		entries = append(entries, d)
		if d.tag == 0 {
			break
		}
	}
	return entries
}

// entryPoint is the offset of the entry's address: by segments in programs
// and libraries, by sections in what is not yet linked.
func (f *file) entryPoint() (uint64, bool) {
	if f.entry == 0 || f.shCount >= sectionReserved && !f.libyara {
		return 0, false
	}
	if f.typ == typeExec || f.typ == typeDyn && !f.libyara {
		return f.bySegments(f.entry)
	}
	return f.bySections(f.entry)
}

func (f *file) bySegments(address uint64) (uint64, bool) {
	for _, s := range f.segments() {
		in, ok := within(address, s.virtual, s.memorySize)
		if !ok {
			return 0, false
		}
		if in {
			return add(s.offset, address-s.virtual)
		}
	}
	return 0, false
}

func (f *file) bySections(address uint64) (uint64, bool) {
	for _, s := range f.sections() {
		if s.typ == sectionNull || s.typ == sectionNoBits {
			continue
		}
		in, ok := within(address, s.address, s.size)
		if !ok {
			return 0, false
		}
		if in {
			return add(s.offset, address-s.address)
		}
	}
	return 0, false
}

// within reports whether an address is in a range; ok is false where the
// range has no end.
func within(address, start, size uint64) (in, ok bool) {
	end, ok := add(start, size)
	return ok && address >= start && address < end, ok
}

func add(a, b uint64) (uint64, bool) { return a + b, a+b >= a }
