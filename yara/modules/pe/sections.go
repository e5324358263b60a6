package pe

import (
	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module"
)

type section = *binfmt.PESection

var sectionColumns = []column[section]{
	words("name", "The name, of at most 8 bytes.", func(s section) string { return string(s.Name) }),
	words("full_name", "The name in the string table where the name is a number such as /4, else the name.", func(s section) string { return string(s.FullName) }),
	number("characteristics", "Flags such as SECTION_MEM_EXECUTE.", func(s section) uint32 { return s.Characteristics }),
	number("raw_data_size", "The size in the file, in bytes.", func(s section) uint32 { return s.SizeOfRawData }),
	number("raw_data_offset", "The offset in the file.", func(s section) uint32 { return s.PointerToRawData }),
	number("virtual_address", "The address in memory, relative to the image base.", func(s section) uint32 { return s.VirtualAddress }),
	number("virtual_size", "The size in memory, in bytes.", func(s section) uint32 { return s.VirtualSize }),
	number("pointer_to_relocations", "The offset of the relocations.", func(s section) uint32 { return s.PointerToRelocations }),
	number("pointer_to_line_numbers", "The offset of the line numbers.", func(s section) uint32 { return s.PointerToLineNumbers }),
	number("number_of_relocations", "The number of relocations.", func(s section) uint16 { return s.NumberOfRelocations }),
	number("number_of_line_numbers", "The number of line numbers.", func(s section) uint16 { return s.NumberOfLineNumbers }),
}

var sectionType = typeOf("Section", sectionColumns)

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

var spanColumns = []column[span]{
	number("offset", "The offset in the file, 0 where there is none.", func(s span) uint64 { return s.offset }),
	number("size", "In bytes, 0 where there is none.", func(s span) uint64 { return s.size }),
}

var overlayType = typeOf("Overlay", spanColumns)

// overlay is what follows the end of the section that ends last.
func overlay(f *file) module.Value {
	end := uint64(0)
	for i := range f.Sections {
		end = max(end, uint64(f.Sections[i].PointerToRawData)+uint64(f.Sections[i].SizeOfRawData))
	}
	size := uint64(len(f.Data))
	if len(f.Sections) == 0 || end >= size {
		return structOf(spanColumns, span{})
	}
	return structOf(spanColumns, span{end, size - end})
}
