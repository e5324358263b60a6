package archive

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// reach is how far into a content an archive that begins there is looked for:
// as far as the programs of the formats look for one behind a self-extractor.
const reach = 2 << 20

// carried is an archive in what is none: behind a self-extractor or a picture,
// in a program's resources, behind the script that unpacks it.
type carried struct {
	kind   string
	in     string // what the content begins with
	mark   string // bytes of the archive's head that are rare elsewhere
	before int    // how many bytes of the head come before them
	is     func(head []byte) bool
	walk   func(*walk) error
}

const (
	inProgram = "MZ"
	inScript  = "#!"
)

// What is looked for. Programs that know a format have its mark in them, too: a
// checksum, or all of a header, tells an archive from that.
var (
	carriedSevenZip = carried{"7z", "", "\xbc\xaf\x27\x1c", 2, isSevenZipHead, (*walk).sevenZip}
	carriedRar4     = carried{"rar", "", "\x1a\x07\x00", 4, isRar4Head, (*walk).rar}
	carriedRar5     = carried{"rar", "", "\x1a\x07\x01\x00", 4, isRar5Head, (*walk).rar}
	carriedCab      = carried{"cab", inProgram, "MSCF\x00\x00\x00\x00", 0, isCabHead, (*walk).cab}
	carriedGzip     = carried{"gzip", inScript, "\n\x1f\x8b\x08", -1, isGzipHead, (*walk).gzip}
	carriedXZ       = carried{"xz", inScript, "\n\xfd7zXZ\x00", -1, isAny, (*walk).xz}
	carriedBzip2    = carried{"bzip2", inScript, "\nBZh", -1, isBzip2Head, (*walk).bzip2}
	carriedZstd     = carried{"zstd", inScript, "\n\x28\xb5\x2f\xfd", -1, isAny, (*walk).zstd}
)

// format is the format of what is carried.
func (c carried) format() format {
	return format{c.kind,
		func(_ string, content []byte) bool { return c.find(content) >= 0 },
		func(w *walk) error {
			w.content = w.content[c.find(w.content):]
			return c.walk(w)
		}}
}

// find returns where the archive begins, or -1.
func (c *carried) find(content []byte) int {
	if !hasPrefix(content, c.in) {
		return -1
	}
	at := c.within(content, 0)
	if end := programEnd(content); at < 0 && end > reach {
		at = c.within(content, end)
	}
	return at
}

// within looks for the archive from a place on.
func (c *carried) within(content []byte, from int) int {
	end := min(len(content), from+reach)
	for at := from; at < end; at++ {
		i := bytes.Index(content[at:end], []byte(c.mark))
		if i < 0 {
			return -1
		}
		at += i
		if head := at - c.before; head > 0 && c.is(content[head:]) {
			return head
		}
	}
	return -1
}

// programEnd returns where the sections of a Windows program end and what is
// appended begins; 0 where the content is none.
func programEnd(content []byte) int {
	const lfanew, fileHeader, sectionHeader = 0x3c, 24, 40
	if !hasPrefix(content, "MZ") || len(content) < lfanew+4 {
		return 0
	}
	pe := int64(binary.LittleEndian.Uint32(content[lfanew:]))
	if pe+fileHeader > int64(len(content)) || !hasPrefix(content[pe:], "PE\x00\x00") {
		return 0
	}
	h := content[pe:]
	at := fileHeader + int(binary.LittleEndian.Uint16(h[20:]))
	end := int64(0)
	for range binary.LittleEndian.Uint16(h[6:]) {
		if at+sectionHeader > len(h) {
			return 0
		}
		end = max(end, int64(binary.LittleEndian.Uint32(h[at+16:]))+int64(binary.LittleEndian.Uint32(h[at+20:])))
		at += sectionHeader
	}
	if end > int64(len(content)) {
		return 0
	}
	return int(end)
}

func isAny([]byte) bool { return true }

func isGzipHead(b []byte) bool { return len(b) > 18 && b[3]&0xe0 == 0 }

func isBzip2Head(b []byte) bool { return isBzip2("", b) }

// isSevenZipHead compares the checksum of the start header.
func isSevenZipHead(b []byte) bool {
	return hasPrefix(b, "7z") && len(b) > 32 && crc32.ChecksumIEEE(b[12:32]) == binary.LittleEndian.Uint32(b[8:])
}

// isRar4Head compares the checksum of the main header behind the mark.
func isRar4Head(b []byte) bool {
	const mark, main = 7, 0x73
	if !hasPrefix(b, "Rar!") || len(b) < mark+13 || b[mark+2] != main {
		return false
	}
	size := int(binary.LittleEndian.Uint16(b[mark+5:]))
	return size >= 13 && mark+size <= len(b) &&
		uint16(crc32.ChecksumIEEE(b[mark+2:mark+size])) == binary.LittleEndian.Uint16(b[mark:])
}

// isRar5Head compares the checksum of the first header behind the mark.
func isRar5Head(b []byte) bool {
	const mark = 8
	if !hasPrefix(b, "Rar!") || len(b) < mark+8 {
		return false
	}
	size, n := binary.Uvarint(b[mark+4 : min(len(b), mark+7)])
	end := mark + 4 + n + int(size)
	return n > 0 && end <= len(b) && crc32.ChecksumIEEE(b[mark+4:end]) == binary.LittleEndian.Uint32(b[mark:])
}

// isCabHead takes a header whose sizes fit, of the one version there is.
func isCabHead(b []byte) bool {
	if len(b) < cabHeader {
		return false
	}
	size, files := binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[16:])
	return int64(size) <= int64(len(b)) && files < size && binary.LittleEndian.Uint32(b[12:]) == 0 && b[24] == 3 && b[25] == 1 &&
		binary.LittleEndian.Uint16(b[26:]) > 0 && binary.LittleEndian.Uint16(b[28:]) > 0
}
