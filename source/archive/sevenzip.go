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
// with its list of members: the password is found by reading the smallest.
func (w *walk) sevenZip() error {
	r, err := w.openSevenZip()
	if err != nil {
		return err
	}
	for _, f := range r.File {
		if f.FileInfo().IsDir() || !f.Mode().IsRegular() {
			continue
		}
		m := member{name: f.Name, size: int64(min(f.UncompressedSize, 1<<62)), mode: f.Mode(), mtime: f.Modified}
		rc := io.NopCloser(nil)
		m.open = func() (io.Reader, error) {
			opened, err := f.Open()
			if err == nil {
				rc = opened
			}
			return opened, sevenZipError(err)
		}
		err := w.yield(m)
		_ = rc.Close() // the next member goes on from here: a block is unpacked once
		if err != nil {
			return err
		}
	}
	return nil
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
	return readSmallest(r)
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

// readSmallest reads the smallest member, whose checksum tells a wrong password.
func readSmallest(r *sevenzip.Reader) error {
	var smallest *sevenzip.File
	for _, f := range r.File {
		if f.Mode().IsRegular() && f.UncompressedSize > 0 && (smallest == nil || f.UncompressedSize < smallest.UncompressedSize) {
			smallest = f
		}
	}
	if smallest == nil || smallest.UncompressedSize > maxTrial {
		return nil
	}
	rc, err := smallest.Open()
	if err != nil {
		return err
	}
	defer rc.Close()
	sum := crc32.NewIEEE()
	if _, err := io.Copy(sum, io.LimitReader(rc, maxTrial)); err != nil {
		return err
	}
	if smallest.CRC32 != 0 && sum.Sum32() != smallest.CRC32 {
		return errEncrypted // or damaged, which is told alike
	}
	return nil
}

// maxTrial bounds what is unpacked to try a password.
const maxTrial = 64 << 20

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
