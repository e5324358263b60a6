package macho

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// Load commands, from mach-o/loader.h.
const (
	required = 1 << 31 // the dynamic linker must understand the command

	cmdSegment       = 0x1
	cmdSymtab        = 0x2
	cmdUnixThread    = 0x5
	cmdDysymtab      = 0xb
	cmdLoadDylib     = 0xc
	cmdIDDylib       = 0xd
	cmdLoadDylinker  = 0xe
	cmdIDDylinker    = 0xf
	cmdWeakDylib     = 0x18 | required
	cmdSegment64     = 0x19
	cmdUUID          = 0x1b
	cmdRpath         = 0x1c | required
	cmdCodeSignature = 0x1d
	cmdReexportDylib = 0x1f | required
	cmdLazyDylib     = 0x20
	cmdDyldInfo      = 0x22
	cmdDyldInfoOnly  = 0x22 | required
	cmdUpwardDylib   = 0x23 | required
	cmdMinMacOS      = 0x24
	cmdMinIPhoneOS   = 0x25
	cmdEnvironment   = 0x27
	cmdMain          = 0x28 | required
	cmdSourceVersion = 0x2a
	cmdLinkerOption  = 0x2d
	cmdMinTVOS       = 0x2f
	cmdMinWatchOS    = 0x30
	cmdBuildVersion  = 0x32
	cmdExportsTrie   = 0x33 | required
	cmdChainedFixups = 0x34 | required
)

// readCommand reads one load command, without its first two numbers.
func (m *image) readCommand(command uint32, body []byte) {
	r := binfmt.NewReader(body, m.order)
	switch command {
	case cmdSegment, cmdSegment64:
		m.readSegment(r)
	case cmdLoadDylib, cmdIDDylib, cmdWeakDylib, cmdReexportDylib, cmdLazyDylib, cmdUpwardDylib:
		m.readDylib(r)
	case cmdRpath:
		r.Skip(4) // the offset of the path
		if r.OK() {
			m.rpaths = append(m.rpaths, string(untilNUL(r.Rest())))
		}
	case cmdIDDylinker, cmdLoadDylinker, cmdEnvironment:
		r.Skip(4)
		if r.OK() {
			m.linker = untilNUL(r.Rest())
		}
	case cmdLinkerOption:
		m.readLinkerOptions(r)
	case cmdMain:
		if entry, stack := r.U64(), r.U64(); r.OK() {
			m.entry, m.stack = some(entry), some(stack)
		}
	case cmdUnixThread:
		m.readThread(r)
	default:
		m.readTables(command, r)
		m.readVersions(command, r)
	}
}

// readTables reads a command that says where something is.
func (m *image) readTables(command uint32, r *binfmt.Reader) {
	switch command {
	case cmdSymtab:
		readWords(&m.symtab, r, 4)
	case cmdDysymtab:
		readWords(&m.dysymtab, r, 16)
	case cmdDyldInfo, cmdDyldInfoOnly:
		readWords(&m.dyld, r, 10)
	case cmdCodeSignature:
		readWords(&m.codeSignature, r, 2)
	case cmdExportsTrie:
		readWords(&m.exportTrie, r, 2)
	case cmdChainedFixups:
		readWords(&m.fixups, r, 2)
	}
}

// readWords reads n numbers, if there are so many.
func readWords(to *words, r *binfmt.Reader, n int) {
	w := make(words, n)
	for i := range w {
		w[i] = r.U32()
	}
	if r.OK() {
		*to = w
	}
}

// readVersions reads a command that says what the file was made with or for.
func (m *image) readVersions(command uint32, r *binfmt.Reader) {
	switch command {
	case cmdSourceVersion:
		if v := r.U64(); r.OK() {
			m.source = some(sourceVersion(v))
		}
	case cmdUUID:
		if id := r.Bytes(16); r.OK() {
			m.uuid = some(showUUID(bytes.TrimRight(id, "\x00")))
		}
	case cmdMinMacOS, cmdMinIPhoneOS, cmdMinTVOS, cmdMinWatchOS:
		if v := (&minVersion{command, r.U32(), r.U32()}); r.OK() {
			m.oldest = v
		}
	case cmdBuildVersion:
		m.readBuild(r)
	}
}

func untilNUL(b []byte) []byte {
	end := bytes.IndexByte(b, 0)
	if end < 0 {
		end = len(b)
	}
	return b[:end:end]
}

// fixedName reads a name of 16 bytes, filled up with NULs.
func fixedName(r *binfmt.Reader) string { return string(bytes.TrimRight(r.Bytes(16), "\x00")) }

