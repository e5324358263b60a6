package mail

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/besra-hunt/besra/source/sourcetest"
)

// node is a stream, or a storage where it has children.
type node struct {
	name     string
	data     string
	children []node
}

const (
	sector   = 512
	noStream = 0xffffffff
	endChain = 0xfffffffe
	fatChain = 0xfffffffd
)

// compound makes a compound file ([MS-CFB]) of nodes. Streams are padded with
// NUL to what has sectors of its own.
type compound struct {
	directory [][128]byte
	streams   []byte
	first     uint32 // sector of the first stream
}

func makeCompound(root []node) []byte {
	count := 1 + countNodes(root)
	dirSectors := (count*128 + sector - 1) / sector
	c := &compound{first: uint32(1 + dirSectors)}
	c.directory = make([][128]byte, 1, count)
	c.entry(0, "Root Entry", 5, c.siblings(root), endChain, 0)
	total := 1 + dirSectors + len(c.streams)/sector
	fat := make([]byte, 0, sector)
	fat = binary.LittleEndian.AppendUint32(fat, fatChain)
	for i := range dirSectors {
		next := uint32(i + 2)
		if i == dirSectors-1 {
			next = endChain
		}
		fat = binary.LittleEndian.AppendUint32(fat, next)
	}
	const perStream = 4096 / sector
	for i := range len(c.streams) / sector {
		next := c.first + uint32(i) + 1
		if i%perStream == perStream-1 {
			next = endChain
		}
		fat = binary.LittleEndian.AppendUint32(fat, next)
	}
	for len(fat) < sector {
		fat = binary.LittleEndian.AppendUint32(fat, noStream)
	}
	out := append(compoundHeader(), fat...)
	dir := make([]byte, dirSectors*sector)
	for i, e := range c.directory {
		copy(dir[i*128:], e[:])
	}
	out = append(append(out, dir...), c.streams...)
	if len(out) != (total+1)*sector {
		panic("layout")
	}
	return out
}

func countNodes(list []node) int {
	n := len(list)
	for _, c := range list {
		n += countNodes(c.children)
	}
	return n
}

func compoundHeader() []byte {
	h := make([]byte, sector)
	copy(h, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	le := binary.LittleEndian
	le.PutUint16(h[24:], 0x3e)
	le.PutUint16(h[26:], 3)
	le.PutUint16(h[28:], 0xfffe)
	le.PutUint16(h[30:], 9)
	le.PutUint16(h[32:], 6)
	le.PutUint32(h[44:], 1) // one sector of FAT
	le.PutUint32(h[48:], 1) // the directory's first
	le.PutUint32(h[56:], 4096)
	le.PutUint32(h[60:], endChain)
	le.PutUint32(h[68:], endChain)
	for i := 76; i < sector; i += 4 {
		le.PutUint32(h[i:], noStream)
	}
	le.PutUint32(h[76:], 0)
	return h
}

// siblings adds nodes, each the right sibling of the one before, and returns
// the number of the first.
func (c *compound) siblings(list []node) uint32 {
	if len(list) == 0 {
		return noStream
	}
	n := len(c.directory)
	c.directory = append(c.directory, [128]byte{})
	me := list[0]
	if me.children != nil {
		child := c.siblings(me.children)
		c.entry(n, me.name, 1, child, 0, 0)
	} else {
		at := c.first + uint32(len(c.streams)/sector)
		c.streams = append(c.streams, me.data+strings.Repeat("\x00", 4096-len(me.data))...)
		c.entry(n, me.name, 2, noStream, at, 4096)
	}
	binary.LittleEndian.PutUint32(c.directory[n][72:], c.siblings(list[1:]))
	return uint32(n)
}

func (c *compound) entry(n int, name string, kind byte, child, start, size uint32) {
	e := &c.directory[n]
	for i, u := range utf16.Encode([]rune(name)) {
		binary.LittleEndian.PutUint16(e[2*i:], u)
	}
	le := binary.LittleEndian
	le.PutUint16(e[64:], uint16(2*len(name)+2))
	e[66], e[67] = kind, 1
	le.PutUint32(e[68:], noStream)
	le.PutUint32(e[72:], noStream)
	le.PutUint32(e[76:], child)
	le.PutUint32(e[116:], start)
	le.PutUint32(e[120:], size)
}

func TestOutlook(t *testing.T) {
	pad := func(s string, n int) []byte { return []byte(s + strings.Repeat("\x00", n-len(s))) }
	content := makeCompound([]node{
		{name: "__nameid_version1.0", children: []node{{name: "__substg1.0_00020102", data: "ids"}}},
		{name: "__substg1.0_1000001F", data: string(wide("the body"))},
		{name: "__substg1.0_10130102", data: "<p>html</p>"},
		{name: "__attach_version1.0_#00000000", children: []node{
			{name: "__substg1.0_37010102", data: marked},
			{name: "__substg1.0_3707001F", data: string(wide(`..\tool.py`))},
		}},
		{name: "__attach_version1.0_#00000001", children: []node{{name: "__substg1.0_37010102", data: "two"}}},
	})
	if !isOutlook(content) {
		t.Fatal("not told as a message")
	}
	sourcetest.TestExpander(t, expander(), sourcetest.Packed{Name: "m.msg", Content: content, Want: map[string][]byte{
		"m.msg!body.txt":   pad("the body", 2048),
		"m.msg!body.html":  pad("<p>html</p>", 4096),
		"m.msg!tool.py":    pad(marked, 4096),
		"m.msg!part-2.bin": pad("two", 4096),
	}})
}
