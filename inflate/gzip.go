package inflate

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"time"
)

// The errors of gzip and zlib besides those of what is packed in them.
var (
	ErrHeader   = errors.New("deflate: invalid header")
	ErrChecksum = errors.New("deflate: invalid checksum")
)

// GzipReader reads what is packed in gzip: in all members that follow one
// another (RFC 1952, 2.2).
type GzipReader struct {
	Name    string    // of the first member; empty where it states none
	ModTime time.Time // of it; zero where it states none

	r    *Reader
	sum  uint32
	size uint32
	err  error
}

// NewGzipReader reads the first header.
func NewGzipReader(r io.Reader) (*GzipReader, error) {
	z := &GzipReader{r: NewReader(r)}
	h := gzipHeader{r: z.r}
	if err := h.parse(); err != nil {
		return nil, err
	}
	z.Name = h.name
	if at := binary.LittleEndian.Uint32(h.read[4:]); at > 0 {
		z.ModTime = time.Unix(int64(at), 0)
	}
	return z, nil
}

// Read implements [io.Reader].
func (z *GzipReader) Read(p []byte) (n int, err error) {
	for z.err == nil && n == 0 && len(p) > 0 {
		n, z.err = z.r.Read(p)
		z.sum = crc32.Update(z.sum, crc32.IEEETable, p[:n])
		z.size += uint32(n)
		if z.err == io.EOF {
			z.err = z.nextMember()
		}
	}
	if n > 0 {
		return n, nil
	}
	return 0, z.err
}

// nextMember goes on behind what a member packs; [io.EOF] where no other comes.
func (z *GzipReader) nextMember() error {
	h := gzipHeader{r: z.r}
	end, err := h.next(8)
	if err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(end) != z.sum || binary.LittleEndian.Uint32(end[4:]) != z.size {
		return ErrChecksum
	}
	if z.r.at == len(z.r.in) && z.r.fill() == io.ErrUnexpectedEOF {
		return io.EOF
	}
	z.sum, z.size = 0, 0
	z.r.restart()
	h.read = h.read[:0]
	return h.parse()
}

// gzipHeader is what a member begins with (RFC 1952, 2.3).
type gzipHeader struct {
	r    *Reader
	read []byte
	name string
}

const (
	gzipHasSum = 1 << (1 + iota)
	gzipHasExtra
	gzipHasName
	gzipHasComment

	// maxText is how long a name or comment may be.
	maxText = 512
)

func (h *gzipHeader) parse() error {
	b, err := h.next(10)
	if err != nil {
		return err
	}
	if string(b[:3]) != "\x1f\x8b\x08" {
		return ErrHeader
	}
	flags := b[3]
	if flags&gzipHasExtra != 0 {
		if b, err = h.next(2); err == nil {
			_, err = h.next(int(binary.LittleEndian.Uint16(b)))
		}
	}
	if flags&gzipHasName != 0 && err == nil {
		h.name, err = h.text()
	}
	if flags&gzipHasComment != 0 && err == nil {
		_, err = h.text()
	}
	if flags&gzipHasSum != 0 && err == nil {
		sum := crc32.ChecksumIEEE(h.read)
		if b, err = h.next(2); err == nil && binary.LittleEndian.Uint16(b) != uint16(sum) {
			err = ErrHeader
		}
	}
	return err
}

// next reads n bytes.
func (h *gzipHeader) next(n int) ([]byte, error) {
	for range n {
		b, err := h.r.take(8)
		if err != nil {
			return nil, err
		}
		h.read = append(h.read, byte(b))
	}
	return h.read[len(h.read)-n:], nil
}

// text reads up to a zero byte. It is in Latin-1.
func (h *gzipHeader) text() (string, error) {
	var text []rune
	for len(text) < maxText {
		b, err := h.next(1)
		if err != nil {
			return "", err
		}
		if b[0] == 0 {
			return string(text), nil
		}
		text = append(text, rune(b[0]))
	}
	return "", ErrHeader
}