func (m *image) readSegment(r *binfmt.Reader) {
	var s segment
	s.name = fixedName(r)
	s.address, s.size = r.Word(m.wide), r.Word(m.wide)
	s.offset, s.fileSize = r.Word(m.wide), r.Word(m.wide)
	s.maxProt, s.initProt = r.U32(), r.U32()
	s.count, s.flags = r.U32(), r.U32()
	for i := uint32(0); i < s.count && r.OK(); i++ {
		s.sections = append(s.sections, m.readSection(r))
	}
	if r.OK() {
		m.segments = append(m.segments, s)
	}
}

func (m *image) readSection(r *binfmt.Reader) (s section) {
	s.name, s.segment = fixedName(r), fixedName(r)
	s.address, s.size = r.Word(m.wide), r.Word(m.wide)
	s.offset, s.align = r.U32(), r.U32()
	s.relocations, s.relocationCount = r.U32(), r.U32()
	s.flags = r.U32()
	s.reserved[0], s.reserved[1] = r.U32(), r.U32()
	if s.wide = m.wide; s.wide {
		s.reserved[2] = r.U32()
	}
	return s
}

func (m *image) readDylib(r *binfmt.Reader) {
	var d dylib
	r.Skip(4) // the offset of the name
	d.time, d.current, d.compatible = r.U32(), r.U32(), r.U32()
	if r.OK() {
		d.name = string(untilNUL(r.Rest()))
		m.dylibs = append(m.dylibs, d)
	}
}

// readLinkerOptions reads options that end in NUL each; one that does not
// spoils the command.
func (m *image) readLinkerOptions(r *binfmt.Reader) {
	count := int64(r.U32())
	rest := r.Rest()
	if !r.OK() || count > int64(len(rest)) {
		return
	}
	options := strings.SplitN(string(rest), "\x00", int(count)+1)
	if int64(len(options)) == count+1 {
		m.options = append(m.options, options[:count]...)
	}
}

func (m *image) readBuild(r *binfmt.Reader) {
	b := &build{platform: r.U32(), oldest: r.U32(), sdk: r.U32()}
	count := r.U32()
	for i := uint32(0); i < count && r.OK(); i++ {
		b.tools = append(b.tools, tool{r.U32(), r.U32()})
	}
	if r.OK() {
		m.build = b
	}
}

// register says where a processor's thread state has the address of the next
// instruction, and how large the state is, in bytes.
type register struct {
	at, size int
	wide     bool
}

// registers is by cputype; from mach/*/thread_status.h and its forebears.
var registers = map[uint32]register{
	0x00000006: {68, 72, false},               // 68000: pc after 8 data, 8 address, status
	0x00000007: {40, 64, false},               // x86: eip
	0x01000007: {128, 168, true},              // x86-64: rip
	0x0000000c: {60, 68, false},               // ARM: pc
	0x0100000c: {256, 268, true},              // ARM64: pc
	0x0000000d: {124, 136, false},             // 88000: xip
	0x0000000e: {4, 72, false},                // SPARC: pc
	0x00000012: {0, 160, false},               // PowerPC: srr0
	0x01000012: {0, 8*(2+32) + 4 + 8*4, true}, // PowerPC 64: srr0
}

// readThread reads where a thread starts. A processor that is not known
// starts at address 0.
func (m *image) readThread(r *binfmt.Reader) {
	r.Skip(8) // flavor, count
	reg, known := registers[m.cpu]
	state := binfmt.NewReader(r.Bytes(reg.size), m.order)
	if !r.OK() {
		return
	}
	state.Skip(reg.at)
	address := uint64(0)
	if known {
		address = state.Word(reg.wide)
	}
	m.entryAddress = some(address)
}

// version shows a number that is a version of three parts.
func version(v uint32) string { return fmt.Sprintf("%d.%d.%d", v>>16, v>>8&0xff, v&0xff) }

func toolVersion(v uint32) string { return fmt.Sprintf("%d.%d", v>>16, v>>8&0xff) }

// sourceVersion shows a number that is a version of five parts. YARA-X keeps
// six bits of each of the last four, of the ten that they have.
func sourceVersion(v uint64) string {
	return fmt.Sprintf("%d.%d.%d.%d.%d", v>>40, v>>30&0x3f, v>>20&0x3f, v>>10&0x3f, v&0x3f)
}

// showUUID shows an identity in the usual groups.
func showUUID(id []byte) string {
	var s strings.Builder
	for i, b := range id {
		fmt.Fprintf(&s, "%02X", b)
		if i == 3 || i == 5 || i == 7 || i == 9 {
			s.WriteByte('-')
		}
	}
	return s.String()
}
