package archive

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"time"

	"github.com/besra-hunt/besra"
)

// Sizes and flags of a cabinet (Microsoft's [MS-CAB]).
const (
	cabHeader   = 36
	cabFolder   = 8
	cabFile     = 16
	cabData     = 8
	cabPrev     = 1
	cabNext     = 2
	cabReserve  = 4
	cabWindow   = 32 << 10
	cabStored   = 0
	cabMSZIP    = 1
	cabQuantum  = 2
	cabLZX      = 3
	cabContinue = 0xfffd // folder numbers from here on refer to other cabinets
)

var errCab = errors.New("breaks the layout of a cabinet")

// cabinet is the parsed head of a cabinet file.
type cabinet struct {
	content       []byte
	folders       []cabFolderEntry
	files         []cabFileEntry
	dataReserve   int
	folderReserve int
}

type cabFolderEntry struct {
	offset, blocks uint32
	method         uint16
}

type cabFileEntry struct {
	name         string
	size, offset uint32
	folder       uint16
	mtime        time.Time
}

// cab walks a cabinet: each folder is one compressed stream that its files
// share, so the files are read in order.
func (w *walk) cab() error {
	c, err := parseCab(w.content)
	if err != nil {
		return err
	}
	var open *cabStream
	current := -1
	for _, f := range c.files {
		if f.folder >= cabContinue || int(f.folder) >= len(c.folders) {
			w.gap(f.name, unsupportedError("a file that begins or ends in another cabinet"))
			continue
		}
		if int(f.folder) != current || int64(f.offset) < open.at {
			current, open = int(f.folder), newCabStream(c, c.folders[f.folder])
		}
		stream := open
		m := member{name: f.name, size: int64(f.size), mtime: f.mtime, metered: true,
			open: func() (io.Reader, error) { return stream.file(f, w.budget) }}
		if err := w.yield(m); err != nil {
			return err
		}
	}
	return nil
}

// parseCab reads the header, the folders and the files.
func parseCab(b []byte) (*cabinet, error) {
	if len(b) < cabHeader {
		return nil, io.ErrUnexpectedEOF
	}
	c := &cabinet{content: b}
	folders, files := int(binary.LittleEndian.Uint16(b[26:])), int(binary.LittleEndian.Uint16(b[28:]))
	at, err := c.skipHead(binary.LittleEndian.Uint16(b[30:]))
	if err != nil {
		return nil, err
	}
	for range folders {
		if at+cabFolder > len(b) {
			return nil, io.ErrUnexpectedEOF
		}
		c.folders = append(c.folders, cabFolderEntry{binary.LittleEndian.Uint32(b[at:]),
			uint32(binary.LittleEndian.Uint16(b[at+4:])), binary.LittleEndian.Uint16(b[at+6:])})
		at += cabFolder + c.folderReserve
	}
	return c, c.readFiles(int64(binary.LittleEndian.Uint32(b[16:])), files)
}

// skipHead passes over the parts of the header that flags announce.
func (c *cabinet) skipHead(flags uint16) (int, error) {
	b, at := c.content, cabHeader
	if flags&cabReserve != 0 {
		if len(b) < at+4 {
			return 0, io.ErrUnexpectedEOF
		}
		reserve := int(binary.LittleEndian.Uint16(b[at:]))
		c.folderReserve, c.dataReserve = int(b[at+2]), int(b[at+3])
		at += 4 + reserve
	}
	texts := 0
	if flags&cabPrev != 0 {
		texts += 2
	}
	if flags&cabNext != 0 {
		texts += 2
	}
	for range texts {
		if at > len(b) {
			return 0, io.ErrUnexpectedEOF
		}
		end := bytes.IndexByte(b[at:], 0)
		if end < 0 {
			return 0, errCab
		}
		at += end + 1
	}
	return at, nil
}

func (c *cabinet) readFiles(at int64, count int) error {
	b := c.content
	for range count {
		if at+cabFile > int64(len(b)) {
			return io.ErrUnexpectedEOF
		}
		e := b[at:]
		end := bytes.IndexByte(e[cabFile:], 0)
		if end < 0 {
			return errCab
		}
		c.files = append(c.files, cabFileEntry{name: string(e[cabFile : cabFile+end]),
			size: binary.LittleEndian.Uint32(e), offset: binary.LittleEndian.Uint32(e[4:]), folder: binary.LittleEndian.Uint16(e[8:]),
			mtime: dosTime(binary.LittleEndian.Uint16(e[10:]), binary.LittleEndian.Uint16(e[12:]))})
		at += int64(cabFile + end + 1)
	}
	return nil
}

