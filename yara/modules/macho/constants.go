package macho

import (
	"slices"

	"github.com/besra-hunt/besra/yara/module/column"
)

func constantColumns() []column.Column[*target] {
	return slices.Concat(
		column.Constants[*target]("A magic number.", magics),
		column.Constants[*target]("A bit of a processor.", processorBits),
		column.Constants[*target]("A value of cputype.", processors),
		column.Constants[*target]("A value of cpusubtype.", models),
		column.Constants[*target]("A value of filetype.", fileTypes),
		column.Constants[*target]("A flag of a file.", fileFlags),
		column.Constants[*target]("A flag of a segment.", segmentFlags),
		column.Constants[*target]("A mask for the flags of a section.", sectionMasks),
		column.Constants[*target]("A section's type, in its flags.", sectionTypes),
		column.Constants[*target]("An attribute of a section, in its flags.", sectionAttributes),
		column.Constants[*target]("A value of min_version.device.", devices),
	)
}

var magics = map[string]int64{
	"MH_MAGIC": 0xfeedface, "MH_CIGAM": 0xcefaedfe, "MH_MAGIC_64": 0xfeedfacf, "MH_CIGAM_64": 0xcffaedfe,
	"FAT_MAGIC": 0xcafebabe, "FAT_CIGAM": 0xbebafeca, "FAT_MAGIC_64": 0xcafebabf, "FAT_CIGAM_64": 0xbfbafeca,
}

var processorBits = map[string]int64{
	"CPU_ARCH_ABI64": 0x1000000, "CPU_SUBTYPE_LIB64": 0x80000000,
}

var processors = map[string]int64{
	"CPU_TYPE_MC680X0": 0x6, "CPU_TYPE_X86": 0x7, "CPU_TYPE_X86_64": 0x1000007, "CPU_TYPE_MIPS": 0x8,
	"CPU_TYPE_MC98000": 0xa, "CPU_TYPE_ARM": 0xc, "CPU_TYPE_ARM64": 0x100000c, "CPU_TYPE_MC88000": 0xd,
	"CPU_TYPE_SPARC": 0xe, "CPU_TYPE_POWERPC": 0x12, "CPU_TYPE_POWERPC64": 0x1000012, "CPU_TYPE_I386": 0x7,
}

var models = map[string]int64{
	"CPU_SUBTYPE_INTEL_MODEL_ALL": 0x0, "CPU_SUBTYPE_386": 0x3, "CPU_SUBTYPE_486": 0x4, "CPU_SUBTYPE_486SX": 0x84,
	"CPU_SUBTYPE_586": 0x5, "CPU_SUBTYPE_CELERON": 0x67, "CPU_SUBTYPE_CELERON_MOBILE": 0x77, "CPU_SUBTYPE_ITANIUM": 0xb,
	"CPU_SUBTYPE_ITANIUM_2": 0x1b, "CPU_SUBTYPE_XEON": 0xc, "CPU_SUBTYPE_XEON_MP": 0x1c, "CPU_SUBTYPE_I386_ALL": 0x3,
	"CPU_SUBTYPE_X86_64_ALL": 0x3, "CPU_SUBTYPE_PENT": 0x5, "CPU_SUBTYPE_PENTPRO": 0x16, "CPU_SUBTYPE_PENTII_M3": 0x36,
	"CPU_SUBTYPE_PENTII_M5": 0x56, "CPU_SUBTYPE_PENTIUM_3": 0x8, "CPU_SUBTYPE_PENTIUM_3_M": 0x18,
	"CPU_SUBTYPE_PENTIUM_3_XEON": 0x28, "CPU_SUBTYPE_PENTIUM_M": 0x9, "CPU_SUBTYPE_PENTIUM_4": 0xa,
	"CPU_SUBTYPE_PENTIUM_4_M": 0x1a, "CPU_SUBTYPE_ARM_ALL": 0x0, "CPU_SUBTYPE_ARM_V4T": 0x5, "CPU_SUBTYPE_ARM_V6": 0x6,
	"CPU_SUBTYPE_ARM_V5": 0x7, "CPU_SUBTYPE_ARM_XSCALE": 0x8, "CPU_SUBTYPE_ARM_V7": 0x9, "CPU_SUBTYPE_ARM_V7F": 0xa,
	"CPU_SUBTYPE_ARM_V7S": 0xb, "CPU_SUBTYPE_ARM_V7K": 0xc, "CPU_SUBTYPE_ARM_V6M": 0xe, "CPU_SUBTYPE_ARM_V7M": 0xf,
	"CPU_SUBTYPE_ARM_V7EM": 0x10, "CPU_SUBTYPE_ARM_V5TEJ": 0x7, "CPU_SUBTYPE_ARM64_ALL": 0x0,
	"CPU_SUBTYPE_SPARC_ALL": 0x0, "CPU_SUBTYPE_POWERPC_ALL": 0x0, "CPU_SUBTYPE_POWERPC_601": 0x1,
	"CPU_SUBTYPE_POWERPC_602": 0x2, "CPU_SUBTYPE_POWERPC_603": 0x3, "CPU_SUBTYPE_POWERPC_603e": 0x4,
	"CPU_SUBTYPE_POWERPC_603ev": 0x5, "CPU_SUBTYPE_POWERPC_604": 0x6, "CPU_SUBTYPE_POWERPC_604e": 0x7,
	"CPU_SUBTYPE_POWERPC_620": 0x8, "CPU_SUBTYPE_POWERPC_750": 0x9, "CPU_SUBTYPE_POWERPC_7400": 0xa,
	"CPU_SUBTYPE_POWERPC_7450": 0xb, "CPU_SUBTYPE_POWERPC_970": 0x64, "CPU_SUBTYPE_MC980000_ALL": 0x0,
	"CPU_SUBTYPE_MC98601": 0x1,
}

