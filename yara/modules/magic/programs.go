package magic

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// machines are the names of the most usual processors of ELF files.
var machines = map[uint16]string{
	0: "no machine", 2: "SPARC", 3: "Intel 80386", 4: "Motorola m68k", 7: "Intel 80860", 8: "MIPS",
	20: "PowerPC or cisco 4500", 21: "64-bit PowerPC or cisco 7500", 22: "IBM S/390", 40: "ARM", 42: "Renesas SH",
	43: "SPARC V9", 50: "IA-64", 62: "x86-64", 93: "ARC", 183: "ARM aarch64", 243: "UCB RISC-V", 247: "eBPF", 258: "LoongArch",
}

// elfTypes are the types of ELF files.
var elfTypes = map[uint16]kind{
	0: {"application/octet-stream", "no file type"},
	1: {"application/x-object", "relocatable"},
	2: {"application/x-executable", "executable"},
	3: {"application/x-sharedlib", "shared object"},
	4: {"application/x-coredump", "core file"},
}

// systems are the values of EI_OSABI.
var systems = map[byte]string{
	0: "SYSV", 1: "HP-UX", 2: "NetBSD", 3: "GNU/Linux", 6: "Solaris", 9: "FreeBSD", 12: "OpenBSD", 97: "ARM", 255: "embedded",
}

func elf(b []byte) (k kind, ok bool) {
	if len(b) < 24 || string(b[:4]) != "\x7fELF" || b[4] > 2 || b[5] > 2 {
		return k, false
	}
	r := binfmt.NewReader(b[16:], binfmt.Order(b[5] == 2))
	typ, machine, version := r.U16(), r.U16(), r.U32()
	t, known := elfTypes[typ]
	if !known {
		t = kind{"application/octet-stream", "*unknown*"}
	}
	if typ == 3 && positionIndependent(b, binfmt.Order(b[5] == 2)) {
		t = kind{"application/x-pie-executable", "pie executable"}
	}
	class := []string{"invalid class", "32-bit", "64-bit"}[b[4]]
	order := []string{"invalid byte order", "LSB", "MSB"}[b[5]]
	k = kind{t.mime, fmt.Sprintf("ELF %s %s %s", class, order, t.text)}
	if name := machines[machine]; name != "" {
		k.text += ", " + name
	}
	if version == 1 {
		k.text += ", version 1"
	}
	if name := systems[b[7]]; name != "" {
		k.text += " (" + name + ")"
	}
	return k, true
}

// positionIndependent reports whether a shared object is a program: the
// dynamic section says so.
func positionIndependent(b []byte, order binfmt.Order) bool {
	const dynamic, flags1, pie = 2, 0x6ffffffb, 0x08000000
	wide := b[4] == 2
	at, size, count := programHeaders(b, order, wide)
	for i := range uint64(count) {
		entry, ok := binfmt.Range(b, at+i*uint64(size), uint64(size))
		if !ok {
			return false
		}
		r := binfmt.NewReader(entry, order)
		if r.U32() != dynamic {
			continue
		}
		if wide {
			r.Skip(4)
		}
		table, _ := binfmt.From(b, r.Word(wide))
		t := binfmt.NewReader(table, order)
		for tag := t.Word(wide); t.OK() && tag != 0; tag = t.Word(wide) {
			if value := t.Word(wide); tag == flags1 {
				return value&pie != 0
			}
		}
	}
	return false
}

func programHeaders(b []byte, order binfmt.Order, wide bool) (at uint64, size, count uint16) {
	r := binfmt.NewReader(b[24:], order)
	r.Word(wide)
	at = r.Word(wide)
	r.Word(wide)
	r.Skip(4 + 2)
	return at, r.U16(), r.U16()
}

// processors and machoTypes are those of Mach-O files.
var processors = map[uint32]string{
	7: "i386", 0x01000007: "64-bit x86_64", 12: "arm", 0x0100000c: "64-bit arm64", 18: "ppc", 0x01000012: "64-bit ppc64",
}

var machoTypes = map[uint32]string{
	1: "object", 2: "executable", 3: "fixed virtual memory shared library", 4: "core", 5: "preload executable",
	6: "dynamically linked shared library", 7: "dynamic linker", 8: "bundle", 9: "dynamically linked shared library stub",
	10: "dSYM companion file", 11: "kext bundle",
}

func macho(b []byte) (k kind, ok bool) {
	const mime = "application/x-mach-binary"
	if len(b) < 16 {
		return k, false
	}
	order := binfmt.Little
	switch string(b[:4]) {
	case "\xca\xfe\xba\xbe":
		// Java classes begin the same; they have a version where fat files
		// have a number of processors.
		n := binfmt.NewReader(b[4:], binfmt.Big).U32()
		if n == 0 || n >= 20 {
			return k, false
		}
		return kind{mime, fmt.Sprintf("Mach-O universal binary with %d architecture%s", n, plural(n))}, true
	case "\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf":
		order = binfmt.Big
	case "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe":
	default:
		return k, false
	}
	r := binfmt.NewReader(b[4:], order)
	processor := r.U32()
	r.Skip(4)
	typ := r.U32()
	return kind{mime, "Mach-O " + processors[processor] + " " + machoTypes[typ]}, true
}

