package process

import (
	"strings"
	"testing"
)

func TestParseMapping(t *testing.T) {
	tests := []struct {
		line string
		want mapping
	}{
		{"55d0-55e0 r--p 00000000 08:01 1234                       /usr/bin/cat", mapping{start: 0x55d0, end: 0x55e0, read: true, private: true, file: "/usr/bin/cat"}},
		{"7f00-7f10 rw-p 00000000 00:00 0 ", mapping{start: 0x7f00, end: 0x7f10, read: true, write: true, private: true}},
		{"7f00-7f10 r-xs 00000000 00:05 7 /memfd:x y (deleted)", mapping{start: 0x7f00, end: 0x7f10, read: true, exec: true, file: "/memfd:x y", gone: true}},
		{"7ffe-7fff r-xp 00000000 00:00 0 [vdso]", mapping{start: 0x7ffe, end: 0x7fff, read: true, exec: true, private: true, file: "[vdso]"}},
	}
	for _, tt := range tests {
		got, err := parseMapping(tt.line)
		if err != nil || got != tt.want {
			t.Errorf("%q: got %+v and error %v, want %+v", tt.line, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "x", "1-2", "g-h r--p 0 0 0", "1-2 r--p", "1 r--p 0 0 0 x"} {
		if _, err := parseMapping(bad); err == nil {
			t.Errorf("%q: got no error", bad)
		}
	}
}

func TestKinds(t *testing.T) {
	const exe = "/usr/bin/x"
	tests := []struct {
		name string
		m    mapping
		want string // kinds that take it
	}{
		{"a library's code", mapping{read: true, exec: true, private: true, file: "/lib/a.so"}, "all executable"},
		{"a library's data", mapping{read: true, write: true, private: true, file: "/lib/a.so"}, "all private"},
		{"the executable's code", mapping{read: true, exec: true, private: true, file: exe}, "all private executable"},
		{"a heap", mapping{read: true, write: true, private: true, file: "[heap]"}, "all private anonymous"},
		{"unpacked code", mapping{read: true, exec: true, private: true}, "all private anonymous executable"},
		{"a deleted file", mapping{read: true, file: "/tmp/a", gone: true}, "all private anonymous"},
		{"a file that is shared", mapping{read: true, file: "/var/db"}, "all"},
	}
	for _, tt := range tests {
		var got []string
		for _, k := range []Kinds{All, Private, Anonymous, Executable} {
			if tt.m.fits(k, exe) {
				got = append(got, string(k))
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestReadable(t *testing.T) {
	for name, m := range map[string]mapping{
		"no rights": {end: 1}, "empty": {read: true}, "vvar": {read: true, end: 1, file: "[vvar]"},
		"vsyscall": {read: true, start: -0xa00000, end: -0x9ff000, file: "[vsyscall]"}, "a device": {read: true, end: 1, file: "/dev/dri/card0"},
	} {
		if m.readable() {
			t.Errorf("%s: got readable", name)
		}
	}
	for _, file := range []string{"", "[stack]", "/dev/shm/x", "/dev/zero", "/lib/a.so"} {
		if !(mapping{read: true, end: 1, file: file}).readable() {
			t.Errorf("%q: got unreadable", file)
		}
	}
}

func TestZeroed(t *testing.T) {
	for _, file := range []string{"", "[heap]", "[stack]", "[stack:7]", "[anon:jit]"} {
		if !(mapping{private: true, file: file}).zeroed() {
			t.Errorf("%q: got that others may fill it", file)
		}
		if (mapping{file: file}).zeroed() {
			t.Errorf("%q, shared: got that nobody else may fill it", file)
		}
	}
	for _, file := range []string{"[vdso]", "/lib/a.so", "/memfd:x", "/dev/zero", "anon_inode:[perf_event]", "[anon_shmem:x]"} {
		if (mapping{private: true, file: file}).zeroed() {
			t.Errorf("%q: got that nobody else may fill it", file)
		}
	}
}

func FuzzParseMaps(f *testing.F) {
	f.Add("55d0-55e0 r--p 00000000 08:01 1234 /usr/bin/cat\n7f00-7f10 rw-p 00000000 00:00 0 \n")
	f.Fuzz(func(t *testing.T, s string) {
		maps, err := parseMaps(strings.NewReader(s))
		if err == nil && len(maps) > strings.Count(s, "\n")+1 {
			t.Errorf("%d mappings of %q", len(maps), s)
		}
	})
}
