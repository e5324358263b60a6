package dotnet

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// builder makes a .NET file: a PE file with one section that has nothing but
// metadata.
type builder struct {
	machine  uint16
	wide     uint8 // which heaps are referred to with four bytes
	strings  []byte
	blobs    []byte
	user     []byte
	guids    []byte
	resource []byte
	rows     [tableCount][][]uint32
	streams  []stream // more streams
}

const (
	sectionRVA    = 0x2000
	sectionOffset = 0x200
	metadataAt    = 0x100 // in the section
)

func newBuilder() *builder {
	return &builder{machine: 0x14c, strings: []byte{0}, blobs: []byte{0}, user: []byte{0}}
}

func (b *builder) str(s string) uint32 {
	if s == "" {
		return 0
	}
	at := len(b.strings)
	b.strings = append(append(b.strings, s...), 0)
	return uint32(at)
}

func packInt(v int) []byte {
	switch {
	case v < 0x80:
		return []byte{byte(v)}
	case v < 0x4000:
		return []byte{0x80 | byte(v>>8), byte(v)}
	}
	return []byte{0xc0 | byte(v>>24), byte(v >> 16), byte(v >> 8), byte(v)}
}

func (b *builder) blob(data ...byte) uint32 {
	at := len(b.blobs)
	b.blobs = append(append(b.blobs, packInt(len(data))...), data...)
	return uint32(at)
}

func wide(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}

func (b *builder) literal(s string) {
	data := append(wide(s), 0)
	b.user = append(append(b.user, packInt(len(data))...), data...)
}

// add appends a row and returns its number, which counts from 1.
func (b *builder) add(table int, cells ...uint32) uint32 {
	b.rows[table] = append(b.rows[table], cells)
	return uint32(len(b.rows[table]))
}

// ref is a reference to a row of one of several tables.
func ref(c cell, table uint8, number uint32) uint32 {
	tag := bytes.IndexByte(codedTables[c-coded], table)
	return number<<tagBits(c) | uint32(tag)
}

// tables lays the #~ stream out.
func (b *builder) tables() []byte {
	t := new(tables)
	present := uint64(0)
	var counts []byte
	for i := range b.rows {
		if n := len(b.rows[i]); n > 0 {
			present |= 1 << i
			t.rows[i] = n
			counts = binary.LittleEndian.AppendUint32(counts, uint32(n))
		}
	}
	t.setWidths(b.wide)
	out := []byte{0, 0, 0, 0, 2, 0, b.wide, 1}
	out = binary.LittleEndian.AppendUint64(out, present)
	out = append(append(out, make([]byte, 8)...), counts...)
	for i, rows := range b.rows {
		for _, cells := range rows {
			for j, c := range layouts[i] {
				out = appendCell(out, cells[j], c, t.wide[c])
			}
		}
	}
	return out
}

func appendCell(out []byte, v uint32, c cell, wide bool) []byte {
	switch {
	case c == u8:
		return append(out, byte(v))
	case c == u32 || wide:
		return binary.LittleEndian.AppendUint32(out, v)
	}
	return binary.LittleEndian.AppendUint16(out, uint16(v))
}

// metadata lays the root and its streams out.
func (b *builder) metadata() []byte {
	type part struct {
		name string
		data []byte
	}
	parts := []part{{"#~", b.tables()}, {"#Strings", b.strings}, {"#US", b.user}, {"#GUID", b.guids}, {"#Blob", b.blobs}}
	le := binary.LittleEndian
	version := "v4.0.30319\x00\x00"
	out := le.AppendUint32(nil, metadataMagic)
	out = append(out, 1, 0, 1, 0, 0, 0, 0, 0)
	out = append(le.AppendUint32(out, uint32(len(version))), version...)
	out = append(out, 0, 0, byte(len(parts)+len(b.streams)), 0)
	at := len(out)
	for _, p := range parts {
		at += 8 + (len(p.name)+4)&^3
	}
	for _, s := range b.streams {
		at += 8 + (len(s.name)+4)&^3
	}
	var bodies []byte
	header := func(name string, offset, size uint32) {
		out = le.AppendUint32(le.AppendUint32(out, offset), size)
		out = append(append(out, name...), make([]byte, (len(name)+4)&^3-len(name))...)
	}
	for _, p := range parts {
		header(p.name, uint32(at+len(bodies)), uint32(len(p.data)))
		bodies = append(bodies, p.data...)
	}
	for _, s := range b.streams {
		header(string(s.name), s.offset, s.size)
	}
	return append(out, bodies...)
}

// bytes lays the whole file out.
func (b *builder) bytes() []byte {
	metadata := b.metadata()
	resources := metadataAt + len(metadata)
	section := make([]byte, metadataAt, resources+len(b.resource))
	le := binary.LittleEndian
	le.PutUint32(section, cliHeaderSize)
	le.PutUint32(section[8:], sectionRVA+metadataAt)
	le.PutUint32(section[12:], uint32(len(metadata)))
	le.PutUint32(section[24:], uint32(sectionRVA+resources))
	le.PutUint32(section[28:], uint32(len(b.resource)))
	section = append(append(section, metadata...), b.resource...)
	out := make([]byte, sectionOffset)
	copy(out, "MZ")
	le.PutUint32(out[0x3c:], 0x40)
	nt := out[0x40:]
	copy(nt, "PE\x00\x00")
	le.PutUint16(nt[4:], b.machine)
	le.PutUint16(nt[6:], 1)    // sections
	le.PutUint16(nt[20:], 224) // size of the optional header
	optional := nt[24:]
	le.PutUint16(optional, 0x10b)
	le.PutUint32(optional[32:], 0x2000) // section alignment
	le.PutUint32(optional[36:], 0x200)  // file alignment
	le.PutUint32(optional[92:], 16)     // directories
	le.PutUint32(optional[96+14*8:], sectionRVA)
	le.PutUint32(optional[96+14*8+4:], cliHeaderSize)
	header := optional[224:]
	copy(header, ".text")
	le.PutUint32(header[8:], uint32(len(section)))
	le.PutUint32(header[12:], sectionRVA)
	le.PutUint32(header[16:], uint32(len(section)))
	le.PutUint32(header[20:], sectionOffset)
	return append(out, section...)
}

