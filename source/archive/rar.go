package archive

import (
	"bytes"
	"errors"
	"io"

	"github.com/nwaples/rardecode/v2"
)

func isRar(_ string, content []byte) bool {
	return hasPrefix(content, "Rar!\x1a\x07\x00") || hasPrefix(content, "Rar!\x1a\x07\x01\x00")
}

// rarDictionary bounds the window that an archive may ask for.
const rarDictionary = 256 << 20

// rar walks a RAR archive, of version 3 or 5, in one pass.
func (w *walk) rar() error {
	password, err := w.rarPassword()
	if err != nil {
		return err
	}
	r, err := openRar(w.content, password)
	for err == nil {
		var h *rardecode.FileHeader
		if h, err = r.Next(); err != nil {
			break
		}
		if h.IsDir || !h.Mode().IsRegular() {
			continue
		}
		m := member{name: h.Name, size: h.UnPackedSize, mode: h.Mode(), mtime: h.ModificationTime,
			open: func() (io.Reader, error) { return rarReader{r}, nil }}
		if h.UnKnownSize {
			m.size = -1
		}
		err = w.yield(m)
	}
	if err == io.EOF {
		return nil
	}
	return rarError(err)
}

func openRar(content []byte, password string) (*rardecode.Reader, error) {
	opts := []rardecode.Option{rardecode.MaxDictionarySize(rarDictionary)}
	if password != "" {
		opts = append(opts, rardecode.Password(password))
	}
	return rardecode.NewReader(bytes.NewReader(content), opts...)
}

// rarPassword finds the password that opens the first encrypted member; empty
// where none is needed.
func (w *walk) rarPassword() (string, error) {
	for _, password := range append([]string{""}, w.config.Passwords...) {
		err := tryRar(w.content, password)
		if err == nil || !errors.Is(rarError(err), errEncrypted) {
			return password, nil // what else is wrong is met again by the walk
		}
	}
	return "", errEncrypted
}

// tryRar reads up to the end of the first encrypted member.
func tryRar(content []byte, password string) error {
	r, err := openRar(content, password)
	if err != nil {
		return err
	}
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Encrypted && h.UnPackedSize > 0 {
			_, err := io.Copy(io.Discard, io.LimitReader(r, readStep))
			if errors.Is(err, rardecode.ErrBadFileChecksum) {
				return rardecode.ErrBadPassword
			}
			return err
		}
	}
}

// rarReader gives errors of a member their cause.
type rarReader struct{ r *rardecode.Reader }

func (r rarReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	return n, rarError(err)
}

func rarError(err error) error {
	for _, e := range []error{rardecode.ErrArchiveEncrypted, rardecode.ErrArchivedFileEncrypted, rardecode.ErrBadPassword} {
		if errors.Is(err, e) {
			return errEncrypted
		}
	}
	return err
}
