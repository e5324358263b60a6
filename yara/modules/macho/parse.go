package macho

import (
	"encoding/binary"
	"sync"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// The magic numbers, read as big-endian: the second of each pair is the first
// in a little-endian file.
const (
	magic32, magic32Little       = 0xfeedface, 0xcefaedfe
	magic64, magic64Little       = 0xfeedfacf, 0xcffaedfe
	fatMagic32, fatMagic32Little = 0xcafebabe, 0xbebafeca
	fatMagic64, fatMagic64Little = 0xcafebabf, 0xbfbafeca
)

// target is what a scan looks at: one file, or those of a universal file.
type target struct {
	fatMagic uint32
	archs    []arch
	images   []*image
	single   *image // nil where the target counts as universal
}

type arch struct {
	cpu, cpuSub     uint32
	offset, size    uint64
	align, reserved uint32
}

// universal are the entries of a universal file.
func (t *target) universal() []arch {
	if t.single != nil {
		return nil
	}
	return t.archs
}

// files are the files of a universal file.
func (t *target) files() []*image {
	if t.single != nil {
		return nil
	}
	return t.images
}

// magical reports whether data begins with one of the magic numbers.
func magical(data []byte) bool {
	if len(data) < 4 {
		return false
	}
	switch binary.BigEndian.Uint32(data) {
	case fatMagic32, fatMagic32Little, fatMagic64, fatMagic64Little, magic32, magic32Little, magic64, magic64Little:
		return true
	}
	return false
}

// parse returns data that begins with a magic number as Mach-O, nil where it
// is none.
func parse(data []byte, libyara bool) *target {
	switch magic := binary.BigEndian.Uint32(data); magic {
	case fatMagic32, fatMagic32Little, fatMagic64, fatMagic64Little:
		return parseFat(data, magic, libyara)
	case magic32, magic32Little, magic64, magic64Little:
		if m := parseImage(data); m != nil {
			return &target{single: m}
		}
	}
	return nil
}

func parseFat(data []byte, magic uint32, libyara bool) *target {
	wide := magic == fatMagic64 || magic == fatMagic64Little
	r := binfmt.NewReader(data, magic == fatMagic32 || magic == fatMagic64)
	r.Skip(4)
	count := r.U32()
	size := 20
	if wide {
		size = 32
	}
	if !r.OK() || uint64(count)*uint64(size) > uint64(len(data)) || count > maxArchs {
		return nil
	}
	t := &target{fatMagic: magic, archs: make([]arch, count)}
	for i := range t.archs {
		t.archs[i] = readArch(r, wide)
	}
	if !r.OK() {
		return nil
	}
	t.readImages(data)
	if len(t.images) == 1 && !libyara {
		t.single = t.images[0]
	}
	return t
}

func readArch(r *binfmt.Reader, wide bool) (a arch) {
	a.cpu, a.cpuSub = r.U32(), r.U32()
	a.offset, a.size = r.Word(wide), r.Word(wide)
	a.align = r.U32()
	if wide {
		a.reserved = r.U32()
	}
	return a
}

// readImages reads the files that can be read: indexes in the list of files
// are not those of the list of entries where one cannot.
func (t *target) readImages(data []byte) {
	for _, a := range t.archs[:min(len(t.archs), maxFiles)] {
		if part, ok := binfmt.Range(data, a.offset, a.size); ok {
			if m := parseImage(part); m != nil {
				t.images = append(t.images, m)
			}
		}
	}
}

// optional is a value that a file may lack.
type optional[T any] struct {
	value T
	ok    bool
}

func some[T any](v T) optional[T]         { return optional[T]{v, true} }
func (o optional[T]) get() (v T, ok bool) { return o.value, o.ok }

// raw is bytes of the file, nil where the file lacks them.
type raw []byte

func (b raw) text() (string, bool) { return string(b), b != nil }

// image is one Mach-O file. The functions read a table when first called.
type image struct {
	data  []byte
	order binfmt.Order
	wide  bool

	magic, cpu, cpuSub  uint32
	fileType, commands  uint32
	commandSize, flags  uint32
	reserved            uint32
	segments            []segment
	dylibs              []dylib
	rpaths, options     []string
	linker              raw
	entry, stack        optional[uint64]
	entryAddress        optional[uint64]
	source, uuid        optional[string]
	symtab, dysymtab    words
	dyld, codeSignature words
	exportTrie, fixups  words
	build               *build
	oldest              *minVersion
	symbols             func() []symbol
	exports, imports    func() []string
	signature           func() signature
}

type segment struct {
	name              string
	address, size     uint64
	offset, fileSize  uint64
	maxProt, initProt uint32
	count, flags      uint32
	sections          []section
}

type section struct {
	name, segment                string
	address, size                uint64
	offset, align                uint32
	relocations, relocationCount uint32
	flags                        uint32
	reserved                     [3]uint32
	wide                         bool
}

type dylib struct {
	name                      string
	time, current, compatible uint32
}

type build struct {
	platform, oldest, sdk uint32
	tools                 []tool
}

type tool struct{ id, version uint32 }

type minVersion struct{ device, version, sdk uint32 }

// parseImage reads the header and the load commands of a file, nil where the
// header is not whole.
func parseImage(data []byte) *image {
	r := binfmt.NewReader(data, binfmt.Big)
	m := &image{data: data, magic: r.U32()}
	switch m.magic {
	case magic32, magic64:
		m.order = binfmt.Big
	case magic32Little, magic64Little:
		m.order = binfmt.Little
	default:
		return nil
	}
	m.wide = m.magic == magic64 || m.magic == magic64Little
	r = binfmt.NewReader(data[4:], m.order)
	m.cpu, m.cpuSub = r.U32(), r.U32()
	m.fileType = r.U32()
	m.commands, m.commandSize = r.U32(), r.U32()
	m.flags = r.U32()
	if m.wide {
		m.reserved = r.U32()
	}
	if !r.OK() {
		return nil
	}
	m.readCommands(r)
	m.symbols = sync.OnceValue(m.readSymbols)
	m.exports = sync.OnceValue(m.readExports)
	m.imports = sync.OnceValue(m.readImports)
	m.signature = sync.OnceValue(m.readSignature)
	return m
}

// readCommands reads load commands until one is cut short. One that cannot be
// understood is passed over.
func (m *image) readCommands(r *binfmt.Reader) {
	for range m.commands {
		command, size := r.U32(), r.U32()
		body := r.Bytes(int(min(max(size, 8)-8, 1<<31-1)))
		if !r.OK() {
			break
		}
		m.readCommand(command, body)
	}
	if address, ok := m.entryAddress.get(); ok {
		m.entry = m.offsetOf(address)
	}
}

// offsetOf returns where an address is in the file.
func (m *image) offsetOf(address uint64) (offset optional[uint64]) {
	for _, s := range m.segments {
		if s.address+s.size < s.address {
			break
		}
		if address >= s.address && address < s.address+s.size {
			off := s.offset + (address - s.address)
			return optional[uint64]{off, off >= s.offset}
		}
	}
	return offset
}
