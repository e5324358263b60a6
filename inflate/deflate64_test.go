package inflate

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// TestReader64 reads what is the same in DEFLATE and Deflate64: all but what is
// repeated. That is tested with archives of a program that packs it.
func TestReader64(t *testing.T) {
	for name, data := range samples() {
		for _, level := range []int{flate.NoCompression, flate.HuffmanOnly} {
			packed := pack(t, data, level)
			got, err := io.ReadAll(NewReader64(bytes.NewReader(packed)))
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s at level %d: got %d bytes and %v, want %d", name, level, len(got), err, len(data))
			}
			if _, err := io.ReadAll(NewReader64(bytes.NewReader(packed[:len(packed)-1]))); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s at level %d, cut: got %v, want the end of the input", name, level, err)
			}
		}
	}
	for name, packed := range map[string]string{
		"a kind of block that is none":     "\x07",
		"a repetition of nothing":          "\x03\x02\x00",
		"a stored block of two sizes":      "\x01\x02\x00\x02\x00ab",
		"more words than a code has":       "\x05\x00\x92\x24\x49\x92\x24\x49\x92\x24",
		"a symbol that stands for nothing": "\x1b\x03\x00\x00",
	} {
		if got, err := io.ReadAll(NewReader64(bytes.NewReader([]byte(packed)))); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: got %q and %v, want that it is corrupt", name, got, err)
		}
	}
}

func FuzzReader64(f *testing.F) {
	f.Add(pack(f, []byte("seed seed seed"), flate.BestCompression))
	f.Add(pack(f, []byte("seed"), flate.NoCompression))
	f.Add([]byte("2\x0000X0")) // lengths of words that are cut
	const most = 1 << 20
	f.Fuzz(func(t *testing.T, packed []byte) {
		whole, err := io.ReadAll(io.LimitReader(NewReader64(bytes.NewReader(packed)), most))
		bytewise, err2 := io.ReadAll(iotest.OneByteReader(io.LimitReader(NewReader64(bytes.NewReader(packed)), most)))
		if !bytes.Equal(whole, bytewise) || !errors.Is(err2, err) {
			t.Errorf("got %d bytes and %v at once, %d and %v one by one", len(whole), err, len(bytewise), err2)
		}
	})
}
