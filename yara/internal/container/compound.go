package container

import (
	"encoding/binary"
	"unicode/utf16"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// Compound is an OLE compound file (MS-CFB): sectors that a table chains to
// streams, and a directory of these. It is a file system in a file; Word
// documents before 2007 and MSI packages are such.
//
// Files that break the specification are read as YARA-X reads them. It serves
// one goroutine.
type Compound struct {
	Data       []byte
	SectorSize int

	entries     []Entry
	fat         []uint32 // sectors with the table
	miniFAT     []uint32
	miniSector  int
	miniStart   uint32
	miniSize    uint64
	mini        []byte // the stream of all small streams
	miniRead    bool
	seen        []uint32 // the walk that last saw a sector
	miniSeen    []uint32
	walk        uint32
	directories []uint32
}

// Entry is an entry of a compound file's directory.
type Entry struct {
	// Name has not the control character that names of system streams begin
	// with. Names are unique.
	Name string
	Type uint8 // TypeStorage, TypeStream or TypeRoot
	Size uint64

	start uint32
}

// The types of entries.
const (
	TypeStorage = 1
	TypeStream  = 2
	TypeRoot    = 5
)

// CompoundKey is the key under which modules keep the result of
// [ParseCompound] for a scan.
type CompoundKey struct{}

const (
	compoundMagic  = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
	endOfSectors   = 0xfffffffa // first of the numbers that are no sectors
	headerEntries  = 109        // numbers of FAT sectors in the header
	directoryEntry = 128
	smallStream    = 4096
	maxStream      = 256 << 20
)

// ParseCompound reads the header and the directory of a compound file; nil
// where data is none. It looks at eight bytes of anything else.
func ParseCompound(data []byte) *Compound {
	if len(data) < len(compoundMagic) || string(data[:len(compoundMagic)]) != compoundMagic {
		return nil
	}
	c := &Compound{Data: data}
	if !c.readHeader() {
		return nil
	}
	c.readDirectory()
	return c
}

func (c *Compound) readHeader() bool {
	r := binfmt.NewReader(c.Data, binfmt.Little)
	r.Skip(28)
	order, shift, miniShift := r.U16(), r.U16(), r.U16()
	r.Skip(10)
	fatCount, directory := r.U32(), r.U32()
	r.Skip(8)
	miniFAT, miniCount := r.U32(), r.U32()
	difat, difatCount := r.U32(), r.U32()
	if !r.OK() || order != 0xfffe || shift != 9 && shift != 12 || directory >= endOfSectors {
		return false
	}
	c.SectorSize, c.miniSector = 1<<shift, 64
	if miniShift >= 1 && miniShift <= 16 {
		c.miniSector = 1 << miniShift
	}
	c.addFAT(r.Rest(), headerEntries, headerEntries)
	c.readDIFAT(difat, difatCount)
	if len(c.fat) == 0 && fatCount > 0 {
		return false
	}
	c.directories = c.chain(directory)
	if miniCount > 0 && miniFAT < endOfSectors {
		c.miniFAT = c.chain(miniFAT)
	}
	return true
}

// addFAT adds the first n numbers of b that are sectors, until there are as
// many as limit.
func (c *Compound) addFAT(b []byte, n, limit int) {
	for ; n > 0 && len(b) >= 4 && len(c.fat) < limit; n, b = n-1, b[4:] {
		if s := binary.LittleEndian.Uint32(b); s < endOfSectors {
			c.fat = append(c.fat, s)
		}
	}
}

// readDIFAT follows the chain of sectors that name further FAT sectors, as far
// as a file of this size can need them.
func (c *Compound) readDIFAT(sector, count uint32) {
	perSector := c.SectorSize / 4
	limit := len(c.Data)/c.SectorSize/perSector + 2
	visited := make(map[uint32]bool)
	for ; count > 0 && sector < endOfSectors && !visited[sector] && len(c.fat) < limit; count-- {
		visited[sector] = true
		b := c.sector(sector)
		if b == nil {
			return
		}
		c.addFAT(b, perSector-1, limit)
		sector = binary.LittleEndian.Uint32(b[c.SectorSize-4:])
	}
}

// sector returns a sector's bytes; nil where the file has not all of them.
func (c *Compound) sector(n uint32) []byte {
	b, _ := binfmt.Range(c.Data, (uint64(n)+1)*uint64(c.SectorSize), uint64(c.SectorSize))
	return b
}

// next returns what follows a sector in its chain.
func (c *Compound) next(sector uint32) (uint32, bool) { return c.lookup(c.fat, sector) }

// lookup reads the number with an index from a table in sectors.
func (c *Compound) lookup(table []uint32, index uint32) (uint32, bool) {
	perSector := uint32(c.SectorSize / 4)
	if uint64(index/perSector) >= uint64(len(table)) {
		return 0, false
	}
	b := c.sector(table[index/perSector])
	if b == nil {
		return 0, false
	}
	return binary.LittleEndian.Uint32(b[index%perSector*4:]), true
}

// chain lists the sectors from one on, to the end or to the first that comes
// twice. It has as many as the table has numbers, at most.
func (c *Compound) chain(sector uint32) []uint32 {
	var list []uint32
	seen := make(map[uint32]struct{})
	for ok := true; ok && sector < endOfSectors; sector, ok = c.next(sector) {
		if _, again := seen[sector]; again {
			break
		}
		seen[sector] = struct{}{}
		list = append(list, sector)
	}
	return list
}

func (c *Compound) readDirectory() {
	byName := make(map[string]int)
	for _, n := range c.directories {
		b, _ := binfmt.Clip(c.Data, (uint64(n)+1)*uint64(c.SectorSize), uint64(c.SectorSize))
		for ; len(b) >= directoryEntry; b = b[directoryEntry:] {
			if e, ok := readEntry(b); ok {
				c.add(e, byName)
			}
		}
	}
}

// add adds an entry. One that comes again replaces the one before, but nothing
// else replaces a stream.
func (c *Compound) add(e Entry, byName map[string]int) {
	if e.Type == TypeRoot {
		c.miniStart, c.miniSize = e.start, e.Size
	}
	i, again := byName[e.Name]
	switch {
	case !again:
		byName[e.Name] = len(c.entries)
		c.entries = append(c.entries, e)
	case e.Type == TypeStream || c.entries[i].Type != TypeStream:
		c.entries[i] = e
	}
}

func readEntry(b []byte) (e Entry, ok bool) {
	size := int(binary.LittleEndian.Uint16(b[64:]))
	e.Type = b[66]
	if size < 2 || size > 64 || e.Type != TypeStorage && e.Type != TypeStream && e.Type != TypeRoot {
		return e, false
	}
	e.Name, ok = UTF16(b[:size/2*2-2])
	if e.Name != "" && e.Name[0] < ' ' {
		e.Name = e.Name[1:]
	}
	e.start = binary.LittleEndian.Uint32(b[116:])
	e.Size = uint64(binary.LittleEndian.Uint32(b[120:]))
	return e, ok
}

// UTF16 decodes little-endian UTF-16; ok is false where a surrogate has no
// partner or a byte is left over.
func UTF16(b []byte) (s string, ok bool) {
	if len(b)%2 != 0 {
		return "", false
	}
	var units []uint16
	for ; len(b) > 0; b = b[2:] {
		units = append(units, binary.LittleEndian.Uint16(b))
	}
	for i := 0; i < len(units); i++ {
		if !utf16.IsSurrogate(rune(units[i])) {
			continue
		}
		if i+1 == len(units) || utf16.DecodeRune(rune(units[i]), rune(units[i+1])) == '\uFFFD' {
			return "", false
		}
		i++
	}
	return string(utf16.Decode(units)), true
}

// Entries are the storages and streams in the order of the directory.
func (c *Compound) Entries() []Entry { return c.entries }

// Read returns a stream's bytes; ok is false where the file has not all of
// them, or the chain runs in a circle. A stream is at most as long as the
// file, and 256 MiB.
func (c *Compound) Read(e *Entry) (b []byte, ok bool) {
	if e.Size >= smallStream || e.Type == TypeRoot {
		return c.read(e.start, e.Size)
	}
	if c.miniSize == 0 {
		return nil, false
	}
	if !c.miniRead {
		c.mini, _ = c.read(c.miniStart, c.miniSize)
		c.miniRead = true
	}
	if c.mini == nil {
		return nil, false
	}
	g := gather{from: c.mini, size: c.miniSector, seen: &c.miniSeen, next: c.nextMini}
	return c.gather(g, e.start, e.Size)
}

func (c *Compound) read(start uint32, size uint64) ([]byte, bool) {
	data, ok := binfmt.From(c.Data, uint64(c.SectorSize))
	if !ok || size > maxStream || size > uint64(len(data)) {
		return nil, false
	}
	return c.gather(gather{from: data, size: c.SectorSize, seen: &c.seen, next: c.next}, start, size)
}

// nextMini returns what follows a sector of the small streams: nothing, where
// the table does not say.
func (c *Compound) nextMini(sector uint32) (uint32, bool) {
	if uint64(sector/uint32(c.SectorSize/4)) >= uint64(len(c.miniFAT)) {
		return endOfSectors, true
	}
	return c.lookup(c.miniFAT, sector)
}

// gather says how to put a stream together.
type gather struct {
	from []byte
	size int // of a sector
	seen *[]uint32
	next func(uint32) (uint32, bool)
}

func (c *Compound) gather(g gather, sector uint32, size uint64) ([]byte, bool) {
	if size > uint64(len(g.from)) {
		return nil, false
	}
	if *g.seen == nil {
		*g.seen = make([]uint32, len(g.from)/g.size+1)
	}
	c.walk++
	out := make([]byte, 0, size)
	for uint64(len(out)) < size {
		part, ok := binfmt.Range(g.from, uint64(sector)*uint64(g.size), min(uint64(g.size), size-uint64(len(out))))
		if !ok || len(part) == 0 || (*g.seen)[sector] == c.walk {
			return nil, false
		}
		(*g.seen)[sector] = c.walk
		if out = append(out, part...); uint64(len(out)) < size {
			if sector, ok = g.next(sector); !ok || sector >= endOfSectors {
				return nil, false
			}
		}
	}
	return out, true
}
