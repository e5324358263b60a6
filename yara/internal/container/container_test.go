package container_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/container"
	"github.com/besra-hunt/besra/yara/internal/container/containertest"
)

var (
	large = bytes.Repeat([]byte("0123456789"), 1000)
	small = []byte("a small stream of some hundred bytes, so that it takes two of the small sectors")
)

func sample() []byte {
	return containertest.Compound(
		containertest.Stream{Name: "\x05Large", Data: large},
		containertest.Stream{Name: "Sm\U0001f600ll", Data: small},
		containertest.Stream{Name: "Empty"})
}

func TestCompound(t *testing.T) {
	c := container.ParseCompound(sample())
	if c == nil {
		t.Fatal("not recognized")
	}
	want := []struct {
		name string
		typ  uint8
		data []byte
	}{
		{"Root Entry", container.TypeRoot, nil},
		{"Large", container.TypeStream, large},
		{"Sm\U0001f600ll", container.TypeStream, small},
		{"Empty", container.TypeStream, []byte{}},
	}
	entries := c.Entries()
	if len(entries) != len(want) {
		t.Fatalf("%d entries, want %d", len(entries), len(want))
	}
	for i, w := range want {
		e := &entries[i]
		if e.Name != w.name || e.Type != w.typ {
			t.Errorf("entry %d: got %q type %d, want %q type %d", i, e.Name, e.Type, w.name, w.typ)
		}
		if got, ok := c.Read(e); w.data != nil && (!ok || !bytes.Equal(got, w.data)) {
			t.Errorf("%s: got %d bytes, %v, want %d", e.Name, len(got), ok, len(w.data))
		}
	}
}

// Damage makes a stream unreadable, or the file none of the format; never more.
func TestCompoundDamage(t *testing.T) {
	fat := func(data []byte) int { return 512 * (1 + int(binary.LittleEndian.Uint32(data[76:]))) }
	tests := []struct {
		name   string
		damage func([]byte) []byte
		parses bool
		reads  bool // the large stream
	}{
		{"byte order", func(b []byte) []byte { b[28] = 0; return b }, false, false},
		{"sector size", func(b []byte) []byte { b[30] = 10; return b }, false, false},
		{"no directory", func(b []byte) []byte { copy(b[48:], "\xff\xff\xff\xff"); return b }, false, false},
		{"header cut", func(b []byte) []byte { return b[:70] }, false, false},
		{"no table", func(b []byte) []byte { copy(b[76:], "\xff\xff\xff\xff"); return b }, false, false},
		{"circle", func(b []byte) []byte { copy(b[fat(b):], "\x00\x00\x00\x00"); return b }, true, false},
		{"longer circle", func(b []byte) []byte { copy(b[fat(b)+4:], "\x00\x00\x00\x00"); return b }, true, false},
		{"chain ends", func(b []byte) []byte { copy(b[fat(b):], "\xfe\xff\xff\xff"); return b }, true, false},
		{"chain leaves the file", func(b []byte) []byte { copy(b[fat(b):], "\x00\x00\xff\x00"); return b }, true, false},
		{"table cut", func(b []byte) []byte { return b[:len(b)-1] }, true, false},
		{"endless difat", func(b []byte) []byte { copy(b[68:], "\x00\x00\x00\x00\xff\xff\xff\xff"); return b }, true, true},
		{"as is", func(b []byte) []byte { return b }, true, true},
	}
	for _, test := range tests {
		c := container.ParseCompound(test.damage(sample()))
		if (c != nil) != test.parses {
			t.Errorf("%s: parses %v, want %v", test.name, c != nil, test.parses)
		}
		if c == nil {
			continue
		}
		reads := false
		for _, e := range c.Entries() {
			if e.Name == "Large" {
				_, reads = c.Read(&e)
			}
		}
		if reads != test.reads {
			t.Errorf("%s: reads %v, want %v", test.name, reads, test.reads)
		}
	}
}

