// Package archive finds the members of archives, and what is packed in a
// stream: it is a [besra.Expander].
//
//	found := archive.New(archive.Config{Passwords: []string{"infected"}})
//
// A member is named after its archive, "a.zip!inner/b.txt". An archive inside
// an archive is a target that the caller expands again: "a.zip!b.tar!c". A
// stream that holds one file yields it under its own name ("log.gz!log"), one
// that holds a tar or cpio archive yields that archive's members, so that
// "a.tar.gz!c" is read in one pass.
//
// Nothing is unpacked to disk. Members of formats that do not compress (tar,
// ar, cpio, iso, stored zip members) are read where they lie; others are unpacked
// into memory, one at a time and not beyond the budget: what a member says of
// its size is a promise that is not believed. A member that is larger than what
// may be in memory is unpacked in windows that overlap, each a target: the first
// under the member's name, the others with "@" and their offset behind it. That
// is told, and as much of the budget is left for what follows.
//
// # Formats
//
//	zip       with jar, apk, docx, …; one volume; deflate, deflate64, bzip2, lzma, xz, zstd; ZipCrypto and AES passwords
//	tar       ustar, pax, GNU, v7; sparse files
//	gzip, bzip2, xz, zstd, lz4, and by their names brotli (.br) and lzma (.lzma, .tlz)
//	7z, rar   with passwords, solid ones too; one volume
//	cab       stored, MSZIP and LZX; one volume
//	deb, rpm  what they install, checked against their own manifest; a deb's control files
//	ar
//	cpio      newc, crc, odc
//	iso       ISO 9660 with Rock Ridge and Joliet names
//	pdf       the streams of a document
//
// A zip, 7z or rar archive behind a program, a picture or anything else is found,
// a cabinet in a program, and what is packed behind the script that unpacks it.
// Parts of archives, documents of Office that are encrypted, and formats that are
// not read (compress, lzip, lzop, xar, wim, arj, lha, ace, UDF) are told.
package archive

import (
	"sync"

	"github.com/besra-hunt/besra"
)

// Config says how archives are opened.
type Config struct {
	// Passwords are tried on encrypted members, in this order.
	Passwords []string
}

// Expander is the [besra.Expander] of archives.
type Expander struct {
	config  Config
	buffers sync.Pool // of *[]byte, for unpacked members
}

// New returns the expander that c describes.
func New(c Config) *Expander {
	return &Expander{config: c, buffers: sync.Pool{New: func() any { return new([]byte) }}}
}

// format is one kind of archive: how it is told, and how its members are
// walked.
type format struct {
	kind string
	is   func(name string, content []byte) bool
	walk func(*walk) error
}

// formats lists every kind, the one that is told most surely first.
var formats = []format{
	{"archive", isPart, (*walk).part},
	{"zip", isZip, (*walk).zip},
	{"gzip", prefix("\x1f\x8b\x08"), (*walk).gzip},
	{"bzip2", isBzip2, (*walk).bzip2},
	{"xz", prefix("\xfd7zXZ\x00"), (*walk).xz},
	{"zstd", isZstd, (*walk).zstd},
	{"lz4", prefix("\x04\x22\x4d\x18"), (*walk).lz4},
	{"7z", prefix("7z\xbc\xaf\x27\x1c"), (*walk).sevenZip},
	{"rar", isRar, (*walk).rar},
	{"cab", prefix("MSCF\x00\x00\x00\x00"), (*walk).cab},
	{"deb", prefix("!<arch>\ndebian-binary"), (*walk).deb},
	{"ar", prefix("!<arch>\n"), (*walk).ar},
	{"rpm", prefix("\xed\xab\xee\xdb"), (*walk).rpm},
	{"cpio", isCpio, (*walk).cpio},
	{"tar", isTar, (*walk).tar},
	{"iso", isISO, (*walk).iso},
	{"pdf", isPDF, (*walk).pdf},
	{"brotli", isBrotli, (*walk).brotli},
	{"lzma", isLZMA, (*walk).lzma},
	{"archive", isUnread, (*walk).unread},
	{"office", isEncryptedOffice, (*walk).encryptedOffice},
	{"zip", isZipBehind, (*walk).zip},
	carriedSevenZip.format(),
	carriedRar4.format(),
	carriedRar5.format(),
	carriedCab.format(),
	carriedGzip.format(),
	carriedXZ.format(),
	carriedBzip2.format(),
	carriedZstd.format(),
}

func prefix(p string) func(string, []byte) bool {
	return func(_ string, content []byte) bool { return hasPrefix(content, p) }
}

func (e *Expander) find(name string, content []byte) *format {
	for i := range formats {
		if formats[i].is(name, content) {
			return &formats[i]
		}
	}
	return nil
}

// Kind implements [besra.Expander].
func (e *Expander) Kind(outer besra.Target, content []byte) string {
	if f := e.find(outer.Name, content); f != nil {
		return f.kind
	}
	return ""
}
