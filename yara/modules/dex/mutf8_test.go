package dex

import "testing"

// The answers are those of YARA-X 1.20.
func TestDecodeMUTF8(t *testing.T) {
	tests := []struct {
		in, want string
		ok       bool
	}{
		{"abc", "abc", true},
		{"", "", true},
		{"a\x00b", "a\x00b", true},
		{"\xc0\x80", "\x00", true},
		{"\xc0", "", false},
		{"\xc1\x81", "", false},
		{"é€", "é€", true},
		{"\xe2\x82", "", false},
		{"\xe0\x80\x80", "", false},
		{"\xf0\x9f\x98\x80", "😀", true},
		{"\xed\xa0\xbd\xed\xb8\x80a", "😀a", true},
		{"\xed\xa0\xbd", "", false},
		{"\xed\xb8\x80", "", false},
		{"\xed\xb8\x80\xed\xa0\xbd", "", false},
	}
	for _, test := range tests {
		if got, ok := decodeMUTF8([]byte(test.in)); got != test.want || ok != test.ok {
			t.Errorf("%q: got %q, %v, want %q, %v", test.in, got, ok, test.want, test.ok)
		}
	}
}
