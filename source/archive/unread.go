package archive

import (
	"bytes"
	"encoding/binary"
	"path"
	"strings"
)

// isPart takes what is named as a part of an archive that was cut into several:
// "a.7z.001", "a.zip.002", "a.z01". What is in a part can hardly be told.
func isPart(name string, _ []byte) bool {
	name = strings.ToLower(name)
	number := path.Ext(name)
	if len(number) != 4 || number[2] < '0' || number[2] > '9' || number[3] < '0' || number[3] > '9' {
		return false
	}
	switch path.Ext(strings.TrimSuffix(name, number)) {
	case ".7z", ".zip", ".rar", ".tar":
		return '0' <= number[1] && number[1] <= '9'
	}
	return number[1] == 'z'
}

// part tells a part: the others are not at hand.
func (w *walk) part() error { return unsupportedError("an archive of several volumes") }

// unreadKind names a format of archives that is told and not opened; empty where
// the content is none.
func unreadKind(content []byte) string {
	for _, f := range []struct {
		kind, mark string
		at         int
	}{
		{"lzip", "LZIP\x01", 0}, {"lzop", "\x89LZO\x00\r\n\x1a\n", 0}, {"xar", "xar!\x00\x1c", 0}, {"wim", "MSWIM\x00\x00\x00", 0},
		{"lha", "-lh", 2}, {"ace", "**ACE**", 7}, {"udf", "BEA01", isoDescriptors*isoSector + 1},
	} {
		if len(content) > f.at && hasPrefix(content[f.at:], f.mark) {
			return f.kind
		}
	}
	switch {
	case len(content) < 4:
	case hasPrefix(content, "\x1f\x9d") && content[2]&0x60 == 0 && 9 <= content[2]&0x1f && content[2]&0x1f <= 16:
		return "compress"
	case hasPrefix(content, "\x60\xea") && content[2] >= 30 && content[3] <= 10:
		return "arj"
	}
	return ""
}

func isUnread(_ string, content []byte) bool { return unreadKind(content) != "" }

func (w *walk) unread() error { return unsupportedError("the format " + unreadKind(w.content)) }

// isEncryptedOffice takes a document of Office that is encrypted as a whole
// ([MS-OFFCRYPTO] 2.3.4): a compound file with the stream that says so in the
// first sectors of its directory.
func isEncryptedOffice(_ string, content []byte) bool {
	const directory, looked = 48, 4 << 10
	const stream = "E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00"
	if !hasPrefix(content, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") || len(content) < 512 {
		return false
	}
	size := int64(1) << min(content[30], 12)
	at := (int64(binary.LittleEndian.Uint32(content[directory:])) + 1) * size
	return at < int64(len(content)) && bytes.Contains(content[at:min(int64(len(content)), at+looked)], []byte(stream))
}

func (w *walk) encryptedOffice() error { return errEncrypted }
