package facts

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

// TestPacked judges a file of a root that is no directory, by the root's own records.
func TestPacked(t *testing.T) {
	root := &Owner{}
	files := fstest.MapFS{
		"etc/passwd":                     {Data: []byte("root:x:0:0::/:/bin/sh\njob:x:998:998::/:\n"), Sys: root},
		"etc/hostname":                   {Data: []byte("packed\n"), Sys: root},
		"etc/cron.d/job":                 {Data: []byte("5 2 * * * job /opt/job/run\n"), Mode: 0o644, Sys: root},
		"opt/job/run":                    {Data: []byte("run"), Mode: 0o755, Sys: &Owner{UID: 998, GID: 998}},
		"opt/job":                        {Mode: fs.ModeDir | 0o755, Sys: root},
		"opt":                            {Mode: fs.ModeDir | 0o777, Sys: root},
		".":                              {Mode: fs.ModeDir | 0o755, Sys: root},
		"var/lib/dpkg/status":            {Data: []byte("Package: job\nVersion: 1\n")},
		"var/lib/dpkg/info/job.list":     {Data: []byte("/opt/job/run\n")},
		"bin":                            {Data: []byte("opt/job"), Mode: fs.ModeSymlink | 0o777},
		"var/lib/dpkg/info/job.postinst": {Data: []byte("x")},
	}
	host, err := NewHost(Config{Files: files, FilesFrom: "the pack"})
	if err != nil {
		t.Fatal(err)
	}
	info, err := files.Lstat("opt/job/run")
	if err != nil {
		t.Fatal(err)
	}
	wantFacts(t, host.File("/opt/job/run", info), map[string]string{
		"file.owner.name": "job (asserted)", "file.group.name": "unavailable: /etc/group: file does not exist", "file.mode": "493 (asserted)",
		"file.foreign_writable": "true (asserted)", "file.links": "unavailable: the pack says nothing of it", "file.symlink": "false (asserted)",
		"package.name": "job (asserted)", "package.version": "1 (asserted)", "host.name": "packed (asserted)", "host.os": "linux (asserted)",
		"git.root": " (weak)", "opener.names": "unavailable: cannot be known in context image",
	})
	if got := host.Fact(t.Context(), "host.schedules"); !got.Known() || host.Live() || host.Root() != "" {
		t.Errorf("got %+v, want the schedule of a host that is not this one", got)
	}
}
