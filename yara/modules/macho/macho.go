// Package macho is the YARA module "macho": the header, load commands,
// symbols, exports, imports, entitlements and certificates of Mach-O files,
// hashes over them, and the files in universal ("fat") ones.
//
// The root struct describes the file, or where the target is universal, what
// it holds: `fat_arch` and `file`. A universal file with one readable file
// counts as that file, as in YARA-X; libyara's dialect keeps it universal.
// Elsewhere every field is undefined and every list is empty. Load commands
// are read when a condition first asks for the module; what they point to,
// when it asks for that. The format is described by Apple's headers
// mach-o/loader.h, mach-o/fat.h, mach-o/nlist.h and kern/cs_blobs.h.
//
// What hostile files may cost is bounded: at most [maxFiles] files of a
// universal one; load commands, sections and symbols by the file's size; names
// of symbols, exports and imports together at most [nameBudget] times the
// file's size for each of the three tables; at most [maxBlobs] parts of a
// signature are looked at, entitlements of at most [maxEntitlements] bytes.
package macho

import (
	"slices"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Limits of what is read.
const (
	maxFiles        = 64
	maxArchs        = 1 << 16
	nameBudget      = 8
	maxBlobs        = 64
	maxEntitlements = 1 << 20
)

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	columns := slices.Concat(rootColumns(), fatColumns(), functionColumns(), constantColumns())
	schema := column.Type("macho", columns)
	blank := column.Blank(schema, nil)
	return &module.Module{
		Name:   "macho",
		Doc:    "Load commands, symbols and signatures of Mach-O files.",
		Schema: schema,
		Load: func(in *module.Input) module.Value {
			if t := scanned(in); t != nil {
				return column.Struct(columns, t)
			}
			return blank
		},
	}
}

type targetKey struct{}

// scanned returns the target of the scan as Mach-O, nil where it is none, and
// reads it once a scan.
func scanned(in *module.Input) *target {
	if !magical(in.Data) {
		return nil
	}
	return in.Memo(targetKey{}, func() any { return parse(in.Data, in.LibYARA) }).(*target)
}

// rootColumns are those of a file, for a target that is one file.
func rootColumns() []column.Column[*target] {
	var columns []column.Column[*target]
	for _, c := range imageColumns("macho.") {
		none := column.None(c.Type)
		columns = append(columns, column.Column[*target]{
			Name: c.Name, Doc: c.Doc, Type: c.Type, Deprecated: c.Deprecated,
			Get: func(t *target) module.Value {
				if t.single == nil {
					return none
				}
				return c.Get(t.single)
			},
		})
	}
	return columns
}

func fatColumns() []column.Column[*target] {
	return []column.Column[*target]{
		column.OptInt("fat_magic", "The magic number of a universal file.", func(t *target) (uint32, bool) { return t.fatMagic, t.single == nil }),
		column.OptInt("nfat_arch", "The number of files in a universal file.", func(t *target) (int, bool) { return len(t.archs), t.single == nil }),
		column.Rows("fat_arch", "Where a universal file has which file.", "FatArch", archColumns, (*target).universal),
		column.Rows("file", "The files in a universal file.", "File", imageColumns(""), (*target).files),
	}
}

var archColumns = []column.Column[arch]{
	column.Int("cputype", "The processor, one of CPU_TYPE_*.", func(a arch) uint32 { return a.cpu }),
	column.Int("cpusubtype", "The processor's model, one of CPU_SUBTYPE_*.", func(a arch) uint32 { return a.cpuSub }),
	column.Int("offset", "Where the file begins.", func(a arch) uint64 { return a.offset }),
	column.Int("size", "In bytes.", func(a arch) uint64 { return a.size }),
	column.Int("align", "The alignment, as a power of two.", func(a arch) uint32 { return a.align }),
	column.Int("reserved", "Only in 64-bit universal files.", func(a arch) uint32 { return a.reserved }),
}

