package facts

import (
	"crypto/md5"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

func hash(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }

// dpkgRoot is a Debian-like root: merged /usr, a diversion, configuration
// files, a package without digests.
func dpkgRoot(t *testing.T) *Host {
	t.Helper()
	dir := root(t, map[string]string{
		"/usr/bin/tool": "tool", "/usr/bin/changed": "changed by an intruder", "/usr/bin/stray": "stray",
		"/usr/bin/sh": "dash", "/usr/bin/sh.distrib": "bash",
		"/etc/tool.conf": "conf", "/etc/edited.conf": "edited", "/usr/bin/nosum": "x", "/usr/lib/libfoo.so": "lib",
		"/usr/share/multi": "multi",
		dpkgInfo + "/tool.md5sums": hash("tool") + "  bin/tool\n" + hash("original") + "  usr/bin/changed\n" +
			"nonsense\n" + "zz" + hash("")[2:] + "  usr/bin/stray\n" + hash("x")[:8] + "  usr/bin/stray\n",
		dpkgInfo + "/tool.list":            "/.\n/usr\n/usr/bin\n/bin/tool\n/etc/tool.conf\n",
		dpkgInfo + "/libfoo:amd64.md5sums": hash("lib") + "  lib/libfoo.so\n",
		dpkgInfo + "/bash.md5sums":         hash("bash") + "  bin/sh\n",
		dpkgInfo + "/dash.md5sums":         hash("dash") + "  bin/sh\n",
		dpkgInfo + "/bare.list":            "/usr/bin/nosum\n",
		dpkgInfo + "/tool.postinst":        hash("x") + "  usr/bin/stray\n",
		dpkgDiversions:                     "/bin/sh\n/bin/sh.distrib\ndash\n/cut\n",
		dpkgStatus: "Package: other\nConffiles:\n /etc/none " + hash("none") + "\nStatus: x\n\nPackage: tool\nStatus: install ok installed\nConffiles:\n /etc/tool.conf " + hash("conf") +
			"\n /etc/edited.conf " + hash("as shipped") + " obsolete\n /etc/edited.conf " + hash("as shipped") + "\nDescription: x\n /etc/stray " + hash("x") + "\n",
	})
	for _, top := range []string{"bin", "lib"} {
		if err := os.Symlink("usr/"+top, dir+"/"+top); err != nil {
			t.Skip("no links here:", err)
		}
	}
	h, err := NewHost(Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestDpkg(t *testing.T) {
	h := dpkgRoot(t)
	for path, want := range map[string][2]string{
		"/usr/bin/tool":       {"tool (asserted)", "true (asserted)"},
		"/usr/bin/changed":    {"tool (asserted)", "false (asserted)"},
		"/usr/bin/stray":      {" (asserted)", "false (asserted)"},
		"/usr/bin/sh":         {"dash (asserted)", "true (asserted)"},
		"/usr/bin/sh.distrib": {"bash (asserted)", "true (asserted)"},
		"/usr/lib/libfoo.so":  {"libfoo (asserted)", "true (asserted)"},
		"/etc/tool.conf":      {"tool (asserted)", "true (asserted)"},
		"/etc/edited.conf":    {"tool (asserted)", "false (asserted)"},
		"/usr/bin/nosum":      {"bare (asserted)", "unavailable: the index holds no digest for the path"},
	} {
		t.Run(path, func(t *testing.T) {
			wantFacts(t, at(t, h, path), map[string]string{"package.name": want[0], "package.verified": want[1]})
		})
	}
	x := h.packages()
	if s, ok := x.owner("/bin/tool"); !ok || s.pack.name != "tool" {
		t.Errorf("owner of /bin/tool: got %+v, want tool by the name before the merge", s)
	}
	if _, ok := x.owner("/etc/stray"); ok {
		t.Error("a line after the configuration files was taken for one")
	}
}

// TestDistroless reads the index of an image that has no dpkg: a status and a
// list of digests a package. Without such a list nobody knows whose a file is.
func TestDistroless(t *testing.T) {
	files := map[string]string{
		"/usr/bin/tool": "tool", "/usr/bin/changed": "changed", "/usr/bin/stray": "stray",
		dpkgStatusDir + "/tool1.1":         "Package: tool1.1\nVersion: 1.1-2\nDescription: x\n",
		dpkgStatusDir + "/tool1.1.md5sums": hash("tool") + "  usr/bin/tool\n" + hash("original") + "  usr/bin/changed\n",
	}
	for path, want := range map[string]map[string]string{
		"/usr/bin/tool":    {"package.name": "tool1.1 (asserted)", "package.version": "1.1-2 (asserted)", "package.verified": "true (asserted)"},
		"/usr/bin/changed": {"package.name": "tool1.1 (asserted)", "package.verified": "false (asserted)"},
		"/usr/bin/stray":   {"package.name": " (asserted)", "package.verified": "false (asserted)"},
	} {
		wantFacts(t, at(t, foreign(t, files), path), want)
	}
	files[dpkgStatusDir+"/bare"] = "Package: bare\nVersion: 1\n"
	why := "unavailable: the index was not read whole: " + dpkgStatusDir + " does not list the files of bare"
	wantFacts(t, at(t, foreign(t, files), "/usr/bin/stray"), map[string]string{"package.name": why, "package.verified": why})
	wantFacts(t, at(t, foreign(t, files), "/usr/bin/tool"), map[string]string{"package.verified": "true (asserted)"})
}

// TestPartialIndex has an index of which a part cannot be read: what is not in
// the rest may still belong to a package.
func TestPartialIndex(t *testing.T) {
	h := foreign(t, map[string]string{
		"/a": "a", "/b": "b", dpkgInfo + "/a.md5sums": hash("a") + "  a\n", dpkgInfo + "/b.md5sums/is": "a directory",
	})
	wantFacts(t, at(t, h, "/a"), map[string]string{"package.name": "a (asserted)", "package.verified": "true (asserted)"})
	partial := "unavailable: the index was not read whole: " + dpkgInfo + "/b.md5sums: " + errIrregular.Error()
	wantFacts(t, at(t, h, "/b"), map[string]string{"package.name": partial, "package.verified": partial})
}

func TestIndexIsBounded(t *testing.T) {
	x := &dpkg{packageIndex: newIndex("dpkg", foreign(t, nil).tree, 0)}
	x.left = 1000
	for i := range 100 {
		x.listed(x.pack("p"), fmt.Appendf(nil, "/file/%d", i))
	}
	if len(x.files) > 10 || x.partial == "" {
		t.Errorf("got %d paths (partial: %q) in 1000 bytes, want few, and a note", len(x.files), x.partial)
	}
}

func TestNoIndex(t *testing.T) {
	for marker, want := range map[string]string{
		"/var/lib/rpm/rpmdb.sqlite":     "unavailable: the index was not read whole: /var/lib/rpm/rpmdb.sqlite: " + errSQLite.Error() + "\nEOF",
		"/var/lib/rpm/Packages/is":      "unavailable: /var/lib/rpm/Packages: " + errIrregular.Error(),
		"/lib/apk/db/installed/is":      "unavailable: the index was not read whole: /lib/apk/db/installed: " + errIrregular.Error(),
		"/var/lib/pacman/local/x/files": "unavailable: the package index of pacman is not read",
		"/f":                            "unavailable: the host has no package index that is known",
	} {
		h := foreign(t, map[string]string{"/f": "x", marker: "x"})
		wantFacts(t, at(t, h, "/f"), map[string]string{"package.name": want, "package.verified": want})
	}
}

// TestThisIndex reads this machine's own index, where it has one.
func TestThisIndex(t *testing.T) {
	h := live(t)
	x := h.packages()
	if x.why != "" {
		t.Skip(x.why)
	}
	owned := 0
	for path, s := range x.files {
		info, err := h.tree.lstat(path)
		if err != nil || !info.Mode().IsRegular() || s.kind == noSum || !strings.HasPrefix(path, "/usr/bin/") {
			continue
		}
		if owned++; owned > 20 {
			break
		}
		f := h.File(path, info)
		if got := f.Fact(t.Context(), "package.name"); say(got) != s.pack.name+" (asserted)" {
			t.Errorf("package.name of %s: got %s, want %s", path, say(got), s.pack.name)
		}
		if got := f.Fact(t.Context(), "package.verified"); !got.Known() {
			t.Errorf("package.verified of %s: got %s, want an answer", path, say(got))
		}
	}
	if owned == 0 {
		t.Error("no package owns a file in /usr/bin")
	}
}

func BenchmarkIndex(b *testing.B) {
	h := live(b)
	if x := h.packages(); x.why != "" {
		b.Skip(x.why)
	}
	b.ReportAllocs()
	for b.Loop() {
		x := readPackages(h.tree)
		b.ReportMetric(float64(len(x.files)), "paths")
	}
}

func FuzzDpkg(f *testing.F) {
	f.Add(hash("x")+"  usr/bin/x", "/usr/bin/y", "Package: p", " /etc/c "+hash("c"))
	f.Add("  ", "/", "Conffiles:", " ")
	f.Fuzz(func(t *testing.T, sum, listed, status1, status2 string) {
		x := &dpkg{packageIndex: newIndex("dpkg", liveTree{}, 0)}
		x.md5sum(x.pack("p"), []byte(sum))
		x.listed(x.pack("p"), []byte(listed))
		stanza := &dpkgStanza{index: x}
		for _, line := range []string{status1, "Conffiles:", status2} {
			stanza.line([]byte(line))
		}
		for path, s := range x.files {
			if s.pack == nil {
				t.Errorf("%q: got %+v", path, s)
			}
		}
	})
}

func TestMagic(t *testing.T) {
	pe := "MZ" + strings.Repeat("\x00", 0x3a) + "\x40\x00\x00\x00" + "PE\x00\x00"
	far := "MZ" + strings.Repeat("\x00", 0x3a) + "\x00\x00\x10\x00"
	for in, want := range map[string]string{
		"":                                   "empty",
		"\x7fELF\x02":                        "elf",
		pe:                                   "pe",
		"MZ":                                 "dos",
		strings.Replace(pe, "PE", "NE", 1):   "dos",
		far:                                  "dos",
		far + strings.Repeat("x", 4096-0x40): "pe",
		"\xca\xfe\xba\xbe\x00\x00\x00\x02":   "macho",
		"\xca\xfe\xba\xbe\x00\x00\x00\x34":   "java",
		"\xcf\xfa\xed\xfe\x07":               "macho",
		"#!/bin/sh\n":                        "script",
		"PK\x03\x04":                         "zip",
		strings.Repeat("\x00", 257) + "ustar\x0000": "tar",
		"hello\n":                          "text",
		"naïve":                            "text",
		"cut \xc3":                         "text",
		"bad \xc3 utf8":                    "data",
		"nul\x00":                          "data",
		"\xff\xfeh\x00":                    "text",
		"{\\rtf1":                          "rtf",
		"\x00\x01\x02\x03":                 "data",
		"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "ole",
	} {
		if got := Magic([]byte(in)); got != want {
			t.Errorf("Magic(%.20q): got %s, want %s", in, got, want)
		}
	}
}

// Eight bytes at once are judged as each by itself, wherever they differ.
func TestTextEightAtOnce(t *testing.T) {
	for i := range 12 {
		for c := range 256 {
			b := []byte("some text ab")
			b[i] = byte(c)
			want := "data"
			if c >= ' ' && c < utf8.RuneSelf || strings.ContainsRune("\n\r\t\f\x1b", rune(c)) || i == 11 && utf8.FullRune(b[i:]) == false {
				want = "text"
			}
			if got := Magic(b); got != want {
				t.Errorf("%q: got %s, want %s", b, got, want)
			}
		}
	}
}

func FuzzMagic(f *testing.F) {
	f.Add([]byte("MZ"))
	f.Add([]byte("\xca\xfe\xba\xbe"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if Magic(b) == "" {
			t.Errorf("%q: got no class", b)
		}
	})
}

func TestMountinfo(t *testing.T) {
	const table = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:5 / /proc rw - proc proc rw
24 22 0:40 / /mnt/with\040blank rw shared:2 master:3 - fuse.sshfs host:/ rw
25 22 0:41 / /mnt/a rw - autofs x rw
26 25 0:42 / /mnt/a rw - nfs4 srv:/ rw
nonsense
27 22 0:43 / /bad\9 rw - ext4 x rw
28 22 0:44 / /cut rw -
`
	all, err := parseMountinfo(strings.NewReader(table))
	if err != nil || len(all) != 5 {
		t.Fatalf("got %v (%v), want 5 mounts", all, err)
	}
	for path, want := range map[string]string{
		"/": "ext4", "/usr/x": "ext4", "/proc": "proc", "/proc/1": "proc", "/process": "ext4",
		"/mnt/with blank/f": "fuse.sshfs", "/mnt/a/b": "nfs4", "/mnt/ab": "ext4",
	} {
		if got, _ := mountOf(all, path); got.Type != want {
			t.Errorf("mountOf(%s): got %q, want %q", path, got.Type, want)
		}
	}
}

func FuzzMountinfo(f *testing.F) {
	f.Add("22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n")
	f.Add("a b c d e - \\")
	f.Fuzz(func(t *testing.T, text string) {
		all, _ := parseMountinfo(strings.NewReader(text))
		mountOf(all, "/a/b")
		for _, m := range all {
			if m.Type == "" {
				t.Errorf("%q: got mount %+v", text, m)
			}
		}
	})
}

func TestZone(t *testing.T) {
	for in, want := range map[string]string{
		"[ZoneTransfer]\r\nZoneId=3\r\nReferrerUrl=https://a.example/\r\nHostUrl=https://b.example/x.exe\r\n": "https://b.example/x.exe",
		"[ZoneTransfer]\nZoneId=3\nReferrerUrl=https://a.example/\nHostUrl=about:internet\n":                  "https://a.example/",
		"[ZoneTransfer]\nZoneId=3\n": "",
		"hosturl=x":                  "x",
		"":                           "",
	} {
		if got, err := parseZone(strings.NewReader(in)); got != want || err != nil {
			t.Errorf("parseZone(%q): got %q, %v, want %q", in, got, err, want)
		}
	}
}

// plist builds a binary property list: an array of strings.
func plist(texts ...string) []byte {
	b := []byte("bplist00")
	offsets := []byte{byte(len(b))}
	b = append(b, 0xa0|byte(len(texts)))
	for i := range texts {
		b = append(b, byte(i+1))
	}
	for _, s := range texts {
		offsets = append(offsets, byte(len(b)))
		if len(s) < 15 {
			b = append(b, 0x50|byte(len(s)))
		} else {
			b = append(b, 0x5f, 0x10, byte(len(s)))
		}
		b = append(b, s...)
	}
	table := len(b)
	b = append(b, offsets...)
	b = append(b, 0, 0, 0, 0, 0, 0, 1, 1)
	for _, n := range []int{len(offsets), 0, table} {
		b = append(b, 0, 0, 0, 0, 0, 0, 0, byte(n))
	}
	return b
}

func TestPropertyList(t *testing.T) {
	long := "https://example.org/a/rather/long/path"
	utf16 := plist("ab")
	utf16[10] = 0x61 // one UTF-16 unit in place of two bytes
	for name, c := range map[string]struct {
		data []byte
		want string
		ok   bool
	}{
		"two":    {plist("http://a", "http://b"), "http://a", true},
		"long":   {plist(long), long, true},
		"none":   {plist(), "", true},
		"utf-16": {utf16, "\u6162", true},
		"empty":  {nil, "", false},
		"text":   {[]byte("<?xml version=\"1.0\"?><plist><array/></plist>"), "", false},
		"cut":    {plist(long)[8:], "", false},
	} {
		got, err := firstOfPropertyList(c.data)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%s: got %q, %v, want %q, success %v", name, got, err, c.want, c.ok)
		}
	}
}

func FuzzPropertyList(f *testing.F) {
	f.Add(plist("http://a", "http://b"))
	f.Add(plist())
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := firstOfPropertyList(b); err == nil && len(s) > 4*len(b) {
			t.Errorf("got %d bytes of text from %d", len(s), len(b))
		}
	})
}
