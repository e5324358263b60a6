package facts

import (
	"encoding/binary"
	"errors"
	"io"
)

// sqlite reads tables of an SQLite database, rows in order of their number:
// as much of the format as rpm's database needs. See the format's description
// at sqlite.org/fileformat.html.
type sqlite struct {
	r        io.ReaderAt
	pageSize int64
	usable   int64 // of a page, without what is reserved at its end
	pages    int64
	left     int64 // pages that may still be read
	depth    int   // of the page under way in its tree
}

var errSQLite = errors.New("an SQLite database that makes no sense")

// readSQLitePackages calls header with the blob of each row of the table
// Packages, whose columns are a number and the blob.
func readSQLitePackages(r io.ReaderAt, size int64, header func([]byte) error) error {
	db, err := openSQLite(r, size)
	if err != nil {
		return err
	}
	root := int64(0)
	err = db.rows(1, func(record []byte) error { // the schema: type, name, table, root page, text
		columns := columnsOf(record, 4)
		if len(columns) == 4 && string(columns[0]) == "table" && string(columns[1]) == "Packages" {
			root = bigEndian(columns[3])
		}
		return nil
	})
	if err != nil {
		return err
	}
	if root == 0 {
		return errors.New("the database has no table Packages")
	}
	return db.rows(root, func(record []byte) error {
		columns := columnsOf(record, 2)
		if len(columns) != 2 {
			return errSQLite
		}
		return header(columns[1])
	})
}

func openSQLite(r io.ReaderAt, size int64) (*sqlite, error) {
	var head [100]byte
	if _, err := r.ReadAt(head[:], 0); err != nil || string(head[:16]) != "SQLite format 3\x00" {
		return nil, errors.Join(errSQLite, err)
	}
	db := &sqlite{r: r, pageSize: int64(binary.BigEndian.Uint16(head[16:]))}
	if db.pageSize == 1 {
		db.pageSize = 65536
	}
	db.usable = db.pageSize - int64(head[20])
	if db.pageSize < 512 || db.usable < 480 {
		return nil, errSQLite
	}
	db.pages = size / db.pageSize
	db.left = 2*db.pages + 16
	return db, nil
}

// page reads a page, counted from 1.
func (db *sqlite) page(n int64) ([]byte, error) {
	if db.left--; n < 1 || n > db.pages || db.left < 0 {
		return nil, errSQLite
	}
	b := make([]byte, db.pageSize)
	_, err := db.r.ReadAt(b, (n-1)*db.pageSize)
	return b, err
}

// The kinds of pages of a table.
const (
	tableInner = 5
	tableLeaf  = 13

	maxTreeDepth = 20 // SQLite's own bound
)

// rows calls row with each record of the table whose root is a page.
func (db *sqlite) rows(root int64, row func(record []byte) error) error {
	page, err := db.page(root)
	if err != nil {
		return err
	}
	head := page
	if root == 1 {
		head = page[100:]
	}
	kind, count := head[0], int(binary.BigEndian.Uint16(head[3:]))
	at := 8
	if kind == tableInner {
		at = 12
	}
	if kind != tableInner && kind != tableLeaf || at+2*count > len(head) || db.depth > maxTreeDepth {
		return errSQLite
	}
	db.depth++
	defer func() { db.depth-- }()
	for i := range count {
		cell := int(binary.BigEndian.Uint16(head[at+2*i:]))
		if err := db.cell(page, kind, cell, row); err != nil {
			return err
		}
	}
	if kind == tableInner {
		return db.rows(int64(binary.BigEndian.Uint32(head[8:])), row)
	}
	return nil
}

// cell takes a cell of a page: a child, or a record.
func (db *sqlite) cell(page []byte, kind byte, at int, row func([]byte) error) error {
	if at+4 > len(page) {
		return errSQLite
	}
	if kind == tableInner {
		return db.rows(int64(binary.BigEndian.Uint32(page[at:])), row)
	}
	size, n := varint(page[at:])
	_, m := varint(page[at+n:])
	if n == 0 || m == 0 || size < 0 || size > maxHeader {
		return errSQLite
	}
	record, err := db.record(page, at+n+m, size)
	if err != nil {
		return err
	}
	return row(record)
}

// record gathers a record from its page and the overflow pages behind it.
func (db *sqlite) record(page []byte, at int, size int64) ([]byte, error) {
	local := size
	if size > db.usable-35 {
		least := (db.usable-12)*32/255 - 23
		if local = least + (size-least)%(db.usable-4); local > db.usable-35 {
			local = least
		}
	}
	if int64(at)+local > db.usable {
		return nil, errSQLite
	}
	if local == size {
		return page[at:][:size], nil
	}
	if int64(at)+local+4 > db.usable || size > db.pages*db.pageSize {
		return nil, errSQLite
	}
	out := append(make([]byte, 0, size), page[at:][:local]...)
	next := int64(binary.BigEndian.Uint32(page[int64(at)+local:]))
	for int64(len(out)) < size {
		page, err := db.page(next)
		if err != nil {
			return nil, err
		}
		out = append(out, page[4:][:min(db.usable-4, size-int64(len(out)))]...)
		next = int64(binary.BigEndian.Uint32(page))
	}
	return out, nil
}

// columnsOf splits the first n columns of a record: their types after the size
// of the head, then their values.
func columnsOf(record []byte, n int) [][]byte {
	size, at := varint(record)
	if at == 0 || size < int64(at) || size > int64(len(record)) {
		return nil
	}
	head, body := record[at:size], record[size:]
	var out [][]byte
	for len(out) < n && len(head) > 0 {
		kind, m := varint(head)
		length := columnSize(kind)
		if m == 0 || length < 0 || length > int64(len(body)) {
			return nil
		}
		out = append(out, body[:length])
		head, body = head[m:], body[length:]
	}
	return out
}

// columnSize is the length of a column's value by its type; -1 for one there is not.
func columnSize(kind int64) int64 {
	switch {
	case kind >= 12:
		return (kind - 12) / 2
	case kind == 10 || kind == 11 || kind < 0:
		return -1
	}
	return []int64{0, 1, 2, 3, 4, 6, 8, 8, 0, 0}[kind]
}

// varint reads a number of up to nine bytes; n is 0 where it is cut off.
func varint(b []byte) (v int64, n int) {
	for n < len(b) && n < 8 {
		v = v<<7 | int64(b[n]&0x7f)
		if n++; b[n-1] < 0x80 {
			return v, n
		}
	}
	if n == 8 && len(b) > 8 {
		return v<<8 | int64(b[8]), 9
	}
	return 0, 0
}

func bigEndian(b []byte) (v int64) {
	for _, c := range b {
		v = v<<8 | int64(c)
	}
	return v
}