// imageColumns are those of one file. The path is what leads to them.
func imageColumns(path string) []column.Column[*image] {
	segments := column.Int("number_of_segments", "The number of segments.", func(m *image) int { return len(m.segments) })
	segments.Deprecated = "use `" + path + "segments.len()` instead"
	return []column.Column[*image]{
		column.Int("magic", "The magic number, read as big-endian.", func(m *image) uint32 { return m.magic }),
		column.Int("cputype", "The processor, one of CPU_TYPE_*.", func(m *image) uint32 { return m.cpu }),
		column.Int("cpusubtype", "The processor's model, one of CPU_SUBTYPE_*.", func(m *image) uint32 { return m.cpuSub }),
		column.Int("filetype", "What the file is for, one of MH_OBJECT, MH_EXECUTE and so on.", func(m *image) uint32 { return m.fileType }),
		column.Int("ncmds", "The number of load commands that the header counts.", func(m *image) uint32 { return m.commands }),
		column.Int("sizeofcmds", "The size of the load commands, in bytes, as the header says.", func(m *image) uint32 { return m.commandSize }),
		column.Int("flags", "MH_NOUNDEFS and other flags together.", func(m *image) uint32 { return m.flags }),
		column.OptInt("reserved", "Only in 64-bit files.", func(m *image) (uint32, bool) { return m.reserved, m.wide }),
		segments,
		column.OptText("dynamic_linker", "The path of the dynamic linker.", func(m *image) (string, bool) { return m.linker.text() }),
		column.OptInt("entry_point", "The offset in the file where the program starts.", func(m *image) (uint64, bool) { return m.entry.get() }),
		column.OptInt("stack_size", "The stack's size, in bytes.", func(m *image) (uint64, bool) { return m.stack.get() }),
		column.OptText("source_version", "The version of the source, as A.B.C.D.E.", func(m *image) (string, bool) { return m.source.get() }),
		column.Rows("segments", "The segments.", "Segment", segmentColumns, func(m *image) []segment { return m.segments }),
		column.Rows("dylibs", "The libraries that the file needs, and its own name.", "Dylib", dylibColumns, func(m *image) []dylib { return m.dylibs }),
		column.Texts("rpaths", "Where libraries are looked for.", func(m *image) []string { return m.rpaths }),
		column.Texts("entitlements", "The entitlements that the signature claims.", func(m *image) []string { return m.signature().entitlements }),
		column.Sub("symtab", "The symbol table.", "Symtab", symtabColumns, func(m *image) (*image, bool) { return m, m.symtab != nil }),
		column.Sub("dysymtab", "Which symbols are for what.", "Dysymtab", dysymtabColumns(), func(m *image) (words, bool) { return m.dysymtab, m.dysymtab != nil }),
		column.Sub("dyld_info", "Where the dynamic linker finds what it needs.", "DyldInfo", dyldColumns(), func(m *image) (words, bool) { return m.dyld, m.dyld != nil }),
		column.Sub("code_signature_data", "Where the signature is.", "LinkedItData", wordColumns("dataoff", "datasize"), func(m *image) (words, bool) { return m.codeSignature, m.codeSignature != nil }),
		column.Rows("certificates", "The certificates in the signature.", "Certificate", certificateColumns, func(m *image) []certificate { return m.signature().certificates }),
		column.OptText("uuid", "The build's identity, in upper-case hex.", func(m *image) (string, bool) { return m.uuid.get() }),
		column.Sub("build_version", "What the file was built for, and with.", "BuildVersion", buildColumns, func(m *image) (*build, bool) { return m.build, m.build != nil }),
		column.Sub("min_version", "The oldest system that is enough.", "MinVersion", minVersionColumns, func(m *image) (*minVersion, bool) { return m.oldest, m.oldest != nil }),
		column.Texts("exports", "The names of exported symbols.", func(m *image) []string { return m.exports() }),
		column.Texts("imports", "The names of imported symbols.", func(m *image) []string { return m.imports() }),
		column.Texts("linker_options", "Options that the compiler left for the linker.", func(m *image) []string { return m.options }),
	}
}

