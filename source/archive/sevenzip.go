package archive

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"

	"github.com/besra-hunt/besra/inflate"
	"github.com/bodgit/sevenzip"
)

// sevenZip walks a 7z archive. An archive is encrypted as a whole, at times
// with its list of members: the password is found by reading one.
func (w *walk) sevenZip() error {
	r, err := w.openSevenZip()
	if err != nil {
		return err
	}
	block, left := 0, int64(0) // how much of the block lies unread before the member
	for _, f := range r.File {
		size := int64(min(f.UncompressedSize, 1<<40))
		if size > 0 && f.Stream != block { // what is empty lies in none
			block, left = f.Stream, 0
		}
		if !f.Mode().IsRegular() {
			left += size
			continue
		}
		read := &sevenZipMember{File: f}
		m := member{name: f.Name, size: size, mode: f.Mode(), mtime: f.Modified}
		m.open = func() (io.Reader, error) {
			if size > 0 {
				if left > w.budget.Bytes {
					return nil, w.budget.Spent()
				}
				w.budget.Bytes -= left
				left = 0
			}
			return read, read.open()
		}
		err := w.yield(m)
		left += size - read.n
		read.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// sevenZipMember is a member that is read, up to byte n. The next one goes on from
// where it is closed: a block is unpacked once.
type sevenZipMember struct {
	*sevenzip.File
	rc io.ReadCloser
	n  int64
}

func (m *sevenZipMember) open() (err error) {
	m.rc, err = m.File.Open()
	return sevenZipError(err)
}

func (m *sevenZipMember) Read(p []byte) (int, error) {
	n, err := m.rc.Read(p)
	m.n += int64(n)
	return n, err
}

func (m *sevenZipMember) close() {
	if m.rc != nil {
		m.rc.Close()
	}
}

// openSevenZip finds the password and opens the archive anew: what a trial left
// in the reader's pool is of no use to the walk.
func (w *walk) openSevenZip() (*sevenzip.Reader, error) {
	err := w.trySevenZip("")
	if !encrypted7z(err) {
		return w.withPassword("") // what else is wrong is met again by the walk
	}
	for _, password := range w.config.Passwords {
		if w.trySevenZip(password) == nil {
			return w.withPassword(password)
		}
	}
	return nil, errEncrypted
}

func (w *walk) withPassword(password string) (*sevenzip.Reader, error) {
	sevenzip.RegisterDecompressor([]byte{4, 1, 9}, deflate64) // which the library has none for
	return sevenzip.NewReaderWithPassword(bytes.NewReader(w.content), int64(len(w.content)), password)
}

func (w *walk) trySevenZip(password string) error {
	r, err := w.withPassword(password)
	if err != nil {
		return err
	}
	return tryMember(r)
}

// encrypted7z reports whether a password may mend the error.
func encrypted7z(err error) bool {
	var read *sevenzip.ReadError
	return errors.Is(err, errEncrypted) || errors.As(err, &read) && read.Encrypted
}

func sevenZipError(err error) error {
	if encrypted7z(err) {
		return errEncrypted
	}
	return err
}

// tryMember reads the member that ends first in its block: the checksum tells a
// wrong password, and of one that is too large for a trial mostly its beginning does.
func tryMember(r *sevenzip.Reader) error {
	var first *sevenzip.File
	var end uint64
	blocks := map[int]uint64{} // how long they are, up to the member
	for _, f := range r.File {
		blocks[f.Stream] += f.UncompressedSize
		if f.Mode().IsRegular() && f.UncompressedSize > 0 && (first == nil || blocks[f.Stream] < end) {
			first, end = f, blocks[f.Stream]
		}
	}
	if first == nil {
		return nil
	}
	rc, err := first.Open()
	if err != nil {
		return err
	}
	defer rc.Close()
	if end > maxTrial {
		_, err := io.CopyN(io.Discard, rc, beginning)
		return err
	}
	sum := crc32.NewIEEE()
	if _, err := io.Copy(sum, io.LimitReader(rc, maxTrial)); err != nil {
		return err
	}
	if first.CRC32 != 0 && sum.Sum32() != first.CRC32 {
		return errEncrypted // or damaged, which is told alike
	}
	return nil
}

const (
	maxTrial  = 64 << 20 // bounds what is unpacked to try a password
	beginning = 1 << 20  // what is, of a larger member
)

// deflate64 implements [sevenzip.Decompressor].
func deflate64(_ []byte, _ uint64, packed []io.ReadCloser) (io.ReadCloser, error) {
	if len(packed) != 1 {
		return nil, errors.New("Deflate64 unpacks one stream")
	}
	return struct {
		io.Reader
		io.Closer
	}{inflate.NewReader64(packed[0]), packed[0]}, nil
}
