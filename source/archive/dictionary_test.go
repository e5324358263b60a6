package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/sourcetest"
	"github.com/ulikunitz/xz"
)

// TestDictionary: what asks for more memory than maxDictionary to be unpacked in is
// told as over a limit; half of it is unpacked.
func TestDictionary(t *testing.T) {
	xzOf := func(code byte) []byte {
		b := packed(t, []byte(marked), func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) })
		const header, dictionary = 12, 16
		b[dictionary] = code
		sum := header + (int(b[header])+1)*4 - 4
		binary.LittleEndian.PutUint32(b[sum:], crc32.ChecksumIEEE(b[header:sum]))
		return b
	}
	lzmaOf := func(size uint32) []byte {
		b := bytes.Clone(read(t, "b.txt.lzma"))
		binary.LittleEndian.PutUint32(b[1:], size)
		return b
	}
	zstdOf := func(window byte) []byte {
		block := len(marked)<<3 | 1 // the last one, as it is
		return append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0, window, byte(block & 0xff), byte(block >> 8), 0}, marked...)
	}
	for name, c := range map[string][2][]byte{
		"b.xz":   {xzOf(28), xzOf(31)}, // 64 and 192 MiB
		"b.lzma": {lzmaOf(64 << 20), lzmaOf(192 << 20)},
		"b.zst":  {zstdOf(16 << 3), zstdOf(18 << 3)}, // 64 and 256 MiB
	} {
		for i, want := range []struct {
			names []string
			over  bool
		}{{[]string{name + "!b"}, false}, {nil, true}} {
			in := sourcetest.Expand(t.Context(), expander(), sourcetest.Packed{Name: name, Content: c[i]}, sourcetest.Ample())
			var limit *besra.LimitError
			if got := keys(in.Content); !slices.Equal(got, want.names) || errors.As(in.Err, &limit) != want.over {
				t.Errorf("%s %d: got %q, gaps %q and %v, want %q", name, i, got, in.Gaps, in.Err, want.names)
			}
		}
	}
}
