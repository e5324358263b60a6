package lnk

import "github.com/besra-hunt/besra/yara/internal/binfmt"

// item is one item of the target's path, from its class on.
type item []byte

// The kinds of items. Volumes, files and network locations have a class of
// which the low bits tell more.
const (
	controlPanelCPL      = 0x00
	controlPanelCategory = 0x01
	rootFolder           = 0x1f
	volume               = 0x20
	fileEntry            = 0x30
	networkLocation      = 0x40
	compressedFolder     = 0x52
	uri                  = 0x61
	controlPanel         = 0x71
	printers             = 0x72
	commonPlaces         = 0x73
	usersFiles           = 0x74
)

const (
	kindMask   = 0x70 // of a class, for volumes, files and network locations
	volumeName = 0x01 // set where the item has a name instead of an identifier
	unicode    = 0x04 // set where a file's name is UTF-16
)

// kind is the item's kind; the class where it is not known.
func (i item) kind() uint8 {
	switch k := i[0] & kindMask; k {
	case volume, fileEntry, networkLocation:
		return k
	}
	switch i[0] {
	case rootFolder - 1:
		return rootFolder
	case controlPanel - 1:
		return controlPanel
	}
	return i[0]
}

func (i item) has(k uint8) bool { return i.kind() == k }

// from is the item's text from an offset on.
func (i item) from(off uint64, wide bool) (string, bool) {
	b, ok := binfmt.From(i, off)
	if wide {
		return wideText(b), ok
	}
	return text(b), ok
}

// cplPath is the file of a control panel: after 10 bytes, or after 22 in
// UTF-16, where the byte at 10 is 0.
func (i item) cplPath() (string, bool) {
	switch {
	case i[0] != controlPanelCPL || len(i) <= 10:
		return "", false
	case i[10] == 0:
		return i.from(22, true)
	}
	return i.from(10, false)
}

func (i item) rootFolderID() (string, bool) {
	if !i.has(rootFolder) || len(i) < 18 {
		return "", false
	}
	return guid(i[2:])
}

func (i item) volumeName() (string, bool) {
	if !i.has(volume) || i[0]&volumeName == 0 || len(i) < 21 {
		return "", false
	}
	return text(i[1:21]), true
}

func (i item) volumeID() (string, bool) {
	if !i.has(volume) || i[0]&volumeName != 0 || len(i) < 18 {
		return "", false
	}
	return guid(i[2:])
}

func (i item) fileName() (string, bool) {
	if !i.has(fileEntry) {
		return "", false
	}
	return i.from(12, i[0]&unicode != 0)
}

func (i item) location() (string, bool) {
	if !i.has(networkLocation) {
		return "", false
	}
	return i.from(3, false)
}
