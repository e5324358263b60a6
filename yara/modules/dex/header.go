package dex

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module/column"
)

// headerSize is the size of the header up to version 40.
const headerSize = 0x70

// The byte orders a header may give. Files are read as little endian in any
// case.
const (
	endianConstant        = 0x12345678
	reverseEndianConstant = 0x78563412
)

// header is the header of a file; see
// https://source.android.com/docs/core/runtime/dex-format#header-item.
type header struct {
	magic                               uint64 // all 8 bytes, as they spell an integer
	version                             uint32
	checksum                            uint32
	signature                           []byte
	fileSize, headerSize, endianTag     uint32
	linkSize, linkOff, mapOff           uint32
	stringIDs, typeIDs, protoIDs        span
	fieldIDs, methodIDs, classDefs, dat span
	containerSize, headerOffset         uint32 // since version 41
}

// span is a table: how many entries it has, and where.
type span struct{ size, off uint32 }

// parseHeader reads a header; ok is false where it is cut short.
func parseHeader(data []byte) (h header, ok bool) {
	h.magic = binary.BigEndian.Uint64(data)
	h.version = version(data[4:8])
	r := binfmt.NewReader(data[8:], binfmt.Little)
	h.checksum = r.U32()
	h.signature = r.Bytes(20)
	h.fileSize, h.headerSize, h.endianTag = r.U32(), r.U32(), r.U32()
	h.linkSize, h.linkOff, h.mapOff = r.U32(), r.U32(), r.U32()
	for _, s := range []*span{&h.stringIDs, &h.typeIDs, &h.protoIDs, &h.fieldIDs, &h.methodIDs, &h.classDefs, &h.dat} {
		s.size, s.off = r.U32(), r.U32()
	}
	if h.version >= 41 {
		h.containerSize, h.headerOffset = r.U32(), r.U32()
	}
	return h, r.OK()
}

// version reads three digits and a NUL; 0 for a version that is not known.
func version(b []byte) uint32 {
	if b[0] != '0' || b[1] < '3' || b[1] > '4' || b[2] < '0' || b[2] > '9' || b[3] != 0 {
		return 0
	}
	v := 10*uint32(b[1]-'0') + uint32(b[2]-'0')
	if v < 35 || v > 41 {
		return 0
	}
	return v
}

// sound is what YARA-X asks of a header.
func (h *header) sound(size uint32) bool {
	for _, off := range []uint32{h.fileSize, h.linkOff, h.mapOff, h.stringIDs.off, h.typeIDs.off, h.protoIDs.off,
		h.fieldIDs.off, h.methodIDs.off, h.classDefs.off, h.dat.off} {
		if off > size {
			return false
		}
	}
	return h.version != 0 && h.headerSize == headerSize &&
		(h.endianTag == endianConstant || h.endianTag == reverseEndianConstant) &&
		h.typeIDs.size <= 0xffff && h.protoIDs.size <= 0xffff
}

// libyaraKnows is what libyara asks of a file.
func libyaraKnows(data []byte) bool {
	v := version(data[4:8])
	return len(data) >= headerSize && v >= 35 && v <= 39
}

var headerColumns = []column.Column[*file]{
	column.Int("magic", `The bytes "dex\n" as an integer; all 8 bytes of the magic under the LibYARA dialect.`, func(f *file) uint64 {
		if f.libyara {
			return f.header.magic
		}
		return f.header.magic >> 32
	}),
	column.Int("version", "The version of the format, such as 35.", func(f *file) uint32 { return f.header.version }),
	column.Int("checksum", "The Adler-32 checksum that the header gives; compare checksum().", func(f *file) uint32 { return f.header.checksum }),
	column.Text("signature", "The SHA-1 digest that the header gives, in hexadecimal digits; its bytes under the LibYARA dialect.", func(f *file) string {
		if f.libyara {
			return string(f.header.signature)
		}
		return hex.EncodeToString(f.header.signature)
	}),
	column.Int("file_size", "The size of the file as the header says, in bytes.", func(f *file) uint32 { return f.header.fileSize }),
	column.Int("header_size", "In bytes.", func(f *file) uint32 { return f.header.headerSize }),
	column.Int("endian_tag", "ENDIAN_CONSTANT or REVERSE_ENDIAN_CONSTANT.", func(f *file) uint32 { return f.header.endianTag }),
	column.Int("link_size", "The size of the link section, in bytes.", func(f *file) uint32 { return f.header.linkSize }),
	column.Int("link_off", "The offset of the link section.", func(f *file) uint32 { return f.header.linkOff }),
	column.Int("link_offset", "The same as link_off.", func(f *file) uint32 { return f.header.linkOff }),
	column.Int("map_offset", "The offset of the map.", func(f *file) uint32 { return f.header.mapOff }),
	column.Int("string_ids_size", "The number of strings.", func(f *file) uint32 { return f.header.stringIDs.size }),
	column.Int("string_ids_offset", "The offset of the table of strings.", func(f *file) uint32 { return f.header.stringIDs.off }),
	column.Int("type_ids_size", "The number of types.", func(f *file) uint32 { return f.header.typeIDs.size }),
	column.Int("type_ids_offset", "The offset of the table of types.", func(f *file) uint32 { return f.header.typeIDs.off }),
	column.Int("proto_ids_size", "The number of prototypes.", func(f *file) uint32 { return f.header.protoIDs.size }),
	column.Int("proto_ids_offset", "The offset of the table of prototypes.", func(f *file) uint32 { return f.header.protoIDs.off }),
	column.Int("field_ids_size", "The number of fields.", func(f *file) uint32 { return f.header.fieldIDs.size }),
	column.Int("field_ids_offset", "The offset of the table of fields.", func(f *file) uint32 { return f.header.fieldIDs.off }),
	column.Int("method_ids_size", "The number of methods.", func(f *file) uint32 { return f.header.methodIDs.size }),
	column.Int("method_ids_offset", "The offset of the table of methods.", func(f *file) uint32 { return f.header.methodIDs.off }),
	column.Int("class_defs_size", "The number of classes.", func(f *file) uint32 { return f.header.classDefs.size }),
	column.Int("class_defs_offset", "The offset of the table of classes.", func(f *file) uint32 { return f.header.classDefs.off }),
	column.Int("data_size", "The size of the data section, in bytes.", func(f *file) uint32 { return f.header.dat.size }),
	column.Int("data_off", "The offset of the data section.", func(f *file) uint32 { return f.header.dat.off }),
	column.Int("data_offset", "The same as data_off.", func(f *file) uint32 { return f.header.dat.off }),
	column.OptInt("container_size", "The size of the container, in bytes; since version 41.", func(f *file) (uint32, bool) { return f.header.containerSize, f.header.version >= 41 }),
	column.OptInt("header_offset", "The offset of the header in the container; since version 41.", func(f *file) (uint32, bool) { return f.header.headerOffset, f.header.version >= 41 }),
}
