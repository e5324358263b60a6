package pe

import (
	"slices"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module"
)

// rootColumns are the module's fields: those of the headers, those of the
// tables, the functions and the constants.
func rootColumns() []column[*file] {
	return slices.Concat(headerColumns(), versionColumns(), sizeColumns(), countColumns(), tableColumns(),
		functionColumns(), constantColumns())
}

func headerColumns() []column[*file] {
	return []column[*file]{
		flag("is_pe", "Whether the target is a PE file.", func(*file) bool { return true }),
		number("machine", "The processor, one of MACHINE_*.", func(f *file) uint16 { return f.Machine }),
		number("subsystem", "What runs the program, one of SUBSYSTEM_*.", func(f *file) uint16 { return f.Optional.Subsystem }),
		number("opthdr_magic", "Which optional header it is, one of IMAGE_*_HDR*_MAGIC.", func(f *file) uint16 { return f.Optional.Magic }),
		number("characteristics", "Flags of the file, such as DLL.", func(f *file) uint16 { return f.Characteristics }),
		number("dll_characteristics", "Flags for the loader, such as DYNAMIC_BASE.", func(f *file) uint16 { return f.Optional.DLLCharacteristics }),
		number("timestamp", "When the file was linked, in seconds since 1970; or a hash, in reproducible builds.", func(f *file) uint32 { return f.Timestamp }),
		number("image_base", "The preferred address in memory.", func(f *file) uint64 { return f.Optional.ImageBase }),
		number("checksum", "The checksum that the header gives; compare calculate_checksum.", func(f *file) uint32 { return f.Optional.CheckSum }),
		number("base_of_code", "The address of the code, relative to the image base.", func(f *file) uint32 { return f.Optional.BaseOfCode }),
		optionalNumber("base_of_data", "The address of the data, relative to the image base; undefined in 64-bit files.", baseOfData),
		optionalNumber("entry_point", "The offset in the file where the program starts; undefined where its address has no bytes in the file.", entryPoint),
		number("entry_point_raw", "The address where the program starts, relative to the image base.", func(f *file) uint32 { return f.Optional.AddressOfEntryPoint }),
		number("section_alignment", "The alignment of sections in memory, in bytes.", func(f *file) uint32 { return f.Optional.SectionAlignment }),
		number("file_alignment", "The alignment of sections in the file, in bytes.", func(f *file) uint32 { return f.Optional.FileAlignment }),
		number("loader_flags", "Flags of old loaders.", func(f *file) uint32 { return f.Optional.LoaderFlags }),
		number("pointer_to_symbol_table", "The offset of the COFF symbols.", func(f *file) uint32 { return f.PointerToSymbolTable }),
		number("win32_version_value", "Reserved; zero in sound files.", func(f *file) uint32 { return f.Optional.Win32VersionValue }),
		number("number_of_symbols", "The number of COFF symbols.", func(f *file) uint32 { return f.NumberOfSymbols }),
		number("number_of_rva_and_sizes", "The number of data directories that the header counts.", func(f *file) uint32 { return f.Optional.NumberOfRVAAndSizes }),
		{name: "pdb_path", doc: "Where the linker put the debug symbols.", typ: text(), get: func(f *file) module.Value { return f.pdbPath.get(f.findPDBPath) }},
	}
}

// baseOfData is undefined where the optional header is cut short, as zero
// would be a lie.
func baseOfData(f *file) maybe[uint32] {
	return maybe[uint32]{f.Optional.BaseOfData, f.Optional.Present && !f.Is64()}
}

func entryPoint(f *file) maybe[int64] {
	off, ok := f.offset(f.Optional.AddressOfEntryPoint)
	if !ok && f.libyara {
		return some[int64](-1)
	}
	return maybe[int64]{int64(off), ok}
}

// version is a pair of numbers of the headers.
type version struct{ major, minor uint16 }

var versionPair = []column[version]{
	number("major", "The number before the point.", func(v version) uint16 { return v.major }),
	number("minor", "The number after the point.", func(v version) uint16 { return v.minor }),
}

var versionType = typeOf("Version", versionPair)

