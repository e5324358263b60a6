package archive

import (
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"io"
	"strings"

	"github.com/besra-hunt/besra/inflate"
)

// isZip takes what begins with a member or is an empty archive.
func isZip(_ string, content []byte) bool {
	return hasPrefix(content, "PK\x03\x04") || hasPrefix(content, "PK\x05\x06") || hasPrefix(content, "PK00PK\x03\x04")
}

const (
	// zipEnd is the length of the record at the end of an archive, zipComment how
	// long the comment behind it may be.
	zipEnd     = 22
	zipComment = 1<<16 - 1
)

// isZipBehind takes an archive behind anything else, such as a picture or a
// program, and the volumes of an archive by which they can be told: the first and
// the last.
func isZipBehind(_ string, content []byte) bool {
	return isZipVolume(content) || endsAsZip(content)
}

// endsAsZip looks for the record at the end, which a comment may follow.
func endsAsZip(content []byte) bool {
	for at := max(0, len(content)-zipEnd-zipComment); ; at++ {
		i := bytes.Index(content[at:], []byte("PK\x05\x06"))
		if i < 0 {
			return false
		}
		if at += i; isZipEnd(content, at) {
			return true
		}
	}
}

// isZipEnd reports whether a record at the end follows on its directory, or on
// what points to that of a large archive.
func isZipEnd(content []byte, at int) bool {
	const locator = 20
	if len(content)-at < zipEnd {
		return false
	}
	size := int64(binary.LittleEndian.Uint32(content[at+12:]))
	directory, large := int64(at)-size, at-locator
	return directory >= 0 && hasPrefix(content[directory:], "PK\x01\x02") || large >= 0 && hasPrefix(content[large:], "PK\x06\x07")
}

// isZipVolume takes what begins as the first of several volumes does, and what
// ends as the last of them.
func isZipVolume(content []byte) bool {
	if hasPrefix(content, "PK\x07\x08PK\x03\x04") {
		return true
	}
	end := content[max(0, len(content)-zipEnd):]
	return len(end) == zipEnd && hasPrefix(end, "PK\x05\x06") && (end[4] != 0 || end[5] != 0) && !hasPrefix(content, "PK\x03\x04")
}

func hasPrefix(content []byte, p string) bool {
	return len(content) >= len(p) && string(content[:len(p)]) == p
}

// zipMethods unpack what is not stored or deflated.
var zipMethods = map[uint16]func(io.Reader) (io.Reader, error){
	zip.Deflate: func(r io.Reader) (io.Reader, error) { return inflate.NewReader(r), nil },
	9:           func(r io.Reader) (io.Reader, error) { return inflate.NewReader64(r), nil },
	12:          func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil },
	14:          zipLZMA,
	93:          newZstd,
	95:          newXZ,
}

func (w *walk) zip() error {
	if isZipVolume(w.content) {
		return unsupportedError("an archive of several volumes")
	}
	r, err := zip.NewReader(bytes.NewReader(w.content), int64(len(w.content)))
	if err != nil { // there may be more behind the end than a comment
		end := bytes.LastIndex(w.content, []byte("PK\x05\x06")) + zipEnd
		if r, err = zip.NewReader(bytes.NewReader(w.content), int64(min(end, len(w.content)))); err != nil {
			return err
		}
	}
	manifest := w.jarManifest(r)
	for _, f := range r.File {
		if err := w.zipMember(f, manifest); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) zipMember(f *zip.File, manifest manifest) error {
	if strings.HasSuffix(f.Name, "/") {
		return nil
	}
	m := member{name: f.Name, size: int64(min(f.UncompressedSize64, 1<<62)), mode: f.Mode(), mtime: f.Modified,
		expect: manifest.digest(f.Name)}
	if f.Flags&1 == 0 && f.Method == zip.Store {
		m.data = w.stored(f)
	}
	if m.data != nil && crc32.ChecksumIEEE(m.data) != f.CRC32 {
		m.data = nil // read as a stream, it reports the damage
	}
	if m.data == nil {
		m.open = func() (io.Reader, error) { return w.openZip(f) }
	}
	return w.yield(m)
}

// stored returns a stored member where it lies; nil where it is not as long as
// it says.
func (w *walk) stored(f *zip.File) []byte {
	at, err := f.DataOffset()
	if err != nil || f.CompressedSize64 != f.UncompressedSize64 || uint64(at)+f.CompressedSize64 > uint64(len(w.content)) {
		return nil
	}
	end := uint64(at) + f.CompressedSize64
	return w.content[at:end:end]
}

func (w *walk) openZip(f *zip.File) (io.Reader, error) {
	raw, err := f.OpenRaw()
	if err != nil {
		return nil, err
	}
	method := f.Method
	if f.Flags&1 != 0 {
		if raw, method, err = w.decrypt(f, raw); err != nil {
			return nil, err
		}
	}
	plain := raw
	if method != zip.Store {
		unpack := zipMethods[method]
		if unpack == nil {
			return nil, unsupportedError("method " + itoa(int64(method)))
		}
		if plain, err = unpack(raw); err != nil {
			return nil, err
		}
	}
	if f.Flags&1 != 0 {
		return plain, nil // its password is proven by a checksum or a code
	}
	return &checked{r: plain, sum: crc32.NewIEEE(), want: f.CRC32}, nil
}

// checked compares the checksum of what was read when it ends.
type checked struct {
	r    io.Reader
	sum  hash.Hash32
	want uint32
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.sum.Write(p[:n])
	if err == io.EOF && c.sum.Sum32() != c.want {
		err = zip.ErrChecksum
	}
	return n, err
}

// zipLZMA reads LZMA as APPNOTE.TXT, section 5.8, frames it: a version, the
// size of the properties, the properties, the data.
func zipLZMA(r io.Reader) (io.Reader, error) {
	var head [4 + 5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	if head[2] != 5 || head[3] != 0 {
		return nil, unsupportedError("LZMA with other properties")
	}
	classic := append(head[4:9:9], 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff) // of unknown size
	return newLZMA(io.MultiReader(bytes.NewReader(classic), r))
}