var fileTypes = map[string]int64{
	"MH_OBJECT": 0x1, "MH_EXECUTE": 0x2, "MH_FVMLIB": 0x3, "MH_CORE": 0x4, "MH_PRELOAD": 0x5, "MH_DYLIB": 0x6,
	"MH_DYLINKER": 0x7, "MH_BUNDLE": 0x8, "MH_DYLIB_STUB": 0x9, "MH_DSYM": 0xa, "MH_KEXT_BUNDLE": 0xb,
}

var fileFlags = map[string]int64{
	"MH_NOUNDEFS": 0x1, "MH_INCRLINK": 0x2, "MH_DYLDLINK": 0x4, "MH_BINDATLOAD": 0x8, "MH_PREBOUND": 0x10,
	"MH_SPLIT_SEGS": 0x20, "MH_LAZY_INIT": 0x40, "MH_TWOLEVEL": 0x80, "MH_FORCE_FLAT": 0x100, "MH_NOMULTIDEFS": 0x200,
	"MH_NOFIXPREBINDING": 0x400, "MH_PREBINDABLE": 0x800, "MH_ALLMODSBOUND": 0x1000,
	"MH_SUBSECTIONS_VIA_SYMBOLS": 0x2000, "MH_CANONICAL": 0x4000, "MH_WEAK_DEFINES": 0x8000, "MH_BINDS_TO_WEAK": 0x10000,
	"MH_ALLOW_STACK_EXECUTION": 0x20000, "MH_ROOT_SAFE": 0x40000, "MH_SETUID_SAFE": 0x80000,
	"MH_NO_REEXPORTED_DYLIBS": 0x100000, "MH_PIE": 0x200000, "MH_DEAD_STRIPPABLE_DYLIB": 0x400000,
	"MH_HAS_TLV_DESCRIPTORS": 0x800000, "MH_NO_HEAP_EXECUTION": 0x1000000, "MH_APP_EXTENSION_SAFE": 0x2000000,
}

var segmentFlags = map[string]int64{
	"SG_HIGHVM": 0x1, "SG_FVMLIB": 0x2, "SG_NORELOC": 0x4, "SG_PROTECTED_VERSION_1": 0x8,
}

var sectionMasks = map[string]int64{
	"SECTION_TYPE": 0xff, "SECTION_ATTRIBUTES": 0xffffff00,
}

var sectionTypes = map[string]int64{
	"S_REGULAR": 0x0, "S_ZEROFILL": 0x1, "S_CSTRING_LITERALS": 0x2, "S_4BYTE_LITERALS": 0x3, "S_8BYTE_LITERALS": 0x4,
	"S_LITERAL_POINTERS": 0x5, "S_NON_LAZY_SYMBOL_POINTERS": 0x6, "S_LAZY_SYMBOL_POINTERS": 0x7, "S_SYMBOL_STUBS": 0x8,
	"S_MOD_INIT_FUNC_POINTERS": 0x9, "S_MOD_TERM_FUNC_POINTERS": 0xa, "S_COALESCED": 0xb, "S_GB_ZEROFILL": 0xc,
	"S_INTERPOSING": 0xd, "S_16BYTE_LITERALS": 0xe, "S_DTRACE_DOF": 0xf, "S_LAZY_DYLIB_SYMBOL_POINTERS": 0x10,
	"S_THREAD_LOCAL_REGULAR": 0x11, "S_THREAD_LOCAL_ZEROFILL": 0x12, "S_THREAD_LOCAL_VARIABLES": 0x13,
	"S_THREAD_LOCAL_VARIABLE_POINTERS": 0x14, "S_THREAD_LOCAL_INIT_FUNCTION_POINTERS": 0x15,
}

var sectionAttributes = map[string]int64{
	"S_ATTR_PURE_INSTRUCTIONS": 0x80000000, "S_ATTR_NO_TOC": 0x40000000, "S_ATTR_STRIP_STATIC_SYMS": 0x20000000,
	"S_ATTR_NO_DEAD_STRIP": 0x10000000, "S_ATTR_LIVE_SUPPORT": 0x8000000, "S_ATTR_SELF_MODIFYING_CODE": 0x4000000,
	"S_ATTR_DEBUG": 0x2000000, "S_ATTR_SOME_INSTRUCTIONS": 0x400, "S_ATTR_EXT_RELOC": 0x200, "S_ATTR_LOC_RELOC": 0x100,
}

var devices = map[string]int64{
	"MACOSX": 0x24, "IPHONEOS": 0x25, "TVOS": 0x2f, "WATCHOS": 0x30,
}