var segmentColumns = []column.Column[segment]{
	column.Text("segname", "Such as __TEXT.", func(s segment) string { return s.name }),
	column.Int("vmaddr", "Where the segment is in memory.", func(s segment) uint64 { return s.address }),
	column.Int("vmsize", "Bytes in memory.", func(s segment) uint64 { return s.size }),
	column.Int("fileoff", "Where the segment is in the file.", func(s segment) uint64 { return s.offset }),
	column.Int("filesize", "Bytes in the file.", func(s segment) uint64 { return s.fileSize }),
	column.Int("fsize", "libyara's name of filesize.", func(s segment) uint64 { return s.fileSize }),
	column.Int("maxprot", "The most that may be allowed of it: read 1, write 2, execute 4.", func(s segment) uint32 { return s.maxProt }),
	column.Int("initprot", "What is allowed at first: read 1, write 2, execute 4.", func(s segment) uint32 { return s.initProt }),
	column.Int("nsects", "The number of sections.", func(s segment) uint32 { return s.count }),
	column.Int("flags", "SG_* together.", func(s segment) uint32 { return s.flags }),
	column.Rows("sections", "The segment's sections.", "Section", sectionColumns, func(s segment) []section { return s.sections }),
}

var sectionColumns = []column.Column[section]{
	column.Text("segname", "Such as __TEXT.", func(s section) string { return s.segment }),
	column.Text("sectname", "Such as __text.", func(s section) string { return s.name }),
	column.Int("addr", "Where the section is in memory.", func(s section) uint64 { return s.address }),
	column.Int("size", "In bytes.", func(s section) uint64 { return s.size }),
	column.Int("offset", "Where the section is in the file.", func(s section) uint32 { return s.offset }),
	column.Int("align", "The alignment, as a power of two.", func(s section) uint32 { return s.align }),
	column.Int("reloff", "Where the relocations are in the file.", func(s section) uint32 { return s.relocations }),
	column.Int("nreloc", "The number of relocations.", func(s section) uint32 { return s.relocationCount }),
	column.Int("flags", "The type and S_ATTR_* together.", func(s section) uint32 { return s.flags }),
	column.Int("reserved1", "Depends on the type.", func(s section) uint32 { return s.reserved[0] }),
	column.Int("reserved2", "Depends on the type.", func(s section) uint32 { return s.reserved[1] }),
	column.OptInt("reserved3", "Only in 64-bit files.", func(s section) (uint32, bool) { return s.reserved[2], s.wide }),
}

var dylibColumns = []column.Column[dylib]{
	column.Text("name", "The library's path.", func(d dylib) string { return d.name }),
	column.Int("timestamp", "When the library was built, in seconds since 1970.", func(d dylib) uint32 { return d.time }),
	column.Text("compatibility_version", "The oldest version that is compatible, as A.B.C.", func(d dylib) string { return version(d.compatible) }),
	column.Text("current_version", "The version, as A.B.C.", func(d dylib) string { return version(d.current) }),
}

var symtabColumns = []column.Column[*image]{
	column.Int("symoff", "Where the symbols are.", func(m *image) uint32 { return m.symtab[0] }),
	column.Int("nsyms", "The number of symbols that the command counts.", func(m *image) uint32 { return m.symtab[1] }),
	column.Int("stroff", "Where the names are.", func(m *image) uint32 { return m.symtab[2] }),
	column.Int("strsize", "The size of all names, in bytes.", func(m *image) uint32 { return m.symtab[3] }),
	{
		Name: "entries", Doc: "The names of the symbols that have one.", Type: textsType(),
		Get: func(m *image) module.Value {
			return column.Each(m.symbols(), func(s symbol) module.Value { return module.Text(s.name) })
		},
	},
	column.Rows("nlists", "The symbols that have a name.", "Nlist", nlistColumns, func(m *image) []symbol { return m.symbols() }),
}