// sample is an assembly with a bit of everything.
func sample(heaps uint8) *builder {
	b := newBuilder()
	b.wide = heaps
	b.add(tabModule, 0, b.str("sample.exe"), 1, 0, 0)
	object := b.add(tabTypeRef, 0, b.str("Object"), b.str("System"))
	list := b.add(tabTypeRef, 0, b.str("List`1"), b.str("System.Collections"))
	guidAttribute := b.add(tabTypeRef, 0, b.str("GuidAttribute"), b.str("System.Runtime.InteropServices"))
	bare := b.add(tabTypeRef, 0, b.str("Bare"), 0)
	b.add(tabTypeDef, 0, b.str("<Module>"), 0, 0, 1, 1)
	b.add(tabTypeDef, 0x181, b.str("Box`1"), b.str("My.Space"), ref(typeDefOrRef, tabTypeRef, object), 1, 1)
	b.add(tabTypeDef, 0x03, b.str("Inner"), 0, ref(typeDefOrRef, tabTypeSpec, 1), 1, 4)
	b.add(tabTypeDef, 0xa0, b.str("Face"), 0, 0, 1, 5)
	b.add(tabNestedClass, 3, 2)
	b.add(tabInterface, 2, ref(typeDefOrRef, tabTypeDef, 4))
	b.add(tabInterface, 2, ref(typeDefOrRef, tabTypeRef, bare))
	b.add(tabGenericParam, 0, 0, ref(typeOrMethodDef, tabTypeDef, 2), b.str("T"))
	b.add(tabGenericParam, 0, 0, ref(typeOrMethodDef, tabMethodDef, 2), b.str("U"))
	ctor := b.str(".ctor")
	b.add(tabMethodDef, 0, 0, 6, ctor, b.blob(0x20, 0, 1), 1)
	listOfT := []byte{typGeneric, typClass, byte(ref(typeDefOrRef, tabTypeRef, list)), 1, typVar, 0}
	sig := append([]byte{0x10, 1, 6, typMethodVar, 0}, listOfT...) // U Get<U>(List<T>, …)
	sig = append(sig, typByRef, 0x08, typVector, typString, typArray, 0x08, 2, 2, 3, 4, 2, 0, 2)
	sig = append(sig, typPtr, 0x01, typFunction, 0, 2, 0x01, 0x02, 0x03)
	b.add(tabMethodDef, 0, 0, 0x16|0x40, b.str("Get"), b.blob(sig...), 1)
	b.add(tabMethodDef, 0, 0, 1|0x20, b.str("Bad"), b.blob(0, 1, 1, 0x17), 1)
	b.add(tabMethodDef, 0, 0, 5|0x400, b.str("Sum"), b.blob(0, 1, 0x0d, typValue, byte(ref(typeDefOrRef, tabTypeDef, 3))), 3)
	b.add(tabParam, 0, 1, b.str("first"))
	b.add(tabParam, 0, 2, b.str("second"))
	b.add(tabTypeSpec, b.blob(listOfT[:4]...))
	b.rows[tabTypeSpec][0][0] = b.blob(typGeneric, typClass, byte(ref(typeDefOrRef, tabTypeRef, list)), 1, 0x08)
	constructor := b.add(tabMemberRef, ref(memberParent, tabTypeRef, guidAttribute), ctor, 0)
	b.add(tabAttribute, ref(hasAttribute, tabAssembly, 1), ref(attributeType, tabMemberRef, constructor), b.blob([]byte("\x01\x00\x04abcd\x00\x00")...))
	b.add(tabConstant, typString, 0, ref(hasConstant, tabField, 1), b.blob(wide("const")...))
	b.add(tabConstant, 0x08, 0, ref(hasConstant, tabField, 1), b.blob(1, 0, 0, 0))
	b.add(tabField, 0, b.str("data"), 0)
	b.add(tabFieldRVA, sectionRVA+0x10, 1)
	b.add(tabFieldRVA, 0x7fffffff, 1)
	b.add(tabModuleRef, b.str("kernel32.dll"))
	b.add(tabAssembly, 0x8004, 1, 2, 3, 4, 0, 0, b.str("sample"), b.str("en-US"))
	b.add(tabAssemblyRef, 4, 0, 0, 9, 0, b.blob(0xb7, 0x7a), b.str("mscorlib"), 0, 0)
	b.resource = append([]byte{0, 0, 0, 0, 5, 0, 0, 0}, "hello"...)
	b.add(tabResource, 4, 1, b.str("here"), 0)
	b.add(tabResource, 0, 1, b.str("elsewhere"), ref(resourceOwner, tabAssemblyRef, 1))
	b.literal("literal")
	b.literal("")
	b.literal("é")
	b.guids = append(b.guids, []byte("\x03\x02\x01\x00\x05\x04\x07\x06\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f")...)
	return b
}
