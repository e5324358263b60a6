package pe_test

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// builder makes PE files by hand: headers, and one section that everything
// else is put in. Its address is base, its offset in the file raw.
type builder struct {
	is64    bool
	stub    []byte // between the DOS and the PE header
	data    []byte // of the section
	dirs    [16][2]uint32
	entry   uint32
	overlay []byte
}

const (
	base = 0x1000
	raw  = 0x400
)

var le = binary.LittleEndian

// add puts bytes into the section, aligned to 8, and returns their address.
func (b *builder) add(p ...byte) uint32 {
	for len(b.data)%8 != 0 {
		b.data = append(b.data, 0)
	}
	b.data = append(b.data, p...)
	return base + uint32(len(b.data)-len(p))
}

func (b *builder) text(s string) uint32 { return b.add(append([]byte(s), 0)...) }

func (b *builder) dir(i int, rva uint32, size int) { b.dirs[i] = [2]uint32{rva, uint32(size)} }

func u16s(v ...uint16) (p []byte) {
	for _, x := range v {
		p = le.AppendUint16(p, x)
	}
	return p
}

func u32s(v ...uint32) (p []byte) {
	for _, x := range v {
		p = le.AppendUint32(p, x)
	}
	return p
}

// words are as wide as the file's pointers.
func (b *builder) words(v ...uint64) (p []byte) {
	for _, x := range v {
		if b.is64 {
			p = le.AppendUint64(p, x)
		} else {
			p = le.AppendUint32(p, uint32(x))
		}
	}
	return p
}

// bytes is the file.
func (b *builder) bytes() []byte {
	f := make([]byte, 64)
	copy(f, "MZ")
	f = append(f, b.stub...)
	le.PutUint32(f[60:], uint32(len(f)))
	f = append(f, "PE\x00\x00"...)
	machine, magic, optional := uint16(0x14c), uint16(0x10b), 96+128
	if b.is64 {
		machine, magic, optional = 0x8664, 0x20b, 112+128
	}
	f = append(f, u16s(machine, 1)...)
	f = append(f, u32s(1700000000, 0, 0)...)
	f = append(f, u16s(uint16(optional), 0x2102)...)
	f = append(f, u16s(magic)...)
	f = append(f, 14, 36)
	size := (len(b.data) + 511) &^ 511
	f = append(f, u32s(uint32(size), 1, 2, b.entry, base)...)
	if b.is64 {
		f = le.AppendUint64(f, 0x140000000)
	} else {
		f = append(f, u32s(base, 0x400000)...)
	}
	f = append(f, u32s(0x1000, 0x200)...)
	f = append(f, u16s(6, 1, 1, 2, 6, 2)...)
	f = append(f, u32s(0, 0x10000, raw, 0)...)
	f = append(f, u16s(3, 0x8160)...)
	f = append(f, b.words(0x100000, 0x1000, 0x100000, 0x1000)...)
	f = append(f, u32s(0, 16)...)
	for _, d := range b.dirs {
		f = append(f, u32s(d[0], d[1])...)
	}
	f = append(f, ".all\x00\x00\x00\x00"...)
	f = append(f, u32s(uint32(len(b.data)), base, uint32(size), raw, 0, 0, 0, 0x60000020)...)
	f = append(f, make([]byte, raw-len(f))...)
	f = append(f, b.data...)
	f = append(f, make([]byte, raw+size-len(f))...)
	return append(f, b.overlay...)
}

// imported is a library and what to import from it; a name "#7" is an ordinal.
type imported struct {
	library string
	names   []string
}

// thunks puts the import name table of a library into the section.
func (b *builder) thunks(names []string, imageBase uint64) []byte {
	var t []byte
	for _, name := range names {
		if name[0] == '#' {
			ordinal := uint64(0)
			for _, c := range name[1:] {
				ordinal = ordinal*10 + uint64(c-'0')
			}
			if b.is64 {
				t = append(t, b.words(1<<63|ordinal)...)
			} else {
				t = append(t, b.words(1<<31|ordinal)...)
			}
			continue
		}
		t = append(t, b.words(uint64(b.add(append([]byte{1, 0}, name+"\x00"...)...))+imageBase)...)
	}
	return append(t, b.words(0)...)
}