// Entries of one name become one, in the place of the first.
func TestCompoundNames(t *testing.T) {
	c := container.ParseCompound(containertest.Compound(
		containertest.Stream{Name: "a", Data: []byte("1")},
		containertest.Stream{Name: "b", Data: []byte("2")},
		containertest.Stream{Name: "a", Data: []byte("333")}))
	got := fmt.Sprint(c.Entries()[1:])
	if want := "[{a 2 3 2} {b 2 1 1}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The tree has every entry once, also where the file refers to one again, and
// entries of one name; children are in the order of their names.
func TestTree(t *testing.T) {
	data := containertest.Compound(
		containertest.Stream{Name: "bb", Data: []byte("1")},
		containertest.Stream{Name: "b", Data: []byte("2")},
		containertest.Stream{Name: "a", Data: []byte("3")},
		containertest.Stream{Name: "a", Data: []byte("4")})
	names := func() (s string) {
		for _, n := range container.ParseCompound(data).Tree().Children {
			s += n.Entry.Name + " "
		}
		return s
	}
	if got, want := names(), "a a b bb "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	directory := 512 * (1 + int(binary.LittleEndian.Uint32(data[48:])))
	binary.LittleEndian.PutUint32(data[directory+128*2+68:], 1) // b is left of bb and the other way round
	binary.LittleEndian.PutUint32(data[directory+128*3+76:], 0) // a stream holds the root
	if got, want := names(), "a a b bb "; got != want {
		t.Errorf("circle: got %q, want %q", got, want)
	}
}

func archive(t testing.TB) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, method := range map[string]uint16{"stored": zip.Store, "deflated": zip.Deflate} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		f.Write(large)
	}
	w.SetComment("a comment with PK\x05\x06 in it, which is no end of the directory")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestZip(t *testing.T) {
	for _, prefix := range []string{"", "a program before the archive"} {
		z := container.ParseZip(append([]byte(prefix), archive(t)...))
		if z == nil || len(z.Entries()) != 2 {
			t.Fatalf("prefix %q: %v", prefix, z)
		}
		for _, name := range []string{"stored", "deflated"} {
			e := z.Find(name)
			if e == nil || e.UncompressedSize != uint64(len(large)) {
				t.Fatalf("%s: got %+v", name, e)
			}
			if got, ok := z.Read(e, len(large)); !ok || !bytes.Equal(got, large) {
				t.Errorf("%s: got %d bytes, %v", name, len(got), ok)
			}
			if _, ok := z.Read(e, len(large)-1); ok {
				t.Errorf("%s: read beyond the limit", name)
			}
		}
		if z.Find("missing") != nil {
			t.Error("found what is not there")
		}
	}
	for _, data := range []string{"", "PK\x05\x06", "PK\x03\x04 and nothing else"} {
		if container.ParseZip([]byte(data)) != nil {
			t.Errorf("%q is an archive", data)
		}
	}
}

// Damage to the end of the directory, with YARA-X's answers.
func TestZipDamage(t *testing.T) {
	plain := archive(t)
	end := bytes.Index(plain, []byte("PK\x05\x06\x00\x00"))
	put := func(at int, v byte) []byte {
		b := bytes.Clone(plain)
		b[end+at] = v
		return b
	}
	insert := func(at int) []byte {
		return append(append(bytes.Clone(plain[:at]), "between"...), plain[at:]...)
	}
	tests := []struct {
		name    string
		data    []byte
		entries int // -1 for no archive
	}{
		{"as is", plain, 2},
		{"more disks", put(4, 1), -1},
		{"directory on another disk", put(6, 1), -1},
		{"too many entries", put(10, 9), 2},
		{"directory larger than the file", put(15, 9), -1},
		{"data before the end", insert(end), 2},
		{"data after the end", append(bytes.Clone(plain), "after"...), 2},
	}
	for _, test := range tests {
		got := -1
		if z := container.ParseZip(test.data); z != nil {
			got = len(z.Entries())
		}
		if got != test.entries {
			t.Errorf("%s: got %d entries, want %d", test.name, got, test.entries)
		}
	}
}

// A bomb is given up at the limit, whatever size it says to have.
func TestZipBomb(t *testing.T) {
	var deflated bytes.Buffer
	fw, _ := flate.NewWriter(&deflated, 9)
	fw.Write(make([]byte, 32<<20))
	fw.Close()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, _ := w.CreateRaw(&zip.FileHeader{Name: "bomb", Method: zip.Deflate,
		CompressedSize64: uint64(deflated.Len()), UncompressedSize64: 1})
	f.Write(deflated.Bytes())
	w.Close()
	z := container.ParseZip(b.Bytes())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, ok := z.Read(z.Find("bomb"), 1<<20); ok {
		t.Error("inflated")
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
		t.Errorf("allocated %d bytes for a limit of 1 MiB", n)
	}
}

func FuzzCompound(f *testing.F) {
	f.Add(sample())
	f.Fuzz(func(t *testing.T, data []byte) {
		c := container.ParseCompound(data)
		if c == nil {
			return
		}
		c.Tree()
		for _, e := range c.Entries() {
			if b, ok := c.Read(&e); ok && len(b) != int(e.Size) {
				t.Errorf("%s: %d bytes of %d", e.Name, len(b), e.Size)
			}
		}
	})
}

func FuzzZip(f *testing.F) {
	f.Add(archive(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		z := container.ParseZip(data)
		if z == nil {
			return
		}
		for _, e := range z.Entries() {
			if b, ok := z.Read(&e, 1<<16); ok && len(b) > 1<<16 {
				t.Errorf("%s: %d bytes", e.Name, len(b))
			}
		}
	})
}
