package archive

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/inflate"
	"github.com/pierrec/lz4/v4"
)

func isBzip2(_ string, content []byte) bool {
	return len(content) >= 10 && string(content[:3]) == "BZh" && content[3] >= '1' && content[3] <= '9' &&
		(string(content[4:10]) == "1AY&SY" || string(content[4:10]) == "\x17\x72\x45\x38\x50\x90")
}

// isZstd takes a frame, also behind a skippable one.
func isZstd(_ string, content []byte) bool {
	return hasPrefix(content, "\x28\xb5\x2f\xfd") ||
		len(content) > 8 && content[0]&0xf0 == 0x50 && string(content[1:4]) == "\x2a\x4d\x18"
}

// isBrotli goes by the name: the format has no magic.
func isBrotli(name string, content []byte) bool {
	return len(content) > 0 && strings.HasSuffix(strings.ToLower(name), ".br")
}

// isLZMA goes by the header's properties and the name, as the format has no
// magic either.
func isLZMA(name string, content []byte) bool {
	name = strings.ToLower(name)
	return len(content) > 13 && content[0] < 9*5*5 && (strings.HasSuffix(name, ".lzma") || strings.HasSuffix(name, ".tlz"))
}

func (w *walk) gzip() error {
	r, err := inflate.NewGzipReader(bytes.NewReader(w.content))
	if err != nil {
		return err
	}
	name := r.Name
	if name == "" {
		name = w.stem(".gz", ".gzip", ".z")
		if end := strings.ToLower(w.outer.Name); strings.HasSuffix(end, ".tgz") || strings.HasSuffix(end, ".svgz") {
			name = w.stem(".gz", ".tgz", ".svgz")
		}
	}
	return w.stream(r, member{name: name, size: -1, mtime: r.ModTime})
}

func (w *walk) bzip2() error {
	return w.stream(bzip2.NewReader(bytes.NewReader(w.content)), w.streamed(".bz2", ".tbz2", ".tbz"))
}

func (w *walk) xz() error {
	r, err := wholeXZ(w.content)
	if err != nil {
		return err
	}
	return w.stream(r, w.streamed(".xz", ".txz"))
}

func (w *walk) lzma() error {
	r, err := newLZMA(bytes.NewReader(w.content))
	if err != nil {
		return err
	}
	return w.stream(r, w.streamed(".lzma", ".tlz"))
}

func (w *walk) zstd() error {
	r, err := newZstd(bytes.NewReader(w.content))
	if err != nil {
		return err
	}
	defer closeReader(r)
	return w.stream(r, w.streamed(".zst", ".tzst", ".zstd"))
}

func (w *walk) lz4() error {
	return w.stream(lz4.NewReader(bytes.NewReader(w.content)), w.streamed(".lz4"))
}

func (w *walk) brotli() error {
	return w.stream(brotli.NewReader(bytes.NewReader(w.content)), w.streamed(".br"))
}

// streamed is the one member of a stream, named after it.
func (w *walk) streamed(endings ...string) member {
	return member{name: w.stem(endings...), size: -1}
}

// decompress unpacks what is packed in one of the streams that packages use, or
// gives it as it is.
func decompress(packed []byte) (io.Reader, error) {
	r := bytes.NewReader(packed)
	switch {
	case hasPrefix(packed, "\x1f\x8b"):
		return inflate.NewGzipReader(r)
	case hasPrefix(packed, "\xfd7zXZ\x00"):
		return wholeXZ(packed)
	case isZstd("", packed):
		return newZstd(r)
	case isBzip2("", packed):
		return bzip2.NewReader(r), nil
	case hasPrefix(packed, "\x5d\x00\x00"):
		return newLZMA(r)
	}
	return r, nil
}

// wholeXZ unpacks a stream of xz, and tells where it has no end: the library takes
// an end behind the header for that of an empty stream.
func wholeXZ(packed []byte) (io.Reader, error) {
	r, err := newXZ(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	if bytes.HasSuffix(bytes.TrimRight(packed, "\x00"), []byte("YZ")) {
		return r, nil
	}
	return &endless{r}, nil
}

// endless reads what must not come to an end.
type endless struct{ r io.Reader }

func (e *endless) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// closeReader frees what a decompressor holds; most hold nothing.
func closeReader(r io.Reader) {
	if c, ok := r.(interface{ Close() }); ok {
		c.Close()
	}
}

// stream yields what r unpacks: the members of a tar or cpio archive, or the
// one thing that it is.
func (w *walk) stream(r io.Reader, m member) error {
	in := bufio.NewReaderSize(&metered{r, w.budget}, 64<<10)
	head, err := in.Peek(512)
	if err != nil && err != io.EOF {
		if len(head) == 0 {
			return err
		}
		r = io.MultiReader(bytes.NewReader(head), failing{err}) // what came before the damage
	} else {
		r = in
	}
	switch {
	case isTar("", head):
		return w.tarFrom(in, nil)
	case isCpio("", head):
		return w.cpioFrom(in, nil)
	}
	m.metered = true
	m.open = func() (io.Reader, error) { return r, nil }
	return w.yield(m)
}

// failing ends with an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// metered spends the budget on what a stream unpacks, be it looked at or
// passed over.
type metered struct {
	r      io.Reader
	budget *besra.Budget
}

func (m *metered) Read(p []byte) (int, error) {
	if m.budget.Bytes <= 0 {
		return 0, m.budget.Spent()
	}
	n, err := m.r.Read(p)
	m.budget.Bytes -= int64(n)
	return n, err
}
