package archive

import (
	"archive/tar"
	"bytes"
	"io"
	"strconv"
	"strings"
)

// isTar takes what has the magic of ustar and GNU, and a header of the oldest
// kind where its checksum fits.
func isTar(_ string, content []byte) bool {
	if len(content) < 512 {
		return false
	}
	if string(content[257:262]) == "ustar" {
		return true
	}
	return content[0] != 0 && tarChecksum(content[:512])
}

// tarChecksum compares the sum of a header's bytes, the field itself taken as
// blanks, with the octal number in it.
func tarChecksum(h []byte) bool {
	field := strings.Trim(string(h[148:156]), " \x00")
	want, err := strconv.ParseUint(field, 8, 32)
	if err != nil {
		return false
	}
	sum := uint64(8 * ' ')
	for i, c := range h {
		if i < 148 || i >= 156 {
			sum += uint64(c)
		}
	}
	return sum == want
}

// tar walks an archive that lies in memory: members are slices of it.
func (w *walk) tar() error {
	r := bytes.NewReader(w.content)
	return w.tarFrom(r, func(size int64) []byte {
		at := r.Size() - int64(r.Len())
		if at+size > r.Size() {
			return nil
		}
		return w.content[at : at+size : at+size]
	})
}

// tarFrom walks an archive as it streams by. lies, where it is not nil, gives
// the next size bytes where they are in memory already.
func (w *walk) tarFrom(r io.Reader, lies func(size int64) []byte) error {
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !regular(h) {
			continue
		}
		m := tarMember(h)
		if lies != nil && !sparse(h) {
			m.data = lies(h.Size)
		}
		if m.data == nil {
			m.metered, m.open = lies == nil, func() (io.Reader, error) { return tr, nil }
		}
		if err := w.yield(m); err != nil {
			return err
		}
	}
}

// regular reports whether the entry has content of its own: links, directories
// and devices have none, and what they name is not in the archive's bytes.
func regular(h *tar.Header) bool {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse, '7', 0: // 7 is a contiguous file, 0 the oldest form
		return !strings.HasSuffix(h.Name, "/")
	}
	return false
}

// sparse reports whether the content has holes, so that it does not lie in the
// archive as it is.
func sparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for k := range h.PAXRecords {
		if strings.HasPrefix(k, "GNU.sparse.") {
			return true
		}
	}
	return false
}

func tarMember(h *tar.Header) member {
	uid, gid := int64(h.Uid), int64(h.Gid)
	return member{name: h.Name, size: h.Size, mode: h.FileInfo().Mode(), uid: &uid, gid: &gid,
		owner: h.Uname, group: h.Gname, mtime: h.ModTime}
}
