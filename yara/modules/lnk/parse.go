package lnk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Flags of the header: which parts follow, and how text is encoded.
const (
	hasTargetIDs    = 1 << 0
	hasLinkInfo     = 1 << 1
	hasName         = 1 << 2
	hasRelativePath = 1 << 3
	hasWorkingDir   = 1 << 4
	hasArguments    = 1 << 5
	hasIconLocation = 1 << 6
	isUnicode       = 1 << 7
)

// Flags of the link information.
const (
	hasVolumeID   = 1 << 0
	hasPathSuffix = 1 << 1
)

const (
	headerStart    = "\x4c\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
	headerSize     = 0x4c
	wideInfoHeader = 0x24 // size of a header that has offsets of UTF-16 text
	wideLabel      = 0x14 // offset of a label that stands for one more offset
	trackerBlock   = 0xa0000003
	maxChars       = 260 // Windows cuts some strings here
	noLimit        = 0xffff
)

// maybe is a value that a shortcut may lack.
type maybe[T any] struct {
	value T
	ok    bool
}

func some[T any](v T) maybe[T] { return maybe[T]{v, true} }

// shortcut is what a file tells.
type shortcut struct {
	attributes, fileSize         uint32
	created, accessed, written   uint64
	iconIndex, show              uint32
	items                        []item
	drive, serial                maybe[uint32]
	label, basePath, suffix      maybe[string]
	name, relativePath           maybe[string]
	workingDir, arguments, icon  maybe[string]
	overlayOffset, overlayLength maybe[int]
	tracker                      maybe[tracker]
}

// tracker tells where the target was, for finding it after it was moved.
type tracker struct {
	version uint32
	machine string
	ids     [4]string
}

// parse reads a shortcut; nil where data is none.
func parse(data []byte) *shortcut {
	if len(data) < headerSize || string(data[:len(headerStart)]) != headerStart {
		return nil
	}
	r := binfmt.NewReader(data[len(headerStart):headerSize], binfmt.Little)
	flags := r.U32()
	l := &shortcut{attributes: r.U32(), created: r.U64(), accessed: r.U64(), written: r.U64(),
		fileSize: r.U32(), iconIndex: r.U32(), show: r.U32()}
	l.body(data, flags)
	return l
}

// body reads the parts after the header, up to the first malformed one.
func (l *shortcut) body(data []byte, flags uint32) {
	rest, ok := data[headerSize:], true
	if flags&hasTargetIDs != 0 {
		if rest, ok = l.targetIDs(rest); !ok {
			return
		}
	}
	if flags&hasLinkInfo != 0 {
		if rest, ok = l.linkInfo(rest); !ok {
			return
		}
	}
	for _, s := range []struct {
		flag  uint32
		to    *maybe[string]
		limit int
	}{
		{hasName, &l.name, maxChars}, {hasRelativePath, &l.relativePath, maxChars}, {hasWorkingDir, &l.workingDir, maxChars},
		{hasArguments, &l.arguments, noLimit}, {hasIconLocation, &l.icon, maxChars},
	} {
		if flags&s.flag == 0 {
			continue
		}
		if *s.to, rest, ok = readString(rest, flags&isUnicode != 0, s.limit); !ok {
			return
		}
	}
	l.extra(rest, len(data))
}

// targetIDs reads the items of the target's path. A list or item that is
// longer than the file is cut.
func (l *shortcut) targetIDs(data []byte) (rest []byte, ok bool) {
	if len(data) < 2 {
		return nil, false
	}
	list, _ := binfmt.Clip(data, 2, uint64(binary.LittleEndian.Uint16(data)))
	rest = data[2+len(list):]
	for len(list) >= 2 {
		size := int(binary.LittleEndian.Uint16(list))
		if size == 0 {
			break
		}
		list = list[2:]
		body := list[:min(max(size-2, 0), len(list))]
		list = list[len(body):]
		if len(body) > 0 {
			l.items = append(l.items, item(body))
		}
	}
	return rest, true
}

