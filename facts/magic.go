package facts

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// signatures lists the fixed bytes that tell a class, at their offset. The
// first that fits counts.
var signatures = []struct {
	offset int
	bytes  string
	class  string
}{
	{0, "\x7fELF", "elf"},
	{0, "\xfe\xed\xfa\xce", "macho"},
	{0, "\xfe\xed\xfa\xcf", "macho"},
	{0, "\xce\xfa\xed\xfe", "macho"},
	{0, "\xcf\xfa\xed\xfe", "macho"},
	{0, "#!", "script"},
	{0, "PK\x03\x04", "zip"},
	{0, "PK\x05\x06", "zip"},
	{0, "\x1f\x8b", "gzip"},
	{0, "BZh", "bzip2"},
	{0, "\xfd7zXZ\x00", "xz"},
	{0, "\x28\xb5\x2f\xfd", "zstd"},
	{0, "\x04\x22\x4d\x18", "lz4"},
	{0, "7z\xbc\xaf\x27\x1c", "7z"},
	{0, "Rar!\x1a\x07", "rar"},
	{0, "MSCF\x00\x00\x00\x00", "cab"},
	{257, "ustar", "tar"},
	{0, "!<arch>\n", "ar"},
	{0, "\xed\xab\xee\xdb", "rpm"},
	{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"},
	{0, "%PDF-", "pdf"},
	{0, "{\\rtf", "rtf"},
	{0, "L\x00\x00\x00\x01\x14\x02\x00", "lnk"},
	{0, "dex\n", "dex"},
	{0, "\x00asm", "wasm"},
	{0, "SQLite format 3\x00", "sqlite"},
	{0, "regf", "registry"},
	{0, "ElfFile\x00", "evtx"},
	{0, "\xd4\xc3\xb2\xa1", "pcap"},
	{0, "\xa1\xb2\xc3\xd4", "pcap"},
	{0, "\x0a\x0d\x0d\x0a", "pcapng"},
	{0, "\x89PNG\r\n\x1a\n", "png"},
	{0, "\xff\xd8\xff", "jpeg"},
	{0, "GIF8", "gif"},
	{0, "<?xml", "xml"},
}

// Magic returns the class of a content by its first bytes, 4 KiB of which are
// enough: elf, pe, dos (an MZ program without a PE header), macho, java, script
// (it begins with "#!"), an archive's or document's kind, text, empty, or data
// where nothing is known of it.
func Magic(head []byte) string {
	if len(head) == 0 {
		return "empty"
	}
	if bytes.HasPrefix(head, []byte("MZ")) {
		return mzClass(head)
	}
	if bytes.HasPrefix(head, []byte("\xca\xfe\xba\xbe")) {
		return cafebabe(head)
	}
	for _, s := range signatures {
		if len(head) > s.offset && bytes.HasPrefix(head[s.offset:], []byte(s.bytes)) {
			return s.class
		}
	}
	if isText(head) {
		return "text"
	}
	return "data"
}

// mzClass tells a PE from the older programs that begin alike. A PE header
// beyond the bytes at hand is taken at its word.
func mzClass(head []byte) string {
	if len(head) < 0x40 {
		return "dos"
	}
	at := uint64(binary.LittleEndian.Uint32(head[0x3c:]))
	if at+4 > uint64(len(head)) {
		if len(head) < magicBytes {
			return "dos"
		}
		return "pe"
	}
	if string(head[at:at+4]) == "PE\x00\x00" {
		return "pe"
	}
	return "dos"
}

// cafebabe tells a Mach-O of several architectures from a Java class: the next
// word is the number of architectures there, and at least 45 here.
func cafebabe(head []byte) string {
	if len(head) >= 8 && binary.BigEndian.Uint32(head[4:]) < 45 {
		return "macho"
	}
	return "java"
}

// isText reports whether the bytes are UTF-8 (cut anywhere) without control
// characters, or begin with the mark of UTF-16.
func isText(head []byte) bool {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return true
	}
	for len(head) > 0 {
		if len(head) >= 8 && plain(binary.LittleEndian.Uint64(head)) {
			head = head[8:]
			continue
		}
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n <= 1 {
			return !utf8.FullRune(head)
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' && r != '\x1b' {
			return false
		}
		head = head[n:]
	}
	return true
}

// plain reports whether all eight bytes are ASCII and none a control character
// but DEL: what text mostly is.
func plain(word uint64) bool {
	const each, tops = 0x0101010101010101, 0x8080808080808080
	return (word|(word-' '*each))&tops == 0
}
