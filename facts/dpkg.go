package facts

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io/fs"
	"strings"
)

const (
	dpkgInfo       = "/var/lib/dpkg/info"
	dpkgStatus     = "/var/lib/dpkg/status"
	dpkgDiversions = "/var/lib/dpkg/diversions"
)

// maxIndex bounds the memory of one index; that of a full desktop takes a fifth.
const maxIndex = 256 << 20

// dpkg collects the index of dpkg: who lists a path, and with which digest.
type dpkg struct {
	packageIndex
	diverted map[string]diversion // by path as packages list it
	left     int                  // bytes that the index may still grow by
}

// diversion says that a path as other packages ship it is kept elsewhere.
type diversion struct {
	to string
	by string // the package whose own file stays in place; ":" for the administrator
}

// readDpkg reads the index from the names in dpkg's info directory. Where a file
// cannot be read the index is partial.
func readDpkg(t tree, names []string) packageIndex {
	x := &dpkg{
		packageIndex: packageIndex{manager: "dpkg", files: map[string]shipped{}, usr: topLinks(t)},
		diverted:     map[string]diversion{},
		left:         maxIndex,
	}
	x.readDiversions(t)
	for _, name := range names {
		pkg, kind, _ := cutLast(name, '.')
		pkg, _, _ = strings.Cut(pkg, ":") // libc6:amd64
		switch kind {
		case "md5sums":
			x.read(t, dpkgInfo+"/"+name, func(_ int, l []byte) error { x.md5sum(pkg, l); return nil })
		case "list":
			x.read(t, dpkgInfo+"/"+name, func(_ int, l []byte) error { x.listed(pkg, l); return nil })
		}
	}
	stanza := ""
	x.read(t, dpkgStatus, func(_ int, l []byte) error { stanza = x.status(stanza, l); return nil })
	return x.packageIndex
}

// read takes a file of the index line by line. One that does not exist says
// nothing; one that cannot be read might have said something.
func (x *dpkg) read(t tree, path string, line func(int, []byte) error) {
	if err := eachLine(t, path, line); err != nil && !errors.Is(err, fs.ErrNotExist) {
		x.partial = reason(path, err)
	}
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// readDiversions reads the list of diversions, three lines each: the path, the
// path it is diverted to, the package that diverts.
func (x *dpkg) readDiversions(t tree) {
	var three [3]string
	x.read(t, dpkgDiversions, func(n int, l []byte) error {
		three[(n-1)%3] = string(l)
		if n%3 == 0 {
			x.diverted[three[0]] = diversion{to: three[1], by: three[2]}
		}
		return nil
	})
}

// place returns where pkg's file is on disk, in canonical spelling.
func (x *dpkg) place(pkg, path string) string {
	if d, ok := x.diverted[path]; ok && d.by != pkg {
		path = d.to
	}
	return x.canonical(path)
}

// md5sum takes a line of a .md5sums file: digest, two blanks, path without its
// first slash.
func (x *dpkg) md5sum(pkg string, line []byte) {
	digest, path, ok := bytes.Cut(line, []byte("  "))
	if ok {
		x.ship(pkg, "/"+string(path), digest)
	}
}

// listed takes a line of a .list file: a path of the package, which may be a
// directory that many share.
func (x *dpkg) listed(pkg string, line []byte) {
	if len(line) < 2 || line[0] != '/' {
		return
	}
	at := x.place(pkg, string(line))
	if _, dup := x.files[at]; !dup {
		x.put(at, shipped{pkg: pkg})
	}
}

// put notes what is at a path on disk.
func (x *dpkg) put(at string, s shipped) {
	const perEntry = 96
	if x.left -= len(at) + perEntry; x.left < 0 {
		x.partial = "it is larger than any host's"
		return
	}
	x.files[at] = s
}

// status takes a line of the status file, which alone knows the digests of
// configuration files. It returns the state of the stanza for the next line:
// the package's name, with "!" behind it while the lines list configuration.
func (x *dpkg) status(stanza string, line []byte) string {
	pkg, inConf := strings.CutSuffix(stanza, "!")
	switch {
	case len(line) == 0:
		return ""
	case inConf && line[0] == ' ':
		if f := bytes.Fields(line); len(f) == 2 {
			x.ship(pkg, string(f[0]), f[1])
		}
		return stanza
	case bytes.HasPrefix(line, []byte("Package: ")):
		return string(bytes.TrimSpace(line[len("Package: "):]))
	case pkg != "" && bytes.HasPrefix(line, []byte("Conffiles:")):
		return pkg + "!"
	}
	return pkg
}

// ship notes that pkg brought path with an MD5 digest in hex.
func (x *dpkg) ship(pkg, path string, digest []byte) {
	s := shipped{pkg: pkg, hasSum: true}
	if n, err := hex.Decode(s.md5[:], digest[:min(len(digest), 2*len(s.md5))]); err != nil || n != len(s.md5) || len(digest) != 32 {
		return
	}
	x.put(x.place(pkg, path), s)
}