func (l *shortcut) linkInfo(data []byte) (rest []byte, ok bool) {
	r := binfmt.NewReader(data, binfmt.Little)
	size, header, flags := r.U32(), r.U32(), r.U32()
	volume, base := r.U32(), r.U32()
	r.Skip(4)
	suffix := r.U32()
	var wideBase, wideSuffix uint32
	if header >= wideInfoHeader {
		wideBase, wideSuffix = r.U32(), r.U32()
	}
	info, whole := binfmt.Range(data, 0, uint64(size))
	if !r.OK() || !whole {
		return nil, false
	}
	if flags&hasVolumeID != 0 {
		if b, ok := binfmt.From(info, uint64(volume)); ok {
			l.volumeID(b)
		}
		l.basePath = textAt(info, base, wideBase)
	}
	if flags&hasPathSuffix != 0 {
		l.suffix = textAt(info, suffix, wideSuffix)
	}
	return data[size:], true
}

// textAt reads the UTF-16 text at wide, or the text at off where wide is 0.
func textAt(data []byte, off, wide uint32) maybe[string] {
	if wide > 0 {
		if b, ok := binfmt.From(data, uint64(wide)); ok {
			return some(wideText(b))
		}
		return maybe[string]{}
	}
	if b, ok := binfmt.From(data, uint64(off)); ok {
		return some(text(b))
	}
	return maybe[string]{}
}

func (l *shortcut) volumeID(data []byte) {
	r := binfmt.NewReader(data, binfmt.Little)
	size, drive, serial, label := r.U32(), r.U32(), r.U32(), r.U32()
	if !r.OK() {
		return
	}
	l.drive = maybe[uint32]{drive, drive < 1<<31}
	l.serial = some(serial)
	volume, ok := binfmt.Range(data, 0, uint64(size))
	wide := uint32(0)
	if label == wideLabel {
		if wide = r.U32(); wide == 0 {
			l.label = maybe[string]{wideText(volume), ok && r.OK()}
			return
		}
	}
	if ok && r.OK() {
		l.label = textAt(volume, label, wide)
	}
}

// readString reads a string that begins with its length in characters; of
// UTF-16 what is before a NUL.
func readString(data []byte, wide bool, limit int) (s maybe[string], rest []byte, ok bool) {
	if len(data) < 2 {
		return s, nil, false
	}
	n := min(int(binary.LittleEndian.Uint16(data)), limit)
	if wide {
		n *= 2
	}
	b, ok := binfmt.Range(data, 2, uint64(n))
	switch {
	case !ok:
		return s, nil, false
	case wide:
		return some(wideText(b)), data[2+n:], true
	}
	return some(column.UTF8(b)), data[2+n:], true
}

// extra reads the blocks at the end. What follows the block that ends them is
// the overlay, which is not defined where a block is malformed.
func (l *shortcut) extra(data []byte, total int) {
	for len(data) >= 4 {
		size := binary.LittleEndian.Uint32(data)
		if size < 4 {
			overlay := len(data) - 4
			l.overlayLength = some(overlay)
			l.overlayOffset = maybe[int]{total - overlay, overlay > 0}
			return
		}
		block, ok := binfmt.Range(data, 4, uint64(size)-4)
		if !ok {
			return
		}
		l.block(block)
		data = data[size:]
	}
}

func (l *shortcut) block(data []byte) {
	r := binfmt.NewReader(data, binfmt.Little)
	if r.U32() != trackerBlock {
		return
	}
	r.Skip(4)
	t := tracker{version: r.U32(), machine: text(r.Bytes(16))}
	for i := range t.ids {
		t.ids[i], _ = guid(r.Bytes(16))
	}
	if r.OK() {
		l.tracker = some(t)
	}
}

// text is what is before the first NUL.
func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return column.UTF8(b)
}

// wideText is the UTF-16 before the first NUL; surrogates without a partner
// are replaced by U+FFFD.
func wideText(b []byte) string {
	var units []uint16
	for ; len(b) >= 2; b = b[2:] {
		u := binary.LittleEndian.Uint16(b)
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}

// guid prints a class identifier in the usual form.
func guid(b []byte) (string, bool) {
	if len(b) < 16 {
		return "", false
	}
	le := binary.LittleEndian
	s := fmt.Sprintf("%08x-%04x-%04x-%x-%x", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), b[8:10], b[10:16])
	return strings.ToLower(s), true
}
