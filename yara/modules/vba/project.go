package vba

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/internal/container"
)

// project is what the directory stream of a document tells, and the code of
// its modules.
type project struct {
	name, version string
	references    []string
	count         uint16
	modules       []macro
}

type macro struct {
	name  string
	kind  int
	code  []byte
	pages *pages
}

// Records of the directory stream (MS-OVBA 2.3.4.2).
const (
	idSysKind              = 0x01
	idLCID                 = 0x02
	idCodePage             = 0x03
	idName                 = 0x04
	idDocString            = 0x05
	idHelpFile             = 0x06
	idHelpContext          = 0x07
	idLibFlags             = 0x08
	idVersion              = 0x09
	idConstants            = 0x0c
	idReferenceRegistered  = 0x0d
	idReferenceProject     = 0x0e
	idModules              = 0x0f
	idCookie               = 0x13
	idLCIDInvoke           = 0x14
	idReferenceName        = 0x16
	idModuleName           = 0x19
	idModuleStream         = 0x1a
	idModuleDocString      = 0x1c
	idModuleHelpContext    = 0x1e
	idModuleStandard       = 0x21
	idModuleClass          = 0x22
	idModuleReadOnly       = 0x25
	idModulePrivate        = 0x28
	idModuleEnd            = 0x2b
	idModuleCookie         = 0x2c
	idReferenceControl     = 0x2f
	idReferenceExtended    = 0x30
	idModuleOffset         = 0x31
	idModuleStreamUnicode  = 0x32
	idReferenceOriginal    = 0x33
	idConstantsUnicode     = 0x3c
	idHelpFile2            = 0x3d
	idReferenceNameUnicode = 0x3e
	idDocStringUnicode     = 0x40
	idModuleNameUnicode    = 0x47
	idModuleDocUnicode     = 0x48
	idCompatVersion        = 0x4a
)

const english = 0x409 // the only locale that projects have

// dir reads the directory stream. bad is set by the first record that is not
// as it must be.
type dir struct {
	*binfmt.Reader
	bad   bool
	pages *pages
}

func (d *dir) ok() bool { return !d.bad && d.OK() }

func (d *dir) check(ok bool) {
	if !ok {
		d.bad = true
	}
}

func (d *dir) id(want uint16) { d.check(d.U16() == want) }

// sized reads a length and as many bytes.
func (d *dir) sized() []byte {
	n := d.U32()
	d.check(uint64(n) <= uint64(len(d.Rest())))
	if !d.ok() {
		return nil
	}
	return d.Bytes(int(n))
}

// peek reports whether a record comes next.
func (d *dir) peek(id uint16) bool {
	rest := d.Rest()
	return len(rest) >= 2 && binary.LittleEndian.Uint16(rest) == id
}

// fixed32 and fixed16 read a record with one number.
func (d *dir) fixed32(id uint16) uint32 {
	d.id(id)
	d.check(d.U32() == 4)
	return d.U32()
}

func (d *dir) fixed16(id uint16) uint16 {
	d.id(id)
	d.check(d.U32() == 2)
	return d.U16()
}

// parseProject reads a decompressed directory stream; ok is false where it is
// not as the specification says.
func parseProject(b []byte, s *streams, work *int) (p *project, ok bool) {
	d := &dir{Reader: binfmt.NewReader(b, binfmt.Little)}
	p = new(project)
	d.information(p)
	d.references(p)
	d.check(d.U32() == 2) // the identifier ended the references
	p.count = d.U16()
	d.fixed16(idCookie)
	for range p.count {
		if !d.ok() {
			break
		}
		d.module(p, s, work)
	}
	return p, d.ok()
}

func (d *dir) information(p *project) {
	d.fixed32(idSysKind)
	if d.peek(idCompatVersion) {
		d.fixed32(idCompatVersion)
	}
	d.check(d.fixed32(idLCID) == english)
	d.check(d.fixed32(idLCIDInvoke) == english)
	d.pages = newPages(d.fixed16(idCodePage))
	d.id(idName)
	name := d.sized()
	d.check(len(name) >= 1 && len(name) <= 128)
	p.name = d.pages.decode(name)
	d.id(idDocString)
	d.sized()
	d.id(idDocStringUnicode)
	d.check(len(d.sized())%2 == 0)
	d.id(idHelpFile)
	help := d.sized()
	d.id(idHelpFile2)
	d.check(len(help) <= 260 && bytes.Equal(help, d.sized()))
	d.fixed32(idHelpContext)
	d.check(d.fixed32(idLibFlags) == 0)
	major := d.fixed32(idVersion)
	p.version = fmt.Sprintf("%d.%d", major, d.U16())
	d.id(idConstants)
	d.check(len(d.sized()) <= 1015)
	d.id(idConstantsUnicode)
	d.check(len(d.sized())%2 == 0)
}