func textsType() *module.Type {
	return &module.Type{Kind: module.Array, Elem: &module.Type{Kind: module.String}}
}

var nlistColumns = []column.Column[symbol]{
	column.Int("n_strx", "Where the name is among the names.", func(s symbol) uint32 { return s.nameAt }),
	column.Int("n_type", "The type and flags.", func(s symbol) uint8 { return s.typ }),
	column.Int("n_sect", "The section's number.", func(s symbol) uint8 { return s.section }),
	column.Int("n_desc", "More about the symbol.", func(s symbol) uint16 { return s.desc }),
	column.Int("n_value", "An address, mostly.", func(s symbol) uint64 { return s.value }),
}

// words are numbers of 32 bits of a load command, in its order.
type words []uint32

// wordColumns name the words of a load command.
func wordColumns(names ...string) []column.Column[words] {
	var columns []column.Column[words]
	for i, name := range names {
		columns = append(columns, column.Int(name, "As in the load command.", func(w words) uint32 { return w[i] }))
	}
	return columns
}

// dysymtabColumns has two columns that YARA-X names and never sets.
func dysymtabColumns() []column.Column[words] {
	columns := wordColumns("ilocalsym", "nlocalsym", "iextdefsym", "nextdefsym", "tocoff", "ntoc", "modtaboff", "nmodtab",
		"extrefsymoff", "nextrefsyms", "indirectsymoff", "nindirectsyms", "extreloff", "nextrel", "locreloff", "nlocrel")
	none := func(words) (int, bool) { return 0, false }
	return slices.Insert(columns, 4, column.OptInt("iundefsym", "Always undefined.", none), column.OptInt("nundefsym", "Always undefined.", none))
}

func dyldColumns() []column.Column[words] {
	return wordColumns("rebase_off", "rebase_size", "bind_off", "bind_size", "weak_bind_off", "weak_bind_size",
		"lazy_bind_off", "lazy_bind_size", "export_off", "export_size")
}

var certificateColumns = []column.Column[certificate]{
	column.Text("issuer", "Who issued the certificate.", func(c certificate) string { return c.issuer }),
	column.Text("subject", "Whom the certificate is for.", func(c certificate) string { return c.subject }),
	column.Bool("is_self_signed", "Whether issuer and subject are the same.", func(c certificate) bool { return c.selfSigned }),
}

var buildColumns = []column.Column[*build]{
	column.Int("platform", "The system, as a number of Apple's.", func(b *build) uint32 { return b.platform }),
	column.Text("minos", "The oldest version of the system that is enough, as A.B.C.", func(b *build) string { return version(b.oldest) }),
	column.Text("sdk", "The version of the SDK, as A.B.C.", func(b *build) string { return version(b.sdk) }),
	column.Int("ntools", "The number of tools.", func(b *build) int { return len(b.tools) }),
	column.Rows("tools", "What the file was built with.", "BuildTool", toolColumns, func(b *build) []tool { return b.tools }),
}

var toolColumns = []column.Column[tool]{
	column.Int("tool", "The tool, as a number of Apple's.", func(t tool) uint32 { return t.id }),
	column.Text("version", "The tool's version, as A.B.", func(t tool) string { return toolVersion(t.version) }),
}

var minVersionColumns = []column.Column[*minVersion]{
	column.Int("device", "The kind of device: MACOSX, IPHONEOS, TVOS or WATCHOS.", func(v *minVersion) uint32 { return v.device }),
	column.Text("version", "The oldest version, as A.B.C.", func(v *minVersion) string { return version(v.version) }),
	column.Text("sdk", "The version of the SDK, as A.B.C.", func(v *minVersion) string { return version(v.sdk) }),
}
