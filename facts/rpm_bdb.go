package facts

import (
	"encoding/binary"
	"errors"
	"io"
)

// bdb reads the values of a Berkeley DB hash table, the form of rpm's database
// until 2020. Its pages are gone through one after the other: of each entry the
// key comes before the value, and a long value is a chain of overflow pages.
type bdb struct {
	r        io.ReaderAt
	order    binary.ByteOrder
	pageSize int64
	pages    int64
	left     int64 // bytes of values that may still be read
}

const (
	bdbHashMagic = 0x061561
	bdbHeadSize  = 26 // of a page

	bdbOverflow     = 7 // kinds of pages
	bdbHashUnsorted = 2
	bdbHash         = 13

	bdbInline  = 1 // kinds of items
	bdbOffPage = 3
)

var errBDB = errors.New("a Berkeley DB that makes no sense")

// readBDB calls header with each package's header.
func readBDB(r io.ReaderAt, size int64, header func([]byte) error) error {
	db, err := openBDB(r, size)
	if err != nil {
		return err
	}
	for n := int64(1); n < db.pages; n++ {
		page, err := db.page(n)
		if err != nil {
			return err
		}
		if kind := page[25]; kind != bdbHash && kind != bdbHashUnsorted {
			continue
		}
		if err := db.values(page, header); err != nil {
			return err
		}
	}
	return nil
}

func openBDB(r io.ReaderAt, size int64) (*bdb, error) {
	var head [72]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, errBDB
	}
	db := &bdb{r: r, order: binary.LittleEndian, left: 4 * size}
	if db.order.Uint32(head[12:]) != bdbHashMagic {
		db.order = binary.BigEndian
	}
	db.pageSize = int64(db.order.Uint32(head[20:]))
	if db.order.Uint32(head[12:]) != bdbHashMagic || db.pageSize < 512 || db.pageSize > 65536 || head[24] != 0 {
		return nil, errBDB // no hash table, or an encrypted one
	}
	if db.pages = size / db.pageSize; int64(db.order.Uint32(head[32:])) >= db.pages {
		return nil, errBDB // cut off
	}
	return db, nil
}

func (db *bdb) page(n int64) ([]byte, error) {
	if n >= db.pages {
		return nil, errBDB
	}
	b := make([]byte, db.pageSize)
	_, err := db.r.ReadAt(b, n*db.pageSize)
	return b, err
}

// values calls header with each value of a page, but that of the key 0, which
// counts the packages.
func (db *bdb) values(page []byte, header func([]byte) error) error {
	count := int(db.order.Uint16(page[20:]))
	if bdbHeadSize+2*count > len(page) {
		return errBDB
	}
	for i := 0; i+1 < count; i += 2 {
		key, err := db.item(page, i)
		if err != nil {
			return err
		}
		if string(key) == "\x01\x00\x00\x00\x00" {
			continue
		}
		item, err := db.item(page, i+1)
		if err != nil {
			return err
		}
		blob, err := db.value(item)
		if err != nil {
			return err
		}
		if err := header(blob); err != nil {
			return err
		}
	}
	return nil
}

// item returns the bytes of an item: they grow from the end of the page.
func (db *bdb) item(page []byte, i int) ([]byte, error) {
	start, end := int(db.order.Uint16(page[bdbHeadSize+2*i:])), len(page)
	if i > 0 {
		end = int(db.order.Uint16(page[bdbHeadSize+2*(i-1):]))
	}
	if start >= end || end > len(page) {
		return nil, errBDB
	}
	return page[start:end], nil
}

// value returns what an item stands for: itself, or a chain of pages.
func (db *bdb) value(item []byte) ([]byte, error) {
	switch {
	case item[0] == bdbInline:
		return item[1:], nil
	case item[0] != bdbOffPage || len(item) < 12:
		return nil, errBDB
	}
	next, size := int64(db.order.Uint32(item[4:])), int64(db.order.Uint32(item[8:]))
	if db.left -= size; size > maxHeader || size > db.pages*db.pageSize || db.left < 0 {
		return nil, errBDB
	}
	out := make([]byte, 0, size)
	for next != 0 && int64(len(out)) < size {
		page, err := db.page(next)
		if err != nil {
			return nil, err
		}
		used := int(db.order.Uint16(page[22:]))
		if page[25] != bdbOverflow || used == 0 || bdbHeadSize+used > len(page) {
			return nil, errBDB
		}
		out = append(out, page[bdbHeadSize:][:used]...)
		next = int64(db.order.Uint32(page[16:]))
	}
	if int64(len(out)) != size {
		return nil, errBDB
	}
	return out, nil
}
