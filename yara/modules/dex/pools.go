package dex

import (
	"encoding/binary"

	"github.com/besra-hunt/besra/yara/module/column"
)

// noIndex stands for no superclass and no source file.
const noIndex = 0xffffffff

// The lists of YARA-X's model. An entry that refers to something that is not
// there is left out, so later ones move up.

// proto is a prototype of methods.
type proto struct {
	f              *file
	shorty, result string
	parameters     uint32 // offset of their types
}

type field struct{ class, typ, name string }

type method struct {
	class, name string
	proto       proto
}

// class is an entry of the table of classes. name is empty where the type is
// not there, which libyara lists and YARA-X does not.
type class struct {
	f     *file
	name  string
	entry []byte
}

func (f *file) stringList() []string {
	return f.strings.get(func() []string {
		var list []string
		budget := 4*len(f.data) + maxString
		if f.header.stringIDs.off != 0 {
			f.entries(f.header.stringIDs.off, f.header.stringIDs.size, 4, func(e []byte) bool {
				if s, ok := f.stringAt(u32(e)); ok {
					budget -= len(s)
					list = append(list, s)
				}
				return budget > 0
			})
		}
		return list
	})
}

// stringAt reads a string. Its length is in UTF-16 units; like YARA-X we take
// it for bytes, which for other than ASCII text cuts the string.
func (f *file) stringAt(off uint32) (string, bool) {
	if off < headerSize || uint64(off) > uint64(len(f.data)) {
		return "", false
	}
	size, n := binary.Uvarint(f.data[off:])
	if n <= 0 || size > maxString {
		return "", false
	}
	rest := f.data[int(off)+n:]
	if size > uint64(len(rest)) {
		return "", false
	}
	return decodeMUTF8(rest[:size])
}

func (f *file) typeList() []string {
	return f.types.get(func() []string {
		var list []string
		if f.header.typeIDs.off != 0 {
			f.entries(f.header.typeIDs.off, f.header.typeIDs.size, 4, func(e []byte) bool {
				if s, ok := at(f.stringList(), u32(e)); ok {
					list = append(list, s)
				}
				return true
			})
		}
		return list
	})
}

func at[T any](list []T, i uint32) (v T, ok bool) {
	if uint64(i) >= uint64(len(list)) {
		return v, false
	}
	return list[i], true
}

func (f *file) protoList() []proto {
	return f.protos.get(func() []proto {
		var list []proto
		if f.header.protoIDs.off != 0 {
			f.entries(f.header.protoIDs.off, f.header.protoIDs.size, 12, func(e []byte) bool {
				shorty, ok := at(f.stringList(), u32(e))
				result, ok2 := at(f.typeList(), u32(e[4:]))
				if ok && ok2 {
					list = append(list, proto{f, shorty, result, u32(e[8:])})
				}
				return true
			})
		}
		return list
	})
}

// types are the types of the parameters: none where the list is not there or
// has more than the instruction set allows.
func (p proto) types() []string {
	data := p.f.data
	if p.parameters == 0 || !p.f.fits(uint64(p.parameters), 4) {
		return nil
	}
	n := u32(data[p.parameters:])
	if n > maxParameters {
		return nil
	}
	var list []string
	for rest := data[p.parameters+4:]; n > 0 && len(rest) >= 2; n, rest = n-1, rest[2:] {
		if s, ok := at(p.f.typeList(), u16(rest)); ok {
			list = append(list, s)
		}
	}
	return list
}

func (f *file) fieldList() []field {
	return f.fields.get(func() []field {
		var list []field
		if f.header.fieldIDs.off != 0 {
			f.entries(f.header.fieldIDs.off, f.header.fieldIDs.size, 8, func(e []byte) bool {
				class, ok := at(f.typeList(), u16(e))
				typ, ok2 := at(f.typeList(), u16(e[2:]))
				name, ok3 := at(f.stringList(), u32(e[4:]))
				if ok && ok2 && ok3 {
					list = append(list, field{class, typ, name})
				}
				return true
			})
		}
		return list
	})
}

