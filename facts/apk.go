package facts

import (
	"bytes"
	"encoding/base64"
)

// apkIndexes are the places of apk's index, the usual one first.
var apkIndexes = []string{"/lib/apk/db/installed", "/usr/lib/apk/db/installed"}

// apk collects the index of apk: a stanza a package, a letter a field.
type apk struct {
	*packageIndex
	pack *pack
	dir  string // of the files that follow
	file string // that a digest belongs to; empty before the first
}

// readAPK reads the index of apk; nil where there is none.
func readAPK(t tree) *packageIndex {
	for _, place := range apkIndexes {
		if _, err := t.lstat(place); err != nil {
			continue
		}
		x := &apk{packageIndex: newIndex("apk", t, 1<<12)}
		x.read(t, place, func(_ int, l []byte) error { x.line(l); return nil })
		return x.packageIndex
	}
	return nil
}

func (x *apk) line(line []byte) {
	if len(line) == 0 {
		x.pack, x.dir, x.file = nil, "", ""
		return
	}
	value := string(line[min(2, len(line)):])
	if len(line) < 2 || line[1] != ':' || x.pack == nil && line[0] != 'P' {
		return
	}
	switch line[0] {
	case 'P':
		x.pack = &pack{name: value}
	case 'V':
		x.pack.version = value
	case 'F':
		x.dir, x.file = "/"+value, ""
	case 'R':
		x.file = x.canonical(x.dir + "/" + value)
		x.put(x.file, shipped{pack: x.pack})
	case 'Z':
		x.sum(line[2:])
	}
}

// apkSums are the marks before a digest in base64.
var apkSums = map[string]sumKind{"Q1": sha1Sum, "Q2": sha256Sum}

func (x *apk) sum(value []byte) {
	if x.file == "" || len(value) < 2 {
		return
	}
	s := shipped{pack: x.pack, kind: apkSums[string(value[:2])]}
	sum, err := base64.StdEncoding.AppendDecode(nil, bytes.TrimSpace(value[2:]))
	if s.kind == noSum || err != nil || len(sum) != sums[s.kind].size {
		return
	}
	copy(s.sum[:], sum)
	x.files[x.file] = s
}
