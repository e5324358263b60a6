package facts

import (
	"io/fs"
	"strings"
	"testing"
	"time"
)

const passwd = `# made up
root:x:0:0:root:/root:/bin/bash
www-data:x:33:33::/var/www:/usr/sbin/nologin
dana:x:1000:1000:Dana,,,:/home/dana:/bin/bash
eve:x:1001:1001::/home/eve:/bin/bash
dana2:x:1000:1000:the same number, later::
broken:x:not a number:0::
short:x
+nis
mate:x:1002:50::/home/mate:/bin/sh
`

const groups = `root:x:0:
www-data:x:33:dana
staff:x:50:dana
dana:x:1000:
eve:x:1001:dana
alone:x:60:
ghosts:x:61:nobody-knows
admins:x:62:root,dana
`

func TestAccounts(t *testing.T) {
	a := readAccounts(foreign(t, map[string]string{"/etc/passwd": passwd, "/etc/group": groups}).tree)
	for uid, want := range map[uint32]string{0: "root", 33: "www-data", 1000: "dana", 1002: "mate", 4: ""} {
		if got, why := a.user(uid); got != want || (got == "") != (why != "") {
			t.Errorf("user %d: got %q (%s), want %q", uid, got, why, want)
		}
	}
	for gid, want := range map[uint32]string{50: "staff", 1000: "dana", 9: ""} {
		if got, why := a.groupName(gid); got != want || (got == "") != (why != "") {
			t.Errorf("group %d: got %q (%s), want %q", gid, got, why, want)
		}
	}
	for _, c := range []struct {
		gid, owner uint32
		want       bool
	}{
		{1000, 1000, true},  // the user's own group
		{1000, 33, false},   // somebody's own group
		{33, 33, false},     // another member
		{50, 1000, false},   // mate's main group
		{60, 33, true},      // nobody is in it
		{61, 33, false},     // a member that passwd does not know
		{62, 1000, true},    // root and the owner
		{62, 33, false},     // root and another
		{999, 1000, false},  // no such group
		{0, 1000, true},     // root alone
		{1001, 1001, false}, // own group with a guest
	} {
		if got := a.onlyMembers(c.gid, c.owner); got != c.want {
			t.Errorf("onlyMembers(%d, %d): got %v, want %v", c.gid, c.owner, got, c.want)
		}
	}
}

// manifestHost is a root whose ownership stands in its manifest.
func manifestHost(t *testing.T) *Host {
	files := map[string]string{"/etc/passwd": passwd, "/etc/group": groups}
	for _, p := range []string{"/opt/safe/f", "/opt/unlisted", "/tmp/f", "/tmp/own/f", "/srv/f", "/home/dana/f", "/home/dana/g", "/home/dana/h",
		"/w/f", "/opt/sp ace", "/opt/suid", "/grp/f"} {
		files[p] = "x"
	}
	files[Manifest] = `# path uid gid mode mtime

/opt/safe/f 0 0 0644 2026-11-20T02:10:00+01:00
/opt/sp\040ace 33 33 0600
/opt/suid 0 0 6755
/tmp 0 0 1777
/tmp/f 33 33 0644
/tmp/own 33 33 0755
/tmp/own/f 33 33 0755
/srv 33 33 0755
/srv/f 0 0 0644
/home/dana 1000 1000 0755
/home/dana/f 1000 1000 0644
/home/dana/g 1000 1000 0664
/home/dana/h 1000 33 0664
/w 0 0 0777
/w/f 0 0 0644
/grp 0 50 0775
/grp/f 0 0 0644
`
	return foreign(t, files)
}

func TestManifestFacts(t *testing.T) {
	h := manifestHost(t)
	wantFacts(t, at(t, h, "/opt/safe/f"), map[string]string{
		"file.owner.uid": "0 (asserted)", "file.owner.name": "root (asserted)",
		"file.group.gid": "0 (asserted)", "file.group.name": "root (asserted)",
		"file.mode": "420 (asserted)", "file.mtime": "2026-11-20 01:10:00 +0000 UTC (weak)",
		"file.ctime": "unavailable: the root was unpacked: its inodes are not the host's",
		"file.btime": "unavailable: the root was unpacked: its inodes are not the host's",
	})
	wantFacts(t, at(t, h, "/opt/sp ace"), map[string]string{"file.owner.name": "www-data (asserted)", "file.mode": "384 (asserted)"})
	wantFacts(t, at(t, h, "/opt/suid"), map[string]string{"file.mode": "3565 (asserted)"}) // 06755
	wantFacts(t, at(t, h, "/opt/unlisted"), map[string]string{
		"file.owner.uid": "0 (asserted)", "file.mode": "420 (asserted)",
	})
	if f := at(t, h, "/opt/unlisted").Fact(t.Context(), "file.owner.uid"); f.Source != "default of .besra-owners" {
		t.Errorf("source: got %q, want the manifest's default", f.Source)
	}
	f := at(t, h, "/opt/unlisted")
	if got := f.Fact(t.Context(), "file.mtime").Value.(time.Time); !got.Equal(f.info.ModTime()) {
		t.Errorf("file.mtime where the manifest has none: got %v, want %v", got, f.info.ModTime())
	}
}

