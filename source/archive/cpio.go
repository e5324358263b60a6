package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"time"
)

func isCpio(_ string, content []byte) bool {
	return hasPrefix(content, "070701") || hasPrefix(content, "070702") || hasPrefix(content, "070707") ||
		hasPrefix(content, "\xc7\x71") && len(content) >= 26 && binary.LittleEndian.Uint16(content[20:]) < 4096
}

// cpioTrailer is the name of the entry that ends an archive.
const cpioTrailer = "TRAILER!!!"

// maxCpioName bounds a name; what is longer is no archive.
const maxCpioName = 64 << 10

var errCpio = errors.New("no cpio header where one must be")

// cpioEntry is a header of any of the formats.
type cpioEntry struct {
	member
	nameLen int64
	align   int64 // of the data, and of the name together with the header
	header  int64
}

// cpio walks an archive that lies in memory: members are slices of it.
func (w *walk) cpio() error {
	r := bytes.NewReader(w.content)
	return w.cpioFrom(bufio.NewReaderSize(r, 16), func(in *bufio.Reader, size int64) []byte {
		at := r.Size() - int64(r.Len()) - int64(in.Buffered())
		if at+size > r.Size() {
			return nil
		}
		return w.content[at : at+size : at+size]
	})
}

// cpioFrom walks an archive as it streams by. lies, where it is not nil, gives
// the next size bytes in memory.
func (w *walk) cpioFrom(in *bufio.Reader, lies func(in *bufio.Reader, size int64) []byte) error {
	for {
		e, err := readCpio(in)
		if err != nil || e.name == cpioTrailer {
			return err
		}
		body := &io.LimitedReader{R: in, N: e.size}
		if e.mode.IsRegular() && e.size > 0 {
			m := e.member
			m.metered, m.open = lies == nil, func() (io.Reader, error) { return body, nil }
			if lies != nil {
				if m.data = lies(in, e.size); m.data != nil {
					m.open = nil
				}
			}
			if err := w.yield(m); err != nil {
				return err
			}
		}
		if err := discard(in, body.N+padding(e.size, e.align)); err != nil {
			return err
		}
	}
}

// readCpio reads a header and its name.
func readCpio(in *bufio.Reader) (*cpioEntry, error) {
	magic, err := in.Peek(6)
	if err != nil {
		return nil, err
	}
	var e *cpioEntry
	switch {
	case string(magic) == "070701", string(magic) == "070702":
		e, err = readNewc(in)
	case string(magic) == "070707":
		e, err = readOdc(in)
	case string(magic[:2]) == "\xc7\x71":
		e, err = readOldCpio(in)
	default:
		err = errCpio
	}
	if err != nil {
		return nil, err
	}
	if e.nameLen < 1 || e.nameLen > maxCpioName || e.size < 0 {
		return nil, errCpio
	}
	name := make([]byte, e.nameLen)
	if _, err := io.ReadFull(in, name); err != nil {
		return nil, err
	}
	e.name = string(bytes.TrimRight(name, "\x00"))
	return e, discard(in, padding(e.header+e.nameLen, e.align))
}

// readNewc reads the header of the new ASCII format: hexadecimal fields.
func readNewc(in io.Reader) (*cpioEntry, error) {
	f, err := cpioFields(in, 6, 16, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8)
	if err != nil {
		return nil, err
	}
	return newCpioEntry(f[1], f[2], f[3], f[5], f[11], f[6], 4, 110), nil
}

// readOdc reads the header of the portable format: octal fields.
func readOdc(in io.Reader) (*cpioEntry, error) {
	f, err := cpioFields(in, 6, 8, 6, 6, 6, 6, 6, 6, 6, 11, 6, 11)
	if err != nil {
		return nil, err
	}
	return newCpioEntry(f[2], f[3], f[4], f[7], f[8], f[9], 1, 76), nil
}

// readOldCpio reads the oldest format: 16-bit words, little-endian.
func readOldCpio(in io.Reader) (*cpioEntry, error) {
	var h [13]uint16
	if err := binary.Read(in, binary.LittleEndian, &h); err != nil {
		return nil, err
	}
	long := func(i int) int64 { return int64(h[i])<<16 | int64(h[i+1]) }
	return newCpioEntry(int64(h[3]), int64(h[4]), int64(h[5]), long(8), int64(h[10]), long(11), 2, 26), nil
}

// cpioFields reads numbers of the given widths behind the magic.
func cpioFields(in io.Reader, magic, base int, widths ...int) ([]int64, error) {
	if err := discard(in, int64(magic)); err != nil {
		return nil, err
	}
	fields := make([]int64, len(widths))
	for i, n := range widths {
		buf := make([]byte, n)
		if _, err := io.ReadFull(in, buf); err != nil {
			return nil, err
		}
		v, err := strconv.ParseInt(string(buf), base, 63)
		if err != nil {
			return nil, errCpio
		}
		fields[i] = v
	}
	return fields, nil
}

func newCpioEntry(mode, uid, gid, mtime, nameLen, size, align, header int64) *cpioEntry {
	return &cpioEntry{nameLen: nameLen, align: align, header: header,
		member: member{size: size, mode: unixMode(mode), uid: &uid, gid: &gid, mtime: time.Unix(mtime, 0).UTC()}}
}

// unixMode turns the type and permission bits of a Unix mode into a FileMode.
func unixMode(mode int64) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	switch mode & 0o170000 {
	case 0o100000, 0:
	case 0o040000:
		m |= fs.ModeDir
	case 0o120000:
		m |= fs.ModeSymlink
	default:
		m |= fs.ModeIrregular
	}
	return m
}

// padding is how many bytes follow n to the next multiple of align.
func padding(n, align int64) int64 { return (align - n%align) % align }

func discard(r io.Reader, n int64) error {
	m, err := io.CopyN(io.Discard, r, n)
	if err == io.EOF && m < n {
		return io.ErrUnexpectedEOF
	}
	return err
}
