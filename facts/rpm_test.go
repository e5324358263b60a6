package facts

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// rpmTag is a tag of a header: its values as strings, or as numbers of a size.
type rpmTag struct {
	tag   uint32
	texts []string
	nums  []uint32
	size  int
}

// rpmBlob makes a package's header as rpm's database keeps it.
func rpmBlob(tags ...rpmTag) []byte {
	var index, store []byte
	for _, t := range tags {
		count := len(t.texts) + len(t.nums)
		for len(store)%4 != 0 {
			store = append(store, 0)
		}
		index = binary.BigEndian.AppendUint32(index, t.tag)
		index = binary.BigEndian.AppendUint32(index, 8)
		index = binary.BigEndian.AppendUint32(index, uint32(len(store)))
		index = binary.BigEndian.AppendUint32(index, uint32(count))
		for _, s := range t.texts {
			store = append(append(store, s...), 0)
		}
		for _, n := range t.nums {
			if t.size == 1 {
				store = append(store, byte(n))
			} else {
				store = binary.BigEndian.AppendUint32(store, n)
			}
		}
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	head = binary.BigEndian.AppendUint32(head, uint32(len(store)))
	return append(append(head, index...), store...)
}

func sha(s string) string { sum := sha256.Sum256([]byte(s)); return hex.EncodeToString(sum[:]) }

// toolRPM has a file, a directory without a digest, a ghost, and a file that
// was not installed; filler makes the header as long as it takes.
func toolRPM(filler int) []byte {
	return rpmBlob(
		rpmTag{tag: rpmName, texts: []string{"tool"}}, rpmTag{tag: rpmVersion, texts: []string{"1.2"}},
		rpmTag{tag: rpmRelease, texts: []string{"3.el9"}}, rpmTag{tag: rpmEpoch, nums: []uint32{2}, size: 4},
		rpmTag{tag: 1005, texts: []string{strings.Repeat("x", filler)}},
		rpmTag{tag: rpmBaseNames, texts: []string{"tool", "tool.d", "log", "other"}},
		rpmTag{tag: rpmDirNames, texts: []string{"/bin/", "/etc/"}},
		rpmTag{tag: rpmDirIndexes, nums: []uint32{0, 1, 1, 0}, size: 4},
		rpmTag{tag: rpmDigests, texts: []string{sha("tool"), "", "", sha("other")}},
		rpmTag{tag: rpmStates, nums: []uint32{0, 0, 0, 2}, size: 1})
}

// oldRPM is a package of last century: whole paths and MD5.
func oldRPM() []byte {
	return rpmBlob(rpmTag{tag: rpmName, texts: []string{"old"}}, rpmTag{tag: rpmVersion, texts: []string{"1"}},
		rpmTag{tag: rpmRelease, texts: []string{"1"}}, rpmTag{tag: rpmOldNames, texts: []string{"/usr/bin/old"}},
		rpmTag{tag: rpmDigests, texts: []string{hash("old")}})
}

func ndbOf(blobs ...[]byte) []byte {
	le := binary.LittleEndian
	db := make([]byte, ndbPage)
	copy(db, ndbMagic)
	le.PutUint32(db[12:], 1)
	for i := 32; i < ndbPage; i += 16 {
		copy(db[i:], ndbSlot)
	}
	for i, blob := range blobs {
		slot := db[32+16*i:]
		le.PutUint32(slot[4:], uint32(i+1))
		le.PutUint32(slot[8:], uint32(len(db)/ndbBlock))
		head := le.AppendUint32([]byte(ndbBlob), uint32(i+1))
		head = le.AppendUint32(le.AppendUint32(head, 1), uint32(len(blob)))
		db = append(append(db, head...), blob...)
		db = append(db, make([]byte, 32-len(db)%16)...) // the tail, which is not read
	}
	return db
}

// bdbOf makes a hash table of one page, its long values on overflow pages.
func bdbOf(order binary.ByteOrder, blobs ...[]byte) []byte {
	const size = 512
	page := func(kind byte, next uint32, used int) []byte {
		p := make([]byte, size)
		order.PutUint32(p[16:], next)
		order.PutUint16(p[22:], uint16(used))
		p[25] = kind
		return p
	}
	meta, table := page(8, 0, 0), page(bdbHash, 0, 0)
	order.PutUint32(meta[12:], bdbHashMagic)
	order.PutUint32(meta[20:], size)
	db, end, items := append(meta, table...), size, 0
	item := func(b []byte) {
		end -= len(b)
		copy(db[size+end:], b)
		order.PutUint16(db[size+bdbHeadSize+2*items:], uint16(end))
		items++
	}
	item([]byte("\x01\x00\x00\x00\x00"))
	item([]byte("\x01\x07\x00\x00\x00"))
	for i, blob := range blobs {
		item([]byte{bdbInline, byte(i + 1), 0, 0, 0})
		if len(blob) < 64 {
			item(append([]byte{bdbInline}, blob...))
			continue
		}
		off := append([]byte{bdbOffPage, 0, 0, 0}, make([]byte, 8)...)
		order.PutUint32(off[4:], uint32(len(db)/size))
		order.PutUint32(off[8:], uint32(len(blob)))
		item(off)
		for len(blob) > 0 {
			n := min(len(blob), size-bdbHeadSize)
			next := uint32(0)
			if n < len(blob) {
				next = uint32(len(db)/size) + 1
			}
			p := page(bdbOverflow, next, n)
			copy(p[bdbHeadSize:], blob[:n])
			db, blob = append(db, p...), blob[n:]
		}
	}
	order.PutUint16(db[size+20:], uint16(items))
	order.PutUint32(db[32:], uint32(len(db)/size-1))
	return db
}

// TestSQLite reads the database in testdata, made with the sqlite3 shell: pages
// of 512 bytes, a table Packages of 100 rows, row n of 9n bytes of value n, so
// that there are inner pages and records with and without overflow.
func TestSQLite(t *testing.T) {
	file, err := os.Open("testdata/rows.sqlite")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, _ := file.Stat()
	n := 0
	err = readSQLitePackages(file, info.Size(), func(blob []byte) error {
		n++
		if want := bytes.Repeat([]byte{byte(n)}, 9*n); !bytes.Equal(blob, want) {
			return fmt.Errorf("row %d: got %d bytes, want %d", n, len(blob), len(want))
		}
		return nil
	})
	if err != nil || n != 100 {
		t.Errorf("got %d rows and error %v, want 100", n, err)
	}
}

// TestRPM reads the same two packages from every form of the database.
func TestRPM(t *testing.T) {
	short := rpmBlob(rpmTag{tag: rpmName, texts: []string{"e"}})
	for place, db := range map[string][]byte{
		"/usr/lib/sysimage/rpm/Packages.db": ndbOf(toolRPM(10), oldRPM(), short),
		"/var/lib/rpm/Packages.db":          ndbOf(oldRPM(), toolRPM(9000)),
		"/var/lib/rpm/Packages":             bdbOf(binary.LittleEndian, toolRPM(2000), oldRPM(), short),
		"/usr/lib/sysimage/rpm/Packages":    bdbOf(binary.BigEndian, oldRPM(), toolRPM(10)),
	} {
		t.Run(place, func(t *testing.T) {
			dir := root(t, map[string]string{place: string(db), "/usr/bin/tool": "tool", "/usr/bin/old": "changed", "/etc/log": "x",
				"/usr/bin/other": "other", "/usr/bin/stray": ""})
			if err := os.Symlink("usr/bin", dir+"/bin"); err != nil {
				t.Skip("no links here:", err)
			}
			h, err := NewHost(Config{Root: dir})
			if err != nil {
				t.Fatal(err)
			}
			none := "unavailable: the index holds no digest for the path"
			for path, want := range map[string][3]string{
				"/usr/bin/tool":  {"tool (asserted)", "2:1.2-3.el9 (asserted)", "true (asserted)"},
				"/bin/tool":      {"tool (asserted)", "2:1.2-3.el9 (asserted)", "true (asserted)"},
				"/usr/bin/old":   {"old (asserted)", "1-1 (asserted)", "false (asserted)"},
				"/etc/log":       {"tool (asserted)", "2:1.2-3.el9 (asserted)", none},
				"/usr/bin/other": {" (asserted)", " (asserted)", "false (asserted)"},
				"/usr/bin/stray": {" (asserted)", " (asserted)", "false (asserted)"},
			} {
				wantFacts(t, at(t, h, path), map[string]string{"package.manager": "rpm (asserted)",
					"package.name": want[0], "package.version": want[1], "package.verified": want[2]})
			}
		})
	}
}

// TestRPMDamaged cuts every form of the database everywhere and overwrites
// bytes: what is read may lack something, and then says so.
func TestRPMDamaged(t *testing.T) {
	rows, err := os.ReadFile("testdata/rows.sqlite")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		db   []byte
		read func(io.ReaderAt, int64, func([]byte) error) error
	}{
		"ndb": {ndbOf(toolRPM(100), oldRPM()), readNDB}, "bdb": {bdbOf(binary.LittleEndian, toolRPM(1000), oldRPM()), readBDB},
		"sqlite": {rows, readSQLitePackages},
	} {
		for cut := 0; cut < len(c.db); cut += 61 {
			db := c.db[:cut]
			_ = c.read(bytes.NewReader(db), int64(cut), func([]byte) error { return nil }) // must not panic
		}
		if err := c.read(bytes.NewReader(c.db[:600]), 600, func([]byte) error { return nil }); err == nil {
			t.Errorf("%s of 600 bytes: got no error", name)
		}
	}
}

