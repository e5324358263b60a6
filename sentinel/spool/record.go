package spool

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// A record in a segment is its mark, the length of the row and the CRC-32C of
// the row as little-endian numbers of four bytes, and the row.
const (
	mark       = "BSR1"
	headLength = len(mark) + 8
)

// MaxRow is the length of the longest row, in bytes.
const MaxRow = 1 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendRecord(b, row []byte) []byte {
	b = append(b, mark...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(row)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(row, castagnoli))
	return append(b, row...)
}

// scan reads the records at the beginning of b whose rows have no more than most
// bytes together, and one in any case where first is set. It returns the rows,
// which lie in b, how many bytes it went through, and how many of those held no
// record: damage is stepped over to the next record. What looks like the
// beginning of a record is left for later, save where b is whole: then nothing
// more comes, and it is damage. Full says that there was a row too many.
func scan(b []byte, most int, first, whole bool) (rows [][]byte, n, damaged int, full bool) {
	size := 0
	for n < len(b) {
		row, length, more := record(b[n:])
		switch {
		case row != nil && size+len(row) > most && (len(rows) > 0 || !first):
			return rows, n, damaged, true
		case row != nil:
			rows = append(rows, row)
			size += len(row)
			n += length
		case more && !whole:
			return rows, n, damaged, false
		default:
			skip := nextMark(b[n:], whole)
			n += skip
			damaged += skip
		}
	}
	return rows, n, damaged, false
}

// record reads one record. Without a row, more says that b may be the beginning
// of one.
func record(b []byte) (row []byte, length int, more bool) {
	if len(b) < headLength {
		return nil, 0, bytes.HasPrefix([]byte(mark), b[:min(len(b), len(mark))])
	}
	if string(b[:len(mark)]) != mark {
		return nil, 0, false
	}
	n := int(binary.LittleEndian.Uint32(b[len(mark):]))
	if n > MaxRow {
		return nil, 0, false
	}
	if len(b) < headLength+n {
		return nil, 0, true
	}
	row = b[headLength : headLength+n : headLength+n]
	if crc32.Checksum(row, castagnoli) != binary.LittleEndian.Uint32(b[len(mark)+4:]) {
		return nil, 0, false
	}
	return row, headLength + n, false
}

// nextMark returns how far it is to the next place at which a record may begin,
// behind the first byte.
func nextMark(b []byte, whole bool) int {
	if i := bytes.Index(b[1:], []byte(mark)); i >= 0 {
		return i + 1
	}
	if whole {
		return len(b)
	}
	for n := min(len(mark)-1, len(b)-1); n > 0; n-- {
		if bytes.HasSuffix(b, []byte(mark[:n])) {
			return len(b) - n
		}
	}
	return len(b)
}
