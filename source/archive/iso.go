package archive

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"strings"
	"time"
	"unicode/utf16"
)

// Layout of ISO 9660 (ECMA-119).
const (
	isoSector      = 2048
	isoDescriptors = 16
	isoPrimary     = 1
	isoSecondary   = 2
	isoRecord      = 33
	isoDirectory   = 2
	isoMulti       = 0x80
	isoDepth       = 64
	isoContinued   = 32 // areas that the fields of one entry lie in
)

func isISO(_ string, content []byte) bool {
	return len(content) >= (isoDescriptors+1)*isoSector && string(content[isoDescriptors*isoSector+1:][:5]) == "CD001"
}

var errISO = errors.New("breaks the layout of ISO 9660")

// isoImage is a volume with the directory that its names are taken from.
type isoImage struct {
	walk    *walk
	root    isoEntry
	joliet  bool
	visited map[uint32]bool // directories, by their extent: images may be circular
}

// isoEntry is a directory record.
type isoEntry struct {
	name         string
	extent, size uint32
	flags        byte
	mtime        time.Time
	mode         fs.FileMode
	uid, gid     *int64
}

// iso walks a volume: by Rock Ridge's names where it has them, by Joliet's
// otherwise.
func (w *walk) iso() error {
	img := &isoImage{walk: w, visited: map[uint32]bool{}}
	if err := img.descriptors(); err != nil {
		return err
	}
	return img.directory(img.root, "", 0)
}

func (img *isoImage) descriptors() error {
	content, found := img.walk.content, false
	for i := isoDescriptors; (i+1)*isoSector <= len(content) && i < isoDescriptors+64; i++ {
		d := content[i*isoSector : (i+1)*isoSector]
		if string(d[1:6]) != "CD001" {
			break
		}
		escape := string(d[88:91])
		switch {
		case d[0] == isoPrimary && !found:
			img.root, _ = img.record(d[156:190])
			found = true
		case d[0] == isoSecondary && (escape == "%/@" || escape == "%/C" || escape == "%/E") && !img.rockRidge():
			img.joliet = true
			img.root, _ = img.record(d[156:190])
		}
	}
	if !found {
		return errISO
	}
	return nil
}

// rockRidge reports whether the primary root announces the extension.
func (img *isoImage) rockRidge() bool {
	b := img.data(img.root)
	return len(b) > 64 && strings.Contains(string(b[:min(len(b), 256)]), "RRIP") || len(b) > 64 && strings.Contains(string(b[:min(len(b), 256)]), "PX\x24") ||
		len(b) > 64 && strings.Contains(string(b[:min(len(b), 256)]), "PX\x2c")
}

// data returns an entry's bytes where they lie in the image.
func (img *isoImage) data(e isoEntry) []byte {
	start, end := uint64(e.extent)*isoSector, uint64(e.extent)*isoSector+uint64(e.size)
	if e.size == 0 {
		return []byte{} // wherever it is said to be
	}
	if end > uint64(len(img.walk.content)) {
		return nil
	}
	return img.walk.content[start:end:end]
}

// record reads a directory record, ok where there is one.
func (img *isoImage) record(b []byte) (e isoEntry, ok bool) {
	if len(b) < isoRecord+1 || int(b[0]) > len(b) || int(b[0]) < isoRecord+int(b[32]) {
		return e, false
	}
	b = b[:b[0]]
	e = isoEntry{extent: binary.LittleEndian.Uint32(b[2:]), size: binary.LittleEndian.Uint32(b[10:]), flags: b[25]}
	e.mtime = time.Date(1900+int(b[18]), time.Month(b[19]), int(b[20]), int(b[21]), int(b[22]), int(b[23]), 0,
		time.FixedZone("", int(int8(b[24]))*15*60)).UTC()
	name := b[isoRecord : isoRecord+int(b[32])]
	e.name = img.text(name)
	img.systemUse(&e, b[isoRecord+int(b[32])+(1-int(b[32])&1):])
	return e, true
}

