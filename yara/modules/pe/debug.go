package pe

import (
	"bytes"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module"
)

// Limits of the debug directory.
const (
	maxDebugEntries = 65536
	maxPDBPath      = 1 << 16
)

// findPDBPath returns the path in the first CodeView record that has one. In
// some EFI programs it is no path but a class identifier.
func (f *file) findPDBPath() module.Value {
	d, data, ok := f.directory(directoryDebug, true)
	if !ok || f.libyara && d.Address == 0 {
		return module.Value{}
	}
	r := binfmt.NewReader(data, binfmt.Little)
	for range maxDebugEntries {
		r.Skip(12) // characteristics, timestamp, version
		kind := r.U32()
		r.Skip(4) // size
		rva, offset := r.U32(), r.U32()
		if !r.OK() {
			break
		}
		if path, ok := f.codeView(kind, rva, offset); ok {
			return module.Bytes(path)
		}
	}
	return module.Value{}
}

// codeView reads the record of an IMAGE_DEBUG_DIRECTORY. Its address is to be
// preferred to its offset, but some files have only one of both.
func (f *file) codeView(kind, rva, offset uint32) (path []byte, ok bool) {
	const typeCodeView = 2
	if kind != typeCodeView {
		return nil, false
	}
	if off, ok := f.offset(rva); ok && rva != 0 && (off != 0 || !f.libyara) {
		offset = off
	}
	if offset == 0 {
		return nil, false
	}
	data, _ := binfmt.From(f.Data, uint64(offset))
	for _, format := range []struct {
		signature string
		head      uint64
	}{
		{"RSDS", 4 + 16 + 4},    // GUID, age
		{"NB10", 4 + 4 + 4 + 4}, // offset, timestamp, age
		{"MTOC", 4 + 16},        // GUID
	} {
		if bytes.HasPrefix(data, []byte(format.signature)) {
			rest, ok := binfmt.From(data, format.head)
			return binfmt.Text(rest, maxPDBPath), ok
		}
	}
	return nil, false
}
