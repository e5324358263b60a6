package dotnet

import (
	"bytes"
	"fmt"
	"math"
	"sync"
	"unicode/utf8"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// The values of the format that are needed to find the metadata.
const (
	directoryCLI  = 14
	cliHeaderSize = 72
	metadataMagic = 0x424a5342 // "BSJB"
	maxVersion    = 255
	guidSize      = 16
)

// file is a .NET file of one scan. The functions read something when first
// called.
type file struct {
	pe      *binfmt.PE
	libyara bool

	version        string
	streams        []stream
	resourceBase   optional[uint32]
	resourceData   []byte
	heap           heap
	names          map[uint32]optional[string]
	budget, steps  int
	text           int
	fullNames      map[int]optional[string]
	tables         func() *tables
	guids          func() []string
	userStrings    func() []string
	constants      func() []string
	moduleRefs     func() []string
	assemblyRefs   func() []assembly
	resources      func() []resource
	classes        func() []*class
	fieldOffsets   func() []uint32
	typelib        func() optional[string]
	enclosing      func() map[int]int
	genericsByType func() map[owner][]string
}

// heap is the streams that others refer to, nil where a file has none.
type heap struct{ tables, strings, user, blobs, guids []byte }

type stream struct {
	name         []byte
	offset, size uint32
}

// optional is a value that a file may lack.
type optional[T any] struct {
	value T
	ok    bool
}

func some[T any](v T) optional[T]         { return optional[T]{v, true} }
func (o optional[T]) get() (v T, ok bool) { return o.value, o.ok }

// valid is b as text, if it is UTF-8.
func valid(b []byte) (string, bool) { return string(b), utf8.Valid(b) }

// open returns a PE file as .NET, nil where it is none.
func open(pe *binfmt.PE, libyara bool) *file {
	entry, ok := pe.Entry(directoryCLI)
	if !ok {
		return nil
	}
	header, _ := pe.AtRVA(entry.Address)
	r := binfmt.NewReader(header, binfmt.Little)
	size := r.U32()
	r.Skip(4) // version of the runtime
	metadata, metadataSize := r.U32(), r.U32()
	r.Skip(8) // flags, entry point
	resources, resourcesSize := r.U32(), r.U32()
	r.Skip(8) // signature
	if !r.OK() || size != cliHeaderSize {
		return nil
	}
	base, ok := pe.Offset(metadata)
	root, found := binfmt.Clip(pe.Data, uint64(base), uint64(metadataSize))
	f := &file{pe: pe, libyara: libyara, text: textBudget, steps: maxSteps, budget: readBudget * len(pe.Data)}
	if !ok || !found || !f.readRoot(root, base) {
		return nil
	}
	if off, ok := pe.Offset(resources); ok {
		f.resourceBase = some(off)
		f.resourceData, _ = binfmt.Clip(pe.Data, uint64(off), uint64(resourcesSize))
	}
	f.readLater()
	return f
}

// readLater arranges for everything else to be read when it is asked for.
func (f *file) readLater() {
	f.names = make(map[uint32]optional[string])
	f.fullNames = make(map[int]optional[string])
	f.tables = sync.OnceValue(f.readTables)
	f.guids = sync.OnceValue(f.readGUIDs)
	f.userStrings = sync.OnceValue(f.readUserStrings)
	f.constants = sync.OnceValue(f.readConstants)
	f.moduleRefs = sync.OnceValue(f.readModuleRefs)
	f.assemblyRefs = sync.OnceValue(f.readAssemblyRefs)
	f.resources = sync.OnceValue(f.readResources)
	f.classes = sync.OnceValue(f.readClasses)
	f.fieldOffsets = sync.OnceValue(f.readFieldOffsets)
	f.typelib = sync.OnceValue(f.readTypelib)
	f.enclosing = sync.OnceValue(f.readNesting)
	f.genericsByType = sync.OnceValue(f.readGenerics)
}

// readRoot reads the root of the metadata, II.24.2.1.
func (f *file) readRoot(root []byte, base uint32) bool {
	r := binfmt.NewReader(root, binfmt.Little)
	magic := r.U32()
	r.Skip(8) // version, reserved
	length := r.U32()
	if magic != metadataMagic || length > maxVersion {
		return false
	}
	text := r.Bytes(int(length))
	version, ok := valid(binfmt.Text(text, maxVersion))
	r.Skip(2) // flags
	count := r.U16()
	if !ok || !r.OK() || count > maxStreams {
		return false
	}
	f.version = version
	for range count {
		s, ok := readStream(r, base)
		if !ok {
			return false
		}
		f.streams = append(f.streams, s)
		f.keep(s)
	}
	return true
}

// readStream reads a stream's header: its name is padded with NULs to a
// multiple of four bytes.
func readStream(r *binfmt.Reader, base uint32) (s stream, ok bool) {
	offset := r.U32()
	s.offset = uint32(min(uint64(offset)+uint64(base), math.MaxUint32))
	s.size = r.U32()
	rest := r.Rest()
	s.name = binfmt.Text(rest, len(rest))
	r.Skip((len(s.name) + 4) &^ 3)
	return s, r.OK()
}

// keep notes a stream that others refer to; of two with one name the last
// counts.
func (f *file) keep(s stream) {
	data, _ := binfmt.Range(f.pe.Data, uint64(s.offset), uint64(s.size))
	switch string(s.name) {
	case "#~", "#-":
		f.heap.tables = data
	case "#Strings":
		f.heap.strings = data
	case "#US":
		f.heap.user = data
	case "#Blob":
		f.heap.blobs = data
	case "#GUID":
		f.heap.guids = data
	}
}

// string returns a string of the #Strings stream; ok is false where it has no
// end or is not UTF-8.
func (f *file) string(index uint32) optional[string] {
	if s, ok := f.names[index]; ok {
		return s
	}
	rest, ok := binfmt.From(f.heap.strings, uint64(index))
	var s optional[string]
	if end := bytes.IndexByte(rest, 0); ok && end >= 0 && f.spend(end+1) {
		s.value, s.ok = valid(rest[:end])
	}
	f.names[index] = s
	return s
}

// spend takes n bytes from what may still be read.
func (f *file) spend(n int) bool {
	f.budget -= n
	return f.budget >= 0
}

// notEmpty makes an empty string one that is not there.
func notEmpty(s optional[string]) optional[string] {
	s.ok = s.ok && s.value != ""
	return s
}

// blob returns a blob of the #Blob stream.
func (f *file) blob(index uint32) (b []byte, ok bool) {
	rest, ok := binfmt.From(f.heap.blobs, uint64(index))
	r := packed{binfmt.NewReader(rest, binfmt.Little), true}
	n := r.unsigned()
	b = r.Bytes(int(n))
	return b, ok && r.whole()
}

// text returns a copy of a blob.
func (f *file) blobText(index uint32) (s optional[string]) {
	if b, ok := f.blob(index); ok && f.spend(len(b)) {
		return some(string(b))
	}
	return s
}

// packed reads the integers of II.23.2, of one, two or four bytes.
type packed struct {
	*binfmt.Reader
	sound bool
}

// whole reports whether all that was asked for was there and well-formed.
func (r *packed) whole() bool { return r.OK() && r.sound }

// bits reads an integer and returns how many bits it may have.
func (r *packed) bits() (v uint32, n int) {
	first := uint32(r.U8())
	switch {
	case first < 0x80:
		return first, 7
	case first < 0xc0:
		return first&0x3f<<8 | uint32(r.U8()), 14
	case first < 0xe0:
		v = first & 0x1f
		for range 3 {
			v = v<<8 | uint32(r.U8())
		}
		return v, 29
	}
	r.sound = false
	return 0, 7
}

func (r *packed) unsigned() uint32 {
	v, _ := r.bits()
	return v
}

// signed reads an integer whose lowest bit is its sign.
func (r *packed) signed() int32 {
	v, n := r.bits()
	if v&1 == 0 {
		return int32(v >> 1)
	}
	return int32(v>>1) - 1<<(n-1)
}

func (f *file) readGUIDs() (guids []string) {
	for b := f.heap.guids; len(b) >= guidSize && len(guids) < maxGUIDs; b = b[guidSize:] {
		r := binfmt.NewReader(b, binfmt.Little)
		guids = append(guids, fmt.Sprintf("%08x-%04x-%04x-%x-%x", r.U32(), r.U16(), r.U16(), r.Bytes(2), r.Bytes(6)))
	}
	return guids
}

// readUserStrings reads the string literals up to the first whose length is
// damaged. Each has a byte more than its characters, so shorter ones are empty.
// Where the last is cut short there are none at all in YARA-X.
func (f *file) readUserStrings() (list []string) {
	r := packed{binfmt.NewReader(f.heap.user, binfmt.Little), true}
	for len(r.Rest()) > 0 {
		size := int(r.unsigned())
		if !r.whole() {
			break
		}
		b := r.Bytes(size)
		switch {
		case r.whole():
		case f.libyara:
			return list
		default:
			return nil
		}
		if len(b) >= 3 {
			list = append(list, string(b[:len(b)-1]))
		}
	}
	return list
}
