package inflate

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// samples are contents of all kinds that compress well and badly.
func samples() map[string][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("the of div class span href script function return var if else data value content width height <p> </p> { } ; ( ) = + true false null")
	var text []byte
	for len(text) < 1<<20 {
		text = append(append(text, words[random.IntN(len(words))]...), ' ')
	}
	noise := make([]byte, 300<<10)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	program, _ := os.ReadFile(os.Args[0])
	return map[string][]byte{"text": text, "noise": noise, "program": program[:min(len(program), 1<<20)],
		"zeros": make([]byte, 1<<20), "pairs": bytes.Repeat([]byte("ab"), 1<<17), "skewed": skewed(), "short": []byte("abc"), "nothing": nil}
}

// skewed has bytes each of which is about as often as all rarer ones together:
// their words are as long as words can be.
func skewed() (data []byte) {
	for i := range 20 {
		data = append(data, bytes.Repeat([]byte{byte(i)}, 1<<i/4)...)
	}
	random := rand.New(rand.NewPCG(3, 4))
	random.Shuffle(len(data), func(i, j int) { data[i], data[j] = data[j], data[i] })
	return data
}

func pack(t testing.TB, data []byte, level int) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func packGzip(data []byte, h gzip.Header) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Header = h
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func TestInflate(t *testing.T) {
	for name, data := range samples() {
		for _, level := range []int{flate.HuffmanOnly, 0, 1, 6} {
			packed := pack(t, data, level)
			for how, src := range map[string]io.Reader{"at once": bytes.NewReader(packed), "in halves": iotest.HalfReader(bytes.NewReader(packed)),
				"with its end": iotest.DataErrReader(bytes.NewReader(packed))} {
				got, err := io.ReadAll(NewReader(src))
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("%s, level %d, %s: %d bytes, %v, want %d", name, level, how, len(got), err, len(data))
				}
			}
		}
	}
}

// TestCut cuts a stream at every byte: what can be inflated is, and no more.
func TestCut(t *testing.T) {
	for _, level := range []int{0, 1, 6} {
		packed := pack(t, append([]byte("what comes before, before the cut, is as it was"), make([]byte, 300)...), level)
		for n := range len(packed) {
			same(t, packed[:n])
		}
	}
}

func TestErrorOfSource(t *testing.T) {
	failure := errors.New("failure")
	packed := pack(t, samples()["noise"], 1)
	src := io.MultiReader(bytes.NewReader(packed[:len(packed)/2]), iotest.ErrReader(failure))
	if _, err := io.ReadAll(NewReader(src)); err != failure {
		t.Errorf("got %v, want %v", err, failure)
	}
	if _, err := io.ReadAll(NewReader(stuck{})); err != io.ErrNoProgress {
		t.Errorf("got %v, want %v", err, io.ErrNoProgress)
	}
}

// stuck reads nothing, for ever.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// same compares with the standard library. Of a stream that is cut, that one
// leaves the last words out, or calls it corrupt where no word fits.
func same(t *testing.T, packed []byte) {
	t.Helper()
	const most = 1 << 20
	want, wantErr := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), most))
	got, err := io.ReadAll(io.LimitReader(NewReader(iotest.HalfReader(bytes.NewReader(packed))), most))
	cut := err == io.ErrUnexpectedEOF && wantErr != nil
	if !bytes.HasPrefix(got, want) || !cut && (len(got) > len(want) || err != kind(wantErr)) {
		t.Fatalf("%x: got %d bytes, %v, want %d, %v", packed, len(got), err, len(want), wantErr)
	}
}

func kind(err error) error {
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) {
		return ErrCorrupt
	}
	return err
}

