package archive

import (
	"bytes"
	"io"
	"slices"
)

const (
	// overlap is how many bytes are searched again with the next window, so that
	// what lies across the border is found.
	overlap = 64 << 10
	// leastWindow is what windows are worth opening for; with less memory a
	// member that does not fit is left out.
	leastWindow = 2 * overlap
)

// windowed is why size and digests of a window are not those of its member.
const windowed = "the member is larger than what is unpacked at once: it is searched in windows"

// window returns the bytes of a window, and keeps what follows it for the next
// round of yield. The last byte of data is the one that shows that more follow.
func (w *walk) window(m member, data []byte, r io.Reader, buf *[]byte) []byte {
	end := len(data) - 1
	if end < leastWindow || m.at+int64(end) > m.most {
		return data[:end]
	}
	again := slices.Clone(data[end-overlap:])
	next := m
	next.at, next.size, next.expect, next.buf = m.at+int64(end-overlap), -1, nil, buf
	next.open = func() (io.Reader, error) { return io.MultiReader(bytes.NewReader(again), r), nil }
	w.rest = &next
	return data[:end]
}
