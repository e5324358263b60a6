package facts

import (
	"encoding/binary"
	"errors"
	"io"
	"strconv"
)

// rpmDatabases are the forms of rpm's database, the newest first, below each of
// the directories it is kept in. Each is a table of headers.
var (
	rpmDirs      = []string{"/usr/lib/sysimage/rpm", "/var/lib/rpm"}
	rpmDatabases = []struct {
		file string
		read func(r io.ReaderAt, size int64, header func([]byte) error) error
	}{{"rpmdb.sqlite", readSQLitePackages}, {"Packages.db", readNDB}, {"Packages", readBDB}}
)

// maxHeader bounds one package's header, in bytes, as rpm itself does.
const maxHeader = 256 << 20

var errRPM = errors.New("a database that makes no sense")

// readRPM reads rpm's database in whichever of its forms; nil where there is none.
func readRPM(t tree) *packageIndex {
	for _, dir := range rpmDirs {
		for _, db := range rpmDatabases {
			place := dir + "/" + db.file
			file, err := t.open(place)
			if err != nil {
				if _, err := t.lstat(place); err == nil {
					return &packageIndex{why: reason(place, errors.Join(err, errIrregular))}
				}
				continue
			}
			defer file.Close()
			x := newIndex("rpm", t, 1<<14)
			if info, err := t.lstat(place + "-wal"); err == nil && info.Size() > 0 {
				x.partial = place + "-wal: a transaction that is not in the database yet"
			}
			info, err := file.Stat()
			if err == nil {
				err = db.read(file, info.Size(), x.rpmHeader)
			}
			if err != nil {
				x.partial = reason(place, err)
			}
			return x
		}
	}
	return nil
}

// The tags of a header that are read, from rpm's table of tags.
const (
	rpmName       = 1000
	rpmVersion    = 1001
	rpmRelease    = 1002
	rpmEpoch      = 1003
	rpmOldNames   = 1027
	rpmStates     = 1029
	rpmDigests    = 1035
	rpmDirIndexes = 1116
	rpmBaseNames  = 1117
	rpmDirNames   = 1118
)

// rpmHeader takes the header of one package: a count of entries, the size of
// the store, entries of 16 bytes (tag, type, offset, count), the store. All
// numbers are big-endian.
func (x *packageIndex) rpmHeader(blob []byte) error {
	h, err := openRPMHeader(blob)
	if err != nil {
		return err
	}
	p := &pack{name: h.text(rpmName), version: h.text(rpmVersion) + "-" + h.text(rpmRelease)}
	if epoch := h.numbers(rpmEpoch, 4); len(epoch) > 0 {
		p.version = strconv.FormatUint(uint64(epoch[0]), 10) + ":" + p.version
	}
	names, digests, states := h.files(), h.texts(rpmDigests), h.numbers(rpmStates, 1)
	for i, name := range names {
		if len(states) == len(names) && states[i] != 0 {
			continue // replaced by another package's, or not installed
		}
		s := shipped{}
		if len(digests) == len(names) {
			s, _ = hexSum(digests[i])
		}
		s.pack = p
		x.put(x.canonical(name), s)
	}
	return nil
}

// rpmHead is a package's header: where each tag's values are in the store.
type rpmHead struct {
	entries map[uint32]rpmEntry
	store   []byte
}

type rpmEntry struct{ offset, count uint32 }

func openRPMHeader(blob []byte) (rpmHead, error) {
	h := rpmHead{entries: map[uint32]rpmEntry{}}
	if len(blob) < 8 {
		return h, errRPM
	}
	entries, size := binary.BigEndian.Uint32(blob), binary.BigEndian.Uint32(blob[4:])
	if uint64(entries) > uint64(len(blob)-8)/16 || uint64(size) > uint64(len(blob)-8)-16*uint64(entries) {
		return h, errRPM
	}
	for i := range entries {
		e := blob[8+16*i:]
		h.entries[binary.BigEndian.Uint32(e)] = rpmEntry{binary.BigEndian.Uint32(e[8:]), binary.BigEndian.Uint32(e[12:])}
	}
	h.store = blob[8+16*entries:][:size]
	return h, nil
}

// texts returns the strings of a tag: each ends with a zero.
func (h rpmHead) texts(tag uint32) []string {
	e, ok := h.entries[tag]
	if !ok || uint64(e.offset) > uint64(len(h.store)) || e.count > uint32(len(h.store)) {
		return nil
	}
	out, rest := make([]string, 0, e.count), h.store[e.offset:]
	for range e.count {
		n := 0
		for n < len(rest) && rest[n] != 0 {
			n++
		}
		if n == len(rest) {
			return nil
		}
		out, rest = append(out, string(rest[:n])), rest[n+1:]
	}
	return out
}

func (h rpmHead) text(tag uint32) string {
	if all := h.texts(tag); len(all) > 0 {
		return all[0]
	}
	return ""
}

// numbers returns the numbers of a tag, of 1 or 4 bytes each.
func (h rpmHead) numbers(tag, size uint32) []uint32 {
	e, ok := h.entries[tag]
	if !ok || uint64(e.offset)+uint64(e.count)*uint64(size) > uint64(len(h.store)) {
		return nil
	}
	out := make([]uint32, e.count)
	for i := range out {
		at := h.store[e.offset+uint32(i)*size:]
		if out[i] = uint32(at[0]); size == 4 {
			out[i] = binary.BigEndian.Uint32(at)
		}
	}
	return out
}

// files returns the paths of a package: a name and the number of its directory
// each; packages older than 2000 have whole paths.
func (h rpmHead) files() []string {
	names, dirs, at := h.texts(rpmBaseNames), h.texts(rpmDirNames), h.numbers(rpmDirIndexes, 4)
	if len(names) == 0 {
		return h.texts(rpmOldNames)
	}
	if len(at) != len(names) {
		return nil
	}
	for i, dir := range at {
		if dir >= uint32(len(dirs)) {
			return nil
		}
		names[i] = dirs[dir] + names[i]
	}
	return names
}