func versionColumn(name, doc string, get func(*file) version) column[*file] {
	return column[*file]{name: name, doc: doc, typ: versionType,
		get: func(f *file) module.Value { return structOf(versionPair, get(f)) }}
}

func versionColumns() []column[*file] {
	return []column[*file]{
		versionColumn("os_version", "The oldest system that is enough.", func(f *file) version {
			return version{f.Optional.MajorOSVersion, f.Optional.MinorOSVersion}
		}),
		versionColumn("subsystem_version", "The oldest subsystem that is enough.", func(f *file) version {
			return version{f.Optional.MajorSubsystemVersion, f.Optional.MinorSubsystemVersion}
		}),
		versionColumn("image_version", "The version that the author gave the file.", func(f *file) version {
			return version{f.Optional.MajorImageVersion, f.Optional.MinorImageVersion}
		}),
		versionColumn("linker_version", "The version of the linker.", func(f *file) version {
			return version{uint16(f.Optional.MajorLinkerVersion), uint16(f.Optional.MinorLinkerVersion)}
		}),
	}
}

func sizeColumns() []column[*file] {
	return []column[*file]{
		number("size_of_optional_header", "In bytes, as the file header says.", func(f *file) uint16 { return f.SizeOfOptionalHeader }),
		number("size_of_code", "Of all sections with code, in bytes.", func(f *file) uint32 { return f.Optional.SizeOfCode }),
		number("size_of_initialized_data", "Of all sections with initialized data, in bytes.", func(f *file) uint32 { return f.Optional.SizeOfInitializedData }),
		number("size_of_uninitialized_data", "Of all sections with uninitialized data, in bytes.", func(f *file) uint32 { return f.Optional.SizeOfUninitializedData }),
		number("size_of_image", "Of the file in memory, in bytes.", func(f *file) uint32 { return f.Optional.SizeOfImage }),
		number("size_of_headers", "Of all headers, in bytes.", func(f *file) uint32 { return f.Optional.SizeOfHeaders }),
		number("size_of_stack_reserve", "The stack's address space, in bytes.", func(f *file) uint64 { return f.Optional.SizeOfStackReserve }),
		number("size_of_stack_commit", "The stack's memory at the start, in bytes.", func(f *file) uint64 { return f.Optional.SizeOfStackCommit }),
		number("size_of_heap_reserve", "The heap's address space, in bytes.", func(f *file) uint64 { return f.Optional.SizeOfHeapReserve }),
		number("size_of_heap_commit", "The heap's memory at the start, in bytes.", func(f *file) uint64 { return f.Optional.SizeOfHeapCommit }),
	}
}

func countColumns() []column[*file] {
	return []column[*file]{
		deprecated(number("number_of_sections", "The number of sections.", numberOfSections), "use `pe.sections.len()` instead"),
		number("number_of_imported_functions", "The number of imported functions of all libraries.", func(f *file) int { return functionCount(f.importedLibraries()) }),
		number("number_of_delayed_imported_functions", "The number of delayed imported functions of all libraries.", func(f *file) int { return functionCount(f.delayedLibraries()) }),
		deprecated(number("number_of_resources", "The number of resources.", func(f *file) int { return len(f.resourceTable().resources) }), "use `pe.resources.len()` instead"),
		number("number_of_version_infos", "The number of strings of version information.", func(f *file) int { return len(f.versionStrings()) }),
		number("number_of_imports", "The number of imported libraries.", func(f *file) int { return len(f.importedLibraries()) }),
		number("number_of_delayed_imports", "The number of delayed imported libraries.", func(f *file) int { return len(f.delayedLibraries()) }),
		number("number_of_exports", "The number of exported functions.", func(f *file) int { return len(f.exportTable().functions) }),
		deprecated(number("number_of_signatures", "The number of signatures, nested ones too.", func(f *file) int { return len(f.allSignatures()) }), "use `pe.signatures.len()` instead"),
	}
}

func deprecated[T any](c column[T], instead string) column[T] {
	c.deprecated = instead
	return c
}

