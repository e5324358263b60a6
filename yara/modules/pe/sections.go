package pe

import (
	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

type section = *binfmt.PESection

var sectionColumns = []column.Column[section]{
	column.Text("name", "The name, of at most 8 bytes.", func(s section) string { return string(s.Name) }),
	column.Text("full_name", "The name in the string table where the name is a number such as /4, else the name.", func(s section) string { return string(s.FullName) }),
	column.Int("characteristics", "Flags, a sum of SECTION_*.", func(s section) uint32 { return s.Characteristics }),
	column.Int("raw_data_size", "The size in the file, in bytes.", func(s section) uint32 { return s.SizeOfRawData }),
	column.Int("raw_data_offset", "The offset in the file.", func(s section) uint32 { return s.PointerToRawData }),
	column.Int("virtual_address", "The address in memory, relative to the image base.", func(s section) uint32 { return s.VirtualAddress }),
	column.Int("virtual_size", "The size in memory, in bytes.", func(s section) uint32 { return s.VirtualSize }),
	column.Int("pointer_to_relocations", "The offset of the relocations.", func(s section) uint32 { return s.PointerToRelocations }),
	column.Int("pointer_to_line_numbers", "The offset of the line numbers.", func(s section) uint32 { return s.PointerToLineNumbers }),
	column.Int("number_of_relocations", "The number of relocations.", func(s section) uint16 { return s.NumberOfRelocations }),
	column.Int("number_of_line_numbers", "The number of line numbers.", func(s section) uint16 { return s.NumberOfLineNumbers }),
}

var sectionType = column.Type("Section", sectionColumns)

func (f *file) sectionPointers() []section {
	list := make([]section, len(f.Sections))
	for i := range list {
		list[i] = &f.Sections[i]
	}
	return list
}

// sectionByName returns the index of the first section with a name.
func (f *file) sectionByName(name string) (int, bool) {
	for i := range f.Sections {
		if string(f.Sections[i].Name) == name {
			return i, true
		}
	}
	return 0, false
}

// sectionByOffset returns the index of the first section with a byte of the
// file.
func (f *file) sectionByOffset(off int64) (int, bool) {
	for i := range f.Sections {
		start := int64(f.Sections[i].PointerToRawData)
		if off >= start && off < start+int64(f.Sections[i].SizeOfRawData) {
			return i, true
		}
	}
	return 0, false
}

// span is a range of the file.
type span struct{ offset, size uint64 }

var spanColumns = []column.Column[span]{
	column.Int("offset", "The offset in the file, 0 where there is none.", func(s span) uint64 { return s.offset }),
	column.Int("size", "In bytes, 0 where there is none.", func(s span) uint64 { return s.size }),
}

var overlayType = column.Type("Overlay", spanColumns)

// overlay is what follows the end of the section that ends last.
func overlay(f *file) module.Value {
	end := uint64(0)
	for i := range f.Sections {
		end = max(end, uint64(f.Sections[i].PointerToRawData)+uint64(f.Sections[i].SizeOfRawData))
	}
	size := uint64(len(f.Data))
	if len(f.Sections) == 0 || end >= size {
		return column.Struct(spanColumns, span{})
	}
	return column.Struct(spanColumns, span{end, size - end})
}
