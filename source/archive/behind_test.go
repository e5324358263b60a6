package archive

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/google/go-cmp/cmp"
)

// windowsProgram is the head of a program with one section that ends there.
func windowsProgram(size int) []byte {
	b := make([]byte, size)
	copy(b, "MZ")
	b[0x3c] = 0x40
	copy(b[0x40:], "PE\x00\x00")
	b[0x46], b[0x54] = 1, 0
	binary.LittleEndian.PutUint32(b[0x58+16:], uint32(size-512))
	binary.LittleEndian.PutUint32(b[0x58+20:], 512)
	return b
}

// TestBehind: archives behind programs, pictures and scripts are opened, and
// marks of formats in what only knows them are not taken for archives.
func TestBehind(t *testing.T) {
	small, large := windowsProgram(4096), windowsProgram(5<<20)
	picture := []byte("\xff\xd8\xff\xe0 a picture")
	script := []byte("#!/bin/sh\ntail -n +4 \"$0\" | tar xz\nexit\n")
	comment := zipOf(t, zip.Deflate, "inner/b.txt", marked)
	binary.LittleEndian.PutUint16(comment[len(comment)-2:], 40_000)
	comment = append(comment, strings.Repeat("c", 40_000)...)
	trailing := append(zipOf(t, zip.Deflate, "inner/b.txt", marked), make([]byte, 100_000)...)
	packedTar := packed(t, tarOf(t, "inner/b.txt", []byte(marked)), func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
	for _, tt := range []struct {
		name, kind string
		before     []byte
		archive    []byte
	}{
		{"7z behind a program", "7z", small, read(t, "plain.7z")},
		{"7z behind a large program", "7z", large, read(t, "plain.7z")},
		{"rar 5 behind a picture", "rar", picture, storedRar("inner/b.txt", marked)},
		{"cab in a program", "cab", small, append(read(t, "mszip.cab"), small...)},
		{"gzip behind a script", "gzip", script, packedTar},
		{"zip with a comment behind a program", "zip", small, comment},
		{"zip behind a picture, bytes behind it", "zip", picture, append(zipOf(t, zip.Deflate, "inner/b.txt", marked), "\r\n"...)},
		{"zip, many bytes behind it", "zip", nil, trailing},
	} {
		content := slices.Concat(tt.before, tt.archive)
		if got := expander().Kind(besra.Target{Name: "x"}, content); got != tt.kind {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.kind)
		}
		if in := expand(t, "x", content); string(in.Content["x!inner/b.txt"]) != marked || in.Err != nil {
			t.Errorf("%s: got %q, error %v", tt.name, keys(in.Content), in.Err)
		}
	}
	broken := func(at int, archive []byte) []byte {
		b := append(bytes.Clone(small), archive...)
		b[len(small)+at] ^= 1
		return b
	}
	for name, content := range map[string][]byte{
		"7z": broken(14, read(t, "plain.7z")), "rar": broken(12, storedRar("a", marked)), "cab": broken(25, read(t, "mszip.cab")),
		"marks":      slices.Concat(small, []byte("7z\xbc\xaf\x27\x1c Rar!\x1a\x07\x00 Rar!\x1a\x07\x01\x00 MSCF\x00\x00\x00\x00 PK\x05\x06"), bytes.Repeat([]byte{0xff}, 64)),
		"cab nobody": append([]byte("text "), read(t, "mszip.cab")...),
	} {
		if got := expander().Kind(besra.Target{Name: "x"}, content); got != "" {
			t.Errorf("%s: got %q, want no archive", name, got)
		}
	}
}

// TestRar4Head takes the main header that any archive of version 4 begins with.
func TestRar4Head(t *testing.T) {
	head := []byte("Rar!\x1a\x07\x00\xcf\x90\x73\x00\x00\x0d\x00\x00\x00\x00\x00\x00\x00")
	if !isRar4Head(head) {
		t.Error("got no, want the head of an archive")
	}
	head[7]++
	if isRar4Head(head) {
		t.Error("got a head with another checksum")
	}
}

// TestPartOfSet: the parts of an archive that was cut are told by their names.
func TestPartOfSet(t *testing.T) {
	for name, want := range map[string]bool{"a.7z.001": true, "a.7z.012": true, "A.ZIP.002": true, "a.z01": true, "a.tar.003": true,
		"a.7z": false, "log.001": false, "a.7z.1": false, "a.zip": false, "a.zzz": false} {
		in := expand(t, name, []byte("the middle of a member"))
		if got := cmp.Equal(in.Gaps, []string{ReasonUnsupported}); got != want {
			t.Errorf("%s: gaps %q, want a part of a set: %v", name, in.Gaps, want)
		}
	}
	if in := expand(t, "a.7z.001", read(t, "plain.7z")[:100]); !cmp.Equal(in.Gaps, []string{ReasonUnsupported}) {
		t.Errorf("the first part: gaps %q", in.Gaps)
	}
}

// TestTold: what is not opened is told, by its format or as encrypted.
func TestTold(t *testing.T) {
	at := func(offset int, mark string) []byte { return append(make([]byte, offset), mark+" and more of it"...) }
	office := append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 2048)...)
	office[30], office[48] = 9, 1
	for i, c := range "EncryptedPackage" {
		office[1024+128+2*i] = byte(c)
	}
	for name, content := range map[string][]byte{
		"a.Z": []byte("\x1f\x9d\x90abc"), "a.lz": at(0, "LZIP\x01"), "a.lzo": at(0, "\x89LZO\x00\r\n\x1a\n"), "a.pkg": at(0, "xar!\x00\x1c"),
		"a.wim": at(0, "MSWIM\x00\x00\x00"), "a.arj": at(0, "\x60\xea\x2a\x00"), "a.lzh": at(2, "-lh5-"), "a.ace": at(7, "**ACE**"),
		"udf.img": at(0x8001, "BEA01"),
	} {
		if in := expand(t, name, content); !cmp.Equal(in.Gaps, []string{ReasonUnsupported}) {
			t.Errorf("%s: gaps %q, want unsupported", name, in.Gaps)
		}
	}
	locked := []byte("%PDF-1.7\n1 0 obj\n<< /Filter /FlateDecode >>\nstream\n\x91\x12\x99nothing that inflates\nendstream\ntrailer << /Encrypt 9 0 R >>")
	for name, content := range map[string][]byte{"a.docx": office, "a.pdf": locked} {
		if in := expand(t, name, content); !cmp.Equal(in.Gaps, []string{ReasonEncrypted}) {
			t.Errorf("%s: gaps %q, want encrypted", name, in.Gaps)
		}
	}
	office[1024+128] = 'X'
	for name, content := range map[string][]byte{"a.doc": office, "a.bin": []byte("\x1f\x9d\x00abc"), "b.bin": at(0, "\x60\xea\x00\xff")} {
		if got := expander().Kind(besra.Target{Name: name}, content); got != "" {
			t.Errorf("%s: got %q, want nothing told", name, got)
		}
	}
}
