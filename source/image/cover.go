package image

import (
	"path"
	"strings"
)

// A layer removes what lies below it by whiteouts (OCI image specification,
// "Layer Filesystem Changeset"): an empty file .wh.NAME removes NAME, and
// .wh..wh..opq all that lower layers have in its directory.
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

// cover is what the layers above hide of those below. Layers are added from the
// top one down.
type cover map[string]mark

// mark is what is known of a path: the number of the topmost layer that has it
// itself, and of the topmost that hides all below it; 0 for none.
type mark struct {
	has, cuts int32
	removed   bool // by a whiteout, and not replaced
}

// entry is what an entry of a layer does to those below.
type entry struct {
	path string
	kind entryKind
}

type entryKind uint8

const (
	isDir     entryKind = iota
	isFile              // and everything else that is no directory
	isRemoval           // of the path
	isOpaque            // the path's directory hides what it has below
)

// classify says what an entry with a cleaned absolute path is.
func classify(p string, dir bool) entry {
	base := path.Base(p)
	switch {
	case dir:
		return entry{p, isDir}
	case base == opaque:
		return entry{path.Dir(p), isOpaque}
	case strings.HasPrefix(base, whiteout+whiteout):
		return entry{p, isFile} // notes of aufs, which remove nothing
	case strings.HasPrefix(base, whiteout) && base != whiteout:
		return entry{path.Join(path.Dir(p), base[len(whiteout):]), isRemoval}
	}
	return entry{p, isFile}
}

// add takes the entries of the next layer.
func (c cover) add(number int, entries []entry) {
	n := int32(number)
	for _, e := range entries {
		m := c[e.path]
		if m.has == 0 && e.kind != isOpaque {
			m.has, m.removed = n, e.kind == isRemoval
		} else if m.has == n && e.kind == isFile {
			m.removed = false
		}
		if m.cuts == 0 && e.kind != isDir {
			m.cuts = n
		}
		c[e.path] = m
	}
}

// over reports which layer hides a path of a lower one, and whether that layer removed
// it without having another in its place; 0 where none does.
func (c cover) over(p string) (layer int, removed bool) {
	if m, ok := c[p]; ok && m.has > 0 {
		return int(m.has), m.removed
	}
	for dir := path.Dir(p); ; dir = path.Dir(dir) {
		if m := c[dir]; m.cuts > 0 {
			return int(m.cuts), true
		}
		if dir == "/" {
			return 0, false
		}
	}
}