func (img *isoImage) text(name []byte) string {
	if len(name) == 1 && name[0] < 2 {
		return "." // the directory itself, or its parent
	}
	s := string(name)
	if img.joliet {
		u := make([]uint16, len(name)/2)
		for i := range u {
			u[i] = binary.BigEndian.Uint16(name[2*i:])
		}
		s = string(utf16.Decode(u))
	}
	s, _, _ = strings.Cut(s, ";")
	return strings.TrimSuffix(s, ".")
}

// systemUse reads Rock Ridge's name and POSIX attributes (IEEE P1282), also where
// they go on elsewhere.
func (img *isoImage) systemUse(e *isoEntry, b []byte) {
	var name strings.Builder
	for range isoContinued {
		if b = img.fields(e, &name, b); b == nil {
			break
		}
	}
	if name.Len() > 0 && e.name != "." {
		e.name = name.String()
	}
}

// fields reads one area of fields, and returns that in which they go on.
func (img *isoImage) fields(e *isoEntry, name *strings.Builder, b []byte) (more []byte) {
	for len(b) >= 4 && int(b[2]) >= 4 && int(b[2]) <= len(b) {
		field := b[4:b[2]]
		switch string(b[:2]) {
		case "NM":
			if len(field) > 1 && field[0]&6 == 0 {
				name.Write(field[1:])
			}
		case "PX":
			if len(field) >= 32 {
				e.mode = unixMode(int64(binary.LittleEndian.Uint32(field[1:])))
				uid, gid := int64(binary.LittleEndian.Uint32(field[17:])), int64(binary.LittleEndian.Uint32(field[25:]))
				e.uid, e.gid = &uid, &gid
			}
		case "CE":
			more = img.continued(field)
		}
		b = b[b[2]:]
	}
	return more
}

// continued returns the area that a field points to: its sector, the offset in
// it, and its size, each of them in both byte orders.
func (img *isoImage) continued(field []byte) []byte {
	if len(field) < 24 {
		return nil
	}
	start := uint64(binary.LittleEndian.Uint32(field))*isoSector + uint64(binary.LittleEndian.Uint32(field[8:]))
	end := start + uint64(binary.LittleEndian.Uint32(field[16:]))
	if end > uint64(len(img.walk.content)) {
		return nil
	}
	return img.walk.content[start:end]
}

// directory yields the files of a directory and of those below it.
func (img *isoImage) directory(dir isoEntry, under string, depth int) error {
	if depth > isoDepth || img.visited[dir.extent] {
		return nil
	}
	img.visited[dir.extent] = true
	b := img.data(dir)
	if b == nil && dir.size > 0 {
		img.walk.gap(under+".", errTruncated)
		return nil
	}
	for at := 0; at < len(b); {
		if b[at] == 0 { // records do not cross sectors
			at = (at/isoSector + 1) * isoSector
			continue
		}
		e, ok := img.record(b[at:])
		if !ok {
			return errISO
		}
		at += int(b[at])
		if e.name == "." {
			continue
		}
		if err := img.entry(e, under, depth); err != nil {
			return err
		}
	}
	return nil
}

func (img *isoImage) entry(e isoEntry, under string, depth int) error {
	name := under + e.name
	switch {
	case e.flags&isoDirectory != 0:
		return img.directory(e, name+"/", depth+1)
	case e.mode != 0 && !e.mode.IsRegular():
		return nil
	case e.flags&isoMulti != 0:
		img.walk.gap(name, unsupportedError("a file of several extents"))
		return nil
	}
	data := img.data(e)
	if data == nil {
		img.walk.gap(name, errTruncated)
		return nil
	}
	return img.walk.yield(member{name: name, size: int64(e.size), mode: e.mode, uid: e.uid, gid: e.gid, mtime: e.mtime, data: data})
}
