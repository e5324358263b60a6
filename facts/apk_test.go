package facts

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"testing"
)

// apkText is an index of two packages, with what is damaged between them.
func apkText() string {
	one, two := sha1.Sum([]byte("tool")), sha256.Sum256([]byte("lib"))
	b64 := base64.StdEncoding.EncodeToString
	return "C:Q1xyz=\nP:tool\nV:1.36.1-r29\nF:bin\nR:tool\na:0:0:755\nZ:Q1" + b64(one[:]) + "\nR:changed\nZ:Q1" + b64(one[:]) +
		"\nF:etc\nR:bare\nM:0:0:700\nZ\n:\nQ\n\nF:usr\nR:lost\n\nP:lib\nV:2\nF:usr/lib\nR:lib.so\nZ:Q2" + b64(two[:]) + "\nR:odd\nZ:Q1zz\n\n"
}

func TestAPK(t *testing.T) {
	for _, place := range apkIndexes {
		h := foreign(t, map[string]string{place: apkText(), "/bin/tool": "tool", "/bin/changed": "x", "/etc/bare": "", "/usr/lib/lib.so": "lib",
			"/usr/lib/odd": "", "/usr/lost": "", "/bin/stray": ""})
		none := "unavailable: the index holds no digest for the path"
		for path, want := range map[string][3]string{
			"/bin/tool":       {"tool (asserted)", "1.36.1-r29 (asserted)", "true (asserted)"},
			"/bin/changed":    {"tool (asserted)", "1.36.1-r29 (asserted)", "false (asserted)"},
			"/etc/bare":       {"tool (asserted)", "1.36.1-r29 (asserted)", none},
			"/usr/lib/lib.so": {"lib (asserted)", "2 (asserted)", "true (asserted)"},
			"/usr/lib/odd":    {"lib (asserted)", "2 (asserted)", none},
			"/usr/lost":       {" (asserted)", " (asserted)", "false (asserted)"},
			"/bin/stray":      {" (asserted)", " (asserted)", "false (asserted)"},
		} {
			wantFacts(t, at(t, h, path), map[string]string{"package.manager": "apk (asserted)",
				"package.name": want[0], "package.version": want[1], "package.verified": want[2]})
		}
	}
}

func TestCanonical(t *testing.T) {
	x := &packageIndex{links: map[string]string{"/bin": "/usr/bin", "/sbin": "/usr/sbin", "/usr/sbin": "/usr/bin"}}
	for path, want := range map[string]string{
		"/bin/a": "/usr/bin/a", "/sbin/a": "/usr/bin/a", "/usr/sbin/a/b": "/usr/bin/a/b", "/usr/bin/a": "/usr/bin/a",
		"/binary/a": "/binary/a", "/bin": "/bin", "/": "/", "": "", "/usr": "/usr", "/usr/sbin": "/usr/sbin",
	} {
		if got := x.canonical(path); got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
}

func FuzzAPK(f *testing.F) {
	f.Add(apkText())
	f.Fuzz(func(t *testing.T, line string) {
		x := &apk{packageIndex: newIndex("apk", liveTree{}, 0)}
		for _, l := range []string{"P:p", line, "F:d", line, "R:f", line} {
			x.line([]byte(l))
		}
		for path, s := range x.files {
			if s.pack == nil {
				t.Errorf("%q: got no package", path)
			}
		}
	})
}
