package besra

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"/usr/bin/true", "/usr/bin/true"},
		{"/home/müller/résumé 日本.txt", "/home/müller/résumé 日本.txt"},
		{"a\nb\tc\x00", `a\x0ab\x09c\x00`},
		{"\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"\u009b31m", `\xc2\x9b31m`},
		{"exe.\u202etxt", `exe.\xe2\x80\xaetxt`},
		{"zero\u200bwidth", `zero\xe2\x80\x8bwidth`},
		{"line\u2028sep", `line\xe2\x80\xa8sep`},
		{"nbsp\u00a0", `nbsp\xc2\xa0`},
		{"filler\u3164", `filler\xe3\x85\xa4`},
		{"bad\xffutf8\xc3", `bad\xffutf8\xc3`},
		{"real \ufffd", "real \ufffd"},
		{"tag\U000e0041", `tag\xf3\xa0\x81\x81`},
		{`C:\Windows\x.exe`, `C:\Windows\x.exe`},
		{`C:\x0a.exe`, `C:\x5cx0a.exe`},
		{"del\x7f", `del\x7f`},
	}
	for _, tt := range tests {
		if got := Text(tt.in).Printable(); got != tt.want {
			t.Errorf("Text(%q).Printable() = %s, want %s", tt.in, got, tt.want)
		}
	}
}

// TestLegible leaves what a name was escaped to in a sentence, and escapes the rest.
func TestLegible(t *testing.T) {
	in := Text("file.path is \"" + Text("a\xff\\x0a").Printable() + "\"\x1b[31m")
	if got, want := in.Legible(), `file.path is "a\xff\x5cx0a"\x1b[31m`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzTextPrintable(f *testing.F) {
	for _, s := range []string{"plain", "\x1b]0;t\a", "a\\x41", "\xff\xfe", "\u202e", "\u00ad"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Text(s).Printable()
		if !utf8.ValidString(got) {
			t.Errorf("Printable(%q) = %q is not UTF-8", s, got)
		}
		for _, r := range got {
			if !visible(r) {
				t.Errorf("Printable(%q) = %q holds %U", s, got, r)
			}
		}
		if back := undoPrintable(got); back != s {
			t.Errorf("Printable(%q) = %q reads as %q", s, got, back)
		}
	})
}

// undoPrintable reads the escapes back.
func undoPrintable(s string) string {
	var b strings.Builder
	for s != "" {
		if readsAsEscape(s) {
			b.WriteByte(unhex(s[2])<<4 | unhex(s[3]))
			s = s[4:]
			continue
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String()
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c - 'a' + 10
}

func TestBase(t *testing.T) {
	for name, want := range map[Text]Text{
		"/a/b.txt": "b.txt", "b": "b", "": "", "/": "/", "/a/b/": "b/", "/a/x.zip!in/b.py": "b.py", "/a/x.gz!b": "b",
		`C:\Users\dana\b.ps1`: "b.ps1", `\\host\share\b`: "b", `/a/b\c`: `b\c`, "x!": "x!",
		"/a.pcap!http://h.example/kit/b.py": "b.py",
	} {
		if got := name.Base(); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
