package container

import (
	"bytes"
	"compress/flate"
	"io"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// Zip is a ZIP archive, as its central directory tells it. Data may precede
// the archive, as in programs that unpack themselves.
type Zip struct {
	data    []byte
	base    uint64 // what offsets are relative to
	entries []ZipEntry
	whole   bool
}

// ZipEntry is an entry of the central directory.
type ZipEntry struct {
	Name             []byte
	Method           uint16 // MethodStored, MethodDeflated and others
	CompressedSize   uint64
	UncompressedSize uint64 // as the archive says
	CRC32            uint32 // as the archive says, of the content

	offset uint64
}

// The compression methods that [Zip.Read] knows.
const (
	MethodStored   = 0
	MethodDeflated = 8
)

// ZipKey is the key under which modules keep the result of [ParseZip] for a
// scan.
type ZipKey struct{}

// MaxZipEntries is how many entries are read.
const MaxZipEntries = 100_000

const (
	zipEndSize       = 22
	zipEndMagic      = "PK\x05\x06"
	zipLocatorSize   = 20
	zipLocatorMagic  = "PK\x06\x07"
	zip64EndSize     = 56
	zip64EndMagic    = "PK\x06\x06"
	zipCentralSize   = 46
	zipCentralMagic  = "PK\x01\x02"
	zipLocalSize     = 30
	zipLocalMagic    = "PK\x03\x04"
	zipMaxComment    = 0xffff
	zip64ExtraHeader = 1
)

// ParseZip reads the central directory of an archive; nil where there is none
// in the last 64 KiB.
func ParseZip(data []byte) *Zip {
	end := findZipEnd(data)
	if end < 0 {
		return nil
	}
	d, ok := readZipEnd(data, uint64(end))
	if !ok {
		return nil
	}
	start, base, ok := d.start(data)
	if !ok {
		return nil
	}
	z := &Zip{data: data, base: base}
	z.readCentral(start, d)
	return z
}

// findZipEnd finds the end of the central directory: the last one whose
// comment the file has.
func findZipEnd(data []byte) int {
	low := max(0, len(data)-zipEndSize-zipMaxComment)
	for tail := data[low:]; ; {
		i := bytes.LastIndex(tail, []byte(zipEndMagic))
		if i < 0 {
			return -1
		}
		if b, ok := binfmt.Range(data, uint64(low+i), zipEndSize); ok {
			comment := int(b[20]) | int(b[21])<<8
			if low+i+zipEndSize+comment <= len(data) {
				return low + i
			}
		}
		tail = tail[:i]
	}
}

// zipEnd is what the end of the central directory says of it.
type zipEnd struct {
	count, size, offset uint64
	at                  uint64 // where the record is, right after the directory
}

// readZipEnd reads the end; ok is false where the archive is one of several
// disks.
func readZipEnd(data []byte, at uint64) (d zipEnd, ok bool) {
	r := binfmt.NewReader(data[at:], binfmt.Little)
	r.Skip(4)
	disk, first := r.U16(), r.U16()
	r.Skip(2)
	d = zipEnd{count: uint64(r.U16()), size: uint64(r.U32()), offset: uint64(r.U32()), at: at}
	if d.count == 0xffff || d.size == 0xffffffff || d.offset == 0xffffffff {
		if wide, ok := readZip64End(data, at); ok {
			return wide, true
		}
	}
	return d, disk == 0 && first == 0
}

// readZip64End follows the locator before the end to the wide record.
func readZip64End(data []byte, end uint64) (d zipEnd, ok bool) {
	b, ok := binfmt.Range(data, end-zipLocatorSize, zipLocatorSize)
	if end < zipLocatorSize || !ok || string(b[:4]) != zipLocatorMagic {
		return d, false
	}
	r := binfmt.NewReader(b[8:], binfmt.Little)
	for _, at := range []uint64{r.U64(), end - zipLocatorSize - zip64EndSize} {
		b, ok := binfmt.Range(data, at, zip64EndSize)
		if !ok || string(b[:4]) != zip64EndMagic {
			continue
		}
		r := binfmt.NewReader(b[32:], binfmt.Little)
		return zipEnd{count: r.U64(), size: r.U64(), offset: r.U64(), at: at}, true
	}
	return d, false
}

// start is where the central directory begins, and base what offsets are
// relative to: the directory is right before its end, whatever data comes
// before the archive, or else where its offset says. ok is false where there
// is no room for it.
func (d *zipEnd) start(data []byte) (start, base uint64, ok bool) {
	if d.size > d.at || d.at-d.size < d.offset {
		return 0, 0, false
	}
	start = d.at - d.size
	if !d.isCentral(data, start) && d.isCentral(data, d.offset) {
		return d.offset, 0, true
	}
	return start, start - d.offset, true
}

// isCentral reports whether an entry of the directory is there.
func (d *zipEnd) isCentral(data []byte, at uint64) bool {
	b, ok := binfmt.Range(data, at, uint64(len(zipCentralMagic)))
	return ok && string(b) == zipCentralMagic
}

func (z *Zip) readCentral(at uint64, d zipEnd) {
	data, _ := binfmt.Range(z.data, at, d.at-min(at, d.at))
	r := binfmt.NewReader(data, binfmt.Little)
	for range min(d.count, MaxZipEntries) {
		e, ok := readZipEntry(r)
		if !ok {
			return
		}
		z.entries = append(z.entries, e)
	}
	z.whole = true
}

func readZipEntry(r *binfmt.Reader) (e ZipEntry, ok bool) {
	magic := r.Bytes(4)
	r.Skip(6)
	e.Method = r.U16()
	r.Skip(4)
	e.CRC32 = r.U32()
	e.CompressedSize, e.UncompressedSize = uint64(r.U32()), uint64(r.U32())
	name, extra, comment := r.U16(), r.U16(), r.U16()
	r.Skip(8)
	e.offset = uint64(r.U32())
	e.Name = r.Bytes(int(name))
	e.widen(r.Bytes(int(extra)))
	r.Skip(int(comment))
	return e, r.OK() && string(magic) == zipCentralMagic
}

// widen takes the numbers that 32 bits are too few for from the extra field.
func (e *ZipEntry) widen(extra []byte) {
	r := binfmt.NewReader(extra, binfmt.Little)
	for r.OK() && len(r.Rest()) >= 4 {
		id, size := r.U16(), r.U16()
		field := binfmt.NewReader(r.Bytes(int(size)), binfmt.Little)
		if id != zip64ExtraHeader {
			continue
		}
		for _, v := range []*uint64{&e.UncompressedSize, &e.CompressedSize, &e.offset} {
			if *v == 0xffffffff && len(field.Rest()) >= 8 {
				*v = field.U64()
			}
		}
		return
	}
}

// Entries are those of the central directory, in its order.
func (z *Zip) Entries() []ZipEntry { return z.entries }

// Whole reports whether the central directory has all entries that its end
// tells of, up to [MaxZipEntries].
func (z *Zip) Whole() bool { return z.whole }

// Find returns the first entry with a name, nil where there is none.
func (z *Zip) Find(name string) *ZipEntry {
	for i := range z.entries {
		if string(z.entries[i].Name) == name {
			return &z.entries[i]
		}
	}
	return nil
}

// Read returns an entry's content; ok is false where it is compressed by
// another method than stored and deflated, is damaged, or has more bytes than
// limit. Sizes and checksums that the archive gives are not believed.
func (z *Zip) Read(e *ZipEntry, limit int) (content []byte, ok bool) {
	raw, ok := z.raw(e)
	switch {
	case !ok:
		return nil, false
	case e.Method == MethodStored:
		return raw, len(raw) <= limit
	case e.Method == MethodDeflated:
		content, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), int64(limit)+1))
		return content, err == nil && len(content) <= limit
	}
	return nil, false
}

// raw returns an entry's bytes as they are in the archive.
func (z *Zip) raw(e *ZipEntry) ([]byte, bool) {
	at := z.base + e.offset
	b, ok := binfmt.Range(z.data, at, zipLocalSize)
	if !ok || at < z.base || string(b[:4]) != zipLocalMagic {
		return nil, false
	}
	r := binfmt.NewReader(b[26:], binfmt.Little)
	skip := uint64(r.U16()) + uint64(r.U16())
	return binfmt.Range(z.data, at+zipLocalSize+skip, e.CompressedSize)
}