func TestWritable(t *testing.T) {
	h := manifestHost(t)
	for path, want := range map[string][2]bool{ // world, foreign
		"/opt/safe/f":  {false, false},
		"/tmp/f":       {false, true}, // sticky: nobody can replace it, all can add to the directory
		"/tmp/own/f":   {false, true},
		"/srv/f":       {false, true}, // the directory is www-data's
		"/home/dana/f": {false, false},
		"/home/dana/g": {false, false}, // the group is dana's own
		"/home/dana/h": {false, true},  // the group is www-data's
		"/w/f":         {true, true},
		"/grp/f":       {false, true}, // staff may write the directory
	} {
		f := at(t, h, path)
		for i, name := range []string{"file.world_writable", "file.foreign_writable"} {
			if got := f.Fact(t.Context(), name); got.Value != want[i] {
				t.Errorf("%s of %s: got %v (%s), want %v", name, path, got.Value, got.Source, want[i])
			}
		}
	}
}

// TestUnpackedWithoutManifest takes what the file system says, as asserted.
func TestUnpackedWithoutManifest(t *testing.T) {
	h := foreign(t, map[string]string{"/etc/passwd": passwd, "/f": "x"})
	f := at(t, h, "/f")
	s, ok := statOf(f.info)
	if !ok {
		t.Skip("no numeric owners here")
	}
	got := f.Fact(t.Context(), "file.owner.uid")
	if got.Value != int64(s.uid) || got.Grade.String() != "asserted" || got.Source != "stat" {
		t.Errorf("file.owner.uid: got %+v, want %d, asserted by stat", got, s.uid)
	}
}

func TestUnixMode(t *testing.T) {
	for mode, want := range map[fs.FileMode]uint32{
		0o644: 0o644, fs.ModeDir | 0o755: 0o755, fs.ModeSetuid | 0o755: 0o4755,
		fs.ModeSetgid | fs.ModeSticky | 0o777: 0o3777,
	} {
		if got := unixMode(mode); got != want {
			t.Errorf("unixMode(%v): got %o, want %o", mode, got, want)
		}
	}
}

func FuzzManifest(f *testing.F) {
	f.Add("/a 0 0 0644\n")
	f.Add("# c\n\n/a\\040b 1 2 7777 2026-01-01T00:00:00Z\n/c 0")
	f.Add("/\\777 0 0 0\n")
	f.Fuzz(func(t *testing.T, text string) {
		m := &manifest{entries: map[string]ownership{}}
		if err := scanLines(strings.NewReader(text), m.line); err != nil {
			return
		}
		for p, o := range m.entries {
			if p == "" || p[0] != '/' || o.mode > 0o7777 {
				t.Errorf("%q: got entry %q %+v", text, p, o)
			}
		}
	})
}

func FuzzAccounts(f *testing.F) {
	f.Add(passwd, groups)
	f.Add("::::", ":::,,,")
	f.Fuzz(func(t *testing.T, users, groups string) {
		a := &accounts{users: map[uint32]user{}, groups: map[uint32]group{}, uids: map[string]uint32{}, primary: map[uint32][]uint32{}}
		_ = scanLines(strings.NewReader(users), func(_ int, l []byte) error { a.passwd(l); return nil })
		_ = scanLines(strings.NewReader(groups), func(_ int, l []byte) error { a.group(l); return nil })
		for uid := range a.users {
			if name, why := a.user(uid); name == "" || why != "" {
				t.Errorf("user %d: got %q, %q", uid, name, why)
			}
		}
		for gid := range a.groups {
			a.onlyMembers(gid, 0)
		}
	})
}