func (b *builder) imports(libraries ...imported) {
	var table []byte
	for _, l := range libraries {
		t := b.thunks(l.names, 0)
		names, addresses := b.add(t...), b.add(t...)
		table = append(table, u32s(names, 0, 0, b.text(l.library), addresses)...)
	}
	table = append(table, make([]byte, 20)...)
	b.dir(1, b.add(table...), len(table))
}

// delayed makes a delay import table; imageBase is that of Visual C++ 6, which
// wrote absolute addresses, 0 for the newer kind.
func (b *builder) delayed(imageBase uint32, libraries ...imported) {
	var table []byte
	attributes := uint32(1)
	if imageBase != 0 {
		attributes = 0
	}
	for _, l := range libraries {
		t := b.thunks(l.names, uint64(imageBase))
		names, addresses := b.add(t...)+imageBase, b.add(t...)+imageBase
		table = append(table, u32s(attributes, b.text(l.library)+imageBase, 0, addresses, names, 0, 0, 0)...)
	}
	table = append(table, make([]byte, 32)...)
	b.dir(13, b.add(table...), len(table))
}

// exported is a function with a name, or none, and a forwarder, or none.
type exported struct{ name, forward string }

func (b *builder) exports(library string, ordinalBase uint32, functions ...exported) {
	head := b.add(make([]byte, 40)...) - base
	var addresses, names, ordinals []byte
	n := uint32(0)
	for i, f := range functions {
		rva := uint32(base + 0x10*i)
		if f.forward != "" {
			rva = b.text(f.forward)
		}
		addresses = append(addresses, u32s(rva)...)
		if f.name != "" {
			names = append(names, u32s(b.text(f.name))...)
			ordinals = append(ordinals, u16s(uint16(i))...)
			n++
		}
	}
	dir := u32s(0, 1600000000, 0, b.text(library), ordinalBase, uint32(len(functions)), n, b.add(addresses...), b.add(names...), b.add(ordinals...))
	copy(b.data[head:], dir)
	b.dir(0, base+head, len(b.data)-int(head))
}

// node is a resource or a directory of them, under a number or a name.
type node struct {
	id       uint32
	name     string
	children []node
	data     []byte
}

// resources lays out a tree: directories are relative to the root.
func (b *builder) resources(nodes ...node) {
	var rsrc []byte
	var leaves []int // offsets of data entries, whose first word is an offset yet
	var dir func(nodes []node) uint32
	dir = func(nodes []node) uint32 {
		at := len(rsrc)
		named := 0
		for _, n := range nodes {
			if n.name != "" {
				named++
			}
		}
		rsrc = append(rsrc, u32s(0, 1500000000)...)
		rsrc = append(rsrc, u16s(4, 1, uint16(named), uint16(len(nodes)-named))...)
		rsrc = append(rsrc, make([]byte, 8*len(nodes))...)
		for i, n := range nodes {
			id, child := n.id, uint32(0)
			if n.name != "" {
				id = 1<<31 | uint32(len(rsrc))
				rsrc = append(rsrc, u16s(uint16(len(n.name)))...)
				rsrc = append(rsrc, utf16le(n.name)...)
			}
			for len(rsrc)%4 != 0 {
				rsrc = append(rsrc, 0)
			}
			if n.children != nil {
				child = 1<<31 | dir(n.children)
			} else {
				child = uint32(len(rsrc))
				leaves = append(leaves, len(rsrc))
				rsrc = append(rsrc, u32s(child+16, uint32(len(n.data)), 0, 0)...)
				rsrc = append(rsrc, n.data...)
			}
			copy(rsrc[at+16+8*i:], u32s(id, child))
		}
		return uint32(at)
	}
	dir(nodes)
	root := b.add(rsrc...)
	for _, at := range leaves {
		p := b.data[int(root)-base+at:]
		le.PutUint32(p, le.Uint32(p)+root)
	}
	b.dir(2, root, len(rsrc))
}

