// Package elf is the YARA module "elf": the headers, sections, segments,
// symbols and dynamic entries of ELF files, and two hashes over symbols.
//
// A target is an ELF file where its magic number, class, byte order and file
// header are whole; otherwise every field is undefined and every list empty.
// Tables are read when a condition first asks for them. A table of sections
// or segments that the file does not have whole is not there at all. Meaning
// follows YARA-X, and libyara where a scan asks for its dialect. The format is
// the System V ABI's, https://gabi.xinuos.com.
//
// What hostile files may cost is bounded: at most 65,535 segments and 65,279
// sections (the fields' width), at most one symbol for each 16 bytes of the
// file in each of two tables, at most [maxDynamic] dynamic entries in all, and
// names of at most [nameBudget] times the file's size together for each table;
// names beyond that are undefined.
package elf

import (
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Limits of what is read.
const (
	maxDynamic = 1 << 16
	nameBudget = 8
)

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	columns := rootColumns()
	schema := column.Type("elf", columns)
	blank := column.Blank(schema, nil)
	return &module.Module{
		Name:   "elf",
		Doc:    "Headers, sections, segments and symbols of ELF files.",
		Schema: schema,
		Load: func(in *module.Input) module.Value {
			if f := scanned(in); f != nil {
				return column.Struct(columns, f)
			}
			return blank
		},
	}
}

func rootColumns() []column.Column[*file] {
	columns := []column.Column[*file]{
		column.Int("type", "What the file is for, one of ET_*.", func(f *file) uint16 { return f.typ }),
		column.Int("machine", "The processor, one of EM_*.", func(f *file) uint16 { return f.machine }),
		column.Int("osabi", "The operating system, one of OSABI_*.", func(f *file) uint8 { return f.osabi }),
		column.OptInt("entry_point", "The offset in the file where the program starts; undefined where its address has no bytes in the file.", (*file).entryPoint),
		column.Int("sh_offset", "The offset of the section table.", func(f *file) uint64 { return f.shOffset }),
		column.Int("sh_entry_size", "The size of an entry of the section table, in bytes, as the header says.", func(f *file) uint16 { return f.shEntrySize }),
		column.Int("ph_offset", "The offset of the segment table.", func(f *file) uint64 { return f.phOffset }),
		column.Int("ph_entry_size", "The size of an entry of the segment table, in bytes, as the header says.", func(f *file) uint16 { return f.phEntrySize }),
		deprecated(column.Int("number_of_sections", "The number of sections that the header counts.", func(f *file) uint16 { return f.shCount }), "use `elf.sections.len()` instead"),
		deprecated(column.Int("number_of_segments", "The number of segments that the header counts.", func(f *file) uint16 { return f.phCount }), "use `elf.segments.len()` instead"),
		column.OptInt("symtab_entries", "The number of symbols in symtab; undefined without section table.", func(f *file) (int, bool) { return f.count(f.symtab()) }),
		column.OptInt("dynsym_entries", "The number of symbols in dynsym; undefined without section table.", func(f *file) (int, bool) { return f.count(f.dynsym()) }),
		column.Int("dynamic_section_entries", "The number of entries in dynamic.", func(f *file) int { return len(f.dynamic()) }),
		column.Rows("sections", "The section table.", "Section", sectionColumns, func(f *file) []section { return f.listedSections() }),
		column.Rows("segments", "The segment table.", "Segment", segmentColumns, func(f *file) []segment { return f.segments() }),
		column.Rows("symtab", "Symbols for linking.", "Symbol", symbolColumns, func(f *file) []symbol { return f.symtab() }),
		column.Rows("dynsym", "Symbols for loading.", "Symbol", symbolColumns, func(f *file) []symbol { return f.dynsym() }),
		column.Rows("dynamic", "What the dynamic linker needs to know.", "Dynamic", dynamicColumns, func(f *file) []dynamic { return f.dynamic() }),
		hashColumn("import_md5", "The MD5 of the sorted names of undefined symbols, lower-case hex.", func(f *file) module.Value { return f.importDigest() }),
		hashColumn("telfhash", "The similarity digest (TLSH) of the sorted names of global functions, upper-case hex; undefined where these are too few.", func(f *file) module.Value { return f.telfDigest() }),
	}
	return append(columns, constantColumns()...)
}

func deprecated[T any](c column.Column[T], instead string) column.Column[T] {
	c.Deprecated = instead
	return c
}

var sectionColumns = []column.Column[section]{
	column.Int("type", "One of SHT_*.", func(s section) int32 { return int32(s.typ) }),
	column.Int("flags", "SHF_* together.", func(s section) uint64 { return s.flags }),
	column.Int("address", "Where the section is in memory.", func(s section) uint64 { return s.address }),
	column.Int("size", "In bytes.", func(s section) uint64 { return s.size }),
	column.Int("offset", "Where the section is in the file.", func(s section) uint64 { return s.offset }),
	column.OptText("name", "From the table of section names.", func(s section) (string, bool) { return s.name.text() }),
}

var segmentColumns = []column.Column[segment]{
	column.Int("type", "One of PT_*.", func(s segment) int32 { return int32(s.typ) }),
	column.Int("flags", "PF_* together.", func(s segment) uint32 { return s.flags }),
	column.Int("offset", "Where the segment is in the file.", func(s segment) uint64 { return s.offset }),
	column.Int("virtual_address", "Where the segment is in memory.", func(s segment) uint64 { return s.virtual }),
	column.Int("physical_address", "Where the segment is in physical memory.", func(s segment) uint64 { return s.physical }),
	column.Int("file_size", "Bytes in the file.", func(s segment) uint64 { return s.fileSize }),
	column.Int("memory_size", "Bytes in memory.", func(s segment) uint64 { return s.memorySize }),
	column.Int("alignment", "In bytes.", func(s segment) uint64 { return s.alignment }),
}

var symbolColumns = []column.Column[symbol]{
	column.OptText("name", "From the table of symbol names.", func(s symbol) (string, bool) { return s.name.text() }),
	column.Int("value", "An address, mostly.", func(s symbol) uint64 { return s.value }),
	column.Int("size", "Of what the symbol names, in bytes.", func(s symbol) uint64 { return s.size }),
	column.Int("type", "One of STT_*.", func(s symbol) uint8 { return s.typ() }),
	column.Int("bind", "One of STB_*.", func(s symbol) uint8 { return s.bind() }),
	column.Int("shndx", "The section's index; 0 for a symbol from elsewhere.", func(s symbol) uint16 { return s.section }),
	column.Int("visibility", "One of STV_*.", func(s symbol) uint8 { return s.visibility() }),
}

var dynamicColumns = []column.Column[dynamic]{
	column.Int("type", "One of DT_*.", func(d dynamic) int32 { return int32(d.tag) }),
	column.Int("val", "A number or an address.", func(d dynamic) uint64 { return d.value }),
}