// dosTime reads a date and time of two seconds' precision, in no known zone.
func dosTime(d, t uint16) time.Time {
	return time.Date(int(d>>9)+1980, time.Month(d>>5&15), int(d&31), int(t>>11), int(t>>5&63), int(t&31)*2, 0, time.UTC)
}

// cabStream unpacks a folder from front to back.
type cabStream struct {
	cab    *cabinet
	folder cabFolderEntry
	next   int64 // offset of the next data block
	blocks uint32
	window []byte // what was unpacked last, MSZIP's dictionary
	lzx    *lzx
	ready  []byte // unpacked and not yet read
	at     int64  // offset in the unpacked folder
	err    error  // ends the folder behind ready
}

func newCabStream(c *cabinet, f cabFolderEntry) *cabStream {
	return &cabStream{cab: c, folder: f, next: int64(f.offset), blocks: f.blocks}
}

// file returns the bytes of one file. Files that were not opened are passed over,
// which costs what they unpack to: files may be listed in any order, and each may
// begin the folder anew.
func (s *cabStream) file(f cabFileEntry, budget *besra.Budget) (io.Reader, error) {
	if s.err == nil && s.lzx == nil {
		s.err = s.begin()
	}
	r := &metered{s, budget}
	if err := discard(r, int64(f.offset)-s.at); err != nil {
		return nil, err
	}
	return &exactly{io.LimitedReader{R: r, N: int64(f.size)}}, nil
}

// begin gets ready for what the folder is packed with.
func (s *cabStream) begin() (err error) {
	switch s.folder.method & 0xf {
	case cabStored, cabMSZIP:
	case cabLZX:
		s.lzx, err = newLZX(int(s.folder.method >> 8 & 0x1f))
	case cabQuantum:
		err = unsupportedError("compression by Quantum")
	default:
		err = unsupportedError("compression method " + itoa(int64(s.folder.method&0xf)))
	}
	return err
}

// Read implements [io.Reader].
func (s *cabStream) Read(p []byte) (int, error) {
	for len(s.ready) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		s.ready, s.err = s.block()
	}
	n := copy(p, s.ready)
	s.ready, s.at = s.ready[n:], s.at+int64(n)
	return n, nil
}

// block unpacks the next data block. With an error there is no further one, as
// it would follow on what is missing.
func (s *cabStream) block() ([]byte, error) {
	b, head := s.cab.content, int64(cabData+s.cab.dataReserve)
	if s.blocks == 0 || s.next+head > int64(len(b)) {
		return nil, io.ErrUnexpectedEOF
	}
	packed, plain := int64(binary.LittleEndian.Uint16(b[s.next+4:])), int(binary.LittleEndian.Uint16(b[s.next+6:]))
	start := s.next + head
	end := min(start+packed, int64(len(b)))
	s.next, s.blocks = start+packed, s.blocks-1
	if plain == 0 {
		return nil, unsupportedError("a file that begins or ends in another cabinet")
	}
	data, err := s.unpack(b[start:end], plain)
	if err == nil && end < start+packed {
		err = io.ErrUnexpectedEOF
	}
	return data, err
}

func (s *cabStream) unpack(packed []byte, size int) ([]byte, error) {
	switch {
	case s.lzx != nil:
		return s.lzx.frame(packed, size)
	case s.folder.method&0xf == cabStored:
		return packed, nil
	}
	return s.inflate(packed, size)
}

// inflate unpacks an MSZIP block: deflate behind the letters CK, with the last
// 32 KiB as its dictionary.
func (s *cabStream) inflate(data []byte, size int) ([]byte, error) {
	if !hasPrefix(data, "CK") || size > cabWindow {
		return nil, errCab
	}
	r := flate.NewReaderDict(bytes.NewReader(data[2:]), s.window)
	plain := make([]byte, size)
	n, err := io.ReadFull(r, plain)
	s.window = plain[:n]
	return plain[:n], err
}

// exactly reads N bytes and takes an earlier end for damage.
type exactly struct{ io.LimitedReader }

func (r *exactly) Read(p []byte) (int, error) {
	n, err := r.LimitedReader.Read(p)
	if err == io.EOF && r.N > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
