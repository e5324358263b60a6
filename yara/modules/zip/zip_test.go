package zip_test

import (
	"archive/zip"
	"bytes"
	"testing"

	"github.com/besra-hunt/besra/yara/module"
	zipmodule "github.com/besra-hunt/besra/yara/modules/zip"
	"github.com/besra-hunt/besra/yara/yaratest"
)

// sample has a deflated, a stored and an entry of another method.
func sample() []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, h := range []*zip.FileHeader{{Name: "a/b.txt", Method: zip.Deflate}, {Name: "c\xff", Method: zip.Store, NonUTF8: true}} {
		f, _ := w.CreateHeader(h)
		f.Write(bytes.Repeat([]byte("a"), 1000))
	}
	for _, method := range []uint16{12, 77} {
		w.CreateRaw(&zip.FileHeader{Name: "raw", Method: method, UncompressedSize64: 1 << 40, CompressedSize64: 0})
	}
	w.Close()
	return b.Bytes()
}

func TestFields(t *testing.T) {
	data := sample()
	tests := []struct {
		data       []byte
		path, want string
	}{
		{data, "is_zip", "true"},
		{data, "entries.0.file_path", `"a/b.txt"`},
		{data, "entries.0.compression", "8"},
		{data, "entries.0.uncompressed_size", "1000"},
		{data, "entries.1.file_path", `"c�"`},
		{data, "entries.1.compression", "0"},
		{data, "entries.1.compressed_size", "1000"},
		{data, "entries.2.compression", "12"},
		{data, "entries.2.uncompressed_size", "1099511627776"},
		{data, "entries.3.compression", "255"},
		{data, "entries.4.file_path", "undefined"},
		{append([]byte("before"), data...), "entries.0.file_path", `"a/b.txt"`},
		{data[:len(data)-1], "is_zip", "false"},
		{nil, "is_zip", "false"},
		{nil, "entries.0.file_path", "undefined"},
	}
	for _, test := range tests {
		in := &module.Input{Data: test.data}
		if got := yaratest.Show(yaratest.Get(t, zipmodule.Module(), in, test.path)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.path, got, test.want)
		}
	}
}

func FuzzZip(f *testing.F) {
	f.Add(sample())
	f.Fuzz(func(t *testing.T, data []byte) {
		in := &module.Input{Data: data}
		list := yaratest.Get(t, zipmodule.Module(), in, "entries").List()
		for i := range list.Len() {
			for j := range 4 {
				list.At(i).Field(j)
			}
		}
	})
}