// references reads references up to the identifier of the modules.
func (d *dir) references(p *project) {
	for d.ok() {
		switch d.U16() {
		case idModules:
			return
		case idReferenceName:
			p.references = append(p.references, d.pages.decode(d.sized()))
			d.id(idReferenceNameUnicode)
			d.sized()
		case idReferenceOriginal:
			d.sized()
		case idReferenceControl:
			d.control()
		case idReferenceRegistered:
			d.U32()
			d.sized()
			d.check(d.U32() == 0)
			d.check(d.U16() == 0)
		case idReferenceProject:
			d.U32()
			d.sized()
			d.sized()
			d.Skip(6)
		default:
			d.bad = true
		}
	}
}

func (d *dir) control() {
	d.sized()
	if d.peek(idReferenceName) {
		d.U16()
		d.sized()
		d.id(idReferenceNameUnicode)
		d.sized()
	}
	d.id(idReferenceExtended)
	d.U32()
	d.sized()
	d.Skip(4 + 2 + 16 + 4)
}

// module reads one module. It is left out where it has no code.
func (d *dir) module(p *project, s *streams, work *int) {
	m := macro{kind: typeUnknown, pages: d.pages}
	d.id(idModuleName)
	m.name = d.pages.decode(d.sized())
	stream, offset := "", uint32(0)
	for more := true; more && d.ok(); {
		more = d.moduleRecord(&m, &stream, &offset)
	}
	if !d.ok() {
		return
	}
	var data []byte
	if stream != "" {
		data = s.find(stream)
	}
	if data == nil {
		data = s.find(m.name)
	}
	var ok bool
	if m.code, ok = code(data, offset, work); ok {
		p.modules = append(p.modules, m)
	}
}

// moduleRecord reads a record of a module; false after the last.
func (d *dir) moduleRecord(m *macro, stream *string, offset *uint32) bool {
	switch d.U16() {
	case idModuleNameUnicode:
		if name, ok := container.UTF16(d.sized()); ok {
			m.name = name
		}
	case idModuleStream:
		*stream = d.pages.decode(d.sized())
		d.id(idModuleStreamUnicode)
		d.sized()
	case idModuleDocString:
		d.sized()
		d.id(idModuleDocUnicode)
		d.docString(stream)
	case idModuleOffset:
		d.check(d.U32() == 4)
		*offset = d.U32()
	case idModuleHelpContext:
		d.check(d.U32() == 4)
		d.U32()
	case idModuleCookie:
		d.check(d.U32() == 2)
		d.U16()
	case idModuleStandard:
		m.kind = typeStandard
		d.U32()
	case idModuleClass:
		m.kind = typeClass
		d.U32()
	case idModuleReadOnly, idModulePrivate:
		d.check(d.U32() == 0)
	case idModuleEnd:
		d.check(d.U32() == 0)
		return false
	default:
		d.bad = true
	}
	return true
}

// docString reads the module's description, which YARA-X takes for a name of
// the stream before the one that is: some documents have it there.
func (d *dir) docString(stream *string) {
	if name, ok := container.UTF16(d.sized()); ok && name != "" {
		*stream = name
	}
}

// code decompresses a module's code: what is at the offset or, where that is
// none, the first in the stream.
func code(data []byte, offset uint32, work *int) ([]byte, bool) {
	if uint64(offset) < uint64(len(data)) {
		if text, ok := decompress(data[offset:], work); ok {
			return text, true
		}
	}
	for i := 0; i+3 <= len(data) && *work > 0; i++ {
		if data[i] != signature || !isChunk(binary.LittleEndian.Uint16(data[i+1:])) {
			continue
		}
		if text, ok := decompress(data[i:], work); ok {
			return text, true
		}
	}
	return nil, false
}