func FuzzInflate(f *testing.F) {
	for _, data := range samples() {
		data = data[:min(len(data), 500)]
		for _, level := range []int{flate.HuffmanOnly, 0, 1, 6} {
			f.Add(pack(f, data, level))
		}
	}
	f.Add([]byte("\x05\x00"))                                     // a match without what it repeats
	f.Add([]byte("\x05\xc0\x81\x00\x00\x00\x00\x00\x10\xff\xd5")) // a code with a single word
	f.Fuzz(same)
}

func TestGzip(t *testing.T) {
	at := time.Unix(1700000000, 0)
	first := packGzip([]byte("first"), gzip.Header{Name: "näme", Comment: "comment", Extra: []byte("extra"), ModTime: at})
	second := packGzip(samples()["text"], gzip.Header{Name: "other"})
	z, err := NewGzipReader(iotest.HalfReader(bytes.NewReader(append(first, second...))))
	if err != nil {
		t.Fatal(err)
	}
	if z.Name != "näme" || !z.ModTime.Equal(at) {
		t.Errorf("got %q, %v", z.Name, z.ModTime)
	}
	got, err := io.ReadAll(z)
	if want := "first" + string(samples()["text"]); string(got) != want || err != nil {
		t.Errorf("got %d bytes, %v, want %d", len(got), err, len(want))
	}
}

// seed adds a stream, all its beginnings, and what differs from it in one bit.
func seed(f *testing.F, whole []byte) {
	f.Add(append(whole, whole...))
	f.Add(append(whole, "no header"...))
	for i := range whole {
		f.Add(whole[:i])
		flipped := bytes.Clone(whole)
		flipped[i] ^= 0x10
		f.Add(flipped)
	}
}

func FuzzGzip(f *testing.F) {
	seed(f, packGzip([]byte("content"), gzip.Header{Name: "name", Comment: "comment", Extra: []byte("extra")}))
	f.Add([]byte("\x1f\x8b\x08\x02\x00\x00\x00\x00\x00\x00\x1d\x26\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00")) // with a sum of the header
	f.Fuzz(func(t *testing.T, packed []byte) {
		sameFramed(t, packed, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
			func(r io.Reader) (io.Reader, error) { return NewGzipReader(r) })
	})
}

// sameFramed compares what two readers have of the same stream.
func sameFramed(t *testing.T, packed []byte, standard, ours func(io.Reader) (io.Reader, error)) {
	t.Helper()
	want, wantErr := contentOf(standard(bytes.NewReader(packed)))
	got, err := contentOf(ours(bytes.NewReader(packed)))
	if !bytes.HasPrefix(got, want) || err == nil && len(got) > len(want) || (err == nil) != (wantErr == nil) {
		t.Fatalf("%x: got %d bytes, %v, want %d, %v", packed, len(got), err, len(want), wantErr)
	}
}

func contentOf(r io.Reader, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, 1<<20))
}

func packZlib(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func TestZlib(t *testing.T) {
	for name, data := range samples() {
		z, err := NewZlibReader(iotest.HalfReader(bytes.NewReader(packZlib(data))))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes, %v, want %d", name, len(got), err, len(data))
		}
	}
}

func FuzzZlib(f *testing.F) {
	seed(f, packZlib([]byte("content")))
	f.Fuzz(func(t *testing.T, packed []byte) {
		sameFramed(t, packed, func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) },
			func(r io.Reader) (io.Reader, error) { return NewZlibReader(r) })
	})
}

func BenchmarkInflate(b *testing.B) {
	into := make([]byte, 64<<10)
	for _, name := range []string{"text", "program"} {
		data := samples()[name]
		packed := pack(b, data, 6)
		for reader, open := range map[string]func(io.Reader) io.Reader{"ours": func(r io.Reader) io.Reader { return NewReader(r) },
			"standard": func(r io.Reader) io.Reader { return flate.NewReader(r) }} {
			b.Run(name+"/"+reader, func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				for b.Loop() {
					r := open(bytes.NewReader(packed))
					for err := error(nil); err == nil; {
						_, err = r.Read(into)
					}
				}
			})
		}
	}
}
