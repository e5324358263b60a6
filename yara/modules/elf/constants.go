package elf

import (
	"slices"

	"github.com/besra-hunt/besra/yara/module/column"
)

func constantColumns() []column.Column[*file] {
	return slices.Concat(
		column.Constants[*file]("A value of type.", fileTypes),
		column.Constants[*file]("A value of machine.", machines),
		column.Constants[*file]("A value of osabi.", systems),
		column.Constants[*file]("A section's type.", sectionTypes),
		column.Constants[*file]("A flag of a section.", sectionFlags),
		column.Constants[*file]("A segment's type.", segmentTypes),
		column.Constants[*file]("A flag of a segment.", segmentFlags),
		column.Constants[*file]("A symbol's type.", symbolTypes),
		column.Constants[*file]("A symbol's binding.", symbolBindings),
		column.Constants[*file]("A symbol's visibility.", symbolVisibilities),
		column.Constants[*file]("The type of a dynamic entry.", dynamicTypes),
	)
}

var fileTypes = map[string]int64{
	"ET_NONE": 0x0000, "ET_REL": 0x0001, "ET_EXEC": 0x0002, "ET_DYN": 0x0003, "ET_CORE": 0x0004,
	"ET_LOPROC": 0xFF00, "ET_HIPROC": 0x00FF,
}

var machines = map[string]int64{
	"EM_NONE": 0, "EM_M32": 1, "EM_SPARC": 2, "EM_386": 3, "EM_68K": 4, "EM_88K": 5, "EM_IAMCU": 6,
	"EM_860": 7, "EM_MIPS": 8, "EM_S370": 9, "EM_MIPS_RS3_LE": 10, "EM_PPC": 20, "EM_PPC64": 21,
	"EM_PARISC": 15, "EM_SPARC32PLUS": 18, "EM_S390": 22, "EM_MCORE": 39, "EM_RCE": 39,
	"EM_ARM": 40, "EM_SH": 42, "EM_SPARCV9": 43, "EM_X86_64": 62, "EM_ARC_COMPACT": 93, "EM_AARCH64": 183,
	"EM_BPF": 247, "EM_LOONGARCH": 258,
}

var systems = map[string]int64{
	"OSABI_NONE": 0, "OSABI_HPUX": 1, "OSABI_NETBSD": 2, "OSABI_LINUX": 3, "OSABI_GNU_HURD": 4,
	"OSABI_SOLARIS": 6, "OSABI_AIX": 7, "OSABI_IRIX": 8, "OSABI_FREE_BSD": 9, "OSABI_TRU64": 10,
	"OSABI_MODESTO": 11, "OSABI_OPENBSD": 12, "OSABI_OPENVMS": 13, "OSABI_NSK": 14, "OSABI_AROS": 15,
	"OSABI_FENIXOS": 16, "OSABI_CLOUDABI": 17, "OSABI_OPENVOS": 18, "OSABI_ARM_AEABI": 64, "OSABI_ARM": 97,
	"OSABI_STANDALONE": 255,
}

var sectionTypes = map[string]int64{
	"SHT_NULL": 0, "SHT_PROGBITS": 1, "SHT_SYMTAB": 2, "SHT_STRTAB": 3, "SHT_RELA": 4, "SHT_HASH": 5,
	"SHT_DYNAMIC": 6, "SHT_NOTE": 7, "SHT_NOBITS": 8, "SHT_REL": 9, "SHT_SHLIB": 10, "SHT_DYNSYM": 11,
	"SHT_INIT_ARRAY": 14, "SHT_FINI_ARRAY": 15,
}

var sectionFlags = map[string]int64{
	"SHF_WRITE": 1, "SHF_ALLOC": 2, "SHF_EXECINSTR": 4,
}

var segmentTypes = map[string]int64{
	"PT_NULL": 0, "PT_LOAD": 1, "PT_DYNAMIC": 2, "PT_INTERP": 3, "PT_NOTE": 4, "PT_SHLIB": 5, "PT_PHDR": 6,
	"PT_TLS": 7, "PT_GNU_EH_FRAME": 0x6474e550, "PT_GNU_STACK": 0x6474e551, "PT_GNU_RELRO": 0x6474e552,
	"PT_GNU_PROPERTY": 0x6474e553,
}

var segmentFlags = map[string]int64{
	"PF_X": 0x1, "PF_W": 0x2, "PF_R": 0x4,
}

var symbolTypes = map[string]int64{
	"STT_NOTYPE": 0, "STT_OBJECT": 1, "STT_FUNC": 2, "STT_SECTION": 3, "STT_FILE": 4, "STT_COMMON": 5,
	"STT_TLS": 6,
}

var symbolBindings = map[string]int64{
	"STB_LOCAL": 0, "STB_GLOBAL": 1, "STB_WEAK": 2,
}

var symbolVisibilities = map[string]int64{
	"STV_DEFAULT": 0, "STV_INTERNAL": 1, "STV_HIDDEN": 2, "STV_PROTECTED": 3,
}

var dynamicTypes = map[string]int64{
	"DT_NULL": 0, "DT_NEEDED": 1, "DT_PLTRELSZ": 2, "DT_PLTGOT": 3, "DT_HASH": 4, "DT_STRTAB": 5,
	"DT_SYMTAB": 6, "DT_RELA": 7, "DT_RELASZ": 8, "DT_RELAENT": 9, "DT_STRSZ": 10, "DT_SYMENT": 11,
	"DT_INIT": 12, "DT_FINI": 13, "DT_SONAME": 14, "DT_RPATH": 15, "DT_SYMBOLIC": 16, "DT_REL": 17,
	"DT_RELSZ": 18, "DT_RELENT": 19, "DT_PLTREL": 20, "DT_DEBUG": 21, "DT_TEXTREL": 22, "DT_JMPREL": 23,
	"DT_BIND_NOW": 24, "DT_INIT_ARRAY": 25, "DT_FINI_ARRAY": 26, "DT_INIT_ARRAYSZ": 27, "DT_FINI_ARRAYSZ": 28,
	"DT_RUNPATH": 29, "DT_FLAGS": 30, "DT_ENCODING": 32, "DT_LOOS": 0x6000000d, "DT_HIOS": 0x6ffff000,
	"DT_VALRNGLO": 0x6ffffd00, "DT_VALRNGHI": 0x6ffffdff, "DT_ADDRRNGLO": 0x6ffffe00, "DT_ADDRRNGHI": 0x6ffffeff,
	"DT_VERSYM": 0x6ffffff0, "DT_RELACOUNT": 0x6ffffff9, "DT_RELCOUNT": 0x6ffffffa, "DT_FLAGS_1": 0x6ffffffb,
	"DT_VERDEF": 0x6ffffffc, "DT_VERDEFNUM": 0x6ffffffd, "DT_VERNEED": 0x6ffffffe, "DT_VERNEEDNUM": 0x6fffffff,
	"DT_LOPROC": 0x70000000, "DT_HIPROC": 0x7fffffff,
}
