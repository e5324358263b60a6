package facts

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"
)

const (
	dpkgInfo       = "/var/lib/dpkg/info"
	dpkgStatus     = "/var/lib/dpkg/status"
	dpkgStatusDir  = "/var/lib/dpkg/status.d" // of images without dpkg itself ("distroless"): a status and an .md5sums a package
	dpkgDiversions = "/var/lib/dpkg/diversions"
)

// dpkg collects the index of dpkg: who lists a path, and with which digest.
type dpkg struct {
	*packageIndex
	diverted map[string]diversion // by path as packages list it
}

// diversion says that a path as other packages ship it is kept elsewhere.
type diversion struct {
	to string
	by string // the package whose own file stays in place; ":" for the administrator
}

// readDpkg reads the index from the names in dpkg's directories; nil where
// there are none. Where a file cannot be read the index is partial.
func readDpkg(t tree) *packageIndex {
	info, err := t.names(dpkgInfo)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &packageIndex{why: reason(dpkgInfo, err)}
	}
	stanzas, err := t.names(dpkgStatusDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &packageIndex{why: reason(dpkgStatusDir, err)}
	}
	if len(info) == 0 && len(stanzas) == 0 {
		return nil
	}
	x := &dpkg{newIndex("dpkg", t, 64*(len(info)+len(stanzas))), map[string]diversion{}}
	x.readDiversions(t)
	for _, name := range info {
		x.readFile(t, dpkgInfo, name)
	}
	x.readStatus(t, dpkgStatus)
	for _, name := range stanzas {
		if x.readFile(t, dpkgStatusDir, name) {
			continue
		}
		x.readStatus(t, dpkgStatusDir+"/"+name)
		if !slices.Contains(stanzas, name+".md5sums") {
			x.partial = dpkgStatusDir + " does not list the files of " + name
		}
	}
	return x.packageIndex
}

// readFile reads what lists the files of a package; false where it is no such file.
func (x *dpkg) readFile(t tree, dir, name string) bool {
	of, kind, _ := cutLast(name, '.')
	of, _, _ = strings.Cut(of, ":") // libc6:amd64
	switch kind {
	case "md5sums":
		p := x.pack(of)
		x.read(t, dir+"/"+name, func(_ int, l []byte) error { x.md5sum(p, l); return nil })
	case "list":
		p := x.pack(of)
		x.read(t, dir+"/"+name, func(_ int, l []byte) error { x.listed(p, l); return nil })
	default:
		return false
	}
	return true
}

func (x *dpkg) readStatus(t tree, name string) {
	s := &dpkgStanza{index: x}
	x.read(t, name, func(_ int, l []byte) error { s.line(l); return nil })
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

// place returns where a package's file is on disk, in canonical spelling.
func (x *dpkg) place(p *pack, path string) string {
	if d, ok := x.diverted[path]; ok && d.by != p.name {
		path = d.to
	}
	return x.canonical(path)
}

// md5sum takes a line of a .md5sums file: digest, two blanks, path without its
// first slash.
func (x *dpkg) md5sum(p *pack, line []byte) {
	digest, path, ok := bytes.Cut(line, []byte("  "))
	if ok {
		x.ship(p, "/"+string(path), digest)
	}
}

// listed takes a line of a .list file: a path of the package, which may be a
// directory that many share.
func (x *dpkg) listed(p *pack, line []byte) {
	if len(line) < 2 || line[0] != '/' {
		return
	}
	at := x.place(p, string(line))
	if _, dup := x.files[at]; !dup {
		x.put(at, shipped{pack: p})
	}
}

// ship notes that a package brought path with an MD5 digest in hex.
func (x *dpkg) ship(p *pack, path string, digest []byte) {
	if s, ok := hexSum(digest); ok && s.kind == md5Sum {
		s.pack = p
		x.put(x.place(p, path), s)
	}
}

// dpkgStanza reads the status file, which alone knows the versions, and the
// digests of configuration files.
type dpkgStanza struct {
	index *dpkg
	pack  *pack // nil before the stanza's name
	conf  bool  // the lines list configuration
}

func (s *dpkgStanza) line(line []byte) {
	if s.conf && len(line) > 0 && line[0] == ' ' {
		if f := bytes.Fields(line); len(f) == 2 {
			s.index.ship(s.pack, string(f[0]), f[1])
		}
		return
	}
	s.conf = false
	field, value, _ := bytes.Cut(line, []byte(":"))
	switch {
	case len(line) == 0:
		s.pack = nil
	case string(field) == "Package":
		s.pack = s.index.pack(string(bytes.TrimSpace(value)))
	case s.pack == nil:
	case string(field) == "Version":
		s.pack.version = string(bytes.TrimSpace(value))
	case string(field) == "Conffiles":
		s.conf = true
	}
}
