// Package containertest makes OLE compound files for tests and fuzzing seeds.
package containertest

import (
	"encoding/binary"
	"unicode/utf16"
)

// Stream is a stream to put into a compound file.
type Stream struct {
	Name string
	Data []byte
}

// Special numbers of sectors.
const (
	EndOfChain = 0xfffffffe
	Free       = 0xffffffff
	fatSector  = 0xfffffffd
)

const (
	sectorSize = 512
	miniSize   = 64
	smallest   = 4096 // streams shorter than this are in small sectors
)

// Compound makes a compound file of version 3 with a root and streams. It has
// room for some 7 MiB.
func Compound(streams ...Stream) []byte {
	b := &builder{}
	entries := [][]byte{nil}
	for _, s := range streams {
		start := b.add(s.Data)
		entries = append(entries, entry(s.Name, 2, start, len(s.Data)))
	}
	miniStart := b.chain(pad(b.mini, sectorSize))
	entries[0] = entry("Root Entry", 5, miniStart, len(b.mini))
	var directory, miniFAT []byte
	for i, e := range entries {
		relate(e, i, len(entries))
		directory = append(directory, e...)
	}
	for _, n := range b.miniFAT {
		miniFAT = binary.LittleEndian.AppendUint32(miniFAT, n)
	}
	return b.file(b.chain(pad(directory, sectorSize)), b.chain(pad(miniFAT, sectorSize)))
}

// builder collects sectors and what follows each.
type builder struct {
	sectors []byte
	fat     []uint32
	mini    []byte
	miniFAT []uint32
}

func (b *builder) add(data []byte) uint32 {
	if len(data) >= smallest {
		return b.chain(pad(data, sectorSize))
	}
	if len(data) == 0 {
		return EndOfChain
	}
	start := len(b.mini) / miniSize
	b.mini = append(b.mini, pad(data, miniSize)...)
	b.miniFAT = link(b.miniFAT, len(b.mini)/miniSize)
	return uint32(start)
}

func (b *builder) chain(data []byte) uint32 {
	if len(data) == 0 {
		return EndOfChain
	}
	start := len(b.fat)
	b.sectors = append(b.sectors, data...)
	b.fat = link(b.fat, len(b.sectors)/sectorSize)
	return uint32(start)
}

// link adds a chain up to a number of sectors.
func link(table []uint32, to int) []uint32 {
	for len(table) < to-1 {
		table = append(table, uint32(len(table)+1))
	}
	return append(table, EndOfChain)
}

func pad(b []byte, to int) []byte {
	return append(b[:len(b):len(b)], make([]byte, (to-len(b)%to)%to)...)
}

// file puts the header before the sectors and the table after them.
func (b *builder) file(directory, miniFAT uint32) []byte {
	n := 1
	for n*sectorSize/4 < len(b.fat)+n {
		n++
	}
	first := len(b.fat)
	for range n {
		b.fat = append(b.fat, fatSector)
	}
	for len(b.fat)%(sectorSize/4) != 0 {
		b.fat = append(b.fat, Free)
	}
	out := header(directory, miniFAT, first, n)
	out = append(out, b.sectors...)
	for _, next := range b.fat {
		out = binary.LittleEndian.AppendUint32(out, next)
	}
	return out
}

func header(directory, miniFAT uint32, firstFAT, fatCount int) []byte {
	h := make([]byte, sectorSize)
	copy(h, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	le := binary.LittleEndian
	le.PutUint16(h[24:], 0x3e)
	le.PutUint16(h[26:], 3)
	le.PutUint16(h[28:], 0xfffe)
	le.PutUint16(h[30:], 9)
	le.PutUint16(h[32:], 6)
	le.PutUint32(h[44:], uint32(fatCount))
	le.PutUint32(h[48:], directory)
	le.PutUint32(h[56:], smallest)
	le.PutUint32(h[60:], miniFAT)
	le.PutUint32(h[64:], 1)
	le.PutUint32(h[68:], EndOfChain)
	for i := range 109 {
		n := uint32(Free)
		if i < fatCount {
			n = uint32(firstFAT + i)
		}
		le.PutUint32(h[76+4*i:], n)
	}
	return h
}

// relate makes entries children of the root, each the right sibling of the one
// before.
func relate(e []byte, i, count int) {
	left, right, child := uint32(Free), uint32(Free), uint32(Free)
	switch {
	case i == 0 && count > 1:
		child = 1
	case i > 0 && i+1 < count:
		right = uint32(i + 1)
	}
	for j, n := range []uint32{left, right, child} {
		binary.LittleEndian.PutUint32(e[68+4*j:], n)
	}
}

func entry(name string, kind byte, start uint32, size int) []byte {
	e := make([]byte, 128)
	units := utf16.Encode([]rune(name))
	for i, u := range units {
		binary.LittleEndian.PutUint16(e[2*i:], u)
	}
	binary.LittleEndian.PutUint16(e[64:], uint16(2*len(units)+2))
	e[66] = kind
	binary.LittleEndian.PutUint32(e[116:], start)
	binary.LittleEndian.PutUint32(e[120:], uint32(size))
	return e
}
