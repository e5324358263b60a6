package dex

import "github.com/besra-hunt/besra/yara/module/column"

// classSize is the size of an entry of the table of classes.
const classSize = 32

// tables are those of libyara's model, as they are in the file. libyara stops
// at the first table that the file has not whole; so do these.
type tables struct {
	strings    []rawString
	types      []uint32
	protos     [][]byte // 12 bytes each
	fields     [][]byte // 8 bytes each
	methods    [][]byte // 8 bytes each
	mapFits    bool     // the map, too
	classesFit bool     // and the table of classes
}

// rawString is an entry of the table of strings; empty where the string is not
// whole.
type rawString struct {
	off   uint32
	value []byte
	ok    bool
}

func (f *file) tableList() tables {
	return f.tables.get(func() (t tables) {
		h := &f.header
		if !f.whole(h.stringIDs, 4) {
			return t
		}
		budget := 16*len(f.data) + maxString
		f.entries(h.stringIDs.off, h.stringIDs.size, 4, func(e []byte) bool {
			s := f.rawStringAt(u32(e))
			budget -= len(s.value)
			t.strings = append(t.strings, s)
			return budget > 0
		})
		if !f.whole(h.typeIDs, 4) {
			return t
		}
		f.entries(h.typeIDs.off, h.typeIDs.size, 4, func(e []byte) bool { t.types = append(t.types, u32(e)); return true })
		for _, table := range []struct {
			span span
			size int
			to   *[][]byte
		}{{h.protoIDs, 12, &t.protos}, {h.fieldIDs, 8, &t.fields}, {h.methodIDs, 8, &t.methods}} {
			if !f.whole(table.span, table.size) {
				return t
			}
			f.entries(table.span.off, table.span.size, table.size, func(e []byte) bool { *table.to = append(*table.to, e); return true })
		}
		t.mapFits = f.mapFits()
		t.classesFit = t.mapFits && f.whole(h.classDefs, classSize)
		return t
	})
}

// whole reports whether the file has all of a table.
func (f *file) whole(s span, size int) bool {
	return f.fits(uint64(s.off), uint64(s.size)*uint64(size))
}

// rawStringAt reads a string as libyara does: the length is taken for one byte
// long and for bytes.
func (f *file) rawStringAt(off uint32) rawString {
	if !f.fits(uint64(off), 4) {
		return rawString{}
	}
	size, _, ok := uleb(f.data[off:])
	if !ok || !f.fits(uint64(off)+1, uint64(size)) || size > maxString {
		return rawString{}
	}
	return rawString{off, f.data[off+1 : off+1+size], true}
}

// uleb reads a number of 1 to 5 bytes of 7 bits each.
func uleb(b []byte) (v uint32, n int, ok bool) {
	for n < 5 {
		if n == len(b) {
			return 0, 0, false
		}
		c := uint32(b[n])
		n++
		if n == 5 {
			return v | c<<28, n, true
		}
		v |= c & 0x7f << (7 * (n - 1))
		if c < 0x80 {
			break
		}
	}
	return v, n, true
}

// mapList is the map of the file's sections.
type mapList struct {
	size  uint32
	ok    bool
	items [][]byte // 12 bytes each
}

const mapItemSize = 12

// mapFits reports whether libyara reads on after the map.
func (f *file) mapFits() bool {
	off := uint64(f.header.mapOff)
	if off == 0 || !f.fits(off, 4) {
		return true
	}
	return f.fits(off, 4+uint64(u32(f.data[off:]))*mapItemSize)
}

func (f *file) sections() mapList {
	return f.mapped.get(func() (m mapList) {
		off := f.header.mapOff
		if !f.fits(uint64(off), 4) || f.libyara && off == 0 {
			return m
		}
		m.size, m.ok = u32(f.data[off:]), true
		if f.libyara && !f.mapFits() {
			return m
		}
		f.entries(off+4, m.size, mapItemSize, func(e []byte) bool { m.items = append(m.items, e); return true })
		return m
	})
}

var mapColumns = []column.Column[*file]{
	column.OptInt("size", "The number of sections.", func(f *file) (uint32, bool) { return f.sections().size, f.sections().ok }),
	column.Rows("items", "The sections.", "MapItem", mapItemColumns, func(f *file) [][]byte { return f.sections().items }),
	column.Rows("map_item", "The same as items.", "MapItem", mapItemColumns, func(f *file) [][]byte { return f.sections().items }),
}

var mapItemColumns = []column.Column[[]byte]{
	column.Int("type", "What the section has, one of TYPE_*.", func(e []byte) uint32 { return u16(e) }),
	column.Int("unused", "Not used.", func(e []byte) uint32 { return u16(e[2:]) }),
	column.Int("size", "The number of items.", func(e []byte) uint32 { return u32(e[4:]) }),
	column.Int("offset", "The offset of the first item.", func(e []byte) uint32 { return u32(e[8:]) }),
}

var stringIDColumns = []column.Column[rawString]{
	column.OptInt("offset", "The offset of the string.", func(s rawString) (uint32, bool) { return s.off, s.ok }),
	column.OptInt("size", "The length of the string.", func(s rawString) (int, bool) { return len(s.value), s.ok }),
	column.OptText("value", "The string.", func(s rawString) (string, bool) { return string(s.value), s.ok }),
}

var typeIDColumns = []column.Column[uint32]{
	column.Int("descriptor_idx", "The index of the string with the type's name.", func(i uint32) uint32 { return i }),
}

var protoIDColumns = []column.Column[[]byte]{
	column.Int("shorty_idx", "The index of the string with the short form.", func(e []byte) uint32 { return u32(e) }),
	column.Int("return_type_idx", "The index of the result's type.", func(e []byte) uint32 { return u32(e[4:]) }),
	column.Int("parameters_offset", "The offset of the parameters' types.", func(e []byte) uint32 { return u32(e[8:]) }),
}

var fieldIDColumns = []column.Column[[]byte]{
	column.Int("class_idx", "The index of the type that the field is of.", func(e []byte) uint32 { return u16(e) }),
	column.Int("type_idx", "The index of the field's type.", func(e []byte) uint32 { return u16(e[2:]) }),
	column.Int("name_idx", "The index of the string with the name.", func(e []byte) uint32 { return u32(e[4:]) }),
}

var methodIDColumns = []column.Column[[]byte]{
	column.Int("class_idx", "The index of the type that the method is of.", func(e []byte) uint32 { return u16(e) }),
	column.Int("proto_idx", "The index of the prototype.", func(e []byte) uint32 { return u16(e[2:]) }),
	column.Int("name_idx", "The index of the string with the name.", func(e []byte) uint32 { return u32(e[4:]) }),
}