func plural(n uint32) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// peMachines and subsystems are those of PE files.
var peMachines = map[uint16]string{
	0x14c: "Intel 80386", 0x8664: "x86-64", 0x1c0: "ARM", 0x1c4: "ARMv7 Thumb", 0xaa64: "Aarch64", 0x200: "Intel Itanium",
	0x166: "MIPS R4000", 0x1f0: "PowerPC", 0x5064: "RISC-V 64-bit", 0xebc: "EFI byte code",
}

var subsystems = map[uint16]string{
	1: "native", 2: "GUI", 3: "console", 5: "OS/2", 7: "POSIX", 9: "Windows CE", 10: "EFI application",
	11: "EFI boot service driver", 12: "EFI runtime driver", 13: "EFI ROM", 14: "XBOX", 16: "Windows boot application",
}

func dos(b []byte) (k kind, ok bool) {
	if len(b) < 2 || b[0] != 'M' || b[1] != 'Z' {
		return k, false
	}
	p := binfmt.ParsePE(b)
	if p == nil {
		return kind{"application/x-dosexec", "MS-DOS executable"}, true
	}
	k = kind{"application/vnd.microsoft.portable-executable", "PE32 executable"}
	if p.Is64() {
		k.text = "PE32+ executable"
	}
	const dll = 0x2000
	if p.Characteristics&dll != 0 {
		k.text += " (DLL)"
	}
	if s := subsystems[p.Optional.Subsystem]; s != "" {
		k.text += " (" + s + ")"
	}
	if m := peMachines[p.Machine]; m != "" {
		k.text += " " + m
	}
	const stripped = 0x200
	if p.Characteristics&stripped != 0 {
		k.text += " (stripped to external PDB)"
	}
	const clr = 14
	if d, ok := p.Entry(clr); ok && d.Address != 0 && p.Optional.NumberOfRVAAndSizes > clr {
		k.text += " Mono/.Net assembly"
	}
	k.text += ", for MS Windows"
	return k, true
}

// pythons are the versions of CPython whose byte code begins with a number of
// at least so much.
var pythons = []struct {
	from    uint16
	version string
}{{3500, "3.12 or newer"}, {3450, "3.11"}, {3430, "3.10"}, {3420, "3.9"}, {3400, "3.8"}, {3390, "3.7"}}

// pyc knows byte code of Python since 3.7 by its version and flags.
func pyc(b []byte) (k kind, ok bool) {
	r := binfmt.NewReader(b, binfmt.Little)
	version, end, flags := r.U16(), r.U16(), r.U32()
	if !r.OK() || end != '\r'|'\n'<<8 || version > 3531 || flags > 3 {
		return k, false
	}
	for _, p := range pythons {
		if version < p.from {
			continue
		}
		k = kind{"application/x-bytecode.python", "Byte-compiled Python module for CPython " + p.version}
		if flags == 0 {
			k.text += ", timestamp-based"
		}
		return k, true
	}
	return k, false
}

// coff knows object files of Windows: a machine, a few sections, and no
// optional header.
func coff(b []byte) (k kind, ok bool) {
	r := binfmt.NewReader(b, binfmt.Little)
	machine, sections := r.U16(), r.U16()
	r.Skip(12)
	optional, flags := r.U16(), r.U16()
	name := map[uint16]string{0x14c: "Intel 80386", 0x8664: "Intel amd64", 0xaa64: "Aarch64"}[machine]
	if !r.OK() || name == "" || sections == 0 || sections > 4096 || optional != 0 {
		return k, false
	}
	k = kind{"application/x-coff", name + " COFF object file"}
	const noLines = 4
	if flags&noLines != 0 {
		k.text += ", no line number info"
	}
	return k, true
}

// terminfo knows compiled descriptions of terminals, which begin with the sizes
// of their parts and their names.
func terminfo(b []byte) (k kind, ok bool) {
	r := binfmt.NewReader(b, binfmt.Little)
	magic, size := r.U16(), r.U16()
	r.Skip(8)
	names := r.Bytes(int(size))
	const narrow, wide = 0x11a, 0x21e
	if !r.OK() || magic != narrow && magic != wide || size == 0 || size > 512 || names[size-1] != 0 {
		return k, false
	}
	name, _, _ := strings.Cut(string(names[:size-1]), "|")
	if magic == wide {
		return kind{"application/x-terminfo2", fmt.Sprintf("Compiled 32-bit terminfo entry %q", name)}, true
	}
	return kind{"application/x-terminfo", fmt.Sprintf("Compiled terminfo entry %q", name)}, true
}

// certificate knows X.509 certificates in DER of version 3.
func certificate(b []byte) (k kind, ok bool) {
	outer, _, ok := binfmt.ReadBER(b)
	if !ok || !outer.Is(sequence) {
		return k, false
	}
	body, _, ok := binfmt.ReadBER(outer.Content)
	if !ok || !body.Is(sequence) || !bytes.HasPrefix(body.Content, []byte("\xa0\x03\x02\x01\x02")) {
		return k, false
	}
	return kind{octets, "Certificate, Version=3"}, true
}

// sequence is the tag of SEQUENCE in ASN.1.
const sequence = 16
