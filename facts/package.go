package facts

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"strings"

	"github.com/besra-hunt/besra"
)

// packageIndex is what a host's package manager knows of its files.
type packageIndex struct {
	manager string             // "dpkg"
	files   map[string]shipped // by canonical path
	usr     map[string]string  // top directories that are links, such as "bin" to "usr/bin"
	why     string             // why there is no index
	partial string             // why a path that it does not hold may still belong to a package
}

// shipped is one file as a package brought it.
type shipped struct {
	pkg    string
	md5    [16]byte
	hasSum bool
}

// otherManagers tells a host whose packages are managed by something else.
var otherManagers = []struct{ path, name string }{
	{"/lib/apk/db/installed", "apk"},
	{"/usr/lib/sysimage/rpm", "rpm"},
	{"/var/lib/rpm", "rpm"},
	{"/var/lib/pacman/local", "pacman"},
}

// readPackages reads the host's package index, whole and once: asking the
// package manager for one path takes longer than this does for all.
func readPackages(t tree) packageIndex {
	names, err := t.names(dpkgInfo)
	if err == nil && len(names) > 0 {
		return readDpkg(t, names)
	}
	for _, m := range otherManagers {
		if _, err := t.lstat(m.path); err == nil {
			return packageIndex{why: "the package index of " + m.name + " is not read"}
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return packageIndex{why: reason(dpkgInfo, err)}
	}
	return packageIndex{why: "the host has no package index that is known"}
}

// canonical spells a path as the index does: where /bin is a link to /usr/bin,
// packages and users may know one file by either name.
func (x *packageIndex) canonical(path string) string {
	top, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if to, ok := x.usr[top]; ok {
		return "/" + to + "/" + rest
	}
	return path
}

// topLinks finds the directories at the top of the root that are links into
// another one.
func topLinks(t tree) map[string]string {
	links := map[string]string{}
	for _, name := range []string{"bin", "sbin", "lib", "lib32", "lib64", "libx32", "libo32"} {
		if to, err := t.readlink("/" + name); err == nil {
			links[name] = strings.Trim(to, "/")
		}
	}
	return links
}

// owner returns the file as its package shipped it, and whether one did.
func (x *packageIndex) owner(path string) (shipped, bool) {
	s, ok := x.files[x.canonical(path)]
	return s, ok
}

// stray is the fact about a path that the index does not hold.
func (x *packageIndex) stray(value any) besra.Fact {
	if x.partial != "" {
		return unknown("the index was not read whole: " + x.partial)
	}
	return fact(value, besra.GradeAsserted, "no package of "+x.manager+" lists the path")
}

func (f *File) packageName(context.Context) besra.Fact {
	x := f.host.packages()
	if x.why != "" {
		return unknown(x.why)
	}
	s, ok := x.owner(f.path)
	if !ok {
		return x.stray(besra.Text(""))
	}
	return fact(besra.Text(s.pkg), besra.GradeAsserted, x.manager)
}

// packageVerified compares the content with the digest in the index. A file
// that no package shipped is not verified; one whose digest the index does not
// hold is not known to be.
func (f *File) packageVerified(ctx context.Context) besra.Fact {
	x := f.host.packages()
	if x.why != "" {
		return unknown(x.why)
	}
	s, ok := x.owner(f.path)
	switch {
	case !ok:
		return x.stray(false)
	case !s.hasSum:
		return unknown("the index holds no digest for the path")
	}
	sum := f.Fact(ctx, "file.md5")
	if !sum.Known() {
		return unknown(sum.Source)
	}
	return fact(sum.Value == hex.EncodeToString(s.md5[:]), besra.GradeAsserted, x.manager+" MD5 of package "+s.pkg)
}
