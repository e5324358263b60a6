package pe

import (
	"github.com/besra-hunt/besra/yara/module/column"
	"math"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// Limits of exports.
const (
	maxExports    = 16384
	maxExportName = 1024
)

// export is an exported function.
type export struct {
	name    maybe[string]
	forward maybe[string]
	offset  maybe[uint32]
	ordinal uint32
	rva     uint32
}

var exportColumns = []column.Column[*export]{
	column.OptText("name", "The name, undefined for an export by ordinal only.", func(e *export) (string, bool) { return e.name.get() }),
	column.Int("ordinal", "The ordinal.", func(e *export) uint32 { return e.ordinal }),
	column.Int("rva", "The address of the function, or of the forwarder, relative to the image base.", func(e *export) uint32 { return e.rva }),
	column.OptInt("offset", "The offset of the function in the file, undefined for a forwarder.", func(e *export) (uint32, bool) { return e.offset.get() }),
	column.OptText("forward_name", "The library and function that the export is forwarded to.", func(e *export) (string, bool) { return e.forward.get() }),
}

var exportType = column.Type("Export", exportColumns)

// exportTable is what the export directory says.
type exportTable struct {
	name      maybe[string]
	timestamp maybe[uint32]
	functions []*export
}

// exportDirectory is an IMAGE_EXPORT_DIRECTORY.
type exportDirectory struct {
	binfmt.DataDirectory
	name, base               uint32
	functionCount, nameCount uint32
	functions, names         uint32
	ordinals                 uint32
}

func (f *file) exportTable() exportTable {
	return f.exports.get(func() exportTable {
		dir, t, ok := f.readExportDirectory()
		if !ok {
			return exportTable{}
		}
		if f.libyara {
			return f.exportsLibYARA(dir, t)
		}
		if name, ok := f.libraryName(dir.name); ok {
			t.name = some(name)
		}
		if dir.functions != 0 {
			t.functions = f.readExports(dir)
		}
		return t
	})
}

func (f *file) readExportDirectory() (dir exportDirectory, t exportTable, ok bool) {
	d, data, ok := f.directory(directoryExport, !f.libyara)
	if !ok || d.Address == 0 {
		return dir, t, false
	}
	r := binfmt.NewReader(data, binfmt.Little)
	r.Skip(4) // characteristics
	timestamp := r.U32()
	r.Skip(4) // version
	dir = exportDirectory{DataDirectory: d, name: r.U32(), base: r.U32(), functionCount: r.U32(), nameCount: r.U32(),
		functions: r.U32(), names: r.U32(), ordinals: r.U32()}
	return dir, exportTable{timestamp: some(timestamp)}, r.OK()
}

// readExports reads the addresses of the functions, and the names and
// forwarders of those that have them.
func (f *file) readExports(dir exportDirectory) []*export {
	addresses, _ := f.at(dir.functions)
	n := min(int(min(dir.functionCount, maxExports)), len(addresses)/4)
	names := f.exportNames(dir)
	r := binfmt.NewReader(addresses, binfmt.Little)
	var list []*export
	for i := range uint32(n) {
		e := &export{rva: r.U32(), ordinal: dir.base + i}
		if e.ordinal < i {
			break // more than 32 bits hold
		}
		if name, ok := names[i]; ok {
			e.name = f.maybeText(name, maxExportName)
		}
		if dir.contains(e.rva) {
			e.forward = f.maybeText(e.rva, maxExportName)
		} else if off, ok := f.offset(e.rva); ok {
			e.offset = some(off)
		}
		list = append(list, e)
	}
	return list
}

// contains reports whether an address is within the export directory: it is
// of a forwarder then, the name of a function elsewhere.
func (d exportDirectory) contains(rva uint32) bool {
	return rva >= d.Address && uint64(rva) < min(uint64(d.Address)+uint64(d.Size), math.MaxUint32)
}

func (f *file) maybeText(rva uint32, limit int) maybe[string] {
	s, ok := f.textAt(rva, limit)
	return maybe[string]{s, ok}
}

// exportNames returns the addresses of names by the index of the function.
// There are none unless the table of names is whole.
func (f *file) exportNames(dir exportDirectory) map[uint32]uint32 {
	n := int(min(dir.nameCount, maxExports))
	table, _ := f.at(dir.names)
	ordinals, _ := f.at(dir.ordinals)
	if len(table) < 4*n {
		return nil
	}
	names := make(map[uint32]uint32)
	r, o := binfmt.NewReader(table, binfmt.Little), binfmt.NewReader(ordinals, binfmt.Little)
	for range n {
		name, i := r.U32(), uint32(o.U16())
		if !o.OK() {
			break
		}
		if _, ok := names[i]; !ok {
			names[i] = name
		}
	}
	return names
}

// exportsLibYARA has no functions at all where one of the tables is cut short,
// and takes any bytes for names.
func (f *file) exportsLibYARA(dir exportDirectory, t exportTable) exportTable {
	const maxName = 512
	bytesAt := func(rva uint32, limit int) maybe[string] {
		data, ok := f.at(rva)
		return maybe[string]{string(binfmt.Text(data, limit)), ok}
	}
	t.name = bytesAt(dir.name, binfmt.MaxPEName)
	n := int(min(dir.functionCount, maxExports))
	names, ok := f.at(dir.names)
	if dir.nameCount > 0 && (!ok || uint64(len(names)) < 4*uint64(dir.nameCount)) {
		return t
	}
	ordinals, ok1 := f.at(dir.ordinals)
	addresses, ok2 := f.at(dir.functions)
	if !ok1 || !ok2 || len(ordinals) < 2*n || len(addresses) < 4*n {
		return t
	}
	dir.nameCount = min(dir.nameCount, uint32(n))
	nameOf := f.exportNames(dir)
	start, _ := f.offset(dir.Address)
	r := binfmt.NewReader(addresses, binfmt.Little)
	for i := range uint32(n) {
		e := &export{rva: r.U32(), ordinal: dir.base + i}
		off, ok := f.offset(e.rva)
		if ok && off > start && uint64(off) < uint64(start)+uint64(dir.Size) {
			e.forward = bytesAt(e.rva, maxName)
		} else {
			e.offset = maybe[uint32]{off, ok}
		}
		if name, ok := nameOf[i]; ok {
			e.name = bytesAt(name, maxName)
		}
		t.functions = append(t.functions, e)
	}
	return t
}
