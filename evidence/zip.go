package evidence

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"crypto/rand"
	"hash/crc32"
	"io"
	"time"
)

// copyOf is a content about to become the only member of a zip file.
type copyOf struct {
	header  zip.FileHeader
	content []byte
}

// encrypted is the flag of a member that needs a password.
const encrypted = 1

// packed measures a content as a member of a zip file: sizes and checksum stand
// before it, so that it is compressed twice rather than held in memory.
func packed(name string, content []byte, at time.Time) copyOf {
	var n counter
	deflate(&n, content)
	return copyOf{content: content, header: zip.FileHeader{Name: name, Method: zip.Deflate, Flags: encrypted, Modified: at,
		CRC32: crc32.ChecksumIEEE(content), CompressedSize64: uint64(n) + saltSize, UncompressedSize64: uint64(len(content))}}
}

// counter counts what is written to it.
type counter int64

// Write implements [io.Writer].
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func deflate(w io.Writer, content []byte) error {
	z, err := flate.NewWriter(w, flate.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := z.Write(content); err != nil {
		return err
	}
	return z.Close()
}

func (c copyOf) write(w io.Writer, password string) error {
	out := bufio.NewWriter(w)
	z := zip.NewWriter(out)
	member, err := z.CreateRaw(&c.header)
	if err != nil {
		return err
	}
	e := newCipher(member, password)
	if err := e.salt(c.header.CRC32); err != nil {
		return err
	}
	if err := deflate(e, c.content); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return out.Flush()
}

// saltSize is the length of what precedes an encrypted member.
const saltSize = 12

// cipher encrypts as section 6.1 of PKWARE's APPNOTE says.
type cipher struct {
	w    io.Writer
	keys [3]uint32
	buf  []byte
}

func newCipher(w io.Writer, password string) *cipher {
	c := &cipher{w: w, keys: [3]uint32{0x12345678, 0x23456789, 0x34567890}}
	for i := range len(password) {
		c.update(password[i])
	}
	return c
}

func (c *cipher) update(b byte) {
	c.keys[0] = crcStep(c.keys[0], b)
	c.keys[1] = (c.keys[1]+c.keys[0]&0xff)*134775813 + 1
	c.keys[2] = crcStep(c.keys[2], byte(c.keys[1]>>24))
}

// crcStep is one step of CRC-32, without the inversions at its ends.
func crcStep(crc uint32, b byte) uint32 { return crc32.IEEETable[byte(crc)^b] ^ crc>>8 }

// salt writes random bytes, of which the last tells a reader whether it has the
// right password.
func (c *cipher) salt(sum uint32) error {
	var head [saltSize]byte
	rand.Read(head[:]) // never fails
	head[saltSize-1] = byte(sum >> 24)
	_, err := c.Write(head[:])
	return err
}

// Write implements [io.Writer].
func (c *cipher) Write(p []byte) (int, error) {
	c.buf = append(c.buf[:0], p...)
	for i, b := range c.buf {
		t := uint16(c.keys[2]) | 2
		c.buf[i] = b ^ byte(uint32(t)*uint32(t^1)>>8)
		c.update(b)
	}
	return c.w.Write(c.buf)
}
