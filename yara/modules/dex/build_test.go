package dex_test

import "encoding/binary"

// image builds Dalvik executables for tests. Tables are where their header
// fields say; the values are those of the format's description.
type image struct{ b []byte }

const (
	stringTable = 0x70
	typeTable   = stringTable + 4*6
	protoTable  = typeTable + 4*3
	fieldTable  = protoTable + 12
	methodTable = fieldTable + 8
	classTable  = methodTable + 8
	mapTable    = classTable + 32
	bodies      = mapTable + 4 + 12*2
)

func (m *image) put(at int, words ...uint32) {
	for i, w := range words {
		binary.LittleEndian.PutUint32(m.b[at+4*i:], w)
	}
}

func (m *image) add(b ...byte) uint32 {
	off := len(m.b)
	m.b = append(m.b, b...)
	return uint32(off)
}

// sample is a file with a class LA; that has a static field and a method with
// code.
func sample() []byte {
	m := &image{make([]byte, bodies)}
	copy(m.b, "dex\n035\x00")
	for i, s := range []string{"LA;", "LB;", "V", "a.java", "f\xc0\x80\xed\xa0\xbd\xed\xb8\x80", "run"} {
		m.put(stringTable+4*i, m.add(append([]byte{byte(len(s))}, s...)...))
	}
	m.put(typeTable, 0, 1, 2)
	params := m.add(1, 0, 0, 0, 1, 0)
	m.put(protoTable, 2, 2, params)
	m.put(fieldTable, 0|1<<16, 4)
	m.put(methodTable, 0|0<<16, 5)
	code := m.add(2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x0e, 0)
	data := m.add(1, 0, 1, 0, 0, 9, 0, 1, byte(code&0x7f|0x80), byte(code>>7), 0, 0, 0, 0, 0, 0, 0, 0)
	m.put(classTable, 0, 1, 1, 0, 3, 0, data, 0)
	m.put(mapTable, 2, 0, 1, 0, 1, 6, stringTable)
	m.put(32, uint32(len(m.b)), 0x70, 0x12345678, 0, 0, mapTable,
		6, stringTable, 3, typeTable, 1, protoTable, 1, fieldTable, 1, methodTable, 1, classTable, 0, 0)
	return m.b
}
