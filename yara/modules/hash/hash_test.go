package hash_test

import (
	"testing"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/hash"
	"github.com/besra-hunt/besra/yara/yaratest"
)

// The digests are the published test vectors of their standards, or were made
// with md5sum, sha1sum and sha256sum.
func TestFunctions(t *testing.T) {
	type args = []any
	const abc = "abc"
	tests := []struct {
		name    string
		args    args
		data    string
		libyara bool
		want    string
	}{
		{"md5", args{""}, "", false, `"d41d8cd98f00b204e9800998ecf8427e"`},
		{"md5", args{abc}, "", false, `"900150983cd24fb0d6963f7d28e17f72"`},
		{"sha1", args{abc}, "", false, `"a9993e364706816aba3e25717850c26c9cd0d89d"`},
		{"sha256", args{abc}, "", false, `"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"`},
		{"crc32", args{"123456789"}, "", false, "3421780262"},
		{"checksum32", args{"\xff\xff\x01"}, "", false, "511"},
		{"md5", args{0, 3}, abc, false, `"900150983cd24fb0d6963f7d28e17f72"`},
		{"md5", args{1, 3}, "xabcx", false, `"900150983cd24fb0d6963f7d28e17f72"`},
		{"md5", args{1, 4}, "xabc", false, "undefined"},
		{"md5", args{1, 4}, "xabc", true, `"900150983cd24fb0d6963f7d28e17f72"`},
		{"md5", args{0, 0}, "", false, `"d41d8cd98f00b204e9800998ecf8427e"`},
		{"md5", args{0, 0}, "", true, "undefined"},
		{"md5", args{3, 0}, abc, false, `"d41d8cd98f00b204e9800998ecf8427e"`},
		{"md5", args{3, 0}, abc, true, "undefined"},
		{"md5", args{-1, 1}, abc, false, "undefined"},
		{"md5", args{-1, 1}, abc, true, "undefined"},
		{"md5", args{1, -1}, abc, false, "undefined"},
		{"md5", args{1, -1}, abc, true, "undefined"},
		{"md5", args{4, 0}, abc, false, "undefined"},
		{"sha1", args{0, 3}, abc, false, `"a9993e364706816aba3e25717850c26c9cd0d89d"`},
		{"sha256", args{0, 3}, abc, false, `"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"`},
		{"crc32", args{0, 9}, "123456789", false, "3421780262"},
		{"crc32", args{0, int64(1 << 40)}, "123456789", true, "3421780262"},
		{"checksum32", args{0, 3}, "\xff\xff\x01", false, "511"},
	}
	m := hash.Module()
	for _, tt := range tests {
		in := &module.Input{Data: []byte(tt.data), LibYARA: tt.libyara}
		for range 2 { // the second answer may be a kept one
			got := yaratest.Show(yaratest.Call(t, m, in, tt.name, tt.args...))
			if got != tt.want {
				t.Errorf("%s%v of %q (libyara %v): got %s, want %s", tt.name, tt.args, tt.data, tt.libyara, got, tt.want)
			}
		}
	}
}

// What is kept belongs to one function, one range and one target.
func TestKept(t *testing.T) {
	m := hash.Module()
	in := &module.Input{Data: []byte("abc")}
	call := func(name string, args ...any) string { return yaratest.Show(yaratest.Call(t, m, in, name, args...)) }
	if a, b := call("crc32", 0, 3), call("checksum32", 0, 3); a == b {
		t.Errorf("crc32 and checksum32 of one range are both %s", a)
	}
	if a, b := call("md5", 0, 3), call("md5", 0, 2); a == b {
		t.Errorf("md5 of two ranges is both %s", a)
	}
	before := call("md5", 0, 3)
	in.Reset(t.Context(), []byte("xyz"), in.Time)
	if after := call("md5", 0, 3); before == after {
		t.Errorf("md5 of two targets is both %s", after)
	}
}