func utf16le(s string) (p []byte) { return u16s(utf16.Encode([]rune(s))...) }

// versionNode is a node of version information: its key, value and children.
func versionNode(key string, kind uint16, valueLength int, value []byte, children ...[]byte) []byte {
	p := append(u16s(0, uint16(valueLength), kind), utf16le(key+"\x00")...)
	for _, part := range append([][]byte{value}, children...) {
		for len(p)%4 != 0 {
			p = append(p, 0)
		}
		p = append(p, part...)
	}
	le.PutUint16(p, uint16(len(p)))
	return p
}

// versionInfo is a VS_VERSIONINFO with strings, given as keys and values.
func versionInfo(pairs ...string) []byte {
	var list [][]byte
	for i := 0; i < len(pairs); i += 2 {
		value := utf16le(pairs[i+1] + "\x00")
		list = append(list, versionNode(pairs[i], 1, len(value)/2, value))
	}
	fixed := make([]byte, 52)
	table := versionNode("040904b0", 1, 0, nil, list...)
	return versionNode("VS_VERSION_INFO", 0, len(fixed), fixed,
		versionNode("StringFileInfo", 1, 0, nil, table),
		versionNode("VarFileInfo", 1, 0, nil, versionNode("Translation", 0, 4, []byte{9, 4, 0xb0, 4})))
}

// debug makes a debug directory with a CodeView record.
func (b *builder) debug(record string) {
	at := b.text(record)
	entry := u32s(0, 0, 0, 2, uint32(len(record)), at, at-base+raw)
	b.dir(6, b.add(entry...), len(entry))
}

// richStub is a DOS stub with a rich header of tools, each with its id, build
// and count.
func richStub(key uint32, tools ...[3]uint32) []byte {
	words := []uint32{0x536e6144, 0, 0, 0}
	for _, t := range tools {
		words = append(words, t[0]<<16|t[1], t[2])
	}
	for i := range words {
		words[i] ^= key
	}
	stub := append([]byte("stub"), u32s(words...)...)
	stub = append(stub, "Rich"...)
	return append(stub, u32s(key, 0)...)
}

// sample has one of everything that is not signed.
func sample(is64 bool) *builder {
	b := &builder{is64: is64, entry: base + 0x20, stub: richStub(0xdeadbeef, [3]uint32{147, 30729, 5}, [3]uint32{1, 0, 44})}
	b.add(bytes.Repeat([]byte{0x90}, 64)...)
	b.imports(
		imported{"KERNEL32.dll", []string{"ExitProcess", "VirtualAlloc"}},
		imported{"ws2_32.DLL", []string{"#115", "WSASend"}},
		imported{"OLEAUT32.dll", []string{"#2", "#65000"}},
		imported{"noext", []string{"#7"}})
	b.delayed(0, imported{"USER32.dll", []string{"MessageBoxA", "#9"}})
	b.exports("sample.dll", 5, exported{"Alpha", ""}, exported{"", ""}, exported{"beta", "NTDLL.RtlBeta"})
	b.resources(
		node{name: "CUSTOM", children: []node{{name: "NAME", children: []node{{name: "LANG", data: []byte("abc")}}}}},
		node{id: 10, children: []node{{id: 101, children: []node{{id: 0x409, data: []byte("data")}, {id: 0x407, data: []byte("Daten")}}}}},
		node{id: 16, children: []node{{id: 1, children: []node{{id: 0x409, data: versionInfo("CompanyName", "Besra ®", "FileVersion", "1.0", "CompanyName", "again", "Empty", "")}}}}})
	b.debug("RSDS0123456789abcdef\x01\x00\x00\x00C:\\src\\sample.pdb")
	b.overlay = []byte("overlay")
	return b
}
