package container

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Node is an entry of a compound file with what is below it.
type Node struct {
	Entry Entry
	// RawName is the name as it is in the file, in UTF-16.
	RawName []byte
	// ClassID tells which program a storage belongs to, 16 bytes.
	ClassID []byte
	// Children are what a storage holds, by name: as bytes, the shorter first.
	Children []*Node
}

// maxTreeDepth is how deep storages are followed.
const maxTreeDepth = 64

// noEntry stands for no sibling and no child.
const noEntry = 0xffffffff

// Tree returns the root with all that is below it; nil where there is none. An
// entry that is referred to twice is in one place only. Unlike [Compound.Entries]
// it has entries of the same name.
func (c *Compound) Tree() *Node {
	t := &treeReader{c: c, visited: make(map[uint32]bool)}
	b := t.entry(0)
	if b == nil || b[66] != TypeRoot {
		return nil
	}
	return t.node(b, 0)
}

type treeReader struct {
	c       *Compound
	visited map[uint32]bool
}

// entry returns an entry's bytes, once; nil where there is none.
func (t *treeReader) entry(i uint32) []byte {
	perSector := uint32(t.c.SectorSize / directoryEntry)
	if i == noEntry || t.visited[i] || uint64(i/perSector) >= uint64(len(t.c.directories)) {
		return nil
	}
	t.visited[i] = true
	b := t.c.sector(t.c.directories[i/perSector])
	if b == nil {
		return nil
	}
	return b[i%perSector*directoryEntry:][:directoryEntry]
}

func (t *treeReader) node(b []byte, depth int) *Node {
	n := &Node{ClassID: b[80:96]}
	n.Entry, _ = readEntry(b)
	if size := int(binary.LittleEndian.Uint16(b[64:])); size >= 2 && size <= 64 {
		n.RawName = b[:size/2*2-2]
	}
	if n.Entry.Type == TypeStream || depth >= maxTreeDepth {
		return n
	}
	// The children are a tree of siblings; its order is not relied on.
	pending := []uint32{binary.LittleEndian.Uint32(b[76:])}
	for len(pending) > 0 {
		id := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if child := t.entry(id); child != nil {
			pending = append(pending, binary.LittleEndian.Uint32(child[68:]), binary.LittleEndian.Uint32(child[72:]))
			n.Children = append(n.Children, t.node(child, depth+1))
		}
	}
	slices.SortFunc(n.Children, func(a, b *Node) int { return bytes.Compare(a.RawName, b.RawName) })
	return n
}
