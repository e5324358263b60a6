package archive

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"

	"github.com/besra-hunt/besra"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// maxDictionary is how far back in what it unpacks a stream may refer, which has to
// be in memory: twice of what xz -9 asks for, and what zstd takes untold.
const maxDictionary = 128 << 20

var errDictionary = &besra.LimitError{Limit: "dictionary", Max: maxDictionary}

// newZstd looks at the first frame; of others the decoder refuses what is too large.
func newZstd(r io.Reader) (io.Reader, error) {
	in := bufio.NewReader(r)
	head, _ := in.Peek(zstd.HeaderMaxSize)
	var first zstd.Header
	if first.Decode(head) == nil && first.WindowSize > maxDictionary {
		return nil, errDictionary
	}
	d, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxDictionary))
	if err != nil {
		return nil, err
	}
	return d, nil
}

func newLZMA(r io.Reader) (io.Reader, error) {
	l, err := lzma.ReaderConfig{DictCap: maxDictionary}.NewReader(r)
	var larger *lzma.ErrDictSize
	if errors.As(err, &larger) {
		return nil, errDictionary
	}
	return l, err
}

// newXZ looks at the first block only: others are written with the same dictionary.
func newXZ(r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, xzHeaders)
	head, _ := in.Peek(xzHeaders)
	if xzDictionary(head) > maxDictionary {
		return nil, errDictionary
	}
	return xz.NewReader(in)
}

// xzHeaders is how long a header of xz and one of a block are at most
// (The .xz File Format 1.2, 2.1.1 and 3.1).
const xzHeaders = 12 + 1024

// xzDictionary is the size that the first block states; 0 where there is none.
func xzDictionary(head []byte) int64 {
	const flags, lzma2 = 13, 0x21
	if len(head) <= flags+1 {
		return 0
	}
	rest := head[flags+1:]
	number := func() uint64 {
		v, n := binary.Uvarint(rest)
		rest = rest[max(0, n):]
		return v
	}
	for range bits.OnesCount8(head[flags] >> 6) {
		number() // a size
	}
	for range head[flags]&3 + 1 {
		filter, size := number(), number()
		if size > uint64(len(rest)) {
			break
		}
		if filter == lzma2 && size == 1 {
			n, _ := lzma.DecodeDictCap(rest[0])
			return n
		}
		rest = rest[size:]
	}
	return 0
}