// numberOfSections is the number of entries that the file has; libyara tells
// what the header says.
func numberOfSections(f *file) int {
	if f.libyara {
		return int(f.NumberOfSections)
	}
	return len(f.Sections)
}

// table is a column whose value is kept for the scan.
func table(which int, name, doc string, typ *module.Type, get func(*file) module.Value) column[*file] {
	return column[*file]{name: name, doc: doc, typ: typ, get: func(f *file) module.Value {
		return f.values[which].get(func() module.Value { return get(f) })
	}}
}

func tableColumns() []column[*file] {
	return []column[*file]{
		table(sectionList, "sections", "The sections.", array(sectionType), func(f *file) module.Value { return listOf(sectionColumns, f.sectionPointers()) }),
		table(directoryList, "data_directories", "The data directories, indexed by IMAGE_DIRECTORY_ENTRY_*.", array(directoryType), dataDirectories),
		table(importList, "import_details", "The imported libraries.", array(libraryType), func(f *file) module.Value { return libraryList(f.importedLibraries()) }),
		table(delayedList, "delayed_import_details", "The libraries that are loaded at the first call.", array(libraryType), func(f *file) module.Value { return libraryList(f.delayedLibraries()) }),
		table(exportList, "export_details", "The exported functions.", array(exportType), func(f *file) module.Value { return listOf(exportColumns, f.exportTable().functions) }),
		optionalWords("dll_name", "The name that the export table gives the file.", func(f *file) maybe[string] { return f.exportTable().name }),
		optionalNumber("export_timestamp", "When the export table was made, in seconds since 1970.", func(f *file) maybe[uint32] { return f.exportTable().timestamp }),
		table(resourceList, "resources", "The resources.", array(resourceType), func(f *file) module.Value { return listOf(resourceColumns, f.resourceTable().resources) }),
		optionalNumber("resource_timestamp", "When the resources were made, in seconds since 1970.", func(f *file) maybe[uint32] { return f.resourceTable().timestamp }),
		{name: "resource_version", doc: "The version of the resources.", typ: versionType, get: resourceVersion},
		table(versionMap, "version_info", "The strings of version information, such as CompanyName.", &module.Type{Kind: module.Map, Key: module.String, Elem: text()}, versionDict),
		table(versionList, "version_info_list", "The strings of version information in the order of the file, with those of one key.", array(pairType), func(f *file) module.Value { return listOf(pairColumns, f.versionStrings()) }),
		table(richStruct, "rich_signature", "What Microsoft's linker leaves about the tools that made the file.", richType, richSignature),
		{name: "is_signed", doc: "Whether a signature is verified.", typ: boolean(), get: isSigned},
		table(signatureList, "signatures", "The Authenticode signatures.", array(signatureType), func(f *file) module.Value { return listOf(signatureColumns, f.allSignatures()) }),
		{name: "overlay", doc: "What follows the last section in the file.", typ: overlayType, get: overlay},
	}
}

var directoryColumns = []column[binfmt.DataDirectory]{
	number("virtual_address", "Where it is, relative to the image base; an offset in the file for the security directory.", func(d binfmt.DataDirectory) uint32 { return d.Address }),
	number("size", "In bytes.", func(d binfmt.DataDirectory) uint32 { return d.Size }),
}

var directoryType = typeOf("DirEntry", directoryColumns)

// The data directories that the module reads.
const (
	directoryExport      = 0
	directoryImport      = 1
	directoryResource    = 2
	directorySecurity    = 4
	directoryDebug       = 6
	directoryDelayImport = 13

	directories = 16
)

// dataDirectories are those that the header counts, all or none; libyara has
// as many as there are.
func dataDirectories(f *file) module.Value {
	n := int(min(f.Optional.NumberOfRVAAndSizes, directories))
	var list []binfmt.DataDirectory
	for i := range n {
		d, ok := f.Entry(i)
		if !ok && !f.libyara {
			return listOf(directoryColumns, []binfmt.DataDirectory(nil))
		}
		if !ok {
			break
		}
		list = append(list, d)
	}
	return listOf(directoryColumns, list)
}