// TestRPMTransaction has a database with a transaction beside it that is not in it yet.
func TestRPMTransaction(t *testing.T) {
	rows, err := os.ReadFile("testdata/rows.sqlite")
	if err != nil {
		t.Fatal(err)
	}
	const place = "/var/lib/rpm/rpmdb.sqlite"
	h := foreign(t, map[string]string{place: string(rows[:8192]), place + "-wal": "frames", "/f": ""})
	if got := at(t, h, "/f").Fact(t.Context(), "package.name"); got.Known() || !strings.Contains(got.Source, "not read whole") {
		t.Errorf("package.name: got %+v, want unavailable", got)
	}
}

func FuzzRPM(f *testing.F) {
	f.Add(ndbOf(toolRPM(10)))
	f.Add(bdbOf(binary.LittleEndian, toolRPM(1000)))
	f.Add(bdbOf(binary.BigEndian, oldRPM()))
	f.Add(toolRPM(1))
	if rows, err := os.ReadFile("testdata/rows.sqlite"); err == nil {
		f.Add(rows[:16384])
	}
	f.Fuzz(func(t *testing.T, db []byte) {
		x := &packageIndex{files: map[string]shipped{}, left: 1 << 20}
		_ = x.rpmHeader(db)
		for _, form := range rpmDatabases {
			_ = form.read(bytes.NewReader(db), int64(len(db)), x.rpmHeader)
		}
		for path, s := range x.files {
			if s.pack == nil {
				t.Errorf("%q: got no package", path)
			}
		}
	})
}
