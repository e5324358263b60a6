package pe

import (
	"slices"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// rootColumns are the module's fields: those of the headers, those of the
// tables, the functions and the constants.
func rootColumns() []column.Column[*file] {
	return slices.Concat(headerColumns(), versionColumns(), sizeColumns(), countColumns(), tableColumns(),
		functionColumns(), constantColumns())
}

func headerColumns() []column.Column[*file] {
	return []column.Column[*file]{
		column.Bool("is_pe", "Whether the target is a PE file.", func(*file) bool { return true }),
		column.Int("machine", "The processor, one of MACHINE_*.", func(f *file) uint16 { return f.Machine }),
		column.Int("subsystem", "What runs the program, one of SUBSYSTEM_*.", func(f *file) uint16 { return f.Optional.Subsystem }),
		column.Int("opthdr_magic", "Which optional header it is, one of IMAGE_*_HDR*_MAGIC.", func(f *file) uint16 { return f.Optional.Magic }),
		column.Int("characteristics", "Flags of the file, such as DLL.", func(f *file) uint16 { return f.Characteristics }),
		column.Int("dll_characteristics", "Flags for the loader, such as DYNAMIC_BASE.", func(f *file) uint16 { return f.Optional.DLLCharacteristics }),
		column.Int("timestamp", "When the file was linked, in seconds since 1970; or a hash, in reproducible builds.", func(f *file) uint32 { return f.Timestamp }),
		column.Int("image_base", "The preferred address in memory.", func(f *file) uint64 { return f.Optional.ImageBase }),
		column.Int("checksum", "The checksum that the header gives; compare calculate_checksum.", func(f *file) uint32 { return f.Optional.CheckSum }),
		column.Int("base_of_code", "The address of the code, relative to the image base.", func(f *file) uint32 { return f.Optional.BaseOfCode }),
		column.OptInt("base_of_data", "The address of the data, relative to the image base; undefined in 64-bit files.", baseOfData),
		column.OptInt("entry_point", "The offset in the file where the program starts; undefined where its address has no bytes in the file.", entryPoint),
		column.Int("entry_point_raw", "The address where the program starts, relative to the image base.", func(f *file) uint32 { return f.Optional.AddressOfEntryPoint }),
		column.Int("section_alignment", "The alignment of sections in memory, in bytes.", func(f *file) uint32 { return f.Optional.SectionAlignment }),
		column.Int("file_alignment", "The alignment of sections in the file, in bytes.", func(f *file) uint32 { return f.Optional.FileAlignment }),
		column.Int("loader_flags", "Flags of old loaders.", func(f *file) uint32 { return f.Optional.LoaderFlags }),
		column.Int("pointer_to_symbol_table", "The offset of the COFF symbols.", func(f *file) uint32 { return f.PointerToSymbolTable }),
		column.Int("win32_version_value", "Reserved; zero in sound files.", func(f *file) uint32 { return f.Optional.Win32VersionValue }),
		column.Int("number_of_symbols", "The number of COFF symbols.", func(f *file) uint32 { return f.NumberOfSymbols }),
		column.Int("number_of_rva_and_sizes", "The number of data directories that the header counts.", func(f *file) uint32 { return f.Optional.NumberOfRVAAndSizes }),
		{Name: "pdb_path", Doc: "Where the linker put the debug symbols.", Type: column.Scalar(module.String), Get: func(f *file) module.Value { return f.pdbPath.get(f.findPDBPath) }},
	}
}

// baseOfData is undefined where the optional header is cut short, as zero
// would be a lie.
func baseOfData(f *file) (uint32, bool) {
	return f.Optional.BaseOfData, f.Optional.Present && !f.Is64()
}

func entryPoint(f *file) (int64, bool) {
	off, ok := f.offset(f.Optional.AddressOfEntryPoint)
	if !ok && f.libyara {
		return -1, true
	}
	return int64(off), ok
}

// version is a pair of numbers of the headers.
type version struct{ major, minor uint16 }

var versionPair = []column.Column[version]{
	column.Int("major", "The number before the point.", func(v version) uint16 { return v.major }),
	column.Int("minor", "The number after the point.", func(v version) uint16 { return v.minor }),
}

var versionType = column.Type("Version", versionPair)

func versionColumn(name, doc string, get func(*file) version) column.Column[*file] {
	return column.Column[*file]{Name: name, Doc: doc, Type: versionType,
		Get: func(f *file) module.Value { return column.Struct(versionPair, get(f)) }}
}

func versionColumns() []column.Column[*file] {
	return []column.Column[*file]{
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

func sizeColumns() []column.Column[*file] {
	return []column.Column[*file]{
		column.Int("size_of_optional_header", "In bytes, as the file header says.", func(f *file) uint16 { return f.SizeOfOptionalHeader }),
		column.Int("size_of_code", "Of all sections with code, in bytes.", func(f *file) uint32 { return f.Optional.SizeOfCode }),
		column.Int("size_of_initialized_data", "Of all sections with initialized data, in bytes.", func(f *file) uint32 { return f.Optional.SizeOfInitializedData }),
		column.Int("size_of_uninitialized_data", "Of all sections with uninitialized data, in bytes.", func(f *file) uint32 { return f.Optional.SizeOfUninitializedData }),
		column.Int("size_of_image", "Of the file in memory, in bytes.", func(f *file) uint32 { return f.Optional.SizeOfImage }),
		column.Int("size_of_headers", "Of all headers, in bytes.", func(f *file) uint32 { return f.Optional.SizeOfHeaders }),
		column.Int("size_of_stack_reserve", "The stack's address space, in bytes.", func(f *file) uint64 { return f.Optional.SizeOfStackReserve }),
		column.Int("size_of_stack_commit", "The stack's memory at the start, in bytes.", func(f *file) uint64 { return f.Optional.SizeOfStackCommit }),
		column.Int("size_of_heap_reserve", "The heap's address space, in bytes.", func(f *file) uint64 { return f.Optional.SizeOfHeapReserve }),
		column.Int("size_of_heap_commit", "The heap's memory at the start, in bytes.", func(f *file) uint64 { return f.Optional.SizeOfHeapCommit }),
	}
}

func countColumns() []column.Column[*file] {
	return []column.Column[*file]{
		deprecated(column.Int("number_of_sections", "The number of sections.", numberOfSections), "use `pe.sections.len()` instead"),
		column.Int("number_of_imported_functions", "The number of imported functions of all libraries.", func(f *file) int { return functionCount(f.importedLibraries()) }),
		column.Int("number_of_delayed_imported_functions", "The number of delayed imported functions of all libraries.", func(f *file) int { return functionCount(f.delayedLibraries()) }),
		deprecated(column.Int("number_of_resources", "The number of resources.", func(f *file) int { return len(f.resourceTable().resources) }), "use `pe.resources.len()` instead"),
		column.Int("number_of_version_infos", "The number of strings of version information.", func(f *file) int { return len(f.versionStrings()) }),
		column.Int("number_of_imports", "The number of imported libraries.", func(f *file) int { return len(f.importedLibraries()) }),
		column.Int("number_of_delayed_imports", "The number of delayed imported libraries.", func(f *file) int { return len(f.delayedLibraries()) }),
		column.Int("number_of_exports", "The number of exported functions.", func(f *file) int { return len(f.exportTable().functions) }),
		deprecated(column.Int("number_of_signatures", "The number of signatures, nested ones too.", func(f *file) int { return len(f.allSignatures()) }), "use `pe.signatures.len()` instead"),
	}
}

func deprecated[T any](c column.Column[T], instead string) column.Column[T] {
	c.Deprecated = instead
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
func table(which int, name, doc string, typ *module.Type, get func(*file) module.Value) column.Column[*file] {
	return column.Column[*file]{Name: name, Doc: doc, Type: typ, Get: func(f *file) module.Value {
		return f.values[which].get(func() module.Value { return get(f) })
	}}
}

func tableColumns() []column.Column[*file] {
	return []column.Column[*file]{
		table(sectionList, "sections", "The sections.", column.ArrayOf(sectionType), func(f *file) module.Value { return column.List(sectionColumns, f.sectionPointers()) }),
		table(directoryList, "data_directories", "The data directories, indexed by IMAGE_DIRECTORY_ENTRY_*.", column.ArrayOf(directoryType), dataDirectories),
		table(importList, "import_details", "The imported libraries.", column.ArrayOf(libraryType), func(f *file) module.Value { return libraryList(f.importedLibraries()) }),
		table(delayedList, "delayed_import_details", "The libraries that are loaded at the first call.", column.ArrayOf(libraryType), func(f *file) module.Value { return libraryList(f.delayedLibraries()) }),
		table(exportList, "export_details", "The exported functions.", column.ArrayOf(exportType), func(f *file) module.Value { return column.List(exportColumns, f.exportTable().functions) }),
		column.OptText("dll_name", "The name that the export table gives the file.", func(f *file) (string, bool) { return f.exportTable().name.get() }),
		column.OptInt("export_timestamp", "When the export table was made, in seconds since 1970.", func(f *file) (uint32, bool) { return f.exportTable().timestamp.get() }),
		table(resourceList, "resources", "The resources.", column.ArrayOf(resourceType), func(f *file) module.Value { return column.List(resourceColumns, f.resourceTable().resources) }),
		column.OptInt("resource_timestamp", "When the resources were made, in seconds since 1970.", func(f *file) (uint32, bool) { return f.resourceTable().timestamp.get() }),
		{Name: "resource_version", Doc: "The version of the resources.", Type: versionType, Get: resourceVersion},
		table(versionMap, "version_info", "The strings of version information, such as CompanyName.", &module.Type{Kind: module.Map, Key: module.String, Elem: column.Scalar(module.String)}, versionDict),
		table(versionList, "version_info_list", "The strings of version information in the order of the file, with those of one key.", column.ArrayOf(pairType), func(f *file) module.Value { return column.List(pairColumns, f.versionStrings()) }),
		table(richStruct, "rich_signature", "What Microsoft's linker leaves about the tools that made the file.", richType, richSignature),
		{Name: "is_signed", Doc: "Whether a signature is verified.", Type: column.Scalar(module.Bool), Get: isSigned},
		table(signatureList, "signatures", "The Authenticode signatures.", column.ArrayOf(signatureType), func(f *file) module.Value { return column.List(signatureColumns, f.allSignatures()) }),
		{Name: "overlay", Doc: "What follows the last section in the file.", Type: overlayType, Get: overlay},
	}
}

var directoryColumns = []column.Column[binfmt.DataDirectory]{
	column.Int("virtual_address", "Where it is, relative to the image base; an offset in the file for the security directory.", func(d binfmt.DataDirectory) uint32 { return d.Address }),
	column.Int("size", "In bytes.", func(d binfmt.DataDirectory) uint32 { return d.Size }),
}

var directoryType = column.Type("DirEntry", directoryColumns)

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
			return column.List(directoryColumns, []binfmt.DataDirectory(nil))
		}
		if !ok {
			break
		}
		list = append(list, d)
	}
	return column.List(directoryColumns, list)
}