func (f *file) methodList() []method {
	return f.methods.get(func() []method {
		var list []method
		if f.header.methodIDs.off != 0 {
			f.entries(f.header.methodIDs.off, f.header.methodIDs.size, 8, func(e []byte) bool {
				class, ok := at(f.typeList(), u16(e))
				proto, ok2 := at(f.protoList(), u16(e[2:]))
				name, ok3 := at(f.stringList(), u32(e[4:]))
				if ok && ok2 && ok3 {
					list = append(list, method{class, name, proto})
				}
				return true
			})
		}
		return list
	})
}

func (f *file) classList() []class {
	return f.classes.get(func() []class {
		var list []class
		if f.header.classDefs.off == 0 || f.libyara && !f.tableList().classesFit {
			return nil
		}
		f.entries(f.header.classDefs.off, f.header.classDefs.size, classSize, func(e []byte) bool {
			if name, ok := at(f.typeList(), u32(e)); ok || f.libyara {
				list = append(list, class{f, name, e})
			}
			return true
		})
		return list
	})
}

var protoColumns = []column.Column[proto]{
	column.Text("shorty", "The prototype in short form: the result's and the parameters' types, one letter each.", func(p proto) string { return p.shorty }),
	column.Text("return_type", "The type of the result.", func(p proto) string { return p.result }),
	column.Int("parameters_count", "The number of parameters.", func(p proto) int { return len(p.types()) }),
	column.Texts("parameters", "The types of the parameters.", proto.types),
}

var fieldColumns = []column.Column[field]{
	column.Text("class", "The class that the field is of.", func(f field) string { return f.class }),
	column.Text("type", "The field's type.", func(f field) string { return f.typ }),
	column.Text("name", "The field's name.", func(f field) string { return f.name }),
}

var methodColumns = []column.Column[method]{
	column.Text("class", "The class that the method is of.", func(m method) string { return m.class }),
	column.Sub("proto", "The method's prototype.", "ProtoItem", protoColumns, func(m method) (proto, bool) { return m.proto, true }),
	column.Text("name", "The method's name.", func(m method) string { return m.name }),
}

// word is an entry's number by its place.
func (c class) word(i int) uint32 { return u32(c.entry[4*i:]) }

var classColumns = []column.Column[class]{
	column.OptText("class", "The class's own type.", func(c class) (string, bool) { return at(c.f.typeList(), c.word(0)) }),
	column.Int("access_flags", "Flags, a sum of ACC_*.", func(c class) uint32 { return c.word(1) }),
	column.OptText("superclass", "The type that the class extends.", func(c class) (string, bool) {
		s, ok := at(c.f.typeList(), c.word(2))
		return s, ok && c.word(2) != noIndex
	}),
	column.OptText("source_file", "The source file that the class was compiled from.", func(c class) (string, bool) {
		s, ok := at(c.f.stringList(), c.word(4))
		return s, ok && c.word(4) != noIndex
	}),
	column.Int("class_idx", "The index of the class's own type.", func(c class) uint32 { return c.word(0) }),
	column.Int("super_class_idx", "The index of the type that the class extends, or NO_INDEX.", func(c class) uint32 { return c.word(2) }),
	column.Int("interfaces_offset", "The offset of the list of interfaces.", func(c class) uint32 { return c.word(3) }),
	column.Int("source_file_idx", "The index of the string with the source file, or NO_INDEX.", func(c class) uint32 { return c.word(4) }),
	column.Int("annotations_offset", "The offset of the annotations.", func(c class) uint32 { return c.word(5) }),
	column.Int("class_data_offset", "The offset of the fields and methods.", func(c class) uint32 { return c.word(6) }),
	column.Int("static_values_offset", "The offset of the initial values of static fields.", func(c class) uint32 { return c.word(7) }),
}
