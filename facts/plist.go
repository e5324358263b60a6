package facts

import (
	"encoding/binary"
	"errors"
	"unicode/utf16"
)

var errPropertyList = errors.New("a property list that makes no sense")

// propertyList is a binary property list: a table of objects after a header of
// eight bytes, then the table of their offsets, then a trailer of 32 bytes.
type propertyList struct {
	data             []byte
	offsetSize       int
	refSize          int
	objects, offsets uint64
}

// firstOfPropertyList returns the first string of a binary property list whose
// top object is an array of strings; empty for an empty array.
func firstOfPropertyList(data []byte) (string, error) {
	l, top, err := openPropertyList(data)
	if err != nil {
		return "", err
	}
	kind, count, at, err := l.object(top)
	if err != nil || kind != 0xa {
		return "", errPropertyList
	}
	if count == 0 {
		return "", nil
	}
	ref, err := l.number(at, l.refSize)
	if err != nil {
		return "", err
	}
	return l.text(ref)
}

func openPropertyList(data []byte) (l propertyList, top uint64, err error) {
	if len(data) < 40 || string(data[:6]) != "bplist" {
		return l, 0, errPropertyList
	}
	trailer := data[len(data)-32:]
	l = propertyList{
		data: data, offsetSize: int(trailer[6]), refSize: int(trailer[7]),
		objects: binary.BigEndian.Uint64(trailer[8:]), offsets: binary.BigEndian.Uint64(trailer[24:]),
	}
	if l.offsetSize == 0 || l.offsetSize > 8 || l.refSize == 0 || l.refSize > 8 || l.objects > uint64(len(data)) {
		return l, 0, errPropertyList
	}
	return l, binary.BigEndian.Uint64(trailer[16:]), nil
}

// number reads a big-endian number of size bytes.
func (l propertyList) number(at uint64, size int) (uint64, error) {
	if at > uint64(len(l.data)) || uint64(len(l.data))-at < uint64(size) {
		return 0, errPropertyList
	}
	n := uint64(0)
	for _, b := range l.data[at : at+uint64(size)] {
		n = n<<8 | uint64(b)
	}
	return n, nil
}

// object returns the kind of an object, its length, and where its body begins.
func (l propertyList) object(ref uint64) (kind byte, count, at uint64, err error) {
	if ref >= l.objects || l.offsets > uint64(len(l.data)) {
		return 0, 0, 0, errPropertyList
	}
	if at, err = l.number(l.offsets+ref*uint64(l.offsetSize), l.offsetSize); err != nil {
		return 0, 0, 0, err
	}
	mark, err := l.number(at, 1)
	if err != nil {
		return 0, 0, 0, err
	}
	kind, count, at = byte(mark>>4), mark&0xf, at+1
	if count == 0xf { // the length is an integer object of its own
		size, err := l.number(at, 1)
		if err != nil || size>>4 != 1 || size&0xf > 3 {
			return 0, 0, 0, errPropertyList
		}
		width := 1 << (size & 0xf)
		if count, err = l.number(at+1, width); err != nil {
			return 0, 0, 0, err
		}
		at += 1 + uint64(width)
	}
	return kind, count, at, nil
}

// text returns a string object.
func (l propertyList) text(ref uint64) (string, error) {
	kind, count, at, err := l.object(ref)
	if err != nil {
		return "", err
	}
	left := uint64(len(l.data)) - at // object read up to at, so it is inside
	switch {
	case kind == 5 && count <= left:
		return string(l.data[at : at+count]), nil
	case kind == 6 && count <= left/2:
		units := make([]uint16, count)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(l.data[at+uint64(2*i):])
		}
		return string(utf16.Decode(units)), nil
	}
	return "", errPropertyList
}
