package inflate

import (
	"hash"
	"hash/adler32"
	"io"
	"math/bits"
)

// ZlibReader reads what is packed in zlib (RFC 1950).
type ZlibReader struct {
	r   *Reader
	sum hash.Hash32
	err error
}

// NewZlibReader reads the header. One that asks for a dictionary is none, because
// nobody has it.
func NewZlibReader(r io.Reader) (*ZlibReader, error) {
	z := &ZlibReader{r: NewReader(r), sum: adler32.New()}
	h, err := z.r.take(16)
	if err != nil {
		return nil, err
	}
	const largest, dictionary = 7, 0x20 << 8
	if h&0xf != 8 || h>>4&0xf > largest || h&dictionary != 0 || bits.ReverseBytes16(uint16(h))%31 != 0 {
		return nil, ErrHeader
	}
	return z, nil
}

// Read implements [io.Reader].
func (z *ZlibReader) Read(p []byte) (n int, err error) {
	if z.err == nil {
		n, z.err = z.r.Read(p)
		z.sum.Write(p[:n])
		if z.err == io.EOF {
			z.err = z.check()
		}
	}
	return n, z.err
}

// check compares what was packed with the checksum behind it; [io.EOF] where it
// fits.
func (z *ZlibReader) check() error {
	sum, err := z.r.take(32)
	if err == nil && bits.ReverseBytes32(uint32(sum)) != z.sum.Sum32() {
		err = ErrChecksum
	}
	if err == nil {
		err = io.EOF
	}
	return err
}
