package pe

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strings"

	"github.com/besra-hunt/besra/yara/module"
)

// importHash is the MD5 of all "library.function" in lower case, separated by
// commas, without the usual extensions of libraries. Files with the same
// source and linker have the same; of a file without imports it is that of
// nothing. https://www.mandiant.com/resources/blog/tracking-malware-import-hashing
func (f *file) importHash() module.Value {
	h := md5.New()
	separator := ""
	for _, l := range f.importedLibraries() {
		name := strings.ToLower(f.trimExtension(l.name)) + "."
		for _, fn := range l.functions {
			write(h, separator, name, strings.ToLower(fn.name))
			separator = ","
		}
	}
	return module.Text(hex.EncodeToString(h.Sum(nil)))
}

func write(h hash.Hash, parts ...string) {
	for _, s := range parts {
		_, _ = h.Write([]byte(s))
	}
}

// trimExtension cuts off the extension of a library; libyara asks for no more
// than that the last extension begins with one of them.
func (f *file) trimExtension(name string) string {
	at := strings.LastIndexByte(name, '.')
	if at < 0 {
		return name
	}
	const size = 4
	extension := name[at:]
	if f.libyara && len(extension) > size {
		extension = extension[:size]
	}
	for _, e := range []string{".dll", ".sys", ".ocx"} {
		if equalFold(extension, e) {
			return name[:at]
		}
	}
	return name
}

// equalFold reports whether two strings are the same but for the case of ASCII
// letters.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// sum is the checksum that the header should give: the ones' complement sum
// of the file's 16-bit words, folded, plus the size. The field itself counts
// as zero: it is subtracted, as it need not be aligned to a word of the sum.
// https://bytepointer.com/resources/microsoft_pe_checksum_algo_distilled.htm
func (f *file) sum() module.Value {
	sum, data := uint64(0), f.Data
	for ; len(data) >= 4; data = data[4:] {
		sum += uint64(binary.LittleEndian.Uint32(data))
	}
	var tail [4]byte
	copy(tail[:], data)
	sum += uint64(binary.LittleEndian.Uint32(tail[:]))
	for sum > 1<<32-1 {
		sum = sum&(1<<32-1) + sum>>32
	}
	if field := uint64(f.Optional.CheckSum); sum >= field {
		sum -= field
	} else {
		sum += 1<<32 - 1 - field
	}
	sum = sum&0xffff + sum>>16
	sum += sum >> 16
	return module.Int(int64(uint32(sum&0xffff) + uint32(len(f.Data))))
}
