package facts

import (
	"encoding/binary"
	"io"
)

// The form of rpm's own database, Packages.db: pages of slots, each with the
// place of a blob in blocks of 16 bytes. Numbers are little-endian.
const (
	ndbMagic = "RpmP"
	ndbSlot  = "Slot"
	ndbBlob  = "BlbS"
	ndbPage  = 4096
	ndbBlock = 16
)

// readNDB calls header with each package's header.
func readNDB(r io.ReaderAt, size int64, header func([]byte) error) error {
	var head [32]byte
	if _, err := r.ReadAt(head[:], 0); err != nil || string(head[:4]) != ndbMagic {
		return errRPM
	}
	slots := int64(binary.LittleEndian.Uint32(head[12:])) * ndbPage
	if slots > size {
		return errRPM
	}
	table := io.NewSectionReader(r, 0, slots)
	for at := int64(len(head)); at+16 <= slots; at += 16 {
		var slot [16]byte
		if _, err := table.ReadAt(slot[:], at); err != nil {
			return err
		}
		if string(slot[:4]) != ndbSlot {
			return errRPM
		}
		if offset := int64(binary.LittleEndian.Uint32(slot[8:])); offset != 0 {
			if err := ndbHeader(r, size, offset*ndbBlock, slot[4:8], header); err != nil {
				return err
			}
		}
	}
	return nil
}

// ndbHeader reads the blob at a place: it repeats the package's number.
func ndbHeader(r io.ReaderAt, size, at int64, number []byte, header func([]byte) error) error {
	var head [16]byte
	if _, err := r.ReadAt(head[:], at); err != nil {
		return errRPM
	}
	length := int64(binary.LittleEndian.Uint32(head[12:]))
	if string(head[:4]) != ndbBlob || string(head[4:8]) != string(number) || length > maxHeader || at+16+length > size {
		return errRPM
	}
	blob := make([]byte, length)
	if _, err := r.ReadAt(blob, at+16); err != nil {
		return err
	}
	return header(blob)
}
